/** The database over an update that is left again: what was, what people wrote meanwhile, and nothing twice. */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exportMark, liftExports } from "../../agent/holds.ts";
import { openAlone, openWriter, versionOf } from "../../agent/store/database.ts";
import { schemaVersion } from "../../agent/store/migrations.ts";
import { openReads, openStore, type Store } from "../../agent/store/store.ts";
import { copyBefore, openOwn, restoreCopy, wouldRestore } from "../../agent/store/undo.ts";
import { memoryFolder } from "../lib/temp.ts";

const bootId = "11111111-2222-3333-4444-555555555555";
const start = { bootId, wallMs: 1_000_000, monoMs: 0, clock: "synced", version: "0.1.0", above: 0 } as const;
const moment = { at: 1_000_100, monoMs: 100, clock: "synced" } as const;

const stopping = (store: Store) => store.commit([{ put: "event", moment, type: "run.stopping", level: "info", data: {} }]);
const file = (store: Store, run: number, number: number) =>
  store.commit([
    {
      put: "segment",
      segment: {
        ...{ camera: "a", run, number, startAt: 1_000_000 + number * 5_000, endAt: 1_005_000 + number * 5_000, bytes: 9 },
        ...{ sha256: "ab".repeat(32), stream: "main", clock: "synced", torn: false, namedMs: 0 },
      },
    },
  ]);
const hold = (store: Store, request: string) =>
  store.commit([
    {
      put: "hold-added",
      hold: { camera: "a", fromAt: 1, toAt: 2, fromUtc: 1, toUtc: 2, request, officer: "x", sinceAt: 1, untilUtc: null },
    },
  ]);

/** A site as 0.1.0 leaves it, with its copy; then what a newer version does with it. */
async function updated(migrate: boolean): Promise<{ state: string; db: string; ids: readonly string[] }> {
  const state = memoryFolder("undo");
  const old = openStore(state);
  const { run } = old.begin(start);
  for (const number of [0, 1]) file(old, run, number);
  hold(old, "before");
  expect(await copyBefore(state, "0.1.0")).toBe(true);
  stopping(old);
  const db = old.journal.dbId();
  old.close();
  const newer = openStore(state);
  const later = newer.begin({ ...start, monoMs: 5_000, version: "0.2.0" });
  newer.commit([{ put: "run-ended", run: later.run, end: "stopped", at: later.epochAt + 6_000 }]);
  stopping(newer);
  file(newer, later.run, 0);
  newer.commit([{ put: "page", camera: "a", sinceAt: 1_000_000, coveredAt: 1_006_000 }]);
  hold(newer, "meanwhile");
  newer.commit([{ put: "hold-lifted", hold: 1, at: 5 }]);
  const first = newer.segments(10)[0];
  newer.commit([
    { put: "doom", segments: [first?.id ?? 0], why: "age", at: 1_006_000 },
    { put: "forget", segments: [first?.id ?? 0] },
  ]);
  const ids = newer.journal.after(0, 100).map(({ boot, seq }) => `${boot}-${seq}`);
  newer.close();
  if (migrate) {
    const raw = openWriter(state);
    raw.exec("ALTER TABLE hold ADD COLUMN novelty TEXT NOT NULL DEFAULT 'x'");
    raw.pragma(`user_version = ${schemaVersion + 1}`);
    raw.close();
  }
  return { state, db, ids };
}

test("what was not migrated is not taken back", async () => {
  const { state } = await updated(false);
  expect([wouldRestore(state, "0.1.0"), wouldRestore(state, "0.0.9")]).toEqual(["keeps", "no-copy"]);
  expect(restoreCopy(state, "0.1.0")).toBeNull();
});

test("without a copy of its own a version does not touch what it cannot read", async () => {
  const { state } = await updated(true);
  expect(restoreCopy(state, "0.0.9")).toBeNull();
  expect(() => openStore(state)).toThrow(/newer than this matghi/);
});

test("the copy returns under another journal's name; no number is used twice; holds and deletions of meanwhile stay", async () => {
  const { state, db, ids } = await updated(true);
  expect(wouldRestore(state, "0.1.0")).toBe("restores");
  const restored = restoreCopy(state, "0.1.0");
  expect(restored?.lost).toEqual([]);
  expect(restored?.db).not.toBe(db);
  expect(versionOf(join(state, "matghi.db"))).toBe(schemaVersion);
  expect(versionOf(join(state, "matghi.db.newer"))).toBe(schemaVersion + 1);
  expect(restoreCopy(state, "0.1.0")).toBeNull();
  const store = openStore(state);
  expect(store.holds().map(({ request }) => request)).toEqual(["meanwhile"]);
  // What was recorded meanwhile is known with its hash: nothing has to be read before the recording goes on.
  expect(store.segments(10).map(({ run, number, sha256 }) => [run, number, sha256])).toEqual([
    [1, 1, "ab".repeat(32)],
    [2, 0, "ab".repeat(32)],
  ]);
  // The copy was made before its first file was counted.
  expect(store.camera("a")).toMatchObject({ sinceAt: 1_000_000, coveredAt: 1_000_000 });
  expect(store.drawn("a", { fromAt: 0, toAt: 7_200_000 })).toEqual({ ms: 15_000, bytes: 27 });
  expect(store.deletions("a", { fromAt: 0, toAt: 2_000_000 }).map(({ why }) => why)).toEqual(["age"]);
  const begun = store.begin({ ...start, monoMs: 9_000 });
  expect(begun.run).toBeGreaterThan(2);
  stopping(store);
  const again = store.journal.after(0, 100).map(({ boot, seq }) => `${boot}-${seq}`);
  expect(again.filter((id) => ids.includes(id))).toEqual([]);
  expect(store.journal.after(0, 100).map(({ type }) => type)).toContain("journal.reset");
  store.close();
});

test("a newer database that cannot be read gives nothing, which is said, and keeps nobody from recording", async () => {
  const { state } = await updated(true);
  const path = join(state, "matghi.db");
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x55, 4_096));
  const restored = restoreCopy(state, "0.1.0");
  expect(restored?.lost).toContain("hold");
  const store = openStore(state);
  expect(store.begin({ ...start, monoMs: 9_000 }).run).toBeGreaterThan(2);
  expect(store.holds().map(({ request }) => request)).toEqual(["before"]);
  store.close();
});

test("a command that is just reading holds nobody up", async () => {
  const { state } = await updated(true);
  const raw = openWriterAt(state);
  const reader = raw.prepare("SELECT * FROM event").iterate();
  reader.next();
  expect(restoreCopy(state, "0.1.0")?.lost).toEqual([]);
  reader.return?.();
  raw.close();
  const reads = openReads(state);
  expect(reads?.holds().map(({ request }) => request)).toEqual(["meanwhile"]);
  reads?.close();
});

/** A second connection that keeps the WAL there. */
function openWriterAt(state: string) {
  const place = join(state, "matghi.db");
  const db = openAlone(place);
  db.pragma("journal_mode = WAL");
  return db;
}

test("cut off before its last step, the next start does what is left, and nothing twice", async () => {
  const { state } = await updated(true);
  const [file, copy] = [join(state, "matghi.db"), join(state, "matghi.db.of-0.1.0")];
  restoreCopy(state, "0.1.0");
  renameSync(file, copy);
  renameSync(`${file}.newer`, file);
  writeFileSync(`${file}.newer`, "half");
  expect(restoreCopy(state, "0.1.0")?.lost).toEqual([]);
  expect([versionOf(file), existsSync(copy)]).toEqual([schemaVersion, false]);
  const store = openStore(state);
  expect(store.segments(10).map(({ run, number }) => [run, number])).toEqual([
    [1, 1],
    [2, 0],
  ]);
  expect(store.drawn("a", { fromAt: 0, toAt: 7_200_000 })).toEqual({ ms: 15_000, bytes: 27 });
  store.close();
});

test("what an export held that is over is held no more", async () => {
  const { state } = await updated(false);
  const store = openStore(state);
  hold(store, `${exportMark}12/CV`);
  liftExports(store, 7);
  expect(store.holds().map(({ request }) => request)).toEqual(["meanwhile"]);
  store.close();
});

test("the copy is put in place without room for one more", async () => {
  const { state } = await updated(true);
  const copied = statSync(join(state, "matghi.db.of-0.1.0")).ino;
  restoreCopy(state, "0.1.0");
  expect(statSync(join(state, "matghi.db")).ino).toBe(copied);
});

test("a copy that cannot be put back keeps nobody from recording: the newer database is set aside", async () => {
  const { state } = await updated(true);
  writeFileSync(join(state, "matghi.db.of-0.1.0"), Buffer.alloc(8_192, 0x55));
  const { store, restored, failed } = openOwn(state, "0.1.0", 1_010_000);
  expect([restored, failed]).toEqual([null, expect.stringContaining("not a database")]);
  const brokenAs = store.meta("broken") ?? "";
  expect(versionOf(join(state, brokenAs))).toBe(schemaVersion + 1);
  store.close();
});
