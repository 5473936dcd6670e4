/** Cameras as they come: codecs, sound, refusals, wrong clocks, passwords; and what must never be seen of a password. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReads } from "../../agent/store/store.ts";
import { type Agent, figure, matghi, sleep, startAgent, until, writeSecret, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { bytesUnder, codecsOf, complaintsOf, filesUnder, secondsOf } from "../lib/footage.ts";
import { type Listener, listen } from "../lib/listener.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { tempFolder } from "../lib/temp.ts";

const secret = `M@t k/h:u%'"#?&$${randomBytes(6).toString("hex")}`;
const wrong = `sai-${randomBytes(8).toString("hex")}`;
const folder = tempFolder("peculiar");
const footage = join(folder, "footage");
let cameras: Cameras;
let broker: Mosquitto;
let station: Listener;
let agent: Agent;
const outputs: string[] = [];

type CameraStatus = { id: string; state: string; why: string | null };
const status = async () => {
  const answer = await matghi(["status", "--json", "--config", agent.config]);
  outputs.push(answer.stdout, answer.stderr);
  return JSON.parse(answer.stdout) as { cameras: CameraStatus[]; notes: string[]; todo: { text: string }[] };
};
const cameraOf = async (id: string) => (await status()).cameras.find((camera) => camera.id === id);

beforeAll(async () => {
  cameras = await startCameras({ count: 1, seconds: 400, digest: `agent:${secret}` });
  broker = await startMosquitto();
  station = await listen(broker.url, ["matghi/#"]);
  const good = writeSecret(join(folder, "secrets"), "good", secret);
  const bad = writeSecret(join(folder, "secrets"), "bad", wrong);
  const camera = (id: string, mount: string, file = good) =>
    `id: ${id}, url: "${cameras.url(mount)}", username: agent, passwordFile: ${file}`;
  mkdirSync(join(footage, "h265"), { recursive: true });
  writeFileSync(join(footage, "h265", "anh-cuoi.jpg"), "not ours");
  agent = startAgent(
    writeSite({
      folder,
      cameras: [
        ...["h265", "aac", "g711", "badts", "novideo", "udponly"].map((mount) => camera(mount, mount)),
        camera("no-entry", "sub1", bad),
        camera("no-path", "khong-co"),
        `${camera("no-main", "khong-co")}, fallback: "${cameras.url("sub1")}"`,
      ],
      station: `url: "${broker.url}"`,
      recording: "segment: 6s, audio: true, limit: { free: 0B }",
    }),
  );
});
afterAll(async () => {
  await agent.stop();
  await station.stop();
  await broker.stop();
  await cameras.stop();
});

const closedOf = (id: string) => filesUnder(join(footage, id)).filter((file) => file.endsWith(".mkv"));
const firstClosed = (id: string) => until(`${id} has a closed file`, 60_000, () => closedOf(id)[0]);

test.each([
  ["h265", ["hevc"]],
  ["aac", ["aac", "h264"]],
  ["g711", ["h264", "pcm_alaw"]],
] as const)("%s is recorded and decodes clean", async (id, codecs) => {
  await firstClosed(id);
  const file = join(footage, id, await until("a second file", 30_000, () => closedOf(id)[1]));
  expect(await codecsOf(file)).toEqual(codecs);
  expect(await complaintsOf(file)).toBe("");
});

test.each(["aac", "g711"])("while the sound of %s is silent its pictures go to disk as ever", async (id) => {
  await firstClosed(id);
  const began = Date.now();
  await cameras.control(`mute ${id} 9`);
  const grown = [began];
  for (let bytes = bytesUnder(join(footage, id)); Date.now() - began < 9_000; await sleep(100)) {
    const now = bytesUnder(join(footage, id));
    if (now > bytes) grown.push(Date.now());
    bytes = now;
  }
  const pauses = [...grown, Date.now()].slice(1).map((at, n) => at - (grown[n] ?? at));
  process.stdout.write(`${figure(`longest pause of writing while ${id} is mute`, [Math.max(...pauses) / 1000], "s")}\n`);
  // What a power cut may take; held back by ffmpeg it was ten seconds.
  expect(Math.max(...pauses)).toBeLessThan(3_000);
});

test("a camera that refuses TCP is recorded over UDP, and that is remembered", async () => {
  await firstClosed("udponly");
  const reads = openReads(join(folder, "state"));
  expect(reads?.camera("udponly")?.udp).toBe(true);
  reads?.close();
});

test("a camera whose times stand still is recorded again with arrival times, and that is remembered", async () => {
  const files = await until("two files by arrival time", 60_000, () => (closedOf("badts").length >= 4 ? closedOf("badts") : null));
  const reads = openReads(join(folder, "state"));
  expect(reads?.camera("badts")?.arrivalTimes).toBe(true);
  const rows = reads?.segmentsBetween("badts", { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER }) ?? [];
  reads?.close();
  // The file in which it was found counts by arrival, though it plays in no time. It is the first, or the second where a clock cut came early.
  const early = await Promise.all(
    files.slice(0, 2).map(async (file) => {
      const row = rows.find((r) => file.endsWith(`-${r.run}-${r.number}.mkv`));
      return { countsMs: (row?.endAt ?? 0) - (row?.startAt ?? 0), playsMs: (await secondsOf(join(footage, "badts", file))) * 1000 };
    }),
  );
  expect(early.some(({ countsMs, playsMs }) => countsMs > 1_000 && playsMs < countsMs / 4)).toBe(true);
  const last = files.at(-1) ?? "";
  const row = rows.find((r) => last.endsWith(`-${r.run}-${r.number}.mkv`));
  if (row === undefined) throw new Error(`${last} has no row`);
  expect(await secondsOf(join(footage, "badts", last))).toBeGreaterThan(((row.endAt - row.startAt) / 1000) * 0.7);
});

test.each([
  ["novideo", "no-video"],
  ["no-entry", "refused-password"],
  ["no-path", "not-found"],
] as const)("%s is not recording because of %s, and the camera is its cause", async (id, why) => {
  await until(`${id} is known`, 30_000, async () => (await cameraOf(id))?.why === why);
  expect(await cameraOf(id)).toMatchObject({ state: "not-recording", why });
  expect(closedOf(id)).toEqual([]);
});

test("a camera without the main stream that was configured is recorded in its smaller one, which files, footage and status say", async () => {
  const file = join(footage, "no-main", await firstClosed("no-main"));
  expect(await codecsOf(file)).toEqual(["h264"]);
  expect(await cameraOf("no-main")).toMatchObject({ state: "degraded", stream: "fallback", why: "main-not-there" });
  expect((await status()).todo.find(({ text }) => text.startsWith("no-main"))?.text).toContain("kiểm tra url");
  const asked = ["footage", "--camera", "no-main", "--from", "2020-01-01", "--to", new Date().toISOString()];
  const { spans } = await agent.ask<{ spans: { kind: string; stream?: string }[] }>(...asked);
  expect(spans.flatMap(({ kind, stream }) => (kind === "footage" ? [stream] : []))).toContain("fallback");
  expect(spans.some(({ stream }) => stream === "main")).toBe(false);
});

test("a foreign file is left alone and named in status", async () => {
  await until("status names it", 20_000, async () => (await status()).todo.some(({ text }) => text.includes("h265/anh-cuoi.jpg")));
  expect(readFileSync(join(footage, "h265", "anh-cuoi.jpg"), "utf8")).toBe("not ours");
});

/** Every form in which a secret could be seen. */
const formsOf = (text: string) => [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1), Buffer.from(text).toString("base64")];

test("a password stands nowhere but in its file: not in /proc, the log, the database, the footage folder, MQTT or an answer", async () => {
  await sleep(3_000);
  const forms = [secret, wrong].flatMap(formsOf);
  const seen = (where: string, text: string) => forms.filter((form) => text.includes(form)).map((form) => `${where}: ${form}`);
  const found: string[] = [];
  for (let look = 0; look < 40; look += 1) {
    found.push(...processTexts().flatMap(([where, text]) => seen(where, text)));
    await sleep(50);
  }
  for (const command of [["gaps"], ["events"], ["check-config"], ["footage", "--camera", "no-entry", "--from", "00:00", "--to", "23:59"]]) {
    const answer = await matghi([...command, "--config", agent.config]);
    outputs.push(answer.stdout, answer.stderr);
  }
  expect(await agent.stop()).toBe(0);
  found.push(...seen("log", agent.log()), ...outputs.flatMap((text) => seen("answer", text)));
  found.push(...station.heard.flatMap(({ topic, text }) => seen(topic, topic + text)));
  for (const file of filesUnder(join(folder, "state"))) found.push(...seen(file, readFileSync(join(folder, "state", file), "latin1")));
  for (const file of filesUnder(footage)) found.push(...seen("name", file));
  expect(found).toEqual([]);
  expect(station.heard.length).toBeGreaterThan(10);
  expect(agent.log()).toContain("refused-password");
});

/** Arguments, environment and name of every process but the simulated cameras, which were given the password by us. */
function processTexts(): readonly (readonly [string, string])[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== cameras.pid);
  return pids.flatMap((pid) =>
    ["cmdline", "environ", "comm"].flatMap((part) => {
      try {
        return [[`${pid}/${part}`, readFileSync(`/proc/${pid}/${part}`, "utf8")] as const];
      } catch {
        return [];
      }
    }),
  );
}
