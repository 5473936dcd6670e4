/** The recorder's suite, on ffmpeg with simulated cameras and on the scripted driver; then what only ffmpeg can show. */
import { spawn } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeClock } from "../../hal/clock.ts";
import type { Recorder, RecorderEnd, RecorderJob, RecorderSign } from "../../hal/ports.ts";
import { classify, commandLine, findTools, makeRecorder, playlist } from "../../hal/recorder.ts";
import { scriptRecorder } from "../../hal/script.ts";
import { sleep, until } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { markedBy, openFiles, recordersOf } from "../lib/footage.ts";
import { freePort, tempFolder } from "../lib/temp.ts";

const identity = tempFolder("identity");
const clock = makeClock({ driver: "none" });
const never = new AbortController().signal;
const real = makeRecorder(findTools(identity), clock);
let cameras: Cameras;
beforeAll(async () => {
  cameras = await startCameras({ count: 2, seconds: 300 });
});
afterAll(() => cameras.stop());

const jobFor = (url: string, more: Partial<RecorderJob> = {}): RecorderJob => ({
  ...{
    camera: "c",
    url,
    stream: "main",
    credential: null,
    transport: "tcp",
    audio: false,
    arrivalTimes: false,
    folder: tempFolder("recorder"),
    run: 7,
  },
  ...{ firstNumber: 3, segmentMs: 2_000, cutOffsetMs: 0, stallMs: 5_000, openMs: 10_000, ...more },
});

type Tried = { readonly end: RecorderEnd; readonly signs: readonly RecorderSign[]; readonly job: RecorderJob };
async function record(recorder: Recorder, job: RecorderJob, signal: AbortSignal = never): Promise<Tried> {
  const signs: RecorderSign[] = [];
  return { end: await recorder.record(job, (sign) => signs.push(sign), signal), signs, job };
}
async function recordFor(recorder: Recorder, job: RecorderJob, ms: number): Promise<Tried> {
  const stop = new AbortController();
  const tried = record(recorder, job, stop.signal);
  await sleep(ms);
  stop.abort();
  return tried;
}

describe.each([
  ["real", (): Recorder => real, (): string => cameras.url("sub1")],
  [
    "scripted",
    (): Recorder => scriptRecorder(clock, [Array.from({ length: 4 }, () => ({ kind: "file", forMs: 2_000 }) as const)]),
    (): string => "rtsp://h/1",
  ],
] as const)("the %s recorder", (_, make, url) => {
  test("says that frames come, closes numbered files, and ends as asked", async () => {
    const { end, signs, job } = await recordFor(make(), jobFor(url()), 7_500);
    expect(end.reason).toBe("stopped");
    const frames = signs.flatMap((sign) => (sign.kind === "frames" ? [sign] : []));
    const closed = signs.flatMap((sign) => (sign.kind === "closed" ? [sign] : []));
    expect(frames.length).toBeGreaterThan(2);
    for (const [i, sign] of frames.entries()) expect(sign.frames).toBeGreaterThan(frames[i - 1]?.frames ?? 0);
    expect(closed.map(({ number }) => number)).toEqual(closed.map((__, i) => 3 + i));
    expect(closed.length).toBeGreaterThanOrEqual(2);
    for (const sign of closed) expect(sign.mediaToMs).toBeGreaterThan(sign.mediaFromMs);
    expect(readdirSync(job.folder).sort()).toEqual(closed.map(({ number }) => `7-${number}.mkv.part`).sort());
    expect(await make().measure(join(job.folder, "7-4.mkv.part"), never)).toMatchObject({ kind: "readable", stream: "main" });
  });

  test("a file of the smaller stream is known as that", async () => {
    const recorder = make();
    const { job } = await recordFor(recorder, jobFor(url(), { stream: "fallback" }), 5_000);
    const first = join(job.folder, "7-3.mkv.part");
    expect(await recorder.measure(first, never)).toMatchObject({ kind: "readable", stream: "fallback" });
  });

  test("does nothing where it is stopped before it begins", async () => {
    const { end, signs, job } = await record(make(), jobFor(url()), AbortSignal.abort());
    expect([end.reason, signs, readdirSync(job.folder)]).toEqual(["stopped", [], []]);
  });
});

describe("ffmpeg", () => {
  test("leaves no process of a try behind, and no file open", async () => {
    const { job } = await recordFor(real, jobFor(cameras.url("sub1")), 2_500);
    expect(recordersOf(job.folder)).toEqual([]);
    expect(markedBy(identity)).toEqual([]);
  });

  test("killed in the middle, it leaves a file that plays", async () => {
    const job = jobFor(cameras.url("sub2"), { segmentMs: 60_000 });
    const tried = record(real, job);
    await until("it writes", 10_000, () => openFiles(job.folder).length > 0);
    await sleep(3_000);
    for (const pid of recordersOf(job.folder)) process.kill(pid, "SIGKILL");
    expect((await tried).end.reason).toBe("ended");
    const [file = ""] = openFiles(job.folder);
    const found = await real.measure(join(job.folder, file), never);
    expect(found.kind === "readable" ? found.durationMs : 0).toBeGreaterThan(1_500);
  });

  test.each([
    ["a closed port", async () => `rtsp://127.0.0.1:${await freePort()}/x`, "refused-connection"],
    ["a path that is not there", async () => cameras.url("khong-co"), "not-found"],
    ["sound alone", async () => cameras.url("novideo"), "no-video"],
    ["a camera that refuses TCP", async () => cameras.url("udponly"), "refused-transport"],
  ] as const)("%s ends the try with its reason", async (_, url, reason) => {
    expect((await record(real, jobFor(await url()))).end.reason).toBe(reason);
  });

  test("a server that takes the connection and says nothing ends the try in time", async () => {
    const port = await freePort();
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const { end } = await record(real, jobFor(`rtsp://127.0.0.1:${port}/x`, { openMs: 3_000 }));
    expect(["no-frames", "silent"]).toContain(end.reason);
    server.close();
  });

  test("a program that is not there is a reason, not an exception", async () => {
    const recorder = makeRecorder({ ...findTools(identity), ffmpeg: "/no/such/ffmpeg", setpriv: null }, clock);
    expect((await record(recorder, jobFor(cameras.url("sub1")))).end.reason).toBe("no-recorder");
  });

  test.each([
    ["garbage", (file: string) => writeFileSync(file, Buffer.alloc(50_000, 7))],
    ["nothing", (file: string) => writeFileSync(file, "")],
  ] as const)("%s cannot be read, and that is said", async (_, write) => {
    const file = join(tempFolder("garbage"), "a.mkv.part");
    write(file);
    expect((await real.measure(file, never)).kind).toBe("unreadable");
  });

  test("a file cut off anywhere is measured by what is left of it", async () => {
    const { job } = await recordFor(real, jobFor(cameras.url("sub1"), { segmentMs: 60_000, stream: "fallback" }), 5_000);
    const [name = ""] = openFiles(job.folder);
    const whole = await real.measure(join(job.folder, name), never);
    const cut = join(job.folder, "cut.mkv");
    copyFileSync(join(job.folder, name), cut);
    truncateSync(cut, Math.floor(readFileSync(cut).length / 2));
    const half = await real.measure(cut, never);
    if (whole.kind !== "readable" || half.kind !== "readable") throw new Error("unreadable");
    expect(half.durationMs).toBeGreaterThan(whole.durationMs * 0.2);
    expect(half.durationMs).toBeLessThan(whole.durationMs * 0.8);
    expect(half.stream).toBe("fallback");
  });

  test("a measure that could not be made says so, and not that the file is bad", async () => {
    const recorder = makeRecorder({ ...findTools(identity), ffprobe: "/no/such/ffprobe" }, clock);
    expect((await recorder.measure("/etc/hostname", never)).kind).toBe("failed");
  });

  test("a frame that comes long after its own time is no sign of life", async () => {
    const ffmpeg = join(tempFolder("belated"), "ffmpeg");
    const report = (frame: number, us: number) => `printf 'frame=${frame}\\nout_time_us=${us}\\nprogress=continue\\n' >&3`;
    writeFileSync(ffmpeg, `#!/bin/sh\n${report(50, 2_000_000)}\nsleep 4\n${report(51, 2_040_000)}\nexec sleep 30\n`, { mode: 0o755 });
    const recorder = makeRecorder({ ...findTools(identity), ffmpeg }, clock);
    const { end, signs } = await record(recorder, jobFor("rtsp://127.0.0.1/x", { stallMs: 5_000 }));
    const [first, second] = signs;
    expect(end.reason).toBe("stalled");
    expect(signs.map((sign) => sign.kind === "frames" && sign.frames)).toEqual([50, 51]);
    expect(second?.monoMs).toBe(first?.monoMs);
  }, 30_000);

  test("reap ends what carries our mark and nothing else", async () => {
    const children = [identity, `${identity}-other`].map((mark) => spawn("sleep", ["60"], { env: { MATGHI_STATE: mark } }));
    await until("both run", 5_000, () => markedBy(identity).length === 1 && markedBy(`${identity}-other`).length === 1);
    expect(await real.reap()).toBe(1);
    expect([markedBy(identity).length, markedBy(`${identity}-other`).length]).toEqual([0, 1]);
    for (const child of children) child.kill("SIGKILL");
  });
});

describe("what ffmpeg is told", () => {
  const nasty = { username: "a'b", password: "p@:/%'\"ä $&#?=\\ \n" };
  const job = jobFor("rtsp://192.168.1.20:554/Streaming/Channels/101?x='y'", { credential: nasty, folder: "/srv/100%/c" });

  test("the arguments hold neither address nor credential", () => {
    expect(commandLine(job).join(" ")).not.toMatch(/192\.168|rtsp:|a'b|p@/);
    expect(commandLine(job)).toContain("/srv/100%%/c/7-%d.mkv.part");
  });

  test("no credential or address can break out of its line of the list", () => {
    const lines = playlist(job).trim().split("\n");
    expect(lines).toHaveLength(6);
    expect(lines[1]).toMatch(/^file '[^']*'$/);
    expect(lines[1]).toContain("a%27b:p%40%3A%2F%25%27%22%C3%A4%20%24%26%23%3F%3D%5C%20%0A@192.168.1.20:554");
    expect(new URL(lines[1]?.slice(6, -1) ?? "").host).toBe("192.168.1.20:554");
  });

  test.each([
    ["av_interleaved_write_frame(): No space left on device", "disk-full"],
    ["Failed to open segment '/x/1.part'", "disk-error"],
    ["method DESCRIBE failed: 401 Unauthorized", "refused-password"],
    ["Server returned 404 Not Found", "not-found"],
    ["[rtsp @ 0x55a404b461c0] [error] method PLAY failed: 454Session Not Found", "no-video"],
    ["[rtsp @ 0x55a454b461c0] [error] method DESCRIBE failed: 404Not Found", "not-found"],
    ["[rtsp @ 0x55a404b461c0] [error] method SETUP failed: 461Unsupported", "refused-transport"],
    ["[rtsp @ 0x55a404b454c0] [error] method DESCRIBE failed: 401Unauthorised", "refused-password"],
    ["Connection to tcp://h:554 failed: Connection refused", "refused-connection"],
    ["Connection timed out", "silent"],
    ["", "ended"],
  ])("%s", (line, reason) => {
    expect(classify([line])).toBe(reason);
  });
});
