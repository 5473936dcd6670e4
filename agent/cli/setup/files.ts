/** Writes what a setup has planned: the configuration last, so that it never names what is not there; each file whole or not at all. */
import { accessSync, chownSync, constants, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Settings } from "../../config/schema.ts";
import { exit, Refusal } from "../context.ts";
import { type Keeping, putIfOther } from "../out.ts";

/** A file that belongs to the site: the agent's, or root's own. */
export type Piece = {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  readonly folderMode: number;
  readonly reader: "agent" | "root";
};
/** `kept`: where the configuration that was there is now. */
export type Written = { readonly isNew: boolean; readonly kept: string | null };

const user = "matghi";
const configMode = 0o640;

/** Before anybody is asked anything: may we write there at all? Throws a Refusal. */
export function checkWritable(file: string): void {
  try {
    accessSync(firstThere(dirname(file)), constants.W_OK);
  } catch {
    throw new Refusal(exit.wrongUse, `${dirname(file)} cannot be written; run it as root: sudo matghi setup`);
  }
}

const firstThere = (path: string): string => (existsSync(path) || path === "/" ? path : firstThere(dirname(path)));

/** Where a write fails, what was made new before it is taken away again. Throws a Refusal. */
export function writeAll(file: string, text: string, pieces: readonly Piece[], { recording, site }: Settings): Written {
  const owner = ownerOf();
  const made: string[] = [];
  try {
    for (const { path, text: body, mode, folderMode, reader } of pieces) {
      const holder = reader === "agent" ? owner : own();
      makeFolder(dirname(path), folderMode, holder, true);
      if (!existsSync(path)) made.push(path);
      putIfOther(path, body, { mode, ...holder });
    }
    for (const folder of [recording.folder, site.state]) makeFolder(folder, 0o700, owner, false);
    makeFolder(dirname(file), 0o755, owner, true);
    return putConfig(file, text, owner);
  } catch (error) {
    for (const path of made) rmSync(path, { force: true });
    const { code, path } = error as NodeJS.ErrnoException;
    throw new Refusal(exit.needsPerson, `${path ?? file} cannot be written (${code ?? String(error)}); nothing was set up`);
  }
}

/** One that is there is kept beside the new one; one that says the same is left as it is. */
function putConfig(file: string, text: string, owner: Owner): Written {
  const before = existsSync(file) ? readFileSync(file, "utf8") : null;
  if (before === text) return { isNew: false, kept: null };
  const kept = before === null ? null : `${file}.${new Date().toISOString().slice(0, 19).replace(/\D/g, "")}`;
  if (kept !== null) linkSync(file, kept);
  putIfOther(file, text, { mode: configMode, uid: process.getuid?.() ?? owner.uid, gid: owner.gid });
  return { isNew: true, kept };
}

type Owner = Pick<Keeping, "uid" | "gid">;

const own = (): Owner => ({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });

/** The agent's account, where root sets up a box that has it; else our own. */
function ownerOf(): Owner {
  if (own().uid !== 0) return own();
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${user}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid === undefined || gid === undefined ? own() : { uid: Number(uid), gid: Number(gid) };
}

function makeFolder(folder: string, mode: number, owner: Owner, isRoots: boolean): void {
  if (existsSync(folder)) {
    // A disk that was just mounted is root's.
    const isBlank = () => readdirSync(folder).every((name) => name === "lost+found");
    if (!isRoots && statSync(folder).uid === 0 && owner.uid !== 0 && isBlank()) chownSync(folder, owner.uid, owner.gid);
    return;
  }
  // What leads to it must be passable for the agent.
  mkdirSync(dirname(folder), { recursive: true, mode: 0o755 });
  mkdirSync(folder, { mode });
  if (process.getuid?.() === 0) chownSync(folder, isRoots ? 0 : owner.uid, owner.gid);
}
