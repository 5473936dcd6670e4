/** The agent's scale of time: the boot's epoch plus the monotonic clock. It never steps, so rows of one boot stay in order. */

import type { Clock } from "../hal/ports.ts";
import type { Moment } from "./core/change.ts";
import type { Dating, UtcMs } from "./core/dating.ts";
import type { MonoMs, WallMs } from "./core/types.ts";

export type Time = {
  now(): WallMs;
  moment(): Moment;
  at(monoMs: MonoMs): WallMs;
  /** A file's time, which the operating system took from its own wall clock, on the monotonic scale. */
  monoOfFile(fileAt: number): MonoMs;
  /** Reads stored times as UTC, by the newest step. */
  dating(): Dating;
  nowUtc(): UtcMs;
  /** What the name of a file that starts then tells, less its start. */
  namedMs(startAt: WallMs): number;
};

export function makeTime(clock: Clock, epochAt: WallMs, dating: () => Dating): Time {
  const at = (monoMs: MonoMs) => Math.round(epochAt + monoMs);
  const now = () => at(clock.monoMs());
  return {
    ...{ at, now, dating },
    moment: () => ({ at: now(), monoMs: Math.round(clock.monoMs()), clock: clock.trust() }),
    monoOfFile: (fileAt) => clock.monoMs() - (clock.fileMs() - fileAt),
    nowUtc: () => dating().toUtc(now()),
    namedMs: (startAt) => dating().toUtc(startAt) - startAt,
  };
}
