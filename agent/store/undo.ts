/**
 * The database over an update. Before the switch it is copied as the version in use leaves it, `<state>/matghi.db.of-<version>`. A version that
 * takes over again from a newer one which has migrated it puts its copy in place; where nothing was migrated it goes on with what is there.
 */
import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { copyDatabase, renewJournalIn } from "./copy.ts";
import { type Database, databaseName, openAlone, versionOf } from "./database.ts";
import { giveToOwner, syncFolder } from "./key.ts";
import { schemaVersion } from "./migrations.ts";
import { giveUpReserve } from "./reserve.ts";
import { openAnew, openOrReplace, type Store } from "./store.ts";

const copyOf = (state: string, version: string) => join(state, `${databaseName}.of-${version}`);
/** What the newer version had made of it, for a person to look at; one is kept. */
const newerName = `${databaseName}.newer`;

/** Copies the database beside a running agent, whole or not at all. False: there is none. Rejects with SQLite's or the system's error. */
export async function copyBefore(state: string, version: string): Promise<boolean> {
  const [target, draft] = [copyOf(state, version), `${copyOf(state, version)}.part`];
  rmSync(draft, { force: true });
  if (!(await copyDatabase(state, draft))) return false;
  // SQLite has synced it; its name follows.
  giveToOwner(state, draft);
  renameSync(draft, target);
  syncFolder(state);
  return true;
}

/** Would this version, taking over again, find another database than it left? `copied`: there is a copy of its own. */
export function wouldRestore(state: string, version: string): "keeps" | "restores" | "no-copy" {
  const copied = versionOf(copyOf(state, version));
  if (copied === null) return "no-copy";
  return copied === versionOf(join(state, databaseName)) ? "keeps" : "restores";
}

export type Restored = {
  readonly db: string;
  /** Tables of which nothing could be taken over from the newer database. */
  readonly lost: readonly string[];
};

/**
 * Where a newer version has migrated the database and a copy of ours is there, the copy takes its place, under a new journal's name; null: it
 * does not. It is changed where it lies, so that neither room nor time for one more is needed. Cut off anywhere, the next start goes on: each
 * step may be done again, and the last one is a rename. The state must be locked. Throws SQLite's or the system's error.
 */
export function restoreCopy(state: string, version: string): Restored | null {
  const [file, copy] = [join(state, databaseName), copyOf(state, version)];
  if ((versionOf(file) ?? 0) <= schemaVersion || !existsSync(copy)) return null;
  rmSync(join(state, newerName), { force: true });
  // What is taken over needs a little room; the start sets it aside again.
  giveUpReserve(state);
  fold(file);
  const restored = takeOver(copy, file, `taken back from a newer matghi to ${version}`);
  linkSync(file, join(state, newerName));
  for (const suffix of besides) rmSync(`${file}${suffix}`, { force: true });
  renameSync(copy, file);
  syncFolder(state);
  return restored;
}

export type Own = { readonly store: Store; readonly restored: Restored | null; readonly failed: string | null };

/**
 * This version's own store: as it is, or the copy that takes its place. Where that fails (`failed`: why) the newer database is set aside and a
 * new one begun, since recording comes first. Throws the system's error where even that cannot be written.
 */
export function openOwn(state: string, version: string, nowMs: number): Own {
  try {
    const restored = restoreCopy(state, version);
    return { store: openOrReplace(state, nowMs).store, restored, failed: null };
  } catch (error) {
    if ((versionOf(join(state, databaseName)) ?? 0) <= schemaVersion) throw error;
    return { store: openAnew(state, nowMs).store, restored: null, failed: String(error) };
  }
}

const besides = ["-wal", "-shm"];

/** Its last writes are in its WAL, which would be read into the copy. A command that is just reading keeps it there; recording does not wait for it. */
function fold(file: string): void {
  try {
    openAlone(file).close();
  } catch {
    // Damaged: what can be read of it is taken over, the rest is named as lost.
  }
}

/** Boots, their clocks and runs, so that no number is used twice; what people wrote down; what was deleted meanwhile. Parents before children. */
const kept = ["boot", "clock_step", "run", "hold", "register", "viewer", "deletion"];

/** More runs than there are within a trial, where nobody can tell how many there were. */
const runGap = 1_000;

function takeOver(copy: string, newer: string, why: string): Restored {
  const db = openAlone(copy);
  try {
    db.pragma("foreign_keys = OFF");
    const isThere = succeeds(() => void db.prepare("ATTACH ? AS newer").run(newer));
    const steps: readonly (readonly [string, () => void])[] = [
      ["camera", () => takeCameras(db)],
      ...kept.map((table) => [table, () => merge(db, table)] as const),
      ["segment", () => takeFootage(db)],
    ];
    // All or nothing of one table: what the newer version has changed may not fit.
    const lost = steps.filter(([, step]) => !(isThere && succeeds(() => db.transaction(step).immediate()))).map(([table]) => table);
    if (lost.includes("run")) db.prepare("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'run'").run(runGap);
    return { db: renewJournalIn(db, why), lost };
  } finally {
    db.close();
  }
}

function succeeds(step: () => void): boolean {
  try {
    step();
    return true;
  } catch {
    return false;
  }
}

/** Due time of a camera that the copy had no closed file of begins where the newer version has it begin; what came since is open until the start settles it. */
function takeCameras(db: Database): void {
  db.exec(`INSERT OR IGNORE INTO main.camera (id, name) SELECT id, name FROM newer.camera;
    UPDATE main.camera AS c SET since_at = n.since_at, covered_at = n.since_at FROM newer.camera AS n
      WHERE n.id = c.id AND c.since_at IS NULL AND n.since_at IS NOT NULL`);
}

/** Rows of the newer table, which count where both have one of the same key. */
function merge(db: Database, table: string, key = "id"): void {
  const columns = columnsOfBoth(db, table);
  const changes = columns.map((name) => `${name} = excluded.${name}`).join(", ");
  db.exec(`${taking(table, columns)} WHERE true ON CONFLICT (${key}) DO UPDATE SET ${changes}`);
}

function columnsOfBoth(db: Database, table: string): readonly string[] {
  const columnsOf = (schema: string) => db.prepare("SELECT name FROM pragma_table_info(?, ?)").pluck().all(table, schema) as string[];
  const theirs = new Set(columnsOf("newer"));
  return columnsOf("main").filter((name) => theirs.has(name));
}

const taking = (table: string, columns: readonly string[]) =>
  `INSERT INTO main.${table} (${columns.join(", ")}) SELECT ${columns.join(", ")} FROM newer.${table} AS n`;

/**
 * Footage that went under its rule meanwhile is not missing; what was recorded meanwhile keeps the hash of its writing, and nothing is read for it.
 * A file whose row cannot be taken comes back with the next comparison.
 */
function takeFootage(db: Database): void {
  const isSame = "s.camera = n.camera AND s.run = n.run AND s.number = n.number";
  db.exec(`DELETE FROM main.segment AS s WHERE NOT EXISTS (SELECT 1 FROM newer.segment AS n WHERE ${isSame})`);
  // Numbers of rows are each database's own.
  const columns = columnsOfBoth(db, "segment").filter((name) => name !== "id");
  const parents = "n.run IN (SELECT id FROM main.run) AND n.camera IN (SELECT id FROM main.camera)";
  db.exec(`${taking("segment", columns)} WHERE ${parents} AND NOT EXISTS (SELECT 1 FROM main.segment AS s WHERE ${isSame}) ORDER BY n.id`);
  merge(db, "drawn", "camera, hour_at");
}
