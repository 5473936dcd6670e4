/** What the station is told of a camera's day and of its month (contract §7), bounded whatever happened. Pure. */
import { type Fault, faultsOf, traceOf } from "./faults.ts";
import { gradeOf } from "./grade.ts";
import { type LedgerSpan, overlap } from "./ledger.ts";
import { daysOf, hoursOf, spanOfDay, spanOfMonth } from "./period.ts";
import { edgesOf } from "./seam.ts";
import { isLoss, isMade, shareOf, type Tally, tallyOf } from "./tally.ts";
import { iso, isoOrNull } from "./time.ts";
import { isOutOfRule } from "./toll.ts";
import { type EventRow, type EventType, eventTypes, type Gap, type Level, type Span, type WallMs } from "./types.ts";

/** No payload is longer; what does not fit is counted. */
export const mostBytes = 32_000;

/** One camera's ledger in a stretch: as `spansOf` gives it, with the gap rows that touch it. Nothing is due after `untilAt`. */
export type StretchFacts = {
  readonly camera: string;
  readonly spans: readonly LedgerSpan[];
  readonly rows: readonly Gap[];
  readonly untilAt: WallMs;
};
export type DayFacts = StretchFacts & {
  /** `2026-11-24`, in Vietnam. */
  readonly day: string;
  /** The journal of that day, of whatever kind and camera; what is of note (`typesOfNote`) is picked here. */
  readonly events: readonly EventRow[];
};
export type MonthFacts = StretchFacts & {
  /** `2026-11`, in Vietnam. */
  readonly month: string;
  /** Extractions by case, then by outcome. */
  readonly extractions: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What it sent to the box, with what carries it. */
  readonly lineBytes: number;
};

/** The day: its sums, minutes recorded in each of its 24 hours, its gaps as the ledger has them, what else happened. Null where it names no day. */
export function daySummary(facts: DayFacts) {
  const span = spanOfDay(facts.day);
  if (span === null) return null;
  const noted = facts.events.filter((event) => isOfNote(event, facts.camera));
  const deleted = deletedOf(cutTo(facts.spans, span));
  const fixed = {
    ...headOf(facts, span),
    day: facts.day,
    ...timesOf(tallyOf(cutTo(facts.spans, span))),
    recordedMinutesByHour: hoursOf(span).map((hour) => recordedMinutes(facts.spans, hour)),
  };
  return fitted((most) => ({
    ...fixed,
    ...list("gaps", longestOf(facts.rows, facts.untilAt, most).map(gapJson), facts.rows.length),
    // Left out where nothing was, which is nearly always: what the station has of old days stays what it is.
    ...(deleted.length === 0 ? {} : list("deleted", deleted.slice(0, most), deleted.length)),
    ...list("events", weightiestOf(noted, most).map(eventJson), noted.length),
  }));
}

/** The month: its sums day by day and in all, its faults with their numbers. Null where it names no month. */
export function monthSummary(facts: MonthFacts) {
  const span = spanOfMonth(facts.month);
  if (span === null) return null;
  const { camera, spans, rows, untilAt, extractions, lineBytes } = facts;
  const whole = cutTo(spans, span);
  const tally = tallyOf(whole);
  const past = { fromAt: span.fromAt, toAt: Math.min(span.toAt, untilAt) };
  const faults = faultsOf([traceOf({ id: camera, spans: whole, rows }, past.toAt)], past.toAt);
  const fixed = {
    ...{ ...headOf(facts, span), month: facts.month },
    days: daysOf(past).map((day) => dayFigures(whole, day)),
    total: { ...figuresOf(tally), ...shareOf(tally), grade: gradeOf(false, whole, shareOf(tally)) },
    ...{ extractions, lineBytes },
  };
  const longest = [...faults].sort((a, b) => b.durationMs - a.durationMs);
  return fitted((most) => ({
    ...fixed,
    ...list(
      "faults",
      longest
        .slice(0, most)
        .sort((a, b) => a.fromAt - b.fromAt)
        .map(faultJson),
      faults.length,
    ),
  }));
}

const headOf = ({ camera, untilAt }: StretchFacts, span: Span) => ({
  ...{ v: 1, camera, from: iso(span.fromAt), to: iso(span.toAt), until: iso(Math.min(span.toAt, untilAt)) },
});

const timesOf = ({ dueMs, recordedMs, unknownMs, plannedMs, byCause }: Tally) => ({ dueMs, recordedMs, unknownMs, plannedMs, byCause });

/** The report's numbers under the report's names. */
const figuresOf = (tally: Tally) => ({
  ...{ ...timesOf(tally), gaps: tally.gaps, flaps: tally.flaps, longestGapMs: tally.longestGapMs, reachableMs: tally.reachableMs },
});

type Figures = ReturnType<typeof figuresOf>;

/** A day of a month, with what lies at its midnights: any stretch of days adds up to what the report says of it (core/seam.ts). */
function dayFigures(spans: readonly LedgerSpan[], day: Span & { readonly day: string }) {
  const own = cutTo(spans, day);
  const edges = edgesOf(own.filter(isLoss), day);
  return { day: day.day, ...withoutNothing(figuresOf(tallyOf(own))), ...(edges === null ? {} : { edges }) };
}

/**
 * A month goes over a household's line again and again: what is nothing in a day is not said, but for what the sum law is of. How long it was
 * reached may be 0, or not known.
 */
const withoutNothing = ({
  dueMs,
  recordedMs,
  unknownMs,
  byCause,
  reachableMs,
  ...counts
}: Figures): Pick<Figures, "dueMs" | "recordedMs" | "unknownMs" | "byCause"> & Partial<Figures> => ({
  ...{ dueMs, recordedMs, unknownMs, byCause },
  ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
  ...(reachableMs === null ? {} : { reachableMs }),
});

/** Spans of a window, cut to it; all are in order. */
export function cutTo(spans: readonly LedgerSpan[], window: Span): readonly LedgerSpan[] {
  const found: LedgerSpan[] = [];
  for (const span of spans) {
    if (span.fromAt >= window.toAt) break;
    if (span.toAt <= window.fromAt) continue;
    const isWithin = span.fromAt >= window.fromAt && span.toAt <= window.toAt;
    found.push(isWithin ? span : { ...span, ...overlap(span, window) });
  }
  return found;
}

/** Minutes to a tenth, rounded down: 60 means the whole hour. */
function recordedMinutes(spans: readonly LedgerSpan[], hour: Span): number {
  const ms = cutTo(spans, hour).reduce((sum, span) => (isMade(span) ? sum + span.toAt - span.fromAt : sum), 0);
  return Math.floor(ms / 6_000) / 10;
}

/** Deletions that no rule of rotation explains. */
const deletedOf = (spans: readonly LedgerSpan[]) =>
  spans.flatMap((span) =>
    span.kind === "deleted" && isOutOfRule(span.why) ? [{ from: iso(span.fromAt), to: iso(span.toAt), why: span.why }] : [],
  );

/** The `most` longest, in order. */
function longestOf(rows: readonly Gap[], untilAt: WallMs, most: number): readonly Gap[] {
  const lengthMs = (gap: Gap) => (gap.toAt ?? untilAt) - gap.fromAt;
  return [...rows]
    .sort((a, b) => lengthMs(b) - lengthMs(a))
    .slice(0, most)
    .sort((a, b) => a.fromAt - b.fromAt);
}

const mostCodes = 8;
const longestCode = 100;

const gapJson = ({ id, fromAt, toAt, blame, fault }: Gap) => ({
  ...{ id, from: iso(fromAt), to: isoOrNull(toAt), cause: blame.cause, sure: blame.sure },
  evidence: blame.evidence.slice(0, mostCodes).map((code) => code.slice(0, longestCode)),
  fault,
});

/** Gaps stand in their own list; deletions and small changes of state would bury what a person looks for. */
const ofNote: Readonly<Record<EventType, boolean>> = {
  ...{ "run.started": true, "run.stopping": true, "run.ended": true, "power.changed": true, "link.changed": true, "disk.changed": true },
  ...{ "clock.changed": false, "clock.step": true, "camera.changed": false, "gap.opened": false, "gap.closed": false },
  ...{ "picture.suspect": true, "picture.cleared": true, "footage.deleted": false, "hold.added": true, "hold.lifted": true },
  ...{ "export.made": true, "config.changed": true, "journal.dropped": true, "journal.reset": true },
};

/** What `DayFacts.events` must hold; more does no harm. */
export const typesOfNote: readonly EventType[] = eventTypes.filter((type) => ofNote[type]);

const isOfNote = ({ type, data }: EventRow, camera: string): boolean =>
  ofNote[type] && (data.camera === undefined || data.camera === camera);

/** The `most` that weigh most, later before earlier, in order. */
function weightiestOf(events: readonly EventRow[], most: number): readonly EventRow[] {
  const weight: Record<Level, number> = { alarm: 2, warn: 1, info: 0 };
  return [...events]
    .sort((a, b) => weight[b.level] - weight[a.level] || b.g - a.g)
    .slice(0, most)
    .sort((a, b) => a.g - b.g);
}

const eventJson = ({ g, at, type, level, data }: EventRow) => ({ g, at: iso(at), type, level, data });

const faultJson = (fault: Fault) => ({
  ...{ fault: fault.fault, cause: fault.cause, from: iso(fault.fromAt), to: isoOrNull(fault.toAt), durationMs: fault.durationMs },
});

/** A list and how many of it were left out. */
const list = <K extends string, T>(name: K, kept: readonly T[], all: number) =>
  ({ [name]: kept, [`${name}LeftOut`]: all - kept.length }) as Record<K, readonly T[]> & Record<`${K}LeftOut`, number>;

/** A first guess at what fits; shortened by half until it does. */
const firstTry = 128;

function fitted<T extends object>(make: (most: number) => T): T {
  for (let most = firstTry; most > 0; most = Math.floor(most / 2)) {
    const made = make(most);
    if (new TextEncoder().encode(JSON.stringify(made)).length <= mostBytes) return made;
  }
  return make(0);
}
