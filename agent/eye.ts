/** What a camera's recorder loop sees at this moment; the watch loop turns it into conditions and gaps. */
import type { CameraLine } from "./core/line.ts";
import { noPace, type Pace } from "./core/pace.ts";
import { type Choice, onMain } from "./core/stream.ts";
import type { EndReason, MonoMs, StreamName, WallMs } from "./core/types.ts";

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
  /** Knocks since the failure, and those that nobody answered. */
  knocks: number;
  knocksLost: number;
  /** Its own clock (UTC ms) when it answered again after silence; null: not told. */
  returnedClockMs: number | null;
  /** When it last sent a frame or answered a knock. */
  reachedMonoMs: MonoMs | null;
  nextNumber: number;
  /** Its last file that was closed and indexed in this run. */
  lastFile: {
    /** In the footage folder. */
    readonly path: string;
    readonly stream: StreamName;
    readonly startAt: WallMs;
    readonly ms: number;
    readonly bytes: number;
  } | null;
  /** Its line, as it was seen last while it recorded; null: not yet. */
  line: CameraLine | null;
  /** By then its loop is heard of again, or it hangs; null: it waits for the disk, or has not begun. */
  dueMonoMs: MonoMs | null;
  /** Which stream the try under way, or the next one, is of. */
  choice: Choice;
  pace: Pace;
  /** The try that ended last; null: none has. */
  ended: { readonly stream: StreamName; readonly hadFrames: boolean } | null;
};

export function newEye(camera: string, nextNumber: number): Eye {
  return {
    ...{ camera, lastFrameMonoMs: null, openFromMonoMs: null, openBytes: 0, writing: false },
    ...{ reason: null, answers: null, knocks: 0, knocksLost: 0, returnedClockMs: null, reachedMonoMs: null, nextNumber },
    ...{ dueMonoMs: null, lastFile: null, line: null, choice: onMain, pace: noPace, ended: null },
  };
}

/** A frame came: whatever was wrong is over. */
export function noteFrame(eye: Eye, monoMs: MonoMs): void {
  eye.lastFrameMonoMs = monoMs;
  eye.reachedMonoMs = monoMs;
  eye.openFromMonoMs ??= monoMs;
  eye.reason = null;
  eye.answers = null;
  eye.knocks = 0;
  eye.knocksLost = 0;
}

/** Somebody answered at its port, or nobody did. */
export function noteKnock(eye: Eye, answered: boolean, monoMs: MonoMs): void {
  eye.knocks += 1;
  eye.knocksLost += answered ? 0 : 1;
  if (answered) eye.reachedMonoMs = monoMs;
}
