/** An index as after weeks, at a fiftieth of the size that `npm run bench:index` measures: it is small, it adds up, and its oldest hour goes alone. */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { plainDating } from "../../agent/core/dating.ts";
import { type History, spansOf, sumsOf } from "../../agent/core/ledger.ts";
import { segmentPath } from "../../agent/core/path.ts";
import { stretchesOf } from "../../agent/core/stretch.ts";
import type { Span } from "../../agent/core/types.ts";
import { makeLog } from "../../agent/log.ts";
import { makeTime } from "../../agent/moment.ts";
import { databaseName, openReader } from "../../agent/store/database.ts";
import type { Reads } from "../../agent/store/reads.ts";
import { openStore } from "../../agent/store/store.ts";
import { makeUsage, sweepOnce } from "../../agent/sweep.ts";
import { makeClock } from "../../hal/clock.ts";
import { makeFootage } from "../../hal/footage.ts";
import { fillIndex, linkFiles } from "../lib/bigindex.ts";
import { filesUnder } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const cameras = Array.from({ length: 16 }, (_, i) => `c${i + 1}`);
const [segments, gaps] = [20_000, 2_000];
const hourMs = 3_600_000;
const folder = tempFolder("index");
const [state, footage] = [join(folder, "state"), join(folder, "footage")];
const untilAt = Date.now() - hourMs;
let fromAt = 0;

const historyIn = (reads: Reads, camera: string, span: Span): History => ({
  ...{ due: span, open: null, planned: [], deletions: reads.deletions(camera, span), unknowns: reads.unknowns(camera, span) },
  gaps: reads.gaps(camera, span),
  segments: stretchesOf((see) => reads.files(camera, span, see), [span.fromAt, span.toAt], plainDating.toUtc),
});

beforeAll(() => {
  fromAt = fillIndex(state, { segments, gaps, cameras, untilAt });
  mkdirSync(footage);
});

test("it is as large as it should be, and whole", () => {
  const db = openReader(state);
  const one = (text: string) => db?.prepare(text).pluck().get();
  expect(one("SELECT count(*) FROM segment")).toBe(segments);
  expect(Number(one("SELECT count(*) FROM gap"))).toBeGreaterThan(gaps * 0.95);
  expect([one("PRAGMA integrity_check"), one("SELECT count(*) FROM pragma_foreign_key_check")]).toEqual(["ok", 0]);
  db?.close();
  const bytes = statSync(join(state, databaseName)).size / segments;
  process.stdout.write(`figure: database: ${bytes.toFixed(0)} bytes a segment\n`);
  expect(bytes).toBeLessThanOrEqual(250);
});

test("each camera's time is footage or gap, to the millisecond", () => {
  const store = openStore(state);
  const span = { fromAt, toAt: untilAt };
  for (const camera of cameras) {
    const sums = sumsOf(spansOf(historyIn(store, camera, span), span));
    expect(sums).toMatchObject({ dueMs: untilAt - fromAt, recordedMs: (segments / cameras.length) * 60_000, unknownMs: 0, deletedMs: 0 });
    expect(sums.recordedMs + sums.gapMs).toBe(sums.dueMs);
  }
  store.close();
});

test("a sweep of the oldest hour takes its rows and its files, and nothing else", async () => {
  const cutAt = fromAt + hourMs;
  const made = linkFiles(state, footage, fromAt + 2 * hourMs);
  const store = openStore(state);
  const clock = makeClock({ driver: "none" });
  const begun = store.begin({
    ...{ bootId: "now", wallMs: clock.wallMs(), monoMs: clock.monoMs(), clock: "synced", version: "test", above: 0 },
  });
  const time = makeTime(clock, begun.epochAt, () => plainDating);
  const old = store.olderThan(cutAt, 10_000);
  expect(old.length).toBeGreaterThan(500);
  await sweepOnce(
    {
      ...{ clock, time, store, footage: makeFootage(footage), eyes: new Map(), log: makeLog({ secrets: () => [] }) },
      limits: () => ({ maxAgeMs: time.now() - cutAt, sizeBytes: null, freeBytes: 0 }),
      isDoubtful: () => false,
      gate: {
        isKnown: () => true,
        reading: () => ({ value: "ok", freeBytes: 0, totalBytes: 0, detail: "" }),
        value: () => "ok",
        open: async () => undefined,
        closing: () => new AbortController().signal,
        suspect: () => expect.unreachable("the disk is in order"),
      },
    },
    makeUsage(store, new Map()),
  );
  const left = store.totals().segments;
  expect(segments - left).toBe(old.length);
  expect([store.doomed(10), store.olderThan(cutAt, 10)]).toEqual([[], []]);
  expect(old.filter((row) => existsSync(join(footage, segmentPath(row))))).toEqual([]);
  expect(filesUnder(footage).filter((file) => file.endsWith(".mkv"))).toHaveLength(made - old.length);
  const span = { fromAt, toAt: untilAt };
  for (const camera of cameras) {
    const sums = sumsOf(spansOf(historyIn(store, camera, span), span));
    expect(sums.recordedMs + sums.deletedMs + sums.gapMs).toBe(sums.dueMs);
    expect(sums.unknownMs).toBe(0);
  }
  store.close();
});
