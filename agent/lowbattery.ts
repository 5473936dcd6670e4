/**
 * A nearly empty battery. Where the configuration asks for it, the recording ends in order and the system is asked to go off; otherwise it
 * goes on to the last second, and what is recorded reaches the disk at once. Mains ends both.
 */
import type { Clock, Reading, Shutdown } from "../hal/ports.ts";
import { atStart, turn } from "./core/lowbattery.ts";
import type { Claim } from "./core/types.ts";
import type { Log } from "./log.ts";

export type LowBatteryDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly power: () => Reading;
  /** `power.shutdown` as it stands. */
  readonly isAllowed: () => boolean;
  readonly shutdown: Shutdown;
  /** Closes the open files, commits, says *leaving*. */
  readonly rest: () => Promise<void>;
  /** Records and speaks again. */
  readonly resume: () => Promise<void>;
};
export type LowBattery = {
  /** Why nothing is recorded now; null: it is. */
  claim(): Claim | null;
  /** May the power be gone at any moment? Then nothing that is recorded waits for the disk. */
  isUrgent(): boolean;
  run(signal: AbortSignal): Promise<void>;
};

const lookEveryMs = 1_000;
const resting: Claim = { scope: "box", blame: { cause: "box-power", sure: "sensed", evidence: ["power-low", "closed-in-order"] } };

export function makeLowBattery(deps: LowBatteryDeps): LowBattery {
  let wake = atStart;
  return {
    claim: () => (wake.kind === "resting" ? resting : null),
    isUrgent: () => wake.kind === "hurried" || wake.kind === "spent",
    run: async (signal) => {
      while (!signal.aborted) {
        const next = turn(wake, deps.power().value, deps.clock.monoMs(), deps.isAllowed());
        wake = next.wake;
        if (next.act === "hurry")
          deps.log.warn({ evidence: deps.power().evidence }, "the battery is nearly empty: recording goes on, every second is flushed");
        if (next.act === "calm") deps.log.info({ power: deps.power().value }, "mains is back: the battery is no haste any more");
        if (next.act === "rest") await goOff(deps);
        if (next.act === "resume") {
          deps.log.warn({ power: deps.power().value }, "mains is back, or the system did not go off: recording goes on");
          await deps.resume();
        }
        await deps.clock.sleep(lookEveryMs, signal);
      }
    },
  };
}

async function goOff(deps: LowBatteryDeps): Promise<void> {
  deps.log.warn(
    { evidence: deps.power().evidence },
    "the battery is nearly empty: the files are closed, then the system is asked to go off",
  );
  await deps.rest();
  const refused = await deps.shutdown.ask();
  if (refused !== null) deps.log.error({ err: refused }, "the system could not be asked to go off");
}
