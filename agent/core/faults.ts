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

/** A loss, and the gap row it came from. */
type Traced = Loss & { readonly row: Pick<Gap, "fromAt" | "toAt" | "fault"> };

export type Traceable = { readonly id: string; readonly spans: readonly LedgerSpan[]; readonly rows: readonly Gap[] };

/** One camera's time that was due and is known, joined, and its losses by the fault that each is or is part of. */
export type Trace = { readonly known: readonly Span[]; readonly parts: readonly Part[] };

/** Losses of one camera that core/flaps.ts joins, and the fault that they are without other cameras. */
export type Part = { readonly camera: string; readonly losses: readonly Traced[]; readonly alone: Fault };

/** Traces a camera once, for whatever sums it stands in. A fault that lasts is taken to last until `endAt`. */
export function traceOf({ id, spans, rows }: Traceable, endAt: WallMs): Trace {
  const cameras = [id];
  const part = (losses: readonly Traced[]): Part => ({ camera: id, losses, alone: faultOf(cameras, losses, endAt) });
  return { known: knownOf(spans), parts: interruptionsOf(tracedOf(spans, rows)).map(({ losses }) => part(losses)) };
}

/** Footage and losses, which adjoin mostly. */
function knownOf(spans: readonly LedgerSpan[]): readonly Span[] {
  const known: { fromAt: WallMs; toAt: WallMs }[] = [];
  for (const span of spans) {
    if (span.kind === "unknown" || (span.kind === "gap" && !isLoss(span))) continue;
    const last = known.at(-1);
    if (last?.toAt === span.fromAt) last.toAt = span.toAt;
    else known.push({ fromAt: span.fromAt, toAt: span.toAt });
  }
  return known;
}

/** The faults of some cameras, oldest first. Losses that share a number are one fault, whichever cameras they are of. */
export function faultsOf(traces: readonly Trace[], endAt: WallMs): readonly Fault[] {
  const parts = traces.flatMap((trace) => trace.parts);
  const firsts = firstsOf(parts);
  const others = new Map<number, Part[]>();
  for (const [i, part] of parts.entries()) {
    const first = firsts[i] as number;
    if (first === i) continue;
    const known = others.get(first);
    if (known === undefined) others.set(first, [part]);
    else known.push(part);
  }
  const faults: Fault[] = [];
  for (const [i, part] of parts.entries()) {
    if (firsts[i] !== i) continue;
    const more = others.get(i);
    faults.push(more === undefined ? part.alone : joined([part, ...more], endAt));
  }
  return faults.sort((a, b) => a.fromAt - b.fromAt);
}

const joined = (parts: readonly Part[], endAt: WallMs): Fault =>
  faultOf(
    [...new Set(parts.map(({ camera }) => camera))],
    parts.flatMap(({ losses }) => losses),
    endAt,
  );

/** For each part the place of the first that a number connects it with, directly or over several: flaps may have joined numbers. */
function firstsOf(parts: readonly Part[]): readonly number[] {
  const earlier = parts.map((_, i) => i);
  const firstOf = (i: number): number => {
    let first = i;
    while (earlier[first] !== first) {
      const next = earlier[first] as number;
      earlier[first] = earlier[next] as number;
      first = next;
    }
    return first;
  };
  const byNumber = new Map<number, number>();
  for (const [i, { losses }] of parts.entries()) {
    for (const { row } of losses) {
      if (row.fault === null) continue;
      const known = byNumber.get(row.fault);
      if (known === undefined) byNumber.set(row.fault, i);
      else connect(earlier, firstOf(known), firstOf(i));
    }
  }
  return parts.map((_, i) => firstOf(i));
}

function connect(earlier: number[], a: number, b: number): void {
  earlier[Math.max(a, b)] = Math.min(a, b);
}

function faultOf(cameras: readonly string[], losses: readonly Traced[], endAt: WallMs): Fault {
  const [first, second] = losses;
  if (first !== undefined && second === undefined) return faultOfOne(cameras, first, endAt);
  const rows = losses.map(({ row }) => ({ fromAt: row.fromAt, toAt: row.toAt ?? Math.max(endAt, row.fromAt) }));
  const numbers = losses.flatMap(({ row }) => row.fault ?? []);
  const open = losses.some(({ row }) => row.toAt === null);
  return {
    fault: numbers.length === 0 ? null : numbers.reduce((least, number) => Math.min(least, number)),
    cause: mainCause(losses),
    fromAt: rows.reduce((at, row) => Math.min(at, row.fromAt), Number.POSITIVE_INFINITY),
    toAt: open ? null : rows.reduce((at, row) => Math.max(at, row.toAt), 0),
    durationMs: coveredMs(losses),
    wholeMs: coveredMs(rows),
    cameras,
    cameraMs: losses.reduce((ms, { fromAt, toAt }) => ms + toAt - fromAt, 0),
  };
}

/** What most faults are. */
function faultOfOne(cameras: readonly string[], { row, fromAt, toAt, cause }: Traced, endAt: WallMs): Fault {
  const wholeMs = (row.toAt ?? Math.max(endAt, row.fromAt)) - row.fromAt;
  const ms = toAt - fromAt;
  return { fault: row.fault, cause, fromAt: row.fromAt, toAt: row.toAt, durationMs: ms, wholeMs, cameras, cameraMs: ms };
}

function mainCause(losses: readonly Traced[]): Cause {
  const ms = new Map<Cause, number>();
  for (const { cause, fromAt, toAt } of losses) ms.set(cause, (ms.get(cause) ?? 0) + toAt - fromAt);
  return [...ms].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["unknown" as Cause, 0] as const)[0];
}

/** Each loss with its row. Rows of a camera are in order and do not overlap; a loss without a row stands for itself. */
function tracedOf(spans: readonly LedgerSpan[], rows: readonly Gap[]): readonly Traced[] {
  let next = 0;
  return spans.filter(isLoss).map(({ fromAt, toAt, cause }) => {
    while (next < rows.length && (rows[next]?.toAt ?? Number.POSITIVE_INFINITY) <= fromAt) next += 1;
    const row = rows[next];
    return { fromAt, toAt, cause, row: row !== undefined && row.fromAt < toAt ? row : { fromAt, toAt, fault: null } };
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
  const known = cameras.flatMap((trace) => trace.known);
  const lost = cameras.flatMap(({ parts }) => parts.flatMap(({ losses }) => losses));
  return coveredMs(known) - coveredMs(lost);
}

/** Clock time that the spans cover; what several of them cover counts once. */
function coveredMs(spans: readonly Span[]): number {
  let ms = 0;
  let reachedAt = Number.NEGATIVE_INFINITY;
  const inOrder = spans.length < 2 ? spans : [...spans].sort((a, b) => a.fromAt - b.fromAt);
  for (const { fromAt, toAt } of inOrder) {
    ms += Math.max(0, toAt - Math.max(fromAt, reachedAt));
    reachedAt = Math.max(reachedAt, toAt);
  }
  return ms;
}
