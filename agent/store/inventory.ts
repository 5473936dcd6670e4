/** The database from outside: its build, its state and its figures, never its rows. Works on damaged files as far as they can be read. */
import { type Database, openAsItIs } from "./database.ts";

/** Notes that say how far we are; the others hold texts of people. */
const plainNotes = ["db", "cursor", "acked", "folder", "fault", "broken", "reset", "audit"];
const dayMs = 86_400_000;
const mostDays = 10_000;

/** What could be told; each subject on its own, an error in its place where it could not. null: there is no database. */
export function inventoryOf(state: string): Readonly<Record<string, unknown>> | null {
  return looking(state, (db) => {
    const one = (text: string) => db.prepare(text).pluck().get();
    const tables = told(() => db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").pluck().all() as string[]);
    const counts = typeof tables === "string" ? tables : tables.map((name) => [name, told(() => one(`SELECT count(*) FROM "${name}"`))]);
    return {
      sqlite: told(() => one("SELECT sqlite_version()")),
      pragmas: Object.fromEntries(
        ["user_version", "journal_mode", "page_size", "page_count", "freelist_count"].map((name) => [
          name,
          told(() => db.pragma(name, { simple: true })),
        ]),
      ),
      integrity: told(() => db.pragma("integrity_check(20)")),
      rows: Array.isArray(counts) ? Object.fromEntries(counts) : counts,
      notes: told(() =>
        Object.fromEntries(
          (db.prepare("SELECT key, value FROM meta").raw().all() as [string, string][]).filter(([key]) => plainNotes.includes(key)),
        ),
      ),
      runs: told(() => db.prepare("SELECT r.*, b.boot_id FROM run r JOIN boot b ON b.id = r.boot ORDER BY r.id DESC LIMIT 200").all()),
      clockSteps: told(() => db.prepare("SELECT * FROM clock_step ORDER BY id DESC LIMIT 200").all()),
      events: told(() => db.prepare("SELECT type, level, count(*) AS count FROM event GROUP BY type, level").all()),
      schema: told(() => db.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").pluck().all()),
    };
  });
}

/** Files of each camera by day (UTC on the scale of the rows), of the days since. Flags as in schema.sql. */
export const segmentDays = (state: string, days: number): unknown =>
  looking(state, (db) =>
    told(() =>
      db
        .prepare(
          `SELECT c.name AS camera, date(s.end_at / 1000, 'unixepoch') AS day, count(*) AS files, sum(s.bytes) AS bytes,
           min(s.bytes) AS smallestBytes, max(s.bytes) AS largestBytes, sum(s.end_at - s.start_at) AS playMs, max(s.end_at - s.start_at) AS longestMs,
           sum(s.flags & 1) AS fallback, sum(s.flags >> 1 & 1) AS torn, sum(s.flags >> 2 & 1) AS holdover, sum(s.flags >> 3 & 1) AS unset,
           sum(s.flags >> 4 & 1) AS doomed FROM camera c CROSS JOIN segment s ON s.camera = c.id
           WHERE s.end_at > (SELECT max(end_at) FROM segment) - ? GROUP BY 1, 2 ORDER BY 1, 2 LIMIT ${mostDays}`,
        )
        .all(days * dayMs),
    ),
  );

function looking<T>(state: string, look: (db: Database) => T): T | { readonly error: string } | null {
  let db: Database | null = null;
  try {
    db = openAsItIs(state);
    return db === null ? null : look(db);
  } catch (error) {
    return { error: String(error) };
  } finally {
    db?.close();
  }
}

/** The answer, or the error as text. */
function told<T>(ask: () => T): T | string {
  try {
    return ask();
  } catch (error) {
    return `error: ${String(error)}`;
  }
}
