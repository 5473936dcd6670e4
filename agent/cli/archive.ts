/** A `.tar.gz` written part by part: whole or not at all, for the owner's eyes, and never over a file that is there. */
import { link, open, rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { tarEnd, tarHeader, tarPadding } from "../core/tar.ts";

export type Entry = { readonly name: string; readonly body: Buffer };

/** Writes the entries as they come; returns the archive's bytes. Throws the system's error; `EEXIST` where `file` is there. */
export async function writeArchive(file: string, entries: AsyncIterable<Entry>, modifiedMs: number, signal: AbortSignal): Promise<number> {
  if ((await stat(file).catch(() => null)) !== null) throw Object.assign(new Error("it is there already"), { code: "EEXIST" });
  const draft = `${file}.part`;
  await rm(draft, { force: true });
  const handle = await open(draft, "wx", 0o600);
  try {
    await pipeline(blocks(entries, modifiedMs), createGzip(), handle.createWriteStream({ flush: true }), { signal });
    await claim(draft, file);
    return (await stat(file)).size;
  } finally {
    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
  }
}

async function* blocks(entries: AsyncIterable<Entry>, modifiedMs: number): AsyncIterable<Uint8Array> {
  for await (const { name, body } of entries) {
    yield tarHeader(name, body.length, modifiedMs);
    yield body;
    yield tarPadding(body.length);
  }
  yield tarEnd();
}

/** Gives the draft its name; of two who write the same file at once the first keeps it. Memory sticks know no links: there the last look counts. */
async function claim(draft: string, file: string): Promise<void> {
  try {
    await link(draft, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || (await stat(file).catch(() => null)) !== null) throw error;
    await rename(draft, file);
  }
}
