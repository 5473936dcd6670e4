/** Periods of a report and the calendar behind them: months and days of Vietnam (UTC+7, no summer time). Pure. */
import type { Span, WallMs } from "./types.ts";

const hourMs = 3_600_000;
const vietnamMs = 7 * hourMs;
const dayMs = 24 * hourMs;

/** A period as it was asked for, and its half-open span. A span that reaches into the future is cut by due time, not here. */
export type Period = { readonly name: string; readonly span: Span };

/** What `--period` takes, for the line that refuses anything else. */
export const periodForms = "2026-11, 2026-Q4, 2026-H2, 2026, 2026-11-01..2026-11-15 or last-24h";

/** Reads a period (contract §3); null where it is none. */
export function parsePeriod(text: string, nowAt: WallMs): Period | null {
  const span = text === "last-24h" ? { fromAt: nowAt - dayMs, toAt: nowAt } : (calendarSpan(text) ?? rangeSpan(text));
  return span === null ? null : { name: text, span };
}

/** `2026`, `2026-H2`, `2026-Q4`, `2026-11`: so many months from a first one. */
function calendarSpan(text: string): Span | null {
  const found = /^(\d{4})(?:-(?:H([12])|Q([1-4])|(0[1-9]|1[0-2])))?$/.exec(text);
  if (found === null) return null;
  const [, year, half, quarter, month] = found;
  if (half !== undefined) return monthsSpan(Number(year), (Number(half) - 1) * 6, 6);
  if (quarter !== undefined) return monthsSpan(Number(year), (Number(quarter) - 1) * 3, 3);
  if (month !== undefined) return monthsSpan(Number(year), Number(month) - 1, 1);
  return monthsSpan(Number(year), 0, 12);
}

function monthsSpan(year: number, month: number, count: number): Span | null {
  if (year < 1970) return null;
  return { fromAt: Date.UTC(year, month, 1) - vietnamMs, toAt: Date.UTC(year, month + count, 1) - vietnamMs };
}

/** The period before it, as long and of the same kind; null where there is none to compare with. */
export function periodBefore({ name, span }: Period): Period | null {
  const [, year = "", part = "", number = ""] = /^(\d{4})(?:-([HQ]?)(\d{1,2}))?$/.exec(name) ?? [];
  if (year === "") return rangeBefore(name, span);
  const of = number === "" ? 1 : part === "H" ? 2 : part === "Q" ? 4 : 12;
  const turn = Number(year) * of + (number === "" ? 0 : Number(number) - 1) - 1;
  const before = String((turn % of) + 1).padStart(part === "" ? 2 : 1, "0");
  return parsePeriod(`${Math.floor(turn / of)}${number === "" ? "" : `-${part}${before}`}`, 0);
}

/** As many days, right before. */
function rangeBefore(name: string, { fromAt, toAt }: Span): Period | null {
  if (!name.includes("..")) return null;
  return parsePeriod(`${dayOf(fromAt - (toAt - fromAt))}..${dayOf(fromAt - dayMs)}`, 0);
}

/** `2026-11-01..2026-11-15`: both days belong to it. */
function rangeSpan(text: string): Span | null {
  const found = /^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$/.exec(text);
  const from = spanOfDay(found?.[1] ?? "");
  const to = spanOfDay(found?.[2] ?? "");
  return from === null || to === null || from.fromAt > to.fromAt ? null : { fromAt: from.fromAt, toAt: to.toAt };
}

/** Day of an instant in Vietnam: `2026-11-24`. */
export const dayOf = (at: WallMs): string => new Date(at + vietnamMs).toISOString().slice(0, 10);
/** Month of an instant in Vietnam: `2026-11`. */
export const monthOf = (at: WallMs): string => dayOf(at).slice(0, 7);

/** The day's 24 hours; null where the text names no day of the calendar. */
export function spanOfDay(day: string): Span | null {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== day) return null;
  return { fromAt: at - vietnamMs, toAt: at - vietnamMs + dayMs };
}

/** The month; null where the text names none. */
export const spanOfMonth = (month: string): Span | null => (/^\d{4}-\d{2}$/.test(month) ? calendarSpan(month) : null);

/** The days that a span touches, oldest first, each cut to it. */
export function daysOf(span: Span): readonly (Span & { readonly day: string })[] {
  const days = [];
  for (let fromAt = span.fromAt; fromAt < span.toAt; ) {
    const toAt = Math.min(span.toAt, endOfDay(fromAt));
    days.push({ day: dayOf(fromAt), fromAt, toAt });
    fromAt = toAt;
  }
  return days;
}

/** The 24 hours of a day. */
export const hoursOf = (day: Span): readonly Span[] =>
  Array.from({ length: 24 }, (_, hour) => ({ fromAt: day.fromAt + hour * hourMs, toAt: day.fromAt + (hour + 1) * hourMs }));

/** The months that a span touches, oldest first. */
export function monthsOf(span: Span): readonly string[] {
  const months: string[] = [];
  for (let at = span.fromAt; at < span.toAt; at = spanOfMonth(monthOf(at))?.toAt ?? span.toAt) months.push(monthOf(at));
  return months;
}

const endOfDay = (at: WallMs): WallMs => (Math.floor((at + vietnamMs) / dayMs) + 1) * dayMs - vietnamMs;
