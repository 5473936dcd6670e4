/**
 * `npm run bench`: what the agent costs beside the same ffmpegs alone. Both record the same simulated cameras in the same minutes,
 * so that a busy machine burdens both. usage: npm run bench -- [--cameras 4,16] [--turns 5] [--window 60]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { RecorderJob } from "../../hal/ports.ts";
import { commandLine, playlist } from "../../hal/recorder.ts";
import { type Cameras, repository, startCameras } from "../lib/cameras.ts";
import { tempFolder } from "../lib/temp.ts";
import { childrenOf, cpuSeconds, residentBytes } from "./processes.ts";

/** The bounds that the project holds itself to, by number of cameras. */
const mostRatio: Readonly<Record<number, number>> = { 4: 1.6, 16: 1.4 };
const mostResidentMiB = 120;
const segmentMs = 60_000;
const warmUpMs = 20_000;
/** Between the agent's start and the bare recorders', so that the simulated cameras are not asked by all at once. */
const settleMs = 5_000;
/** The agent's start takes memory that it gives back; it is looked at in each turn, the largest counts. */
const MiB = 2 ** 20;

type Turn = { readonly agentSeconds: number; readonly childrenSeconds: number; readonly bareSeconds: number; readonly residentMiB: number };

const say = (line: string) => void process.stdout.write(`${line}\n`);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

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

const total = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);

async function measure(agent: number, recorders: readonly number[], bare: readonly number[], windowMs: number): Promise<Turn> {
  const look = () => [cpuSeconds(agent), total(recorders), total(bare)] as const;
  const before = look();
  await sleep(windowMs);
  const after = look();
  return {
    ...{ agentSeconds: after[0] - before[0], childrenSeconds: after[1] - before[1], bareSeconds: after[2] - before[2] },
    residentMiB: residentBytes(agent) / MiB,
  };
}

async function ended(child: ChildProcess, signal: "SIGINT" | "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await over;
}

async function record(count: number, turns: number, windowMs: number): Promise<readonly Turn[]> {
  const folder = tempFolder("bench");
  const seconds = Math.ceil((turns * windowMs + warmUpMs + 120_000) / 1000);
  const cameras = await startCameras({ count, seconds });
  const agent = startAgent(cameras, count, folder);
  const found: Turn[] = [];
  await sleep(settleMs);
  const bare = startBare(cameras, count, join(folder, "bare"));
  try {
    await sleep(warmUpMs);
    const recorders = childrenOf(agent.pid ?? 0);
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
  return found;
}

const ratioOf = (turn: Turn | undefined) =>
  turn === undefined ? Number.NaN : (turn.agentSeconds + turn.childrenSeconds) / turn.bareSeconds;

function rowOf(count: number, turns: readonly Turn[]): { readonly line: string; readonly good: boolean } {
  const ratios = turns.map(ratioOf);
  const residentMiB = Math.max(...turns.map((turn) => turn.residentMiB));
  const bound = mostRatio[count] ?? Number.POSITIVE_INFINITY;
  const good = median(ratios) <= bound && residentMiB <= mostResidentMiB;
  const cells = [
    String(count),
    `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`,
    Number.isFinite(bound) ? `≤ ${bound}` : "–",
    median(turns.map((turn) => turn.agentSeconds)).toFixed(2),
    median(turns.map((turn) => turn.childrenSeconds)).toFixed(2),
    median(turns.map((turn) => turn.bareSeconds)).toFixed(2),
    `${residentMiB.toFixed(0)} (≤ ${mostResidentMiB})`,
    good ? "yes" : "NO",
  ];
  return { line: `| ${cells.join(" | ")} |`, good };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cameras: { type: "string", default: "4,16" },
      turns: { type: "string", default: "5" },
      window: { type: "string", default: "60" },
    },
  });
  const counts = values.cameras.split(",").map(Number);
  const turns = Number(values.turns);
  const windowMs = Number(values.window) * 1000;
  if (![...counts, turns, windowMs].every((value) => Number.isFinite(value) && value > 0)) {
    process.stderr.write("usage: npm run bench -- [--cameras 4,16] [--turns 5] [--window 60]\n");
    return 2;
  }
  say(`bench: ${cpus().length} processors, load ${loadavg()[0]?.toFixed(2)}, node ${process.version}; each turn is ${windowMs / 1000} s`);
  const rows: ReturnType<typeof rowOf>[] = [];
  for (const count of counts) rows.push(rowOf(count, await record(count, turns, windowMs)));
  say("| cameras | agent + ffmpeg ÷ bare ffmpeg: median (min–max) | bound | node s | its ffmpeg s | bare ffmpeg s | node MiB | holds |");
  say("|---|---|---|---|---|---|---|---|");
  for (const { line } of rows) say(line);
  return rows.every(({ good }) => good) ? 0 : 1;
}

process.exitCode = await main();
