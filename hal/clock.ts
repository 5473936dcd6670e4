/** The real clock: CLOCK_MONOTONIC for durations, the system's wall clock, and who says how far it can be trusted. */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import type { MonoMs, Trust, WallMs } from "../agent/core/types.ts";
import type { Clock } from "./ports.ts";

/** As the configuration says it (`clock:`). */
export type ClockOptions = {
  readonly driver: "auto" | "none" | "file" | "script";
  /** `file`: one word, `synced | holdover | unset | unknown`. */
  readonly path?: string | undefined;
  /** `script`: milliseconds by which the wall clock is shifted. */
  readonly offset?: string | undefined;
  /** A moment that has passed for certain: a clock that stands before it was never set. */
  readonly notBefore?: WallMs | undefined;
};

/** Whom `auto` asks. */
export type ClockPlaces = {
  readonly chronyc: string;
  readonly timedatectl: string;
  /** systemd-timesyncd touches this file at every synchronisation, and never removes it. */
  readonly synchronized: string;
  readonly rtc: string;
};
const debian: ClockPlaces = {
  chronyc: "/usr/bin/chronyc",
  timedatectl: "/usr/bin/timedatectl",
  synchronized: "/run/systemd/timesync/synchronized",
  rtc: "/sys/class/rtc/rtc0/since_epoch",
};

/** What was told, and by whom. */
type Told = { readonly by: string; readonly word: Trust | "unknown"; readonly errorMs?: number | null };

const run = promisify(execFile);
/** A wall clock before this was never set: the program is younger. */
const unsetBefore = Date.UTC(2026, 0, 1);
const childDeadlineMs = 2_000;
/** Two children after one another, and a little. */
const lookDeadlineMs = 4_500;
/** A child process is too dear for every second. */
const askEveryMs = 10_000;
/** A wall clock that moved this much against the monotonic one was set by somebody: whoever did it can tell now. */
const stepMs = 1_000;
const offsetForMs = 500;
const wordBytes = 64;
/** chronyd polls at least every 1,024 s (its default maxpoll), and keeps saying `Normal` when its sources are gone (measured, chrony 4.3). */
const chronyForMs = 3_600_000;
/** Three times timesyncd's longest poll, 2,048 s. */
const timesyncdForMs = 6_144_000;
/** chronyd serving its own clock (`local stratum`) calls itself synchronised, with this reference (measured, chrony 4.3). */
const ownClock = "7F7F0101";

export function makeClock(options: ClockOptions, places: ClockPlaces = debian): Clock {
  const monoMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;
  const offset = options.driver === "script" ? makeOffset(options.offset, monoMs) : null;
  const wallMs = () => Date.now() + (offset?.ms() ?? 0);
  const floorAt = Math.max(unsetBefore, options.notBefore ?? 0);
  let told: Told = { by: options.driver, word: options.driver === "script" ? "synced" : "unknown" };
  let looking: Promise<void> | null = null;
  let asked = { monoMs: Number.NEGATIVE_INFINITY, epochAt: 0 };
  const isDue = () =>
    options.driver === "file" ||
    (options.driver === "auto" && (monoMs() - asked.monoMs >= askEveryMs || Math.abs(wallMs() - monoMs() - asked.epochAt) > stepMs));
  const ask = async (signal: AbortSignal) => {
    asked = { monoMs: monoMs(), epochAt: wallMs() - monoMs() };
    const next = options.driver === "file" ? await readTrust(options.path) : await askAround(places, floorAt, signal);
    if (!signal.aborted) told = next;
  };
  return {
    ...{ wallMs, monoMs, fileMs: () => Date.now() },
    get driver() {
      return told.by;
    },
    trust: () => {
      if (told.word === "synced" || told.word === "unset") return told.word;
      return wallMs() < floorAt ? "unset" : "holdover";
    },
    errorMs: () => (told.word === "synced" ? (told.errorMs ?? null) : null),
    look: async (signal) => {
      offset?.read();
      if (signal.aborted || (looking === null && !isDue())) return;
      // One inquiry at a time: one that hangs in the kernel must not pile up.
      looking ??= ask(signal).finally(() => {
        looking = null;
      });
      if (!(await endsWithin(looking, lookDeadlineMs, signal)) && !signal.aborted) told = { by: told.by, word: "unknown" };
    },
    sleep,
  };
}

/** The wall clock as the agent of this configuration has it: for commands beside it. */
export function wallOf(options: ClockOptions): WallMs {
  return Date.now() + (options.driver === "script" ? (readOffset(options.offset) ?? 0) : 0);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Did `work` end before the deadline and the signal? */
async function endsWithin(work: Promise<void>, ms: number, signal: AbortSignal): Promise<boolean> {
  const wait = new AbortController();
  const stop = () => wait.abort();
  signal.addEventListener("abort", stop, { once: true });
  const ended = await Promise.race([work.then(() => true), sleep(ms, wait.signal).then(() => false)]);
  signal.removeEventListener("abort", stop);
  stop();
  return ended;
}

/** The shift of the `script` driver. Read without waiting, at most twice a second: it belongs to `wallMs`. */
function makeOffset(path: string | undefined, monoMs: () => MonoMs): { ms(): number; read(): void } {
  let ms = 0;
  let readMonoMs = Number.NEGATIVE_INFINITY;
  const read = () => {
    readMonoMs = monoMs();
    ms = readOffset(path) ?? ms;
  };
  return {
    read,
    ms: () => {
      if (monoMs() - readMonoMs > offsetForMs) read();
      return ms;
    },
  };
}

/** null: there is no number in the file, for instance because it is just being written. */
function readOffset(path: string | undefined): number | null {
  if (path === undefined) return null;
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(wordBytes);
      const text = buffer.toString("utf8", 0, readSync(file, buffer, 0, wordBytes, 0)).trim();
      return /^[+-]?\d{1,13}$/.test(text) ? Number(text) : null;
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

async function readTrust(path: string | undefined): Promise<Told> {
  const word = path === undefined ? "" : await readWord(path).catch(() => "");
  return { by: "file", word: word === "synced" || word === "holdover" || word === "unset" ? word : "unknown" };
}

/** The start of a file. It is opened without waiting: a pipe in its place must not hold one of the few threads for files. */
async function readWord(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wordBytes), 0, wordBytes, null);
    return buffer.toString("utf8", 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}

/** The first of chrony, timesyncd, the kernel's flag and the RTC that is there. */
async function askAround(places: ClockPlaces, floorAt: WallMs, signal: AbortSignal): Promise<Told> {
  const chrony = await answerOf(places.chronyc, ["-c", "tracking"], signal);
  // It is there and does not answer: nobody else sets this clock.
  if (chrony === "late") return { by: "chrony", word: "unknown" };
  const tracking = readTracking(chrony);
  if (tracking !== null) return { by: "chrony", ...tracking };
  const syncedAt = await stat(places.synchronized).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  );
  if (syncedAt !== null) return { by: "timesyncd", word: trustSince(syncedAt, timesyncdForMs) };
  const kernel = (await answerOf(places.timedatectl, ["show", "-p", "NTPSynchronized", "--value"], signal)).trim();
  if (kernel === "yes" || kernel === "no") return { by: "timedatectl", word: kernel === "yes" ? "synced" : "holdover" };
  const rtc = Number(await readFile(places.rtc, "utf8").catch(() => "0")) * 1000;
  return { by: rtc >= floorAt ? "rtc" : "none", word: "holdover" };
}

/** Losing the source is holdover. A moment far ahead is no better than one long ago: somebody turned the clock back. */
const trustSince = (at: WallMs, forMs: number): Trust => (Math.abs(Date.now() - at) <= forMs ? "synced" : "holdover");

/**
 * A line of `chronyc -c tracking`: reference, its name, stratum, seconds of the last update, six figures on offset and frequency,
 * root delay and dispersion, seconds between updates, leap status. null: no such line. The error is what chronyc(1) gives as its bound: what
 * is still to be corrected, the dispersion, and half of the delay.
 */
function readTracking(line: string): { readonly word: Trust; readonly errorMs: number | null } | null {
  const fields = line.trim().split(",");
  if (fields.length !== 14) return null;
  const [reference, , stratum, updatedSeconds] = fields;
  const isSet = !/^not synchronised$/i.test(fields[13] ?? "") && Number(stratum) > 0 && Number(stratum) < 16 && reference !== ownClock;
  const everyMs = Number(fields[12]) * 1000;
  const [offset = 0, delay = 0, dispersion = 0] = [fields[4], fields[10], fields[11]].map(Number);
  const errorMs = Math.ceil((Math.abs(offset) + dispersion + delay / 2) * 1000);
  return {
    word: isSet ? trustSince(Number(updatedSeconds) * 1000, Math.max(chronyForMs, 4 * everyMs)) : "holdover",
    errorMs: Number.isFinite(errorMs) ? errorMs : null,
  };
}

/** Standard output of a child; empty where it is not there or fails, `late` where it had to be ended. */
async function answerOf(command: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  // execFile leaves its listener on the signal where the program is missing: it gets one of its own.
  const own = new AbortController();
  const stop = () => own.abort();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const bounds = { timeout: childDeadlineMs, killSignal: "SIGKILL", maxBuffer: 4_096, signal: own.signal } as const;
  try {
    return (await run(command, [...args], { ...bounds, env: { ...process.env, LC_ALL: "C" } })).stdout;
  } catch (error) {
    return error instanceof Error && "killed" in error && error.killed === true ? "late" : "";
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
