/** Rotation: asks the plan, dooms rows, unlinks files, forgets rows. A crash between any two of these loses nothing and leaves nothing. */

import type { Clock, Footage } from "../hal/ports.ts";
import type { DeletionReason, Write } from "./core/change.ts";
import { segmentPath } from "./core/path.ts";
import { type Limits, planSweep } from "./core/retention.ts";
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

/** Bytes of the folder: closed files by the index, open ones as last seen. */
export function makeUsage(store: Pick<Store, "totals">, eyes: ReadonlyMap<string, Eye>) {
  let closedBytes = store.totals().bytes;
  return {
    bytes: () => closedBytes + [...eyes.values()].reduce((sum, eye) => sum + eye.openBytes, 0),
    add: (bytes: number) => {
      closedBytes += bytes;
    },
    recount: () => {
      closedBytes = store.totals().bytes;
    },
  };
}
export type Usage = ReturnType<typeof makeUsage>;

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
      deps.gate.suspect();
    }
    await deps.clock.sleep(sweepEveryMs, signal);
  }
}

/** A full disk is the one kind of trouble that deleting cures; on any other nothing is touched. */
const canDelete = (deps: SweepDeps) => deps.gate.value() === "ok" || deps.gate.value() === "full";

/** One sweep. Rows doomed by an earlier life go first. */
export async function sweepOnce(deps: SweepDeps, usage: Usage, growthBytes = 0): Promise<void> {
  await unlinkDoomed(deps, usage);
  const { freeBytes } = await deps.footage.inspect(deps.store.meta("folder"));
  const room = { nowAt: deps.time.nowUtc(), usedBytes: usage.bytes() + growthBytes, freeBytes: freeBytes - growthBytes };
  const oldestAt = deps.store.oldestEndAt();
  const plan = planSweep(deps.limits(), room, oldestAt === null ? null : deps.time.dating().toUtc(oldestAt));
  if (plan === null) return;
  if (plan.olderThanAt !== null && !deps.isDoubtful()) await deleteOlder(deps, usage, deps.time.dating().fromUtc(plan.olderThanAt));
  if (plan.bytes > 0) await deleteOldest(deps, usage, plan.bytes, plan.bytesWhy);
}

async function deleteOlder(deps: SweepDeps, usage: Usage, at: number): Promise<void> {
  for (;;) {
    const batch = deps.store.olderThan(at, batchRows);
    if (batch.length === 0) return;
    await deleteBatch(deps, usage, batch, "age");
  }
}

async function deleteOldest(deps: SweepDeps, usage: Usage, bytes: number, why: DeletionReason): Promise<void> {
  let left = bytes;
  while (left > 0) {
    const batch: SegmentRow[] = [];
    for (const segment of deps.store.oldest(batchRows)) {
      if (left <= 0) break;
      batch.push(segment);
      left -= segment.bytes;
    }
    if (batch.length === 0) return;
    await deleteBatch(deps, usage, batch, why);
  }
}

async function deleteBatch(deps: SweepDeps, usage: Usage, batch: readonly SegmentRow[], why: DeletionReason): Promise<void> {
  const moment = deps.time.moment();
  const iso = (at: number) => new Date(at).toISOString();
  const bytes = batch.reduce((sum, segment) => sum + segment.bytes, 0);
  const data = {
    ...{ why, segments: batch.length, bytes, cameras: [...new Set(batch.map((segment) => segment.camera))] },
    from: iso(Math.min(...batch.map((segment) => segment.startAt))),
    to: iso(Math.max(...batch.map((segment) => segment.endAt))),
  };
  const event: Write = { put: "event", moment, type: "footage.deleted", level: "info", data };
  const doomed = deps.store.commit([{ put: "doom", segments: batch.map((segment) => segment.id), why, at: moment.at }, event]);
  if (doomed.kind === "waiting" && deps.gate.value() !== "full") throw new Error(`the database takes nothing (${doomed.why})`);
  await unlinkAll(deps, usage, batch);
}

async function unlinkDoomed(deps: SweepDeps, usage: Usage): Promise<void> {
  for (;;) {
    const batch = deps.store.doomed(batchRows);
    if (batch.length === 0) return;
    await unlinkAll(deps, usage, batch);
  }
}

async function unlinkAll(deps: SweepDeps, usage: Usage, batch: readonly SegmentRow[]): Promise<void> {
  for (const segment of batch) await deps.footage.remove(segmentPath(segment));
  deps.store.commit([{ put: "forget", segments: batch.map((segment) => segment.id) }]);
  usage.add(-batch.reduce((sum, segment) => sum + segment.bytes, 0));
}
