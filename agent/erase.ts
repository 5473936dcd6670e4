/**
 * Deletes footage on an officer's word, the way of rotation: doomed, unlinked, forgotten. Beside a running agent too: whoever comes second to
 * a doomed file finds it gone. Interrupted, what is doomed goes with the agent's next sweep, and the rest stays.
 */
import type { Footage } from "../hal/ports.ts";
import type { Change, Moment } from "./core/change.ts";
import { segmentPath } from "./core/path.ts";
import { tellToll, tollOf } from "./core/toll.ts";
import type { SegmentRow } from "./store/reads.ts";
import type { Store } from "./store/store.ts";

export type EraseDeps = {
  readonly store: Pick<Store, "commit" | "doomedOf" | "meta">;
  readonly footage: Pick<Footage, "inspect" | "removeAll">;
  readonly moment: () => Moment;
};
/** `kept`: files that a hold took meanwhile; `stuck`: files that are doomed and could not be unlinked yet. */
export type Erased = { readonly files: number; readonly bytes: number; readonly kept: number; readonly stuck: number };

/** Rows a transaction: short enough that a segment's row never waits long for it. */
const batchRows = 200;

/** The disk cannot be deleted from; nothing of what is left was touched. */
export class NoDisk extends Error {}

/** Throws `NoDisk`, or where the database takes nothing. */
export async function eraseFootage(deps: EraseDeps, segments: readonly SegmentRow[]): Promise<Erased> {
  let erased: Erased = { files: 0, bytes: 0, kept: 0, stuck: 0 };
  for (let i = 0; i < segments.length; i += batchRows) {
    const { files, bytes, kept, stuck } = await eraseBatch(deps, segments.slice(i, i + batchRows));
    erased = { files: erased.files + files, bytes: erased.bytes + bytes, kept: erased.kept + kept, stuck: erased.stuck + stuck };
  }
  return erased;
}

async function eraseBatch(deps: EraseDeps, batch: readonly SegmentRow[]): Promise<Erased> {
  await checkDisk(deps);
  const moment = deps.moment();
  const segments = batch.map(({ id }) => id);
  write(deps, [{ put: "doom", segments, why: "by hand", at: moment.at }, ...tellToll(moment, "by hand", tollOf(batch))]);
  const isDoomed = deps.store.doomedOf(segments);
  const doomed = batch.filter(({ id }) => isDoomed.has(id));
  const removed = new Set((await deps.footage.removeAll(doomed.map(segmentPath))).removed);
  // On a disk that went away meanwhile every file is gone from sight: the rows stay doomed.
  await checkDisk(deps);
  const gone = doomed.filter((segment) => removed.has(segmentPath(segment)));
  write(deps, [{ put: "forget", segments: gone.map(({ id }) => id) }]);
  const bytes = gone.reduce((sum, segment) => sum + segment.bytes, 0);
  return { files: gone.length, bytes, kept: batch.length - doomed.length, stuck: doomed.length - gone.length };
}

/** An empty mount point has none of the files, and each would count as gone. */
async function checkDisk({ footage, store }: EraseDeps): Promise<void> {
  const { value } = await footage.inspect(store.meta("folder"));
  if (value !== "ok" && value !== "full") throw new NoDisk(value);
}

function write({ store }: EraseDeps, change: Change): void {
  const done = store.commit(change);
  if (done.kind === "waiting") throw new Error(`the database takes nothing (${done.why}); free its disk and run the same command again`);
}
