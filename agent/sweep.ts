/** Rotation: asks the plan, dooms rows, unlinks files, forgets rows. A crash between any two of these loses nothing and leaves nothing. */

import type { Clock, DiskReading, Footage, Removal } from "../hal/ports.ts";
import type { DeletionReason } from "./core/change.ts";
import { segmentPath } from "./core/path.ts";
import { type Limits, planSweep } from "./core/retention.ts";
import { tellToll, tollOf } from "./core/toll.ts";
import type { DiskValue, WallMs } from "./core/types.ts";
import type { Eye } from "./eye.ts";
import type { Gate } from "./gate.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { SegmentRow } from "./store/reads.ts";
import type { Store } from "./store/store.ts";

export type SweepDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Store;
  readonly footage: Footage;
  readonly gate: Gate;
  readonly log: Log;
  readonly eyes: ReadonlyMap<string, Eye>;
  readonly limits: () => Limits;
  /** The clock may be far ahead: nothing goes for its age now. */
  readonly isDoubtful: () => boolean;
};

const sweepEveryMs = 5_000;
/** Rows a transaction: short enough that a segment's row never waits long for it. */
const batchRows = 200;

/** Names that are kept of files that cannot be unlinked, so that each is said once. */
const mostNamed = 100;

/** What the folder holds, by the index and as last seen. */
export function makeUsage(store: Pick<Store, "totals">, eyes: ReadonlyMap<string, Eye>) {
  let closedBytes = store.totals().bytes;
  return {
    /** Closed files and open ones. */
    bytes: () => closedBytes + [...eyes.values()].reduce((sum, eye) => sum + eye.openBytes, 0),
    add: (bytes: number) => {
      closedBytes += bytes;
    },
    recount: () => {
      closedBytes = store.totals().bytes;
    },
    /** `add` may have missed something. */
    isStale: false,
    /** Doomed files that cannot be unlinked: the row behind which the next look at them begins, and those that were said. */
    stuck: { afterId: 0, said: new Set<string>() },
  };
}
export type Usage = ReturnType<typeof makeUsage>;

/** Counts the bytes of each segment that reaches the index, and tells whether the disk takes what is written. */
export function countingStore(store: Store, add: (bytes: number) => void, committed: (taken: boolean) => void): Store {
  return {
    ...store,
    commit: (change) => {
      for (const write of change) if (write.put === "segment") add(write.segment.bytes);
      const result = store.commit(change);
      committed(result.kind === "written");
      return result;
    },
  };
}

export async function sweep(deps: SweepDeps, usage: Usage, signal: AbortSignal): Promise<void> {
  let leftBytes = usage.bytes();
  while (!signal.aborted) {
    try {
      // What the cameras wrote since the last sweep they will write until the next: the limit must hold then too.
      const growthBytes = Math.max(0, usage.bytes() - leftBytes);
      if (canDelete(deps)) await sweepOnce(deps, usage, growthBytes);
      leftBytes = usage.bytes();
    } catch (error) {
      deps.log.error({ err: String(error) }, "footage that must go could not be deleted; the next sweep tries again");
      usage.isStale = true;
      deps.gate.suspect();
    }
    await deps.clock.sleep(sweepEveryMs, signal);
  }
}

/** A full disk is the one kind of trouble that deleting cures; on any other nothing is touched. */
const isCurable = (value: DiskValue) => value === "ok" || value === "full";
const canDelete = (deps: SweepDeps) => isCurable(deps.gate.value());

/**
 * The disk as it is now, which the gate may have seen two seconds ago. Null where deleting cures nothing: an empty mount point has the room
 * of another disk and none of the files, and a disk that fails has neither.
 */
async function lookAtDisk(deps: SweepDeps): Promise<DiskReading | null> {
  const reading = await deps.footage.inspect(deps.store.meta("folder"));
  if (isCurable(reading.value)) return reading;
  deps.gate.suspect();
  return null;
}

/** One sweep. Rows doomed by an earlier life go first. */
export async function sweepOnce(deps: SweepDeps, usage: Usage, growthBytes = 0): Promise<void> {
  await unlinkDoomed(deps, usage);
  const disk = await lookAtDisk(deps);
  if (disk === null) return;
  recountIfStale(deps, usage);
  const room = { nowAt: deps.time.nowUtc(), usedBytes: usage.bytes() + growthBytes, freeBytes: disk.freeBytes - growthBytes };
  const oldestAt = deps.store.oldestEndAt();
  const plan = planSweep(deps.limits(), room, oldestAt === null ? null : deps.time.dating().toUtc(oldestAt));
  if (plan === null) return;
  if (plan.olderThanAt !== null && !deps.isDoubtful()) await deleteOlder(deps, usage, deps.time.dating().fromUtc(plan.olderThanAt));
  if (plan.bytes > 0) await deleteOldest(deps, usage, plan.bytes, plan.bytesWhy);
}

/** Another disk was adopted beside us, or a change was not written when it was counted. Only what is written can be counted anew. */
function recountIfStale(deps: SweepDeps, usage: Usage): void {
  if (deps.store.changedOutside()) usage.isStale = true;
  if (!usage.isStale || deps.store.commit([]).kind === "waiting") return;
  usage.recount();
  usage.isStale = false;
}

async function deleteOlder(deps: SweepDeps, usage: Usage, at: WallMs): Promise<void> {
  for (;;) {
    const batch = deps.store.olderThan(at, batchRows);
    if ((await deleteBatch(deps, usage, batch, "age")) === 0) return;
  }
}

async function deleteOldest(deps: SweepDeps, usage: Usage, bytes: number, why: DeletionReason): Promise<void> {
  for (let left = bytes; left > 0; ) {
    const freed = await deleteBatch(deps, usage, worth(deps.store.oldest(batchRows), left), why);
    if (freed === 0) return;
    left -= freed;
  }
}

/** As many of the first rows as it takes. */
function worth(rows: readonly SegmentRow[], bytes: number): readonly SegmentRow[] {
  let sum = 0;
  const enough = rows.findIndex((row) => {
    sum += row.bytes;
    return sum >= bytes;
  });
  return enough < 0 ? rows : rows.slice(0, enough + 1);
}

/** Resolves with the bytes that are gone; 0 ends the sweep. */
async function deleteBatch(deps: SweepDeps, usage: Usage, batch: readonly SegmentRow[], why: DeletionReason): Promise<number> {
  if (batch.length === 0 || (await lookAtDisk(deps)) === null) return 0;
  const moment = deps.time.moment();
  const segments = batch.map((segment) => segment.id);
  const doomed = deps.store.commit([{ put: "doom", segments, why, at: moment.at }, ...tellToll(moment, why, tollOf(batch))]);
  if (doomed.kind === "waiting" && deps.gate.value() !== "full") throw new Error(`the database takes nothing (${doomed.why})`);
  // A hold that was acknowledged a moment ago is kept: what it covers was not doomed. A disk so full that nothing is written has no new holds.
  const isDoomed = doomed.kind === "waiting" ? null : deps.store.doomedOf(segments);
  const freed = await unlinkAll(
    deps,
    usage,
    batch.filter(({ id }) => isDoomed === null || isDoomed.has(id)),
  );
  if (freed === 0) deps.gate.suspect();
  return freed;
}

/** What is doomed from an earlier life, or stuck. A batch of which nothing goes is enough for once; the next sweep goes on behind it. */
async function unlinkDoomed(deps: SweepDeps, usage: Usage): Promise<void> {
  for (;;) {
    const batch = deps.store.doomed(batchRows, usage.stuck.afterId);
    usage.stuck.afterId = batch.at(-1)?.id ?? 0;
    if (batch.length === 0 || (await lookAtDisk(deps)) === null || (await unlinkAll(deps, usage, batch)) === 0) return;
  }
}

/** Resolves with the bytes that are gone. Rows of files that are stuck stay doomed. */
async function unlinkAll(deps: SweepDeps, usage: Usage, batch: readonly SegmentRow[]): Promise<number> {
  const { removed, stuck } = await deps.footage.removeAll(batch.map(segmentPath));
  // On a disk that went away meanwhile every file is gone from sight.
  if ((await lookAtDisk(deps)) === null) return 0;
  sayStuck(deps, usage, stuck);
  const paths = new Set(removed);
  const gone = batch.filter((segment) => paths.has(segmentPath(segment)));
  if (gone.length === 0) return 0;
  const forgotten = deps.store.commit([{ put: "forget", segments: gone.map((segment) => segment.id) }]);
  if (forgotten.kind === "waiting") throw new Error(`the database takes nothing (${forgotten.why})`);
  const bytes = gone.reduce((sum, segment) => sum + segment.bytes, 0);
  usage.add(-bytes);
  return bytes;
}

function sayStuck(deps: SweepDeps, usage: Usage, stuck: Removal["stuck"]): void {
  const fresh = stuck.filter(({ path }) => !usage.stuck.said.has(path)).slice(0, mostNamed - usage.stuck.said.size);
  if (fresh.length === 0) return;
  for (const { path } of fresh) usage.stuck.said.add(path);
  const files = fresh.slice(0, 5).map(({ path, reason }) => `${path}: ${reason}`);
  deps.log.error({ files, count: stuck.length }, "footage that must go cannot be deleted; the rest goes on: check the disk (fsck)");
  deps.gate.suspect();
}
