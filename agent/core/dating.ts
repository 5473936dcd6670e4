/**
 * From the scale on which rows stand to UTC, applied when reading; nothing stored is rewritten.
 *
 * Rows stand on a scale that never steps and never runs backwards: within a boot its epoch plus the monotonic clock, and each boot begins
 * after everything that the one before it wrote. So a time alone tells its boot, and one number a boot, its offset, turns it into UTC.
 * The newest step of a boot dates the whole boot. Order holds and nothing overlaps: where offsets would make two boots overlap, the one
 * whose clock was never synchronised yields.
 */
import type { WallMs } from "./types.ts";

/** Milliseconds since 1970, as far as they are known: what people and machines outside are told. */
export type UtcMs = number;

/** One boot on the stored scale, oldest first in every list. */
export type DatedBoot = {
  readonly fromAt: WallMs;
  /** Last moment at which it is known to have lived. */
  readonly toAt: WallMs;
  /** What must be added to its times, by its newest step. */
  readonly offsetMs: number;
  /** Was its clock synchronised at that step or since. */
  readonly synced: boolean;
};

export type Dating = {
  toUtc(at: WallMs): UtcMs;
  /** The stored time that reads as `utc`; between two boots, the edge of one of them. */
  fromUtc(utc: UtcMs): WallMs;
};

/** When no clock ever stepped: the stored scale is UTC. */
export const plainDating: Dating = { toUtc: (at) => at, fromUtc: (utc) => utc };

export function makeDating(boots: readonly DatedBoot[]): Dating {
  if (boots.every((boot) => boot.offsetMs === 0)) return plainDating;
  const offsets = settleOffsets(boots);
  const last = boots.length - 1;
  const fromAt = (i: number) => boots[i]?.fromAt ?? 0;
  const offset = (i: number) => offsets[i] ?? 0;
  const begins = (i: number) => (i > last ? Number.POSITIVE_INFINITY : fromAt(i) + offset(i));
  return {
    toUtc: (at) => {
      const i = lastWhere(last, (n) => fromAt(n) <= at);
      return Math.min(at + offset(i), begins(i + 1));
    },
    fromUtc: (utc) => {
      const i = lastWhere(last, (n) => begins(n) <= utc);
      return Math.min(utc - offset(i), i === last ? Number.POSITIVE_INFINITY : fromAt(i + 1));
    },
  };
}

/** Offsets under which no boot begins before the one before it ended. */
function settleOffsets(boots: readonly DatedBoot[]): readonly number[] {
  const offsets = boots.map((boot) => boot.offsetMs);
  const overlapMs = (i: number) => {
    const [a, b] = [boots[i], boots[i + 1]];
    return a === undefined || b === undefined ? 0 : a.toAt + (offsets[i] ?? 0) - (b.fromAt + (offsets[i + 1] ?? 0));
  };
  for (let i = boots.length - 2; i >= 0; i -= 1)
    if (overlapMs(i) > 0 && boots[i]?.synced === false && boots[i + 1]?.synced === true) offsets[i] = (offsets[i] ?? 0) - overlapMs(i);
  for (let i = 0; i < boots.length - 1; i += 1) if (overlapMs(i) > 0) offsets[i + 1] = (offsets[i + 1] ?? 0) + overlapMs(i);
  return offsets;
}

/** Highest index up to `last` for which `test` holds, 0 where it holds for none; `test` holds from the beginning up to some index. */
function lastWhere(last: number, test: (index: number) => boolean): number {
  let [low, high] = [0, last];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (test(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

const isoTime = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z/g;

/** The same facts with every ISO time in them read through `dating`: events and evidence keep the stored scale. */
export function redate<T>(facts: T, dating: Dating): T {
  if (dating === plainDating) return facts;
  if (typeof facts === "string") return facts.replace(isoTime, (text) => new Date(dating.toUtc(Date.parse(text))).toISOString()) as T;
  if (Array.isArray(facts)) return facts.map((entry) => redate(entry, dating)) as T;
  if (typeof facts !== "object" || facts === null) return facts;
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, redate(value, dating)])) as T;
}

/** The wall clock stood still against the monotonic one within this; more is a step. Both are slewed alike, so they part by steps only. */
export const stepMs = 500;
