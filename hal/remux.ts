/** Viewing copies and single pictures: ffmpeg copies pictures from Matroska to MP4, behind everybody else's back for disk and processor. */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import type { FilmPart, Remux, VideoFacts } from "./ports.ts";

const run = promisify(execFile);
const lookMs = 30_000;
/** Of one viewing copy: far more than a day of footage takes. */
const joinMs = 6 * 3_600_000;
const mostErrorChars = 2_000;

/** In front of a command: nice and ionice where the system has them. */
const behind = [
  ["/usr/bin/nice", "-n", "19"],
  ["/usr/bin/ionice", "-c", "3"],
].flatMap((command) => (existsSync(command[0] ?? "") ? command : []));

export function makeRemux(tools: { readonly ffmpeg: string; readonly ffprobe: string }): Remux {
  return {
    still: (path, offsetMs, signal) => still(tools.ffmpeg, path, offsetMs, signal),
    groupMs: (path, signal) => groupMs(tools.ffprobe, path, signal),
    look: async (path, signal) => (await headFacts(path)) ?? look(tools.ffprobe, path, signal),
    join: (parts, target, signal) => join(tools.ffmpeg, parts, target, signal),
    stream: (parts, signal) => stream(tools.ffmpeg, listOf(parts), signal),
  };
}

type Joined = { readonly kind: "ok" } | { readonly kind: "failed"; readonly detail: string };

/**
 * The table of pictures stands in front of them, in room left for it. Where that was too small, ffmpeg moves the whole film back behind the
 * table, which writes everything twice and is therefore the second way. Sound that MP4 does not take (G.711) is left to the original files.
 */
async function join(program: string, parts: readonly FilmPart[], target: string, signal: AbortSignal): Promise<Joined> {
  const list = listOf(parts);
  const attempt = (sound: readonly string[], ...way: readonly string[]) => ffmpeg(program, list, sound, [...way, `file:${target}`], signal);
  let joined: Joined = { kind: "failed", detail: "" };
  for (const sound of [withSound, []]) {
    joined = await attempt(sound, "-moov_size", String(tableBytes(parts)));
    if (joined.kind === "ok" || signal.aborted) return joined;
    if (noRoomInFront.test(joined.detail)) return attempt(sound, "-movflags", "+faststart");
  }
  return joined;
}

/** What ffmpeg says where the table is larger than the room left for it. */
const noRoomInFront = /moov_size/;
/** As far as ffmpeg's option goes. */
const mostTableBytes = 2 ** 31 - 1;
/** Of a film's table: its names and the pictures' format. */
const tableHeadBytes = 65_536;
/** Size, time, order, key and place of one picture in it (ISO/IEC 14496-12 §8.6–8.7): 4 + 8 + 8 + 4 + 20. */
const pictureRowBytes = 44;
/** Sound of up to 50 packets a second, between pictures. */
const soundRowBytes = 1_500;
/** Of a camera that did not say. */
const mostFps = 60;

/** Room for the table: about 1 % of a film at 2 Mbit/s. */
function tableBytes(parts: readonly FilmPart[]): number {
  const rows = parts.reduce((sum, { ms, fps }) => sum + (ms / 1_000) * (pictureRowBytes * (fps ?? mostFps) + soundRowBytes), 0);
  return Math.min(mostTableBytes, tableHeadBytes + Math.ceil(rows));
}

/** An ffconcat list; in its quotes only the quote itself means anything. */
const listOf = (parts: readonly FilmPart[]) =>
  [
    "ffconcat version 1.0",
    ...parts.flatMap(({ path, ms }) => [`file 'file:${path.replaceAll("'", "'\\''")}'`, `duration ${(ms / 1_000).toFixed(3)}`]),
    "",
  ].join("\n");

const withSound = ["-map", "0:a:0?", "-copyinkf:a"];

/** ffmpeg 5.1 ends with 0 also where the table found no room (measured), and the film is then nothing that plays. */
const halfDone = /writing trailer/;

/** The command that copies a list of files into one MP4; `way` says how it is laid out and where it goes. */
function joining(program: string, sound: readonly string[], way: readonly string[]): readonly string[] {
  const input = ["-f", "concat", "-safe", "0", "-protocol_whitelist", "file,pipe,fd", "-i", "pipe:0"];
  const output = ["-map", "0:v:0", ...sound, "-c", "copy", "-f", "mp4", ...way];
  return [...behind, program, "-hide_banner", "-nostdin", "-y", "-v", "error", ...input, ...output];
}

/** Sound that MP4 does not take ends it before its first byte; then without. */
async function* stream(program: string, list: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
  let hasBegun = false;
  try {
    for await (const chunk of streamWith(program, list, withSound, signal)) {
      hasBegun = true;
      yield chunk;
    }
  } catch (error) {
    if (hasBegun || signal.aborted) throw error;
    yield* streamWith(program, list, [], signal);
  }
}

async function* streamWith(program: string, list: string, sound: readonly string[], signal: AbortSignal): AsyncIterable<Uint8Array> {
  const way = ["-movflags", "+frag_keyframe+empty_moov+default_base_moof", "pipe:1"];
  const [command = "", ...args] = joining(program, sound, way);
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: { PATH: process.env.PATH ?? "", LANG: "C" }, signal });
  const late = setTimeout(() => child.kill("SIGKILL"), joinMs);
  const ended = new Promise<string | null>((resolve) => {
    let errors = "";
    child.stderr.on("data", (text: Buffer) => {
      errors = (errors + text.toString("utf8")).slice(-mostErrorChars);
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code) => resolve(code === 0 ? null : errors.trim() || `ffmpeg ended with ${code}`));
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(list);
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    const trouble = await ended;
    if (trouble !== null) throw new Error(trouble);
  } finally {
    clearTimeout(late);
    child.kill("SIGKILL");
  }
}

function ffmpeg(program: string, list: string, sound: readonly string[], way: readonly string[], signal: AbortSignal): Promise<Joined> {
  const [command = "", ...args] = joining(program, sound, way);
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["pipe", "ignore", "pipe"], env: { PATH: process.env.PATH ?? "", LANG: "C" } });
    let errors = "";
    const stop = () => void child.kill("SIGKILL");
    const late = setTimeout(stop, joinMs);
    signal.addEventListener("abort", stop, { once: true });
    const done = (detail: string | null) => {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
      resolve(detail === null ? { kind: "ok" } : { kind: "failed", detail: detail.trim().slice(-mostErrorChars) });
    };
    child.stderr.on("data", (text: Buffer) => {
      errors = (errors + text.toString("utf8")).slice(-mostErrorChars);
    });
    child.stdin.on("error", () => undefined);
    child.once("error", (error) => done(error.message));
    child.once("close", (code) => done(code === 0 && !halfDone.test(errors) ? null : errors || `ffmpeg ended with ${code}`));
    if (signal.aborted) stop();
    child.stdin.end(list);
  });
}

const mostStillBytes = 8 << 20;

/** Wide enough to tell a motorbike from a bicycle, small enough for a thousand of them on one page. */
const stillFilter = "scale='min(480,iw)':-2,showinfo";

async function still(
  ffmpeg: string,
  path: string,
  offsetMs: number,
  signal: AbortSignal,
): Promise<{ jpeg: Uint8Array; offsetMs: number } | null> {
  const seek = ["-skip_frame", "nokey", "-noaccurate_seek", "-ss", (offsetMs / 1_000).toFixed(3), "-threads", "1"];
  const input = ["-protocol_whitelist", "file", "-i", `file:${path}`, "-map", "0:v:0", "-frames:v", "1", "-fps_mode", "passthrough"];
  const output = ["-vf", stillFilter, "-q:v", "6", "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1"];
  const [command = "", ...args] = [...behind, ffmpeg, "-hide_banner", "-nostdin", "-v", "info", "-nostats", ...seek, ...input, ...output];
  try {
    const options = {
      timeout: lookMs,
      signal,
      maxBuffer: mostStillBytes,
      encoding: "buffer" as const,
      env: { PATH: process.env.PATH ?? "", LANG: "C" },
    };
    const { stdout, stderr } = await run(command, args, options);
    const [, fromSeek] = /pts_time:(-?[\d.]+)/.exec(stderr.toString("latin1")) ?? [];
    return stdout.length === 0 || fromSeek === undefined
      ? null
      : { jpeg: stdout, offsetMs: Math.max(0, offsetMs + Number(fromSeek) * 1_000) };
  } catch {
    return null;
  }
}

async function groupMs(ffprobe: string, path: string, signal: AbortSignal): Promise<number | null> {
  const args = ["-v", "error", "-protocol_whitelist", "file", "-select_streams", "v:0", "-read_intervals", "%+60"];
  const show = ["-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", `file:${path}`];
  try {
    const { stdout } = await run(ffprobe, [...args, ...show], { timeout: lookMs, signal, maxBuffer: mostStillBytes });
    const keys = stdout.split("\n").flatMap((line) => (line.split(",")[1]?.includes("K") === true ? [Number.parseFloat(line)] : []));
    const steps = keys.slice(1).map((at, i) => at - (keys[i] ?? at));
    return steps.length === 0 ? null : Math.round(Math.max(...steps) * 1_000);
  } catch {
    return null;
  }
}

async function look(ffprobe: string, path: string, signal: AbortSignal): Promise<VideoFacts | null> {
  const args = ["-v", "error", "-protocol_whitelist", "file", "-select_streams", "v:0"];
  const show = ["-show_entries", "stream=codec_name,width,height,avg_frame_rate", "-of", "json", `file:${path}`];
  try {
    const { stdout } = await run(ffprobe, [...args, ...show], { timeout: lookMs, signal });
    const [stream] =
      (JSON.parse(stdout) as { streams?: { codec_name?: string; width?: number; height?: number; avg_frame_rate?: string }[] }).streams ??
      [];
    if (stream?.codec_name === undefined) return null;
    const [frames = Number.NaN, seconds = Number.NaN] = (stream.avg_frame_rate ?? "").split("/").map(Number);
    const fps = frames / seconds;
    return {
      ...{ codec: stream.codec_name, width: stream.width ?? null, height: stream.height ?? null },
      fps: Number.isFinite(fps) && fps > 0 ? Math.round(fps * 100) / 100 : null,
    };
  } catch {
    return null;
  }
}

/** Far more than the recorder writes before the first picture. */
const headBytes = 16_384;

const ids = {
  ...{ segment: 0x18538067, tracks: 0x1654ae6b, entry: 0xae, type: 0x83, codec: 0x86, frameNs: 0x23e383 },
  ...{ video: 0xe0, width: 0xb0, height: 0xba },
} as const;
const videoType = 1;
/** As ffprobe calls them. */
const codecs: Readonly<Record<string, string>> = { "V_MPEG4/ISO/AVC": "h264", "V_MPEGH/ISO/HEVC": "hevc" };

/**
 * What a file of footage says of its pictures in its first kilobyte (RFC 9559). ffprobe says the same and takes a tenth of a second to start, which
 * is most of the time that an export of many short files needs. null where the head does not say all of it, or is no Matroska; never rejects.
 */
export async function headFacts(path: string): Promise<VideoFacts | null> {
  const head = await headOf(path).catch(() => null);
  const tracks = head === null ? null : childOf(childOf(head, ids.segment), ids.tracks);
  if (tracks === null) return null;
  for (const { id, data } of elements(tracks)) {
    if (id !== ids.entry || numberOf(childOf(data, ids.type)) !== videoType) continue;
    const video = childOf(data, ids.video);
    const codec = codecs[childOf(data, ids.codec)?.toString("latin1") ?? ""];
    const [width, height] = [numberOf(childOf(video, ids.width)), numberOf(childOf(video, ids.height))];
    const frameNs = numberOf(childOf(data, ids.frameNs));
    if (codec === undefined || width === null || height === null || frameNs === null || frameNs === 0) return null;
    return { codec, width, height, fps: Math.round(1e11 / frameNs) / 100 };
  }
  return null;
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

type Element = { readonly id: number; readonly data: Buffer };

/** The elements one after the other that are there whole; of the one that holds the film the begin is enough. */
function* elements(bytes: Buffer): Generator<Element> {
  let at = 0;
  while (at < bytes.length) {
    const id = variable(bytes, at, false);
    const size = id === null ? null : variable(bytes, at + id.length, true);
    if (id === null || size === null) return;
    const from = at + id.length + size.length;
    if (from + size.value > bytes.length && id.value !== ids.segment) return;
    yield { id: id.value, data: bytes.subarray(from, from + size.value) };
    at = from + size.value;
  }
}

/** A number whose first byte's leading zeros tell its length (RFC 8794 §4); an id keeps the bit that ends them. null where it is cut off or too long. */
function variable(bytes: Buffer, at: number, isSize: boolean): { readonly value: number; readonly length: number } | null {
  const first = bytes[at] ?? 0;
  const length = Math.clz32(first) - 23;
  if (length > 8 || at + length > bytes.length) return null;
  let value = isSize ? first & (0xff >> length) : first;
  for (const byte of bytes.subarray(at + 1, at + length)) value = value * 256 + byte;
  return { value, length };
}

function childOf(parent: Buffer | null, id: number): Buffer | null {
  if (parent === null) return null;
  for (const element of elements(parent)) if (element.id === id) return element.data;
  return null;
}

const numberOf = (data: Buffer | null): number | null =>
  data === null || data.length === 0 || data.length > 6 ? null : data.readUIntBE(0, data.length);
