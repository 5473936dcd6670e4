/**
 * A site played in memory: cameras that live or not as a scene says, and a disk that keeps their files through power cuts. For suites of
 * the whole agent on a scripted clock; a day passes in seconds. Times of files are the scene's wall clock.
 */
import { createHash } from "node:crypto";
import type { DiskValue, EndReason, StreamName } from "../agent/core/types.ts";
import type { Clock, DiskMark, Footage, FootageFile, Recorder, RecorderEnd, RecorderJob, RecorderSign } from "./ports.ts";

type File = { bytes: number; bornAt: number; modifiedAt: number; stream: StreamName };

/** What the scene has on its disk, by path; it outlives the boots. */
export type SceneDisk = {
  readonly files: ReadonlyMap<string, File>;
  /** What the disk allows from now on. */
  set(value: DiskValue): void;
  /** Whether its questions hang, as those to a USB disk that resets do. */
  hang(hangs: boolean): void;
  footage(clock: Clock): Footage;
  /** How often the growing file of a camera was flushed. */
  flushes(camera: string): number;
  recorder(clock: Clock, trouble: (camera: string, stream: StreamName) => EndReason | null): Recorder;
};

const frameMs = 1_000;
const frameBytes = 50_000;
const connectMs = 1_000;
const silentMs = 3_000;
const totalBytes = 1e12;
const hangMs = 5_000;
const partName = /^([^/]+)\/(\d+)-(\d+)\.mkv\.part$/;
const closedName = /^([^/]+)\/\d{4}-\d{2}-\d{2}\/\d{6}-(\d+)-(\d+)\.mkv$/;

/** `root`: the footage folder of the configuration; nothing is ever written there. */
export function sceneDisk(root: string): SceneDisk {
  const files = new Map<string, File>();
  const disk = { value: "ok" as DiskValue, mark: null as DiskMark | null, hangs: false, flushes: new Map<string, number>() };
  return {
    files,
    set: (value) => {
      disk.value = value;
    },
    hang: (hangs) => {
      disk.hangs = hangs;
    },
    flushes: (camera) => disk.flushes.get(camera) ?? 0,
    footage: (clock) => makeFootage(root, files, disk, clock),
    recorder: (clock, trouble) => ({
      reap: async () => 0,
      measure: async (path) => {
        const file = files.get(path.slice(root.length + 1));
        if (file === undefined) return { kind: "failed", detail: "no such file" };
        return { kind: "readable", durationMs: Math.max(1, file.modifiedAt - file.bornAt), codec: "scene", stream: file.stream };
      },
      record: (job, onSign, signal) => record(files, disk, clock, trouble, job, onSign, signal),
    }),
  };
}

const hashOf = (path: string, file: File) => createHash("sha256").update(`${path} ${file.bytes}`).digest("hex");

const refusal = (code: string) => Object.assign(new Error(code), { code });

function makeFootage(
  root: string,
  files: Map<string, File>,
  disk: { value: DiskValue; mark: DiskMark | null; hangs: boolean; readonly flushes: Map<string, number> },
  clock: Clock,
): Footage {
  const usable = () => {
    if (disk.value !== "ok") throw refusal(disk.value === "full" ? "ENOSPC" : "EROFS");
  };
  const part = (camera: string, run: number, number: number) => `${camera}/${run}-${number}.mkv.part`;
  const take = (path: string) => {
    const file = files.get(path);
    if (file === undefined) throw refusal("ENOENT");
    return file;
  };
  return {
    inspect: async () => {
      while (disk.hangs) await clock.sleep(hangMs, new AbortController().signal);
      return { value: disk.value, freeBytes: disk.value === "full" ? 0 : totalBytes, totalBytes, detail: "" };
    },
    probe: async () => (disk.value === "read-only" || disk.value === "full" ? disk.value : disk.value === "ok" ? "ok" : "failing"),
    readMark: async () => disk.mark,
    writeMark: async (mark) => {
      usable();
      disk.mark = mark;
    },
    prepare: async (camera) => `${root}/${camera}`,
    sync: async (camera, run, number, durable) => {
      if (durable) disk.flushes.set(camera, (disk.flushes.get(camera) ?? 0) + 1);
      const file = files.get(part(camera, run, number));
      return file === undefined ? null : { bytes: file.bytes, bornAt: file.bornAt };
    },
    release: () => undefined,
    seal: async (camera, run, number, path) => {
      usable();
      const from = part(camera, run, number);
      const file = take(from);
      files.delete(from);
      if (file.bytes === 0) return null;
      files.set(path, file);
      return { bytes: file.bytes, sha256: hashOf(path, file) };
    },
    parts: async (camera, run) =>
      list(files, partName)
        .filter((file) => (camera === null || file.camera === camera) && (run === null || file.run === run))
        .sort((a, b) => a.run - b.run || a.number - b.number),
    closed: () => walk(files),
    cameras: async () => [...new Set(list(files, closedName).map(({ camera }) => camera))],
    days: async (camera) => [...new Set(list(files, closedName).flatMap((file) => (file.camera === camera ? [dayOf(file)] : [])))].sort(),
    filesOf: async (camera, day, fromRun) =>
      list(files, closedName).filter((file) => file.camera === camera && file.run >= fromRun && dayOf(file) === day),
    has: async (path) => files.has(path),
    highestRun: async () => [...list(files, partName), ...list(files, closedName)].reduce((most, { run }) => Math.max(most, run), 0),
    hash: async (path) => ({ bytes: take(path).bytes, sha256: hashOf(path, take(path)) }),
    remove: async (path) => void files.delete(path),
    removeAll: async (paths) => {
      for (const path of paths) files.delete(path);
      return { removed: paths, stuck: [] };
    },
    setAside: async (path) => {
      const file = take(path);
      files.delete(path);
      files.set(path.replace(/\.part$/, ".unreadable"), { ...file, modifiedAt: clock.fileMs() });
    },
  };
}

function list(files: ReadonlyMap<string, File>, name: RegExp): FootageFile[] {
  return [...files].flatMap(([path, file]) => {
    const [, camera, run, number] = name.exec(path) ?? [];
    return camera === undefined ? [] : [{ camera, path, run: Number(run), number: Number(number), ...file }];
  });
}

const dayOf = ({ path }: FootageFile) => path.split("/")[1] ?? "";

async function* walk(files: ReadonlyMap<string, File>): AsyncIterable<{ files: readonly FootageFile[]; foreign: readonly string[] }> {
  const folderOf = ({ path }: FootageFile) => path.slice(0, path.lastIndexOf("/"));
  const closed = list(files, closedName);
  for (const folder of new Set(closed.map(folderOf))) yield { files: closed.filter((file) => folderOf(file) === folder), foreign: [] };
}

async function record(
  files: Map<string, File>,
  disk: { readonly value: DiskValue },
  clock: Clock,
  trouble: (camera: string, stream: StreamName) => EndReason | null,
  job: RecorderJob,
  onSign: (sign: RecorderSign) => void,
  signal: AbortSignal,
): Promise<RecorderEnd> {
  const first = trouble(job.camera, job.stream);
  await clock.sleep(first === null ? connectMs : silentMs, signal);
  if (first !== null) return { reason: signal.aborted ? "stopped" : first, detail: "scene" };
  const now = { number: job.firstNumber, mediaMs: 0, fromMs: 0, frames: 0, lastMonoMs: clock.monoMs() };
  const path = () => `${job.camera}/${job.run}-${now.number}.mkv.part`;
  const close = () => {
    if (now.mediaMs === now.fromMs) return;
    onSign({ kind: "closed", number: now.number, mediaFromMs: now.fromMs, mediaToMs: now.mediaMs, monoMs: clock.monoMs() });
    now.number += 1;
    now.fromMs = now.mediaMs;
  };
  let cutAt = Math.floor(clock.wallMs() / job.segmentMs);
  while (!signal.aborted) {
    const bornAt = clock.fileMs();
    await clock.sleep(frameMs, signal);
    if (signal.aborted) break;
    if (disk.value !== "ok") return { reason: disk.value === "full" ? "disk-full" : "disk-error", detail: "scene" };
    const reason = trouble(job.camera, job.stream);
    if (reason !== null) {
      if (clock.monoMs() - now.lastMonoMs < job.stallMs) continue;
      close();
      return { reason: reason === "silent" ? "stalled" : reason, detail: "scene" };
    }
    now.lastMonoMs = clock.monoMs();
    now.mediaMs += frameMs;
    now.frames += 25;
    const file = files.get(path()) ?? { bytes: 0, bornAt, modifiedAt: bornAt, stream: job.stream };
    files.set(path(), { ...file, bytes: file.bytes + frameBytes, modifiedAt: clock.fileMs() });
    onSign({ kind: "frames", frames: now.frames, mediaMs: now.mediaMs, monoMs: clock.monoMs() });
    const cut = Math.floor(clock.wallMs() / job.segmentMs);
    if (cut !== cutAt) close();
    cutAt = cut;
  }
  close();
  return { reason: "stopped", detail: "" };
}
