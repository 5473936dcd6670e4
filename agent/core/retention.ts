/** What must go, and why: pure plans; agent/sweep.ts does the deeds. Oldest first over all cameras; never held, never the open file. */
import type { DeletionReason } from "./change.ts";
import type { WallMs } from "./types.ts";

export type Limits = { readonly maxAgeMs: number; readonly sizeBytes: number | null; readonly freeBytes: number };
export type Room = {
  readonly nowAt: WallMs;
  /** Closed and open files of the footage folder. */
  readonly usedBytes: number;
  /** Free on its disk. */
  readonly freeBytes: number;
};

/** What a sweep should do: delete all that ended before `olderThanAt`, and `bytes` more, oldest first. */
export type Plan = { readonly olderThanAt: WallMs | null; readonly bytes: number; readonly bytesWhy: DeletionReason };

/** A sweep frees a little more than it must, so that steady rotation is one record each few minutes, not one a segment. */
const slackShare = 0.02;
const ageSlackMs = 10 * 60_000;

/** Nothing to do is null. `oldestEndAt` is the oldest kept segment's end. */
export function planSweep(limits: Limits, room: Room, oldestEndAt: WallMs | null): Plan | null {
  if (oldestEndAt === null) return null;
  const cutAt = room.nowAt - limits.maxAgeMs;
  const olderThanAt = oldestEndAt < cutAt - Math.min(ageSlackMs, limits.maxAgeMs * 0.01) ? cutAt : null;
  const oversize = limits.sizeBytes === null ? 0 : excess(room.usedBytes, limits.sizeBytes);
  const shortage = limits.freeBytes > room.freeBytes ? limits.freeBytes - room.freeBytes + slack(limits.freeBytes) : 0;
  const bytes = Math.max(oversize, shortage);
  if (olderThanAt === null && bytes === 0) return null;
  return { olderThanAt, bytes, bytesWhy: oversize >= shortage ? "size" : "free space" };
}

/** The size limit is kept from below: a sweep starts a slack before it. */
function excess(usedBytes: number, limitBytes: number): number {
  const fromBytes = limitBytes - slack(limitBytes);
  return usedBytes > fromBytes ? usedBytes - fromBytes + slack(limitBytes) : 0;
}

const slack = (bytes: number) => Math.round(bytes * slackShare);

/** What holds take of what is recorded from now on. */
export type HeldInflow = {
  /** What may still be written: free on the disk, and files that rotation may take. */
  readonly roomBytes: number;
  readonly bytesPerDay: number;
  /** How long the longest of these holds reaches from now. */
  readonly forMs: number;
};

/** How long until held footage alone has filled the disk; null: its holds end before, or none reaches into the future. */
export function heldFullIn({ roomBytes, bytesPerDay, forMs }: HeldInflow): number | null {
  if (bytesPerDay <= 0) return null;
  const inMs = (Math.max(0, roomBytes) / bytesPerDay) * 86_400_000;
  return inMs < forMs ? inMs : null;
}

/** Days until the oldest footage must go, from what came in lately; what is held takes room and never goes. null where it cannot be told. */
export function forecastDays(usedBytes: number, freeBytes: number, bytesPerDay: number, limits: Limits, heldBytes = 0): number | null {
  if (bytesPerDay <= 0) return null;
  const byDisk = usedBytes + Math.max(0, freeBytes - limits.freeBytes);
  const room = Math.max(0, Math.min(byDisk, limits.sizeBytes ?? byDisk) - heldBytes);
  return Math.min(limits.maxAgeMs / 86_400_000, room / bytesPerDay);
}
