/** Reads facts out of what others have sent: whatever it is, nothing throws, and what is not there is null. Pure. */
import { type Cause, causes } from "../../../../agent/core/types.ts";

export type Body = Readonly<Record<string, unknown>>;

export const bodyOf = (value: unknown): Body | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Body) : null;

export const listOf = (value: unknown): readonly Body[] =>
  (Array.isArray(value) ? (value as readonly unknown[]) : []).flatMap((entry) => {
    const body = bodyOf(entry);
    return body === null ? [] : [body];
  });

/** Names may be as long as the configuration lets them be. */
const mostLetters = 500;

/** Text in one spelling, however its accents were composed: groups are told apart by it. */
export const textOf = (value: unknown): string | null =>
  typeof value === "string" && value !== "" ? value.slice(0, mostLetters).normalize("NFC") : null;

export const textsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.flatMap((entry) => textOf(entry) ?? []) : []);

export const numberOf = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

/** A machine's time in milliseconds; null where it is none. */
export function timeOf(value: unknown): number | null {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

export const oneOf = <T extends string>(value: unknown, known: readonly T[]): T | null => known.find((entry) => entry === value) ?? null;

/** A cause that this page does not know yet is null. */
export const causeOf = (value: unknown): Cause | null => oneOf(value, causes);
