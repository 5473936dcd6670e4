/** What the store answers is what its rows say, whichever way it finds them; and it finds them by an index. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Write } from "../../agent/core/change.ts";
import type { Piece } from "../../agent/core/stretch.ts";
import type { EventType, Span } from "../../agent/core/types.ts";
import { openReader, openWriter } from "../../agent/store/database.ts";
import { makeReads, type Reads } from "../../agent/store/reads.ts";
import { openStore } from "../../agent/store/store.ts";
import { tempFolder } from "../lib/temp.ts";

const endAt = 10_000_000;
const state = tempFolder("reads");

/** Numbers without a pattern that come out the same every time. */
function dice(seed: number): (faces: number) => number {
  let value = seed;
  return (faces) => {
    value = (value * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((value / 2_147_483_648) * faces);
  };
}

/** A camera's rows as a rebuilt index may have them: files that adjoin or begin a second before the one before ended, and holes with gaps. */
function rowsOf(camera: string, roll: (faces: number) => number): Write[] {
  const writes: Write[] = [];
  let number = 0;
  for (let at = 1_000_000; at < endAt; ) {
    number += 1;
    const startAt = roll(5) < 3 ? at : at - 1_000;
    const toAt = at + 1 + roll(120_000);
    const facts = { camera, run: 1, number, startAt, endAt: toAt, bytes: 1 + roll(100), sha256: "ab".repeat(32), namedMs: 0 };
    const stream = roll(9) === 0 ? "fallback" : "main";
    writes.push({ put: "segment", segment: { ...facts, stream, clock: roll(9) === 0 ? "holdover" : "synced", torn: roll(9) === 0 } });
    at = toAt;
    if (roll(4) > 0) continue;
    at += 1 + roll(200_000);
    const scope = `camera ${camera}`;
    const claim = { scope, blame: { cause: "camera", sure: "inferred", evidence: [`code ${roll(3)}`] } } as const;
    writes.push({ put: "gap-opened", camera, fromAt: toAt, claim, fault: number });
    if (at < endAt) writes.push({ put: "gap-closed", camera, toAt: at, claim, fault: number });
  }
  return writes;
}

const types: readonly EventType[] = ["camera.changed", "disk.changed", "run.started"];

function fill(): void {
  const roll = dice(7);
  const store = openStore(state);
  store.begin({ bootId: "boot", wallMs: 1_000_000, monoMs: 0, clock: "synced", version: "test", above: 0 });
  for (const camera of ["a", "b", "c"]) store.commit(rowsOf(camera, roll));
  store.commit([{ put: "doom", segments: Array.from({ length: 60 }, () => 1 + roll(300)), why: "age", at: endAt }]);
  for (let i = 0; i < 300; i += 1) {
    const data: { camera?: string } = i % 3 === 0 ? {} : { camera: ["a", "b"][i % 2] ?? "" };
    const type = types[roll(types.length)] ?? "run.started";
    store.commit([{ put: "event", moment: { at: roll(endAt), monoMs: 0, clock: "synced" }, type, level: "info", data }]);
  }
  store.close();
}
fill();

const db = openReader(state);
if (db === null) throw new Error("no store");
const reads = makeReads(db);
const everything: Span = { fromAt: 0, toAt: 2 * endAt };
const filesOf = (camera: string, span: Span): readonly Piece[] => {
  const found: Piece[] = [];
  reads.files(camera, span, (startAt, toAt, bytes, stream, clock) => found.push({ startAt, endAt: toAt, bytes, stream, clock }));
  return found;
};
const spans = fc
  .record({ fromAt: fc.integer({ min: 900_000, max: endAt + 300_000 }), ms: fc.integer({ min: 1, max: 2_000_000 }) })
  .map(({ fromAt, ms }): Span => ({ fromAt, toAt: fromAt + ms }));
const cameras = fc.constantFrom("a", "b", "c");

test("a span's files, gaps and deletions are those of all that touch it", () => {
  const all = (camera: string) => ({
    files: filesOf(camera, everything),
    gaps: reads.gaps(camera, everything),
    deletions: reads.deletions(camera, everything),
  });
  const known = { a: all("a"), b: all("b"), c: all("c") };
  expect(known.a.gaps.length).toBeGreaterThan(10);
  expect(known.b.files.length).toBeGreaterThan(50);
  expect(known.c.deletions.length).toBeGreaterThan(5);
  expect(known.a.gaps.at(-1)?.toAt, "one of them lasts").toBeNull();
  fc.assert(
    fc.property(cameras, spans, (camera, span) => {
      const touches = (fromAt: number, toAt: number) => fromAt < span.toAt && toAt > span.fromAt;
      const { files, gaps, deletions } = known[camera];
      expect(filesOf(camera, span)).toEqual(files.filter((file) => touches(file.startAt, file.endAt)));
      expect(reads.gaps(camera, span)).toEqual(gaps.filter((gap) => touches(gap.fromAt, gap.toAt ?? Number.POSITIVE_INFINITY)));
      expect(reads.deletions(camera, span)).toEqual(deletions.filter((row) => touches(row.fromAt, row.toAt)));
    }),
    { numRuns: 2_000 },
  );
});

test("gaps of all cameras are those of each, oldest first", () => {
  fc.assert(
    fc.property(spans, (span) => {
      const each = ["a", "b", "c"].flatMap((camera) => reads.gaps(camera, span));
      expect(reads.gaps(null, span)).toEqual([...each].sort((a, b) => a.fromAt - b.fromAt || a.id - b.id));
    }),
  );
  expect(reads.gaps("nobody", everything)).toEqual([]);
});

test("events of some types name the camera or none", () => {
  const all = reads.events({ ...everything, type: null, afterG: 0, limit: 1_000 });
  fc.assert(
    fc.property(cameras, spans, fc.subarray([...types]), (camera, span, some) => {
      const wanted = all.filter(
        ({ at, type, data }) =>
          at >= span.fromAt && at < span.toAt && some.includes(type) && (data.camera === undefined || data.camera === camera),
      );
      expect(reads.eventsOf(camera, some, span, 1_000)).toEqual(wanted);
      expect(reads.eventsOf(camera, some, span, 3)).toEqual(wanted.slice(0, 3));
    }),
  );
});

/** How SQLite would find the rows of each statement that a question makes. */
function plansOf(question: (reads: Reads) => unknown): readonly string[] {
  const own = openWriter(tempFolder("plans"));
  const texts: string[] = [];
  const prepare = own.prepare.bind(own);
  own.prepare = ((text: string) => {
    texts.push(text);
    return prepare(text);
  }) as typeof own.prepare;
  question(makeReads(own));
  const plans = texts.flatMap((text) => {
    const nothing = Array.from({ length: text.split("?").length - 1 }, () => null);
    return (prepare(`EXPLAIN QUERY PLAN ${text}`).all(...nothing) as { detail: string }[]).map(({ detail }) => detail);
  });
  own.close();
  return plans;
}

const month: Span = { fromAt: 0, toAt: 1 };
test.each<[name: string, question: (reads: Reads) => unknown, by: string]>([
  ["files", (r) => r.files("c", month, () => undefined), "SEARCH s USING COVERING INDEX segment_time (camera=? AND end_at>? AND end_at<?)"],
  ["gaps of a camera", (r) => r.gaps("c", month), "SEARCH g USING INDEX gap_time (camera=? AND from_at>? AND from_at<?)"],
  ["gaps of all", (r) => r.gaps(null, month), "SEARCH g USING INDEX gap_time (camera=? AND from_at>? AND from_at<?)"],
  ["deletions", (r) => r.deletions("c", month), "SEARCH deletion USING INDEX deletion_time (camera=? AND to_at>?)"],
  ["unknowns", (r) => r.unknowns("c", month), "SEARCH unknown USING INDEX unknown_time (camera=? AND from_at<?)"],
  ["totals", (r) => r.totals(), "SCAN segment USING COVERING INDEX segment_time"],
  ["bytesSince", (r) => r.bytesSince(0), "SEARCH s USING COVERING INDEX segment_time (camera=? AND end_at>?)"],
  ["oldestStartAt", (r) => r.oldestStartAt("c"), "SEARCH s USING COVERING INDEX segment_time (camera=?)"],
  ["oldestFreeStartAt", (r) => r.oldestFreeStartAt("c"), "SEARCH s USING COVERING INDEX segment_time (camera=?)"],
  ["a camera's events", (r) => r.eventsOf("c", types, month, 5), "SEARCH e USING INDEX event_time (at>? AND at<?)"],
  ["events", (r) => r.events({ ...month, type: null, afterG: 0, limit: 5 }), "SEARCH e USING INTEGER PRIMARY KEY (rowid>?)"],
  ["the newest event's number", (r) => r.lastG(), "SEARCH event"],
  ["the oldest event's number", (r) => r.firstG(), "SEARCH event"],
  ["openGap", (r) => r.openGap("c"), "SEARCH gap USING INDEX gap_open (camera=?)"],
])("%s: found by an index, no large table read through", (_, question, by) => {
  const plans = plansOf(question);
  expect(plans).toContain(by);
  expect(plans.filter((plan) => /^SCAN (s|segment|g|gap|e|event|deletion|unknown)\b(?! USING COVERING INDEX)/.test(plan))).toEqual([]);
});

test("events come page by page without a sort of the rest", () => {
  expect(plansOf((r) => r.events({ ...month, type: null, afterG: 0, limit: 5 })).filter((plan) => plan.includes("TEMP B-TREE"))).toEqual(
    [],
  );
});
