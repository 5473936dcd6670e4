/**
 * `npm run bench -- --only export`: ten minutes of four 1080p cameras handed out while the agent records four, beside `cp` of the same files to
 * the same disk in turn, both until the file system has written all of it out. Before each the system forgets what it has read, where root may
 * ask for that. The footage is a minute of the simulated cameras laid into the folder forty times; `matghi repair` builds its index.
 */
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { segmentPath } from "../../agent/core/path.ts";
import { openReads } from "../../agent/store/store.ts";
import { ask, matghi, program, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, repository, startCameras } from "../lib/cameras.ts";
import { tempFolder } from "../lib/temp.ts";
import type { Figure } from "./figures.ts";

const ids = ["cam1", "cam2", "cam3", "cam4"] as const;
const minuteMs = 60_000;
const minutes = 10;
/** Half of what `cp` does (the project's own bound), told as how many times longer it takes. */
const mostTimes = 2;
/** As many as there are turns of export. */
const calmMs = 10_000;
/** So that all cameras have their first picture. */
const settleMs = 5_000;
/** The last file that was written meanwhile is closed. */
const closedMs = 12_000;
const fps = 25;

const run = (command: string, ...args: readonly string[]) => void execFileSync(command, [...args], { stdio: "ignore" });

/** One minute of the simulated cameras' own pictures, in the recorder's container. */
function makeFilm(folder: string): string {
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
function layOut(film: string, footage: string, beganAt: number): readonly string[] {
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

/** Seconds until the file system of the folder has written all of it out. */
const timed = async (folder: string, act: () => unknown): Promise<number> => {
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

type Stretch = { readonly fromAt: number; readonly toAt: number };

/** Pictures a second and camera within a stretch of time, counted in the files. */
function pictureRate(folder: string, { fromAt, toAt }: Stretch): number {
  const reads = openReads(join(folder, "state"));
  if (reads === null) throw new Error("no database");
  const times = ids.flatMap((id) =>
    reads.segmentsTouching(id, { fromAt, toAt }).flatMap((segment) => {
      const args = ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0"];
      const path = join(folder, "footage", segmentPath(segment));
      const text = execFileSync("ffprobe", [...args, path], { encoding: "utf8", maxBuffer: 64 << 20 });
      return text.split("\n").flatMap((line) => (line === "" ? [] : [segment.startAt + Number.parseFloat(line) * 1_000]));
    }),
  );
  reads.close();
  return times.filter((at) => at >= fromAt && at < toAt).length / ((toAt - fromAt) / 1_000) / ids.length;
}

type Turn = { readonly cpSeconds: number; readonly seconds: number; readonly bytes: number; readonly stretch: Stretch };

/** `cp` of the files, then their export; what both made is taken away again. */
async function takeTurn(folder: string, made: readonly string[], handOut: (out: string) => Promise<void>): Promise<Turn> {
  const [copied, handed] = [join(folder, "cp"), join(folder, "out")];
  mkdirSync(copied);
  forgetRead();
  const cpSeconds = await timed(folder, () => run("cp", "--parents", ...made, copied));
  rmSync(copied, { recursive: true });
  forgetRead();
  const fromAt = Date.now();
  const seconds = await timed(folder, () => handOut(handed));
  const stretch = { fromAt, toAt: Date.now() };
  const bytes = Number(execFileSync("du", ["-sb", handed], { encoding: "utf8" }).split("\t")[0]);
  rmSync(handed, { recursive: true });
  return { cpSeconds, seconds, bytes, stretch };
}

async function gapsIn(config: string, { fromAt, toAt }: Stretch): Promise<number> {
  const span = ["--from", new Date(fromAt).toISOString(), "--to", new Date(toAt).toISOString()];
  return (await ask<{ gaps: readonly unknown[] }>(config, ["gaps", ...span])).gaps.length;
}

type Prepared = { readonly folder: string; readonly config: string; readonly made: readonly string[]; readonly beganAt: number };

/** A site with footage of an hour ago in its index, whose cameras are recorded next. */
async function prepare(cameras: Cameras): Promise<Prepared> {
  const folder = tempFolder("bench-export");
  const entries = ids.map((id) => `id: ${id}, since: 2020-01-01, url: "${cameras.url(id)}"`);
  const config = writeSite({ folder, cameras: entries, recording: "segment: 10s, limit: { free: 0B }" });
  const beganAt = Math.floor(Date.now() / minuteMs) * minuteMs - 60 * minuteMs;
  const made = layOut(makeFilm(folder), join(folder, "footage"), beganAt);
  // The mark of the disk and the database come with a first short life.
  const first = startAgent(config);
  await until("the agent records", 60_000, () => records(folder));
  await first.stop();
  const { code, stderr } = await matghi(["repair", "--config", config]);
  if (code !== 0) throw new Error(`repair ended with ${code}: ${stderr}`);
  return { folder, config, made, beganAt };
}

const records = (folder: string) => ids.every((id) => readdirSync(join(folder, "footage", id)).some((name) => name.endsWith(".part")));

type Exported = { readonly calm: readonly Stretch[]; readonly turns: readonly Turn[]; readonly gaps: number };

/** While the agent records: as much calm as there are turns, then the turns. */
async function exportInTurns({ folder, config, made, beganAt }: Prepared, turns: number, say: (line: string) => void): Promise<Exported> {
  const agent = startAgent(config);
  try {
    await until("the agent records again", 60_000, () => records(folder));
    await sleep(settleMs);
    const calmAt = Date.now();
    await sleep(turns * calmMs);
    const busyAt = Date.now();
    const [from, to] = [new Date(beganAt).toISOString(), new Date(beganAt + minutes * minuteMs).toISOString()];
    const found: Turn[] = [];
    for (let turn = 1; turn <= turns; turn += 1) {
      const one = await takeTurn(folder, made, (out) => exportOnce(config, from, to, out));
      found.push(one);
      say(
        `  turn ${turn} of ${turns}: cp ${one.cpSeconds.toFixed(2)} s, export ${one.seconds.toFixed(2)} s, ${(one.bytes / 1e6).toFixed(0)} MB`,
      );
    }
    const endedAt = Date.now();
    await sleep(closedMs);
    const calm = found.map((_, i) => ({ fromAt: calmAt + i * calmMs, toAt: calmAt + (i + 1) * calmMs }));
    return { calm, turns: found, gaps: await gapsIn(config, { fromAt: busyAt, toAt: endedAt }) };
  } finally {
    await agent.stop();
  }
}

function figuresOf(folder: string, bytes: number, { calm, turns, gaps }: Exported): readonly Figure[] {
  const each = (read: (turn: Turn) => number) => turns.map(read);
  const rates = (stretches: readonly Stretch[]) => stretches.map((stretch) => pictureRate(folder, stretch));
  const of = (name: string, unit: string, values: readonly number[], most: number | null = null): Figure => ({ name, unit, values, most });
  const perByte = each((turn) => turn.seconds / turn.bytes / (turn.cpSeconds / bytes));
  const times = each(({ seconds, cpSeconds }) => seconds / cpSeconds);
  const [seconds, copying] = [each((turn) => turn.seconds), each((turn) => turn.cpSeconds)];
  const stretches = turns.map(({ stretch }) => stretch);
  return [
    of("export: seconds a byte that it writes ÷ those of cp", "×", perByte, mostTimes),
    of(`export of ${minutes} min × 4 cameras, originals, viewing copies, hashes: time ÷ cp of the originals`, "×", times),
    of("export: time", "s", seconds),
    of("cp of the originals: time", "s", copying),
    of("pictures recorded a second and camera before", "1/s", rates(calm)),
    of("pictures recorded a second and camera while exporting", "1/s", rates(stretches)),
    of("gaps while exporting", "gaps", [gaps], 0),
  ];
}

export async function exportFigures(turns: number, say: (line: string) => void): Promise<readonly Figure[]> {
  const cameras = await startCameras({ count: ids.length, seconds: 1_800 });
  try {
    const prepared = await prepare(cameras);
    const bytes = prepared.made.reduce((sum, path) => sum + statSync(path).size, 0);
    const forgotten = forgetRead() ? "dropped before each" : "NOT dropped";
    say(`  ${prepared.made.length} files, ${(bytes / 1e6).toFixed(0)} MB; caches ${forgotten}`);
    const found = await exportInTurns(prepared, turns, say);
    const figures = figuresOf(prepared.folder, bytes, found);
    rmSync(prepared.folder, { recursive: true, force: true });
    return figures;
  } finally {
    await cameras.stop();
  }
}
