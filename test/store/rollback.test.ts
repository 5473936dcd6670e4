/** A database that is older than the beat beside it: noticed whatever its journal is called, and never a reason not to record. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeBeat } from "../../agent/store/beat.ts";
import { databaseName, openWriter } from "../../agent/store/database.ts";
import { isRolledBack, underOwnName } from "../../agent/store/rollback.ts";
import { openStore, type Store } from "../../agent/store/store.ts";
import { memoryFolder } from "../lib/temp.ts";

const beat = { run: 7, at: 1_000, db: "c", g: 50 };

test.each([
  ["no beat", null, { db: "a", lastG: 1, lastRun: 1 }, false],
  ["a beat that names no journal", { ...beat, db: null, g: 0 }, { db: "a", lastG: 1, lastRun: 1 }, false],
  ["its own beat, and events since", beat, { db: "c", lastG: 60, lastRun: 7 }, false],
  ["its own beat, and events that are lost", beat, { db: "c", lastG: 49, lastRun: 7 }, true],
  ["another journal's beat, of a run that it does not know", beat, { db: "a", lastG: 100, lastRun: 6 }, true],
  ["another journal's beat, and a run since", beat, { db: "d", lastG: 1, lastRun: 8 }, false],
  ["a database that was begun anew and has not run", beat, { db: "d", lastG: 0, lastRun: null }, false],
])("%s", (_, told, kept, expected) => {
  expect(isRolledBack(told, kept)).toBe(expected);
});

const [state, copy] = [memoryFolder("rollback"), memoryFolder("rollback-copy")];
const start = { bootId: "b", wallMs: 1_000_000, monoMs: 0, clock: "synced", version: "test", above: 0 } as const;
const moment = { at: 1_000_100, monoMs: 100, clock: "synced" } as const;

/** One run that says something and beats; what the journal was called in it. */
async function run(store: Store, above: number): Promise<string> {
  const begun = store.begin({ ...start, above });
  for (let i = 0; i < 3; i += 1) store.commit([{ put: "event", moment, type: "camera.changed", level: "info", data: {} }]);
  const { journal } = store;
  await writeBeat(state, { run: begun.run, at: begun.epochAt + above, db: journal.dbId(), g: journal.lastG() }, above);
  const db = journal.dbId();
  store.close();
  return db;
}

test("the same old copy, put back twice, goes by another name each time", async () => {
  const first = await run(openStore(state), 0);
  copyFileSync(join(state, databaseName), join(copy, databaseName));
  await run(openStore(state), 1);
  const names = [first];
  for (const above of [2, 3]) {
    copyFileSync(join(copy, databaseName), join(state, databaseName));
    const { store, renamed } = await underOwnName(openStore(state), state);
    expect(renamed).toBe(store.journal.dbId());
    expect(store.journal.after(0, 100).map(({ type }) => type)).toContain("journal.reset");
    names.push(await run(store, above));
  }
  expect(new Set(names).size).toBe(3);
  const again = await underOwnName(openStore(state), state);
  expect([again.renamed, again.store.journal.dbId()]).toEqual([null, names.at(-1)]);
  again.store.close();
});

test("runs that `repair` knows by their footage alone hide no old copy, and make none of a database that is new", async () => {
  for (const isCopy of [true, false]) {
    const own = memoryFolder("rollback-repaired");
    const store = openStore(own);
    if (isCopy) store.begin(start);
    store.adoptRun(isCopy ? 9 : 3);
    await writeBeat(own, { run: 7, at: 1_000_000, db: "another", g: 9 }, 0);
    const named = await underOwnName(store, own);
    onTestFinished(() => named.store.close());
    expect(named.renamed !== null).toBe(isCopy);
    // A run of files alone has no beat: the reset is dated by what is known.
    const resets = named.store.journal.after(0, 100).filter(({ type }) => type === "journal.reset");
    expect(resets.map(({ at }) => at)).toEqual(isCopy ? [start.wallMs] : []);
  }
});

test("a name that cannot be written is told, and the store that is open goes on under its old one", async () => {
  const own = memoryFolder("rollback-failing");
  const store = openStore(own);
  onTestFinished(() => store.close());
  store.begin(start);
  const db = openWriter(own);
  db.exec("CREATE TRIGGER full BEFORE INSERT ON event WHEN new.type = 'journal.reset' BEGIN SELECT RAISE(ABORT, 'no room'); END");
  db.close();
  await writeBeat(own, { run: 1, at: 1_000_000, db: store.journal.dbId(), g: 9 }, 0);
  const before = store.journal.dbId();
  const named = await underOwnName(store, own);
  expect(named).toMatchObject({ renamed: null, failed: expect.stringContaining("no room") });
  named.store.commit([{ put: "event", moment, type: "camera.changed", level: "info", data: {} }]);
  expect([named.store.journal.dbId(), named.store.journal.lastG()]).toEqual([before, 1]);
});

test.each([
  ["a few minutes are a cut like any other", 300_000, null],
  ["more is a copy's, and what became of it since is unknown", 900_000, "older than its last beat"],
])("of the time that it lacks, %s", async (_, lackedMs, restored) => {
  const own = memoryFolder("rollback-lacking");
  const store = openStore(own);
  store.begin(start);
  await writeBeat(own, { run: 1, at: store.latestAt() + lackedMs, db: store.journal.dbId(), g: 9 }, 0);
  const named = await underOwnName(store, own);
  onTestFinished(() => named.store.close());
  expect([named.renamed, named.store.meta("restored")]).toEqual([named.store.journal.dbId(), restored]);
});
