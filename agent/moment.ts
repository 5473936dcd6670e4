/** The agent's scale of time: the boot's epoch plus the monotonic clock. It never steps, so rows of one boot stay in order. */

import type { Clock } from "../hal/ports.ts";
import type { Moment } from "./core/change.ts";
import type { MonoMs, WallMs } from "./core/types.ts";

export type Time = {
  now(): WallMs;
  moment(): Moment;
  at(monoMs: MonoMs): WallMs;
  /** A file's time, which the operating system took from its own wall clock, on the monotonic scale. */
  monoOfFile(fileAt: WallMs): MonoMs;
};

export function makeTime(clock: Clock, epochAt: WallMs): Time {
  const at = (monoMs: MonoMs) => Math.round(epochAt + monoMs);
  return {
    at,
    now: () => at(clock.monoMs()),
    moment: () => ({ at: at(clock.monoMs()), monoMs: Math.round(clock.monoMs()), clock: clock.trust() }),
    monoOfFile: (fileAt) => clock.monoMs() - (clock.wallMs() - fileAt),
  };
}
