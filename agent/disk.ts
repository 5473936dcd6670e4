/** The mark of the footage disk: made once, adopted when the state is new, never written over by itself. */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock, Footage } from "../hal/ports.ts";
import type { Change } from "./core/change.ts";
import { addTolls, type Toll, tellToll, tollOf } from "./core/toll.ts";
import type { WallMs } from "./core/types.ts";
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

export type NotAdopted = "already in service" | "another site's" | "no folder";
export type Adopted = { readonly kind: "adopted"; readonly gone: number } | { readonly kind: "refused"; readonly reason: NotAdopted };
export type AdoptDeps = {
  readonly site: string;
  readonly footage: Footage;
  readonly store: Pick<Store, "meta" | "commit" | "segments" | "doomed">;
  readonly clock: Clock;
  readonly nowAt: () => WallMs;
};

/** Takes a blank or replaced disk into service; what was on the old one becomes deleted. Interrupted, it goes on where it is begun again. */
export async function adoptDisk(deps: AdoptDeps, signal: AbortSignal): Promise<Adopted> {
  const { site, footage, store } = deps;
  const reason = await whyNotAdopted(deps, store.meta("folder"));
  if (reason !== null) return { kind: "refused", reason };
  const mark = await footage.readMark();
  const id = mark?.folder ?? randomUUID();
  if (mark === null) await footage.writeMark({ site, folder: id });
  // Until the folder's id is written the disk is another one to a running agent, and nothing is recorded or deleted.
  const toll = await abandonFootage(deps, signal);
  const told = tellToll(momentOf(deps), "disk replaced", toll);
  write(store, [{ put: "folder", folder: id }, { put: "note", note: "abandoned", text: null }, ...told]);
  return { kind: "adopted", gone: toll?.segments ?? 0 };
}

/** `inService`: id of the folder that is recorded to; null: none. Answers null where nothing speaks against the disk. */
export async function whyNotAdopted(
  { site, footage }: Pick<AdoptDeps, "site" | "footage">,
  inService: string | null,
): Promise<NotAdopted | null> {
  const { value } = await footage.inspect(null);
  if (value === "missing" || value === "failing") return "no folder";
  const mark = await footage.readMark();
  if (mark === null) return null;
  if (mark.folder === inService) return "already in service";
  return mark.site === site ? null : "another site's";
}

const momentOf = ({ clock, nowAt }: AdoptDeps) => ({ at: nowAt(), monoMs: Math.round(clock.monoMs()), clock: clock.trust() });

/** Rows a transaction, and a pause after it: a running agent waits for no more than one of them. */
const batchRows = 1_000;
const pauseMs = 50;

/** Takes all rows. What went so far is written with each batch, so that one event can tell of them all. */
async function abandonFootage(deps: AdoptDeps, signal: AbortSignal): Promise<Toll | null> {
  const { store, clock } = deps;
  let toll = JSON.parse(store.meta("abandoned") ?? "null") as Toll | null;
  for (let batch = store.segments(batchRows); batch.length > 0; batch = store.segments(batchRows)) {
    toll = addTolls(toll, tollOf(batch));
    const segments = batch.map(({ id }) => id);
    write(store, [
      { put: "doom", segments, why: "disk replaced", at: deps.nowAt() },
      { put: "forget", segments },
      { put: "note", note: "abandoned", text: JSON.stringify(toll) },
    ]);
    await clock.sleep(pauseMs, signal);
    if (signal.aborted) throw new Error("stopped half-way; run matghi adopt-disk again");
  }
  // Deleted under their rule before; only their files went with the disk.
  for (let batch = store.doomed(batchRows); batch.length > 0; batch = store.doomed(batchRows))
    write(store, [{ put: "forget", segments: batch.map(({ id }) => id) }]);
  return toll;
}

function write(store: Pick<Store, "commit">, change: Change): void {
  const done = store.commit(change);
  if (done.kind === "waiting") throw new Error(`the database takes nothing (${done.why}); run matghi adopt-disk again`);
}
