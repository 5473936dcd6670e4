/** Where versions of this agent stand side by side, and what lies there about them. */
import { readFileSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readTrial, readUndone, type Standing, standingOf, type Trial, type Undone } from "./core/trial.ts";

export const systemRoot = "/opt/matghi";

/** The folder of the versions, where `folder` is that of one of them (`<root>/versions/<version>`); null: it runs from a checkout. */
export function rootOf(folder: string): string | null {
  const versions = dirname(folder);
  return basename(versions) === "versions" ? dirname(versions) : null;
}

/** Empty where there is none that can be read; `warn` is told why one that is there cannot be read. */
export function textAt(file: string, warn: (line: string) => void = () => undefined): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") warn(`${file} cannot be read: ${(error as Error).message}`);
    return "";
  }
}

/** The version in use by the link, null where there is none. */
export function currentOf(root: string): string | null {
  try {
    return basename(readlinkSync(join(root, "current")));
  } catch {
    return null;
  }
}

export const reportFile = (state: string): string => join(state, "trial");

export function standingAt(root: string): Standing {
  const trial = textAt(join(root, "trial"));
  const state = readTrial(trial)?.state ?? "";
  return standingOf(currentOf(root) ?? "", { trial, report: textAt(reportFile(state)), undone: textAt(join(root, "undone")) });
}

/** What a version has to know of itself at its start: it is on trial, or has taken over again. */
export type Fate = { readonly trial: Trial | null; readonly undone: Undone | null };

export function fateOf(folder: string, warn: (line: string) => void): Fate {
  const root = rootOf(folder);
  if (root === null) return { trial: null, undone: null };
  const trial = readTrial(textAt(join(root, "trial"), warn));
  const undone = readUndone(textAt(join(root, "undone"), warn));
  const own = basename(folder);
  return { trial: undone === null && trial?.version === own ? trial : null, undone: undone?.previous === own ? undone : null };
}
