/**
 * What officers' keys had a box make: `<state>/errands/KEY/ID`, a shelf for each key, and beside it `ID.about`. What nobody comes for goes, and a
 * shelf goes with its key.
 */
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CopyOf, readCopyOf } from "./core/erasure.ts";
import { unfinished } from "./core/manifest.ts";
import { bytesUnder } from "./draft.ts";

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

export type ErrandPlace = { readonly key: string; readonly id: string; readonly place: string };

/** Every errand of which anything lies on a shelf. */
export async function errandsIn(state: string): Promise<readonly ErrandPlace[]> {
  const found: ErrandPlace[] = [];
  for (const key of await namesIn(join(state, "errands"))) {
    const names = await namesIn(shelfOf(state, key));
    const ids = new Set(names.flatMap((name) => /^[0-9a-f]{16}(?=\.|$)/.exec(name)?.[0] ?? []));
    found.push(...[...ids].map((id) => ({ key, id, place: join(shelfOf(state, key), id) })));
  }
  return found;
}

/** A sheet while it is made. */
export const sheetDraft = (place: string): string => `${place}.sheet`;
/** Under these names lies what an errand made, or has made of it so far, in the order in which they replace each other. */
const copiesOf = (place: string): readonly string[] => [`${place}${unfinished}`, sheetDraft(place), place];

/** Bytes that an errand has taken so far. */
export async function takenBytes(place: string): Promise<number> {
  let bytes = 0;
  for (const copy of copiesOf(place)) bytes += await bytesUnder(copy).catch(() => 0);
  return bytes;
}

/** Does a copy of footage lie there, whole or not? A folder in which no byte came to stand is none. Rejects where that cannot be read. */
export async function hasCopy(place: string): Promise<boolean> {
  const bytes = await Promise.all(copiesOf(place).map(bytesIn));
  return bytes.some((each) => each > 0);
}

/** None where there is nothing. */
const bytesIn = (folder: string): Promise<number> =>
  bytesUnder(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return 0;
    throw error;
  });

/** Of what an errand's copy is; null: that was never written down, or is torn. */
export const aboutOf = async (place: string): Promise<CopyOf | null> =>
  readCopyOf(await readFile(`${place}.about`, "utf8").catch(() => ""));

/** Written before a copy is begun: what is deleted by hand goes from the shelves too. */
export const writeAbout = (place: string, about: CopyOf): Promise<void> =>
  writeFile(`${place}.about`, JSON.stringify(about), { mode: 0o600, flush: true });

/** Takes an errand's copy away, and what was written about it. */
export async function dropCopy(place: string): Promise<void> {
  for (const copy of copiesOf(place)) await rm(copy, { recursive: true, force: true });
  await rm(`${place}.about`, { force: true });
}

/** None where there is no such folder: no errand has been run yet, or the key went meanwhile. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
}
