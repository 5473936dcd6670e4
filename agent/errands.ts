/** What officers' keys had a box make: `<state>/errands/KEY/ID`, a shelf for each key. What nobody comes for goes, and a shelf goes with its key. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** As deploy/station/README.md promises. */
const keptMs = 7 * 86_400_000;

/** Where a key's errands lie. The name is part of a path (`keyNamed`). */
export const shelfOf = (state: string, key: string): string => join(state, "errands", key);

/** Takes away what has lain on every key's shelf for a week, whether its key is still there or not; resolves with how many errands that were. */
export async function clearShelves(state: string, nowUtc: number): Promise<number> {
  let gone = 0;
  for (const key of await namesIn(join(state, "errands"))) gone += await clearShelf(shelfOf(state, key), nowUtc);
  return gone;
}

/** The same for one shelf. */
export async function clearShelf(shelf: string, nowUtc: number): Promise<number> {
  let gone = 0;
  for (const name of await namesIn(shelf)) {
    const lies = await stat(join(shelf, name)).catch(() => null);
    // What is dated a week ahead was made while the clock was wrong: its age is never known, so it goes too.
    if (lies === null || Math.abs(nowUtc - lies.mtimeMs) <= keptMs) continue;
    await rm(join(shelf, name), { recursive: true, force: true });
    gone += 1;
  }
  return gone;
}

/** None where there is no such folder: no errand has been run yet, or the key went meanwhile. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
}
