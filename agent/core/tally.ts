/**
 * One camera's spans added up, and what may be said about the sums. The law, in every tally and every sum of tallies:
 * recordedMs + Σ byCause ms + unknownMs = dueMs, to the millisecond.
 */
import { counts, flapsOf, interruptionsOf, type Loss } from "./flaps.ts";
import { isPlanned, isUndue, type LedgerSpan } from "./ledger.ts";
import type { Cause } from "./types.ts";

/** `ms` adds up exactly over any cut of the time; `count` is of interruptions of 60 s and more (core/flaps.ts). */
export type Count = { readonly count: number; readonly ms: number };
/** Causes that lost time; `planned` is never among them. */
export type ByCause = Readonly<Partial<Record<Cause, Count>>>;

export type Tally = {
  /** Due time: hand-over to now, planned stops left out, power cuts not. */
  readonly dueMs: number;
  /** Due time for which footage was made, also where it has since been deleted. */
  readonly recordedMs: number;
  /** Part of recordedMs that has since been deleted. */
  readonly deletedMs: number;
  /** Part of deletedMs whose files were found missing: gone, but under no rule. */
  readonly missingMs: number;
  /** Part of deletedMs that an officer deleted (`matghi delete`). */
  readonly byHandMs: number;
  readonly unknownMs: number;
  /** Stops on purpose; not due. */
  readonly plannedMs: number;
  /** Due time in which the camera is known to have been reachable; null where nothing about due time is known. A lower bound. */
  readonly reachableMs: number | null;
  readonly gaps: number;
  readonly flaps: number;
  /** Time lost in the longest interruption, also one too short to count. */
  readonly longestGapMs: number;
  readonly byCause: ByCause;
};

export const nothing: Tally = {
  ...{ dueMs: 0, recordedMs: 0, deletedMs: 0, missingMs: 0, byHandMs: 0 },
  ...{ unknownMs: 0, plannedMs: 0, reachableMs: null },
  ...{ gaps: 0, flaps: 0, longestGapMs: 0, byCause: {} },
};

type GapSpan = Extract<LedgerSpan, { kind: "gap" }>;

/** Is it footage that should be there and is not? */
export const isLoss = (span: LedgerSpan): span is GapSpan => span.kind === "gap" && span.cause !== "planned";
/** Was there footage, though it may have been deleted since? */
export const isMade = (span: LedgerSpan): boolean =>
  (span.kind === "footage" || span.kind === "deleted") && !isPlanned(span) && !isUndue(span);

/** Adds up one camera's spans, which are in order and do not overlap. */
export function tallyOf(spans: readonly LedgerSpan[]): Tally {
  const sums = { recordedMs: 0, deletedMs: 0, missingMs: 0, byHandMs: 0, unknownMs: 0, plannedMs: 0 };
  const losses: GapSpan[] = [];
  let lostMs = 0;
  let reachedMs = 0;
  for (const span of spans) {
    const ms = span.toAt - span.fromAt;
    if (isPlanned(span)) sums.plannedMs += ms;
    else if (isLoss(span)) {
      losses.push(span);
      lostMs += ms;
      if (isReachable(span)) reachedMs += ms;
    } else if (isMade(span)) {
      sums.recordedMs += ms;
      if (span.kind === "deleted") sums.deletedMs += ms;
      if (span.kind === "deleted" && span.why === "file missing") sums.missingMs += ms;
      if (span.kind === "deleted" && span.why === "by hand") sums.byHandMs += ms;
    } else sums.unknownMs += ms;
  }
  const knownMs = sums.recordedMs + lostMs;
  const reachableMs = knownMs === 0 ? null : sums.recordedMs + reachedMs;
  return { ...sums, dueMs: knownMs + sums.unknownMs, reachableMs, ...lossesOf(losses) };
}

function lossesOf(losses: readonly Loss[]): Pick<Tally, "gaps" | "flaps" | "longestGapMs" | "byCause"> {
  const byCause: Partial<Record<Cause, Count>> = {};
  let gaps = 0;
  let longestGapMs = 0;
  for (const interruption of interruptionsOf(losses)) {
    const { count, ms } = byCause[interruption.cause] ?? { count: 0, ms: 0 };
    const one = counts(interruption) ? 1 : 0;
    byCause[interruption.cause] = { count: count + one, ms: ms + interruption.lostMs };
    gaps += one;
    longestGapMs = Math.max(longestGapMs, interruption.lostMs);
  }
  return { gaps, flaps: flapsOf(losses), longestGapMs, byCause };
}

/** Evidence that only a camera gives which can be reached. A refused connection is its box's answer, not its port's. */
const answered: ReadonlySet<string> = new Set([
  "port-answers",
  "refused-password",
  "refused-transport",
  "not-found",
  "no-video",
  "bad-timestamps",
  "starved",
  "main-again",
]);

function firstWord(code: string): string {
  const end = code.indexOf(" ");
  return end < 0 ? code : code.slice(0, end);
}

/** Could the camera be reached while nothing was recorded? A full disk says nothing against the camera; silence about it counts as no. */
export function isReachable(gap: GapSpan): boolean {
  return gap.cause === "disk" || gap.evidence.some((code) => answered.has(firstWord(code)));
}

/** Sums of two cameras or of two stretches of one. Times add up exactly; counts of stretches count what lies over the cut twice. */
export function add(a: Tally, b: Tally): Tally {
  const sum = (key: { [K in keyof Tally]: Tally[K] extends number ? K : never }[keyof Tally]) => a[key] + b[key];
  return {
    ...{ dueMs: sum("dueMs"), recordedMs: sum("recordedMs"), deletedMs: sum("deletedMs"), missingMs: sum("missingMs") },
    byHandMs: sum("byHandMs"),
    ...{ unknownMs: sum("unknownMs"), plannedMs: sum("plannedMs"), gaps: sum("gaps"), flaps: sum("flaps") },
    reachableMs: a.reachableMs === null ? b.reachableMs : a.reachableMs + (b.reachableMs ?? 0),
    longestGapMs: Math.max(a.longestGapMs, b.longestGapMs),
    byCause: addCauses(a.byCause, b.byCause),
  };
}

function addCauses(a: ByCause, b: ByCause): ByCause {
  const sums: Partial<Record<Cause, Count>> = { ...a };
  for (const [cause, { count, ms }] of Object.entries(b) as [Cause, Count][]) {
    const before = sums[cause] ?? { count: 0, ms: 0 };
    sums[cause] = { count: before.count + count, ms: before.ms + ms };
  }
  return sums;
}

/** Time without footage, whatever its cause. */
export const lostMs = (byCause: ByCause): number => Object.values(byCause).reduce((sum, { ms }) => sum + ms, 0);

/** Why there is no ratio. `not-told`: the station has no figures of the camera, which its box may have. */
export type Withheld = "nothing-due" | "too-much-unknown" | "not-told";
/** More unknown time than this, and no ratio is given; more than the second, and the worst case stands beside it. */
export const mostUnknown = 0.05;
export const noteUnknown = 0.01;

export type Share = {
  /** recorded ÷ (due − unknown), not rounded; null where it is withheld. */
  readonly ratio: number | null;
  /** recorded ÷ due: as if nothing had been recorded in the unknown time. Null where unknown time is too little to matter. */
  readonly worstRatio: number | null;
  readonly withheld: Withheld | null;
};

/** What may be said about the sums. A figure that rests on too little evidence is withheld, with the reason. */
export function shareOf({ dueMs, recordedMs, unknownMs }: Pick<Tally, "dueMs" | "recordedMs" | "unknownMs">): Share {
  if (dueMs === 0) return { ratio: null, worstRatio: null, withheld: "nothing-due" };
  const worstRatio = unknownMs > noteUnknown * dueMs ? recordedMs / dueMs : null;
  if (unknownMs > mostUnknown * dueMs) return { ratio: null, worstRatio, withheld: "too-much-unknown" };
  return { ratio: recordedMs / (dueMs - unknownMs), worstRatio, withheld: null };
}
