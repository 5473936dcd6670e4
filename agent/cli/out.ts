/** Writes what a command hands out: whole or not at all. */
import { closeSync, fchmodSync, fchownSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { exit, Refusal } from "./context.ts";

/** Throws the Refusal of `writeWhole` as far as it can be told before anything is done for it. */
export function checkPlace(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
    throw new Refusal(exit.wrongUse, `--out ${file}: not a file; name a file in a folder that is there`);
  if (statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Refusal(exit.needsPerson, `--out ${file}: ${dirname(file)} is no folder; choose one that is there and can be written`);
}

/** Puts `text` into `file` and returns its bytes. A file that is there is replaced; a device, a pipe or a folder is not. Throws a Refusal. */
export function writeWhole(file: string, text: string): number {
  checkPlace(file);
  const body = Buffer.from(text, "utf8");
  try {
    replaceFile(file, body, null);
  } catch (error) {
    throw new Refusal(exit.needsPerson, `--out ${file}: ${messageOf(error)}; choose a folder that is there and can be written`);
  }
  return body.length;
}

export type Keeping = { readonly mode: number; readonly uid: number; readonly gid: number };

/** Puts `body` in the place of `file`, with this mode and owner from its first moment on; null: as any new file. Throws the system's error. */
export function replaceFile(file: string, body: Buffer, keeping: Keeping | null): void {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.part`);
  try {
    writeSynced(temporary, body, keeping);
    renameSync(temporary, file);
    syncFolder(dirname(file));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Puts `text` into `file` unless it stands there already with this mode and owner; true where it was written. */
export function putIfOther(file: string, text: string, keeping: Keeping): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  const isSame =
    found !== undefined && (found.mode & 0o777) === keeping.mode && found.uid === keeping.uid && readFileSync(file, "utf8") === text;
  if (!isSame) replaceFile(file, Buffer.from(text), keeping);
  return !isSame;
}

function writeSynced(file: string, body: Buffer, keeping: Keeping | null): void {
  // A link that somebody else laid here is not followed.
  const handle = openSync(file, "wx", keeping === null ? 0o666 : 0o600);
  try {
    if (keeping !== null) {
      fchownSync(handle, keeping.uid, keeping.gid);
      fchmodSync(handle, keeping.mode);
    }
    for (let at = 0; at < body.length; ) at += writeSync(handle, body, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : String(error));
