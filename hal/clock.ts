/** The real clock: CLOCK_MONOTONIC for durations, the system's wall clock, and how far it can be trusted. */
import { existsSync } from "node:fs";
import type { Clock } from "./ports.ts";

/** systemd-timesyncd makes this file once the clock is synchronised. */
const synchronizedFile = "/run/systemd/timesync/synchronized";
/** A wall clock before this was never set: the program is younger. */
const unsetBefore = Date.UTC(2026, 0, 1);
const trustForMs = 5_000;

export function makeClock(synchronized: string = synchronizedFile): Clock {
  const monoMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;
  let trusted = { atMonoMs: Number.NEGATIVE_INFINITY, isSynchronized: false };
  return {
    wallMs: () => Date.now(),
    monoMs,
    trust: () => {
      if (Date.now() < unsetBefore) return "unset";
      if (monoMs() - trusted.atMonoMs > trustForMs) trusted = { atMonoMs: monoMs(), isSynchronized: existsSync(synchronized) };
      return trusted.isSynchronized ? "synced" : "holdover";
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, Math.max(0, ms));
        signal.addEventListener("abort", done, { once: true });
      }),
  };
}
