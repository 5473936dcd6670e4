/** Faults in clock time, apart from camera-hours: a recorder that stops with 26 cameras is one fault. Pure. */
import { flapMs, interruptionsOf, type Loss } from "./flaps.ts";
import type { LedgerSpan } from "./ledger.ts";
import { isLoss } from "./tally.ts";
import type { Cause, Gap, Span, WallMs } from "./types.ts";

export type Fault = {
  /** Number in the ledger; the lowest where flaps joined several; null where the ledger gave none. */
  readonly fault: number | null;
  /** The cause of most of its lost time. */
  readonly cause: Cause;
  /** Where its gaps begin and end, also outside the period; `toAt` null while one of them lasts. */
  readonly fromAt: WallMs;
  readonly toAt: WallMs | null;
  /** Clock time in the period during which at least one of its cameras lost footage. */
  readonly durationMs: number;
  /** The same of the whole fault, also outside the period. */
  readonly wholeMs: number;
  readonly cameras: readonly string[];
  /** Camera time in the period: over all faults it adds up to the total's byCause. */
  readonly cameraMs: number;
};

/** A loss with its camera, and the gap row it came from. */
type Traced = Loss & { readonly camera: string; readonly row: Pick<Gap, "fromAt" | "toAt" | "fault"> };

export type Traceable = { readonly id: string; readonly spans: readonly LedgerSpan[]; readonly rows: readonly Gap[] };

/** The faults of some cameras, oldest first. Losses that core/flaps.ts joins, and gaps that share a number, are one fault. */
export function faultsOf(cameras: readonly Traceable[], endAt: WallMs): readonly Fault[] {
  const buckets = new Set<Bucket>();
  const byNumber = new Map<number, Bucket>();
  for (const camera of cameras) {
    for (const { losses } of interruptionsOf(tracedOf(camera))) {
      const numbers = [...new Set(losses.flatMap(({ row }) => (row.fault === null ? [] : [row.fault])))];
      const known = new Set(numbers.flatMap((number) => byNumber.get(number) ?? []));
      const bucket = gather(known, { losses: [...losses], numbers }, buckets);
      for (const number of bucket.numbers) byNumber.set(number, bucket);
    }
  }
  return [...buckets].map((bucket) => faultOf(bucket, endAt)).sort((a, b) => a.fromAt - b.fromAt);
}

type Bucket = { readonly losses: Traced[]; readonly numbers: number[] };

/** Puts `fresh` and all that it connects into one bucket. */
function gather(known: ReadonlySet<Bucket>, fresh: Bucket, buckets: Set<Bucket>): Bucket {
  const [first, ...others] = known;
  if (first === undefined) {
    buckets.add(fresh);
    return fresh;
  }
  for (const other of [...others, fresh]) {
    for (const loss of other.losses) first.losses.push(loss);
    for (const number of other.numbers) if (!first.numbers.includes(number)) first.numbers.push(number);
    buckets.delete(other);
  }
  return first;
}

function faultOf({ losses, numbers }: Bucket, endAt: WallMs): Fault {
  const rows = losses.map(({ row }) => row);
  const open = rows.some((row) => row.toAt === null);
  return {
    fault: numbers.length === 0 ? null : Math.min(...numbers),
    cause: mainCause(losses),
    fromAt: rows.reduce((at, row) => Math.min(at, row.fromAt), Number.POSITIVE_INFINITY),
    toAt: open ? null : rows.reduce((at, row) => Math.max(at, row.toAt ?? 0), 0),
    durationMs: lengthOf(union(losses)),
    wholeMs: lengthOf(union(rows.map((row) => ({ fromAt: row.fromAt, toAt: row.toAt ?? Math.max(endAt, row.fromAt) })))),
    cameras: [...new Set(losses.map(({ camera }) => camera))],
    cameraMs: lengthOf(losses),
  };
}

function mainCause(losses: readonly Traced[]): Cause {
  const ms = new Map<Cause, number>();
  for (const { cause, fromAt, toAt } of losses) ms.set(cause, (ms.get(cause) ?? 0) + toAt - fromAt);
  return [...ms].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["unknown" as Cause, 0] as const)[0];
}

/** Each loss with its row. Rows of a camera are in order and do not overlap; a loss without a row stands for itself. */
function tracedOf({ id, spans, rows }: Traceable): readonly Traced[] {
  let next = 0;
  return spans.filter(isLoss).map((span) => {
    while (next < rows.length && (rows[next]?.toAt ?? Number.POSITIVE_INFINITY) <= span.fromAt) next += 1;
    const row = rows[next];
    const found = row !== undefined && row.fromAt < span.toAt ? row : { fromAt: span.fromAt, toAt: span.toAt, fault: null };
    return { camera: id, fromAt: span.fromAt, toAt: span.toAt, cause: span.cause, row: found };
  });
}

/** Mean times in clock time; null where there are fewer than three faults to take a mean of. */
export type Means = { readonly repairMs: number | null; readonly betweenMs: number | null };

const fewest = 3;

/** `repairMs`: see `repairOf`. `betweenMs`: good time for each fault. Flaps that never added up to a minute are no faults here. */
export function meansOf(cameras: readonly Traceable[], faults: readonly Fault[], period: Span): Means {
  const real = faults.filter(({ durationMs }) => durationMs >= flapMs);
  return { repairMs: repairOf(faults, period), betweenMs: real.length < fewest ? null : Math.round(goodMs(cameras) / real.length) };
}

/** Mean clock time of the faults that ended in the period, each in its whole length; null where they are fewer than three. */
export function repairOf(faults: readonly Fault[], period: Span): number | null {
  const closed = faults.filter(({ durationMs, toAt }) => durationMs >= flapMs && toAt !== null && toAt <= period.toAt);
  return closed.length < fewest ? null : Math.round(closed.reduce((ms, fault) => ms + fault.wholeMs, 0) / closed.length);
}

/** Clock time in which something was due and known, and no camera lost footage. */
function goodMs(cameras: readonly Traceable[]): number {
  const isKnown = (span: LedgerSpan) => span.kind !== "unknown" && (span.kind !== "gap" || isLoss(span));
  const known = union(cameras.flatMap(({ spans }) => spans.filter(isKnown)));
  return lengthOf(known) - lengthOf(union(cameras.flatMap(({ spans }) => spans.filter(isLoss))));
}

/** The same time without overlaps, in order. */
function union(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const { fromAt, toAt } of [...spans].sort((a, b) => a.fromAt - b.fromAt)) {
    const last = result.at(-1);
    if (last !== undefined && fromAt <= last.toAt) result[result.length - 1] = { fromAt: last.fromAt, toAt: Math.max(last.toAt, toAt) };
    else result.push({ fromAt, toAt });
  }
  return result;
}

const lengthOf = (spans: readonly Span[]): number => spans.reduce((ms, { fromAt, toAt }) => ms + toAt - fromAt, 0);
