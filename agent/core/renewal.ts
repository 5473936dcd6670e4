/** When a retained truth is said again though nothing changed. Pure. */
import { heartbeatMs, renewMs } from "./message.ts";
import type { MonoMs } from "./types.ts";

/** So many go one after the other within a minute also where each takes ten seconds. */
const atOnce = 4;

/**
 * Is the truth at `place` of the list due again? All are said when a session begins (`beganMonoMs`) and renewed every `renewMs` from then on,
 * a few in each minute: were all due together, the last ones of a large site would expire while a slow line carries the first. A change in
 * between puts nobody off, for what changes together would be due together again.
 */
export function isRenewalDue(place: number, beganMonoMs: MonoMs, sentMonoMs: MonoMs, nowMonoMs: MonoMs): boolean {
  const earlierMs = (Math.floor(place / atOnce) * heartbeatMs) % renewMs;
  const round = (monoMs: MonoMs) => Math.floor((monoMs - beganMonoMs + earlierMs) / renewMs);
  // Its place may be another than it was then.
  return round(nowMonoMs) !== round(sentMonoMs) || nowMonoMs - sentMonoMs >= renewMs;
}
