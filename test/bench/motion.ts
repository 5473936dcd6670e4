/**
 * Debian's motion beside the agent: the same cameras, the same disk, the same minutes. motion passes the stream through and is told that
 * something moves all the time; what it costs, and what a power cut takes of both.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { bytesUnder, filesUnder, recordersOf, secondsOf } from "../lib/footage.ts";
import { makePowerDisk, newBoot } from "../lib/powercut.ts";
import { tempFolder } from "../lib/temp.ts";
import type { Figure } from "./figures.ts";
import { cpuSeconds, residentBytes } from "./processes.ts";

const motion = "/usr/bin/motion";
const names = ["cam1", "cam2", "cam3", "cam4"] as const;
/** Of the disk, which holds both recordings of one turn. */
const diskMiB = 1_024;
const settleMs = 20_000;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One camera a file, as motion wants it; the folder is the camera's own. */
function configure(folder: string, target: string, cameras: Cameras): string {
  const of = (lines: Readonly<Record<string, string>>) => Object.entries(lines).map((pair) => `${pair.join(" ")}\n`);
  const files = names.map((name, i) => {
    const file = join(folder, `motion-${name}.conf`);
    mkdirSync(join(target, name), { recursive: true });
    writeFileSync(
      file,
      of({ camera_id: String(i + 1), netcam_url: cameras.url(name), target_dir: join(target, name), movie_filename: "%H%M%S" }).join(""),
    );
    return file;
  });
  const main = {
    ...{ daemon: "off", log_level: "4", webcontrol_port: "0", stream_port: "0", framerate: "25", netcam_use_tcp: "on" },
    ...{ emulate_motion: "on", picture_output: "off", movie_output: "on", movie_passthrough: "on" },
    ...{ movie_container: "mkv", movie_max_time: "60", text_left: '""', text_right: '""' },
  };
  const file = join(folder, "motion.conf");
  writeFileSync(file, [...of(main), ...files.map((camera) => `camera ${camera}\n`)].join(""));
  return file;
}

/** Seconds of a folder's newest file that cannot be seen, of those between its creation and `untilAt`; a file that does not play has none. */
async function lostSeconds(folder: string, untilAt: number): Promise<number> {
  const files = existsSync(folder) ? filesUnder(folder).map((name) => join(folder, name)) : [];
  const [newest] = files.sort((a, b) => statSync(b).birthtimeMs - statSync(a).birthtimeMs);
  if (newest === undefined) return Number.NaN;
  const plays = await secondsOf(newest).catch(() => 0);
  return (untilAt - statSync(newest).birthtimeMs) / 1_000 - (Number.isFinite(plays) ? plays : 0);
}

type Turn = {
  readonly cpu: { readonly ours: number; readonly theirs: number };
  readonly memory: { readonly ours: number; readonly theirs: number };
  readonly lost: { readonly ours: readonly number[]; readonly theirs: readonly number[] };
};

async function turn(folder: string, cameras: Cameras, windowMs: number): Promise<Turn> {
  const disk = await makePowerDisk(folder, "disk", diskMiB);
  const [footage, theirs] = [join(disk.mountPoint, "footage"), join(disk.mountPoint, "motion")];
  const config = writeSite({
    ...{ folder, state: join(disk.mountPoint, "state"), footage },
    cameras: names.map((id) => `id: ${id}, url: "${cameras.url(id)}"`),
    recording: "segment: 60s, sync: 1s, limit: { free: 0B }",
  });
  const agent: Agent = startAgent(config, {}, newBoot(folder));
  const other: ChildProcess = spawn(motion, ["-c", configure(folder, theirs, cameras)], { stdio: "ignore" });
  try {
    const writes = (place: string) => names.every((name) => bytesUnder(join(place, name)) > 100_000);
    await until("the agent records", 60_000, () => writes(footage), 500);
    await until("motion records", 60_000, () => writes(theirs), 500);
    await sleep(settleMs);
    const pid = other.pid ?? 0;
    const own = [agent.pid, ...names.flatMap((name) => recordersOf(join(footage, name)))];
    const sum = (of: (pid: number) => number) => own.reduce((total, one) => total + of(one), 0);
    const before = [sum(cpuSeconds), cpuSeconds(pid)] as const;
    await sleep(windowMs);
    const cpu = { ours: sum(cpuSeconds) - before[0], theirs: cpuSeconds(pid) - before[1] };
    const memory = { ours: sum(residentBytes), theirs: residentBytes(pid) };
    const cutAt = await disk.cut();
    other.kill("SIGKILL");
    await agent.kill9();
    await until("no recorder runs", 10_000, () => own.every((one) => !existsSync(`/proc/${one}`)), 50);
    await disk.restore();
    const lostOf = (place: string) => Promise.all(names.map((name) => lostSeconds(join(place, name), cutAt)));
    return { cpu, memory, lost: { ours: await lostOf(footage), theirs: await lostOf(theirs) } };
  } finally {
    other.kill("SIGKILL");
    await agent.kill9();
    disk.remove();
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Figures of both, `turns` power cuts; or why there are none. Needs root for the disk. */
export async function motionFigures(turns: number, windowMs: number, say: (line: string) => void): Promise<readonly Figure[] | string> {
  if (!existsSync(motion)) return "not installed (apt-get install motion)";
  if (process.getuid?.() !== 0) return "needs root for a disk whose power is cut";
  // Its help, which names the version, ends with an exit of 1.
  const version = spawnSync(motion, ["-h"], { encoding: "utf8" }).stdout.split(/[\n,]/)[0]?.replace("Version ", "") ?? "motion";
  const cameras = await startCameras({ count: names.length, seconds: Math.ceil((turns * (windowMs + 120_000)) / 1_000) });
  const found: Turn[] = [];
  try {
    for (let i = 0; i < turns; i += 1) {
      found.push(await turn(tempFolder("bench-motion"), cameras, windowMs));
      say(`  ${version}, turn ${i + 1} of ${turns}`);
    }
  } finally {
    await cameras.stop();
  }
  const of = (name: string, unit: string, values: readonly number[]): Figure => ({ name, unit, values, most: null });
  const MiB = 2 ** 20;
  return [
    of(
      `processor: ${version} ÷ the agent and its ffmpegs, 4 cameras`,
      "×",
      found.map(({ cpu }) => cpu.theirs / cpu.ours),
    ),
    of(
      `memory: ${version}, 4 cameras`,
      "MiB",
      found.map(({ memory }) => memory.theirs / MiB),
    ),
    of(
      "memory: the agent and its ffmpegs together, 4 cameras",
      "MiB",
      found.map(({ memory }) => memory.ours / MiB),
    ),
    of(
      `lost at a power cut: ${version}`,
      "s",
      found.flatMap(({ lost }) => lost.theirs),
    ),
    of(
      "lost at the same power cuts: the agent",
      "s",
      found.flatMap(({ lost }) => lost.ours),
    ),
  ];
}
