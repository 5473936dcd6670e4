/** Whether a stream keeps pace with the clock. A line that carries less than the stream lets its pictures fall behind without ever falling silent. Pure. */
import { type Course, mostFramesPerSecond } from "./arrival.ts";
import type { MonoMs } from "./types.ts";

/** What has come of a try at a moment, counted from its start. */
export type Mark = { readonly frames: number; readonly mediaMs: number; readonly monoMs: MonoMs };

export type Pace = {
  /** Where the window that is looked at began; null: at the next mark. */
  readonly from: Mark | null;
  /** The camera's own times went with the clock once: they are right, and what lags later is the line. */
  readonly isTrue: boolean;
  readonly isStarved: boolean;
};

/** A hiccup of the wifi, which ends the try where it is longer than 5 s, is made good within this. */
const windowMs = 20_000;
/** Below this share of the clock a line carries less than half of the stream. */
const starvedShare = 0.5;
const trueShare = 0.9;

export const noPace: Pace = { from: null, isTrue: false, isStarved: false };

/** A new try begins; what is known of the camera's times stays. */
export const paceAnew = ({ isTrue }: Pace): Pace => ({ from: null, isTrue, isStarved: false });

/** Did the pictures fall behind, rather than the camera's times jump or stand still? */
export const fellBehind = ({ mediaMs, clockMs, frames }: Pick<Course, "mediaMs" | "clockMs" | "frames">): boolean =>
  mediaMs < clockMs && frames * 1_000 <= mediaMs * mostFramesPerSecond;

export function notePace(pace: Pace, mark: Mark): Pace {
  const { from, isTrue } = pace;
  if (from === null) return { ...pace, from: mark };
  const clockMs = mark.monoMs - from.monoMs;
  if (clockMs < windowMs) return pace;
  const mediaMs = mark.mediaMs - from.mediaMs;
  const share = mediaMs / clockMs;
  const isBehind = fellBehind({ mediaMs, clockMs, frames: mark.frames - from.frames });
  return { from: mark, isTrue: isTrue || share >= trueShare, isStarved: isTrue && share < starvedShare && isBehind };
}
