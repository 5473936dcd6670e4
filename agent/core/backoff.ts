/** How long to wait after a failure. Pure: the random number is an argument, between 0 and 1. */

/** Seconds for the first, second … failure in a row of one camera (issue: 1, 2, 5, 10, 30, 60 s). */
const cameraLadderMs = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000] as const;
const cameraJitter = 0.4;

/** Milliseconds to wait after a camera's `failures`-th failure in a row (1 is the first); up to 40 % less than the step, so that cameras do not knock together and none waits longer. */
export function cameraBackoffMs(failures: number, random: number): number {
  const step = cameraLadderMs[Math.min(Math.max(failures, 1), cameraLadderMs.length) - 1] ?? 60_000;
  return Math.round(step * (1 - cameraJitter * (1 - random)));
}

/** After a refused login: some cameras lock everybody out for half an hour after a handful of wrong ones. */
const loginLadderMs = [10_000, 60_000, 300_000, 900_000, 1_800_000] as const;

/** Milliseconds to wait after a camera refused the login for the `failures`-th time in a row. */
export function loginBackoffMs(failures: number, random: number): number {
  const step = loginLadderMs[Math.min(Math.max(failures, 1), loginLadderMs.length) - 1] ?? 1_800_000;
  return Math.round(step * (1 - cameraJitter * (1 - random)));
}

const stationFirstMs = 1_000;
const stationLeastMs = 500;
const stationCapMs = 60_000;

/** Milliseconds to wait after the station's `failures`-th failure in a row: doubling up to a minute, full jitter against the herd (issue: 300 boxes back within 3 min). */
export function stationBackoffMs(failures: number, random: number): number {
  const ceiling = Math.min(stationFirstMs * 2 ** Math.max(0, failures - 1), stationCapMs);
  return Math.round(stationLeastMs + random * (ceiling - stationLeastMs));
}

const bootSpreadMs = 30_000;

/** Milliseconds before the first attempt of a box that has just booted: when a district's power returns, all of its boxes do (reference: edge.md §3.3). */
export const stationBootWaitMs = (random: number): number => Math.round(random * bootSpreadMs);
