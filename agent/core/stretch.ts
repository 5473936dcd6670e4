/** Files that adjoin, as one: a month of a camera is some forty thousand files and a few thousand stretches. Pure. */
import type { Segment, WallMs } from "./types.ts";

/** A closed file, as far as the ledger looks at it. */
export type Piece = Pick<Segment, "startAt" | "endAt" | "bytes" | "stream" | "clock">;
/** Footage without a break, of one stream and one trust in the clock. `segments`: how many files it is made of. */
export type Stretch = Piece & { readonly segments: number };

/**
 * Joins files that adjoin, none of them counted twice where they overlap; in order. `toUtc` reads their times.
 * Nothing is joined over a moment of `cuts`: whoever cuts the stretches there later counts files and bytes as if they stood alone.
 */
export function stretchesOf(pieces: readonly Piece[], cuts: readonly WallMs[], toUtc: (at: WallMs) => WallMs): readonly Stretch[] {
  const edges = [...cuts].sort((a, b) => a - b);
  const stretches: { -readonly [K in keyof Stretch]: Stretch[K] }[] = [];
  let last: (typeof stretches)[number] | undefined;
  let reachedAt = Number.NEGATIVE_INFINITY;
  let next = 0;
  for (const piece of inOrder(pieces, toUtc)) {
    const startAt = Math.max(toUtc(piece.startAt), reachedAt);
    const endAt = toUtc(piece.endAt);
    if (endAt <= startAt) continue;
    reachedAt = endAt;
    if (last !== undefined && last.endAt === startAt && isAlike(last, piece) && endAt <= (edges[next] ?? Number.POSITIVE_INFINITY)) {
      last.endAt = endAt;
      last.bytes += piece.bytes;
      last.segments += 1;
      continue;
    }
    while ((edges[next] ?? Number.POSITIVE_INFINITY) <= startAt) next += 1;
    last = { startAt, endAt, bytes: piece.bytes, segments: 1, stream: piece.stream, clock: piece.clock };
    stretches.push(last);
  }
  return stretches;
}

const isAlike = (a: Piece, b: Piece) => a.stream === b.stream && a.clock === b.clock;

/** By their begins. Read by their ends they are in order already, but for files that lie within others. */
function inOrder(pieces: readonly Piece[], toUtc: (at: WallMs) => WallMs): readonly Piece[] {
  const isSorted = pieces.every((piece, i) => i === 0 || piece.startAt >= (pieces[i - 1]?.startAt ?? 0));
  return isSorted ? pieces : [...pieces].sort((a, b) => toUtc(a.startAt) - toUtc(b.startAt));
}
