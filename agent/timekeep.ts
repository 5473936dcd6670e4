/** The clock: how far it is trusted, and its steps. A step is one row that re-dates its boot when reading; nothing stored changes. */
import type { Clock } from "../hal/ports.ts";
import { settle } from "./core/condition.ts";
import { stepMs } from "./core/dating.ts";
import type { Condition, MonoMs, WallMs } from "./core/types.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Store } from "./store/store.ts";

export type TimekeepDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Pick<Store, "commit" | "conditions">;
  readonly log: Log;
  readonly epochAt: WallMs;
  /** The offset that the boot began with or had last. */
  readonly offsetMs: number;
  /** How far this boot's first time lies after the last sign of life before it. */
  readonly leapMs: number;
  /** The offset or its trust changed: readings of stored times change with it. */
  readonly onDating: () => void;
};

const lookEveryMs = 1_000;
/** A clock that is this far ahead of what was known and was never synchronised may be wrong: nothing is deleted for its age by it … */
const doubtLeapMs = 2 * 86_400_000;
/** … until it has gone on for so long; a box that nobody ever synchronises must delete too. */
const doubtForMs = 3 * 86_400_000;

/** Keeps the clock's state. `run` looks once a second until its signal aborts; `isDoubtful`: the age of footage cannot be told now. */
export function makeTimekeeper(deps: TimekeepDeps): { isDoubtful(): boolean; run(signal: AbortSignal): Promise<void> } {
  const condition = deps.store.conditions().find((row) => row.subject === "clock") ?? null;
  const now: Known = { offsetMs: deps.offsetMs, synced: false, condition, leapMs: deps.leapMs, leaptMonoMs: deps.clock.monoMs() };
  return {
    isDoubtful: () => {
      if (deps.clock.trust() === "unset") return true;
      return !now.synced && now.leapMs > doubtLeapMs && deps.clock.monoMs() - now.leaptMonoMs < doubtForMs;
    },
    run: async (signal) => {
      while (!signal.aborted) {
        // A look that takes long must not hide a step meanwhile; the driver lets one follow the other.
        const look = deps.clock.look(signal);
        await Promise.race([look, deps.clock.sleep(lookEveryMs, signal)]);
        if (signal.aborted) return;
        try {
          notice(deps, now);
        } catch (error) {
          deps.log.error({ err: String(error) }, "the clock's state could not be written down; it is looked at again");
        }
        await deps.clock.sleep(lookEveryMs, signal);
      }
    },
  };
}

type Known = { offsetMs: number; synced: boolean; condition: Condition | null; leapMs: number; leaptMonoMs: MonoMs };

function notice(deps: TimekeepDeps, now: Known): void {
  const moment = deps.time.moment();
  const trust = deps.clock.trust();
  const settled = settle("clock", now.condition, trust, [`driver-${deps.clock.driver}`], moment, ["synced", "holdover"]);
  if (settled.change.length > 0) deps.store.commit(settled.change);
  now.condition = settled.condition;
  const offsetMs = Math.round(deps.clock.wallMs() - (deps.epochAt + deps.clock.monoMs()));
  const steppedMs = offsetMs - now.offsetMs;
  const stepped = Math.abs(steppedMs) > stepMs;
  const becameSynced = trust === "synced" && !now.synced;
  if (!stepped && !becameSynced) return;
  const known = stepped ? offsetMs : now.offsetMs;
  deps.store.commit([
    { put: "clock-step", at: moment.at, offsetMs: known, clock: trust },
    ...(stepped
      ? ([{ put: "event", moment, type: "clock.step", level: "warn", data: { offsetMs: known, stepMs: steppedMs, clock: trust } }] as const)
      : []),
  ]);
  now.offsetMs = known;
  now.synced ||= trust === "synced";
  if (stepped) {
    now.leapMs = Math.max(0, now.leapMs + steppedMs);
    now.leaptMonoMs = deps.clock.monoMs();
  }
  if (stepped) deps.log.warn({ stepMs: steppedMs, clock: trust }, "the clock stepped; earlier times of this boot are read anew");
  deps.onDating();
}
