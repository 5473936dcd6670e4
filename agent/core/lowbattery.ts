/** What a nearly empty battery leads to, and when it is over. Pure. */
import type { MonoMs } from "./types.ts";

/**
 * `awake`: nothing is wrong. `hurried`: records on, and leaves nothing unwritten. `resting`: closed in order, the system was asked to go
 * off. `spent`: it did not go off; hurried, and not asked again before mains was seen.
 */
export type Wake =
  | { readonly kind: "awake"; readonly lowFromMonoMs: MonoMs | null }
  | { readonly kind: "hurried" | "resting"; readonly fromMonoMs: MonoMs; readonly mainsFromMonoMs: MonoMs | null }
  | { readonly kind: "spent" };
export type Turn = { readonly wake: Wake; readonly act: "hurry" | "calm" | "rest" | "resume" | null };

export const atStart: Wake = { kind: "awake", lowFromMonoMs: null };

/** Gauges say nonsense now and then: nothing is done on one reading (reference: edge.md §4 row 4). */
const lowForMs = 5_000;
/** Mains that comes back flickers. */
const mainsForMs = 10_000;
/** A system that was asked and is still there by then does not go off: footage counts again. */
const goesOffWithinMs = 120_000;

/** `value`: what the power sense says now; asked about once a second. `goesOff`: is the system to be switched off in order? */
export function turn(wake: Wake, value: string, monoMs: MonoMs, goesOff: boolean): Turn {
  if (wake.kind === "spent") return { wake: value === "mains" ? atStart : wake, act: null };
  if (wake.kind === "awake") return whileAwake(wake.lowFromMonoMs, value, monoMs, goesOff);
  const mainsFromMonoMs = value === "mains" ? (wake.mainsFromMonoMs ?? monoMs) : null;
  const isMainsBack = mainsFromMonoMs !== null && monoMs - mainsFromMonoMs >= mainsForMs;
  if (isMainsBack) return { wake: atStart, act: wake.kind === "resting" ? "resume" : "calm" };
  if (wake.kind === "hurried" && goesOff && value === "low") return rest(monoMs);
  if (wake.kind === "resting" && monoMs - wake.fromMonoMs >= goesOffWithinMs) return { wake: { kind: "spent" }, act: "resume" };
  return { wake: { ...wake, mainsFromMonoMs }, act: null };
}

function whileAwake(lowSinceMonoMs: MonoMs | null, value: string, monoMs: MonoMs, goesOff: boolean): Turn {
  if (value !== "low") return { wake: atStart, act: null };
  const lowFromMonoMs = lowSinceMonoMs ?? monoMs;
  if (monoMs - lowFromMonoMs < lowForMs) return { wake: { kind: "awake", lowFromMonoMs }, act: null };
  return goesOff ? rest(monoMs) : { wake: { kind: "hurried", fromMonoMs: monoMs, mainsFromMonoMs: null }, act: "hurry" };
}

const rest = (monoMs: MonoMs): Turn => ({ wake: { kind: "resting", fromMonoMs: monoMs, mainsFromMonoMs: null }, act: "rest" });
