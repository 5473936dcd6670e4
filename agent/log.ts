/** The root logger; everyone else gets a child. JSON lines to standard output, free of secrets. */
import { pino } from "pino";
import { redact } from "./core/scrub.ts";

/** What a loop may say. The subset of pino that the agent uses. */
export type Log = {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
};

/** `secrets` are asked for at each line, so that a password changed on disk is kept out too. */
export function makeLog(options: {
  readonly level?: string;
  readonly secrets?: () => readonly string[];
  readonly write?: (line: string) => void;
}): Log {
  const secrets = options.secrets ?? (() => []);
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  const logger = pino(
    {
      level: options.level ?? "info",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  const masked = (facts: object) => maskFacts(facts, secrets()) as object;
  return {
    info: (facts, message) => logger.info(masked(facts), message),
    warn: (facts, message) => logger.warn(masked(facts), message),
    error: (facts, message) => logger.error(masked(facts), message),
  };
}

/** Facts with every text in them redacted. Names of facts, levels and times are ours, and hold no secret. */
function maskFacts(facts: unknown, secrets: readonly string[]): unknown {
  if (typeof facts === "string") return redact(facts, secrets);
  if (Array.isArray(facts)) return facts.map((fact) => maskFacts(fact, secrets));
  if (typeof facts !== "object" || facts === null) return facts;
  return Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, maskFacts(fact, secrets)]));
}
