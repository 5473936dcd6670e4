/** Does the deeds of an update, one after the other. Each is over before the next begins; what a name stands for is on the disk before the name. */
import { constants } from "node:fs";
import { open, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Packages } from "../hal/ports.ts";
import type { Deed } from "./core/update.ts";

export type UpdateHands = {
  /** The folder of the versions. */
  readonly root: string;
  /** The package that was checked, and what of it becomes a version. */
  readonly file: string;
  readonly inside: string;
  readonly packages: Pick<Packages, "unpack" | "sync">;
  /** Throws where the version that stands there is of no use here. */
  readonly tryOut: (home: string, version: string) => Promise<void>;
  readonly copyDatabase: (of: string) => Promise<unknown>;
  /** What cannot be written down is not done: throws then. */
  readonly writeDown: (from: string, to: string) => void;
};

/** Rejects with the first deed's error; the ones after it are not done. */
export async function perform(hands: UpdateHands, deeds: readonly Deed[]): Promise<void> {
  for (const deed of deeds) await act(hands, deed);
}

async function act(hands: UpdateHands, deed: Deed): Promise<void> {
  const at = (path: string) => join(hands.root, path);
  switch (deed.do) {
    case "remove":
      return rm(at(deed.path), { recursive: true, force: true });
    case "unpack":
      return hands.packages.unpack(hands.file, hands.inside, at(deed.to));
    case "try":
      return hands.tryOut(at(deed.path), deed.version);
    case "sync":
      return hands.packages.sync(at(deed.path));
    case "rename":
      await rename(at(deed.from), at(deed.to));
      return syncFolder(dirname(at(deed.to)));
    case "copy-database":
      await hands.copyDatabase(deed.of);
      return;
    case "write-down":
      return hands.writeDown(deed.from, deed.to);
    case "write":
      return write(at(deed.path), deed.text);
    case "link":
      await symlink(deed.to, at(deed.path));
      return syncFolder(dirname(at(deed.path)));
  }
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o644);
  try {
    await file.writeFile(text);
    // The agent reads it, whatever root's mask is.
    await file.chmod(0o644);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
