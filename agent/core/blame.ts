/** Names the cause of a hole from what was seen. It knows camera, box and disk; where the evidence does not reach it says unknown. */
import type { Blame, DiskValue, EndReason } from "./types.ts";

/** What was seen around a camera that does not record. */
export type Sight = {
  readonly disk: DiskValue;
  /** Why the last try ended; null: the first one is still under way. */
  readonly reason: EndReason | null;
  /** Did anybody answer at the camera's port after that? null: not asked. */
  readonly answers: boolean | null;
  /** How many other cameras of the box record now. */
  readonly othersRecording: number;
  /** Since this long the agent is up; the first seconds are its own. */
  readonly runMs: number;
};

/** A camera needs this long after the agent's start before its silence is its own. */
export const startUpMs = 30_000;

/** Reasons that only a camera that answers can give. */
const ownFault: readonly EndReason[] = [
  "refused-password",
  "refused-transport",
  "refused-connection",
  "not-found",
  "no-video",
  "bad-timestamps",
];

/** The cause of a hole that is open now. */
export function blame(sight: Sight): Blame {
  if (sight.disk !== "ok") return { cause: "disk", sure: "sensed", evidence: [`disk-${sight.disk}`] };
  if (sight.reason === "disk-full" || sight.reason === "disk-error") return { cause: "disk", sure: "sensed", evidence: [sight.reason] };
  if (sight.reason === "no-password") return { cause: "box", sure: "sensed", evidence: ["password-file-unreadable"] };
  if (sight.reason === "no-recorder") return { cause: "box", sure: "sensed", evidence: ["ffmpeg-does-not-start"] };
  if (sight.reason === null) return { cause: "unknown", sure: "unknown", evidence: ["no-frame-yet"] };
  return blameCamera(sight, sight.reason);
}

function blameCamera(sight: Sight, reason: EndReason): Blame {
  const seen = [reason, ...(sight.answers === null ? [] : [sight.answers ? "port-answers" : "port-silent"])];
  if (sight.answers === true || ownFault.includes(reason)) return { cause: "camera", sure: "inferred", evidence: seen };
  if (sight.othersRecording > 0)
    return { cause: "camera", sure: "inferred", evidence: [...seen, `others-recording ${sight.othersRecording}`] };
  return { cause: "unknown", sure: "unknown", evidence: [...seen, "nobody-else-to-compare"] };
}
