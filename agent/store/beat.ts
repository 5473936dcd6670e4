/**
 * `<state>/beat`: alive then, for certain. A power cut is dated by it to a few seconds at the cost of one block a beat: written in place,
 * so that the file system has nothing but data to write. Two places by turns, so that a torn write leaves the one before it.
 */
import { constants, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { WallMs } from "../core/types.ts";

const beatName = "beat";
/** A block of the disk for each of the two places. */
const placeBytes = 4_096;

/** `db` and `g`: the journal and its newest event, which outlive a database that is put back from an older copy; null and 0 where they are not told. */
export type Beat = { readonly run: number; readonly at: WallMs; readonly db: string | null; readonly g: number };

/** Writes the `turn`-th beat, durably. Rejects with the system's error. */
export async function writeBeat(state: string, beat: Beat, turn: number): Promise<void> {
  const file = await open(join(state, beatName), constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    if ((await file.stat()).size !== 2 * placeBytes) await file.write(Buffer.alloc(2 * placeBytes), 0, 2 * placeBytes, 0);
    const line = Buffer.from(`${JSON.stringify(beat)}\n`);
    await file.write(line, 0, line.length, (turn % 2) * placeBytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The latest beat; null where there is none that can be read. */
export async function readBeat(state: string): Promise<Beat | null> {
  const bytes = await readFile(join(state, beatName)).catch(() => Buffer.alloc(0));
  const beats = [0, placeBytes].flatMap((from) => parseBeat(bytes.subarray(from, from + placeBytes)) ?? []);
  return beats.reduce<Beat | null>((latest, beat) => (latest === null || beat.at > latest.at ? beat : latest), null);
}

function parseBeat(place: Buffer): Beat | null {
  try {
    const { run, at, db = null, g = 0 } = JSON.parse(place.subarray(0, Math.max(0, place.indexOf("\n"))).toString("utf8")) as Partial<Beat>;
    return typeof run === "number" && typeof at === "number" ? { run, at, db, g } : null;
  } catch {
    return null;
  }
}
