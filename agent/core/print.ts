/** Figures as people read them: rounding that flatters nobody, the language's own marks, columns that stand straight. Pure. */
import { fill, type Language, wordsIn } from "./words.ts";

/** `1.234,5` in Vietnamese, `1,234.5` in English. */
export function numberText(value: number, decimals: number, language: Language): string {
  const [whole = "", part] = value.toFixed(decimals).split(".");
  const [thousands, point] = language === "vi" ? [".", ","] : [",", "."];
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, thousands);
  return part === undefined ? grouped : `${grouped}${point}${part}`;
}

/** A count in a sentence; Vietnamese reports write `04`. */
export const countText = (count: number, language: Language): string =>
  language === "vi" && count > 0 && count < 10 ? `0${count}` : numberText(count, 0, language);

/**
 * Tenths of a percent of a share, rounded down: 99,96 % is 99,9 while a second was lost, and 100,0 means that none was.
 * Null for what is more than nought and less than a tenth.
 */
export function tenthsOf(share: number): number | null {
  // A quotient may lie a hair under its true value; what is less than all never becomes all by this.
  const tenths = share >= 1 ? 1_000 : Math.min(999, Math.floor(share * 1_000 + 1e-9));
  return tenths === 0 && share > 0 ? null : tenths;
}

/** `98,2`; `dưới 0,1` for a sliver; `–` where there is no figure. */
export function shareText(share: number | null, language: Language): string {
  return share === null ? "–" : tenthsText(tenthsOf(share), language);
}

/** The same with its sign: `98,2%`. */
export const percentText = (share: number | null, language: Language): string => (share === null ? "–" : `${shareText(share, language)}%`);

/** A limit as it is set: `98%`. */
export const limitText = (share: number): string => `${Math.round(share * 100)}%`;

function tenthsText(tenths: number | null, language: Language): string {
  if (tenths === null) return fill(wordsIn(language).report.atMost, { value: numberText(0.1, 1, language) });
  return numberText(tenths / 10, 1, language);
}

const hourMs = 3_600_000;

/** Hours to a tenth, rounded down: what is due and what was recorded must not look the same when time was lost. */
export const hoursText = (ms: number, language: Language): string => tenthsText(sliver(Math.floor(ms / (hourMs / 10)), ms), language);
/** Hours that are lost, to the nearest tenth. */
export const lostHoursText = (ms: number, language: Language): string => tenthsText(sliver(Math.round(ms / (hourMs / 10)), ms), language);

const sliver = (tenths: number, ms: number): number | null => (tenths === 0 && ms > 0 ? null : tenths);

/** Shares of a whole that add up to 100,0 as they are printed: the largest remainders are rounded up. Something never shows as nothing. */
export function shareTexts(parts: readonly number[], language: Language): readonly string[] {
  const whole = parts.reduce((sum, part) => sum + part, 0);
  const exact = parts.map((part) => (whole === 0 ? 0 : (part / whole) * 1_000));
  const missing = whole === 0 ? 0 : 1_000 - exact.reduce((sum, value) => sum + Math.floor(value), 0);
  const byRemainder = exact.map((value, i) => ({ i, rest: value - Math.floor(value) })).sort((a, b) => b.rest - a.rest);
  const raised = new Set(byRemainder.slice(0, missing).map(({ i }) => i));
  return exact.map((value, i) => tenthsText(sliver(Math.floor(value) + (raised.has(i) ? 1 : 0), value), language));
}

/** `31 giờ 20 phút`; the two largest units, rounded down. */
export function durationText(ms: number, language: Language): string {
  const { duration } = wordsIn(language).report;
  const [s, m, h] = [Math.floor(ms / 1_000), Math.floor(ms / 60_000), Math.floor(ms / hourMs)];
  if (h >= 72) return fill(duration.days, { d: Math.floor(h / 24), h: h % 24 });
  if (h > 0) return fill(duration.hours, { h: language === "vi" ? twoDigits(h) : h, m: twoDigits(m % 60) });
  return m > 0 ? fill(duration.minutes, { m }) : fill(duration.seconds, { s });
}

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** Letters that a text takes on a screen, however its accents were composed. */
export const widthOf = (text: string): number => [...text.normalize("NFC").replace(/\p{M}/gu, "")].length;

/** A table in plain text. The first row is its head; columns of figures stand to the right. */
export function tableText(rows: readonly (readonly string[])[], toTheRight: readonly number[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ""))));
  const cell = (text: string, column: number) => {
    const space = " ".repeat((widths[column] ?? 0) - widthOf(text));
    return toTheRight.includes(column) ? `${space}${text}` : `${text}${space}`;
  };
  const lines = rows.map((row) => row.map(cell).join("  ").trimEnd());
  return [lines[0] ?? "", widths.map((width) => "-".repeat(width)).join("  "), ...lines.slice(1)];
}
