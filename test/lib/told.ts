/** Cameras with a made-up past, and what their boxes leave of it at the station: written by the agent's own summaries. */
import type { LedgerSpan } from "../../agent/core/ledger.ts";
import { monthsOf, spanOfMonth } from "../../agent/core/period.ts";
import type { CameraLedger, ReportCamera } from "../../agent/core/report.ts";
import { cutTo, monthSummary } from "../../agent/core/summary.ts";
import type { Cause, Gap, Span } from "../../agent/core/types.ts";

const dayMs = 86_400_000;

export type Stretch = {
  readonly ms: number;
  readonly kind: "footage" | "gap" | "deleted" | "unknown";
  readonly cause: Cause;
  /** Losses that share a number are one fault. */
  readonly fault?: number | null;
};

/** Stretches back to back over the span; footage once they are used up. */
export function makeLedger(
  camera: Pick<ReportCamera, "id" | "name" | "group"> & Partial<ReportCamera>,
  { fromAt, toAt }: Span,
  stretches: readonly Stretch[],
): CameraLedger {
  const rows: Gap[] = [];
  const spans: LedgerSpan[] = [];
  let at = fromAt;
  for (let i = 0; at < toAt; i += 1) {
    const { ms, kind, cause, fault = null } = stretches[i] ?? { ms: toAt, kind: "footage", cause: "camera" };
    const span = { fromAt: at, toAt: Math.min(toAt, at + ms) };
    at = span.toAt;
    if (kind === "gap" && cause !== "planned")
      rows.push({ id: i, camera: camera.id, ...span, fault, blame: { cause, sure: "inferred", evidence: [] } });
    if (kind === "gap") spans.push({ ...span, kind, cause, sure: "inferred", evidence: cause === "camera" ? ["port-answers"] : [] });
    else if (kind === "deleted") spans.push({ ...span, kind, why: "age" });
    else if (kind === "unknown") spans.push({ ...span, kind, why: "journal reset" });
    else spans.push({ ...span, kind: "footage", segments: 1, bytes: 1, stream: "main", clock: "synced" });
  }
  return {
    camera: { kind: 2, priority: false, household: null, manual: false, site: null, sinceAt: fromAt, keepDays: 30, ...camera },
    ...{ spans, rows, daysKept: 12.5, clockOffsetMs: camera.id.length * 1_000 },
  };
}

/** The station's retained messages of these sites, parsed, by the topic after `matghi/v1/<commune>/`. */
export function toldOf(
  sites: Readonly<Record<string, readonly CameraLedger[]>>,
  untilAt: number,
  extractions: Readonly<Record<string, Readonly<Record<string, number>>>> = {},
): Map<string, unknown> {
  const told = new Map<string, unknown>();
  for (const [site, ledgers] of Object.entries(sites)) {
    const cameras = ledgers.map(({ camera: { sinceAt, keepDays: _keep, site: _site, manual, ...camera } }) => ({
      ...{ ...camera, since: sinceAt === null ? null : new Date(sinceAt).toISOString() },
      manual: manual ? { checked: "2026-01-10T00:00:00.000Z", keepsMs: dayMs } : null,
    }));
    const birth = { v: 1, site, name: `Vị trí ${site}`, versions: { agent: "0.1.0" }, keep: { minMs: dayMs, maxMs: 30 * dayMs }, cameras };
    told.set(`from/${site}/birth`, birth);
    for (const [i, { camera, spans, rows, daysKept, clockOffsetMs }] of ledgers.entries()) {
      told.set(`from/${site}/camera/${camera.id}`, { v: 1, state: "recording", daysKept, clockOffsetMs });
      for (const month of camera.sinceAt === null || camera.manual ? [] : monthsOf({ fromAt: camera.sinceAt, toAt: untilAt })) {
        const span = spanOfMonth(month) ?? { fromAt: 0, toAt: 0 };
        const own = rows.filter((row) => row.fromAt < span.toAt && (row.toAt ?? untilAt) > span.fromAt);
        const facts = { camera: camera.id, month, untilAt, spans: cutTo(spans, span), rows: own };
        const page = monthSummary({ ...facts, extractions: i === 0 ? extractions : {}, lineBytes: 0 });
        told.set(`from/${site}/month/${month}/${camera.id}`, JSON.parse(JSON.stringify(page)));
      }
    }
  }
  return told;
}
