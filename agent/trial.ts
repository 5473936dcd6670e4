/** While this version is on trial: looks whether all that was expected is recorded and said, and writes down the verdict for root to act on. */
import { renameSync, writeFileSync } from "node:fs";
import type { Clock } from "../hal/ports.ts";
import type { Auditor } from "./auditor.ts";
import { reachOf } from "./core/reach.ts";
import {
  judgeTrial,
  readReport,
  reportText,
  type Seen,
  type Shown,
  type Trial,
  type TrialReport,
  type Undone,
  undoneOf,
} from "./core/trial.ts";
import type { CameraState, Cause, MonoMs } from "./core/types.ts";
import { reportFile, textAt } from "./home.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store/store.ts";

export type TrialDeps = {
  readonly clock: Clock;
  readonly store: Pick<Store, "openGap" | "journal" | "meta">;
  readonly log: Log;
  readonly auditor: Pick<Auditor, "say">;
  readonly conditions: ReadonlyMap<string, { readonly state: CameraState }>;
  /** Cameras that are configured now: one that was taken out is no longer expected. */
  readonly configured: () => readonly string[];
  /** Is footage being handed out? */
  readonly isExporting: () => boolean;
};

/** Looks within a steady time. */
const looks = 60;
/** Causes that lie outside of the box, with evidence of their own. */
const excuses: readonly Cause[] = ["box-power", "house-power", "house-network", "house", "planned"];

/** Until there is a verdict or `signal` aborts. */
export async function standTrial(deps: TrialDeps, trial: Trial, signal: AbortSignal): Promise<void> {
  const everyMs = trial.steadyMs / looks;
  const before = readReport(textAt(reportFile(trial.state)));
  const earlier = before?.id === trial.id ? before : null;
  const run: Run = { trial, startMonoMs: deps.clock.monoMs(), ownG: deps.store.journal.lastG(), recordedMs: new Map() };
  for (let look = (earlier?.looks ?? 0) + 1; !signal.aborted; look += 1) {
    await deps.clock.sleep(everyMs, signal);
    try {
      for (const camera of trial.cameras.filter((id) => isRecording(deps, id)))
        run.recordedMs.set(camera, (run.recordedMs.get(camera) ?? 0) + everyMs);
      const runMs = deps.clock.monoMs() - run.startMonoMs;
      const spentMs = Math.round((earlier?.spentMs ?? 0) + runMs);
      const verdict = judged(deps, { trial, runMs, spentMs, expected: expectedOf(deps, run) });
      write(trial.state, { id: trial.id, looks: look, spentMs, verdict });
      if (verdict.kind === "waiting") continue;
      say(deps, trial, verdict);
      return;
    } catch (error) {
      deps.log.warn({ err: String(error) }, "a look at this version's trial failed; the next one tries again");
    }
  }
}

/** To go back ends this run: what is just being handed out is handed out first, and registered. */
function judged(
  { isExporting }: Pick<TrialDeps, "isExporting">,
  { trial, ...shown }: Shown & { readonly trial: Trial },
): TrialReport["verdict"] {
  const verdict = judgeTrial(trial, shown);
  if (verdict.kind !== "back" || !isExporting()) return verdict;
  return judgeTrial(trial, { ...shown, expected: shown.expected.map((seen) => ({ ...seen, excused: true })) });
}

type Run = {
  readonly trial: Trial;
  readonly startMonoMs: MonoMs;
  /** What a station has confirmed of this run proves that this version reaches it; what the one before had proves nothing. */
  readonly ownG: number;
  readonly recordedMs: Map<string, number>;
};

function expectedOf(deps: TrialDeps, run: Run): readonly Seen[] {
  const station = { name: "station", met: deps.store.journal.cursor() >= run.ownG, excused: isLineDown(deps) };
  return [...camerasSeen(deps, run), ...(run.trial.station ? [station] : [])];
}

const isRecording = ({ conditions }: TrialDeps, camera: string) => {
  const state = conditions.get(camera)?.state;
  return state === "recording" || state === "degraded";
};

function camerasSeen(deps: TrialDeps, { trial, recordedMs }: Run): readonly Seen[] {
  const configured = deps.configured();
  return trial.cameras
    .filter((camera) => configured.includes(camera))
    .map((camera) => {
      const cause = deps.store.openGap(camera)?.claim.blame.cause;
      // The first look finds a camera that the start has only just begun to record.
      const met = (recordedMs.get(camera) ?? 0) >= trial.steadyMs * (1 - 2 / looks);
      return { name: camera, met, excused: cause !== undefined && excuses.includes(cause) };
    });
}

/** The way to the station is broken before its own broker. */
function isLineDown({ store }: TrialDeps): boolean {
  const reach = reachOf(store.meta("reach"));
  return reach !== null && reach.rung !== "mqtt";
}

/** Lost in a power cut, it is written again with the next look. */
function write(state: string, report: TrialReport): void {
  const [file, draft] = [reportFile(state), `${reportFile(state)}.part`];
  writeFileSync(draft, reportText(report), { mode: 0o644 });
  renameSync(draft, file);
}

function say(
  { log, auditor }: TrialDeps,
  { version, previous }: Trial,
  verdict: Exclude<TrialReport["verdict"], { kind: "waiting" }>,
): void {
  if (verdict.kind === "good") {
    log.info({ version, previous }, "this version has recorded all that was recorded before: it stays");
    auditor.say("update.good", { version, previous });
  } else log.error({ version, previous, lacks: verdict.lacks }, "this version did not do what the one before did: it is left again");
}

type Telling = Pick<TrialDeps, "log" | "auditor"> & { readonly store: Pick<Store, "meta" | "commit"> };

/** Says once that this version has taken over again, and keeps it in mind until another update has begun. */
export function tellUndone({ log, auditor, store }: Telling, undone: Undone | null): void {
  if (undoneOf(store.meta("undone"))?.id === undone?.id) return;
  store.commit([{ put: "note", note: "undone", text: undone === null ? null : JSON.stringify(undone) }]);
  if (undone === null) return;
  const { version, previous, why } = undone;
  log.error({ version, previous, why }, "a newer version was left again");
  auditor.say("update.undone", { version, previous, why });
}
