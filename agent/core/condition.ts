/** `settle` turns readings into conditions: what is held true, since when, and whether the change is worth an event. */
import type { Change, Moment, Write } from "./change.ts";
import type { MainTrouble } from "./stream.ts";
import type { CameraCondition, CameraState, Condition, EndReason, EventType, Level, StreamName, Subject, WallMs } from "./types.ts";

/** No frame for this long: the camera is not recording. Short enough that a vanished camera is known within 10 s. */
export const lostMs = 7_000;

/** What is known of a camera at this moment. */
export type CameraReading = {
  /** null: no frame since the agent started. */
  readonly lastFrameAgeMs: number | null;
  readonly lastFrameAt: WallMs | null;
  /** Why the last try failed; null: none failed since the last frame. */
  readonly reason: EndReason | null;
  readonly diskOk: boolean;
  readonly stream: StreamName;
  /** Why the main stream is not recorded, or only on trial; null: it is as it should be. */
  readonly mainTrouble: MainTrouble | null;
};

export type Settled<C> = { readonly condition: C; readonly change: Change };

/**
 * A camera records while frames come, and badly while the main stream is not held to hold: a try of it that may fail is no return. Before the first frame or the first failure nothing is known, and that is not an event. */
export function settleCamera(
  before: CameraCondition | null,
  reading: CameraReading,
  camera: string,
  moment: Moment,
): Settled<CameraCondition> {
  const state = stateOf(reading);
  const why = whyOf(state, reading);
  if (before !== null && before.state === state && before.why === why && before.stream === reading.stream)
    return { condition: before, change: [] };
  const sinceAt = before?.state === state ? before.sinceAt : sinceOf(state, reading, moment);
  const condition: CameraCondition = { state, why, sinceAt, stream: reading.stream };
  const write: Write = { put: "camera-condition", camera, condition };
  if (before?.state === state || !isNews(before?.state ?? "unknown", state)) return { condition, change: [write] };
  return { condition, change: [write, cameraEvent(camera, condition, before?.state ?? "unknown", moment)] };
}

function stateOf(reading: CameraReading): CameraState {
  if (reading.lastFrameAgeMs !== null && reading.lastFrameAgeMs < lostMs) return reading.mainTrouble === null ? "recording" : "degraded";
  if (reading.lastFrameAgeMs === null && reading.reason === null && reading.diskOk) return "unknown";
  return "not-recording";
}

function whyOf(state: CameraState, { reason, diskOk, mainTrouble }: CameraReading): string | null {
  if (state === "degraded") return mainTrouble;
  if (state !== "not-recording") return null;
  return diskOk ? (reason ?? "no-frames") : "disk";
}

/** A loss dates from the last frame, not from the moment we noticed. */
function sinceOf(state: CameraState, reading: CameraReading, moment: Moment): WallMs {
  return state === "not-recording" && reading.lastFrameAt !== null ? reading.lastFrameAt : moment.at;
}

/** Starting up is not an event; failing to start is. */
const isNews = (from: CameraState, to: CameraState) => to !== "unknown" && !(from === "unknown" && to === "recording");

function cameraEvent(camera: string, condition: CameraCondition, was: CameraState, moment: Moment): Write {
  const level: Level = condition.state === "recording" ? "info" : "warn";
  const since = new Date(condition.sinceAt).toISOString();
  const { state, why, stream } = condition;
  return { put: "event", moment, type: "camera.changed", level, data: { camera, state, was, why, since, stream } };
}

const eventOf: Record<Exclude<Subject, "station">, EventType> = {
  power: "power.changed",
  link: "link.changed",
  disk: "disk.changed",
  clock: "clock.changed",
};

/** A subject of the box itself. The first reading after a start is no event unless it is bad or differs from what was held before. */
export function settle(
  subject: Subject,
  before: Condition | null,
  value: string,
  evidence: readonly string[],
  moment: Moment,
  good: readonly string[],
): Settled<Condition> {
  if (before !== null && before.value === value) return { condition: before, change: [] };
  const condition: Condition = { value, sinceAt: moment.at, evidence };
  const write: Write = { put: "condition", subject, condition };
  const startingUp = before === null || before.value === "unknown";
  if (subject === "station" || (startingUp && good.includes(value))) return { condition, change: [write] };
  const level: Level = good.includes(value) ? "info" : "alarm";
  const data = { value, was: before?.value ?? "unknown", evidence };
  return { condition, change: [write, { put: "event", moment, type: eventOf[subject], level, data }] };
}
