/**
 * Whatever stands in ffmpeg's place prints: the try ends with a reason, its signs are sound and in order, and no word of the password gets
 * out. Real pipes and processes; the programs are shell scripts that print what was drawn.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { endReasons } from "../../agent/core/types.ts";
import { makeClock } from "../../hal/clock.ts";
import type { RecorderJob, RecorderSign } from "../../hal/ports.ts";
import { makeRecorder } from "../../hal/recorder.ts";
import { writeProgram } from "../lib/program.ts";
import { tempFolder } from "../lib/temp.ts";
import { fuzz, mutated, mutationsOf } from "./budget.ts";

const folder = tempFolder("fuzz-recorder");
const at = (name: string) => join(folder, name);
const speaking = writeProgram(at("ffmpeg"), [`cat ${at("list")} & cat ${at("progress")} >&3 & cat ${at("errors")} >&2; wait`]);
const probing = writeProgram(at("ffprobe"), [`cat ${at("list")}; exit $(cat ${at("errors")})`]);
const recorder = makeRecorder({ ffmpeg: speaking, ffprobe: probing, setpriv: null, identity: folder }, makeClock({ driver: "none" }));
const never = new AbortController().signal;
const password = "mật khẩu/1'@";
const job: RecorderJob = {
  ...{
    camera: "c",
    url: "rtsp://127.0.0.1/x",
    stream: "main",
    credential: { username: "u", password },
    transport: "tcp",
    audio: false,
    folder,
  },
  ...{ arrivalTimes: false, run: 7, firstNumber: 3, segmentMs: 2_000, cutOffsetMs: 0, stallMs: 5_000, openMs: 5_000 },
};

const numbers = ["1", "-1", "0", "1e999", "-1e999", "1.2.3", ".", "NaN", "Infinity", "0x10", "9".repeat(400), "N/A", ""];
const pieces = [
  ...numbers,
  "\n",
  ",",
  "=",
  "-",
  "frame=",
  "out_time_us=",
  "progress=continue",
  "progress=end",
  ".mkv.part",
  '"',
  "\r",
  "é\ud83d",
  "x".repeat(20_000),
];
const list = Array.from({ length: 5 }, (_, i) => `7-${3 + i}.mkv.part,${i * 2}.000000,${i * 2 + 2}.000000\n`).join("");
const progress = Array.from({ length: 5 }, (_, i) => `frame=${25 * i}\nfps=25\nout_time_us=${i * 1_000_000}\nprogress=continue\n`).join("");
const errors = `[error] rtsp://u:${encodeURIComponent(password)}@127.0.0.1/x: ${password}: 401 Unauthorized\n`;
const changed = (text: string, few: readonly string[]) => mutationsOf(few).map((mutations) => mutations.reduce(mutated, text));

test("lists, progress and errors of ffmpeg", async () => {
  const said = fc.record({
    list: changed(list, pieces),
    progress: changed(progress, pieces),
    errors: fc.constantFrom(errors, errors.repeat(20), ""),
  });
  const known = [
    { list: `7-3.mkv.part,1.2.3,2.0\n7-${"9".repeat(400)}.mkv.part,0,1\n`, progress, errors },
    { list, progress: "frame=Infinity\nout_time_us=1e999\nprogress=continue\nframe=25\nprogress=continue\n", errors },
    { list: `${"x".repeat(70_000)}-5.mkv.part,1,2\n`, progress, errors: "" },
  ];
  const law = async (drawn: (typeof known)[number]) => {
    for (const [name, text] of Object.entries(drawn)) writeFileSync(at(name), text);
    const signs: RecorderSign[] = [];
    const end = await recorder.record(job, (sign) => signs.push(sign), never);
    expect(endReasons).toContain(end.reason);
    for (const secret of [password, encodeURIComponent(password)]) expect(end.detail).not.toContain(secret);
    expect(end.detail.length).toBeLessThanOrEqual(600);
    const frames = signs.flatMap((sign) => (sign.kind === "frames" ? [sign] : []));
    for (const [i, sign] of frames.entries()) {
      expect(Number.isSafeInteger(sign.frames) && sign.frames > (frames[i - 1]?.frames ?? 0), JSON.stringify(sign)).toBe(true);
      expect(Number.isFinite(sign.mediaMs) && sign.monoMs >= (frames[i - 1]?.monoMs ?? 0), JSON.stringify(sign)).toBe(true);
    }
    for (const sign of signs) {
      if (sign.kind !== "closed") continue;
      expect(Number.isSafeInteger(sign.number), JSON.stringify(sign)).toBe(true);
      expect(Number.isSafeInteger(sign.mediaFromMs) && Number.isSafeInteger(sign.mediaToMs), JSON.stringify(sign)).toBe(true);
      expect(drawn.list, "no file of a line that is too long").not.toBe(known[2]?.list);
    }
  };
  await fuzz("lines of ffmpeg", said, law, known);
});

const probed = JSON.stringify({
  packets: Array.from({ length: 4 }, (_, i) => ({ pts_time: `${i}.040000`, duration_time: "0.040000" })),
  streams: [{ codec_name: "h264" }],
});

test("what ffprobe says of a file", async () => {
  const words = ["null", "{}", "[]", '"', "1e308", "-1e308", "NaN", "{", "}", ",", ":", '"pts_time"', '"packets"', '"streams":[null]'];
  const drawnAnswer = fc.record({ list: changed(probed, words), errors: fc.constantFrom("0", "1") });
  const known = [{ list: '{"packets":[{"pts_time":"-1e308"},{"pts_time":"1e308"}],"streams":[{"codec_name":""}]}', errors: "0" }];
  const law = async (drawn: (typeof known)[number]) => {
    for (const [name, text] of Object.entries(drawn)) writeFileSync(at(name), text);
    const measure = await recorder.measure(at("x.mkv"), never);
    if (measure.kind !== "readable") return expect(measure.detail).not.toBe("");
    expect(Number.isSafeInteger(measure.durationMs) && measure.durationMs > 0, JSON.stringify(measure)).toBe(true);
    expect(measure.codec).not.toBe("");
  };
  await fuzz("answers of ffprobe", drawnAnswer, law, known);
});
