/** Names of footage files (contract §6). */
import type { Segment, WallMs } from "./types.ts";

/** `<camera>/<YYYY-MM-DD>/<HHMMSS>-<run>-<n>.mkv`, by the start in UTC as the clock had it when the file was named. */
export function segmentPath(segment: Pick<Segment, "camera" | "startAt" | "run" | "number" | "namedMs">): string {
  const iso = new Date(segment.startAt + segment.namedMs).toISOString();
  const time = iso.slice(11, 19).replaceAll(":", "");
  return `${segment.camera}/${iso.slice(0, 10)}/${time}-${segment.run}-${segment.number}.mkv`;
}

/** The start that a closed file's name tells, to the second; null where it is not such a name. */
export function startOfPath(path: string): WallMs | null {
  const [, day, h, m, s] = /(\d{4}-\d{2}-\d{2})\/(\d{2})(\d{2})(\d{2})-\d+-\d+\.mkv$/.exec(path) ?? [];
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T${h}:${m}:${s}Z`);
  return Number.isNaN(at) ? null : at;
}

/** First moment of the UTC day in whose folder a closed file lies. */
export const dayOfPath = (path: string): number => Math.floor((startOfPath(path) ?? 0) / 86_400_000) * 86_400_000;
