/** Facts of a stretch from the store: what the report and the station's summaries are made of. Reads only. */
import type { Settings } from "./config/schema.ts";
import { spansOf } from "./core/ledger.ts";
import { spanOfDay, spanOfMonth } from "./core/period.ts";
import type { CameraLedger, ReportCamera } from "./core/report.ts";
import type { DayFacts, MonthFacts, StretchFacts } from "./core/summary.ts";
import type { Gap, Span, WallMs } from "./core/types.ts";
import { historyOf } from "./query.ts";
import type { Reads } from "./store/reads.ts";

export type FactsDeps = { readonly settings: Settings; readonly reads: Reads; readonly running: boolean; readonly nowAt: WallMs };

const dayMs = 86_400_000;

/** Every camera of the configuration, and those that have left it and still count in the span. */
export function reportFacts({ settings, reads, running, nowAt }: FactsDeps, span: Span): readonly CameraLedger[] {
  const rows = new Map<string, Gap[]>();
  for (const gap of reads.gaps(null, span)) {
    const known = rows.get(gap.camera);
    if (known === undefined) rows.set(gap.camera, [gap]);
    else known.push(gap);
  }
  const ledger = (camera: ReportCamera): CameraLedger => ({
    ...{ camera, spans: spansOf(historyOf(reads, settings, camera.id, span, running, nowAt), span), rows: rows.get(camera.id) ?? [] },
    ...{ daysKept: daysKept(reads, camera.id, nowAt), clockOffsetMs: null },
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
function daysKept(reads: Reads, camera: string, nowAt: WallMs): number | null {
  const oldestAt = reads.oldestStartAt(camera);
  return oldestAt === null ? null : Math.floor(((nowAt - oldestAt) / dayMs) * 100) / 100;
}

/** The journal of a day is read up to here; a day that has more is told without its last events. */
const mostEvents = 5_000;

/** What the station is told of a camera's day; see core/summary.ts. */
export function dayFacts(deps: FactsDeps, camera: string, day: string): DayFacts {
  const span = spanOfDay(day) ?? nowhere;
  return { ...stretchFacts(deps, camera, span), day, events: deps.reads.events({ ...span, type: null, afterG: 0, limit: mostEvents }) };
}

/** What the station is told of a camera's month. */
export function monthFacts(deps: FactsDeps, camera: string, month: string): MonthFacts {
  return { ...stretchFacts(deps, camera, spanOfMonth(month) ?? nowhere), month, extractions: {} };
}

const nowhere: Span = { fromAt: 0, toAt: 0 };

function stretchFacts({ settings, reads, running, nowAt }: FactsDeps, camera: string, span: Span): StretchFacts {
  const spans = spansOf(historyOf(reads, settings, camera, span, running, nowAt), span);
  return { camera, spans, rows: reads.gaps(camera, span), untilAt: nowAt };
}
