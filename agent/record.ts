/** One camera's recorder loop: a try of the recorder, its files closed into segments, the reason why it ended; again, for ever. */

import type { Footage, Recorder, RecorderEnd, RecorderJob, RecorderSign } from "../hal/ports.ts";
import type { Books } from "./books.ts";
import { placeFile, timesDisagree } from "./core/arrival.ts";
import { cameraBackoffMs, loginBackoffMs } from "./core/backoff.ts";
import { refine } from "./core/blame.ts";
import { weakSigns } from "./core/line.ts";
import { fellBehind, notePace, paceAnew } from "./core/pace.ts";
import { segmentPath } from "./core/path.ts";
import { afterFrames, afterTry, firstChoice, isMainDue, mayLeaveMain, onMain, streamOf, tryMain } from "./core/stream.ts";
import type { Claim, EndReason, MonoMs, Trust } from "./core/types.ts";
import { type Eye, noteFrame } from "./eye.ts";
import type { Gate } from "./gate.ts";
import { askClock, type KnockDeps, type KnockJob, knockOnce, knockUntilAnswered, readCredential, untilAnotherLogin } from "./knocks.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Patrol, Where } from "./patrol.ts";
import { settleTorn } from "./settle.ts";
import type { Store } from "./store/store.ts";
import { type Outcome, supervise } from "./supervise.ts";

/** The slice of the configuration that one camera's loop needs. */
export type CameraJob = KnockJob & {
  readonly transport: "auto" | "tcp" | "udp";
  readonly audio: boolean;
  readonly segmentMs: number;
  readonly cutOffsetMs: number;
  /** 0: left to the kernel. */
  readonly syncMs: number;
  /** How long the smaller stream is recorded before the main one is tried again. */
  readonly retryMainMs: number;
};

export type RecordDeps = KnockDeps & {
  readonly time: Time;
  readonly recorder: Recorder;
  readonly footage: Footage;
  readonly folder: string;
  readonly books: Books;
  readonly store: Pick<Store, "camera" | "commit">;
  readonly gate: Gate;
  readonly log: Log;
  readonly random: () => number;
  readonly run: number;
  /** Lets one file after another through to hashing, over all cameras. */
  readonly inTurn: <T>(deed: () => Promise<T>) => Promise<T>;
  readonly claim: (eye: Eye) => Claim;
  /** May the power be gone at any moment? Then every look is a flush. */
  readonly isUrgent: () => boolean;
  /** Where each camera's stream is now: it may have moved, or another may have taken its address. */
  readonly patrol: Pick<Patrol, "where" | "lookUp" | "isForeign">;
};

/** No new frame for this long: the try is over, whatever else of the stream is alive (issue: 5 s). */
const stallMs = 5_000;
/** A first frame may take a whole group of pictures (10 s at some cameras) after connecting. */
const openMs = 20_000;
/** A try of the main stream on a weak line costs footage of the smaller one for as long as it has no picture: that group and little more. */
const trialOpenMs = 12_000;
/** A try at a silent port would only stand in the way of the knock that hears the camera return; now and then one goes out all the same. */
const silentWaitMs = 60_000;
/** Frames for this long: the camera is well, and waiting starts over. */
const wellAfterMs = 5_000;
/** Nothing that a try does in one piece (closing a file, reading what was left) takes longer where disk and camera live. */
const stuckMs = 180_000;
/** Files are looked at this often where they are flushed seldom or never. */
const lookEveryMs = 1_000;

/** Records one camera until `signal` aborts; returns when its last file is closed and committed. */
export function recordCamera(deps: RecordDeps, job: CameraJob, eye: Eye, signal: AbortSignal): Promise<void> {
  const last = deps.store.camera(job.id);
  eye.choice = hasFallback(deps, job) ? firstChoice(last?.stream ?? "main", last?.why ?? null, job.retryMainMs) : onMain;
  let isTurned = false;
  return supervise({
    name: `camera ${job.id}`,
    clock: deps.clock,
    log: deps.log,
    work: (stop) => oneTry(deps, job, eye, stop),
    waitMs: (failures) => waitMsOf(eye, failures, deps.random()),
    wellAfterMs,
    onWait: (ms) => expectWithin(deps, eye, ms + stuckMs),
    before: async (stop) => {
      eye.answers = await knockOnce(deps, job, eye, stop);
      isTurned = turn(deps, job, eye);
    },
    hurry: async (stop) => {
      // Another stream is another try: it does not wait for the one that failed.
      if (isTurned) return true;
      return eye.reason === "refused-password" ? untilAnotherLogin(deps, job, stop) : knockUntilAnswered(deps, job, eye, stop);
    },
    signal,
  });
}

const hasFallback = ({ patrol }: RecordDeps, { id }: CameraJob) => patrol.where(id, "fallback").kind === "at";

/** Chooses the next try's stream by how the last one ended; did that change it? */
function turn(deps: RecordDeps, job: CameraJob, eye: Eye): boolean {
  const before = eye.choice;
  const { reason, answers, ended } = eye;
  if (!hasFallback(deps, job)) eye.choice = onMain;
  else if (reason !== null && ended !== null) {
    const hadWeakLine = eye.line !== null && weakSigns(eye.line).length > 0;
    eye.choice = afterTry(before, { reason, answers, hadWeakLine, hadFrames: ended.hadFrames }, deps.clock.monoMs(), job.retryMainMs);
  }
  if (streamOf(eye.choice) === streamOf(before)) return false;
  const [from, to] = [streamOf(before), streamOf(eye.choice)];
  deps.log.warn({ camera: job.id, from, to, reason }, "the other stream of the camera is recorded from now on");
  return true;
}

/** Says by when this camera's loop is heard of again; else it hangs, and the watchdog is not fed. */
function expectWithin({ clock }: RecordDeps, eye: Eye, ms: number): void {
  eye.dueMonoMs = clock.monoMs() + ms;
}

function waitMsOf(eye: Eye, failures: number, random: number): number {
  if (eye.answers === false) return silentWaitMs;
  return eye.reason === "refused-password" ? loginBackoffMs(failures, random) : cameraBackoffMs(failures, random);
}

/** What one try has seen; the signs write it, the closing of files reads it. */
type Try = {
  readonly startedMonoMs: MonoMs;
  firstFrameMonoMs: MonoMs | null;
  longestSilenceMs: number;
  frames: number;
  /** The cause of the hole before this try's first frame; null until that comes. */
  claim: Claim | null;
  /** Number of the file being written. */
  current: number;
  bornMonoMs: MonoMs | null;
  previousEndMonoMs: MonoMs | null;
  /** Closes files one after the other, in order. */
  closing: Promise<void>;
  readonly stop: AbortController;
  /** Why it was stopped from here; null: it was not. */
  found: Extract<EndReason, "bad-timestamps" | "starved" | "main-again"> | null;
};

/** Ends the try for a reason of our own. */
function leave(now: Try, found: NonNullable<Try["found"]>): void {
  now.found ??= found;
  now.stop.abort();
}

async function oneTry(deps: RecordDeps, job: CameraJob, eye: Eye, signal: AbortSignal): Promise<Outcome> {
  eye.dueMonoMs = null;
  await deps.gate.open(signal);
  expectWithin(deps, eye, stuckMs);
  if (signal.aborted) return { kind: "stopped" };
  const now: Try = {
    ...{ startedMonoMs: deps.clock.monoMs(), firstFrameMonoMs: null, longestSilenceMs: 0, frames: 0, claim: null },
    ...{ current: eye.nextNumber, bornMonoMs: null, previousEndMonoMs: null, closing: Promise.resolve() },
    ...{ stop: new AbortController(), found: null },
  };
  eye.pace = paceAnew(eye.pace, streamOf(eye.choice));
  const unlink = abortWith(now.stop, [signal, deps.gate.closing()]);
  eye.writing = true;
  try {
    // What a disk that was away kept of an earlier try comes first.
    await settleLeftovers(deps, job, eye, now);
    const where = await deps.patrol.lookUp(job.id, streamOf(eye.choice), signal);
    if (where.kind === "at") askClock(deps, where.url, eye, signal);
    const end = await runRecorder(deps, job, eye, now, where);
    return conclude(deps, job, eye, now, signal.aborted ? { reason: "stopped", detail: "" } : end);
  } catch (error) {
    return conclude(deps, job, eye, now, { reason: "disk-error", detail: String(error) });
  } finally {
    unlink();
    // Waiting for its turn is no hanging: the time runs from there.
    eye.dueMonoMs = null;
    await now.closing;
    await settleLeftovers(deps, job, eye, now);
    deps.footage.release(job.id);
    expectWithin(deps, eye, stuckMs);
    eye.openFromMonoMs = null;
    eye.openBytes = 0;
    eye.writing = false;
  }
}

async function runRecorder(deps: RecordDeps, job: CameraJob, eye: Eye, now: Try, where: Where): Promise<RecorderEnd> {
  if (where.kind === "nowhere") return { reason: where.reason, detail: "" };
  const findings = deps.store.camera(job.id);
  const credential = readCredential(job);
  if (credential instanceof Error) return { reason: "no-password", detail: credential.message };
  const order: RecorderJob = {
    ...{ camera: job.id, url: where.url, stream: streamOf(eye.choice), credential, audio: job.audio, run: deps.run },
    transport: job.transport === "auto" ? (findings?.udp ? "udp" : "tcp") : job.transport,
    arrivalTimes: findings?.arrivalTimes ?? false,
    folder: await deps.footage.prepare(job.id),
    ...{ firstNumber: eye.nextNumber, segmentMs: job.segmentMs, cutOffsetMs: job.cutOffsetMs, stallMs },
    openMs: eye.choice.kind === "trial" ? trialOpenMs : openMs,
  };
  expectWithin(deps, eye, openMs + stuckMs);
  const over = new AbortController();
  const flushing = keepFlushed(deps, job, eye, now, over.signal);
  const end = await deps.recorder.record(order, (sign) => onSign(deps, job, eye, now, order, sign), now.stop.signal);
  over.abort();
  await flushing;
  return end;
}

function onSign(deps: RecordDeps, job: CameraJob, eye: Eye, now: Try, order: RecorderJob, sign: RecorderSign): void {
  if (sign.kind === "closed") {
    onClosed(deps, job, eye, now, order, sign);
    return;
  }
  const before = now.firstFrameMonoMs === null ? sign.monoMs : (eye.lastFrameMonoMs ?? sign.monoMs);
  now.longestSilenceMs = Math.max(now.longestSilenceMs, sign.monoMs - before);
  now.firstFrameMonoMs ??= sign.monoMs;
  now.claim ??= refine(deps.books.page(job.id).gap?.claim ?? null, deps.claim(eye), eye.returnedClockMs);
  eye.returnedClockMs = null;
  now.frames = sign.frames;
  expectWithin(deps, eye, stuckMs);
  noteFrame(eye, sign.monoMs);
  eye.choice = afterFrames(eye.choice, sign.monoMs - now.firstFrameMonoMs, job.retryMainMs);
  if (!order.arrivalTimes) eye.pace = notePace(eye.pace, sign);
  // Where there is nothing else to be had, a thin stream is better than none.
  if (eye.pace.isStarved && mayLeaveMain(eye.choice, sign.monoMs) && hasFallback(deps, job)) leave(now, "starved");
}

function onClosed(
  deps: RecordDeps,
  job: CameraJob,
  eye: Eye,
  now: Try,
  order: RecorderJob,
  sign: Extract<RecorderSign, { kind: "closed" }>,
): void {
  const { startMonoMs, endMonoMs } = placeFile({
    ...{ mediaFromMs: sign.mediaFromMs, mediaToMs: sign.mediaToMs, closedMonoMs: sign.monoMs },
    ...{ bornMonoMs: now.bornMonoMs, previousEndMonoMs: now.previousEndMonoMs },
  });
  const clockMs = endMonoMs - (now.bornMonoMs ?? now.firstFrameMonoMs ?? startMonoMs);
  const course = { mediaMs: sign.mediaToMs, clockMs, frames: now.frames, longestSilenceMs: now.longestSilenceMs };
  // Times that jump, stand still or run slowly are the camera's own, however true they were before.
  if (!order.arrivalTimes && timesDisagree(course)) leave(now, fellBehind(eye.pace, course) ? "starved" : "bad-timestamps");
  // At a file's end the change of streams costs no more than the way there.
  if (isMainDue(eye.choice, sign.monoMs)) leave(now, "main-again");
  now.previousEndMonoMs = endMonoMs;
  now.current = sign.number + 1;
  eye.nextNumber = now.current;
  eye.openFromMonoMs = endMonoMs;
  const claim = now.claim ?? deps.claim(eye);
  now.closing = now.closing.then(() => closeFile(deps, job, eye, order, sign.number, startMonoMs, endMonoMs, claim));
}

/** Invariant 1: the file is closed, durable and hashed before its row is committed. What fails here stays a `.part` and is settled after the try. */
async function closeFile(
  deps: RecordDeps,
  job: CameraJob,
  eye: Eye,
  { stream }: RecorderJob,
  number: number,
  startMonoMs: MonoMs,
  endMonoMs: MonoMs,
  claim: Claim,
): Promise<void> {
  const endAt = deps.time.at(endMonoMs);
  const coveredAt = deps.books.page(job.id).coveredAt ?? Number.NEGATIVE_INFINITY;
  const startAt = Math.max(deps.time.at(startMonoMs), Math.min(coveredAt, endAt - 1));
  const base = { camera: job.id, run: deps.run, number, startAt, endAt, namedMs: deps.time.namedMs(startAt) };
  const path = segmentPath(base);
  try {
    const sealed = await deps.inTurn(() => {
      expectWithin(deps, eye, stuckMs);
      return deps.footage.seal(job.id, deps.run, number, path);
    });
    if (sealed === null) return;
    deps.books.segment({ ...base, ...sealed, stream, clock: deps.time.moment().clock, torn: false }, claim);
    eye.lastFile = { path, stream, startAt, ms: endAt - startAt, bytes: sealed.bytes };
  } catch (error) {
    deps.gate.suspect();
    deps.log.error({ camera: job.id, number, err: String(error) }, "a closed file could not be taken into the index; it is settled later");
  }
}

/** Flushes the growing file to the disk every `recording.sync`, and every second on a nearly empty battery: without it a power cut costs up to 30 s (reference: bench.md §4b). */
async function keepFlushed(deps: RecordDeps, job: CameraJob, eye: Eye, now: Try, signal: AbortSignal): Promise<void> {
  let flushedMonoMs = deps.clock.monoMs();
  while (!signal.aborted) {
    await deps.clock.sleep(Math.min(job.syncMs || lookEveryMs, lookEveryMs), signal);
    if (deps.patrol.isForeign(job.id)) now.stop.abort();
    const number = now.current;
    const isDue = job.syncMs > 0 && (job.syncMs <= lookEveryMs || deps.clock.monoMs() - flushedMonoMs >= job.syncMs);
    const isFlush = isDue || deps.isUrgent();
    try {
      const seen = await deps.footage.sync(job.id, deps.run, number, isFlush);
      if (isFlush) flushedMonoMs = deps.clock.monoMs();
      if (seen === null || number !== now.current) continue;
      eye.openBytes = seen.bytes;
      if (now.bornMonoMs === null) noteBirth(deps, eye, now, seen.bornAt);
    } catch (error) {
      deps.log.warn({ camera: job.id, err: String(error) }, "cannot flush the growing file");
      deps.gate.suspect();
    }
  }
}

function noteBirth(deps: RecordDeps, eye: Eye, now: Try, bornAt: number): void {
  now.bornMonoMs = Math.max(now.startedMonoMs, Math.min(deps.time.monoOfFile(bornAt), deps.clock.monoMs()));
  if (now.previousEndMonoMs === null && eye.openFromMonoMs !== null) eye.openFromMonoMs = Math.min(eye.openFromMonoMs, now.bornMonoMs);
}

/** Files that the recorder left open because it was killed. */
async function settleLeftovers(deps: RecordDeps, job: CameraJob, eye: Eye, now: Try): Promise<void> {
  const never = new AbortController().signal;
  try {
    for (const file of await deps.footage.parts(job.id, deps.run)) {
      eye.nextNumber = Math.max(eye.nextNumber, file.number + 1);
      const startAt = file.number === now.current && now.previousEndMonoMs !== null ? deps.time.at(now.previousEndMonoMs) : null;
      const clock: Trust = deps.time.moment().clock;
      const times = {
        bornAt: deps.time.at(deps.time.monoOfFile(file.bornAt)),
        modifiedAt: deps.time.at(deps.time.monoOfFile(file.modifiedAt)),
      };
      const torn = {
        file,
        ...times,
        startAt,
        arrivalTimes: now.found === "bad-timestamps" || (deps.store.camera(job.id)?.arrivalTimes ?? false),
        clock,
        goneAt: null,
        namedAt: null,
      };
      eye.dueMonoMs = null;
      await deps.inTurn(() => {
        expectWithin(deps, eye, stuckMs);
        return settleTorn(deps, torn, now.claim ?? deps.claim(eye), never);
      });
    }
  } catch (error) {
    deps.gate.suspect();
    deps.log.error({ camera: job.id, err: String(error) }, "unfinished files could not be settled now; they are at the next start");
  }
}

/** Any end is a loss, whatever ffmpeg's exit code; two kinds teach us something about the camera first. */
function conclude(deps: RecordDeps, job: CameraJob, eye: Eye, now: Try, end: RecorderEnd): Outcome {
  const isForeign = deps.patrol.isForeign(job.id);
  if (end.reason === "stopped" && now.found === null && !isForeign && deps.gate.value() === "ok") return { kind: "stopped" };
  const reason = reasonOf(deps, now, end.reason, isForeign);
  if (reason === "disk-full" || reason === "disk-error") deps.gate.suspect();
  const framesMs = now.firstFrameMonoMs === null ? 0 : (eye.lastFrameMonoMs ?? 0) - now.firstFrameMonoMs;
  eye.reason = reason;
  eye.ended = { stream: streamOf(eye.choice), hadFrames: now.firstFrameMonoMs !== null };
  eye.nextNumber = Math.max(eye.nextNumber, now.current);
  if (reason === "main-again") {
    eye.choice = tryMain(eye.choice);
    return { kind: "turned" };
  }
  const learnt = learn(deps, job, reason);
  const endedMonoMs = deps.clock.monoMs();
  return { kind: "failed", reason, detail: end.detail, goodForMs: framesMs, endedMonoMs, again: learnt ? "at once" : "wait" };
}

/** A try that nobody asked to stop was stopped by what we found, or by the disk. */
function reasonOf({ gate }: RecordDeps, now: Try, reason: RecorderEnd["reason"], isForeign: boolean): RecorderEnd["reason"] {
  if (now.found !== null) return now.found;
  if (reason !== "stopped") return reason;
  return isForeign && gate.value() === "ok" ? "other-camera" : "disk-error";
}

/** Remembers a camera's peculiarity; true where the next try will differ because of it. */
function learn(deps: RecordDeps, job: CameraJob, reason: string): boolean {
  if (reason === "bad-timestamps") {
    deps.store.commit([{ put: "camera-finding", camera: job.id, finding: "arrival-times" }]);
    return true;
  }
  if (reason !== "refused-transport" || job.transport !== "auto" || deps.store.camera(job.id)?.udp) return false;
  deps.store.commit([{ put: "camera-finding", camera: job.id, finding: "udp" }]);
  return true;
}

/** Aborts `target` with any of `sources`; the returned function takes the listeners away again. */
function abortWith(target: AbortController, sources: readonly AbortSignal[]): () => void {
  const abort = () => target.abort();
  for (const source of sources) {
    if (source.aborted) abort();
    source.addEventListener("abort", abort, { once: true });
  }
  return () => {
    for (const source of sources) source.removeEventListener("abort", abort);
  };
}
