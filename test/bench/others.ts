/**
 * Other recorders beside the agent: the same cameras, the same disk, the same minutes, the same kills and power cuts. They pass the
 * streams through as it does, into files of a minute.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { bytesUnder, filesUnder, recordersOf, secondsOf } from "../lib/footage.ts";
import { makePowerDisk, newBoot } from "../lib/powercut.ts";
import { tempFolder } from "../lib/temp.ts";
import type { Figure } from "./figures.ts";
import { cpuSeconds, residentBytes } from "./processes.ts";

/** Where a recorder of one turn is put, and what it records. */
export type Place = {
  /** For what a power cut does not concern. */
  readonly folder: string;
  /** On the disk whose power is cut; not there yet. */
  readonly target: string;
  readonly cameras: readonly { readonly name: string; readonly url: string }[];
  /** Starts a process that ends with the turn at the latest; gives its id. */
  run(command: string, args: readonly string[]): number;
};

/** A recorder that was started. */
export type Running = {
  /** Where the films of each camera lie. */
  readonly folders: readonly string[];
  /** Processes that write films now. */
  recorders(): readonly number[];
  /** Those that they need beside them: they count for processor and memory, and live on when the recorders are killed. */
  readonly beside: readonly number[];
  /** Starts killed recorders anew, where nothing of its own does. */
  again(): void;
};

type Recorder = {
  /** Its name with its version. */
  label(): string;
  start(place: Place): Promise<Running>;
};

/** A recorder that Debian carries. */
export type Other = Recorder & {
  /** Programs without which it is not installed, and the packages that bring them. */
  readonly programs: readonly string[];
  readonly packages: string;
};

const names = ["cam1", "cam2", "cam3", "cam4"] as const;
/** Of the disk, which holds all recordings and databases of one turn. */
const diskMiB = 1_536;
const settleMs = 20_000;
/** More than a film's header. */
const firstBytes = 100_000;

const agent: Recorder = {
  label: () => "the agent",
  start: async ({ folder, target, cameras }) => {
    const config = writeSite({
      ...{ folder, state: join(target, "state"), footage: join(target, "footage") },
      cameras: cameras.map(({ name, url }) => `id: ${name}, url: "${url}"`),
      recording: "segment: 60s, sync: 1s, limit: { free: 0B }",
    });
    const { pid } = startAgent(config, {}, newBoot(folder));
    const folders = cameras.map(({ name }) => join(target, "footage", name));
    return { folders, beside: [pid], recorders: () => folders.flatMap(recordersOf), again: () => undefined };
  },
};

/** Waits until the films of every camera have grown. */
async function untilRecords(label: string, { folders }: Running): Promise<void> {
  const before = folders.map(bytesUnder);
  const grew = (folder: string, i: number) => bytesUnder(folder) > (before[i] ?? 0) + firstBytes;
  await until(`${label} records`, 60_000, () => folders.every(grew), 500);
}

/** Kills them; resolves when none is left. */
async function kill(pids: readonly number[]): Promise<void> {
  const left = () => pids.filter((pid) => existsSync(`/proc/${pid}`));
  for (const pid of left()) signal(pid);
  await until("what was killed is gone", 10_000, () => left().length === 0, 50);
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself, as some do on a disk that is gone.
  }
}

/** Kills what watches over the recorders first. */
async function end({ beside, recorders }: Running): Promise<void> {
  await kill(beside);
  await kill(recorders());
}

/**
 * Seconds between the birth of a folder's newest film and `untilAt` that cannot be seen; all of them where it does not play. What passes
 * before the next film begins is not in it: an other recorder is started anew by this bench. Pictures that a recorder held before it made
 * the film are in the film, so that a small loss may come out below zero.
 */
async function lostSeconds(folder: string, untilAt: number): Promise<number> {
  const [newest] = filesUnder(folder)
    .filter((name) => /\.(mkv|mp4)(\.part)?$/.test(name))
    .map((name) => ({ file: join(folder, name), bornAt: statSync(join(folder, name)).birthtimeMs }))
    .filter(({ bornAt }) => bornAt < untilAt)
    .sort((a, b) => b.bornAt - a.bornAt);
  if (newest === undefined) return Number.NaN;
  return (untilAt - newest.bornAt) / 1_000 - (await secondsOf(newest.file).catch(() => 0));
}

const lostOf = (running: readonly Running[], untilAt: number) =>
  Promise.all(running.map(({ folders }) => Promise.all(folders.map((folder) => lostSeconds(folder, untilAt)))));

/** Figures of a turn, each first of the agent, then of the other: processor seconds, bytes of memory, seconds lost of each camera. */
type Turn = Readonly<Record<"cpu" | "memory" | "killLost" | "cutLost", readonly (readonly number[])[]>>;

async function measure(running: readonly Running[], windowMs: number): Promise<Pick<Turn, "cpu" | "memory">> {
  const watched = running.map(({ beside, recorders }) => [...beside, ...recorders()]);
  const sums = (of: (pid: number) => number) => watched.map((pids) => pids.reduce((sum, pid) => sum + of(pid), 0));
  const before = sums(cpuSeconds);
  await sleep(windowMs);
  return { cpu: sums(cpuSeconds).map((after, i) => [after - (before[i] ?? Number.NaN)]), memory: sums(residentBytes).map((sum) => [sum]) };
}

async function turn(other: Other, folder: string, cameras: Cameras, windowMs: number): Promise<Turn> {
  const disk = await makePowerDisk(folder, "disk", diskMiB);
  const started: ChildProcess[] = [];
  const running: Running[] = [];
  const run = (command: string, args: readonly string[]) => {
    const child = spawn(command, args, { stdio: "ignore" });
    started.push(child);
    return child.pid ?? Number.NaN;
  };
  const [sources, both] = [names.map((name) => ({ name, url: cameras.url(name) })), [agent, other]];
  const allRecord = () => Promise.all(running.map((one, i) => untilRecords(both[i]?.label() ?? "", one)));
  try {
    for (const [i, { start }] of both.entries())
      running.push(await start({ folder, target: join(disk.mountPoint, String(i)), cameras: sources, run }));
    await allRecord();
    await sleep(settleMs);
    const killedAt = Date.now();
    await kill(running.flatMap(({ recorders }) => recorders()));
    for (const { again } of running) again();
    await allRecord();
    const killLost = await lostOf(running, killedAt);
    await sleep(settleMs);
    const used = await measure(running, windowMs);
    const cutAt = await disk.cut();
    await Promise.all(running.map(end));
    await disk.restore();
    return { ...used, killLost, cutLost: await lostOf(running, cutAt) };
  } finally {
    await Promise.all(running.map(end));
    for (const child of started) child.kill("SIGKILL");
    disk.remove();
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function figuresOf(label: string, turns: readonly Turn[]): readonly Figure[] {
  const values = (what: keyof Turn, i: number, per = 1) => turns.flatMap((turn) => (turn[what][i] ?? []).map((value) => value / per));
  const of = (name: string, unit: string, values: readonly number[]): Figure => ({ name, unit, values, most: null });
  const [ours, MiB] = [values("cpu", 0), 2 ** 20];
  return [
    of(
      `processor: ${label} ÷ the agent and its ffmpegs, ${names.length} cameras`,
      "×",
      values("cpu", 1).map((theirs, i) => theirs / (ours[i] ?? Number.NaN)),
    ),
    of(`memory: ${label}, ${names.length} cameras`, "MiB", values("memory", 1, MiB)),
    of(`memory: the agent and its ffmpegs beside ${label}, ${names.length} cameras`, "MiB", values("memory", 0, MiB)),
    of(`lost at a kill of what records: ${label}`, "s", values("killLost", 1)),
    of(`lost at a kill of what records: the agent beside ${label}`, "s", values("killLost", 0)),
    of(`lost at a power cut: ${label}`, "s", values("cutLost", 1)),
    of(`lost at the same power cuts: the agent beside ${label}`, "s", values("cutLost", 0)),
  ];
}

/** Figures of both, of `turns` kills and power cuts; or why there are none. Needs root for the disk. */
export async function figuresBeside(
  other: Other,
  turns: number,
  windowMs: number,
  say: (line: string) => void,
): Promise<readonly Figure[] | string> {
  if (!other.programs.every(existsSync)) return `not installed (apt-get install --no-install-recommends ${other.packages})`;
  if (process.getuid?.() !== 0) return "needs root for a disk whose power is cut";
  const label = other.label();
  const cameras = await startCameras({ count: names.length, seconds: Math.ceil((turns * (windowMs + 180_000)) / 1_000) });
  const found: Turn[] = [];
  try {
    for (let i = 0; i < turns; i += 1) {
      found.push(await turn(other, tempFolder("bench-others"), cameras, windowMs));
      say(`  ${label}, turn ${i + 1} of ${turns}`);
    }
    return figuresOf(label, found);
  } catch (error) {
    return `${label} could not be measured: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await cameras.stop();
  }
}
