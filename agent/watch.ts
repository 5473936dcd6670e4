/** Once a second: what the recorder loops see becomes conditions and gaps, and the live row is renewed. */

import type { Clock, Probe } from "../hal/ports.ts";
import type { Books } from "./books.ts";
import { lostMs, settleCamera } from "./core/condition.ts";
import { graceMs } from "./core/ledger.ts";
import { streamOf, troubleOf } from "./core/stream.ts";
import type { CameraCondition, Claim, MonoMs } from "./core/types.ts";
import type { Eye } from "./eye.ts";
import type { Gate } from "./gate.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Patrol } from "./patrol.ts";
import type { PulseKeeper } from "./pulse.ts";
import type { Senses } from "./sense.ts";
import type { Live } from "./store/reads.ts";
import type { Store } from "./store/store.ts";

export type WatchDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Pick<Store, "commit" | "renew">;
  readonly books: Books;
  readonly gate: Gate;
  readonly log: Log;
  readonly eyes: ReadonlyMap<string, Eye>;
  readonly startedMonoMs: MonoMs;
  readonly usedBytes: () => number;
  readonly claim: (eye: Eye) => Claim;
  /** Cameras have this long to come back after the agent's start before their silence is their own. */
  readonly startUpMs: number;
  /** Which sense was chosen, for `status`. */
  readonly power: Pick<Probe, "driver">;
  readonly link: Pick<Probe, "driver">;
  /** What the senses feel now. */
  readonly senses: Pick<Senses, "link">;
  readonly patrol: Pick<Patrol, "news">;
  /** Is told that a round went by. */
  readonly pulse: Pick<PulseKeeper, "watched">;
};

const tickMs = 1_000;
/** The beat dates the end of a run that ends without a word. The live row does it to the second while the disk holds what it was given. */
const beatEveryMs = 60_000;

/** Conditions of the cameras as they stand; start-up knows nothing, whatever was true before. */
export type Conditions = Map<string, CameraCondition>;

export async function watch(deps: WatchDeps, conditions: Conditions, signal: AbortSignal): Promise<void> {
  let beatMonoMs = deps.clock.monoMs();
  while (!signal.aborted) {
    await deps.clock.sleep(tickMs, signal);
    deps.pulse.watched();
    try {
      if (deps.gate.isKnown()) for (const eye of deps.eyes.values()) lookAt(deps, conditions, eye);
      deps.store.renew(liveOf(deps));
      if (deps.clock.monoMs() - beatMonoMs < beatEveryMs) continue;
      beatMonoMs = deps.clock.monoMs();
      deps.store.commit([{ put: "beat", at: deps.time.now() }]);
    } catch (error) {
      deps.log.error({ err: String(error) }, "the watch could not write what it saw; it goes on");
    }
  }
}

function lookAt(deps: WatchDeps, conditions: Conditions, eye: Eye): void {
  const ageMs = eye.lastFrameMonoMs === null ? null : deps.clock.monoMs() - eye.lastFrameMonoMs;
  const reading = {
    lastFrameAgeMs: ageMs,
    lastFrameAt: eye.lastFrameMonoMs === null ? null : deps.time.at(eye.lastFrameMonoMs),
    ...{ reason: eye.reason, diskOk: deps.gate.value() === "ok", stream: streamOf(eye.choice), mainTrouble: troubleOf(eye.choice) },
  };
  const settled = settleCamera(conditions.get(eye.camera) ?? null, reading, eye.camera, deps.time.moment());
  conditions.set(eye.camera, settled.condition);
  if (settled.change.length > 0) deps.store.commit(settled.change);
  endStartUp(deps, eye);
  const writing = eye.writing && (ageMs === null ? false : ageMs < 2 * lostMs);
  deps.books.tick(eye.camera, writing, deps.claim(eye));
}

/** The time the box was dead and its start-up are the box's; a camera that is still silent after that answers for itself, from the start on. */
function endStartUp(deps: WatchDeps, eye: Eye): void {
  const runMs = deps.clock.monoMs() - deps.startedMonoMs;
  const { gap } = deps.books.page(eye.camera);
  const startedAt = deps.time.at(deps.startedMonoMs);
  const isDowntime = gap !== null && gap.claim.scope === "box" && gap.fromAt < startedAt;
  const isDiskBad = deps.gate.value() !== "ok" && runMs > graceMs;
  if (eye.lastFrameMonoMs === null && isDowntime && (isDiskBad || runMs > deps.startUpMs)) deps.books.split(eye.camera, startedAt);
}

function liveOf(deps: WatchDeps): Live {
  const at = (monoMs: MonoMs | null) => (monoMs === null ? null : deps.time.at(monoMs));
  const cameras = [...deps.eyes.values()].map((eye) => [
    eye.camera,
    {
      ...{ lastFrameAt: at(eye.lastFrameMonoMs), openFromAt: at(eye.openFromMonoMs), line: eye.line, stream: streamOf(eye.choice) },
      ...newsOf(deps, eye.camera),
    },
  ]);
  return {
    ...{ at: deps.time.now(), cameras: Object.fromEntries(cameras), freeBytes: deps.gate.reading().freeBytes },
    ...{
      usedBytes: deps.usedBytes(),
      clock: deps.clock.trust(),
      clockErrorMs: deps.clock.errorMs(),
      drivers: { power: deps.power.driver, link: deps.link.driver },
    },
    wifi: deps.senses.link().wifi,
  };
}

function newsOf({ patrol }: WatchDeps, camera: string) {
  const news = patrol.news(camera);
  return news === null ? {} : { clockOffsetMs: news.offsetMs, neverSet: news.neverSet, problem: news.problem };
}
