/** Opens the SQLite file: pragmas, schema, migrations, and the lock that keeps a second agent out. The only import of better-sqlite3. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import { giveToOwner } from "./key.ts";
import { migrations, schemaVersion } from "./migrations.ts";

export type Database = Sqlite.Database;
export type Statement = Sqlite.Statement;

export const databaseName = "matghi.db";
const lockName = "lock";
/** Held in common by exports, alone by an update. */
const exportsName = "exports";
/** A short writer of the command line may hold the database this long before we give up. */
const busyMs = 2_000;

/** Full durability: better-sqlite3 would fall back to NORMAL in WAL, which loses committed rows at a power cut (measured: 185 of 1,050). */
const writerPragmas = [
  "journal_mode = WAL",
  "synchronous = FULL",
  "foreign_keys = ON",
  "wal_autocheckpoint = 400",
  "journal_size_limit = 4194304",
  "temp_store = MEMORY",
];

/** The database for the daemon, and for the few commands that write. Makes it where it is missing. Throws SQLite's error. */
export function openWriter(state: string): Database {
  mkdirSync(state, { recursive: true, mode: 0o750 });
  const file = join(state, databaseName);
  const isNew = !existsSync(file);
  const db = new Sqlite(file, { timeout: busyMs });
  try {
    // Before SQLite makes the files beside it, which take after it.
    if (isNew) giveToOwner(state, file);
    for (const pragma of writerPragmas) db.pragma(pragma);
    upgrade(db);
    check(db);
    return db;
  } catch (error) {
    db.close();
    throw named(state, error);
  }
}

/** Tables that a start reads or writes at once. The index of segments is left out: reading it all would hold up the recording. */
const checkedTables = ["meta", "boot", "clock_step", "run", "camera", "gap", "condition", "live", "event"];

/** Damage that a start would meet later is met now. Throws SQLITE_CORRUPT's like. */
function check(db: Database): void {
  for (const table of checkedTables) {
    const said = db.pragma(`quick_check(${table})`, { simple: true });
    if (said !== "ok") throw new Sqlite.SqliteError(String(said), "SQLITE_CORRUPT");
  }
  db.prepare("SELECT max(id), count(sha256) FROM (SELECT * FROM segment ORDER BY id DESC LIMIT 100)").get();
}

/** Reads the whole database for damage, beside a running agent too; null: there is none. */
export function whyBroken(state: string): string | null {
  try {
    const db = openReader(state);
    try {
      const said = db === null ? "ok" : String(db.pragma("quick_check(1)", { simple: true }));
      return said === "ok" ? null : said;
    } finally {
      db?.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The database cannot be read: the file is named, with what to do about it. */
export class BrokenDatabase extends Error {}

function named(state: string, error: unknown): unknown {
  if (!/^SQLITE_(NOTADB|CORRUPT)/.test(codeOf(error))) return error;
  const file = join(state, databaseName);
  return new BrokenDatabase(
    `${file} is damaged (${codeOf(error)}); the agent sets it aside at its next start and builds a new one from the footage: systemctl restart matghi`,
  );
}

/** So many broken databases are kept for a person to look at. */
const keptBroken = 2;

/** Renames the database and what belongs to it to `.broken-<time>`; returns the new name. Throws the system's error. */
export function setAside(state: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const name = `${databaseName}.broken-${stamp}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    const file = join(state, `${databaseName}${suffix}`);
    if (existsSync(file)) renameSync(file, join(state, `${name}${suffix}`));
  }
  const old = readdirSync(state)
    .filter((file) => /\.broken-\d{8}T\d{6}Z$/.test(file))
    .sort();
  for (const file of old.slice(0, -keptBroken))
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(state, `${file}${suffix}`), { force: true });
  return name;
}

/** The database for reading; null where there is none yet. Throws SQLite's error. */
export function openReader(state: string): Database | null {
  try {
    const db = new Sqlite(join(state, databaseName), { readonly: true, fileMustExist: true, timeout: busyMs });
    const version = db.pragma("user_version", { simple: true });
    if (version === schemaVersion) return db;
    db.close();
    if (version === 0) return null;
    throw new Error(`${join(state, databaseName)} has version ${version}, this matghi reads ${schemaVersion}`);
  } catch (error) {
    if (codeOf(error) === "SQLITE_CANTOPEN" || error instanceof TypeError) return null;
    throw named(state, error);
  }
}

/** A file's schema version; null: there is none, or it is no database. */
export function versionOf(file: string): number | null {
  try {
    const db = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: busyMs });
    try {
      return Number(db.pragma("user_version", { simple: true }));
    } finally {
      db.close();
    }
  } catch {
    return null;
  }
}

/** One file without a WAL beside it, for a change of places; opened for writing, nothing of it is upgraded. Throws SQLite's error. */
export function openAlone(file: string): Database {
  const db = new Sqlite(file, { fileMustExist: true, timeout: busyMs });
  try {
    db.pragma("journal_mode = DELETE");
    db.pragma("synchronous = FULL");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The file as it is, of whatever version and however damaged, for a look at it; null: there is none. Throws SQLite's error. */
export function openAsItIs(state: string): Database | null {
  const file = join(state, databaseName);
  return existsSync(file) ? new Sqlite(file, { readonly: true, fileMustExist: true, timeout: busyMs }) : null;
}

export const codeOf = (error: unknown): string => (error instanceof Sqlite.SqliteError ? error.code : "");

/** Brings a database to the newest version: a new one by schema.sql, an older one step by step. */
export function upgrade(db: Database): void {
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > schemaVersion)
    throw new Error(`the database has version ${version}, newer than this matghi (${schemaVersion}); install the newer matghi again`);
  if (version === 0) db.transaction(() => create(db)).exclusive();
  for (let step = Math.max(version, 1); step < schemaVersion && version > 0; step += 1) db.transaction(() => migrate(db, step)).exclusive();
}

function create(db: Database): void {
  if (Number(db.pragma("user_version", { simple: true })) > 0) return;
  db.exec(readFileSync(join(dirname(new URL(import.meta.url).pathname), "schema.sql"), "utf8"));
  db.pragma(`user_version = ${schemaVersion}`);
}

function migrate(db: Database, step: number): void {
  db.exec(migrations[step - 1] ?? "");
  db.pragma(`user_version = ${step + 1}`);
}

/**
 * Holds the state folder for one agent: an exclusive lock on a file of its own, which the system frees whenever and however we end.
 * Null when another agent holds it.
 */
export const lockState = (state: string): (() => void) | null => holdFile(state, lockName, ["BEGIN EXCLUSIVE"]);

/** For as long as footage is handed out: no update begins. Null: one is under way. */
export const lockExport = (state: string): (() => void) | null =>
  holdFile(state, exportsName, ["BEGIN", "SELECT count(*) FROM sqlite_master"]);

/** For an update: no export begins. Null: one is under way, or another update. */
export const lockExports = (state: string): (() => void) | null => holdFile(state, exportsName, ["BEGIN EXCLUSIVE"]);

/** Is footage handed out now, or an update under way? */
export function isExporting(state: string): boolean {
  const unlock = lockExports(state);
  unlock?.();
  return unlock === null;
}

function holdFile(state: string, name: string, steps: readonly string[]): (() => void) | null {
  mkdirSync(state, { recursive: true, mode: 0o750 });
  const file = join(state, name);
  const db = new Sqlite(file, { timeout: 0 });
  try {
    for (const step of steps) db.exec(step);
    giveToOwner(state, file);
    return () => db.close();
  } catch (error) {
    db.close();
    if (codeOf(error).startsWith("SQLITE_BUSY")) return null;
    throw error;
  }
}

/** Does an agent hold this state folder now? */
export function isLocked(state: string): boolean {
  try {
    const db = new Sqlite(join(state, lockName), { readonly: true, fileMustExist: true, timeout: 0 });
    try {
      db.prepare("SELECT count(*) FROM sqlite_master").get();
      return false;
    } finally {
      db.close();
    }
  } catch (error) {
    return codeOf(error).startsWith("SQLITE_BUSY");
  }
}
