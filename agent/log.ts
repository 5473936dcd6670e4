/** The root logger; everyone else gets a child. JSON lines to standard output, free of secrets. */
import { pino } from "pino";

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
    { write: (line: string) => write(redact(line, secrets())) },
  );
  return {
    info: (facts, message) => logger.info(facts, message),
    warn: (facts, message) => logger.warn(facts, message),
    error: (facts, message) => logger.error(facts, message),
  };
}

/** Takes user information out of addresses and every known secret out of the rest, as they stand and as JSON or an address would write them. */
export function redact(text: string, secrets: readonly string[]): string {
  const bare = text.replace(/:\/\/[^\s/@"']*@/g, "://");
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  return forms.reduce((rest, secret) => (secret === "" ? rest : rest.replaceAll(secret, "***")), bare);
}
