/** How fast a copy may go, so that the line it goes over stays its household's. Pure. */

const units: Readonly<Record<string, number>> = { kbit: 1_000 / 8, Mbit: 1_000_000 / 8 };

/** Bytes a second of `2Mbit` or `512kbit` (a second is understood); null where it is neither, or slower than 8 kbit. */
export function parseRate(text: string): number | null {
  const [, value = "", unit = ""] = /^(\d{1,6}(?:\.\d{1,3})?)(kbit|Mbit)$/.exec(text) ?? [];
  const rate = Math.floor(Number(value) * (units[unit] ?? 0));
  return rate >= 1_000 ? rate : null;
}

/** Milliseconds to wait before the next piece, after so many bytes in so long; what was slower than it may be is not made up for by a burst. */
export const waitMs = (sentBytes: number, elapsedMs: number, rate: number): number => Math.max(0, (sentBytes / rate) * 1_000 - elapsedMs);
