/** The agent killed again and again (20 times with `npm run faults`): no recorder is left behind, no readable second without a row, no event lost or told twice under another id. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReads } from "../../agent/store/store.ts";
import { type Agent, ask, figure, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { filesUnder, markedBy, openFiles, secondsOf } from "../lib/footage.ts";
import { type Listener, listen } from "../lib/listener.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { tempFolder } from "../lib/temp.ts";
import { turns } from "../lib/turns.ts";

const names = ["sub1", "sub2", "sub3"] as const;
const kills = turns(6, 20);
const folder = tempFolder("agent-killed");
const footage = join(folder, "footage");
const state = join(folder, "state");
let cameras: Cameras;
let broker: Mosquitto;
let station: Listener;
let config = "";

type Envelope = { id: string; g: number; db: string; at: string; type: string; data: Record<string, unknown> };
const told = new Map<string, string>();

beforeAll(async () => {
  cameras = await startCameras({ count: names.length, seconds: 500 });
  broker = await startMosquitto();
  station = await listen(broker.url, ["matghi/v1/nghia-phuong/from/an-dai-1/event"]);
  config = writeSite({
    folder,
    cameras: names.map((id) => `id: ${id}, url: "${cameras.url(id)}"`),
    station: `url: "${broker.url}"`,
  });
});
afterAll(async () => {
  await station.stop();
  await broker.stop();
  await cameras.stop();
});

/** One life of the agent, ended at a random moment; how long it took until the first camera wrote. */
async function liveOnce(): Promise<number> {
  const before = filesUnder(footage);
  const began = Date.now();
  const agent = startAgent(config);
  const alone = () => markedBy(state).every((pid) => pid === agent.pid);
  await until(
    "a camera writes",
    60_000,
    () => names.some((name) => openFiles(join(footage, name)).some((file) => !before.includes(`${name}/${file}`))),
    20,
  );
  const startedMs = Date.now() - began;
  await sleep(500 + Math.random() * 5_000);
  await agent.kill9();
  await until("the recorders are gone with the agent", 5_000, alone, 20);
  for (const event of (await ask<{ events: Envelope[] }>(config, ["events"])).events) {
    const text = JSON.stringify(event);
    expect(told.get(event.id) ?? text, `event ${event.id} changed`).toBe(text);
    told.set(event.id, text);
  }
  return startedMs;
}

test("kills of the agent leave no recorder behind and change no event", async () => {
  const starts: number[] = [];
  for (let turn = 0; turn < kills; turn += 1) starts.push(await liveOnce());
  process.stdout.write(
    `${figure(
      "first camera writes after a start with files to settle",
      starts.map((ms) => ms / 1000),
      "s",
    )}\n`,
  );
  expect(starts).toHaveLength(kills);
});

test("a kill in the middle of recovery is survived too", async () => {
  for (let turn = 0; turn < 5; turn += 1) {
    const agent = startAgent(config);
    await sleep(150 + turn * 120);
    await agent.kill9();
  }
  await until("the recorders are gone with the agent", 10_000, () => markedBy(state).length === 0, 50);
});

test("after all that, every file is indexed and every readable second of it is in the ledger", async () => {
  const agent: Agent = startAgent(config);
  const { run } = await until("it runs", 30_000, async () => {
    const status = await ask<{ running: boolean; run: { boot: string } }>(config, ["status"]);
    return status.running ? status : null;
  });
  const begin = `${run.boot.split(".").at(-1)}-`;
  await until("all cameras record", 30_000, () =>
    names.every((name) => openFiles(join(footage, name)).some((file) => file.startsWith(begin))),
  );
  await sleep(4_000);
  const isClosed = (file: string) => file.endsWith(".mkv");
  const indexed = () => {
    const reads = openReads(state);
    const rows = names.reduce((n, name) => n + (reads?.segmentsBetween(name, { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER }).length ?? 0), 0);
    reads?.close();
    return rows;
  };
  // What a life left between a file's name and its row comes back in the background.
  await until("every closed file has its row", 60_000, () => indexed() >= filesUnder(footage).filter(isClosed).length);
  expect(await agent.stop()).toBe(0);
  const reads = openReads(state);
  if (reads === null) throw new Error("no database");
  const rows = names.flatMap((name) => reads.segmentsBetween(name, { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER }));
  reads.close();
  const files = filesUnder(footage).filter((file) => file !== ".matghi");
  expect(files.filter((file) => !file.endsWith(".mkv"))).toEqual([]);
  const named = new Set(rows.map((row) => `${row.camera} ${row.run}-${row.number}`));
  const rowless = files.filter((file) => !named.has(file.replace(/^([^/]+)\/.*-(\d+-\d+)\.mkv$/, "$1 $2")));
  expect(rowless, agent.log()).toEqual([]);
  expect(rows.length).toBe(files.length);
  const missing: number[] = [];
  for (const file of files) {
    const [, camera, run, number] = /^([^/]+)\/.*-(\d+)-(\d+)\.mkv$/.exec(file) ?? [];
    const row = rows.find((r) => r.camera === camera && r.run === Number(run) && r.number === Number(number));
    if (row === undefined) throw new Error(`${file} has no row`);
    missing.push((await secondsOf(join(footage, file))) - (row.endAt - row.startAt) / 1000);
  }
  process.stdout.write(`${figure("seconds in a file that its row does not cover", missing, "s")}\n`);
  // A file's start is known to the grain of its creation, so a row may be a little shorter than what plays.
  expect(Math.max(...missing)).toBeLessThan(1);
});

test("the ledger explains the dead times by the box, and adds up", async () => {
  const { gaps } = await ask<{ gaps: { camera: string; cause: string; evidence: string[] }[] }>(config, ["gaps"]);
  // A life that ended before a camera's first picture joins the hole before it.
  for (const name of names) expect(gaps.filter((gap) => gap.camera === name).length).toBeGreaterThan(kills / 2);
  expect(gaps.filter((gap) => gap.cause !== "box")).toEqual([]);
  for (const name of names) {
    const found = await ask<{
      dueMs: number;
      recordedMs: number;
      unknownMs: number;
      deletedMs: number;
      spans: { kind: string; from: string; to: string }[];
    }>(...([config, ["footage", "--camera", name, "--from", "00:00", "--to", new Date().toISOString()]] as const));
    const gapMs = found.spans
      .filter((span) => span.kind === "gap")
      .reduce((sum, span) => sum + Date.parse(span.to) - Date.parse(span.from), 0);
    expect(found.recordedMs + gapMs + found.unknownMs + found.deletedMs).toBe(found.dueMs);
    expect(found.unknownMs).toBe(0);
    for (const [i, span] of found.spans.entries()) expect(span.from).toBe(found.spans[i - 1]?.to ?? span.from);
  }
});

test("the station heard every event once or more, none under two ids, in order, without a hole", async () => {
  const { events } = await ask<{ events: Envelope[] }>(config, ["events"]);
  for (const id of told.keys())
    expect(
      events.some((event) => event.id === id),
      id,
    ).toBe(true);
  await until("the last event arrives", 20_000, () =>
    station.heard.some(({ text }) => (JSON.parse(text) as Envelope).g === events.at(-1)?.g),
  );
  const heard = station.heard.map(({ text }) => JSON.parse(text) as Envelope);
  expect(new Set(heard.map((event) => event.g))).toEqual(new Set(events.map((event) => event.g)));
  for (const event of heard) expect(events.find(({ id }) => id === event.id)).toMatchObject({ g: event.g, data: event.data, at: event.at });
  expect(events.map((event) => event.g)).toEqual(events.map((_, i) => i + 1));
  const contents = events.map(({ type, at, data }) => JSON.stringify([type, at, data]));
  expect(new Set(contents).size).toBe(contents.length);
  const firsts = [...new Map([...heard].reverse().map((event) => [event.g, heard.findIndex(({ g }) => g === event.g)])).entries()].sort(
    (a, b) => a[0] - b[0],
  );
  expect(firsts.map(([, at]) => at)).toEqual(firsts.map(([, at]) => at).sort((a, b) => a - b));
});
