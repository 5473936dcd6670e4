/** A glimpse of closed footage: ffmpeg decodes one key frame, in one thread, and makes it small. */
import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import type { Readable } from "node:stream";
import type { Glimpse } from "../agent/core/view.ts";
import type { Picture } from "./ports.ts";

/**
 * Five pixels for each cell of the grid (core/view.ts) told all scenes of test/hal/picture.test.ts, as did ten (reference: bench.md §7); a quarter
 * of the bytes waits for the garbage collector.
 */
const [width, height] = [240, 135] as const;
/** A slow box takes a second; a disk that hangs takes for ever. */
const glanceMs = 20_000;
const mostTextBytes = 65_536;

/** The small gray picture goes to standard output, the sharpness of the whole one to the fourth handle. */
const graph = [
  "[0:v:0]trim=end_frame=1,split[whole][small]",
  "[whole]blurdetect,metadata=print:key=lavfi.blur:file=pipe\\\\:3,nullsink",
  `[small]scale=${width}:${height}:flags=area,format=gray[gray]`,
].join(";");

export function makePicture(tools: { readonly ffmpeg: string }): Picture {
  return { glance: (path, signal) => glance(tools.ffmpeg, path, signal) };
}

async function glance(program: string, path: string, signal: AbortSignal): Promise<Glimpse | null> {
  const input = ["-threads", "1", "-skip_frame", "nokey", "-protocol_whitelist", "file,pipe,fd", "-i", `file:${path}`];
  const output = ["-filter_complex", graph, "-map", "[gray]", "-frames:v", "1", "-f", "rawvideo", "pipe:1"];
  const child = spawn(program, ["-hide_banner", "-nostdin", "-v", "error", ...input, ...output], {
    ...{ stdio: ["ignore", "pipe", "ignore", "pipe"], env: { PATH: process.env.PATH ?? "", LANG: "C" } },
    ...{ signal, timeout: glanceMs, killSignal: "SIGKILL" },
  });
  stepBack(child.pid);
  const ended = new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
  const [gray, text, isGood] = await Promise.all([read(child.stdout, width * height), read(child.stdio[3], mostTextBytes), ended]);
  if (!isGood || gray.length !== width * height) return null;
  const blur = Number(/lavfi\.blur=([\d.]+)/.exec(text.toString("latin1"))?.[1] ?? Number.NaN);
  return { width, height, gray, blur: Number.isFinite(blur) ? blur : null };
}

/** Whoever records goes first. The installed unit forbids it (@resources); what is left then is one thread for a fraction of a second. */
function stepBack(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or the sandbox forbids it.
  }
}

/** What comes out of a pipe, up to `most` bytes; the rest is read and thrown away, so that its writer can end. */
function read(pipe: unknown, most: number): Promise<Buffer> {
  const stream = pipe as Readable;
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    if (bytes < most) chunks.push(chunk.subarray(0, most - bytes));
    bytes += chunk.length;
  });
  return new Promise((resolve) => {
    const end = () => resolve(Buffer.concat(chunks));
    stream.once("close", end);
    stream.once("error", end);
  });
}
