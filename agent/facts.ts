/** Facts of a stretch from the store: what the report and the station's summaries are made of. Reads only. */
import type { Settings } from "./config/schema.ts";
import { redate } from "./core/dating.ts";
import { drawnKeptMs, lineBytes } from "./core/drawn.ts";
import { journalBounds } from "./core/journal.ts";
import { spansOf, splitByPlan } from "./core/ledger.ts";
import { spanOfDay, spanOfMonth } from "./core/period.ts";
import { albumOf, wasLookedAt } from "./core/picture.ts";
import { countsOf, type RegisterSums, registerSums, requestsOn } from "./core/register.ts";
import type { CameraLedger, ReportCamera } from "./core/report.ts";
import { type DayFacts, type MonthFacts, type StretchFacts, typesOfNote } from "./core/summary.ts";
import { type PictureFacts, pictureEvents, suspicionsOf } from "./core/suspicion.ts";
import type { Span } from "./core/types.ts";
import { type Asking, clockOf, drawnIn, historyOf } from "./query.ts";

const dayMs = 86_400_000;

/** Every camera of the configuration, and those that have left it and still count in the span. */
export function reportFacts(asking: Asking, span: Span): readonly CameraLedger[] {
  const { settings, reads } = asking;
  const ledger = (camera: ReportCamera): CameraLedger => ({
    ...{
      camera,
      ...ledgerOf(asking, camera.id, span),
      daysKept: daysKept(asking, camera.id),
      clockOffsetMs: clockOf(asking.reads, camera.id)?.offsetMs ?? null,
    },
  });
  const told = (camera: ReportCamera): ReportCamera => ({
    ...{ ...camera, sinceAt: camera.sinceAt ?? sinceOf(asking, camera.id), keepDays: settings.recording.keep.max / dayMs },
  });
  const configured = settings.cameras.map((camera) => ledger(told(cameraOf(camera))));
  const known = new Set(settings.cameras.map(({ id }) => id));
  const left = reads.cameras().filter(({ id }) => !known.has(id));
  return [...configured, ...left.map(({ id }) => ledger(told(gone(id)))).filter(({ spans }) => spans.length > 0)];
}

const cameraOf = ({ id, name, group, kind, priority, household, manual, since }: Settings["cameras"][number]): ReportCamera => ({
  ...{ id, name: name ?? id, group: group ?? null, kind, priority, household: household ?? null, manual: manual !== undefined },
  ...{ site: null, sinceAt: since ?? null, keepDays: null },
});

/** Of a camera that has left the configuration only its id is known. */
const gone = (id: string): ReportCamera => ({
  ...{ id, name: id, group: null, kind: 2, priority: false, household: null, manual: false },
  ...{ site: null, sinceAt: null, keepDays: null },
});

/** When its due time began, where the configuration does not say it. */
function sinceOf({ reads, dating }: Asking, camera: string): number | null {
  const sinceAt = reads.camera(camera)?.sinceAt;
  return sinceAt == null ? null : dating.toUtc(sinceAt);
}

/** Days back to the oldest footage that is not held, to a hundredth; null where there is none. */
function daysKept({ reads, dating, nowAt }: Asking, camera: string): number | null {
  const oldestAt = reads.oldestFreeStartAt(camera);
  return oldestAt === null ? null : Math.floor(((nowAt - dating.toUtc(oldestAt)) / dayMs) * 100) / 100;
}

/** Events of note of a day are read up to here; a day that has more is told without its last ones. */
const mostEvents = 5_000;

/** What the station is told of a camera's day; see core/summary.ts. */
export function dayFacts(asking: Asking, camera: string, day: string): DayFacts {
  const span = spanOfDay(day) ?? nowhere;
  const { reads, dating } = asking;
  const stored = { fromAt: dating.fromUtc(span.fromAt), toAt: dating.fromUtc(span.toAt) };
  const events = reads.eventsOf(camera, typesOfNote, stored, mostEvents);
  const dated = events.map((row) => ({ ...row, at: dating.toUtc(row.at), data: redate(row.data, dating) }));
  return { ...stretchFacts(asking, camera, span), day, events: dated };
}

/** What was suspected of these cameras' pictures in a span, as far as the journal goes back; null: none of them was looked at then. */
export function picturesIn(asking: Asking, cameras: readonly string[], span: Span): PictureFacts | null {
  const { reads, dating } = asking;
  const stored = { fromAt: dating.fromUtc(span.fromAt), toAt: dating.fromUtc(span.toAt) };
  const looked = cameras.filter((camera) => wasLookedAt(albumOf(reads.meta(`picture ${camera}`)), stored)).length;
  if (looked === 0) return null;
  const until = { fromAt: Number.MIN_SAFE_INTEGER, toAt: stored.toAt, afterG: 0, limit: mostKept };
  const rows = pictureEvents.flatMap((type) => reads.events({ ...until, type })).sort((a, b) => a.g - b.g);
  const dated = rows.map((row) => ({ ...row, at: dating.toUtc(row.at) }));
  const eventsOf = (camera: string) => dated.filter(({ data }) => data.camera === camera);
  return {
    looked,
    suspected: cameras.flatMap((camera) => suspicionsOf(camera, eventsOf(camera), span)).sort((a, b) => a.fromAt - b.fromAt),
  };
}

/** The journal holds no more: none is left out. */
const mostKept = journalBounds.maxEvents + journalBounds.slackEvents;

/** What the station is told of a camera's month. */
export function monthFacts(asking: Asking, camera: string, month: string): MonthFacts {
  const span = spanOfMonth(month) ?? nowhere;
  return {
    ...{ ...stretchFacts(asking, camera, span), month, extractions: extractionsOf(asking, camera, month) },
    // Of a month whose first hours are gone the rest would pass for the whole.
    lineBytes: asking.nowAt - span.fromAt > drawnKeptMs ? 0 : lineBytes(drawnIn(asking, camera, span).bytes),
  };
}

/** Counts only: the papers and names of the register stay on the box. */
function extractionsOf({ reads, settings }: Asking, camera: string, month: string) {
  const configured = settings.cameras.filter(({ manual }) => manual === undefined).map(({ id }) => id);
  const paged = [...new Set([...configured, ...reads.cameras().map(({ id }) => id)])];
  return countsOf(requestsOn(reads.register(spanOfMonth(month) ?? nowhere), camera, paged));
}

/** What the report says of requests and viewers. */
export const registerFacts = ({ reads }: Asking, span: Span): RegisterSums => registerSums(reads.register(span), reads.viewers(), span);

const nowhere: Span = { fromAt: 0, toAt: 0 };

const stretchFacts = (asking: Asking, camera: string, span: Span): StretchFacts => ({
  ...{ camera, ...ledgerOf(asking, camera, span), untilAt: asking.nowAt },
});

/** One camera's spans, and its gap rows as `gapsOf` has them; the tables are read once for both. */
function ledgerOf(asking: Asking, camera: string, span: Span): Pick<CameraLedger, "spans" | "rows"> {
  const history = historyOf(asking, camera, span);
  const { gaps, planned } = history;
  const rows = planned.length === 0 ? gaps : gaps.flatMap((gap) => splitByPlan(gap, planned, asking.nowAt));
  return { spans: spansOf(history, span), rows };
}
