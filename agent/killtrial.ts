/** The trial at acceptance: every camera is recorded for a while, the recorders are killed in the middle, and what is on disk is read again. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Credential, Recorder, RecorderEnd, RecorderJob, RecorderSign } from "../hal/ports.ts";
import type { Trial } from "./core/setup.ts";
import type { MonoMs } from "./core/types.ts";

export type TrialMeans = {
  readonly clock: Clock;
  readonly recorder: Pick<Recorder, "record" | "measure">;
  /** Kills all recorders at once, as a crash would. */
  readonly kill: () => Promise<number>;
};
export type TrialCamera = {
  readonly id: string;
  /** null: its stream could not be asked for. */
  readonly url: string | null;
  readonly credential: Credential | null;
  readonly transport: "auto" | "tcp" | "udp";
};

/** Longer than any trial: no file is closed before its recorder is killed, but for the one at a full hour. */
const segmentMs = 3_600_000;
const stallMs = 5_000;
const openMs = 20_000;
/** A stream whose own times say less than this share of what passed has times that say nothing. */
const leastShare = 0.5;

/** Below `folder`, which is made and taken away again; `signal` ends it without a result. Never rejects for a camera's sake. */
export async function tryCameras(
  means: TrialMeans,
  cameras: readonly TrialCamera[],
  folder: string,
  lastsMs: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Trial>> {
  await rm(folder, { recursive: true, force: true });
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener("abort", end, { once: true });
  try {
    const tries = cameras.map((camera) => begin(means, camera, join(folder, camera.id), signal));
    void Promise.all(tries.map(({ ended }) => ended)).then(end);
    await means.clock.sleep(lastsMs, over.signal);
    const killedMonoMs = means.clock.monoMs();
    for (const one of tries) one.killedMonoMs ??= killedMonoMs;
    await means.kill();
    const results = new Map<string, Trial>();
    for (const one of tries) results.set(one.id, await resultOf(means, one, signal));
    return signal.aborted ? new Map() : results;
  } finally {
    signal.removeEventListener("abort", end);
    await rm(folder, { recursive: true, force: true });
  }
}

type Try = {
  readonly id: string;
  readonly folder: string;
  readonly ended: Promise<RecorderEnd>;
  /** The first sign and the last one. */
  first: Frames | null;
  last: Frames | null;
  /** When it was killed, or ended before that. */
  killedMonoMs: MonoMs | null;
  hasEnded: boolean;
};
type Frames = Extract<RecorderSign, { kind: "frames" }>;

function begin({ recorder, clock }: TrialMeans, camera: TrialCamera, folder: string, signal: AbortSignal): Try {
  const onSign = (sign: RecorderSign) => {
    if (sign.kind !== "frames") return;
    one.first ??= sign;
    one.last = sign;
  };
  const record = async (): Promise<RecorderEnd> => {
    if (camera.url === null) return { reason: "no-address", detail: "" };
    await mkdir(folder, { recursive: true });
    const job: RecorderJob = {
      ...{ camera: camera.id, url: camera.url, stream: "main", credential: camera.credential, audio: false, arrivalTimes: false, folder },
      ...{ transport: camera.transport === "udp" ? "udp" : "tcp", run: 1, firstNumber: 1, segmentMs, cutOffsetMs: 0, stallMs, openMs },
    };
    const end = await recorder.record(job, onSign, signal);
    const isOther = camera.transport === "auto" && end.reason === "refused-transport" && !one.hasEnded;
    return isOther ? recorder.record({ ...job, transport: "udp", firstNumber: 2 }, onSign, signal) : end;
  };
  const ended = record()
    .catch((error: unknown): RecorderEnd => ({ reason: "disk-error", detail: String(error) }))
    .then((end) => {
      one.hasEnded = one.killedMonoMs === null;
      one.killedMonoMs ??= clock.monoMs();
      return end;
    });
  const one: Try = { id: camera.id, folder, ended, first: null, last: null, killedMonoMs: null, hasEnded: false };
  return one;
}

async function resultOf({ recorder }: TrialMeans, one: Try, signal: AbortSignal): Promise<Trial> {
  const { reason } = await one.ended;
  const { first, last, killedMonoMs } = one;
  if (one.hasEnded || killedMonoMs === null) return { kind: "failed", why: reason };
  if (first === null || last === null) return { kind: "failed", why: "no-frames" };
  const passedMs = killedMonoMs - first.monoMs;
  const recordedMs = last.mediaMs + (killedMonoMs - last.monoMs);
  if (recordedMs < passedMs * leastShare) return { kind: "failed", why: "bad-timestamps" };
  let onDiskMs = 0;
  for (const name of await readdir(one.folder)) {
    const found = await recorder.measure(join(one.folder, name), signal);
    onDiskMs += found.kind === "readable" ? found.durationMs : 0;
  }
  return { kind: "killed", recordedMs: Math.round(recordedMs), lostMs: Math.max(0, Math.round(recordedMs - onDiskMs)) };
}
