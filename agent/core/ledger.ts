/**
 * The gap ledger. Two rules write it: `onSegment` turns a closed file into coverage, `onTick` turns passing time into gaps.
 * Law (design.md, invariant 2): for each camera, footage, gaps, deletions and unknown stretches cover the time since hand-over, none twice.
 */
import { strength, width } from "./blame.ts";
import type { Change, Moment, Write } from "./change.ts";
import type { Stretch } from "./stretch.ts";
import type { Cause, Claim, Gap, Segment, Span, Sure, WallMs } from "./types.ts";

/** A hole that lasts. `told` is the cause that the event of its opening named. */
export type OpenGap = { readonly fromAt: WallMs; readonly claim: Claim; readonly told: Cause; readonly fault: number };

/** A camera's page of the ledger: complete up to `coveredAt`; an open gap starts there. */
export type Page = {
  readonly camera: string;
  /** When its due time begins; null until hand-over is known by configuration or first footage. */
  readonly sinceAt: WallMs | null;
  readonly coveredAt: WallMs | null;
  readonly gap: OpenGap | null;
};

export type Turned = { readonly page: Page; readonly change: Change };

/** Number of the fault that a hole of this scope and stretch belongs to (core/numbering.ts). */
export type Numbering = (scope: string, span: { readonly fromAt: WallMs; readonly toAt: WallMs | null }) => number;

/** Time after the last frame that is not yet due: the next one may still come (contract §4). */
export const graceMs = 10_000;
/** Witnesses need this long to be heard: until then a wider claim of equal strength counts, afterwards the one that stands. */
export const settleMs = 30_000;

/** Footage closes what was open. Time that is covered already is not counted twice. */
export function onSegment(page: Page, segment: Segment, claim: Claim, moment: Moment, number: Numbering): Turned {
  const sinceAt = page.sinceAt ?? segment.startAt;
  const coveredAt = page.coveredAt ?? sinceAt;
  if (page.gap !== null && segment.startAt <= coveredAt && moment.at - segment.endAt > graceMs)
    return onLateSegment(page, page.gap, segment);
  const toAt = Math.max(coveredAt, segment.endAt);
  const gap = segment.startAt > coveredAt ? closeGap(page, coveredAt, segment.startAt, claim, moment, number) : closeEmpty(page, moment);
  const next: Page = { camera: page.camera, sinceAt, coveredAt: toAt, gap: null };
  return { page: next, change: [...gap, { put: "segment", segment }, { put: "page", camera: page.camera, sinceAt, coveredAt: toAt }] };
}

/** A file from before the hole that is settled only now: the hole goes on, from the file's end where that lies in it. */
function onLateSegment(page: Page, gap: OpenGap, segment: Segment): Turned {
  if (page.sinceAt === null || segment.endAt <= gap.fromAt) return { page, change: [{ put: "segment", segment }] };
  const { camera, sinceAt } = page;
  const { claim, fault } = gap;
  const change: Change = [
    { put: "gap-closed", camera, toAt: gap.fromAt, claim, fault },
    { put: "segment", segment },
    { put: "page", camera, sinceAt, coveredAt: segment.endAt },
    { put: "gap-opened", camera, fromAt: segment.endAt, claim, fault },
  ];
  return { page: { ...page, coveredAt: segment.endAt, gap: { ...gap, fromAt: segment.endAt } }, change };
}

/** A camera without an open file whose coverage lies further back than the grace has a gap, from where coverage ended. Better evidence is written down as it comes. */
export function onTick(page: Page, nowAt: WallMs, writing: boolean, claim: Claim, moment: Moment, number: Numbering): Turned {
  if (page.gap !== null) return blameAnew(page, page.gap, nowAt, claim, number);
  if (writing || page.coveredAt === null || nowAt - page.coveredAt <= graceMs) return { page, change: [] };
  return openGap(page, claim, moment, number);
}

/** The time the box was dead is the box's, whatever is seen now: nobody saw anything then. What comes after its start is split off. */
const isKept = (gap: OpenGap, claim: Claim) => gap.claim.scope === "box" && claim.scope !== "box";

function blameAnew(page: Page, gap: OpenGap, nowAt: WallMs, claim: Claim, number: Numbering): Turned {
  if (isKept(gap, claim)) return { page, change: [] };
  const better = strength(claim.blame) - strength(gap.claim.blame);
  const isWider = better === 0 && nowAt - gap.fromAt <= settleMs && width(claim) > width(gap.claim);
  return better > 0 || isWider ? reblame(page, claim, number) : { page, change: [] };
}

/** Gives the open gap another cause, whatever it had. */
export function reblame(page: Page, claim: Claim, number: Numbering): Turned {
  if (page.gap === null) return { page, change: [] };
  const { gap, camera } = page;
  const fault = claim.scope === gap.claim.scope ? gap.fault : number(claim.scope, { fromAt: gap.fromAt, toAt: null });
  return { page: { ...page, gap: { ...gap, claim, fault } }, change: [{ put: "gap-blamed", camera, claim, fault }] };
}

/** Opens a gap at the end of coverage, whatever the grace; used at start for the time the box was dead. */
export function openGap(page: Page, claim: Claim, moment: Moment, number: Numbering): Turned {
  if (page.gap !== null || page.coveredAt === null) return { page, change: [] };
  const fromAt = page.coveredAt;
  const gap: OpenGap = { fromAt, claim, told: claim.blame.cause, fault: number(claim.scope, { fromAt, toAt: null }) };
  const change: Change = [
    { put: "gap-opened", camera: page.camera, fromAt, claim, fault: gap.fault },
    gapEvent("gap.opened", page.camera, gap, null, moment),
  ];
  return { page: { ...page, gap }, change };
}

/** Ends the open gap at `toAt` without footage, so that another cause can take over from there. */
export function splitGap(page: Page, toAt: WallMs, moment: Moment): Turned {
  if (page.gap === null || page.sinceAt === null || toAt <= page.gap.fromAt) return { page, change: [] };
  const change: Change = [
    ...closed(page, page.gap, toAt, moment),
    { put: "page", camera: page.camera, sinceAt: page.sinceAt, coveredAt: toAt },
  ];
  return { page: { ...page, coveredAt: toAt, gap: null }, change };
}

function closeGap(page: Page, fromAt: WallMs, toAt: WallMs, claim: Claim, moment: Moment, number: Numbering): Write[] {
  if (page.gap !== null) {
    const better = !isKept(page.gap, claim) && strength(claim.blame) > strength(page.gap.claim.blame);
    const { page: final, change } = better ? reblame(page, claim, number) : { page, change: [] };
    return [...change, ...closed(page, final.gap ?? page.gap, toAt, moment)];
  }
  const gap: OpenGap = { fromAt, claim, told: claim.blame.cause, fault: number(claim.scope, { fromAt, toAt }) };
  return [{ put: "gap-opened", camera: page.camera, fromAt, claim, fault: gap.fault }, ...closed(page, gap, toAt, moment)];
}

/** A gap that turns out to have no length (the torn file reached further than was known) is closed where it began. */
function closeEmpty(page: Page, moment: Moment): Write[] {
  return page.gap === null ? [] : closed(page, page.gap, page.gap.fromAt, moment);
}

function closed({ camera }: Page, gap: OpenGap, toAt: WallMs, moment: Moment): Write[] {
  const { claim, fault } = gap;
  return [{ put: "gap-closed", camera, toAt, claim, fault }, gapEvent("gap.closed", camera, gap, toAt, moment)];
}

function gapEvent(type: "gap.opened" | "gap.closed", camera: string, gap: OpenGap, toAt: WallMs | null, moment: Moment): Write {
  const { cause, sure, evidence } = gap.claim.blame;
  const iso = (at: WallMs) => new Date(at).toISOString();
  const end = toAt === null ? {} : { to: iso(toAt), durationMs: toAt - gap.fromAt };
  const was = gap.told === cause ? {} : { was: gap.told };
  const data = { camera, from: iso(gap.fromAt), ...end, cause, sure, evidence, ...was, fault: gap.fault };
  return { put: "event", moment, type, level: type === "gap.opened" ? "warn" : "info", data };
}

/** One stretch of a camera's history, as `footage` shows it. */
export type LedgerSpan = Span &
  (
    | {
        readonly kind: "footage";
        readonly segments: number;
        readonly bytes: number;
        readonly stream: string;
        readonly clock: string;
        readonly planned?: true;
        /** It lies outside of due time: it is there, and counts nowhere. */
        readonly due?: false;
      }
    | {
        readonly kind: "gap";
        readonly cause: Cause;
        readonly sure: Sure;
        readonly evidence: readonly string[];
        readonly fault?: number | null;
      }
    | { readonly kind: "deleted"; readonly why: string; readonly planned?: true; readonly due?: false }
    | { readonly kind: "unknown"; readonly why: string }
  );

/** All that the store has of one camera around a stretch. */
export type History = {
  /** Due time begins and ends here; null: nothing was ever due. */
  readonly due: Span | null;
  readonly segments: readonly Stretch[];
  /** The file being written: footage up to its last frame. */
  readonly open: (Span & { readonly stream: string; readonly clock: string }) | null;
  readonly gaps: readonly Gap[];
  /** Stops on purpose, from the configuration. */
  readonly planned: readonly (Span & { readonly why: string })[];
  readonly deletions: readonly (Span & { readonly why: string })[];
  readonly unknowns: readonly (Span & { readonly why: string })[];
};

/** The stretch, span by span, without overlap: footage before deletions before planned stops before gaps before unknown; what nobody accounts for is said. */
export function spansOf(history: History, asked: Span): readonly LedgerSpan[] {
  const window = history.due === null ? null : overlap(asked, history.due);
  const before = { fromAt: asked.fromAt, toAt: window?.fromAt ?? asked.toAt };
  const after = { fromAt: window?.toAt ?? asked.toAt, toAt: asked.toAt };
  return [...undueSpans(history, before), ...(window === null ? [] : dueSpans(history, window)), ...undueSpans(history, after)];
}

/** What exists outside of due time. */
function undueSpans(history: History, window: Span): readonly LedgerSpan[] {
  if (window.fromAt >= window.toAt) return [];
  const made = layOver<LedgerSpan>(clipTo(footageSpans(history), window), deletedSpans(history), window);
  return join(made.map((span) => (span.kind === "footage" || span.kind === "deleted" ? { ...span, due: false } : span)));
}

const clipTo = (spans: readonly LedgerSpan[], window: Span): LedgerSpan[] =>
  spans.flatMap((span) => {
    const part = overlap(span, window);
    return part === null ? [] : [{ ...span, ...part }];
  });

function dueSpans(history: History, window: Span): readonly LedgerSpan[] {
  const layers: readonly LedgerSpan[][] = [
    footageSpans(history),
    deletedSpans(history),
    plannedSpans(history),
    gapSpans(history, window.toAt),
    unknownSpans(history),
  ];
  const nobody: LedgerSpan = { ...window, kind: "unknown", why: "not accounted for" };
  const spans = [...layers, [nobody]].reduce<LedgerSpan[]>((placed, layer) => layOver(placed, layer, window), []);
  return join(history.planned.length === 0 ? spans : spans.flatMap((span) => markPlanned(span, history.planned)));
}

/** Footage made within a planned stop is there, but was not due: it stands apart. */
function markPlanned(span: LedgerSpan, planned: readonly Span[]): LedgerSpan[] {
  if (span.kind !== "footage" && span.kind !== "deleted") return [span];
  const parts = planned.flatMap((stop) => overlap(span, stop) ?? []);
  return layOver<LedgerSpan>(clipInOrder(parts.map((part): LedgerSpan => ({ ...span, ...part, planned: true }))), [span], span);
}

function footageSpans({ segments, open }: History): LedgerSpan[] {
  const closed = segments.map(
    (s): LedgerSpan => ({
      fromAt: s.startAt,
      toAt: s.endAt,
      kind: "footage",
      segments: s.segments,
      bytes: s.bytes,
      stream: s.stream,
      clock: s.clock,
    }),
  );
  const growing: LedgerSpan[] = open === null ? [] : [{ ...open, kind: "footage", segments: 1, bytes: 0 }];
  return clipInOrder([...closed, ...growing].sort((a, b) => a.fromAt - b.fromAt));
}

const deletedSpans = ({ deletions }: History): LedgerSpan[] => clipInOrder(deletions.map((d) => ({ ...d, kind: "deleted" })));
const unknownSpans = ({ unknowns }: History): LedgerSpan[] => clipInOrder(unknowns.map((u) => ({ ...u, kind: "unknown" })));

function plannedSpans({ planned }: History): LedgerSpan[] {
  return clipInOrder(
    planned.map((p) => ({ fromAt: p.fromAt, toAt: p.toAt, kind: "gap", cause: "planned", sure: "sensed", evidence: [p.why] })),
  );
}

function gapSpans({ gaps }: History, endAt: WallMs): LedgerSpan[] {
  return clipInOrder(gaps.map((gap) => ({ fromAt: gap.fromAt, toAt: gap.toAt ?? endAt, kind: "gap", ...gap.blame, fault: gap.fault })));
}

/** A gap as it is told: what of it lies in a stop on purpose is planned, the rest keeps its cause. */
export function splitByPlan(gap: Gap, planned: readonly (Span & { readonly why: string })[], nowAt: WallMs): readonly Gap[] {
  const whole = { fromAt: gap.fromAt, toAt: gap.toAt ?? Math.max(nowAt, gap.fromAt + 1) };
  const stops = planned.flatMap((stop) => {
    const part = overlap(whole, stop);
    return part === null ? [] : [{ ...gap, ...part, blame: { cause: "planned", sure: "sensed", evidence: [stop.why] } as const }];
  });
  if (stops.length === 0) return [gap];
  const parts = layOver(clipInOrder(stops), [{ ...gap, ...whole }], whole);
  return parts.map((part, i) => (gap.toAt === null && i === parts.length - 1 ? { ...part, toAt: null } : part));
}

/** Cuts from each span what an earlier one of the same layer covers. */
function clipInOrder<S extends Span>(spans: S[]): S[] {
  const result: S[] = [];
  let reachedAt = Number.NEGATIVE_INFINITY;
  for (const span of spans.sort((a, b) => a.fromAt - b.fromAt)) {
    const fromAt = Math.max(span.fromAt, reachedAt);
    if (fromAt < span.toAt) result.push(fromAt === span.fromAt ? span : { ...span, fromAt });
    reachedAt = Math.max(reachedAt, span.toAt);
  }
  return result;
}

/** Fills the holes that `placed` leaves in the window with what `layer` has there. Both are in order. */
function layOver<S extends Span>(placed: readonly S[], layer: readonly S[], window: Span): S[] {
  const result: S[] = [];
  let next = 0;
  const fill = (hole: Span) => {
    while (next < layer.length && (layer[next] as S).toAt <= hole.fromAt) next += 1;
    for (let i = next; i < layer.length; i += 1) {
      const span = layer[i] as S;
      if (span.fromAt >= hole.toAt) break;
      const part = overlap(span, hole);
      if (part !== null) result.push(isWhole(span, part) ? span : { ...span, ...part });
    }
  };
  let reachedAt = window.fromAt;
  for (const span of placed) {
    if (span.fromAt > reachedAt) fill({ fromAt: reachedAt, toAt: span.fromAt });
    result.push(span);
    reachedAt = span.toAt;
  }
  if (reachedAt < window.toAt) fill({ fromAt: reachedAt, toAt: window.toAt });
  return result;
}

const isWhole = (span: Span, part: Span) => span.fromAt === part.fromAt && span.toAt === part.toAt;

/** Neighbours of one kind become one span. */
function join(spans: readonly LedgerSpan[]): LedgerSpan[] {
  const result: LedgerSpan[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    const joined = last !== undefined && last.toAt === span.fromAt ? joinTwo(last, span) : null;
    if (joined === null) result.push(span);
    else result[result.length - 1] = joined;
  }
  return result;
}

function joinTwo(a: LedgerSpan, b: LedgerSpan): LedgerSpan | null {
  if (a.kind === "footage" && b.kind === "footage" && a.stream === b.stream && a.clock === b.clock && a.planned === b.planned)
    return { ...a, toAt: b.toAt, segments: a.segments + b.segments, bytes: a.bytes + b.bytes };
  if (a.kind === "deleted" && b.kind === "deleted" && a.why === b.why && a.planned === b.planned) return { ...a, toAt: b.toAt };
  if (a.kind === "unknown" && b.kind === "unknown" && a.why === b.why) return { ...a, toAt: b.toAt };
  return null;
}

/** What two spans share; null where they share nothing. */
export function overlap(a: Span, b: Span): Span | null {
  const fromAt = Math.max(a.fromAt, b.fromAt);
  const toAt = Math.min(a.toAt, b.toAt);
  return fromAt < toAt ? { fromAt, toAt } : null;
}

/** Spans that overlap or adjoin made one, in order. */
export function union(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.fromAt - b.fromAt)) {
    const last = result.at(-1);
    if (last === undefined || last.toAt < span.fromAt) result.push(span);
    else result[result.length - 1] = { fromAt: last.fromAt, toAt: Math.max(last.toAt, span.toAt) };
  }
  return result;
}

export type Sums = {
  readonly dueMs: number;
  readonly recordedMs: number;
  readonly deletedMs: number;
  readonly unknownMs: number;
  readonly plannedMs: number;
  readonly gapMs: number;
};

/** Footage from outside of due time. */
export const isUndue = (span: LedgerSpan): boolean => (span.kind === "footage" || span.kind === "deleted") && span.due === false;

/** A stop on purpose, or footage made within one: not due. */
export const isPlanned = (span: LedgerSpan): boolean =>
  span.kind === "gap" ? span.cause === "planned" : span.kind !== "unknown" && span.planned === true;

/** Adds the spans up. `planned` time is not due, also where footage was made in it. recordedMs + deletedMs + gapMs + unknownMs = dueMs. */
export function sumsOf(spans: readonly LedgerSpan[]): Sums {
  const sums = { dueMs: 0, recordedMs: 0, deletedMs: 0, unknownMs: 0, plannedMs: 0, gapMs: 0 };
  const of = { footage: "recordedMs", deleted: "deletedMs", gap: "gapMs", unknown: "unknownMs" } as const;
  for (const span of spans) {
    const ms = span.toAt - span.fromAt;
    if (isUndue(span)) continue;
    if (isPlanned(span)) {
      sums.plannedMs += ms;
      continue;
    }
    sums.dueMs += ms;
    sums[of[span.kind]] += ms;
  }
  return sums;
}

export type Answer = "yes" | "partial" | "no" | "unknown";

/** Is there footage of the whole stretch that was asked for, due or not? */
export function answerOf(spans: readonly LedgerSpan[], asked: Span): Answer {
  const lengthOf = (keep: (span: LedgerSpan) => boolean) => spans.reduce((ms, span) => ms + (keep(span) ? span.toAt - span.fromAt : 0), 0);
  const footageMs = lengthOf((span) => span.kind === "footage");
  if (footageMs >= asked.toAt - asked.fromAt) return "yes";
  const unknownMs = lengthOf((span) => span.kind === "unknown");
  const lostMs = lengthOf((span) => span.kind === "gap" || span.kind === "deleted");
  // Without any footage there may still be some in what nobody knows: that is no "no".
  if (unknownMs > 0 && (lostMs === 0 || footageMs === 0)) return "unknown";
  return footageMs > 0 ? "partial" : "no";
}
