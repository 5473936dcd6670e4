/** The store on real disks: schema, durability, one writer, full disk, the journal's bounds. */
import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, describe, expect, test } from "vitest";
import type { Moment, Write } from "../../agent/core/change.ts";
import type { Claim } from "../../agent/core/types.ts";
import { databaseName, isLocked, lockState, openWriter, upgrade } from "../../agent/store/database.ts";
import { migrations, schemaVersion } from "../../agent/store/migrations.ts";
import { giveUpReserve, keepReserve, reserveBytes } from "../../agent/store/reserve.ts";
import { openReads, openStore, type Store } from "../../agent/store/store.ts";
import { until } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { makeDisk } from "../lib/disk.ts";
import { tempFolder } from "../lib/temp.ts";

const moment: Moment = { at: 1_000_000, monoMs: 5, clock: "synced" };
const event = (number: number, type: Extract<Write, { put: "event" }>["type"] = "camera.changed"): Write => ({
  ...{ put: "event", moment, type, level: "info", data: { number } },
});
const segment = (number: number, more: object = {}): Write => ({
  put: "segment",
  segment: {
    ...{ camera: "c", run: 1, number, startAt: number * 1_000, endAt: number * 1_000 + 1_000, bytes: 10, sha256: "ab".repeat(32) },
    ...{ stream: "main", clock: "synced", torn: false, namedMs: 0, ...more },
  } as Extract<Write, { put: "segment" }>["segment"],
});
/** Closed before the process ends: Node 24 does not forgive a database that is left open. */
const opened: Store[] = [];
afterAll(() => {
  for (const store of opened) store.close();
});

function begun(state: string): Store {
  const store = openStore(state);
  opened.push(store);
  store.begin({ bootId: "boot", wallMs: 1_000, monoMs: 1_000, clock: "synced", version: "test", above: 0 });
  return store;
}
const numbersOf = (store: Store) => store.eventsAfter(0, 100_000).map(({ data }) => data.number);

test("a new database and one that went through every migration are the same", () => {
  const shape = (db: Sqlite.Database) =>
    (
      db.prepare("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name").all() as { sql: string }[]
    ).map((row) => ({
      ...row,
      sql: row.sql
        .replace(/--[^\n]*/g, "")
        .replace(/\s+/g, " ")
        .replace(/ ?([,()]) ?/g, "$1"),
    }));
  const fresh = openWriter(tempFolder("schema"));
  const old = new Sqlite(":memory:");
  expect(schemaVersion).toBe(migrations.length + 1);
  // The first schema is today's with the tables that changed since as they were.
  const today = fresh
    .prepare(
      "SELECT group_concat(sql, ';') FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT IN ('hold', 'register', 'viewer', 'drawn') AND name NOT LIKE 'sqlite_%'",
    )
    .pluck()
    .get() as string;
  old.exec(
    `${today};
     CREATE TABLE hold (id INTEGER PRIMARY KEY AUTOINCREMENT, camera INTEGER NOT NULL REFERENCES camera, from_at INTEGER NOT NULL,
       to_at INTEGER NOT NULL CHECK (to_at > from_at), request TEXT NOT NULL, officer TEXT NOT NULL, since_at INTEGER NOT NULL, lifted_at INTEGER) STRICT;
     CREATE INDEX hold_active ON hold (camera, from_at) WHERE lifted_at IS NULL;
     INSERT INTO boot VALUES (1, 'b', 0);
     INSERT INTO run (id, boot, started_at, beat_at, version) VALUES (1, 1, 0, 0, 'old');
     INSERT INTO camera (id, name) VALUES (1, 'c');
     INSERT INTO segment (camera, run, number, start_at, end_at, bytes, sha256)
       SELECT 1, 1, value, value * 1800000, value * 1800000 + 60000, 1000, zeroblob(32) FROM json_each('[0, 1, 2]')`,
  );
  old.pragma("user_version = 1");
  upgrade(old);
  expect(old.prepare("SELECT * FROM drawn").raw().all()).toEqual([
    [1, 0, 120_000, 2_000],
    [1, 3_600_000, 60_000, 1_000],
  ]);
  expect(shape(old)).toEqual(shape(fresh));
  expect(old.pragma("user_version", { simple: true })).toBe(schemaVersion);
  const tables = fresh.prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'").all() as {
    name: string;
    strict: number;
  }[];
  expect(tables.length).toBeGreaterThan(10);
  expect(tables.filter(({ strict }) => strict === 0)).toEqual([]);
});

test("a database of a newer matghi is refused with the cure", () => {
  const state = tempFolder("newer");
  const db = openWriter(state);
  db.pragma(`user_version = ${schemaVersion + 1}`);
  db.close();
  expect(() => openWriter(state)).toThrow(/newer than this matghi.*install the newer matghi again/);
  expect(() => openReads(state)).toThrow(/version/);
});

test("a commit is durable before it returns", () => {
  const db = openWriter(tempFolder("durable"));
  expect([db.pragma("journal_mode", { simple: true }), db.pragma("synchronous", { simple: true })]).toEqual(["wal", 2]);
});

test("a change is written whole or not at all", () => {
  const store = begun(tempFolder("whole"));
  store.commit([event(1)]);
  expect(() => store.commit([event(2), segment(1), segment(1)])).toThrow(/UNIQUE/);
  expect(numbersOf(store)).toEqual([1]);
  expect(store.totals().segments).toBe(0);
  store.commit([event(3)]);
  expect(store.eventsAfter(0, 10).map(({ g, seq, data }) => [g, seq, data.number])).toEqual([
    [1, 1, 1],
    [2, 2, 3],
  ]);
});

test.each([
  ["an end before its start", segment(1, { endAt: 0 })],
  ["no bytes", segment(1, { bytes: 0 })],
  ["half a hash", segment(1, { sha256: "ab" })],
  ["a run that never was", segment(1, { run: 99 })],
  [
    "a cause that is none",
    {
      ...{ put: "gap-opened", camera: "c", fromAt: 1, fault: 1 },
      claim: { scope: "site", blame: { cause: "ghosts" as never, sure: "sensed", evidence: [] } },
    },
  ],
  ["an event without a clock", { ...event(1), moment: { ...moment, clock: "sundial" as never } }],
] as const)("the tables refuse %s", (_, write) => {
  const store = begun(tempFolder("checks"));
  expect(() => store.commit([write as Write])).toThrow(/constraint/i);
});

test("a new database over an old folder does not use its runs' numbers again", () => {
  const store = openStore(tempFolder("above"));
  const start = { bootId: "boot", wallMs: 1_000, monoMs: 1_000, clock: "synced", version: "test" } as const;
  expect([17, 0, 5].map((above) => store.begin({ ...start, above }).run)).toEqual([18, 19, 20]);
});

test("how far back footage reaches is told without what is held, until it is let go", () => {
  const store = begun(tempFolder("held"));
  store.commit([1, 2, 50, 51].map((number) => segment(number)));
  const hold = { camera: "c", request: "CV 1", officer: "CB-07", sinceAt: 60_000, untilUtc: null };
  store.commit([{ put: "hold-added", hold: { ...hold, fromAt: 500, toAt: 2_500, fromUtc: 500, toUtc: 2_500 } }]);
  expect([store.oldestStartAt("c"), store.oldestFreeStartAt("c")]).toEqual([1_000, 50_000]);
  store.commit([{ put: "hold-lifted", hold: store.holds()[0]?.id ?? 0, at: 70_000 }]);
  expect(store.oldestFreeStartAt("c")).toBe(1_000);
});

test("one agent holds a state folder, until it ends in whatever way", async () => {
  const state = tempFolder("lock");
  expect(isLocked(state)).toBe(false);
  const unlock = lockState(state);
  expect([lockState(state), isLocked(state)]).toEqual([null, true]);
  unlock?.();
  expect(isLocked(state)).toBe(false);
  // What is held by nobody may be collected, and lets go.
  const script = `import { lockState } from "${join(repository, "dist/agent/store/database.js")}"; const unlock = lockState(process.argv[1]); setTimeout(() => unlock(), 60_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, state], { stdio: "ignore" });
  await until("the other one holds it", 10_000, () => isLocked(state));
  child.kill("SIGKILL");
  await until("it is free", 5_000, () => !isLocked(state));
});

test("readers read while the writer writes, and cannot write", () => {
  const state = tempFolder("reader");
  const store = begun(state);
  const reads = openReads(state);
  store.commit([event(1)]);
  expect(reads?.eventRange()).toEqual({ first: 1, last: 1, count: 1 });
  store.close();
  expect(reads?.eventRange().last).toBe(1);
  reads?.close();
  expect(openReads(tempFolder("nothing"))).toBeNull();
});

test("a full disk loses nothing: what was decided waits in order, the reserve lets the reason be written, and room cures it", () => {
  const disk = makeDisk(tempFolder("full"), "state", 24);
  try {
    const state = join(disk.mountPoint, "state");
    mkdirSync(state);
    const store = begun(state);
    expect(keepReserve(state)).toBe(true);
    expect(statSync(join(state, "reserve")).size).toBe(reserveBytes);
    disk.fill();
    let number = 0;
    const big = (n: number): Write => ({
      put: "event",
      moment,
      type: "camera.changed",
      level: "info",
      data: { number: n, text: "x".repeat(50_000) },
    });
    while (store.commit([big(number)]).kind === "written" && number < 1_000) number += 1;
    expect(number).toBeGreaterThan(50);
    expect(existsSync(join(state, "reserve")), "the reserve was given up first").toBe(false);
    for (let i = 1; i <= 20; i += 1)
      expect(store.commit([event(number + i)])).toMatchObject({ kind: "waiting", why: expect.stringMatching(/^SQLITE_/) });
    disk.makeRoom();
    expect(store.commit([event(number + 21)])).toEqual({ kind: "written" });
    expect(numbersOf(store)).toEqual(Array.from({ length: number + 22 }, (_, i) => i));
    expect(store.eventsAfter(0, 10_000).map(({ g }) => g)).toEqual(Array.from({ length: number + 22 }, (_, i) => i + 1));
    store.close();
    expect(giveUpReserve(state)).toBe(false);
  } finally {
    disk.remove();
  }
});

test("a disk that is full beyond memory's bound costs the least important, keeps what is true, and the loss is written down", () => {
  const disk = makeDisk(tempFolder("overfull"), "state", 24);
  try {
    const state = join(disk.mountPoint, "state");
    mkdirSync(state);
    const store = begun(state);
    const claim: Claim = { scope: "camera c", blame: { cause: "camera", sure: "inferred", evidence: [] } };
    const page = (coveredAt: number): Write => ({ put: "page", camera: "c", sinceAt: 1_000, coveredAt });
    store.commit([segment(1), page(2_000)]);
    disk.fill();
    for (let n = 0; store.commit([event(n)]).kind === "written" && n < 100_000; n += 1);
    const written = store.eventsAfter(0, 1e6).length;
    // A thousand changes of what is only current, between them holes and files: far more than memory keeps.
    store.commit([{ put: "gap-opened", camera: "c", fromAt: 2_000, claim, fault: 1 }, event(1, "gap.opened")]);
    for (let n = 1; n <= 500; n += 1) {
      const at = 2_000 + n * 10_000;
      for (const value of ["full", "ok"])
        store.commit([{ put: "condition", subject: "disk", condition: { value, sinceAt: at, evidence: [] } }]);
      store.commit([{ put: "gap-closed", camera: "c", toAt: at, claim, fault: n }, event(n, "gap.closed")]);
      store.commit([segment(100 + n, { startAt: at, endAt: at + 5_000 }), page(at + 5_000)]);
      store.commit([{ put: "gap-opened", camera: "c", fromAt: at + 5_000, claim, fault: n + 1 }, event(n, "gap.opened")]);
    }
    expect(store.commit([])).toMatchObject({ kind: "waiting", changes: 500 });
    disk.makeRoom();
    expect(store.commit([event(7)])).toEqual({ kind: "written" });
    const events = store.eventsAfter(0, 1e6);
    const lost = events.filter(({ type }) => type === "journal.dropped");
    expect(lost).toHaveLength(1);
    const told = events.filter(({ type }) => type.startsWith("gap.")).length;
    const data = (lost[0]?.data ?? {}) as Record<string, Record<string, number>>;
    const count = Object.values(data.byType ?? {}).reduce((sum, n) => sum + n, 0);
    expect(data).toMatchObject({ reason: "the state disk took nothing", count, byWrite: { event: count, condition: expect.any(Number) } });
    expect(told + count).toBeGreaterThanOrEqual(1_001);
    expect(events[written]?.type, "it comes before what was kept").toBe("journal.dropped");
    // What is true now is what was said last.
    expect(store.conditions().find(({ subject }) => subject === "disk")).toMatchObject({ value: "ok", sinceAt: 5_002_000 });
    expect(store.camera("c")).toMatchObject({ coveredAt: 5_007_000 });
    expect(store.openGap("c")).toMatchObject({ fromAt: 5_007_000, fault: 501 });
    // No second of it is unaccounted for.
    const due = { fromAt: 1_000, toAt: 5_007_000 };
    const files = store.segmentsBetween("c", due).map(({ startAt, endAt }) => ({ fromAt: startAt, toAt: endAt }));
    const known = [
      ...files,
      ...store.gaps("c", due).map(({ fromAt, toAt }) => ({ fromAt, toAt: toAt ?? fromAt })),
      ...store.unknowns("c", due),
    ];
    const reachedAt = known
      .sort((a, b) => a.fromAt - b.fromAt)
      .reduce((at, span) => (span.fromAt <= at ? Math.max(at, span.toAt) : at), due.fromAt);
    expect(reachedAt).toBe(due.toAt);
    expect(new Set(store.unknowns("c", due).map(({ why }) => why))).toEqual(new Set(["database took nothing"]));
    store.close();
  } finally {
    disk.remove();
  }
});

test("a full disk takes none of the publisher's notes, and the publisher goes on: its position stays and is written later", () => {
  const disk = makeDisk(tempFolder("notes"), "state", 24);
  try {
    const state = join(disk.mountPoint, "state");
    mkdirSync(state);
    const store = begun(state);
    for (let i = 1; i <= 5; i += 1) store.commit([event(i)]);
    disk.fill();
    for (let n = 0; store.commit([event(n)]).kind === "written" && n < 100_000; n += 1);
    const [row] = store.eventsAfter(1, 1);
    if (row === undefined) throw new Error("no row");
    const { journal, pagesSent } = store;
    const take = () => {
      journal.moveCursor(4);
      journal.noteAck(3);
      pagesSent.put("day/2026-11-24/c", { hash: "h", sentAt: 1 });
      pagesSent.drop(["day/2026-11-23/c"]);
      return journal.setAside(row, "rejected", moment);
    };
    expect(take()).toBe(false);
    expect([journal.cursor(), store.meta("cursor"), store.meta("acked")]).toEqual([4, null, null]);
    disk.makeRoom();
    expect(take()).toBe(true);
    expect([journal.cursor(), store.meta("cursor"), store.meta("acked")]).toEqual([4, "4", "3"]);
    expect([...pagesSent.all()]).toEqual([["day/2026-11-24/c", { hash: "h", sentAt: 1 }]]);
    expect(store.eventsAfter(0, 1e6).find(({ type }) => type === "journal.dropped")?.data).toMatchObject({ from: 2, to: 2, count: 1 });
    store.close();
  } finally {
    disk.remove();
  }
});

test("the journal's bound drops confirmed rows first, then the least important, and writes down which", () => {
  const store = begun(tempFolder("bound"));
  for (let i = 1; i <= 20; i += 1) store.commit([event(i, i % 2 === 0 ? "footage.deleted" : "gap.closed")]);
  store.journal.moveCursor(4);
  const dropped = store.trim({ maxEvents: 10, slackEvents: 2 }, moment);
  expect(dropped).toBe(12);
  const rest = store.eventsAfter(0, 100);
  // 1 to 4 were confirmed; of the others the eight deletions went.
  expect(rest.map(({ g }) => g)).toEqual([5, 7, 9, 11, 13, 15, 17, 19, 21]);
  expect(rest.at(-1)).toMatchObject({
    type: "journal.dropped",
    level: "alarm",
    data: { from: 6, to: 20, count: 8, byType: { "footage.deleted": 8 } },
  });
  expect(store.trim({ maxEvents: 10, slackEvents: 2 }, moment)).toBe(0);
  store.commit([event(99)]);
  expect([store.journal.firstG(), store.journal.lastG()]).toEqual([5, 22]);
});

test("deletions join their neighbours, and the cursor only moves forward", () => {
  const store = begun(tempFolder("deletions"));
  for (const number of [1, 2, 3, 7]) store.commit([segment(number)]);
  store.commit([{ put: "doom", segments: [1, 2, 3, 4], why: "age", at: 1 }]);
  expect(store.deletions("c", { fromAt: 0, toAt: 1e9 })).toEqual([
    { fromAt: 1_000, toAt: 4_000, why: "age" },
    { fromAt: 7_000, toAt: 8_000, why: "age" },
  ]);
  expect(store.doomed(10).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  store.commit([{ put: "forget", segments: [1, 2, 3, 4] }]);
  expect(store.totals()).toEqual({ bytes: 0, segments: 0 });
  store.journal.moveCursor(7);
  store.journal.moveCursor(3);
  expect(store.journal.cursor()).toBe(7);
});

test("a file that is no database is said to be, with its name", () => {
  const state = tempFolder("garbage");
  writeFileSync(join(state, databaseName), Buffer.alloc(10_000, 7));
  expect(() => openStore(state)).toThrow(new RegExp(`${databaseName}`));
});

describe("what may go", () => {
  const ids = (rows: readonly { id: number }[]) => rows.map(({ id }) => id);
  /** Camera by camera, as a rebuilt index has them: c1 is 1 to 3, c2 is 4 to 6, c3 is 7 to 9; they ended at 2, 3 and 4 s. */
  function rebuilt(): Store {
    const store = begun(tempFolder("oldest"));
    for (const camera of ["c1", "c2", "c3"]) for (const number of [1, 2, 3]) store.commit([segment(number, { camera })]);
    return store;
  }

  test("is the oldest over all cameras, not what was written first", () => {
    const store = rebuilt();
    expect(ids(store.oldest(4))).toEqual([1, 4, 7, 2]);
    expect(ids(store.oldest(100))).toEqual([1, 4, 7, 2, 5, 8, 3, 6, 9]);
    expect(ids(store.olderThan(3_000, 100))).toEqual([1, 4, 7, 2, 5, 8]);
    expect(ids(store.olderThan(3_000, 2))).toEqual([1, 4]);
    expect(store.olderThan(1_999, 100)).toEqual([]);
    expect(store.oldest(1)[0]).toMatchObject({ camera: "c1", number: 1, sha256: "ab".repeat(32) });
  });

  test("what is doomed does not go twice, and is gone through by page", () => {
    const store = rebuilt();
    store.commit([{ put: "doom", segments: [1, 4, 9], why: "age", at: 1 }]);
    expect(ids(store.oldest(3))).toEqual([7, 2, 5]);
    expect(ids(store.segments(3))).toEqual([2, 3, 5]);
    expect([ids(store.doomed(2)), ids(store.doomed(2, 4)), ids(store.doomed(2, 9))]).toEqual([[1, 4], [9], []]);
  });
});

test("another writer's change is seen once, one's own never", () => {
  const state = tempFolder("outside");
  const store = begun(state);
  expect(store.changedOutside()).toBe(false);
  store.commit([event(1)]);
  expect(store.changedOutside()).toBe(false);
  const other = openStore(state);
  other.commit([event(2)]);
  expect([store.changedOutside(), store.changedOutside()]).toEqual([true, false]);
  openReads(state)?.eventRange();
  expect(store.changedOutside()).toBe(false);
  other.close();
});

test("a database that root makes anew is the agent's, with the files beside it", () => {
  const state = join(tempFolder("store"), "given");
  mkdirSync(state);
  chownSync(state, 65_534, 65_534);
  begun(state);
  const files = readdirSync(state);
  expect(files).toContain(`${databaseName}-wal`);
  expect(files.filter((name) => statSync(join(state, name)).uid !== 65_534)).toEqual([]);
});
