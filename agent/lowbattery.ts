/** Ends the recording in order before the battery does, where the configuration asks for it, and takes it up again when mains returns. */
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
  run(signal: AbortSignal): Promise<void>;
};

const lookEveryMs = 1_000;
/** Where nothing is asked for, only whether the configuration changed. */
const idleEveryMs = 10_000;
const resting: Claim = { scope: "box", blame: { cause: "box-power", sure: "sensed", evidence: ["power-low", "closed-in-order"] } };

export function makeLowBattery(deps: LowBatteryDeps): LowBattery {
  let wake = atStart;
  return {
    claim: () => (wake.kind === "resting" ? resting : null),
    run: async (signal) => {
      while (!signal.aborted) {
        if (wake.kind === "awake" && !deps.isAllowed()) {
          await deps.clock.sleep(idleEveryMs, signal);
          continue;
        }
        const next = turn(wake, deps.power().value, deps.clock.monoMs());
        wake = next.wake;
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
