/** The ledger's law for arbitrary histories, and its edges by hand. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Change, Moment } from "../../agent/core/change.ts";
import { type DatedBoot, makeDating } from "../../agent/core/dating.ts";
import {
  answerOf,
  graceMs,
  type History,
  isUndue,
  type LedgerSpan,
  type Numbering,
  onSegment,
  onTick,
  openGap,
  type Page,
  reblame,
  settleMs,
  spansOf,
  splitByPlan,
  splitGap,
  sumsOf,
  union,
} from "../../agent/core/ledger.ts";
import { type Faults, joinFault } from "../../agent/core/numbering.ts";
import type { Cause, Claim, Gap, Segment, Span, Sure } from "../../agent/core/types.ts";

const claim = (scope: string, cause: Cause, sure: Sure, evidence: readonly string[]): Claim => ({
  scope,
  blame: { cause, sure, evidence },
});
const camera = claim("camera c", "camera", "inferred", ["stalled", "port-answers"]);
const unknown = claim("camera c", "unknown", "unknown", ["no-frame-yet"]);
const disk = claim("disk", "disk", "sensed", ["disk-full"]);
const house = claim("house h", "house-power", "inferred", ["router-silent"]);
const box = claim("box", "box", "inferred", ["same-boot"]);
/** Numbers faults as the books do. */
function numbering(): Numbering {
  let faults: Faults = { last: 0, recent: [] };
  return (scope, span) => {
    const joined = joinFault(faults, scope, span);
    faults = joined.faults;
    return joined.number;
  };
}
const moment = (at: number): Moment => ({ at, monoMs: at, clock: "synced" });
const empty: Page = { camera: "c", sinceAt: null, coveredAt: null, gap: null };
const segment = (startAt: number, endAt: number, number = 1): Segment => ({
  ...{ camera: "c", run: 1, number, startAt, endAt, bytes: 10, sha256: "00", stream: "main", clock: "synced", torn: false, namedMs: 0 },
});

/** What the tables would hold after the changes. */
type Tables = { segments: Segment[]; gaps: Gap[]; events: string[] };

function apply(tables: Tables, change: Change): void {
  for (const write of change) {
    if (write.put === "segment") tables.segments.push(write.segment);
    if (write.put === "event") tables.events.push(write.type);
    if (write.put === "gap-opened") {
      expect(
        tables.gaps.some((gap) => gap.toAt === null),
        "two open gaps",
      ).toBe(false);
      tables.gaps.push({
        id: tables.gaps.length + 1,
        camera: "c",
        fromAt: write.fromAt,
        toAt: null,
        blame: write.claim.blame,
        fault: write.fault,
      });
    }
    if (write.put === "gap-blamed") {
      const open = tables.gaps.findIndex((gap) => gap.toAt === null);
      const gap = tables.gaps[open];
      if (gap === undefined) throw new Error("blamed a gap that was not open");
      tables.gaps[open] = { ...gap, blame: write.claim.blame, fault: write.fault };
    }
    if (write.put === "gap-closed") {
      const open = tables.gaps.findIndex((gap) => gap.toAt === null);
      const gap = tables.gaps[open];
      if (gap === undefined) throw new Error("closed a gap that was not open");
      expect(write.toAt).toBeGreaterThanOrEqual(gap.fromAt);
      if (write.toAt === gap.fromAt) tables.gaps.splice(open, 1);
      else tables.gaps[open] = { ...gap, toAt: write.toAt, blame: write.claim.blame, fault: write.fault };
    }
  }
}

type Step =
  | { readonly kind: "footage"; readonly ms: number; readonly skipMs: number }
  | { readonly kind: "late"; readonly backMs: number; readonly ms: number }
  | { readonly kind: "silence"; readonly ms: number; readonly claim: Claim }
  | { readonly kind: "reblame"; readonly claim: Claim }
  | { readonly kind: "restart"; readonly ms: number }
  | { readonly kind: "split"; readonly backMs: number };

const length = fc.integer({ min: 1, max: 120_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("footage" as const), ms: length, skipMs: fc.integer({ min: 0, max: 20_000 }) }),
  fc.record({ kind: fc.constant("late" as const), backMs: length, ms: length }),
  fc.record({ kind: fc.constant("silence" as const), ms: length, claim: fc.constantFrom(camera, unknown, disk, house) }),
  fc.record({ kind: fc.constant("reblame" as const), claim: fc.constantFrom(camera, house, box) }),
  fc.record({ kind: fc.constant("restart" as const), ms: length }),
  fc.record({ kind: fc.constant("split" as const), backMs: length }),
);

/** Plays a history second by second through the rules, as the loops do. */
function play(steps: readonly Step[]): { readonly page: Page; readonly tables: Tables; readonly nowAt: number } {
  const tables: Tables = { segments: [], gaps: [], events: [] };
  const number = numbering();
  let page: Page = { ...empty, sinceAt: 1_000_000, coveredAt: 1_000_000 };
  let nowAt = 1_000_000;
  const turn = ({ page: next, change }: { page: Page; change: Change }) => {
    apply(tables, change);
    page = next;
  };
  for (const [i, s] of steps.entries()) {
    if (s.kind === "footage") {
      const startAt = Math.max(nowAt + s.skipMs, page.coveredAt ?? 0);
      nowAt = Math.max(nowAt, startAt + s.ms);
      turn(onSegment(page, segment(startAt, startAt + s.ms, i), camera, moment(nowAt), number));
    }
    if (s.kind === "late") {
      const startAt = Math.max(page.coveredAt ?? 0, nowAt - s.backMs);
      const endAt = Math.max(startAt + 1, Math.min(nowAt, startAt + s.ms));
      nowAt = Math.max(nowAt, endAt);
      turn(onSegment(page, segment(startAt, endAt, i), unknown, moment(nowAt), number));
    }
    if (s.kind === "silence") {
      nowAt += s.ms;
      turn(onTick(page, nowAt, false, s.claim, moment(nowAt), number));
    }
    if (s.kind === "reblame") turn(reblame(page, s.claim, number));
    if (s.kind === "restart") {
      nowAt += s.ms;
      turn(openGap(page, box, moment(nowAt), number));
    }
    if (s.kind === "split") turn(splitGap(page, Math.min(nowAt, nowAt - s.backMs), moment(nowAt)));
  }
  return { page, tables, nowAt };
}

/** Files that nobody has joined. */
const alone = (segments: readonly Segment[]) => segments.map((s) => ({ ...s, segments: 1 }));

const history = (tables: Tables, due: Span, more: Partial<History> = {}): History => ({
  ...{ due, segments: alone(tables.segments), open: null, gaps: tables.gaps, planned: [], deletions: [], unknowns: [], ...more },
});

function expectCovered(spans: readonly LedgerSpan[], window: Span): void {
  let reachedAt = window.fromAt;
  for (const span of spans) {
    expect(span.fromAt).toBe(reachedAt);
    expect(span.toAt).toBeGreaterThan(span.fromAt);
    reachedAt = span.toAt;
  }
  expect(reachedAt).toBe(window.toAt);
}

const windows = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));

describe("for every history", () => {
  test("footage and gaps cover the time up to the page's end without overlap, to the millisecond", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { page, tables } = play(steps);
        const due = { fromAt: 1_000_000, toAt: page.coveredAt ?? 0 };
        if (due.toAt <= due.fromAt) return;
        const spans = spansOf(history(tables, due), due);
        expectCovered(spans, due);
        const sums = sumsOf(spans);
        expect(sums.unknownMs).toBe(0);
        expect(sums.recordedMs + sums.gapMs).toBe(due.toAt - due.fromAt);
        expect(sums.recordedMs).toBe(tables.segments.reduce((ms, s) => ms + s.endAt - s.startAt, 0));
      }),
      { numRuns: 10_000 },
    );
  });

  test("any window adds up, whatever was deleted, planned or unknown in it", () => {
    const extra = fc.array(fc.record({ fromAt: fc.integer({ min: 900_000, max: 3_000_000 }), ms: length }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), windows, extra, extra, extra, (steps, [a, b], deletions, planned, unknowns) => {
        const { tables, nowAt } = play(steps);
        const due = { fromAt: 1_000_000, toAt: nowAt + 1 };
        const at = (share: number) => Math.round(900_000 + share * (nowAt + 200_000 - 900_000));
        const asked = { fromAt: Math.min(at(a), at(b)), toAt: Math.max(at(a), at(b)) };
        const within = { fromAt: Math.max(asked.fromAt, due.fromAt), toAt: Math.min(asked.toAt, due.toAt) };
        const span = ({ fromAt, ms }: { fromAt: number; ms: number }) => ({ fromAt, toAt: fromAt + ms, why: "x" });
        const more = { deletions: deletions.map(span), planned: planned.map(span), unknowns: unknowns.map(span) };
        const all = spansOf(history(tables, due, more), asked);
        const spans = all.filter((span) => !isUndue(span));
        if (within.fromAt >= within.toAt) {
          expect(spans).toEqual([]);
          return;
        }
        expectCovered(spans, within);
        const sums = sumsOf(all);
        expect(sums.recordedMs + sums.gapMs + sums.unknownMs + sums.deletedMs).toBe(sums.dueMs);
        expect(sums.dueMs + sums.plannedMs).toBe(within.toAt - within.fromAt);
      }),
      { numRuns: 10_000 },
    );
  });

  test("clocks that step between runs change no sum's law, make no overlap and no negative span", () => {
    const boots = fc.array(
      fc.record({
        upMs: fc.integer({ min: 1_000, max: 600_000 }),
        offsetMs: fc.integer({ min: -3_000_000, max: 3_000_000 }),
        synced: fc.boolean(),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), boots, (steps, list) => {
        const { tables, nowAt } = play(steps);
        let at = 1_000_000;
        const dated: DatedBoot[] = list.map(({ upMs, offsetMs, synced }) => {
          const fromAt = at;
          at += upMs;
          return { fromAt, toAt: at - 1, offsetMs, synced };
        });
        const { toUtc } = makeDating(dated);
        const due = { fromAt: toUtc(1_000_000), toAt: toUtc(nowAt + 1) };
        if (due.toAt <= due.fromAt) return;
        const read: History = {
          ...{ due, open: null, planned: [], deletions: [], unknowns: [] },
          segments: alone(tables.segments).map((s) => ({ ...s, startAt: toUtc(s.startAt), endAt: toUtc(s.endAt) })),
          gaps: tables.gaps.map((gap) => ({ ...gap, fromAt: toUtc(gap.fromAt), toAt: gap.toAt === null ? null : toUtc(gap.toAt) })),
        };
        const spans = spansOf(read, due);
        expectCovered(spans, due);
        const sums = sumsOf(spans);
        expect(sums.recordedMs + sums.gapMs + sums.unknownMs + sums.deletedMs).toBe(sums.dueMs);
        expect(sums.recordedMs).toBe(read.segments.reduce((ms, s) => ms + s.endAt - s.startAt, 0));
      }),
      { numRuns: 10_000 },
    );
  });

  test("each gap that stays has one event at its end, and never more than one gap is open", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { tables, page } = play(steps);
        expect(tables.gaps.filter((gap) => gap.toAt === null)).toHaveLength(page.gap === null ? 0 : 1);
        const closed = tables.gaps.filter((gap) => gap.toAt !== null).length;
        expect(tables.events.filter((type) => type === "gap.closed").length).toBeGreaterThanOrEqual(closed);
      }),
    );
  });
});

describe("by hand", () => {
  test("due time begins with the first footage where hand-over is not set", () => {
    const { page, change } = onSegment(empty, segment(5_000, 65_000), camera, moment(65_000), numbering());
    expect(page).toEqual({ camera: "c", sinceAt: 5_000, coveredAt: 65_000, gap: null });
    expect(change.map((write) => write.put)).toEqual(["segment", "page"]);
  });

  test("the time after the last frame is no gap until the grace is over, nor while a file grows", () => {
    const page: Page = { ...empty, sinceAt: 0, coveredAt: 100_000 };
    const tick = (nowAt: number, writing: boolean) => onTick(page, nowAt, writing, camera, moment(0), numbering());
    expect(tick(100_000 + graceMs, false).change).toEqual([]);
    expect(tick(300_000, true).change).toEqual([]);
    expect(tick(100_001 + graceMs, false).page.gap).toEqual({ fromAt: 100_000, claim: camera, told: "camera", fault: 1 });
  });

  test("better evidence is kept, and the event says from what to what", () => {
    const number = numbering();
    const opened = openGap({ ...empty, sinceAt: 0, coveredAt: 10_000 }, unknown, moment(30_000), number).page;
    const known = onTick(opened, 70_000, false, camera, moment(70_000), number);
    expect(known.change).toEqual([{ put: "gap-blamed", camera: "c", claim: camera, fault: 1 }]);
    const closed = onSegment(known.page, segment(80_000, 90_000), unknown, moment(90_000), number);
    expect(closed.change.find((write) => write.put === "gap-closed")).toMatchObject({ toAt: 80_000, claim: camera });
    const direct = onSegment(opened, segment(50_000, 60_000), disk, moment(60_000), number);
    expect(direct.change.find((write) => write.put === "event")).toMatchObject({
      data: { cause: "disk", was: "unknown", durationMs: 40_000 },
    });
  });

  test("until the witnesses are heard a wider claim counts, never a narrower one; afterwards an equal one changes nothing", () => {
    const number = numbering();
    const opened = openGap({ ...empty, sinceAt: 0, coveredAt: 10_000 }, camera, moment(20_000), number).page;
    const early = onTick(opened, 10_000 + settleMs, false, house, moment(0), number).page;
    expect(early.gap).toMatchObject({ claim: house, told: "camera", fault: 2 });
    expect(onTick(early, 20_000, false, camera, moment(0), number)).toEqual({ page: early, change: [] });
    expect(onTick(opened, 10_001 + settleMs, false, house, moment(0), number)).toEqual({ page: opened, change: [] });
  });

  test("what of a gap lies in a stop on purpose is told as planned", () => {
    const gap: Gap = { id: 1, camera: "c", fromAt: 10, toAt: null, blame: camera.blame, fault: 4 };
    const parts = splitByPlan(gap, [{ fromAt: 20, toAt: 30, why: "thay nguồn" }], 50);
    expect(parts.map(({ fromAt, toAt, blame }) => [fromAt, toAt, blame.cause])).toEqual([
      [10, 20, "camera"],
      [20, 30, "planned"],
      [30, null, "camera"],
    ]);
    expect(splitByPlan(gap, [], 50)).toEqual([gap]);
  });

  test("footage from before hand-over is there, and counts nowhere", () => {
    const due = { fromAt: 60_000, toAt: 100_000 };
    const asked = { fromAt: 0, toAt: 100_000 };
    const spans = spansOf(history({ segments: [segment(20_000, 100_000)], gaps: [], events: [] }, due), asked);
    expect(spans.map(({ fromAt, toAt }) => [fromAt, toAt])).toEqual([
      [20_000, 60_000],
      [60_000, 100_000],
    ]);
    expect(sumsOf(spans)).toMatchObject({ dueMs: 40_000, recordedMs: 40_000, plannedMs: 0 });
    expect(answerOf(spans, { fromAt: 20_000, toAt: 100_000 })).toBe("yes");
    expect(spansOf({ ...history({ segments: [segment(0, 9_000)], gaps: [], events: [] }, due), due: null }, asked)).toHaveLength(1);
  });

  test("footage made in a stop on purpose is there but was not due", () => {
    const due = { fromAt: 0, toAt: 100_000 };
    const planned = [{ fromAt: 20_000, toAt: 50_000, why: "x" }];
    const spans = spansOf(history({ segments: [segment(0, 40_000)], gaps: [], events: [] }, due, { planned }), due);
    expect(sumsOf(spans)).toMatchObject({ dueMs: 70_000, recordedMs: 20_000, plannedMs: 30_000, unknownMs: 50_000 });
    expect(answerOf(spans, { fromAt: 0, toAt: 40_000 })).toBe("yes");
  });

  test("a file that reaches back into an open gap leaves no gap of no length", () => {
    const opened = openGap({ ...empty, sinceAt: 0, coveredAt: 10_000 }, camera, moment(30_000), numbering());
    const tables: Tables = { segments: [], gaps: [], events: [] };
    apply(tables, opened.change);
    apply(tables, onSegment(opened.page, segment(10_000, 40_000), camera, moment(40_000), numbering()).change);
    expect(tables.gaps).toEqual([]);
  });

  test("a file from before a hole that is settled late leaves the hole and its cause", () => {
    const number = numbering();
    const opened = openGap({ ...empty, sinceAt: 0, coveredAt: 10_000 }, disk, moment(30_000), number).page;
    const before = onSegment(opened, segment(4_000, 10_000), camera, moment(60_000), number);
    expect(before).toEqual({ page: opened, change: [{ put: "segment", segment: segment(4_000, 10_000) }] });
    const into = onSegment(opened, segment(10_000, 14_000), camera, moment(60_000), number);
    expect(into.page).toMatchObject({ coveredAt: 14_000, gap: { fromAt: 14_000, claim: disk, fault: 1 } });
    const tables: Tables = { segments: [], gaps: [], events: [] };
    apply(tables, openGap({ ...empty, sinceAt: 0, coveredAt: 10_000 }, disk, moment(30_000), numbering()).change);
    apply(tables, into.change);
    expect(tables.gaps).toMatchObject([{ fromAt: 14_000, toAt: null, blame: disk.blame, fault: 1 }]);
  });

  test("overlapping footage is counted once, and footage that was since deleted counts as deleted", () => {
    const tables: Tables = { segments: [segment(0, 60_000), segment(30_000, 90_000, 2)], gaps: [], events: [] };
    const due = { fromAt: 0, toAt: 120_000 };
    const deletions = [{ fromAt: 90_000, toAt: 120_000, why: "age" }];
    expect(sumsOf(spansOf(history(tables, due, { deletions }), due))).toMatchObject({
      recordedMs: 90_000,
      deletedMs: 30_000,
      dueMs: 120_000,
    });
  });

  test("segments that adjoin are one span", () => {
    const tables: Tables = { segments: [segment(0, 60_000), segment(60_000, 120_000, 2)], gaps: [], events: [] };
    const due = { fromAt: 0, toAt: 120_000 };
    expect(spansOf(history(tables, due), due)).toEqual([
      { kind: "footage", fromAt: 0, toAt: 120_000, segments: 2, bytes: 20, stream: "main", clock: "synced" },
    ]);
  });

  test("the open file is footage up to its last frame", () => {
    const due = { fromAt: 0, toAt: 50_000 };
    const open = { fromAt: 40_000, toAt: 50_000, stream: "main", clock: "synced" };
    const tables: Tables = { segments: [segment(0, 40_000)], gaps: [], events: [] };
    expect(sumsOf(spansOf(history(tables, due, { open }), due)).recordedMs).toBe(50_000);
  });

  test("what nobody accounts for is said to be unknown", () => {
    const due = { fromAt: 0, toAt: 10_000 };
    expect(spansOf(history({ segments: [], gaps: [], events: [] }, due), due)).toEqual([
      { kind: "unknown", fromAt: 0, toAt: 10_000, why: "not accounted for" },
    ]);
  });

  const footage: LedgerSpan = { kind: "footage", fromAt: 0, toAt: 10, segments: 1, bytes: 1, stream: "main", clock: "synced" };
  const gap: LedgerSpan = { kind: "gap", fromAt: 10, toAt: 20, cause: "camera", sure: "inferred", evidence: [] };
  const lost: LedgerSpan = { kind: "unknown", fromAt: 10, toAt: 20, why: "journal reset" };
  test.each([
    ["yes", [footage], { fromAt: 0, toAt: 10 }],
    ["partial", [footage, gap], { fromAt: 0, toAt: 20 }],
    ["no", [gap], { fromAt: 10, toAt: 20 }],
    ["no", [], { fromAt: 0, toAt: 20 }],
    ["unknown", [footage, lost], { fromAt: 0, toAt: 20 }],
    ["unknown", [lost], { fromAt: 10, toAt: 20 }],
    ["unknown", [gap, { ...lost, fromAt: 20, toAt: 30 }], { fromAt: 10, toAt: 30 }],
    ["partial", [footage, gap, { ...lost, fromAt: 20, toAt: 30 }], { fromAt: 0, toAt: 30 }],
  ] as const)("the answer is %s", (answer, spans, asked) => {
    expect(answerOf(spans, asked)).toBe(answer);
  });
});

test.each([
  ["nothing", [], []],
  [
    "one within another",
    [
      [0, 9],
      [2, 3],
    ],
    [[0, 9]],
  ],
  [
    "they adjoin",
    [
      [0, 2],
      [2, 3],
    ],
    [[0, 3]],
  ],
  [
    "they overlap and are out of order",
    [
      [2, 5],
      [0, 3],
    ],
    [[0, 5]],
  ],
  [
    "they lie apart",
    [
      [4, 5],
      [0, 3],
    ],
    [
      [0, 3],
      [4, 5],
    ],
  ],
] as const)("spans made one: %s", (_, given, expected) => {
  const spansIn = (pairs: readonly (readonly [number, number])[]) => pairs.map(([fromAt, toAt]) => ({ fromAt, toAt }));
  expect(union(spansIn(given))).toEqual(spansIn(expected));
});
