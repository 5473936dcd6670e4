/** What a simulated site of some cameras says to its station: birth, state, conditions, cameras, two days. */
import {
  type Address,
  birthMessage,
  cameraMessage,
  conditionMessage,
  type Draft,
  dayMessage,
  stateMessage,
} from "../../agent/core/message.ts";
import { dayOf, spanOfDay } from "../../agent/core/period.ts";
import { daySummary } from "../../agent/core/summary.ts";
import { iso } from "../../agent/core/time.ts";

const dayMs = 86_400_000;
const startedAt = Date.now();

export const cameraIds = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `cam-${i + 1}`);

export function birthDraft(address: Address, boot: string, ids: readonly string[]): Draft {
  const cameras = ids.map((id) => ({
    ...{ id, name: `${address.site} ${id}`, group: `Thôn ${address.site}`, kind: 2, priority: false, household: "ho-01" },
    ...{ manual: null, sinceAt: null },
  }));
  return birthMessage(address, {
    ...{ versions: { agent: "0.1.0" }, config: "x", boot, startedAt, cameras, previous: null, db: "db", firstG: 1, lastG: 1 },
    ...{ name: `Vị trí ${address.site}`, key: null, keep: { minMs: 7 * dayMs, maxMs: 30 * dayMs } },
  });
}

export const cameraDraft = (address: Address, id: string, isDown = false): Draft =>
  cameraMessage(address, {
    ...{ id, name: `Camera ${id}`, group: `Thôn ${address.site}`, kind: 2, priority: false },
    ...{ household: "ho-01", state: isDown ? "not-recording" : "recording", why: isDown ? "silent" : null, stream: "main" },
    ...{
      sinceAt: startedAt - 5 * dayMs,
      lastFrameAt: Date.now(),
      recorded24h: 0.998,
      daysKept: 21.4,
      held: [],
      clockOffsetMs: 120,
      picture: { value: "good", since: iso(startedAt - dayMs) },
    },
  });

export const conditionDrafts = (address: Address): readonly Draft[] =>
  (["link", "disk", "clock"] as const).map((subject) =>
    conditionMessage(address, subject, { value: "ok", sinceAt: startedAt - dayMs, evidence: [] }),
  );

/** A day with a gap of ten minutes in the morning, as far as it has come. */
function dayDraft(address: Address, camera: string, name: string): readonly Draft[] {
  const span = spanOfDay(name);
  if (span === null) return [];
  const untilAt = Math.min(span.toAt, Date.now());
  const gap = { fromAt: span.fromAt, toAt: Math.min(untilAt, span.fromAt + 600_000) };
  const evidence = ["port-silent", "others-answer 3"];
  const rows = [{ ...gap, id: 1, camera, blame: { cause: "camera", sure: "inferred", evidence }, fault: 1 } as const];
  const spans = [
    { ...gap, kind: "gap", cause: "camera", sure: "inferred", evidence } as const,
    { kind: "footage", fromAt: gap.toAt, toAt: untilAt, segments: 1, bytes: 1, stream: "main", clock: "synced" } as const,
  ];
  const summary = daySummary({ camera, spans, rows, untilAt, day: name, events: [] });
  return summary === null ? [] : [dayMessage(address, summary)];
}

export const dayDrafts = (address: Address, ids: readonly string[]): readonly Draft[] =>
  ids.flatMap((id) => [dayOf(Date.now() - dayMs), dayOf(Date.now())].flatMap((day) => dayDraft(address, id, day)));

/** All that stands at the station of a site that works. */
export const siteDrafts = (address: Address, ids: readonly string[]): readonly Draft[] => [
  birthDraft(address, "boot", ids),
  stateMessage(address, "online", "boot", 1, Date.now()),
  ...conditionDrafts(address),
  ...ids.map((id) => cameraDraft(address, id)),
  ...dayDrafts(address, ids),
];
