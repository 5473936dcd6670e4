/** Tells the service manager how we are: starting, ready, alive while everything turns, stopping. What holds the watchdog back is in `health` too. */
import type { Clock, Service } from "../hal/ports.ts";
import { judgePulse, type Pulse } from "./core/pulse.ts";
import type { CameraState, MonoMs } from "./core/types.ts";
import { fill, type Language, wordsIn } from "./core/words.ts";
import type { Eye } from "./eye.ts";
import type { Log } from "./log.ts";

export type PulseDeps = {
  readonly clock: Clock;
  readonly service: Service;
  readonly log: Log;
  readonly language: Language;
  readonly eyes: ReadonlyMap<string, Eye>;
  /** While the footage disk is known to be bad, cameras that wait for it hang for a reason that a restart does not cure. */
  readonly isDiskGood: () => boolean;
  readonly conditions: ReadonlyMap<string, { readonly state: CameraState }>;
};
export type PulseReport = Pulse & {
  /** How often the watchdog wants to be fed; null: nobody watches. */
  readonly watchdogMs: number | null;
  /** How late the round of once a second came at worst, since this was asked last. */
  readonly lagMs: number;
};
export type PulseKeeper = {
  /** The round of once a second went by. */
  watched(): void;
  /** Something was written into the journal, and the disk took it or not. */
  committed(taken: boolean): void;
  say(phase: "ready" | "reloading" | "stopping"): void;
  report(): PulseReport;
  run(signal: AbortSignal): Promise<void>;
};

/** Three chances before the watchdog bites. */
const chances = 3;
const lookEveryMs = 20_000;
const roundMs = 1_000;

export function makePulse(deps: PulseDeps): PulseKeeper {
  const { clock, service, eyes, log } = deps;
  let phase: "starting" | "running" | "stopping" = "starting";
  let watchedMonoMs: MonoMs | null = null;
  let journal: { monoMs: MonoMs; taken: boolean } | null = null;
  let lagMs = 0;
  let said = "";
  const judge = () => {
    const isDiskGood = deps.isDiskGood();
    const cameras = [...eyes.values()].map(({ camera, dueMonoMs }) => ({ id: camera, dueMonoMs: isDiskGood ? dueMonoMs : null }));
    return judgePulse({ nowMonoMs: clock.monoMs(), watchedMonoMs, journal, cameras });
  };
  const feed = () => {
    const pulse = judge();
    const hangs = pulse.hangs.join(", ");
    if (hangs !== said)
      log[hangs === "" ? "info" : "error"]({ hangs }, hangs === "" ? "everything turns again" : "the watchdog is not fed");
    said = hangs;
    if (phase === "starting") service.tell({ phase, status: statusOf(deps, phase, pulse) });
    else service.tell({ alive: pulse.alive, status: statusOf(deps, phase, pulse) });
  };
  return {
    watched: () => {
      const now = clock.monoMs();
      lagMs = Math.max(lagMs, now - (watchedMonoMs ?? now) - roundMs);
      watchedMonoMs = now;
    },
    committed: (taken) => {
      journal = { monoMs: clock.monoMs(), taken };
    },
    say: (news) => {
      if (phase === "stopping") return;
      phase = news === "stopping" ? "stopping" : "running";
      service.tell({ phase: news, status: statusOf(deps, phase, judge()) });
    },
    report: () => {
      const report = { ...judge(), watchdogMs: service.watchdogMs, lagMs: Math.round(Math.max(0, lagMs)) };
      lagMs = 0;
      return report;
    },
    run: async (signal) => {
      const everyMs = Math.min(lookEveryMs, (service.watchdogMs ?? Number.POSITIVE_INFINITY) / chances);
      while (!signal.aborted) {
        feed();
        await clock.sleep(everyMs, signal);
      }
    },
  };
}

function statusOf({ language, eyes, conditions }: PulseDeps, phase: "starting" | "running" | "stopping", { hangs }: Pulse): string {
  const words = wordsIn(language).service;
  if (hangs.length > 0) return fill(words.hangs, { hangs: hangs.join(", ") });
  if (phase !== "running") return words[phase];
  const recording = [...conditions.values()].filter(({ state }) => state === "recording" || state === "degraded").length;
  return fill(words.recording, { recording, all: eyes.size });
}
