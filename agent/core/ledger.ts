/**
 * The gap ledger. Two rules write it: `onSegment` turns a closed file into coverage, `onTick` turns passing time into gaps.
 * Law (design.md, invariant 2): for each camera, footage, gaps, deletions and unknown stretches cover the time since hand-over, none twice.
 */
import type { Change, Moment, Write } from "./change.ts";
import type { Blame, Cause, Gap, Segment, Span, Sure, WallMs } from "./types.ts";

/** A camera's page of the ledger: complete up to `coveredAt`; an open gap starts there. */
export type Page = {
  readonly camera: string;
  /** When its due time begins; null until hand-over is known by configuration or first footage. */
  readonly sinceAt: WallMs | null;
  readonly coveredAt: WallMs | null;
  readonly gap: { readonly fromAt: WallMs; readonly blame: Blame } | null;
};

export type Turned = { readonly page: Page; readonly change: Change };

/** Time after the last frame that is not yet due: the next one may still come (contract §4). */
export const graceMs = 10_000;

/** Footage closes what was open. Time that is covered already is not counted twice. */
export function onSegment(page: Page, segment: Segment, blame: Blame, moment: Moment): Turned {
  const sinceAt = page.sinceAt ?? segment.startAt;
  const coveredAt = page.coveredAt ?? sinceAt;
  const toAt = Math.max(coveredAt, segment.endAt);
  const gap = segment.startAt > coveredAt ? closeGap(page, coveredAt, segment.startAt, blame, moment) : closeEmpty(page, moment);
  const next: Page = { camera: page.camera, sinceAt, coveredAt: toAt, gap: null };
  return { page: next, change: [...gap, { put: "segment", segment }, { put: "page", camera: page.camera, sinceAt, coveredAt: toAt }] };
}

/** A camera without an open file whose coverage lies further back than the grace has a gap, from where coverage ended. Better evidence is kept for its close. */
export function onTick(page: Page, nowAt: WallMs, writing: boolean, blame: Blame, moment: Moment): Turned {
  if (page.gap !== null)
    return { page: strength(blame) > strength(page.gap.blame) ? { ...page, gap: { ...page.gap, blame } } : page, change: [] };
  if (writing || page.coveredAt === null || nowAt - page.coveredAt <= graceMs) return { page, change: [] };
  return openGap(page, blame, moment);
}

/** Opens a gap at the end of coverage, whatever the grace; used at start for the time the box was dead. */
export function openGap(page: Page, blame: Blame, moment: Moment): Turned {
  if (page.gap !== null || page.coveredAt === null) return { page, change: [] };
  const fromAt = page.coveredAt;
  const change: Change = [
    { put: "gap-opened", camera: page.camera, fromAt, blame, fault: null },
    gapEvent("gap.opened", page.camera, { fromAt, toAt: null }, blame, null, moment),
  ];
  return { page: { ...page, gap: { fromAt, blame } }, change };
}

/** Ends the open gap at `toAt` without footage, so that another cause can take over from there. */
export function splitGap(page: Page, toAt: WallMs, moment: Moment): Turned {
  if (page.gap === null || page.sinceAt === null || toAt <= page.gap.fromAt) return { page, change: [] };
  const { fromAt, blame } = page.gap;
  const change: Change = [
    { put: "gap-closed", camera: page.camera, toAt, blame },
    { put: "page", camera: page.camera, sinceAt: page.sinceAt, coveredAt: toAt },
    gapEvent("gap.closed", page.camera, { fromAt, toAt }, blame, blame, moment),
  ];
  return { page: { ...page, coveredAt: toAt, gap: null }, change };
}

function closeGap(page: Page, fromAt: WallMs, toAt: WallMs, blame: Blame, moment: Moment): Write[] {
  const before = page.gap?.blame ?? null;
  const final = before !== null && strength(before) >= strength(blame) ? before : blame;
  const opened: Write[] = before === null ? [{ put: "gap-opened", camera: page.camera, fromAt, blame: final, fault: null }] : [];
  return [
    ...opened,
    { put: "gap-closed", camera: page.camera, toAt, blame: final },
    gapEvent("gap.closed", page.camera, { fromAt, toAt }, final, before, moment),
  ];
}

/** A gap that turns out to have no length (the torn file reached further than was known) is closed where it began. */
function closeEmpty(page: Page, moment: Moment): Write[] {
  if (page.gap === null) return [];
  const { fromAt, blame } = page.gap;
  return [
    { put: "gap-closed", camera: page.camera, toAt: fromAt, blame },
    gapEvent("gap.closed", page.camera, { fromAt, toAt: fromAt }, blame, blame, moment),
  ];
}

/** The better founded claim wins when a gap closes. */
function strength(blame: Blame): number {
  const bySure: Record<Sure, number> = { sensed: 2, inferred: 1, unknown: 0 };
  return bySure[blame.sure] * 2 + (blame.cause === "unknown" ? 0 : 1);
}

function gapEvent(
  type: "gap.opened" | "gap.closed",
  camera: string,
  span: { fromAt: WallMs; toAt: WallMs | null },
  blame: Blame,
  before: Blame | null,
  moment: Moment,
): Write {
  const iso = (at: WallMs) => new Date(at).toISOString();
  const end = span.toAt === null ? {} : { to: iso(span.toAt), durationMs: span.toAt - span.fromAt };
  const was = before !== null && before.cause !== blame.cause ? { was: before.cause } : {};
  const data = { camera, from: iso(span.fromAt), ...end, cause: blame.cause, sure: blame.sure, evidence: blame.evidence, ...was };
  return { put: "event", moment, type, level: type === "gap.opened" ? "warn" : "info", data };
}

/** One stretch of a camera's history, as `footage` shows it. */
export type LedgerSpan = Span &
  (
    | { readonly kind: "footage"; readonly segments: number; readonly bytes: number; readonly stream: string; readonly clock: string }
    | { readonly kind: "gap"; readonly cause: Cause; readonly sure: Sure; readonly evidence: readonly string[] }
    | { readonly kind: "deleted"; readonly why: string }
    | { readonly kind: "unknown"; readonly why: string }
  );

/** All that the store has of one camera around a stretch. */
export type History = {
  /** Due time begins and ends here; null: nothing was ever due. */
  readonly due: Span | null;
  readonly segments: readonly Pick<Segment, "startAt" | "endAt" | "bytes" | "stream" | "clock">[];
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
  if (history.due === null) return [];
  const window = overlap(asked, history.due);
  if (window === null) return [];
  const layers: readonly LedgerSpan[][] = [
    footageSpans(history),
    deletedSpans(history),
    plannedSpans(history),
    gapSpans(history, window.toAt),
    unknownSpans(history),
  ];
  const nobody: LedgerSpan = { ...window, kind: "unknown", why: "not accounted for" };
  return join([...layers, [nobody]].reduce<LedgerSpan[]>((placed, layer) => layOver(placed, layer, window), []));
}

function footageSpans({ segments, open }: History): LedgerSpan[] {
  const closed = segments.map(
    (s): LedgerSpan => ({
      fromAt: s.startAt,
      toAt: s.endAt,
      kind: "footage",
      segments: 1,
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
  return clipInOrder(gaps.map((gap) => ({ fromAt: gap.fromAt, toAt: gap.toAt ?? endAt, kind: "gap", ...gap.blame })));
}

/** Cuts from each span what an earlier one of the same layer covers. */
function clipInOrder(spans: LedgerSpan[]): LedgerSpan[] {
  const result: LedgerSpan[] = [];
  let reachedAt = Number.NEGATIVE_INFINITY;
  for (const span of spans.sort((a, b) => a.fromAt - b.fromAt)) {
    const fromAt = Math.max(span.fromAt, reachedAt);
    if (fromAt < span.toAt) result.push({ ...span, fromAt });
    reachedAt = Math.max(reachedAt, span.toAt);
  }
  return result;
}

/** Fills the holes that `placed` leaves in the window with what `layer` has there. Both are in order. */
function layOver(placed: readonly LedgerSpan[], layer: readonly LedgerSpan[], window: Span): LedgerSpan[] {
  const result: LedgerSpan[] = [];
  let next = 0;
  const fill = (hole: Span) => {
    while (next < layer.length && (layer[next] as LedgerSpan).toAt <= hole.fromAt) next += 1;
    for (let i = next; i < layer.length; i += 1) {
      const span = layer[i] as LedgerSpan;
      if (span.fromAt >= hole.toAt) break;
      const part = overlap(span, hole);
      if (part !== null) result.push({ ...span, ...part });
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
  if (a.kind === "footage" && b.kind === "footage" && a.stream === b.stream && a.clock === b.clock)
    return { ...a, toAt: b.toAt, segments: a.segments + b.segments, bytes: a.bytes + b.bytes };
  if (a.kind === "deleted" && b.kind === "deleted" && a.why === b.why) return { ...a, toAt: b.toAt };
  if (a.kind === "unknown" && b.kind === "unknown" && a.why === b.why) return { ...a, toAt: b.toAt };
  return null;
}

/** What two spans share; null where they share nothing. */
export function overlap(a: Span, b: Span): Span | null {
  const fromAt = Math.max(a.fromAt, b.fromAt);
  const toAt = Math.min(a.toAt, b.toAt);
  return fromAt < toAt ? { fromAt, toAt } : null;
}

export type Sums = {
  readonly dueMs: number;
  readonly recordedMs: number;
  readonly deletedMs: number;
  readonly unknownMs: number;
  readonly plannedMs: number;
  readonly gapMs: number;
};

/** Adds the spans up. `planned` time is not due; footage made in it anyway is not counted as due either way. */
export function sumsOf(spans: readonly LedgerSpan[]): Sums {
  const total = (keep: (span: LedgerSpan) => boolean) => spans.filter(keep).reduce((ms, span) => ms + span.toAt - span.fromAt, 0);
  const planned = (span: LedgerSpan) => span.kind === "gap" && span.cause === "planned";
  const plannedMs = total(planned);
  return {
    dueMs: total(() => true) - plannedMs,
    recordedMs: total((span) => span.kind === "footage"),
    deletedMs: total((span) => span.kind === "deleted"),
    unknownMs: total((span) => span.kind === "unknown"),
    plannedMs,
    gapMs: total((span) => span.kind === "gap") - plannedMs,
  };
}

export type Answer = "yes" | "partial" | "no" | "unknown";

/** Is there footage of the whole stretch that was asked for? */
export function answerOf(spans: readonly LedgerSpan[], asked: Span): Answer {
  const sums = sumsOf(spans);
  if (sums.recordedMs >= asked.toAt - asked.fromAt) return "yes";
  const missingIsUnknown = sums.gapMs === 0 && sums.deletedMs === 0 && sums.plannedMs === 0 && sums.unknownMs > 0;
  if (missingIsUnknown) return "unknown";
  return sums.recordedMs > 0 ? "partial" : "no";
}
