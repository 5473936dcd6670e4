/** Rotation on a disk that goes away, fails, holds on to a file or is replaced: real rows, real files, a disk that is what a test says. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { plainDating } from "../../agent/core/dating.ts";
import { segmentPath } from "../../agent/core/path.ts";
import type { Segment } from "../../agent/core/types.ts";
import { adoptDisk } from "../../agent/disk.ts";
import { type Log, makeLog } from "../../agent/log.ts";
import { makeTime } from "../../agent/moment.ts";
import { openStore, type Store } from "../../agent/store/store.ts";
import { makeUsage, type SweepDeps, sweepOnce, type Usage } from "../../agent/sweep.ts";
import { makeFootage } from "../../hal/footage.ts";
import type { DiskReading, Footage } from "../../hal/ports.ts";
import { scriptClock } from "../../hal/script.ts";
import { filesUnder } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const nowAt = Date.UTC(2026, 10, 24, 12);
const minuteMs = 60_000;
const fileBytes = 1_000;
const mark = { site: "an-dai-1", folder: "f1" };
const plenty = 1e9;

let folder = "";
let state = "";
let store: Store;
let footage: Footage;
let log: string[];
let suspected: number;
let clock: ReturnType<typeof scriptClock>;
/** What the disk is seen as; null: as it is. */
let seen: Partial<DiskReading> | null;

beforeEach(async () => {
  const base = tempFolder("sweep");
  [folder, state] = [join(base, "footage"), join(base, "state")];
  mkdirSync(folder);
  store = openStore(state);
  clock = scriptClock(nowAt);
  store.begin({ bootId: "boot", wallMs: nowAt, monoMs: 0, clock: "synced", version: "test", above: 0 });
  const real = makeFootage(folder);
  seen = { freeBytes: plenty };
  footage = { ...real, inspect: async (id) => ({ ...(await real.inspect(id)), ...seen }) };
  await footage.writeMark(mark);
  store.commit([{ put: "folder", folder: mark.folder }]);
  [log, suspected] = [[], 0];
});

const segmentOf = (camera: string, number: number, startAt: number): Segment => ({
  ...{ camera, run: 1, number, startAt, endAt: startAt + minuteMs, bytes: fileBytes, sha256: "ab".repeat(32) },
  ...{ stream: "main", clock: "synced", torn: false, namedMs: 0 },
});

/** So many files of a camera, the first one begun `agoMs` ago, with their rows. */
function record(camera: string, count: number, agoMs: number): readonly string[] {
  const segments = Array.from({ length: count }, (_, i) => segmentOf(camera, i + 1, nowAt - agoMs + i * minuteMs));
  for (const path of segments.map(segmentPath)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), Buffer.alloc(fileBytes));
  }
  store.commit(segments.map((segment) => ({ put: "segment", segment })));
  return segments.map(segmentPath);
}

function deps(limits: Partial<ReturnType<SweepDeps["limits"]>>): SweepDeps {
  const write: Log = makeLog({ secrets: () => [], write: (line) => void log.push(line) });
  return {
    ...{ clock, time: makeTime(clock, nowAt, () => plainDating), store, footage, eyes: new Map(), log: write },
    limits: () => ({ maxAgeMs: 365 * 86_400_000, sizeBytes: null, freeBytes: 0, ...limits }),
    isDoubtful: () => false,
    gate: {
      // What the gate saw two seconds ago.
      ...{ isKnown: () => true, value: () => "ok", reading: () => ({ value: "ok", freeBytes: 0, totalBytes: 0, detail: "" }) },
      ...{ open: async () => undefined, closing: () => new AbortController().signal },
      suspect: () => {
        suspected += 1;
      },
    },
  };
}
const usage = (): Usage => makeUsage(store, new Map());
const rows = () => store.totals().segments;
const files = () => filesUnder(folder).filter((file) => file.endsWith(".mkv"));
const deletions = () => store.eventsAfter(0, 1_000).filter(({ type }) => type === "footage.deleted");

describe("a disk that is not the right one loses nothing", () => {
  const hungry = { freeBytes: 5_000, sizeBytes: 2_000, maxAgeMs: minuteMs };

  test.each([
    ["missing", { value: "missing", freeBytes: 0 }],
    ["failing", { value: "failing", freeBytes: 0 }],
    ["unmounted, with little room beneath it", { value: "unmounted", freeBytes: 100 }],
    ["another one", { value: "other-disk", freeBytes: 100 }],
  ] as const)("%s", async (_, reading) => {
    const made = record("c", 10, 3_600_000);
    store.commit([{ put: "doom", segments: [1], why: "age", at: nowAt }]);
    seen = reading;
    await sweepOnce(deps(hungry), usage());
    expect([rows(), files(), store.doomed(10).length, deletions()]).toEqual([10, made, 1, []]);
    expect(suspected).toBeGreaterThan(0);
    seen = { freeBytes: plenty };
    await sweepOnce(deps(hungry), usage());
    expect([rows(), files()]).toEqual([0, []]);
  });

  test("taken away in the middle of a sweep: what is out of sight is not gone", async () => {
    record("c", 500, 86_400_000);
    let looks = 0;
    const inspect = footage.inspect;
    footage = {
      ...footage,
      inspect: async (id) => {
        looks += 1;
        if (looks === 5) renameSync(folder, `${folder}.elsewhere`);
        if (looks === 5) mkdirSync(folder);
        return inspect(id);
      },
    };
    await sweepOnce(deps({ freeBytes: 2 * plenty }), usage());
    renameSync(folder, `${folder}.empty`);
    renameSync(`${folder}.elsewhere`, folder);
    expect([rows(), store.doomed(1_000).length, files().length], "the second batch waits for its disk").toEqual([300, 200, 100]);
    expect(suspected).toBeGreaterThan(0);
  });

  test("between the unlinking and the rows: they stay until the disk is back", async () => {
    record("c", 10, 86_400_000);
    footage = {
      ...footage,
      removeAll: async (paths) => {
        seen = { value: "unmounted" };
        return { removed: paths, stuck: [] };
      },
    };
    await sweepOnce(deps({ freeBytes: 2 * plenty }), usage());
    expect([rows(), store.doomed(100).length, files().length]).toEqual([10, 10, 10]);
  });
});

describe("a file that cannot be unlinked", () => {
  test("stops no other, is said once, and goes when it can", async () => {
    const made = record("c", 10, 3_600_000);
    const [, stubborn = ""] = made;
    rmSync(join(folder, stubborn));
    // Not even root unlinks a folder.
    mkdirSync(join(folder, stubborn, "inner"), { recursive: true });
    const counted = usage();
    for (let i = 0; i < 4; i += 1) await sweepOnce(deps({ sizeBytes: 5_000 }), counted);
    expect(counted.bytes()).toBe(store.totals().bytes);
    expect(counted.bytes()).toBeLessThanOrEqual(5_000);
    expect(store.doomed(10).map(segmentPath)).toEqual([stubborn]);
    // The stuck one counts as what it is: a file in the folder.
    expect(files()).toEqual(made.slice(7));
    expect(log.filter((line) => line.includes(stubborn))).toHaveLength(1);
    rmSync(join(folder, stubborn), { recursive: true });
    for (let i = 0; i < 2; i += 1) await sweepOnce(deps({ sizeBytes: 5_000 }), counted);
    expect(store.doomed(10)).toEqual([]);
  });

  test("many of them hold no sweep up, and others behind them go", async () => {
    record("c", 450, 86_400_000);
    const last = segmentPath(segmentOf("c", 450, nowAt - 86_400_000 + 449 * minuteMs));
    const removeAll = footage.removeAll;
    let asked = 0;
    footage = {
      ...footage,
      removeAll: async (paths) => {
        asked += paths.length;
        const free = await removeAll(paths.filter((path) => path === last));
        return { ...free, stuck: paths.filter((path) => path !== last).map((path) => ({ path, reason: "EIO" })) };
      },
    };
    store.commit([{ put: "doom", segments: Array.from({ length: 450 }, (_, i) => i + 1), why: "age", at: nowAt }]);
    const counted = usage();
    for (let i = 0; i < 3; i += 1) {
      asked = 0;
      await sweepOnce(deps({}), counted);
      expect(asked).toBeLessThanOrEqual(200);
    }
    expect([rows(), existsSync(join(folder, last))]).toEqual([449, false]);
  });

  test("a disk on which nothing can be unlinked dooms one batch, and is looked at", async () => {
    record("c", 450, 86_400_000);
    footage = {
      ...footage,
      removeAll: async (paths) => ({ removed: [], stuck: paths.map((path) => ({ path, reason: "EROFS" })) }),
    };
    await sweepOnce(deps({ freeBytes: 2 * plenty }), usage());
    expect([rows(), store.doomed(1_000).length]).toEqual([450, 200]);
    expect(suspected).toBeGreaterThan(0);
  });
});

test("the oldest of all cameras go first, in whatever order the index was built", async () => {
  // As `repair` does: camera by camera.
  const [first, second, third] = ["a", "b", "c"].map((camera) => record(camera, 10, 3_600_000));
  await sweepOnce(deps({ sizeBytes: 21_000 }), usage());
  expect(rows()).toBeLessThanOrEqual(21);
  for (const made of [first, second, third]) expect([6, 7]).toContain(files().filter((file) => made?.includes(file)).length);
});

describe("a disk adopted beside the running agent", () => {
  /** As the command does, with a connection of its own. */
  async function adopt(signal: AbortSignal): ReturnType<typeof adoptDisk> {
    const other = openStore(state);
    const over = new AbortController();
    const adopting = adoptDisk({ site: mark.site, footage: makeFootage(folder), store: other, clock, nowAt: () => nowAt }, signal).finally(
      () => over.abort(),
    );
    adopting.catch(() => undefined);
    for (; !over.signal.aborted; await new Promise((resolve) => setTimeout(resolve, 5))) await clock.advance(1_000);
    other.close();
    return adopting;
  }
  /** Rows alone. */
  function index(count: number, camera: (number: number) => string): void {
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    store.commit(numbers.map((number) => ({ put: "segment", segment: segmentOf(camera(number), number, nowAt - number * minuteMs) })));
  }
  const never = new AbortController().signal;
  const blank = () => {
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
  };

  test("counts anew: the new disk's footage stays", async () => {
    record("c", 10, 3_600_000);
    const counted = usage();
    await sweepOnce(deps({ sizeBytes: 12_000 }), counted);
    expect(rows()).toBe(10);
    blank();
    await adopt(never);
    expect(rows()).toBe(0);
    const made = record("d", 5, 600_000);
    counted.add(5 * fileBytes);
    await sweepOnce(deps({ sizeBytes: 12_000 }), counted);
    expect([rows(), files(), counted.bytes()]).toEqual([5, made, 5 * fileBytes]);
  });

  test("is told in one event, also of thousands of rows", async () => {
    const camera = (number: number) => ["a", "b"][number % 2] ?? "";
    index(2_500, camera);
    store.commit([{ put: "doom", segments: [1, 2, 3], why: "size", at: nowAt }]);
    blank();
    expect(await adopt(never)).toEqual({ kind: "adopted", gone: 2_497 });
    expect([rows(), store.meta("abandoned"), store.meta("folder") === mark.folder]).toEqual([0, null, false]);
    expect(deletions().map(({ level, data }) => ({ level, data }))).toEqual([
      {
        level: "warn",
        data: {
          ...{ why: "disk replaced", segments: 2_497, bytes: 2_497 * fileBytes, cameras: ["b", "a"].sort() },
          ...{ from: new Date(nowAt - 2_500 * minuteMs).toISOString(), to: new Date(nowAt - 3 * minuteMs).toISOString() },
        },
      },
    ]);
  });

  test("half-way, it goes on where it was stopped", async () => {
    index(2_500, () => "c");
    blank();
    await expect(adopt(AbortSignal.abort())).rejects.toThrow(/run matghi adopt-disk again/);
    expect([rows(), deletions(), store.meta("folder")]).toEqual([1_500, [], mark.folder]);
    expect((await footage.inspect(store.meta("folder"))).value, "until then it is not in service").toBe("other-disk");
    expect(await adopt(never)).toEqual({ kind: "adopted", gone: 2_500 });
    expect([rows(), deletions().map(({ data }) => data.segments)]).toEqual([0, [2_500]]);
    expect((await footage.inspect(store.meta("folder"))).value).toBe("ok");
  });
});
