/** Files that adjoin, as one: a month of a camera is some forty thousand files and a few thousand stretches. Pure. */
import type { Segment, WallMs } from "./types.ts";

/** A closed file, as far as the ledger looks at it. */
export type Piece = Pick<Segment, "startAt" | "endAt" | "bytes" | "stream" | "clock">;
/** Footage without a break, of one stream and one trust in the clock. `segments`: how many files it is made of. */
export type Stretch = Piece & { readonly segments: number };
/** Takes one file. Not as an object: forty thousand of them would cost more than all the rest of a question. */
export type See = (
  startAt: Piece["startAt"],
  endAt: Piece["endAt"],
  bytes: Piece["bytes"],
  stream: Piece["stream"],
  clock: Piece["clock"],
) => void;

/**
 * Joins files that adjoin, none of them counted twice where they overlap; in order. `read` hands them over by their ends; it is asked a
 * second time where a file lies within another, which is rare. `toUtc` reads their times.
 * Nothing is joined over a moment of `cuts`: whoever cuts the stretches there later counts files and bytes as if they stood alone.
 */
export function stretchesOf(read: (see: See) => void, cuts: readonly WallMs[], toUtc: (at: WallMs) => WallMs): readonly Stretch[] {
  const joining = makeJoining(cuts);
  let inOrder = true;
  let [lastStartAt, lastEndAt, lastEndUtc] = [Number.NEGATIVE_INFINITY, Number.NaN, Number.NaN];
  read((startAt, endAt, bytes, stream, clock) => {
    inOrder &&= startAt >= lastStartAt;
    const startUtc = startAt === lastEndAt ? lastEndUtc : toUtc(startAt);
    const endUtc = toUtc(endAt);
    joining.see(startUtc, endUtc, bytes, stream, clock);
    lastStartAt = startAt;
    lastEndAt = endAt;
    lastEndUtc = endUtc;
  });
  return inOrder ? joining.stretches : sortedStretches(read, cuts, toUtc);
}

/** The same by their begins, whatever their ends. */
function sortedStretches(read: (see: See) => void, cuts: readonly WallMs[], toUtc: (at: WallMs) => WallMs): readonly Stretch[] {
  const pieces: Piece[] = [];
  read((startAt, endAt, bytes, stream, clock) => {
    pieces.push({ startAt: toUtc(startAt), endAt: toUtc(endAt), bytes, stream, clock });
  });
  const joining = makeJoining(cuts);
  for (const { startAt, endAt, bytes, stream, clock } of pieces.sort((a, b) => a.startAt - b.startAt))
    joining.see(startAt, endAt, bytes, stream, clock);
  return joining.stretches;
}

/** Takes files by their begins. */
function makeJoining(cuts: readonly WallMs[]): { readonly see: See; readonly stretches: readonly Stretch[] } {
  const edges = [...cuts, Number.POSITIVE_INFINITY].sort((a, b) => a - b);
  const stretches: { -readonly [K in keyof Stretch]: Stretch[K] }[] = [];
  let last: (typeof stretches)[number] | undefined;
  let reachedAt = Number.NEGATIVE_INFINITY;
  /** The first edge after the begin of `last`. */
  let edgeAt = reachedAt;
  let next = 0;
  const see: See = (fileAt, endAt, bytes, stream, clock) => {
    const startAt = Math.max(fileAt, reachedAt);
    if (endAt <= startAt) return;
    reachedAt = endAt;
    if (last?.endAt === startAt && last.stream === stream && last.clock === clock && endAt <= edgeAt) {
      last.endAt = endAt;
      last.bytes += bytes;
      last.segments += 1;
      return;
    }
    while (edgeAt <= startAt) edgeAt = edges[next++] ?? edgeAt;
    last = { startAt, endAt, bytes, segments: 1, stream, clock };
    stretches.push(last);
  };
  return { see, stretches };
}
