/** Once at start, before anything records: close the previous run, end its children, settle its files, open the ledger's pages again. */

import type { Clock, Footage, FootageFile, Recorder } from "../hal/ports.ts";
import type { Books } from "./books.ts";
import type { Change, RunEnd } from "./core/change.ts";
import type { OpenGap } from "./core/ledger.ts";
import type { Blame, Claim, WallMs } from "./core/types.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import { settleTorn } from "./settle.ts";
import type { Beat } from "./store/beat.ts";
import type { Live, RunRow } from "./store/reads.ts";
import type { Store } from "./store/store.ts";

/** How the previous run ended and until when it is known to have lived. Null for the first run. */
export type Previous = { readonly run: RunRow; readonly end: RunEnd; readonly lastAliveAt: WallMs; readonly power: string } | null;

/** What the previous run left behind. */
export type Traces = {
  readonly run: RunRow | null;
  readonly live: Live | null;
  readonly beat: Beat | null;
  /** This boot's id, and whether the boot before it was shut down in order; null: nobody knows. */
  readonly bootId: string;
  readonly inOrder: boolean | null;
  /** The last word of the power sensor; `unknown` where there is none. */
  readonly power: string;
};

/** A stop is written down; a crash leaves the same boot, a reboot by a person an orderly shutdown, a power cut neither. */
export function judgePrevious({ run, live, beat, bootId, inOrder, power }: Traces): Previous {
  if (run === null) return null;
  const signs = [run.beatAt, live?.at ?? 0, beat?.run === run.id ? beat.at : 0];
  const lastAliveAt = Math.max(...signs.filter((at) => at >= run.startedAt), run.startedAt);
  if (run.ended !== null) return { run, end: run.ended, lastAliveAt: run.endedAt ?? lastAliveAt, power };
  const end = run.bootId === bootId ? "crashed" : inOrder === true ? "rebooted" : "power";
  return { run, end, lastAliveAt, power };
}

const onBattery = (power: string) => power === "battery" || power === "low";

/** Who is to blame for the time between two runs: always the box. Only a sensor that said so makes a power cut more than a conclusion. */
export function blameDowntime(previous: NonNullable<Previous>): Claim {
  const lastBeat = `last-beat ${new Date(previous.lastAliveAt).toISOString()}`;
  const sensed = onBattery(previous.power) ? [`power-${previous.power}`] : [];
  const blames: Record<RunEnd, Blame> = {
    stopped: { cause: "box", sure: "sensed", evidence: ["clean-stop", lastBeat] },
    crashed: { cause: "box", sure: "inferred", evidence: ["same-boot", "no-clean-stop", lastBeat] },
    rebooted: { cause: "box", sure: "inferred", evidence: ["boot-changed", "orderly-shutdown", lastBeat] },
    power: {
      cause: "box-power",
      sure: sensed.length > 0 ? "sensed" : "inferred",
      evidence: ["boot-changed", "no-clean-stop", ...sensed, lastBeat],
    },
  };
  return { scope: "box", blame: blames[previous.end] };
}

/** A hole that took all cameras shortly before the box itself lost power had the same reason, which nobody could know then. */
const followedMs = 6 * 3_600_000;

/** The better cause for a hole that was open when the box went; null where the downtime explains nothing of it. */
export function explainBy(previous: NonNullable<Previous>, gap: OpenGap): Claim | null {
  const isShared = gap.claim.scope === "site" || gap.claim.blame.cause === "unknown";
  if (previous.end !== "power" || !isShared || previous.lastAliveAt - gap.fromAt > followedMs) return null;
  const { scope, blame } = blameDowntime(previous);
  return { scope, blame: { ...blame, evidence: [...gap.claim.blame.evidence, "box-power-followed", ...blame.evidence] } };
}

export type RecoverDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Store;
  readonly footage: Footage;
  readonly recorder: Recorder;
  readonly books: Books;
  readonly log: Log;
  readonly folder: string;
  readonly run: number;
};

/** Writes down how the previous run ended, where it could not do so itself. */
export function closePrevious(deps: Pick<RecoverDeps, "store" | "time">, previous: Previous): void {
  if (previous === null || previous.run.ended !== null) return;
  const { run, end, lastAliveAt } = previous;
  const data = { boot: run.boot, end, lastAlive: new Date(lastAliveAt).toISOString() };
  const change: Change = [
    { put: "run-ended", run: run.id, end, at: lastAliveAt },
    { put: "event", moment: deps.time.moment(), type: "run.ended", level: "warn", data },
  ];
  deps.store.commit(change);
}

/** The files that earlier runs left open become segments. Files in the same folder that are not ours are left alone. */
export async function settleParts(deps: RecoverDeps, previous: Previous, signal: AbortSignal): Promise<number> {
  const parts = (await deps.footage.parts(null, null)).filter((file) => file.run < deps.run);
  const claim: Claim =
    previous === null
      ? { scope: "box", blame: { cause: "unknown", sure: "unknown", evidence: ["no-run-before"] } }
      : blameDowntime(previous);
  for (const file of parts) {
    try {
      await settlePart(deps, previous, file, claim, signal);
    } catch (error) {
      deps.log.error({ file: file.path, err: String(error) }, "an unfinished file could not be settled; the next start tries again");
    }
  }
  return parts.length;
}

async function settlePart(deps: RecoverDeps, previous: Previous, file: FootageFile, claim: Claim, signal: AbortSignal): Promise<void> {
  const run = deps.store.run(file.run);
  const sameBoot = run?.bootId === deps.store.run(deps.run)?.bootId;
  const offsetMs = run === null ? 0 : (deps.store.boot(run.bootId)?.offsetMs ?? 0);
  const onScale = (fileAt: number) => (sameBoot ? deps.time.at(deps.time.monoOfFile(fileAt)) : fileAt - offsetMs);
  const coveredAt = deps.books.page(file.camera).coveredAt;
  const bornAt = onScale(file.bornAt);
  // Files of one try adjoin: one born within a breath of the end of coverage continues it.
  const startAt = coveredAt !== null && Math.abs(bornAt - coveredAt) < 2_000 ? coveredAt : null;
  const arrivalTimes = deps.store.camera(file.camera)?.arrivalTimes ?? false;
  const goneAt = previous !== null && previous.run.id === file.run ? previous.lastAliveAt : (run?.endedAt ?? null);
  const times = { bornAt, modifiedAt: onScale(file.modifiedAt), startAt, goneAt };
  await settleTorn(deps, { file, ...times, arrivalTimes, clock: "holdover" }, claim, signal);
}
