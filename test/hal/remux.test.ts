/** What a file's head says of its pictures is what ffprobe says; a film's table stands in front of it, also where the room left for it was too small. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { findTools } from "../../hal/recorder.ts";
import { headFacts, makeRemux } from "../../hal/remux.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("remux");
const remux = makeRemux(findTools(folder));
const never = new AbortController().signal;
const film = (name: string) => join(folder, name);

function make(name: string, size: string, rate: string, pictures: number, ...how: readonly string[]): string {
  const source = ["-f", "lavfi", "-i", `testsrc=size=${size}:rate=${rate}`, "-frames:v", String(pictures)];
  execFileSync("ffmpeg", ["-v", "error", "-y", ...source, ...how, film(name)]);
  return film(name);
}

const fast = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50"];

beforeAll(() => {
  make("h264.mkv", "640x360", "25", 50, ...fast);
  make("odd.mkv", "322x182", "30000/1001", 60, ...fast);
  make("h265.mkv", "640x360", "12.5", 25, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none");
  make("mjpeg.mkv", "320x240", "10", 10, "-c:v", "mjpeg");
});

test.each(["h264.mkv", "odd.mkv", "h265.mkv"])("the head of %s says what ffprobe says", async (name) => {
  const show = ["-select_streams", "v:0", "-show_entries", "stream=codec_name,width,height,avg_frame_rate", "-of", "csv=p=0"];
  const [codec, width, height, rate = ""] = execFileSync("ffprobe", ["-v", "error", ...show, film(name)], { encoding: "utf8" })
    .trim()
    .split(",");
  const [frames = 0, seconds = 1] = rate.split("/").map(Number);
  const told = { codec, width: Number(width), height: Number(height), fps: Math.round((100 * frames) / seconds) / 100 };
  expect(await headFacts(film(name))).toEqual(told);
  expect(await remux.look(film(name), never)).toEqual(told);
});

test("what the head leaves open ffprobe is asked", async () => {
  expect(await headFacts(film("mjpeg.mkv"))).toBeNull();
  expect(await remux.look(film("mjpeg.mkv"), never)).toEqual({ codec: "mjpeg", width: 320, height: 240, fps: 10 });
});

test("a head that is cut anywhere, or no film at all, is no answer and no failure", async () => {
  const whole = readFileSync(film("h264.mkv"));
  const answer = await headFacts(film("h264.mkv"));
  let found = 0;
  for (let length = 0; length < 700; length += 1) {
    writeFileSync(film("cut.mkv"), whole.subarray(0, length));
    const facts = await headFacts(film("cut.mkv"));
    if (facts === null) continue;
    found += 1;
    expect(facts).toEqual(answer);
  }
  expect(found).toBeGreaterThan(0);
  expect(found).toBeLessThan(700);
  for (const path of [folder, film("none.mkv"), process.execPath]) expect(await headFacts(path)).toBeNull();
});

/** The boxes of an MP4 in their order. */
function boxesOf(path: string): readonly string[] {
  const bytes = readFileSync(path);
  const names: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += bytes.readUInt32BE(at) || bytes.length)
    names.push(bytes.toString("latin1", at + 4, at + 8));
  return names;
}

const countOf = (path: string) =>
  Number(
    execFileSync("ffprobe", ["-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", path], {
      encoding: "utf8",
    }),
  );

test("the table stands in front of the pictures", async () => {
  const part = { path: film("h264.mkv"), ms: 2_000, fps: 25 };
  expect(await remux.join([part, part], film("joined.mp4"), never)).toEqual({ kind: "ok" });
  expect(boxesOf(film("joined.mp4"))).toEqual(["ftyp", "moov", "free", "free", "mdat"]);
  expect(countOf(film("joined.mp4"))).toBe(100);
});

test("also of far more pictures than the file was said to have", async () => {
  const pictures = 30_000;
  const part = { path: make("many.mkv", "16x16", "25", pictures, ...fast), ms: 1, fps: 1 };
  expect(await remux.join([part], film("many.mp4"), never)).toEqual({ kind: "ok" });
  expect(boxesOf(film("many.mp4"))).toEqual(["ftyp", "moov", "free", "mdat"]);
  expect(countOf(film("many.mp4"))).toBe(pictures);
});
