/** The mark of the footage disk: made once, adopted when the state is new, never written over by itself. */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Footage } from "../hal/ports.ts";
import type { Store } from "./store/store.ts";

/** Gives a folder that was never used its mark. A folder that should carry one and does not is left alone: its disk is not mounted. */
export async function claimFolder(folder: string, site: string, footage: Footage, store: Pick<Store, "meta" | "commit">): Promise<void> {
  if (store.meta("folder") !== null) return;
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder, { recursive: true });
  const mark = await footage.readMark();
  if (mark !== null && mark.site !== site) return;
  const id = mark?.folder ?? randomUUID();
  if (mark === null) await footage.writeMark({ site, folder: id });
  store.commit([{ put: "folder", folder: id }]);
}

export type Adopted =
  | { readonly kind: "adopted"; readonly gone: number }
  | { readonly kind: "refused"; readonly reason: "already in service" | "another site's" | "no folder" };

/** Takes a blank or replaced disk into service; what was on the old one becomes deleted. */
export async function adoptDisk(site: string, footage: Footage, store: Store, nowAt: number): Promise<Adopted> {
  const reading = await footage.inspect(null);
  if (reading.value === "missing" || reading.value === "failing") return { kind: "refused", reason: "no folder" };
  const mark = await footage.readMark();
  if (mark !== null && mark.folder === store.meta("folder")) return { kind: "refused", reason: "already in service" };
  if (mark !== null && mark.site !== site) return { kind: "refused", reason: "another site's" };
  const id = mark?.folder ?? randomUUID();
  if (mark === null) await footage.writeMark({ site, folder: id });
  const gone = store.abandonFootage("disk replaced", nowAt);
  store.commit([{ put: "folder", folder: id }]);
  return { kind: "adopted", gone };
}
