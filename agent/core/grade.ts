/** How a camera did in a period, in one word. Pure. */
import type { LedgerSpan } from "./ledger.ts";
import { mostUnknown, type Share, type Tally, tallyOf } from "./tally.ts";

/**
 * good, watch, poor: by the ratio. connected: reached, and yet nothing was recorded in the last 24 hours. dead: nothing recorded, not reached.
 * unknown: the ratio is withheld. idle: nothing was due. manual: no stream that we could reach; counted apart.
 */
export const grades = ["good", "watch", "poor", "connected", "dead", "unknown", "idle", "manual"] as const;
export type Grade = (typeof grades)[number];

/** From these ratios on a camera is good, or one to watch; below, poor. Printed under every report. */
export const gradeLimits = { good: 0.98, watch: 0.9 } as const;

const dayMs = 86_400_000;

/** The last 24 hours come first: a camera that died last night is dead, however good its month was. */
export function gradeOf(manual: boolean, spans: readonly LedgerSpan[], { ratio, withheld }: Share): Grade {
  if (manual) return "manual";
  if (withheld === "nothing-due") return "idle";
  return lastDayOf(spans) ?? gradeOfRatio(ratio);
}

/** The grade by the ratio alone. */
export function gradeOfRatio(ratio: number | null): Grade {
  if (ratio === null) return "unknown";
  return ratio >= gradeLimits.good ? "good" : ratio >= gradeLimits.watch ? "watch" : "poor";
}

/** Of the last 24 hours that the spans reach. */
function lastDayOf(spans: readonly LedgerSpan[]): "connected" | "dead" | null {
  const fromAt = (spans.at(-1)?.toAt ?? 0) - dayMs;
  return endingOf(tallyOf(spans.filter(({ toAt }) => toAt > fromAt).map((span) => ({ ...span, fromAt: Math.max(span.fromAt, fromAt) }))));
}

/** Did these hours, a camera's last, pass without any footage? Not claimed where too much of them is unknown. */
export function endingOf({
  dueMs,
  recordedMs,
  unknownMs,
  reachableMs,
}: Pick<Tally, "dueMs" | "recordedMs" | "unknownMs" | "reachableMs">): "connected" | "dead" | null {
  if (dueMs === 0 || recordedMs > 0 || unknownMs > mostUnknown * dueMs) return null;
  return (reachableMs ?? 0) * 2 > dueMs ? "connected" : "dead";
}
