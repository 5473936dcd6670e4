/** Times for machines (UTC ISO) and for people (Vietnam), and the command line's times. Pure. */
import type { WallMs } from "./types.ts";

const vietnamMs = 7 * 3_600_000;

/** UTC ISO 8601 with milliseconds, for every machine form. */
export const iso = (at: WallMs): string => new Date(at).toISOString();
export const isoOrNull = (at: WallMs | null): string | null => (at === null ? null : iso(at));

/** `14:05:07 05/01/2026` in Vietnamese time, for people. */
export function vietnamTime(at: WallMs): string {
  const local = new Date(at + vietnamMs).toISOString();
  return `${local.slice(11, 19)} ${local.slice(8, 10)}/${local.slice(5, 7)}/${local.slice(0, 4)}`;
}

/** A text with every machine's time in it as people read it. */
export const inVietnam = (text: string): string =>
  text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (at) => vietnamTime(Date.parse(at)));

/** `14:05 05/01/2026` and `05/01/2026`, in Vietnamese time. */
export const dateTime = (at: WallMs): string => vietnamTime(at).replace(/^(\d\d:\d\d):\d\d/, "$1");
/** Hour of the day in Vietnam, 0–23. */
export const vietnamHour = (at: WallMs): number => new Date(at + vietnamMs).getUTCHours();
export const dateText = (at: WallMs): string => vietnamTime(at).slice(9);

/** A command line's time: ISO with offset, `YYYY-MM-DD[THH:MM[:SS]]` or `HH:MM[:SS]` (today) in Vietnamese time. Null where it is none. */
export function parseTime(text: string, nowAt: WallMs): WallMs | null {
  const today = new Date(nowAt + vietnamMs).toISOString().slice(0, 10);
  const clock = /^\d{2}:\d{2}(:\d{2})?$/.test(text) ? `${today}T${text}+07:00` : null;
  const local = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(text) ? `${text}+07:00` : null;
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00+07:00` : null;
  return parseFullTime(clock ?? local ?? day ?? text);
}

/** ISO with offset, which means the same whenever it is read. Null where it is none. */
export function parseFullTime(text: string): WallMs | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) || !isRealDay(text.slice(0, 10)) ? null : at;
}

/** 30 February parses in some engines, as a day of March; it is no day. */
function isRealDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** A time as people write it: `20:05`, `20h05`, `20 giờ 05`, with or without `24/11/2026` or `24/11`, in either order; or as `parseTime` has it. */
export function parseSpokenTime(text: string, nowAt: WallMs): WallMs | null {
  const said = text.normalize("NFC").trim().toLowerCase();
  const clock = /(?:^|\s)(\d{1,2})\s*(?::|h|giờ|g)\s*(?:(\d{2})(?::(\d{2}))?\s*(?:phút|p)?)?(?=\s|$)/u.exec(said);
  const date = /(?:^|\s)(\d{1,2})\/(\d{1,2})(?:\/(\d{4}))?(?=\s|$)/.exec(said);
  const rest = [clock?.[0], date?.[0]].reduce<string>((left, part) => left.replace(part ?? "", " "), said);
  if (clock === null || !/^(?:\s|ngày|lúc)*$/u.test(rest)) return parseTime(text.trim(), nowAt);
  const today = new Date(nowAt + vietnamMs).toISOString().slice(0, 10);
  const two = (part: string | undefined) => (part ?? "0").padStart(2, "0");
  const day = date === null ? today : `${date[3] ?? today.slice(0, 4)}-${two(date[2])}-${two(date[1])}`;
  return parseTime(`${day}T${two(clock[1])}:${two(clock[2])}:${two(clock[3])}`, nowAt);
}
