/** A camera's days as stretches: footage, gaps with their cause, and what nobody can vouch for. Pure. */
import { overlap } from "../../../../agent/core/ledger.ts";
import { daysOf, hoursOf, spanOfDay } from "../../../../agent/core/period.ts";
import type { Cause, Span, Sure } from "../../../../agent/core/types.ts";
import type { Camera } from "./commune.ts";
import type { Kept, Retained } from "./kept.ts";
import { bodyOf, causeOf, listOf, numberOf, oneOf, textOf, textsOf, timeOf } from "./read.ts";

export type Gap = Span & { readonly cause: Cause; readonly sure: Sure; readonly evidence: readonly string[]; readonly isOpen: boolean };

/** A camera's day as the box has told it, complete up to `untilAt`. */
export type Day = Span & {
  readonly untilAt: number;
  readonly dueMs: number;
  readonly recordedMs: number;
  readonly unknownMs: number;
  /** Minutes recorded in each of the 24 hours. */
  readonly minutes: readonly number[];
  readonly gaps: readonly Gap[];
  readonly gapsLeftOut: number;
  /** Recorded, and deleted by no rule of rotation. */
  readonly deleted: readonly (Span & { readonly why: string })[];
  /** So many more, later than those, had no room in the message. */
  readonly deletedLeftOut: number;
};

/**
 * footage: recorded (it may have been deleted since). gap: not recorded. some: an hour of which some minutes were, not told which.
 * unknown: nobody knows. undue: before hand-over. untold: the box has not said yet.
 */
export type Piece = Span &
  (
    | { readonly kind: "footage" | "unknown" | "undue" | "untold" }
    | { readonly kind: "some"; readonly minutes: number }
    | ({ readonly kind: "gap" } & Pick<Gap, "cause" | "sure" | "evidence">)
  );

/** What the box was heard to be until; a gap that lasts is vouched for no longer than that. */
export type Vouched = { readonly untilAt: number; readonly state: Camera["state"]; readonly sinceAt: number | null };

const read = new WeakMap<Kept, { readonly day: Day | null }>();

/** The day that a message tells; read once, as long as the message stands. */
export function dayOf(kept: Kept | undefined): Day | null {
  if (kept === undefined) return null;
  const known = read.get(kept) ?? { day: readDay(kept.value) };
  read.set(kept, known);
  return known.day;
}

function readDay(value: unknown): Day | null {
  const body = bodyOf(value);
  const span = typeof body?.day === "string" ? spanOfDay(body.day) : null;
  if (body === null || span === null) return null;
  const minutes = Array.isArray(body.recordedMinutesByHour) ? body.recordedMinutesByHour.map((entry) => numberOf(entry) ?? 0) : [];
  return {
    ...{ ...span, minutes, untilAt: timeOf(body.until) ?? span.fromAt, dueMs: numberOf(body.dueMs) ?? 0 },
    ...{ recordedMs: numberOf(body.recordedMs) ?? 0, unknownMs: numberOf(body.unknownMs) ?? 0 },
    gaps: gapsOf(body.gaps, span),
    gapsLeftOut: numberOf(body.gapsLeftOut) ?? 0,
    deletedLeftOut: numberOf(body.deletedLeftOut) ?? 0,
    deleted: listOf(body.deleted).flatMap((entry) => {
      const [fromAt, toAt, why] = [timeOf(entry.from), timeOf(entry.to), textOf(entry.why)];
      return fromAt === null || toAt === null || why === null ? [] : [{ fromAt, toAt, why }];
    }),
  };
}

function gapsOf(value: unknown, day: Span): readonly Gap[] {
  return listOf(value)
    .flatMap((gap): readonly Gap[] => {
      const [fromAt, toAt, cause] = [timeOf(gap.from), timeOf(gap.to), causeOf(gap.cause)];
      if (fromAt === null || cause === null) return [];
      const facts = {
        cause,
        sure: oneOf(gap.sure, ["sensed", "inferred"]) ?? ("unknown" as const),
        evidence: textsOf(gap.evidence),
        isOpen: toAt === null,
      };
      return [{ ...facts, fromAt: Math.max(day.fromAt, fromAt), toAt: Math.min(day.toAt, toAt ?? day.toAt) }];
    })
    .filter(({ fromAt, toAt }) => toAt > fromAt)
    .sort((a, b) => a.fromAt - b.fromAt);
}

/** The gaps of days that follow each other, the newest first of both. One that goes over midnight, which each day tells as its own, is one. */
export function gapsOver(days: readonly (Day | null)[]): readonly Gap[] {
  const gaps: Gap[] = [];
  for (const day of days)
    for (const gap of [...(day?.gaps ?? [])].reverse()) {
      const later = gaps.at(-1);
      const goesOn = later !== undefined && gap.toAt === day?.toAt && later.fromAt === gap.toAt && later.cause === gap.cause;
      if (goesOn) gaps[gaps.length - 1] = { ...later, fromAt: gap.fromAt };
      else gaps.push(gap);
    }
  return gaps;
}

/** A camera's day at the station; null where it has none. */
export const dayAt = (retained: Retained, { site, id }: Pick<Camera, "site" | "id">, day: string): Day | null =>
  dayOf(retained.get(`from/${site}/day/${day}/${id}`));

/** What was deleted of a stretch by no rule of rotation, in order. */
export const deletedIn = (retained: Retained, camera: Pick<Camera, "site" | "id">, asked: Span): Day["deleted"] =>
  daysOf(asked).flatMap(({ day }) => dayAt(retained, camera, day)?.deleted ?? []);

/** Where more of a stretch may have been deleted than its days had room to tell: each from the last that it tells on. */
export const deletedBeyond = (retained: Retained, camera: Pick<Camera, "site" | "id">, asked: Span): readonly Span[] =>
  daysOf(asked).flatMap(({ day }) => {
    const told = dayAt(retained, camera, day);
    return told === null || told.deletedLeftOut === 0 ? [] : [{ fromAt: told.deleted.at(-1)?.toAt ?? told.fromAt, toAt: told.toAt }];
  });

/** A stretch of a camera, whole and without overlap. `vouched` null: nothing beyond what the days tell. */
export function piecesOf(retained: Retained, camera: Pick<Camera, "site" | "id">, asked: Span, vouched: Vouched | null): readonly Piece[] {
  const pieces = daysOf(asked).flatMap(({ day, fromAt, toAt }): readonly Piece[] => {
    const told = dayAt(retained, camera, day);
    return told === null ? [{ kind: "untold", fromAt, toAt }] : cut(dayPieces(told, vouched), { fromAt, toAt });
  });
  return joined(pieces);
}

/** What a stretch has of the pieces, cut to it. */
export function cut(pieces: readonly Piece[], window: Span): readonly Piece[] {
  return pieces.flatMap((piece) => {
    const common = overlap(piece, window);
    return common === null ? [] : [{ ...piece, ...common }];
  });
}

/** One day: hour by hour up to what is told, then what is vouched for, then nothing. */
export function dayPieces(day: Day, vouched: Vouched | null): readonly Piece[] {
  const untilAt = Math.min(day.untilAt, day.toAt);
  const heardAt = Math.min(day.toAt, Math.max(untilAt, vouched?.untilAt ?? untilAt));
  const told = hoursOf(day).flatMap((hour, i) => hourPieces(day, hour, i, untilAt));
  const tail = tailOf(day, untilAt, heardAt, vouched);
  const rest: readonly Piece[] = heardAt < day.toAt ? [{ kind: "untold", fromAt: heardAt, toAt: day.toAt }] : [];
  return joined([...told, ...tail, ...rest]);
}

/** Between the last telling of the day and now, the camera's own message speaks. */
function tailOf(day: Day, untilAt: number, heardAt: number, vouched: Vouched | null): readonly Piece[] {
  if (vouched === null || heardAt <= untilAt) return [];
  const span = { fromAt: untilAt, toAt: heardAt };
  const open = day.gaps.find(({ isOpen }) => isOpen);
  const { state, sinceAt } = vouched;
  const isOld = sinceAt === null || sinceAt <= untilAt;
  if (open !== undefined && state === "not-recording") return [{ ...span, kind: "gap", ...facts(open) }];
  if ((state === "recording" || state === "degraded") && isOld) return [{ ...span, kind: "footage" }];
  return [{ ...span, kind: "untold" }];
}

const facts = ({ cause, sure, evidence }: Pick<Gap, "cause" | "sure" | "evidence">) => ({ cause, sure, evidence });

/** The grain in which minutes are told, and one for what is rounded down. */
const grainMs = 12_000;

/** An hour: its gaps, and between them what the hour's minutes say. */
function hourPieces(day: Day, hour: Span, index: number, untilAt: number): readonly Piece[] {
  const span = overlap(hour, { fromAt: day.fromAt, toAt: untilAt });
  if (span === null) return [];
  const gaps = cut(
    day.gaps.map((gap) => ({ kind: "gap", fromAt: gap.fromAt, toAt: gap.toAt, ...facts(gap) })),
    span,
  );
  const between = holesOf(gaps, span);
  const openMs = between.reduce((sum, { fromAt, toAt }) => sum + toAt - fromAt, 0);
  const minutes = day.minutes[index] ?? 0;
  const recordedMs = minutes * 60_000;
  const fill = (piece: Span): Piece => {
    if (openMs - recordedMs <= grainMs) return { ...piece, kind: "footage" };
    if (recordedMs === 0) return { ...piece, kind: day.unknownMs > 0 ? "unknown" : "undue" };
    return { ...piece, kind: "some", minutes };
  };
  return [...gaps, ...between.map(fill)].sort((a, b) => a.fromAt - b.fromAt);
}

/** What a span has beside the pieces, which are in order. */
function holesOf(pieces: readonly Span[], span: Span): readonly Span[] {
  const holes: Span[] = [];
  let reachedAt = span.fromAt;
  for (const { fromAt, toAt } of pieces) {
    if (fromAt > reachedAt) holes.push({ fromAt: reachedAt, toAt: fromAt });
    reachedAt = Math.max(reachedAt, toAt);
  }
  return reachedAt < span.toAt ? [...holes, { fromAt: reachedAt, toAt: span.toAt }] : holes;
}

/** Pieces of one kind and cause that adjoin are one. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  const found: Piece[] = [];
  for (const piece of pieces) {
    const last = found.at(-1);
    if (last !== undefined && last.toAt === piece.fromAt && isAlike(last, piece)) found[found.length - 1] = { ...last, toAt: piece.toAt };
    else found.push(piece);
  }
  return found;
}

const isAlike = (a: Piece, b: Piece): boolean =>
  a.kind === b.kind && a.kind !== "some" && (a.kind !== "gap" || b.kind !== "gap" || (a.cause === b.cause && a.sure === b.sure));

/** How long a stretch has what: `lost` by cause, longest first. */
export function sumsOf(pieces: readonly Piece[]) {
  const lost = new Map<Cause, number>();
  const sums = { footageMs: 0, unknownMs: 0, untoldMs: 0, undueMs: 0 };
  for (const piece of pieces) {
    const ms = piece.toAt - piece.fromAt;
    if (piece.kind === "gap") lost.set(piece.cause, (lost.get(piece.cause) ?? 0) + ms);
    else if (piece.kind === "some") {
      sums.footageMs += Math.min(ms, piece.minutes * 60_000);
      sums.unknownMs += Math.max(0, ms - piece.minutes * 60_000);
    } else sums[`${piece.kind}Ms`] += ms;
  }
  return { ...sums, lost: [...lost].sort((a, b) => b[1] - a[1]) };
}
