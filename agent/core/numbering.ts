/**
 * Which gaps are one fault: those of one scope that lie on each other in time. A recorder that stops with 26 cameras is one fault with 26
 * cameras under it, never 26 faults.
 */
import type { Span, WallMs } from "./types.ts";

/** A fault whose gaps may still be joined by others. `toAt` null while one of them lasts. */
export type Fault = { readonly number: number; readonly scope: string; readonly fromAt: WallMs; readonly toAt: WallMs | null };
/** `last`: the highest number given so far. */
export type Faults = { readonly last: number; readonly recent: readonly Fault[] };

/** Ended faults are remembered so long: the holes of short flickers are written one after the other. */
const rememberMs = 120_000;
const mostRemembered = 1_000;

/** The number for a gap, and what is remembered then. */
export function joinFault(
  faults: Faults,
  scope: string,
  span: { readonly fromAt: WallMs; readonly toAt: WallMs | null },
): { readonly number: number; readonly faults: Faults } {
  const found = faults.recent.find((fault) => fault.scope === scope && touches(fault, span));
  const fault: Fault = found === undefined ? { number: faults.last + 1, scope, ...span } : { ...found, ...united(found, span) };
  const others = faults.recent.filter((other) => other.number !== fault.number && !isOver(other, span.fromAt));
  return { number: fault.number, faults: { last: Math.max(faults.last, fault.number), recent: [...others, fault].slice(-mostRemembered) } };
}

/** The last gap of a fault has closed: it ends there. */
export function endFault(faults: Faults, number: number, toAt: WallMs): Faults {
  return { ...faults, recent: faults.recent.map((fault) => (fault.number === number ? { ...fault, toAt } : fault)) };
}

const isOver = (fault: Fault, nowAt: WallMs) => fault.toAt !== null && nowAt - fault.toAt > rememberMs;

function touches(fault: Fault, span: { readonly fromAt: WallMs; readonly toAt: WallMs | null }): boolean {
  const { fromAt, toAt }: Span = { fromAt: span.fromAt, toAt: span.toAt ?? Number.POSITIVE_INFINITY };
  return fromAt <= (fault.toAt ?? Number.POSITIVE_INFINITY) && toAt >= fault.fromAt;
}

function united(a: Fault, b: { readonly fromAt: WallMs; readonly toAt: WallMs | null }) {
  const toAt = a.toAt === null || b.toAt === null ? null : Math.max(a.toAt, b.toAt);
  return { fromAt: Math.min(a.fromAt, b.fromAt), toAt };
}
