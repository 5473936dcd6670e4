/**
 * `npm run bench -- --only export`: ten minutes of four 1080p cameras handed out while the agent records four, beside `cp` of the same files to
 * the same disk in turn, both until the file system has written all of it out. Before each the system forgets what it has read, where root may
 * ask for that. The footage is a minute of the simulated cameras laid into the folder forty times; `matghi repair` builds its index.
 * usage: export.js [--turns 5] [--minutes 10]
 */
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { segmentPath } from "../../agent/core/path.ts";
import { openReads } from "../../agent/store/store.ts";
import { matghi, program, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { repository, startCameras } from "../lib/cameras.ts";
import { tempFolder } from "../lib/temp.ts";
import { rounded, tell } from "./figures.ts";

const ids = ["cam1", "cam2", "cam3", "cam4"] as const;
const minuteMs = 60_000;
/** Half of what `cp` does (the project's own bound), told as how many times longer it takes. */
const mostTimes = 2;
const calmMs = 30_000;
/** So that all cameras have their first picture. */
const settleMs = 5_000;
const fps = 25;
const folder = tempFolder("bench-export");
const footage = join(folder, "footage");

const say = (line: string) => void process.stdout.write(`${line}\n`);
const run = (command: string, ...args: readonly string[]) => void execFileSync(command, [...args], { stdio: "ignore" });

/** One minute of the simulated cameras' own pictures, in the recorder's container. */
function makeFilm(): string {
  const units = join(repository, ".cache/videos/main");
  const film = join(folder, "film.mkv");
  const pictures = readdirSync(units).sort();
  const stream = Buffer.concat(Array.from({ length: 60 * fps }, (_, i) => readFileSync(join(units, pictures[i % pictures.length] ?? ""))));
  const layout = ["-cluster_time_limit", "500", "-flush_packets", "1"];
  execFileSync("ffmpeg", ["-v", "error", "-y", "-r", String(fps), "-f", "h264", "-i", "pipe:0", "-c", "copy", ...layout, film], {
    input: stream,
  });
  return film;
}

/** Lays the film into the folder as what the cameras recorded up to an hour ago, as an agent of before named it. */
function layOut(film: string, minutes: number, beganAt: number): readonly string[] {
  return ids.flatMap((camera) =>
    Array.from({ length: minutes }, (_, i) => {
      const path = join(footage, segmentPath({ camera, run: 1, number: i + 1, startAt: beganAt + i * minuteMs, namedMs: 0 }));
      mkdirSync(dirname(path), { recursive: true });
      copyFileSync(film, path);
      return path;
    }),
  );
}

/** False where only root may. */
function forgetRead(): boolean {
  try {
    execFileSync("sync");
    writeFileSync("/proc/sys/vm/drop_caches", "3");
    return true;
  } catch {
    return false;
  }
}

const timed = async (act: () => unknown): Promise<number> => {
  const beganMs = performance.now();
  await act();
  run("sync", "--file-system", folder);
  return (performance.now() - beganMs) / 1_000;
};

function exportOnce(config: string, from: string, to: string, out: string): Promise<void> {
  const cameras = ids.flatMap((id) => ["--camera", id]);
  const paper = ["--request", "x", "--agency", "x", "--officer", "x", "--purpose", "x"];
  const args = ["export", "--config", config, ...cameras, "--from", from, "--to", to, ...paper, "--out", out, "--json"];
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  return new Promise((resolve, reject) =>
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`export ended with ${code}`)))),
  );
}

/** Pictures of each camera within a window of time, counted in its files. */
function framesIn(fromAt: number, toAt: number): number {
  const reads = openReads(join(folder, "state"));
  if (reads === null) throw new Error("no database");
  const times = ids.flatMap((id) =>
    reads.segmentsTouching(id, { fromAt, toAt }).flatMap((segment) => {
      const args = ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0"];
      const text = execFileSync("ffprobe", [...args, join(footage, segmentPath(segment))], { encoding: "utf8", maxBuffer: 64 << 20 });
      return text.split("\n").flatMap((line) => (line === "" ? [] : [segment.startAt + Number.parseFloat(line) * 1_000]));
    }),
  );
  reads.close();
  return times.filter((at) => at >= fromAt && at < toAt).length;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { turns: { type: "string", default: "5" }, minutes: { type: "string", default: "10" } } });
  const [turns, minutes] = [Number(values.turns), Number(values.minutes)];
  const cameras = await startCameras({ count: 4, seconds: 1_800 });
  const entries = ids.map((id) => `id: ${id}, since: 2020-01-01, url: "${cameras.url(id)}"`);
  const config = writeSite({ folder, cameras: entries, recording: "segment: 10s, limit: { free: 0B }" });
  const beganAt = Math.floor(Date.now() / minuteMs) * minuteMs - 60 * minuteMs;
  const made = layOut(makeFilm(), minutes, beganAt);
  const bytes = made.reduce((sum, path) => sum + statSync(path).size, 0);
  // The mark of the disk and the database come with a first short life.
  const first = startAgent(config);
  const records = () => ids.every((id) => readdirSync(join(footage, id)).some((name) => name.endsWith(".part")));
  await until("the agent records", 60_000, records);
  await first.stop();
  const repaired = await matghi(["repair", "--config", config]);
  const agent = startAgent(config);
  await until("the agent records again", 60_000, records);
  await sleep(settleMs);
  const [from, to] = [new Date(beganAt).toISOString(), new Date(beganAt + minutes * minuteMs).toISOString()];
  const found = { times: [] as number[], written: [] as number[], seconds: [] as number[], cp: [] as number[] };
  const isForgotten = forgetRead();
  say(
    `${made.length} files, ${(bytes / 1e6).toFixed(0)} MB; repair ${repaired.code}; caches ${isForgotten ? "dropped before each" : "NOT dropped"}`,
  );
  const calmAt = Date.now();
  await sleep(calmMs);
  const busyAt = Date.now();
  for (let turn = 0; turn < turns; turn += 1) {
    const [copied, handed] = [join(folder, "cp"), join(folder, "out")];
    mkdirSync(copied);
    forgetRead();
    const cp = await timed(() => run("cp", "--parents", ...made, copied));
    rmSync(copied, { recursive: true });
    forgetRead();
    const seconds = await timed(() => exportOnce(config, from, to, handed));
    const written = Number(execFileSync("du", ["-sb", handed], { encoding: "utf8" }).split("\t")[0]);
    rmSync(handed, { recursive: true });
    found.cp.push(cp);
    found.seconds.push(seconds);
    found.times.push(seconds / cp);
    found.written.push(seconds / written / (cp / bytes));
    say(`turn ${turn + 1}: cp ${cp.toFixed(2)} s, export ${seconds.toFixed(2)} s, ${(written / 1e6).toFixed(0)} MB written`);
  }
  const endedAt = Date.now();
  // The last file is closed.
  await sleep(12_000);
  const { stdout } = await matghi([
    "gaps",
    "--from",
    new Date(busyAt).toISOString(),
    "--to",
    new Date(endedAt).toISOString(),
    "--json",
    "--config",
    config,
  ]);
  await agent.stop();
  await cameras.stop();
  const rate = (fromAt: number, toAt: number) => framesIn(fromAt, toAt) / ((toAt - fromAt) / 1_000) / ids.length;
  const frames = { calm: rate(calmAt, busyAt), busy: rate(busyAt, endedAt) };
  const gaps = (JSON.parse(stdout) as { gaps: readonly unknown[] }).gaps.length;
  const of = (name: string, unit: string, list: readonly number[], most: number | null = null) => ({ name, unit, values: list, most });
  const figures = [
    of("export: seconds a byte that it writes ÷ those of cp", "×", found.written, mostTimes),
    of(`export of ${minutes} min × 4 cameras, originals, viewing copies, hashes: time ÷ cp of the originals`, "×", found.times),
    of("export: time", "s", found.seconds),
    of("cp of the originals: time", "s", found.cp),
    of("pictures recorded a second and camera before", "1/s", [frames.calm]),
    of("pictures recorded a second and camera while exporting", "1/s", [frames.busy]),
    of("gaps while exporting", "gaps", [gaps], 0),
  ];
  // As bench.ts takes a table: what, value with unit, bound.
  say("\n| what | median | bound |\n|---|---|---|");
  for (const { name, unit, median, most } of figures.map(tell))
    say(`| ${name} | ${rounded(median)} ${unit} | ${most === null ? "" : `≤ ${most}`} |`);
}

await main();
rmSync(folder, { recursive: true, force: true });
