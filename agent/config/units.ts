/** Durations, sizes and dates as people write them in the configuration. Pure; null where the text is none. */

const durationUnits = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizeUnits = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
/** Vietnam has one time zone and no summer time. */
const vietnamOffset = "+07:00";

/** Milliseconds of `500ms`, `60s`, `10min`, `2h`, `7d`. */
export function parseDuration(text: string): number | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|min|h|d)$/.exec(text.trim()) ?? [];
  return amount === undefined ? null : Math.round(Number(amount) * durationUnits[unit as keyof typeof durationUnits]);
}

/** Bytes of `400GB`, `5 GB`, `64KiB`; decimal units count by thousands, `i` units by 1,024. */
export function parseSize(text: string): number | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s?(B|[KMGT]i?B)$/.exec(text.trim()) ?? [];
  return amount === undefined ? null : Math.round(Number(amount) * sizeUnits[unit as keyof typeof sizeUnits]);
}

/** UTC milliseconds of `2026-01-05` (midnight in Vietnam) or of an ISO time with its offset. */
export function parseInstant(text: string): number | null {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const full = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text);
  if (!day && !full) return null;
  const at = Date.parse(day ? `${text}T00:00:00${vietnamOffset}` : text);
  if (Number.isNaN(at) || !isRealDay(text.slice(0, 10))) return null;
  return at;
}

/** 2026-02-31 parses in some engines; it is no day. */
function isRealDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}
