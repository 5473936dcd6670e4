/** What footage goes at once, as the event of its deletion says it. */
import type { DeletionReason, Moment, Write } from "./change.ts";
import type { Level, Segment, WallMs } from "./types.ts";

export type Toll = {
  readonly segments: number;
  readonly bytes: number;
  readonly cameras: readonly string[];
  readonly fromAt: WallMs;
  readonly toAt: WallMs;
};

/** Null where nothing goes. */
export function tollOf(rows: readonly Pick<Segment, "camera" | "bytes" | "startAt" | "endAt">[]): Toll | null {
  return rows.reduce<Toll | null>((toll, { camera, bytes, startAt, endAt }) => {
    return addTolls(toll, { segments: 1, bytes, cameras: [camera], fromAt: startAt, toAt: endAt });
  }, null);
}

export function addTolls(a: Toll | null, b: Toll | null): Toll | null {
  if (a === null || b === null) return a ?? b;
  const cameras = [...new Set([...a.cameras, ...b.cameras])];
  const span = { fromAt: Math.min(a.fromAt, b.fromAt), toAt: Math.max(a.toAt, b.toAt) };
  return { segments: a.segments + b.segments, bytes: a.bytes + b.bytes, cameras, ...span };
}

/** Rules are routine; what went without one is for somebody to look at. */
const levels: Record<DeletionReason, Level> = {
  age: "info",
  size: "info",
  "free space": "info",
  "disk replaced": "warn",
  "file missing": "warn",
  "by hand": "warn",
};

/** Taken by no rule of rotation, which anybody can reckon from how long footage is kept. */
export const isOutOfRule = (why: string): boolean => !["age", "size", "free space"].includes(why);

/** The event, or nothing where nothing goes. Belongs into the transaction that takes the rows. */
export function tellToll(moment: Moment, why: DeletionReason, toll: Toll | null): readonly Write[] {
  if (toll === null) return [];
  const { segments, bytes, cameras, fromAt, toAt } = toll;
  const data = { why, segments, bytes, cameras, from: new Date(fromAt).toISOString(), to: new Date(toAt).toISOString() };
  return [{ put: "event", moment, type: "footage.deleted", level: levels[why], data }];
}
