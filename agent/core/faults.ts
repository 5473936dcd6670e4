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

/** One camera's losses: those that are faults by themselves, and those whose number other cameras may share. */
export type Trace = {
  readonly id: string;
  readonly spans: readonly LedgerSpan[];
  readonly own: readonly Fault[];
  readonly shared: readonly Bucket[];
};

/** Traces a camera once, for whatever sums it stands in. Losses that core/flaps.ts joins are one. A fault that lasts is taken to last until `endAt`. */
export function traceOf({ id, spans, rows }: Traceable, endAt: WallMs): Trace {
  const own: Fault[] = [];
  const shared: Bucket[] = [];
  for (const { losses } of interruptionsOf(tracedOf(id, spans, rows))) {
    const numbers = numbersOf(losses);
    if (numbers.length === 0) own.push(faultOf({ losses, numbers }, endAt));
    else shared.push({ losses, numbers });
  }
  return { id, spans, own, shared };
}

const numbersOf = (losses: readonly Traced[]): readonly number[] => [
  ...new Set(losses.map(({ row }) => row.fault).filter((fault) => fault !== null)),
];

/** The faults of some cameras, oldest first. Losses that share a number are one fault, whichever cameras they are of. */
export function faultsOf(traces: readonly Trace[], endAt: WallMs): readonly Fault[] {
  const buckets = gather(traces.flatMap(({ shared }) => shared));
  const faults = [...traces.flatMap(({ own }) => own), ...buckets.map((bucket) => faultOf(bucket, endAt))];
  return faults.sort((a, b) => a.fromAt - b.fromAt);
}

type Bucket = { readonly losses: readonly Traced[]; readonly numbers: readonly number[] };

/** Puts together what a number connects, directly or over several: flaps may have joined numbers. */
function gather(shared: readonly Bucket[]): readonly Bucket[] {
  const gathered = new Set<{ losses: Traced[]; numbers: Set<number> }>();
  const byNumber = new Map<number, { losses: Traced[]; numbers: Set<number> }>();
  for (const { losses, numbers } of shared) {
    const known = new Set(numbers.flatMap((number) => byNumber.get(number) ?? []));
    const [first = { losses: [], numbers: new Set<number>() }, ...others] = known;
    for (const other of [...others, { losses, numbers }]) {
      for (const loss of other.losses) first.losses.push(loss);
      for (const number of other.numbers) first.numbers.add(number);
    }
    for (const other of others) gathered.delete(other);
    for (const number of first.numbers) byNumber.set(number, first);
    gathered.add(first);
  }
  return [...gathered].map(({ losses, numbers }) => ({ losses, numbers: [...numbers] }));
}

function faultOf({ losses, numbers }: Bucket, endAt: WallMs): Fault {
  const rows = losses.map(({ row }) => ({ fromAt: row.fromAt, toAt: row.toAt ?? Math.max(endAt, row.fromAt) }));
  const open = losses.some(({ row }) => row.toAt === null);
  return {
    fault: numbers.length === 0 ? null : numbers.reduce((least, number) => Math.min(least, number)),
    cause: mainCause(losses),
    fromAt: rows.reduce((at, row) => Math.min(at, row.fromAt), Number.POSITIVE_INFINITY),
    toAt: open ? null : rows.reduce((at, row) => Math.max(at, row.toAt), 0),
    durationMs: lengthOf(union(losses)),
    wholeMs: lengthOf(union(rows)),
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
function tracedOf(camera: string, spans: readonly LedgerSpan[], rows: readonly Gap[]): readonly Traced[] {
  let next = 0;
  return spans.filter(isLoss).map(({ fromAt, toAt, cause }) => {
    while (next < rows.length && (rows[next]?.toAt ?? Number.POSITIVE_INFINITY) <= fromAt) next += 1;
    const row = rows[next];
    return { camera, fromAt, toAt, cause, row: row !== undefined && row.fromAt < toAt ? row : { fromAt, toAt, fault: null } };
  });
}

/** Mean times in clock time; null where there are fewer than three faults to take a mean of. */
export type Means = { readonly repairMs: number | null; readonly betweenMs: number | null };

const fewest = 3;

/** `repairMs`: see `repairOf`. `betweenMs`: good time for each fault. Flaps that never added up to a minute are no faults here. */
export function meansOf(cameras: readonly Trace[], faults: readonly Fault[], period: Span): Means {
  const real = faults.filter(({ durationMs }) => durationMs >= flapMs);
  return { repairMs: repairOf(faults, period), betweenMs: real.length < fewest ? null : Math.round(goodMs(cameras) / real.length) };
}

/** Mean clock time of the faults that ended in the period, each in its whole length; null where they are fewer than three. */
export function repairOf(faults: readonly Fault[], period: Span): number | null {
  const closed = faults.filter(({ durationMs, toAt }) => durationMs >= flapMs && toAt !== null && toAt <= period.toAt);
  return closed.length < fewest ? null : Math.round(closed.reduce((ms, fault) => ms + fault.wholeMs, 0) / closed.length);
}

/** Clock time in which something was due and known, and no camera lost footage. */
function goodMs(cameras: readonly Trace[]): number {
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
