/** What the patrol has in mind of a camera: who it is, how it answered last, when it is asked again. */
import type { CameraClock, CameraFailure, CameraPort, Clock, Credential, Discovery, Knock } from "../../hal/ports.ts";
import type { CameraSettings, Settings } from "../config/schema.ts";
import {
  type Acquaintance,
  acquaintanceOf,
  type ClockReading,
  type ClockTrouble,
  compare,
  hostOf,
  streamAt,
} from "../core/acquaintance.ts";
import type { Data, Level, MonoMs } from "../core/types.ts";
import type { Eye } from "../eye.ts";
import type { Log } from "../log.ts";
import type { Time } from "../moment.ts";
import type { Store } from "../store/store.ts";

/** A camera answers a knock within this, or nobody is there. */
export const knockMs = 2_000;
const firstVisitMs = 3_000;

export type PatrolDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Pick<Store, "commit" | "meta">;
  readonly cameras: CameraPort;
  readonly discovery: Discovery;
  readonly knock: Knock & CameraClock;
  readonly eyes: ReadonlyMap<string, Eye>;
  readonly settings: () => Settings;
  readonly credentialOf: (camera: CameraSettings) => Credential | null;
  readonly log: Log;
  readonly random: () => number;
};

/** What the patrol has in mind of one camera. */
export type Mind = {
  known: Acquaintance;
  reading: ClockReading | null;
  problem: CameraFailure["reason"] | null;
  /** The condition of its clock that was written down last. */
  toldTrouble: ClockTrouble | null;
  nextMonoMs: MonoMs;
  describedMonoMs: MonoMs | null;
  /** The login that it refused, how often in a row, and when that may be put again. */
  refused: string | null;
  refusals: number;
  loginMonoMs: MonoMs;
  wasSilent: boolean;
  searches: number;
  nextSearchMonoMs: MonoMs;
  setMonoMs: MonoMs | null;
  isForeign: boolean;
  follow: { readonly fingerprint: string; readonly stop: AbortController } | null;
  nextFollowMonoMs: MonoMs;
  readonly signs: Map<string, MonoMs>;
};

export function newMind({ store, clock, random }: PatrolDeps, camera: string): Mind {
  return {
    known: acquaintanceOf(store.meta(`known ${camera}`)),
    ...{ reading: null, problem: null, toldTrouble: null, describedMonoMs: null, refused: null, refusals: 0, loginMonoMs: 0 },
    // The first round is spread over some seconds, and begins when the recorder has reached the camera: before that nobody knows its MAC.
    nextMonoMs: clock.monoMs() + firstVisitMs + Math.round(random() * 5_000),
    ...{ wasSilent: false, searches: 0, nextSearchMonoMs: Number.NEGATIVE_INFINITY, setMonoMs: null, isForeign: false },
    ...{ follow: null, nextFollowMonoMs: Number.NEGATIVE_INFINITY, signs: new Map() },
  };
}

export type MindOf = (camera: string) => Mind;

/** Keeps over restarts what is known of a camera. */
export function remember({ store }: PatrolDeps, camera: string, mind: Mind, known: Acquaintance): void {
  const text = JSON.stringify(known);
  if (text === JSON.stringify(mind.known)) return;
  mind.known = known;
  store.commit([{ put: "note", note: `known ${camera}`, text }]);
}

/** Writes down what was met at a camera. */
export function say({ store, time }: PatrolDeps, camera: string, level: Level, data: Data): void {
  store.commit([{ put: "event", moment: time.moment(), type: "camera.changed", level, data: { camera, ...data } }]);
}

/** undefined: it cannot be read now, which the recorder says too. */
export function loginOf(deps: PatrolDeps, camera: CameraSettings): Credential | null | undefined {
  try {
    return deps.credentialOf(camera);
  } catch {
    return undefined;
  }
}

/** Where it is now, as far as that is known; null: nowhere. */
export function hostNow({ known }: Mind, camera: CameraSettings): string | null {
  const url = streamAt(camera, known) ?? camera.onvif;
  return url === undefined ? null : hostOf(url);
}

/** Is what was met at a camera's address known to be another one of ours? A camera that nobody knows is taken for its replacement. */
export function isAnothers(
  deps: PatrolDeps,
  mindOf: MindOf,
  camera: string,
  seen: { readonly serial: string | null; readonly mac: string | null },
): boolean {
  if (compare(mindOf(camera).known, seen) !== "other") return false;
  return deps.settings().cameras.some(({ id }) => id !== camera && compare(mindOf(id).known, seen) === "same");
}

/** Another camera of ours has its address, or has it no more. */
export function setForeign(deps: PatrolDeps, id: string, mind: Mind, isForeign: boolean): void {
  if (mind.isForeign === isForeign) return;
  mind.isForeign = isForeign;
  if (isForeign) say(deps, id, "warn", { met: "another camera at its address" });
}
