/** What stands in a footage folder, seen from outside the agent. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { sleep } from "./agent.ts";

const run = promisify(execFile);
/** More than Matroska's header: a first picture is in it. */
const headerBytes = 3_000;

/** Every file below a folder, relative to it, in order. */
export function filesUnder(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Decodes every picture; resolves with what the decoder complains of. An end that was cut off is no complaint, nor is the output's grain. */
export async function complaintsOf(file: string): Promise<string> {
  const { stderr } = await run("ffmpeg", ["-nostdin", "-v", "error", "-i", file, "-f", "null", "-"]);
  return stderr
    .split("\n")
    .filter((line) => line !== "" && !/File ended prematurely|^\[null @/.test(line))
    .join("\n");
}

/** Seconds of pictures in a file; throws where it cannot be read. */
export async function secondsOf(file: string): Promise<number> {
  const args = ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0", file];
  const { stdout } = await run("ffprobe", args, { maxBuffer: 64 << 20 });
  const times = stdout.split("\n").map(Number.parseFloat).filter(Number.isFinite);
  if (times.length === 0) throw new Error(`${file} holds no picture`);
  return Math.max(...times) - Math.min(...times) + 0.04;
}

/** Codecs of the tracks of a file that hold anything: a track may be announced and empty. */
export async function codecsOf(file: string): Promise<readonly string[]> {
  const { stdout } = await run("ffprobe", [
    "-v",
    "error",
    "-count_packets",
    "-show_entries",
    "stream=codec_name,nb_read_packets",
    "-of",
    "json",
    file,
  ]);
  const { streams } = JSON.parse(stdout) as { streams: { codec_name: string; nb_read_packets?: string }[] };
  return streams
    .filter(({ nb_read_packets }) => Number(nb_read_packets ?? 0) > 0)
    .map(({ codec_name }) => codec_name)
    .sort();
}

/** Bytes of all files below a folder. */
export function bytesUnder(folder: string): number {
  return filesUnder(folder).reduce((sum, name) => sum + sizeOf(join(folder, name)), 0);
}

/** Processes that write into a camera's folder; what only looks at a closed file there is none of them. */
export function recordersOf(cameraFolder: string): readonly number[] {
  return processesWhere((pid) => {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.some((word) => word.includes(`${cameraFolder}/`) && !word.endsWith(".mkv"));
  });
}

/** Sends a signal to all that write into a camera's folder; one that ended meanwhile needs none. */
export function signalRecorders(cameraFolder: string, signal: "SIGKILL" | "SIGSTOP"): void {
  for (const pid of recordersOf(cameraFolder)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Processes that carry the mark of an agent of this state folder. */
export function markedBy(state: string): readonly number[] {
  return processesWhere((pid) => readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`MATGHI_STATE=${state}`));
}

export function processesWhere(test: (pid: number) => boolean): readonly number[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      return test(pid);
    } catch {
      return false;
    }
  });
}

/** Resolves with the time at which a camera has an open file with a picture in it that none of `before` is; -1 when none comes in time. */
export async function pictureOnDisk(cameraFolder: string, before: readonly string[], withinMs: number): Promise<number> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const found = openFiles(cameraFolder).find((name) => !before.includes(name) && sizeOf(join(cameraFolder, name)) > headerBytes);
    if (found !== undefined) return Date.now();
    await sleep(20);
  }
  return -1;
}

export const openFiles = (cameraFolder: string): readonly string[] =>
  existsSync(cameraFolder) ? readdirSync(cameraFolder).filter((name) => name.endsWith(".part")) : [];

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
