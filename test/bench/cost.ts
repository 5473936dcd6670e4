/**
 * What the agent costs beside the same ffmpegs alone. Both record the same simulated cameras in the same minutes, so that a busy machine
 * burdens both.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RecorderJob } from "../../hal/ports.ts";
import { commandLine, playlist } from "../../hal/recorder.ts";
import { type Cameras, repository, startCameras } from "../lib/cameras.ts";
import { openFiles, pictureOnDisk, recordersOf } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";
import type { Figure } from "./figures.ts";
import { cpuSeconds, residentBytes, writtenBytes } from "./processes.ts";

/** The bounds that the project holds itself to, by number of cameras. */
const mostRatio: Readonly<Record<number, number>> = { 4: 1.6, 16: 1.4 };
const mostResidentMiB = 120;
const segmentMs = 60_000;
const warmUpMs = 20_000;
/** Between the agent's start and the bare recorders', so that the simulated cameras are not asked by all at once. */
const settleMs = 5_000;
/** The agent's start takes memory that it gives back; it is looked at in each turn, the largest counts. */
const MiB = 2 ** 20;

type Turn = {
  readonly agentSeconds: number;
  readonly childrenSeconds: number;
  readonly bareSeconds: number;
  readonly writtenMiB: number;
  readonly bareWrittenMiB: number;
  readonly residentMiB: number;
  readonly childMiB: number;
};

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function startBare(cameras: Cameras, count: number, folder: string): readonly ChildProcess[] {
  const nowhere = openSync("/dev/null", "w");
  return Array.from({ length: count }, (_, i) => {
    const camera = `cam${i + 1}`;
    const place = join(folder, camera);
    mkdirSync(place, { recursive: true });
    const job: RecorderJob = {
      ...{
        camera,
        url: cameras.url(camera),
        stream: "main" as const,
        credential: null,
        transport: "tcp" as const,
        audio: false,
        arrivalTimes: false,
        folder: place,
      },
      ...{ run: 1, firstNumber: 1, segmentMs, cutOffsetMs: Math.floor((i * segmentMs) / count), stallMs: 0, openMs: 0 },
    };
    const child = spawn("/usr/bin/ffmpeg", [...commandLine(job)], { stdio: ["pipe", nowhere, nowhere, nowhere] });
    child.stdin?.end(playlist(job));
    return child;
  });
}

function startAgent(cameras: Cameras, count: number, folder: string): ChildProcess {
  const entries = Array.from({ length: count }, (_, i) => `  - { id: cam${i + 1}, url: "${cameras.url(`cam${i + 1}`)}" }`);
  const text = [
    `site: { id: bench, commune: xa-mau, name: Bench, state: ${folder}/state }`,
    `recording: { folder: ${folder}/footage, allowSystemDisk: true, segment: 60s, sync: 1s, limit: { free: 0B } }`,
    ...["cameras:", ...entries],
  ];
  const config = join(folder, "site.yaml");
  writeFileSync(config, `${text.join("\n")}\n`);
  const agent = spawn(process.execPath, [join(repository, "dist/agent/cli.js"), "run", "--config", config], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  // A turn in which something failed is no measurement; what failed is said.
  agent.stdout.on("data", (lines: Buffer) => {
    if (/"level":"(warn|error)"/.test(String(lines))) process.stderr.write(lines);
  });
  return agent;
}

const total = (pids: readonly number[], of: (pid: number) => number = cpuSeconds) => pids.reduce((sum, pid) => sum + of(pid), 0);

async function measure(agent: number, recorders: readonly number[], bare: readonly number[], windowMs: number): Promise<Turn> {
  const look = () =>
    [
      ...[cpuSeconds(agent), total(recorders), total(bare)],
      ...[total([agent, ...recorders], writtenBytes) / MiB, total(bare, writtenBytes) / MiB],
    ] as const;
  const before = look();
  await sleep(windowMs);
  const after = look();
  const [
    agentSeconds = Number.NaN,
    childrenSeconds = Number.NaN,
    bareSeconds = Number.NaN,
    writtenMiB = Number.NaN,
    bareWrittenMiB = Number.NaN,
  ] = after.map((value, i) => value - (before[i] ?? Number.NaN));
  return {
    ...{ agentSeconds, childrenSeconds, bareSeconds, writtenMiB, bareWrittenMiB, residentMiB: residentBytes(agent) / MiB },
    childMiB: total(recorders, residentBytes) / recorders.length / MiB,
  };
}

async function ended(child: ChildProcess, signal: "SIGINT" | "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await over;
}

async function record(
  count: number,
  turns: number,
  windowMs: number,
  say: (line: string) => void,
): Promise<{ readonly found: readonly Turn[]; readonly firstMs: { readonly agent: number; readonly bare: number } }> {
  const folder = tempFolder("bench");
  const seconds = Math.ceil((turns * windowMs + warmUpMs + 120_000) / 1000);
  const cameras = await startCameras({ count, seconds });
  const agentAt = Date.now();
  const agent = startAgent(cameras, count, folder);
  const agentFirst = firstPicture(join(folder, "footage/cam1"), agentAt);
  const found: Turn[] = [];
  await sleep(settleMs);
  const bareAt = Date.now();
  const bare = startBare(cameras, count, join(folder, "bare"));
  const bareFirst = firstPicture(join(folder, "bare/cam1"), bareAt);
  const firstMs = { agent: Number.NaN, bare: Number.NaN };
  try {
    await sleep(warmUpMs);
    Object.assign(firstMs, { agent: await agentFirst, bare: await bareFirst });
    // Other children come and go: what asks the system for something.
    const recorders = Array.from({ length: count }, (_, i) => recordersOf(join(folder, `footage/cam${i + 1}`))).flat();
    if (recorders.length !== count) throw new Error(`${recorders.length} recorders run, not ${count}`);
    for (let turn = 0; turn < turns; turn += 1) {
      found.push(
        await measure(
          agent.pid ?? 0,
          recorders,
          bare.map((child) => child.pid ?? 0),
          windowMs,
        ),
      );
      say(`  ${count} cameras, turn ${turn + 1} of ${turns}: ${ratioOf(found.at(-1)).toFixed(2)}`);
    }
  } finally {
    await Promise.all([ended(agent, "SIGTERM"), ...bare.map((child) => ended(child, "SIGINT"))]);
    await cameras.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return { found, firstMs };
}

/** Milliseconds from `sinceAt` to a picture in a file of the folder; NaN where there is none within a minute. */
async function firstPicture(cameraFolder: string, sinceAt: number): Promise<number> {
  const at = await pictureOnDisk(cameraFolder, openFiles(cameraFolder), 60_000);
  return at < 0 ? Number.NaN : at - sinceAt;
}

const ratioOf = (turn: Turn | undefined) =>
  turn === undefined ? Number.NaN : (turn.agentSeconds + turn.childrenSeconds) / turn.bareSeconds;

/** Figures of `count` cameras; ratios first. */
export async function costOf(count: number, turns: number, windowMs: number, say: (line: string) => void): Promise<readonly Figure[]> {
  const { found, firstMs } = await record(count, turns, windowMs, say);
  const of = (name: string, unit: string, read: (turn: Turn) => number, most: number | null = null): Figure => ({
    ...{ name: `${name}, ${count} cameras`, unit, values: found.map(read), most },
  });
  const seconds = windowMs / 1_000;
  return [
    of("processor: agent and its ffmpegs ÷ bare ffmpegs", "×", ratioOf, mostRatio[count] ?? null),
    of("bytes written: agent and its ffmpegs ÷ bare ffmpegs", "×", (turn) => turn.writtenMiB / turn.bareWrittenMiB),
    of("memory of the agent", "MiB", (turn) => turn.residentMiB, mostResidentMiB),
    of("memory of one ffmpeg", "MiB", (turn) => turn.childMiB),
    of("processor of the agent", "% of one", (turn) => (100 * turn.agentSeconds) / seconds),
    of("processor of its ffmpegs", "% of one", (turn) => (100 * turn.childrenSeconds) / seconds),
    of("processor of bare ffmpegs", "% of one", (turn) => (100 * turn.bareSeconds) / seconds),
    { name: `agent: start to the first picture on disk, ${count} cameras`, unit: "s", values: [firstMs.agent / 1_000], most: null },
    { name: `bare ffmpeg: start to the first picture on disk, ${count} cameras`, unit: "s", values: [firstMs.bare / 1_000], most: null },
  ];
}
