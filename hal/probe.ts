/** Power and link as a site-made sensor writes them into a file, or as a rehearsal's script plays them. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { MonoMs } from "../agent/core/types.ts";
import type { LinkValue, PowerValue, Probe, Reading } from "./ports.ts";

/** As the configuration says it (`power:`, `link:`). A driver that is not here is `unsupported`. */
export type ProbeOptions = {
  readonly driver: string;
  /** `file`: one word. `script`: lines of seconds since the start and the word that is true from then on. */
  readonly path?: string | undefined;
};

const readDeadlineMs = 900;
const wordBytes = 64;
const scriptBytes = 65_536;

export function makePower(options: ProbeOptions, monoMs: () => MonoMs = sinceStart): Probe<PowerValue> {
  return makeProbe(options, ["mains", "battery", "low"], monoMs);
}

export function makeLink(options: ProbeOptions, monoMs: () => MonoMs = sinceStart): Probe<LinkValue> {
  return makeProbe(options, ["up", "weak", "down"], monoMs);
}

/**
 * `auto`: the first of these senses that tells something is taken, and stays. Until then all are asked each time.
 * One that told something once and then cannot is `unknown`: a UPS that went silent is not replaced by another's word.
 */
export function firstTelling<V extends string>(probes: readonly Probe<V>[]): Probe<V> {
  let chosen: Probe<V> | null = null;
  return {
    get driver() {
      return chosen?.driver ?? "none";
    },
    read: async (signal) => {
      const before = chosen;
      if (before !== null) {
        const reading = await before.read(signal);
        return reading.value === "unsupported" ? unknown(...reading.evidence, `${before.driver} gone`) : reading;
      }
      const readings = await Promise.all(probes.map((probe) => probe.read(signal)));
      const at = readings.findIndex(({ value }) => value !== "unknown" && value !== "unsupported");
      chosen = probes[at] ?? null;
      return readings[at] ?? { value: "unsupported", evidence: readings.flatMap(({ evidence }) => evidence) };
    },
  };
}

const sinceStart = () => performance.now();

function makeProbe<V extends string>(options: ProbeOptions, values: readonly V[], monoMs: () => MonoMs): Probe<V> {
  const { driver, path } = options;
  if (driver === "file" && path !== undefined) return bounded(driver, () => readFile(path, values));
  if (driver === "script" && path !== undefined) return bounded(driver, playScript(path, values, monoMs));
  return { driver, read: async () => ({ value: "unsupported", evidence: [] }) };
}

/** Keeps the port's word for any way of reading: never rejects, ends in time, and a read that hangs in the kernel is not joined by others. */
function bounded<V extends string>(driver: string, ask: () => Promise<Reading<V>>): Probe<V> {
  let asking: Promise<Reading<V>> | null = null;
  return {
    driver,
    read: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve(unknown("stopped"));
        const done = (reading: Reading<V>) => {
          clearTimeout(timer);
          signal.removeEventListener("abort", stop);
          resolve(reading);
        };
        const stop = () => done(unknown("stopped"));
        const timer = setTimeout(() => done(unknown(`${driver} late`)), readDeadlineMs);
        signal.addEventListener("abort", stop, { once: true });
        asking ??= ask()
          .catch((error: NodeJS.ErrnoException) => unknown(`${driver} ${error.code ?? "unreadable"}`))
          .finally(() => {
            asking = null;
          });
        void asking.then(done);
      }),
  };
}

const unknown = (...evidence: readonly string[]): { value: "unknown"; evidence: readonly string[] } => ({ value: "unknown", evidence });

async function readFile<V extends string>(path: string, values: readonly V[]): Promise<Reading<V>> {
  const word = (await readStart(path, wordBytes)).trim();
  if (word === "unknown") return unknown("file unknown");
  const value = values.find((known) => known === word);
  return value === undefined ? unknown(word === "" ? "file empty" : "file other-word") : { value, evidence: [`file ${value}`] };
}

/** The start of a file. It is opened without waiting: a pipe in its place must not hold one of the few threads for files. */
async function readStart(path: string, bytes: number): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, null);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

type Cue<V extends string> = { readonly fromMs: number; readonly value: V | "unknown" };

/** Plays the script as it stands at the first reading; its seconds count from now. */
function playScript<V extends string>(path: string, values: readonly V[], monoMs: () => MonoMs): () => Promise<Reading<V>> {
  const startMonoMs = monoMs();
  let lines: readonly (readonly (Cue<V> | null)[])[] | null = null;
  return async () => {
    lines ??= (await readStart(path, scriptBytes)).split("\n").map((line) => cuesOf(line, values));
    const bad = lines.findIndex((cues) => cues.includes(null));
    if (bad >= 0) return unknown(`script bad-line ${bad + 1}`);
    const cues = lines.flat().filter((cue) => cue !== null);
    const passed = cues.filter(({ fromMs }) => fromMs <= monoMs() - startMonoMs);
    const value = passed.sort((a, b) => a.fromMs - b.fromMs).at(-1)?.value ?? "unknown";
    return { value, evidence: [`script ${value}`] };
  };
}

/** `<seconds> <word>`; nothing of an empty line or a comment; null where the line is neither. */
function cuesOf<V extends string>(line: string, values: readonly V[]): readonly (Cue<V> | null)[] {
  if (/^\s*(#.*)?$/.test(line)) return [];
  const [, seconds, word] = /^\s*(\d{1,7}(?:\.\d{1,3})?)\s+(\S+)\s*$/.exec(line) ?? [];
  const value = word === "unknown" ? word : values.find((known) => known === word);
  return [value === undefined ? null : { fromMs: Number(seconds) * 1000, value }];
}
