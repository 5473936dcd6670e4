/** What a camera's recorder loop sees at this moment; the watch loop turns it into conditions and gaps. */
import type { EndReason, MonoMs, StreamName } from "./core/types.ts";

export type Eye = {
  readonly camera: string;
  /** null: no frame since the agent started. */
  lastFrameMonoMs: MonoMs | null;
  /** Start of the file being written; null while none is. */
  openFromMonoMs: MonoMs | null;
  openBytes: number;
  /** A try is under way or its files are not settled yet: coverage may still grow. */
  writing: boolean;
  /** Why the last try failed; null once frames came again. */
  reason: EndReason | null;
  /** Did anybody answer at the camera's port after the failure? */
  answers: boolean | null;
  nextNumber: number;
  readonly stream: StreamName;
};

export function newEye(camera: string): Eye {
  return {
    ...{ camera, lastFrameMonoMs: null, openFromMonoMs: null, openBytes: 0, writing: false },
    ...{ reason: null, answers: null, nextNumber: 1, stream: "main" },
  };
}
