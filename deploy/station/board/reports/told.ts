/** What the boxes told the station of their cameras and months, taken apart; what cannot be read is null and counts nowhere. Pure. */
import type { Grade } from "../../../../agent/core/grade.ts";
import { dayOf, spanOfDay, spanOfMonth } from "../../../../agent/core/period.ts";
import { type Outcome, outcomes } from "../../../../agent/core/register.ts";
import type { Edges, Part } from "../../../../agent/core/seam.ts";
import { type ByCause, nothing, type Tally } from "../../../../agent/core/tally.ts";
import type { Cause, Span, WallMs } from "../../../../agent/core/types.ts";
import { bySite, entriesIn, type Introduced, introducedOf } from "../model/introduced.ts";
import { type Body, bodyOf, causeOf, listOf, numberOf, oneOf, textOf, timeOf } from "../model/read.ts";

/** The station's retained messages, parsed, by the topic after `matghi/v1/<commune>/`. */
export type Retained = ReadonlyMap<string, unknown>;

/** A camera as its box names it, and what it said of it last. */
export type ToldCamera = Introduced & {
  /** Hand-over; null: nothing was due yet. Undefined: its box did not say. */
  readonly sinceAt: WallMs | null | undefined;
  readonly daysKept: number | null;
  readonly clockOffsetMs: number | null;
  /** False where it is no longer configured, or was never heard of beside its months. */
  readonly isConfigured: boolean;
};

/** A day of a month: its sums, and what lies at its midnights. Ends where the figures end. */
export type ToldDay = Part & { readonly day: string; readonly tally: Tally };
export type ToldFault = {
  readonly fault: number | null;
  readonly cause: Cause;
  readonly fromAt: WallMs;
  readonly toAt: WallMs | null;
  readonly durationMs: number;
};
export type ToldMonth = {
  readonly month: string;
  readonly span: Span;
  /** Nothing is known of what came after this. */
  readonly untilAt: WallMs;
  readonly days: readonly ToldDay[];
  readonly faults: readonly ToldFault[];
  readonly faultsLeftOut: number;
  /** As of its end, or of `untilAt`. */
  readonly grade: Grade | null;
  readonly extractions: Readonly<Record<string, Readonly<Record<string, number>>>>;
};

export type ToldSite = {
  readonly id: string;
  readonly name: string;
  readonly version: string | null;
  /** False: the box never introduced itself; only its months are known. */
  readonly isIntroduced: boolean;
  readonly keepDays: number | null;
  readonly cameras: readonly (ToldCamera & { readonly months: readonly ToldMonth[] })[];
};

/** A question “is there footage?” that an officer answered at the station and registered. */
export type Answered = { readonly at: WallMs; readonly answer: Outcome };

export const answeredIn = (retained: Retained, { fromAt, toAt }: Span): readonly Answered[] =>
  [...retained].flatMap(([topic, value]) => {
    const body = bodyOf(value);
    const at = timeOf(body?.at);
    const answer = oneOf(body?.answer, outcomes);
    return !topic.startsWith("station/answered/") || at === null || answer === null || at < fromAt || at >= toAt ? [] : [{ at, answer }];
  });

const dayMs = 86_400_000;

export const sitesOf = (retained: Retained): readonly ToldSite[] => bySite(retained).map(([id, told]) => siteOf(id, told));

function siteOf(id: string, told: ReadonlyMap<string, unknown>): ToldSite {
  const birth = bodyOf(told.get("birth"));
  const months = monthsByCamera(told);
  const configured = entriesIn(birth).map((entry) => cameraOf(entry.id, entry.body, bodyOf(told.get(`camera/${entry.id}`)), true));
  const known = new Set(configured.map((camera) => camera.id));
  const others = [...months.keys()].filter((camera) => !known.has(camera)).map((camera) => cameraOf(camera, {}, null, false));
  const keepMs = numberOf(bodyOf(birth?.keep)?.maxMs);
  return {
    ...{ id, name: textOf(birth?.name) ?? id, version: textOf(bodyOf(birth?.versions)?.agent), isIntroduced: told.has("birth") },
    ...{ keepDays: keepMs === null ? null : keepMs / dayMs },
    cameras: [...configured, ...others].map((camera) => ({ ...camera, months: months.get(camera.id) ?? [] })),
  };
}

function cameraOf(id: string, body: Body, now: Body | null, isConfigured: boolean): ToldCamera {
  const sinceAt = body.since === undefined ? undefined : timeOf(body.since);
  const facts = { sinceAt, daysKept: numberOf(now?.daysKept), clockOffsetMs: numberOf(now?.clockOffsetMs), isConfigured };
  return { ...introducedOf(id, body), ...facts };
}

/** Oldest first. */
function monthsByCamera(told: ReadonlyMap<string, unknown>): ReadonlyMap<string, readonly ToldMonth[]> {
  const found = new Map<string, ToldMonth[]>();
  for (const [topic, body] of told) {
    const [, month, camera] = /^month\/(\d{4}-\d{2})\/(.+)$/.exec(topic) ?? [];
    const read = month === undefined ? null : monthOf(month, bodyOf(body));
    if (camera !== undefined && read !== null) found.set(camera, [...(found.get(camera) ?? []), read]);
  }
  for (const months of found.values()) months.sort((a, b) => a.month.localeCompare(b.month));
  return found;
}

function monthOf(month: string, body: Body | null): ToldMonth | null {
  const span = spanOfMonth(month);
  const untilAt = timeOf(body?.until);
  if (body === null || span === null || untilAt === null || !Array.isArray(body.days)) return null;
  const days = body.days.map((day: unknown) => dayFrom(bodyOf(day), span, untilAt));
  // A page of which a day cannot be read is not taken for one without that day.
  if (days.some((day) => day === null)) return null;
  return {
    ...{ month, span, untilAt, days: days.flatMap((day) => day ?? []) },
    ...{ faults: listOf(body.faults).flatMap((fault) => faultOf(fault) ?? []), faultsLeftOut: numberOf(body.faultsLeftOut) ?? 0 },
    ...{ grade: oneOf(bodyOf(body.total)?.grade, ["dead", "connected"]), extractions: extractionsOf(body.extractions) },
  };
}

function dayFrom(body: Body | null, month: Span, untilAt: WallMs): ToldDay | null {
  const span = spanOfDay(textOf(body?.day) ?? "");
  const tally = body === null ? null : tallyOf(body);
  if (body === null || span === null || tally === null || span.fromAt < month.fromAt || span.toAt > month.toAt) return null;
  return { day: dayOf(span.fromAt), fromAt: span.fromAt, toAt: Math.min(span.toAt, untilAt), tally, edges: edgesIn(body.edges) };
}

const sums = ["dueMs", "recordedMs", "unknownMs", "plannedMs", "gaps", "flaps", "longestGapMs"] as const;

/** What is not said is nothing. Null where a figure is none, or where they do not add up: what is wrong is not summed. */
function tallyOf(body: Body): Tally | null {
  const figures = sums.map((key) => [key, numberOf(body[key] ?? 0)] as const);
  if (figures.some(([, value]) => value === null || value < 0)) return null;
  const tally: Tally = {
    ...nothing,
    ...Object.fromEntries(figures),
    reachableMs: numberOf(body.reachableMs),
    byCause: byCauseOf(body.byCause),
  };
  const lost = Object.values(tally.byCause).reduce((ms, count) => ms + count.ms, 0);
  return tally.recordedMs + lost + tally.unknownMs === tally.dueMs ? tally : null;
}

function byCauseOf(value: unknown): ByCause {
  return Object.fromEntries(
    Object.entries(bodyOf(value) ?? {}).map(([name, one]) => {
      const body = bodyOf(one);
      return [causeOf(name) ?? "unknown", { count: numberOf(body?.count) ?? 0, ms: numberOf(body?.ms) ?? 0 }];
    }),
  );
}

function edgesIn(value: unknown): Edges | null {
  const body = bodyOf(value);
  const interruptions = listOf(body?.interruptions).map((one) => ({
    ...{
      cause: causeOf(one.cause) ?? "unknown",
      fromMs: numberOf(one.fromMs) ?? 0,
      toMs: numberOf(one.toMs) ?? 0,
      lostMs: numberOf(one.lostMs) ?? 0,
    },
  }));
  return interruptions.length === 0 ? null : { firstMs: numberOf(body?.firstMs) ?? 0, lastMs: numberOf(body?.lastMs) ?? 0, interruptions };
}

function faultOf(body: Body): ToldFault | null {
  const fromAt = timeOf(body.from);
  const durationMs = numberOf(body.durationMs);
  if (fromAt === null || durationMs === null) return null;
  return { fault: numberOf(body.fault), cause: causeOf(body.cause) ?? "unknown", fromAt, toAt: timeOf(body.to), durationMs };
}

const extractionsOf = (value: unknown): ToldMonth["extractions"] =>
  Object.fromEntries(
    Object.entries(bodyOf(value) ?? {}).map(([kind, outcomes]) => [
      kind,
      Object.fromEntries(Object.entries(bodyOf(outcomes) ?? {}).map(([outcome, count]) => [outcome, numberOf(count) ?? 0])),
    ]),
  );
