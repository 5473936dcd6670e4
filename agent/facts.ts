/** Facts of a stretch from the store: what the report and the station's summaries are made of. Reads only. */
import type { Settings } from "./config/schema.ts";
import { redate } from "./core/dating.ts";
import { spansOf } from "./core/ledger.ts";
import { spanOfDay, spanOfMonth } from "./core/period.ts";
import type { CameraLedger, ReportCamera } from "./core/report.ts";
import type { DayFacts, MonthFacts, StretchFacts } from "./core/summary.ts";
import type { Gap, Span } from "./core/types.ts";
import { type Asking, gapsOf, historyOf } from "./query.ts";

const dayMs = 86_400_000;

/** Every camera of the configuration, and those that have left it and still count in the span. */
export function reportFacts(asking: Asking, span: Span): readonly CameraLedger[] {
  const { settings, reads } = asking;
  const rows = new Map<string, Gap[]>();
  for (const gap of gapsOf(asking, null, span)) {
    const known = rows.get(gap.camera);
    if (known === undefined) rows.set(gap.camera, [gap]);
    else known.push(gap);
  }
  const ledger = (camera: ReportCamera): CameraLedger => ({
    ...{ camera, spans: spansOf(historyOf(asking, camera.id, span), span), rows: rows.get(camera.id) ?? [] },
    ...{ daysKept: daysKept(asking, camera.id), clockOffsetMs: null },
  });
  const configured = settings.cameras.map((camera) => ledger(cameraOf(camera)));
  const known = new Set(settings.cameras.map(({ id }) => id));
  const left = reads.cameras().filter(({ id }) => !known.has(id));
  return [...configured, ...left.map(({ id }) => ledger(gone(id))).filter(({ spans }) => spans.length > 0)];
}

const cameraOf = ({ id, name, group, kind, priority, household, manual }: Settings["cameras"][number]): ReportCamera => ({
  ...{ id, name: name ?? id, group: group ?? null, kind, priority, household: household ?? null, manual: manual !== undefined },
});

/** Of a camera that has left the configuration only its id is known. */
const gone = (id: string): ReportCamera => ({
  ...{ id, name: id, group: null, kind: 2, priority: false, household: null, manual: false },
});

/** Days back to the oldest footage, to a hundredth; null where there is none. */
function daysKept({ reads, dating, nowAt }: Asking, camera: string): number | null {
  const oldestAt = reads.oldestStartAt(camera);
  return oldestAt === null ? null : Math.floor(((nowAt - dating.toUtc(oldestAt)) / dayMs) * 100) / 100;
}

/** The journal of a day is read up to here; a day that has more is told without its last events. */
const mostEvents = 5_000;

/** What the station is told of a camera's day; see core/summary.ts. */
export function dayFacts(asking: Asking, camera: string, day: string): DayFacts {
  const span = spanOfDay(day) ?? nowhere;
  const { reads, dating } = asking;
  const stored = { fromAt: dating.fromUtc(span.fromAt), toAt: dating.fromUtc(span.toAt) };
  const events = reads.events({ ...stored, type: null, afterG: 0, limit: mostEvents });
  const dated = events.map((row) => ({ ...row, at: dating.toUtc(row.at), data: redate(row.data, dating) }));
  return { ...stretchFacts(asking, camera, span), day, events: dated };
}

/** What the station is told of a camera's month. */
export function monthFacts(asking: Asking, camera: string, month: string): MonthFacts {
  return { ...stretchFacts(asking, camera, spanOfMonth(month) ?? nowhere), month, extractions: {} };
}

const nowhere: Span = { fromAt: 0, toAt: 0 };

function stretchFacts(asking: Asking, camera: string, span: Span): StretchFacts {
  const spans = spansOf(historyOf(asking, camera, span), span);
  return { camera, spans, rows: gapsOf(asking, camera, span), untilAt: asking.nowAt };
}
