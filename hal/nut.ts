/** Power as a UPS tells it through NUT's network server (Network UPS Tools, protocol of `upsd`, TCP 3493): the line client of `LIST VAR`. */
import { connect } from "node:net";
import type { PowerValue, Probe, Reading } from "./ports.ts";

export type NutOptions = { readonly host?: string | undefined; readonly port?: number | undefined; readonly ups?: string | undefined };

const standardPort = 3493;
/** One reading, whatever is asked in it, ends within this. */
const deadlineMs = 900;
/** A UPS has some hundred variables of a line each; what is longer is no answer. */
const mostReplyBytes = 65_536;

/** Without a name the server's first UPS is read. A server that is silent, or whose own driver is, is unknown: never mains. */
export function makeNut({ host = "127.0.0.1", port = standardPort, ups }: NutOptions): Probe<PowerValue> {
  return {
    driver: "nut",
    read: async (signal) => {
      const asked = await ask(host, port, ups ?? null, signal);
      return typeof asked === "string" ? { value: "unknown", evidence: [asked] } : readingOf(asked);
    },
  };
}

type Vars = ReadonlyMap<string, string>;

/** The variables of one UPS, or why there are none. Never rejects. */
function ask(host: string, port: number, name: string | null, signal: AbortSignal): Promise<Vars | string> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve("stopped");
    const socket = connect({ host, port });
    const done = (result: Vars | string) => {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
      socket.destroy();
      resolve(result);
    };
    const stop = () => done("stopped");
    const late = setTimeout(() => done("nut late"), deadlineMs);
    signal.addEventListener("abort", stop, { once: true });
    socket.setEncoding("utf8");
    socket.once("error", (error: NodeJS.ErrnoException) => done(`nut ${error.code ?? "unreachable"}`));
    socket.once("end", () => done("nut closed"));
    let reply = "";
    let ups = name;
    const send = () => socket.write(ups === null ? "LIST UPS\n" : `LIST VAR ${quoted(ups)}\n`);
    socket.once("connect", send);
    socket.on("data", (chunk: string) => {
      reply += chunk;
      if (reply.length > mostReplyBytes) return done("nut too-long");
      const refusal = /^ERR (\S+)/m.exec(reply);
      if (refusal !== null) return done(`nut ${(refusal[1] ?? "").toLowerCase()}`);
      if (!/^END LIST /m.test(reply)) return;
      if (ups !== null) return done(varsOf(reply));
      ups = /^UPS (\S+) /m.exec(reply)?.[1] ?? null;
      if (ups === null) return done("nut no-ups");
      reply = "";
      send();
    });
  });
}

/** A name of the configuration is one word of the protocol, whatever it holds. */
const quoted = (word: string) => `"${word.replace(/[\r\n]/g, " ").replace(/["\\]/g, "\\$&")}"`;

function varsOf(reply: string): Vars {
  const lines = [...reply.matchAll(/^VAR \S+ (\S+) "((?:[^"\\]|\\.)*)"$/gm)];
  return new Map(lines.map(([, name, value]) => [name ?? "", (value ?? "").replace(/\\(.)/g, "$1")]));
}

/** `ups.status` is a list of words (NUT's developer guide, "Status data"): OL, OB, LB, FSD, and what else is going on. */
function readingOf(vars: Vars): Reading<PowerValue> {
  const status = vars.get("ups.status") ?? "";
  const words = status.split(/\s+/);
  const evidence = [`ups ${status === "" ? "no-status" : status}`.slice(0, 60), ...gauge(vars, "charge"), ...gauge(vars, "runtime")];
  return { value: wordFor(words), evidence };
}

function wordFor(words: readonly string[]): PowerValue | "unknown" {
  if (words.includes("FSD") || (words.includes("OB") && words.includes("LB"))) return "low";
  if (words.includes("OB")) return "battery";
  return words.includes("OL") ? "mains" : "unknown";
}

function gauge(vars: Vars, name: "charge" | "runtime"): readonly string[] {
  const value = Number(vars.get(`battery.${name}`) ?? Number.NaN);
  return Number.isFinite(value) ? [`${name} ${Math.round(value)}`] : [];
}
