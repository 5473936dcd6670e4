/** Alarms: what needs a person, raised once it has lasted and lowered once it is over, so that a flapping camera rings once. Pure. */
import type { Todo, Trouble } from "./status.ts";
import type { MonoMs } from "./types.ts";

export type Alarm = Todo & { readonly seenFromMonoMs: MonoMs; readonly seenToMonoMs: MonoMs; readonly raised: boolean };
/** By name: `<type>` or `<type>/<camera>`. */
export type Alarms = ReadonlyMap<string, Alarm>;

/** A camera that comes and goes is one alarm while it does so; everything else has settled before it is told here. */
const lastsMs: Partial<Record<Trouble, number>> = { camera: 60_000 };
/** What the station knows without being told, or cannot be told. */
const untold: readonly Trouble[] = ["station", "stopped"];

/** The alarms after another look at what a person should do. */
export function watchAlarms(before: Alarms, todo: readonly Todo[], monoMs: MonoMs): Alarms {
  const after = new Map<string, Alarm>();
  for (const item of todo) {
    const name = item.camera === null ? item.type : `${item.type}/${item.camera}`;
    if (untold.includes(item.type) || after.has(name)) continue;
    const seenFromMonoMs = before.get(name)?.seenFromMonoMs ?? monoMs;
    const raised = (before.get(name)?.raised ?? false) || monoMs - seenFromMonoMs >= (lastsMs[item.type] ?? 0);
    after.set(name, { ...item, seenFromMonoMs, seenToMonoMs: monoMs, raised });
  }
  for (const [name, alarm] of before)
    if (!after.has(name) && monoMs - alarm.seenToMonoMs < (lastsMs[alarm.type] ?? 0)) after.set(name, alarm);
  return after;
}
