/** Times of footage from the camera's own times and from their arrival. Arrival decides when; the camera only says how long. */
import type { MonoMs, WallMs } from "./types.ts";

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

/** File times that differ from the clock by more than this share are wrong. */
const toleratedShare = 0.1;
const toleratedMs = 1_000;
/** No surveillance camera sends more pictures a second; more of them in the file's own time means that this time stands still. */
export const mostFramesPerSecond = 120;

/** What a try has seen when a file closes, counted from its start. */
export type Course = {
  readonly mediaMs: number;
  readonly clockMs: number;
  readonly frames: number;
  /** The longest wait between two signs of frames. */
  readonly longestSilenceMs: number;
};

/**
 * Do the camera's own times disagree with the clock? A weak link makes them differ too: what it held back is late by its buffers, and a
 * burst at connect is early by as much. Such a delay is forgiven, but not a time that stands still while frames come.
 */
export function timesDisagree({ mediaMs, clockMs, frames, longestSilenceMs }: Course): boolean {
  const apartMs = Math.abs(mediaMs - clockMs) - clockMs * toleratedShare - toleratedMs - longestSilenceMs;
  const standsStill = mediaMs < clockMs && frames * 1000 > mediaMs * mostFramesPerSecond;
  return apartMs > (standsStill ? 0 : longestBurstMs);
}

/** Between the end of one file and the creation of the next one of the same try lies less. */
const breathMs = 2_000;

/**
 * Where a file that was left behind begins, if it continues the one before: files of one try adjoin. null: it does not. The first of a run
 * never does, however soon the box was there again.
 */
export function adjoiningStart(bornAt: WallMs, coveredAt: WallMs | null, isFirstOfRun: boolean): WallMs | null {
  return coveredAt !== null && !isFirstOfRun && Math.abs(bornAt - coveredAt) < breathMs ? coveredAt : null;
}
