/** Is the agent well enough to be left alone? The service manager's watchdog is fed only while it is. */
import type { MonoMs } from "./types.ts";

/** What must turn, as it was seen last. */
export type Turning = {
  readonly nowMonoMs: MonoMs;
  /** The round of the conditions, once a second; null: not begun. */
  readonly watchedMonoMs: MonoMs | null;
  /** The latest write into the journal, and whether the disk took it; null: none yet. */
  readonly journal: { readonly monoMs: MonoMs; readonly taken: boolean } | null;
  /** By when each camera's loop is heard of again; null: it waits for the disk, or has not begun. */
  readonly cameras: readonly { readonly id: string; readonly dueMonoMs: MonoMs | null }[];
};

export type Pulse = {
  readonly alive: boolean;
  /** `waiting`: the state disk is known to take nothing; a restart would not cure it. `silent`: nobody even tried. */
  readonly journal: "written" | "waiting" | "silent";
  /** What hangs: `watch`, `journal`, `camera <id>`. */
  readonly hangs: readonly string[];
};

/** Three rounds of the slowest beat into the journal. */
const journalSilentMs = 180_000;
/** A second each; a loaded box may take long for one. */
const watchSilentMs = 30_000;

/** The station and the broker have no say: a restart cures no line (reference: edge.md §4, 21). */
export function judgePulse({ nowMonoMs, watchedMonoMs, journal, cameras }: Turning): Pulse {
  const isOld = (monoMs: MonoMs | undefined | null, ms: number) => monoMs != null && nowMonoMs - monoMs > ms;
  const isSilent = isOld(journal?.monoMs, journalSilentMs);
  const hangs = [
    ...(isOld(watchedMonoMs, watchSilentMs) ? ["watch"] : []),
    ...(isSilent ? ["journal"] : []),
    ...cameras.flatMap(({ id, dueMonoMs }) => (isOld(dueMonoMs, 0) ? [`camera ${id}`] : [])),
  ];
  return { alive: hangs.length === 0, journal: isSilent ? "silent" : journal?.taken === false ? "waiting" : "written", hangs };
}
