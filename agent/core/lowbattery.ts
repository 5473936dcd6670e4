/** When a nearly empty battery ends the recording in order, and when it goes on again. Pure. */
import type { MonoMs } from "./types.ts";

/**
 * `awake`: records. `resting`: closed in order, the system was asked to go off. `spent`: it did not go off, or came back; not asked again
 * before mains was seen.
 */
export type Wake =
  | { readonly kind: "awake"; readonly lowFromMonoMs: MonoMs | null }
  | { readonly kind: "resting"; readonly fromMonoMs: MonoMs; readonly mainsFromMonoMs: MonoMs | null }
  | { readonly kind: "spent" };
export type Turn = { readonly wake: Wake; readonly act: "rest" | "resume" | null };

export const atStart: Wake = { kind: "awake", lowFromMonoMs: null };

/** Gauges say nonsense now and then: nothing is done on one reading (reference: edge.md §4 row 4). */
const lowForMs = 5_000;
/** Mains that comes back flickers. */
const mainsForMs = 10_000;
/** A system that was asked and is still there by then does not go off: footage counts again. */
const goesOffWithinMs = 120_000;

/** `value`: what the power sense says now; asked about once a second. */
export function turn(wake: Wake, value: string, monoMs: MonoMs): Turn {
  if (wake.kind === "spent") return { wake: value === "mains" ? atStart : wake, act: null };
  if (wake.kind === "awake") {
    if (value !== "low") return { wake: atStart, act: null };
    const lowFromMonoMs = wake.lowFromMonoMs ?? monoMs;
    if (monoMs - lowFromMonoMs < lowForMs) return { wake: { kind: "awake", lowFromMonoMs }, act: null };
    return { wake: { kind: "resting", fromMonoMs: monoMs, mainsFromMonoMs: null }, act: "rest" };
  }
  const mainsFromMonoMs = value === "mains" ? (wake.mainsFromMonoMs ?? monoMs) : null;
  if (mainsFromMonoMs !== null && monoMs - mainsFromMonoMs >= mainsForMs) return { wake: atStart, act: "resume" };
  if (monoMs - wake.fromMonoMs >= goesOffWithinMs) return { wake: { kind: "spent" }, act: "resume" };
  return { wake: { ...wake, mainsFromMonoMs }, act: null };
}
