/** Copies of the database: made while the agent writes, and given a new journal when they take its place. */
import { randomUUID } from "node:crypto";
import type { WallMs } from "../core/types.ts";
import { type Database, openAsItIs, openWriter } from "./database.ts";
import { makeReads, type Reads } from "./reads.ts";

/** SQLite's online backup: consistent, also while the agent writes. False: there is no database. Rejects with SQLite's error. */
export async function copyDatabase(state: string, target: string): Promise<boolean> {
  const db = openAsItIs(state);
  if (db === null) return false;
  try {
    // In one go: each write of the agent in between would make it begin anew, for ever on a slow disk.
    await db.backup(target, { progress: () => 0x7fffffff });
    return true;
  } finally {
    db.close();
  }
}

/** The run went on writing after the copy was made: no number of its events is given twice. */
const numberGap = 1_000_000;

/**
 * The journal begins anew under another name, as one that was rolled back must (contract §7): what the station has of the old one stays
 * true, all that is kept goes out again and is told apart by its ids. Days and months are told again too. Returns the name.
 */
export const renewJournal = (state: string, why: string): string => inWriter(state, (db) => renewJournalIn(db, why));

/** As `renewJournal`, in a database that is open. */
export function renewJournalIn(db: Database, why: string): string {
  return db
    .transaction(() => {
      db.prepare("INSERT INTO meta VALUES ('restored', ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(why);
      return renameJournalIn(db, why);
    })
    .immediate();
}

/** As `renewJournal`, of a database that lacks its newest rows and no more: the files tell the rest, as after any cut. */
export const renameJournal = (state: string, why: string): string => inWriter(state, (db) => renameJournalIn(db, why));

function inWriter(state: string, act: (db: Database) => string): string {
  const db = openWriter(state);
  try {
    return act(db);
  } finally {
    db.close();
  }
}

function renameJournalIn(db: Database, why: string): string {
  const name = randomUUID().slice(0, 8);
  db.transaction(() => {
    db.prepare("DELETE FROM meta WHERE key IN ('cursor', 'acked', 'retained') OR key LIKE 'page:%'").run();
    db.prepare("INSERT INTO meta VALUES ('db', ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(name);
    const reads = makeReads(db);
    const run = reads.lastRun();
    if (run === null) return;
    // Done before by a start that was cut off, the run's own count may have been taken over anew.
    const used = "max(seq, (SELECT coalesce(max(e.seq), 0) FROM event e WHERE e.run = run.id))";
    const seq = db.prepare(`UPDATE run SET seq = ${used} + ? WHERE id = ? RETURNING seq`).pluck().get(numberGap, run.id);
    db.prepare(
      "INSERT INTO event (run, seq, at, mono_ms, clock, type, level, keep, data) VALUES (?, ?, ?, 0, 'unset', 'journal.reset', 'alarm', 3, ?)",
    ).run(run.id, seq, latestIn(db, reads), JSON.stringify({ brokenAs: why, db: name }));
  }).immediate();
  return name;
}

/** The newest moment that is known: a run that `repair` made from its files has no beat of its own. */
const latestIn = (db: Database, reads: Reads): WallMs =>
  Math.max(reads.latestAt(), Number(db.prepare("SELECT coalesce(max(end_at), 0) FROM segment").pluck().get()));
