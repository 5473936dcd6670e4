/** Times of footage from the camera's own times and from their arrival. Arrival decides when; the camera only says how long. */
import type { MonoMs } from "./types.ts";

/** What a try of the recorder knows of the file that just closed. */
export type ClosedFile = {
  readonly mediaFromMs: number;
  readonly mediaToMs: number;
  readonly closedMonoMs: MonoMs;
  /** Creation of the file; null where it could not be seen. */
  readonly bornMonoMs: MonoMs | null;
  /** End of the file before it in the same try; null for the first. */
  readonly previousEndMonoMs: MonoMs | null;
};

/** A burst at connect (a camera that keeps its last group of pictures) reaches back this far at most. */
const longestBurstMs = 15_000;

/** Where a closed file stands in time. Files of one try adjoin. */
export function placeFile(file: ClosedFile): { readonly startMonoMs: MonoMs; readonly endMonoMs: MonoMs } {
  const endMonoMs = file.closedMonoMs;
  if (file.previousEndMonoMs !== null) return { startMonoMs: Math.min(file.previousEndMonoMs, endMonoMs - 1), endMonoMs };
  const byMedia = endMonoMs - (file.mediaToMs - file.mediaFromMs);
  const born = file.bornMonoMs ?? byMedia;
  const startMonoMs = Math.max(Math.min(born, byMedia), born - longestBurstMs);
  return { startMonoMs: Math.min(startMonoMs, endMonoMs - 1), endMonoMs };
}

/** File times that differ from the clock by more than this share are wrong (issue: 10 %). */
const toleratedShare = 0.1;
const toleratedMs = 1_000;

/**
 * Do the camera's own times disagree with the clock? A link that held frames back also makes them differ for a while;
 * such a delay shows itself as silence between frames, and as much is forgiven.
 */
export function timesDisagree(mediaMs: number, clockMs: number, longestSilenceMs: number): boolean {
  return Math.abs(mediaMs - clockMs) > clockMs * toleratedShare + toleratedMs + longestSilenceMs;
}
