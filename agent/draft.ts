/** An evidence folder while it is being made: what is put into it is durable and hashed on the way, so that the list of hashes reads little again. */
import { createHash } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { evidenceNames } from "./core/manifest.ts";
import type { BoxKey } from "./store/key.ts";

const readBytes = 1 << 20;

export type Copied = { readonly sha256: string; readonly bytes: number };
export type Unreadable = { readonly unreadable: string };

/**
 * Names of files are relative to its folder. Each act rejects with the system's error where the medium takes nothing; what is still on its way there
 * when an act resolves is waited for by the next or by the seal, which rejects in its place.
 */
export type Draft = {
  readonly folder: string;
  /** Byte for byte; what an earlier try copied as `expected` is left. Resolves with what was read, or why the source cannot be. */
  copy(source: string, file: string, expected: Copied): Promise<Copied | Unreadable>;
  write(file: string, content: string | Buffer): Promise<void>;
  /** Takes in what another program wrote into the folder. */
  take(file: string): void;
  /** The list of the hashes and its signature: nothing may be written after it. */
  seal(key: BoxKey): Promise<void>;
};

/** Where there is a link in the folder's place, its files would be another's. */
export const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );

export async function openDraft(folder: string): Promise<Draft> {
  await mkdir(folder, { recursive: true });
  // A link in a file's place would have something else written to.
  await clear(folder, (entry) => !entry.isFile());
  const hashes = new Map<string, Promise<string>>();
  let flushing: Promise<void> = Promise.resolve();
  const pathOf = async (file: string): Promise<string> => {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    return join(folder, file);
  };
  /** One file goes to the medium while the next is read. */
  const flush = async (file: FileHandle, target: string): Promise<void> => {
    await flushing;
    flushing = syncOrDrop(file, target).finally(() => file.close());
    flushing.catch(ignore);
  };
  const copyTo = async (source: string, target: string): Promise<Copied | Unreadable> => {
    const file = await open(target, "w", 0o644);
    try {
      const copied = await pour(source, file);
      if ("unreadable" in copied) await file.close();
      else await flush(file, target);
      return copied;
    } catch (error) {
      await file.close();
      throw error;
    }
  };
  return {
    folder,
    copy: async (source, file, expected) => {
      const target = await pathOf(file);
      const copied = (await isThere(target, expected)) ? expected : await copyTo(source, target);
      if ("sha256" in copied) hashes.set(file, Promise.resolve(copied.sha256));
      return copied;
    },
    write: async (file, content) => {
      await writeDurably(await pathOf(file), content);
      hashes.set(file, Promise.resolve(createHash("sha256").update(content).digest("hex")));
    },
    take: (file) => {
      const hash = hashDurably(join(folder, file));
      hash.catch(ignore);
      hashes.set(file, hash);
    },
    seal: async (key) => {
      await flushing;
      await clear(folder, (entry) => !hashes.has(nameIn(folder, entry)));
      const lines = [...hashes].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(async ([file, hash]) => `${await hash}  ${file}\n`);
      const sums = (await Promise.all(lines)).join("");
      await writeDurably(join(folder, evidenceNames.sums), sums);
      await writeDurably(join(folder, evidenceNames.signature), key.sign(Buffer.from(sums)));
      for (const each of await foldersUnder(folder)) await syncFolder(each);
    },
  };
}

/** A failure that is told where its promise is waited for. */
const ignore = () => undefined;

/** After a failed sync the file reads as it should, from memory, and is not on the medium: a next try must not find it. */
async function syncOrDrop(file: FileHandle, target: string): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

/** Takes away what an earlier try, of another wish perhaps, or anybody has left: what is signed was made here. */
async function clear(folder: string, isForeign: (entry: Dirent) => boolean): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) if (!entry.isDirectory() && isForeign(entry)) await rm(join(entry.parentPath, entry.name), { force: true });
}

async function isThere(path: string, { bytes, sha256 }: Copied): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.size === bytes && (await hashDurably(path)) === sha256;
}

/** Reads a file as it is and has it on the medium. */
async function hashDurably(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path, "r+");
  try {
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: readBytes })) hash.update(chunk as Buffer);
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

async function pour(source: string, target: FileHandle): Promise<Copied | Unreadable> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(source, { highWaterMark: readBytes })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      await target.writeFile(chunk as Buffer);
    }
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall !== "open" && syscall !== "read") throw error;
    return { unreadable: message };
  }
  return { sha256: hash.digest("hex"), bytes };
}

async function writeDurably(path: string, content: string | Buffer): Promise<void> {
  const file = await open(path, "w", 0o644);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Some media know no such thing as a folder's sync. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    await handle.close();
  }
}

/** Bytes of all that lies in a folder and below. */
export async function bytesUnder(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** A folder and those below it. */
async function foldersUnder(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return [folder, ...entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))];
}

/** Relative to a folder, with slashes. */
const nameIn = (folder: string, { parentPath, name }: Dirent): string => relative(folder, join(parentPath, name)).split(sep).join("/");
