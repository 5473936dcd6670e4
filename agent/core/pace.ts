/** Whether a stream keeps pace with the clock. A line that carries less than the stream lets its pictures fall behind without ever falling silent. Pure. */
import { type Course, mostFramesPerSecond } from "./arrival.ts";
import type { MonoMs, StreamName } from "./types.ts";

/** What has come of a try at a moment, counted from its start. */
export type Mark = { readonly frames: number; readonly mediaMs: number; readonly monoMs: MonoMs };

export type Pace = {
  /** Where the window that is looked at began; null: at the next mark. */
  readonly from: Mark | null;
  /** The camera's own times went with the clock, and nothing has spoken against them since: what lags is the line. */
  readonly isTrue: boolean;
  readonly stream: StreamName;
  /** Pictures of this stream a millisecond where its times went with the clock: the most, which each later window forgets a tenth of; null: not seen yet. */
  readonly usualRate: number | null;
  readonly isStarved: boolean;
};

/** A hiccup of the wifi, which ends the try where it is longer than 5 s, is made good within this. */
const windowMs = 20_000;
/** Below this share of the clock a line carries less than half of the stream. */
const starvedShare = 0.5;
const trueShare = 0.9;

export const noPace: Pace = { from: null, isTrue: false, stream: "main", usualRate: null, isStarved: false };

/** A new try begins; what is known of the camera's times stays. */
export const paceAnew = ({ isTrue, stream, usualRate }: Pace, of: StreamName): Pace => ({
  ...{ from: null, isTrue, stream: of, usualRate: of === stream ? usualRate : null, isStarved: false },
});

type Lag = Pick<Course, "mediaMs" | "clockMs" | "frames">;

/** Did the pictures come late, of a camera whose times were right, rather than its times run slowly, jump or stand still? */
export function fellBehind({ isTrue, usualRate }: Pace, lag: Lag): boolean {
  const { mediaMs, clockMs, frames } = lag;
  const standsStill = frames * 1_000 > mediaMs * mostFramesPerSecond;
  return isTrue && mediaMs < clockMs && !standsStill && !(usualRate !== null && runsSlowly(usualRate, lag));
}

/** More pictures than this were never usual: what was seen is of another hour, and says nothing. */
const mostShare = 1.1;

/** Where the camera's clock slows down as many pictures come as ever; a thin line brings as many fewer as their times lag. The nearer one counts. */
function runsSlowly(usualRate: number, { mediaMs, clockMs, frames }: Lag): boolean {
  const share = frames / clockMs / usualRate;
  return share > (1 + mediaMs / clockMs) / 2 && share <= mostShare;
}

/** Of a usual rate that no window comes near any more: so much of it stays. */
const keptShare = 0.9;

/** Some cameras leave pictures out for a thin line, with times that are right: taken for usual, these few would make the line's lag the clock's. */
const usualAfter = (usualRate: number | null, { frames, clockMs }: Lag): number => Math.max((usualRate ?? 0) * keptShare, frames / clockMs);

export function notePace(pace: Pace, mark: Mark): Pace {
  const { from } = pace;
  if (from === null) return { ...pace, from: mark };
  const clockMs = mark.monoMs - from.monoMs;
  if (clockMs < windowMs) return pace;
  const lag: Lag = { mediaMs: mark.mediaMs - from.mediaMs, clockMs, frames: mark.frames - from.frames };
  const share = lag.mediaMs / clockMs;
  if (share >= trueShare) return { ...pace, from: mark, isTrue: true, usualRate: usualAfter(pace.usualRate, lag), isStarved: false };
  if (share >= starvedShare) return { ...pace, from: mark, isStarved: false };
  const isBehind = fellBehind(pace, lag);
  return { ...pace, from: mark, isTrue: isBehind, isStarved: isBehind };
}
