/** How a camera did in a period, in one word. Pure. */
import type { LedgerSpan } from "./ledger.ts";
import { mostUnknown, type Share, tallyOf } from "./tally.ts";

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
  const end = endingOf(spans);
  if (end !== null) return end;
  if (ratio === null) return "unknown";
  return ratio >= gradeLimits.good ? "good" : ratio >= gradeLimits.watch ? "watch" : "poor";
}

/** Did the camera's last 24 hours pass without any footage? Not claimed where too much of them is unknown. */
function endingOf(spans: readonly LedgerSpan[]): "connected" | "dead" | null {
  const fromAt = (spans.at(-1)?.toAt ?? 0) - dayMs;
  const last = spans.filter(({ toAt }) => toAt > fromAt).map((span) => ({ ...span, fromAt: Math.max(span.fromAt, fromAt) }));
  const { dueMs, recordedMs, unknownMs, reachableMs } = tallyOf(last);
  if (dueMs === 0 || recordedMs > 0 || unknownMs > mostUnknown * dueMs) return null;
  return (reachableMs ?? 0) * 2 > dueMs ? "connected" : "dead";
}
