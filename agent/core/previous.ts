/** How the run before this one ended, and what that explains: the time between the two, and a hole that was open when the box went. */
import { onBattery } from "./blame.ts";
import type { RunEnd } from "./change.ts";
import type { OpenGap } from "./ledger.ts";
import type { Blame, Claim, WallMs } from "./types.ts";

/** A run as its row tells it. */
export type PastRun = {
  readonly id: number;
  /** `<boot_id>.<run>`, as events carry it. */
  readonly boot: string;
  readonly bootId: string;
  readonly startedAt: WallMs;
  readonly beatAt: WallMs;
  readonly ended: RunEnd | null;
  readonly endedAt: WallMs | null;
};

/** How a run ended, until when it is known to have lived, and what the power sensor said last. */
export type Previous = { readonly run: PastRun; readonly end: RunEnd; readonly lastAliveAt: WallMs; readonly power: string };

/** What a run left behind. */
export type Traces = {
  readonly run: PastRun;
  /** When its live row was renewed last. */
  readonly live: { readonly at: WallMs } | null;
  readonly beat: { readonly run: number; readonly at: WallMs } | null;
  /** This boot's id, and whether the boot before it was shut down in order; null: nobody knows. */
  readonly bootId: string;
  readonly inOrder: boolean | null;
  /** The last word of the power sensor; `unknown` where there is none. */
  readonly power: string;
};

/** A stop is written down; a crash leaves the same boot, a reboot by a person an orderly shutdown, a power cut neither. */
export function judgePrevious({ run, live, beat, bootId, inOrder, power }: Traces): Previous {
  const signs = [run.beatAt, live?.at ?? 0, beat?.run === run.id ? beat.at : 0];
  const lastAliveAt = Math.max(...signs.filter((at) => at >= run.startedAt), run.startedAt);
  if (run.ended !== null) return { run, end: run.ended, lastAliveAt: run.endedAt ?? lastAliveAt, power };
  const end = run.bootId === bootId ? "crashed" : inOrder === true ? "rebooted" : "power";
  return { run, end, lastAliveAt, power };
}

/** The last run, where it could say how it ended; what the power was then explains a machine that was switched off meanwhile. */
export function lastEnded(run: PastRun | null, bootId: string, power: string): Previous | null {
  if (run?.ended == null) return null;
  return { run, end: run.ended, lastAliveAt: run.endedAt ?? run.beatAt, power: run.bootId === bootId ? "unknown" : power };
}

/** The run whose end explains the down-time: the last one, unless one that never ended before it lost its power. */
export function explaining(last: Previous | null, open: readonly Previous[]): Previous | null {
  return open.find(({ end }) => end === "power") ?? open.find(({ end }) => end === "rebooted") ?? open.at(-1) ?? last;
}

/** Who is to blame for the time between two runs: always the box. Only a sensor that said so makes a power cut more than a conclusion. */
export function blameDowntime(previous: Previous): Claim {
  const lastBeat = `last-beat ${new Date(previous.lastAliveAt).toISOString()}`;
  const sensed = onBattery(previous.power) ? [`power-${previous.power}`] : [];
  const blames: Record<RunEnd, Blame> = {
    // Stopped on battery and switched off: the power went, and the box went with it in order.
    stopped:
      sensed.length > 0
        ? { cause: "box-power", sure: "sensed", evidence: ["boot-changed", "clean-stop", ...sensed, lastBeat] }
        : { cause: "box", sure: "sensed", evidence: ["clean-stop", lastBeat] },
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
export function explainBy(previous: Previous, gap: OpenGap): Claim | null {
  const isShared = gap.claim.scope === "site" || gap.claim.blame.cause === "unknown";
  if (previous.end !== "power" || !isShared || previous.lastAliveAt - gap.fromAt > followedMs) return null;
  const { scope, blame } = blameDowntime(previous);
  return { scope, blame: { ...blame, evidence: [...gap.claim.blame.evidence, "box-power-followed", ...blame.evidence] } };
}
