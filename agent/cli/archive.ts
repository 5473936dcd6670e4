/** Files written whole or not at all, for the owner's eyes, and never over one that is there; and tar, written and read part by part. */
import { link, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip, type Gzip } from "node:zlib";
import { tarEnd, tarHeader, tarPadding, tarRead } from "../core/tar.ts";
import { exit, Refusal } from "./context.ts";

/** `bytes` where the body is a stream of just that length. */
export type Entry =
  | { readonly name: string; readonly body: Buffer; readonly bytes?: undefined }
  | { readonly name: string; readonly body: AsyncIterable<Uint8Array>; readonly bytes: number };

/** Throws the Refusal of `writeFileOnce` before a person was asked anything for it. */
export async function checkNew(file: string): Promise<void> {
  const kindOf = (path: string) => stat(path).catch(() => null);
  if ((await kindOf(file)) !== null) throw taken(file);
  if ((await kindOf(dirname(file)))?.isDirectory() !== true)
    throw new Refusal(exit.needsPerson, `--out ${file}: ${dirname(file)} is no folder; choose one that is there and can be written`);
}

const taken = (file: string) => new Refusal(exit.wrongUse, `--out ${file} is there already; name another file`);

/** Writes a stream into a new file, through gzip where asked; returns its bytes. Throws a Refusal. */
export async function writeFileOnce(file: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal, gzip?: Gzip): Promise<number> {
  try {
    return await writeDraft(file, source, gzip === undefined ? [] : [gzip], signal);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw taken(file);
    throw new Refusal(exit.needsPerson, `--out ${file}: ${code ?? String(error)}; choose a folder that is there and can be written`);
  }
}

export const writeArchive = (file: string, entries: AsyncIterable<Entry>, signal: AbortSignal): Promise<number> =>
  writeFileOnce(file, tarBytes(entries, Date.now()), signal, createGzip());

async function writeDraft(file: string, source: AsyncIterable<Uint8Array>, through: readonly Gzip[], signal: AbortSignal): Promise<number> {
  if ((await stat(file).catch(() => null)) !== null) throw Object.assign(new Error("it is there already"), { code: "EEXIST" });
  const draft = `${file}.part`;
  await rm(draft, { force: true });
  const handle = await open(draft, "wx", 0o600);
  try {
    const sink = handle.createWriteStream({ flush: true });
    await (through[0] === undefined ? pipeline(source, sink, { signal }) : pipeline(source, through[0], sink, { signal }));
    await claim(draft, file);
    return (await stat(file)).size;
  } finally {
    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
  }
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

/** The bytes of a tar. */
export async function* tarBytes(entries: AsyncIterable<Entry>, modifiedMs: number): AsyncIterable<Uint8Array> {
  for await (const { name, body, bytes } of entries) {
    const length = bytes ?? body.length;
    yield tarHeader(name, length, modifiedMs);
    if (bytes === undefined) yield body;
    else yield* body;
    yield tarPadding(length);
  }
  yield tarEnd();
}

/** The files of a tar as `tarBytes` writes it. Each body must be read, or is passed over, before the next. Throws where it is none, or cut. */
export async function* untar(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly name: string; readonly body: AsyncIterable<Buffer> }> {
  const reader = source[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);
  const take = async (most: number): Promise<Buffer> => {
    while (held.length === 0) {
      const { done, value } = await reader.next();
      if (done === true) throw new Error("the archive is cut");
      held = Buffer.from(value);
    }
    const piece = held.subarray(0, most);
    held = held.subarray(piece.length);
    return piece;
  };
  const whole = async (bytes: number): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for (let left = bytes; left > 0; left -= parts.at(-1)?.length ?? 0) parts.push(await take(left));
    return Buffer.concat(parts);
  };
  for (;;) {
    const header = tarRead(await whole(512));
    if (header === null) break;
    let left = header.bytes;
    const body = async function* () {
      while (left > 0) {
        const piece = await take(left);
        left -= piece.length;
        yield piece;
      }
    };
    yield { name: header.name, body: body() };
    while (left > 0) left -= (await take(left)).length;
    await whole(tarPadding(header.bytes).length);
  }
  // To the end, so that what follows was checked too.
  for (let next = await reader.next(); next.done !== true; next = await reader.next());
}
