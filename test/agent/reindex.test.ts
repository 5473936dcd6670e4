/** Files against rows: what is gone without us is said. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { plainDating } from "../../agent/core/dating.ts";
import { segmentPath } from "../../agent/core/path.ts";
import type { Segment } from "../../agent/core/types.ts";
import { makeLog } from "../../agent/log.ts";
import { reindex } from "../../agent/reindex.ts";
import { openStore } from "../../agent/store/store.ts";
import { makeFootage } from "../../hal/footage.ts";
import { scriptClock } from "../../hal/script.ts";
import { tempFolder } from "../lib/temp.ts";

const startAt = Date.UTC(2026, 10, 24, 12);
const minuteMs = 60_000;

test("rows whose files are gone become deletions, and each stretch is told", async () => {
  const base = tempFolder("reindex");
  const [folder, clock] = [join(base, "footage"), scriptClock(startAt + 3_600_000)];
  mkdirSync(folder);
  const store = openStore(join(base, "state"));
  store.begin({ bootId: "boot", wallMs: clock.wallMs(), monoMs: 0, clock: "synced", version: "test", above: 0 });
  for (const number of [1, 2, 3]) {
    const segment: Segment = {
      ...{ camera: "c", run: 1, number, startAt: startAt + number * minuteMs, endAt: startAt + (number + 1) * minuteMs, bytes: 10 },
      ...{ sha256: "ab".repeat(32), stream: "main", clock: "synced", torn: false, namedMs: 0 },
    };
    store.commit([{ put: "segment", segment }]);
    const file = join(folder, segmentPath(segment));
    mkdirSync(dirname(file), { recursive: true });
    if (number === 1) writeFileSync(file, "footage");
  }
  const found = await reindex(
    {
      ...{ clock: { ...clock, sleep: async () => undefined }, store, footage: makeFootage(folder), dating: () => plainDating },
      ...{ recorder: { measure: async () => ({ kind: "failed", detail: "not asked" }) }, nowAt: clock.wallMs, folder, below: 2 },
      ...{ log: makeLog({ secrets: () => [], write: () => undefined }), pastIs: "before the first run", dry: false },
    },
    new AbortController().signal,
  );
  expect(found).toMatchObject({ returned: 0, missing: 2 });
  const events = store.eventsAfter(0, 100).filter(({ type }) => type === "footage.deleted");
  const iso = (minutes: number) => new Date(startAt + minutes * minuteMs).toISOString();
  const data = { why: "file missing", segments: 2, bytes: 20, cameras: ["c"], from: iso(2), to: iso(4) };
  expect(events.map((event) => ({ level: event.level, data: event.data }))).toEqual([{ level: "warn", data }]);
  expect(store.deletions("c", { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER })).toEqual([
    { fromAt: startAt + 2 * minuteMs, toAt: startAt + 4 * minuteMs, why: "file missing" },
  ]);
});
