/** Memory's bound while the database takes nothing: what is true stays true, whatever goes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Change, Moment, Write } from "../../agent/core/change.ts";
import { lossEvent, makeRoom, nothingLost } from "../../agent/core/overflow.ts";
import type { Claim, Span } from "../../agent/core/types.ts";

const moment: Moment = { at: 0, monoMs: 0, clock: "synced" };
const claim: Claim = { scope: "site", blame: { cause: "unknown", sure: "unknown", evidence: [] } };
const event = (type: Extract<Write, { put: "event" }>["type"]): Write => ({ put: "event", moment, type, level: "info", data: {} });
const condition = (value: string): Write => ({ put: "condition", subject: "disk", condition: { value, sinceAt: 0, evidence: [] } });
const segment = (camera: string, startAt: number, endAt: number): Write => ({
  put: "segment",
  segment: {
    ...{ camera, run: 1, number: startAt, startAt, endAt, bytes: 1, sha256: "", stream: "main", clock: "synced", torn: false, namedMs: 0 },
  },
});

test("goes in the order of weight: what is only current, then events, files, gaps; the oldest first and never the newest", () => {
  const gap: Change = [{ put: "gap-opened", camera: "c", fromAt: 1, claim, fault: 1 }, event("gap.opened")];
  const waiting: Change[] = [gap, [segment("c", 1, 2)], [event("footage.deleted")], [condition("full")], [event("run.started")]];
  const after = (most: number) => makeRoom(waiting, most, nothingLost);
  expect(after(5)).toEqual({ waiting, lost: nothingLost });
  expect(after(4).waiting.map((change) => change.at(-1))).toEqual([1, 2, 3, 5].map((n) => waiting[n - 1]?.at(-1)));
  expect(after(3).lost).toEqual({ changes: 2, byWrite: { event: 1 }, byType: { "footage.deleted": 1 } });
  expect(after(2).lost.byWrite).toEqual({ event: 1, segment: 1 });
  expect(after(1).waiting.flat().at(-1)).toEqual(event("run.started"));
  expect(after(0).waiting).toEqual(after(1).waiting);
  expect(lossEvent(after(1).lost, moment)).toMatchObject({
    ...{ put: "event", type: "journal.dropped", level: "alarm" },
    data: {
      from: null,
      to: null,
      count: 2,
      byType: { "footage.deleted": 1, "gap.opened": 1 },
      changes: 4,
      reason: "the state disk took nothing",
    },
  });
});

/** What the tables would hold. Throws where they would refuse, as for a second open gap. */
function written(changes: readonly Change[]) {
  const state = {
    open: new Map<string, number>(),
    covered: new Map<string, number>(),
    disk: "",
    told: [] as string[],
    spans: [] as (Span & { camera: string })[],
  };
  for (const write of changes.flat()) {
    if (write.put === "event") state.told.push(write.type);
    if (write.put === "condition") state.disk = write.condition.value;
    if (write.put === "page") state.covered.set(write.camera, write.coveredAt);
    if (write.put === "segment")
      state.spans.push({ camera: write.segment.camera, fromAt: write.segment.startAt, toAt: write.segment.endAt });
    if (write.put === "unknown") state.spans.push(write);
    if (write.put === "gap-opened") {
      if (state.open.has(write.camera)) throw new Error("two gaps of one camera are open");
      state.open.set(write.camera, write.fromAt);
    }
    if (write.put === "gap-closed") {
      const fromAt = state.open.get(write.camera);
      if (fromAt !== undefined) state.spans.push({ camera: write.camera, fromAt, toAt: write.toAt });
      state.open.delete(write.camera);
    }
  }
  return state;
}

/** A camera's history, one deed a change: files and holes that adjoin. */
function historyOf(deeds: readonly { camera: string; deed: "file" | "hole" | "condition" }[]): Change[] {
  const open = new Map<string, number>();
  return deeds.map(({ camera, deed }, i) => {
    const at = (i + 1) * 10;
    const page: Write = { put: "page", camera, sinceAt: 0, coveredAt: at };
    if (deed === "condition") return [condition(String(i))];
    const fromAt = open.get(camera);
    if (deed === "hole" && fromAt === undefined) {
      open.set(camera, at);
      return [{ put: "gap-opened", camera, fromAt: at, claim, fault: i }, event("gap.opened")];
    }
    if (deed === "hole") return [{ put: "gap-blamed", camera, claim, fault: i }];
    open.delete(camera);
    const closed: Change = fromAt === undefined ? [] : [{ put: "gap-closed", camera, toAt: at, claim, fault: i }, event("gap.closed")];
    return [...closed, segment(camera, at, at + 1), page];
  });
}

test("whatever goes: tables take the rest, what is current is right, no stretch vanishes, every event is there or counted", () => {
  const deed = fc.record({ camera: fc.constantFrom("a", "b"), deed: fc.constantFrom("file", "hole", "condition") });
  fc.assert(
    fc.property(fc.array(deed, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (deeds, most) => {
      const history = historyOf(deeds);
      let now: ReturnType<typeof makeRoom> = { waiting: [], lost: nothingLost };
      for (const change of history) now = makeRoom([...now.waiting, change], most, now.lost);
      expect(now.waiting.length).toBeLessThanOrEqual(most);
      const truth = written(history);
      const after = written(now.waiting);
      expect(after.open).toEqual(truth.open);
      expect(after.covered).toEqual(truth.covered);
      expect(after.disk).toBe(truth.disk);
      for (const span of truth.spans)
        expect(after.spans.some((known) => known.camera === span.camera && known.fromAt <= span.fromAt && known.toAt >= span.toAt)).toBe(
          true,
        );
      expect(after.told.length + Object.values(now.lost.byType).reduce((sum, n) => sum + n, 0)).toBe(truth.told.length);
      // What stays in memory is bounded however much went: a change's own writes (5), and eight kinds of each of the two cameras' that moved on to it.
      expect(now.waiting.flat().length).toBeLessThanOrEqual(most * (5 + 2 * 8));
    }),
    { numRuns: 2_000 },
  );
});
