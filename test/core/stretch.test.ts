/** Joined files tell the ledger what the files alone tell it: same spans, same sums, same counts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeDating, plainDating } from "../../agent/core/dating.ts";
import { type History, spansOf, sumsOf } from "../../agent/core/ledger.ts";
import { type Piece, type See, stretchesOf } from "../../agent/core/stretch.ts";
import type { Span } from "../../agent/core/types.ts";

const piece = (startAt: number, endAt: number, more: Partial<Piece> = {}): Piece => ({
  ...{ startAt, endAt, bytes: 10, stream: "main", clock: "synced", ...more },
});
const handing = (pieces: readonly Piece[]) => (see: See) => {
  for (const { startAt, endAt, bytes, stream, clock } of pieces) see(startAt, endAt, bytes, stream, clock);
};
const join = (pieces: readonly Piece[], cuts: readonly number[] = []) => stretchesOf(handing(pieces), cuts, plainDating.toUtc);

/** A file after the one before it: adjoining, after a hole, or reaching back over it. Times so small that edges meet often. */
const next = fc.record({
  skip: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -8, max: 4 }) }),
  length: fc.integer({ min: 1, max: 6 }),
  bytes: fc.integer({ min: 1, max: 9 }),
  stream: fc.constantFrom("main" as const, "main" as const, "main" as const, "fallback" as const),
  clock: fc.constantFrom("synced" as const, "synced" as const, "synced" as const, "holdover" as const),
});
const beginAt = 1_000;

/** In the order in which the index gives them. */
const files = fc.array(next, { maxLength: 30 }).map((list) => {
  let at = beginAt;
  const pieces = list.map(({ skip, length, ...facts }): Piece => {
    const startAt = at + skip;
    at = startAt + length;
    return { ...facts, startAt, endAt: at };
  });
  return pieces.sort((a, b) => a.endAt - b.endAt);
});
const span = fc.record({ fromAt: fc.integer({ min: beginAt - 10, max: beginAt + 90 }), length: fc.integer({ min: 1, max: 60 }) });
const stretch = span.map(({ fromAt, length }) => ({ fromAt, toAt: fromAt + length, why: "x" }));
const boots = fc.array(
  fc.record({ up: fc.integer({ min: 1, max: 40 }), offsetMs: fc.integer({ min: -50, max: 50 }), synced: fc.boolean() }),
  { maxLength: 5 },
);

/** What the ledger has beside footage. */
const frame = fc.record({
  due: stretch,
  planned: fc.array(stretch, { maxLength: 3 }),
  deletions: fc.array(stretch, { maxLength: 3 }),
  unknowns: fc.array(stretch, { maxLength: 3 }),
  growing: fc.option(fc.integer({ min: 1, max: 20 })),
});

describe("for every index", () => {
  test("spans, counts, bytes and sums are those of the files one by one", () => {
    fc.assert(
      fc.property(files, frame, stretch, boots, (pieces, { growing, ...rest }, asked, list) => {
        let at = beginAt - 10;
        const { toUtc } = makeDating(
          list.map(({ up, offsetMs, synced }) => {
            const fromAt = at;
            at += up;
            return { fromAt, toAt: at - 1, offsetMs, synced };
          }),
        );
        const alone = pieces.map((one) => ({ ...one, startAt: toUtc(one.startAt), endAt: toUtc(one.endAt), segments: 1 }));
        const coveredAt = alone.reduce((reachedAt, { endAt }) => Math.max(reachedAt, endAt), beginAt);
        const open: History["open"] =
          growing === null ? null : { fromAt: coveredAt, toAt: coveredAt + growing, stream: "main", clock: "synced" };
        const cuts = [asked, rest.due, ...(open === null ? [] : [open]), ...rest.planned].flatMap(({ fromAt, toAt }: Span) => [
          fromAt,
          toAt,
        ]);
        const told = (segments: History["segments"]) => spansOf({ ...rest, open, gaps: [], segments }, asked);
        const joined = told(stretchesOf(handing(pieces), cuts, toUtc));
        expect(joined).toEqual(told(alone));
        expect(sumsOf(joined)).toEqual(sumsOf(told(alone)));
      }),
      { numRuns: 10_000 },
    );
  });

  test("stretches are in order, do not overlap, and never adjoin another of their kind but at a cut", () => {
    fc.assert(
      fc.property(files, fc.array(fc.integer({ min: beginAt, max: beginAt + 90 }), { maxLength: 4 }), (pieces, cuts) => {
        const found = join(pieces, cuts);
        for (const [i, here] of found.entries()) {
          const before = found[i - 1];
          expect(here.endAt).toBeGreaterThan(here.startAt);
          if (before === undefined) continue;
          expect(here.startAt).toBeGreaterThanOrEqual(before.endAt);
          const alike = here.startAt === before.endAt && here.stream === before.stream && here.clock === before.clock;
          if (alike) expect(cuts.some((at) => at > before.startAt && at < here.endAt)).toBe(true);
        }
      }),
    );
  });
});

describe("by hand", () => {
  test("files that adjoin are one; a hole, another stream, another clock begin the next", () => {
    expect(join([piece(0, 60), piece(60, 120), piece(121, 180)])).toEqual([
      { ...piece(0, 120), bytes: 20, segments: 2 },
      { ...piece(121, 180), segments: 1 },
    ]);
    expect(join([piece(0, 60), piece(60, 120, { stream: "fallback" })])).toHaveLength(2);
    expect(join([piece(0, 60), piece(60, 120, { clock: "unset" })])).toHaveLength(2);
  });

  test("overlapping time counts once, and a file within another not at all", () => {
    expect(join([piece(0, 60), piece(30, 90)])).toEqual([{ ...piece(0, 90), bytes: 20, segments: 2 }]);
    expect(join([piece(10, 20), piece(0, 60), piece(60, 90)])).toEqual([{ ...piece(0, 90), bytes: 20, segments: 2 }]);
  });

  test("a file over a cut stays alone", () => {
    const found = join([piece(0, 10), piece(10, 20), piece(20, 30), piece(30, 40), piece(40, 50)], [25]);
    expect(found.map(({ startAt, endAt, segments }) => [startAt, endAt, segments])).toEqual([
      [0, 20, 2],
      [20, 30, 1],
      [30, 50, 2],
    ]);
    expect(join([piece(0, 10), piece(10, 20)], [10])).toHaveLength(2);
  });
});
