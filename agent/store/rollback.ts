/**
 * A database that was rolled back – an older copy in its place, a disk that lost what it took – as the beat beside it tells. Its next numbers
 * were given before, so its journal goes by another name (contract §7).
 */
import { type Beat, readBeat } from "./beat.ts";
import { renameJournal, renewJournal } from "./copy.ts";
import { openStore, type Store } from "./store.ts";

/** The journal as the database has it; `lastRun`: of those that wrote in it; null: none did. */
export type Kept = { readonly db: string; readonly lastG: number; readonly lastRun: number | null };

/**
 * Does the database lack what it had at a beat? Under the beat's own name by its events; under another by its runs, since no number of theirs
 * comes twice: a journal that was begun after the beat's knows a later one. One name too many costs nothing but telling all again.
 */
export const isRolledBack = (beat: Beat | null, { db, lastG, lastRun }: Kept): boolean =>
  beat !== null && beat.db !== null && (beat.db === db ? beat.g > lastG : lastRun !== null && beat.run > lastRun);

/**
 * A disk that lost what it took lacks seconds or minutes, since a run renews its row every second. What lacks more is taken for a copy: what
 * became of the time since is unknown, as after a backup, and not one long power cut.
 */
const mostLostMs = 600_000;

/** `renamed`: what the journal is called now. `failed`: why it should be and is not. Null each where there is nothing to say. */
export type Named = { readonly store: Store; readonly renamed: string | null; readonly failed: string | null };

/** The store that was opened; or, where it was rolled back, the same one opened again under another name. Rejects, closed, where it cannot be opened. */
export async function underOwnName(opened: Store, state: string): Promise<Named> {
  let renamed: string;
  try {
    const beat = await readBeat(state);
    if (beat === null || !isRolledBack(beat, keptIn(opened))) return { store: opened, renamed: null, failed: null };
    const rename = beat.at - opened.latestAt() > mostLostMs ? renewJournal : renameJournal;
    // It stays open beside this: where the name cannot be written, recording goes on with it.
    renamed = rename(state, "older than its last beat");
  } catch (error) {
    return { store: opened, renamed: null, failed: String(error) };
  }
  // What it holds in memory of the journal is the old one's.
  opened.close();
  return { store: openStore(state), renamed, failed: null };
}

const keptIn = ({ journal, lastOwnRun }: Store): Kept => ({ db: journal.dbId(), lastG: journal.lastG(), lastRun: lastOwnRun() });
