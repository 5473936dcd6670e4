/** Faults of a commune from what each camera told of its own: one number of one box is one fault, over cameras and months. Pure. */
import { type Fault, repairOf } from "../../../../agent/core/faults.ts";
import type { Judged } from "../../../../agent/core/report.ts";
import type { Cause, Span, WallMs } from "../../../../agent/core/types.ts";
import type { ToldMonth } from "./told.ts";

/** One camera's part of a fault in one month. */
export type FaultPart = {
  readonly site: string;
  readonly camera: string;
  readonly number: number | null;
  readonly cause: Cause;
  /** The whole fault, also outside the period; `toAt` null while it lasts. */
  readonly fromAt: WallMs;
  readonly toAt: WallMs | null;
  /** What of it lies in the period. */
  readonly inside: Span;
  readonly lostMs: number;
};

/** A month's faults as far as they lie in the period, which ends at `until` at the latest. */
export function partsOf(site: string, camera: string, { span, untilAt, faults }: ToldMonth, period: Span): readonly FaultPart[] {
  return faults.flatMap(({ fault, cause, fromAt, toAt, durationMs }) => {
    const inMonth = { fromAt: Math.max(fromAt, span.fromAt), toAt: Math.min(toAt ?? untilAt, untilAt, span.toAt) };
    const inside = { fromAt: Math.max(inMonth.fromAt, period.fromAt), toAt: Math.min(inMonth.toAt, period.toAt) };
    if (inside.fromAt >= inside.toAt) return [];
    const isWhole = inside.fromAt === inMonth.fromAt && inside.toAt === inMonth.toAt;
    const lostMs = isWhole ? durationMs : Math.min(durationMs, inside.toAt - inside.fromAt);
    return [{ site, camera, number: fault, cause, fromAt, toAt, inside, lostMs }];
  });
}

/** The faults of some cameras, oldest first, and the mean time of repair. Good time between faults cannot be told from sums. */
export function judge(parts: readonly FaultPart[], period: Span): Judged {
  const faults = groupsOf(parts)
    .map(faultOf)
    .sort((a, b) => a.fromAt - b.fromAt);
  return { faults, means: { repairMs: repairOf(faults, period), betweenMs: null } };
}

/** A box that lost its books numbers anew: parts of one number that do not meet are not one fault. */
function groupsOf(parts: readonly FaultPart[]): readonly (readonly FaultPart[])[] {
  const byNumber = new Map<string, FaultPart[]>();
  const alone: FaultPart[][] = [];
  for (const part of parts) {
    if (part.number === null) alone.push([part]);
    else byNumber.set(`${part.site}/${part.number}`, [...(byNumber.get(`${part.site}/${part.number}`) ?? []), part]);
  }
  return [...alone, ...[...byNumber.values()].flatMap(meeting)];
}

function meeting(parts: readonly FaultPart[]): readonly (readonly FaultPart[])[] {
  const groups: FaultPart[][] = [];
  let reachedAt = Number.NEGATIVE_INFINITY;
  for (const part of parts.toSorted((a, b) => a.fromAt - b.fromAt)) {
    const last = groups.at(-1);
    if (last !== undefined && part.fromAt <= reachedAt) last.push(part);
    else groups.push([part]);
    reachedAt = Math.max(reachedAt, part.toAt ?? Number.POSITIVE_INFINITY);
  }
  return groups;
}

function faultOf(parts: readonly FaultPart[]): Fault {
  const toAt = parts.some((part) => part.toAt === null) ? null : Math.max(...parts.map((part) => part.toAt ?? 0));
  const lasting = Math.max(...parts.map(({ inside }) => inside.toAt));
  const whole = parts.map((part) => ({ fromAt: part.fromAt, toAt: part.toAt ?? lasting }));
  return {
    ...{ fault: parts[0]?.number ?? null, cause: mainCause(parts), fromAt: Math.min(...parts.map(({ fromAt }) => fromAt)), toAt },
    ...{ durationMs: durationOf(parts), wholeMs: coveredMs(whole) },
    ...{ cameras: [...new Set(parts.map(({ camera }) => camera))], cameraMs: parts.reduce((ms, { lostMs }) => ms + lostMs, 0) },
  };
}

/** Of one camera: what it lost. Of several: the clock time that they cover together, which short returns in between belong to. */
function durationOf(parts: readonly FaultPart[]): number {
  const isOne = new Set(parts.map(({ camera }) => camera)).size === 1;
  return isOne ? parts.reduce((ms, { lostMs }) => ms + lostMs, 0) : coveredMs(parts.map(({ inside }) => inside));
}

function mainCause(parts: readonly FaultPart[]): Cause {
  const ms = new Map<Cause, number>();
  for (const { cause, lostMs } of parts) ms.set(cause, (ms.get(cause) ?? 0) + lostMs);
  return [...ms].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["unknown" as Cause, -1] as const)[0];
}

function coveredMs(spans: readonly Span[]): number {
  let ms = 0;
  let reachedAt = Number.NEGATIVE_INFINITY;
  for (const { fromAt, toAt } of spans.toSorted((a, b) => a.fromAt - b.fromAt)) {
    ms += Math.max(0, toAt - Math.max(fromAt, reachedAt));
    reachedAt = Math.max(reachedAt, toAt);
  }
  return ms;
}
