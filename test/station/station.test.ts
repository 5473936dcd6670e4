/** The link to the station with a real broker: what is sent and how, the journal after an outage, brokers that misbehave. */
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../../agent/store/store.ts";
import { type Agent, ask, matghi, sleep, startAgent, until, writeSecret, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { openFiles } from "../lib/footage.ts";
import { type Heard, type Listener, listen } from "../lib/listener.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { freePort, tempFolder } from "../lib/temp.ts";

const root = "matghi/v1/nghia-phuong";
const from = `${root}/from/an-dai-1`;
let cameras: Cameras;
beforeAll(async () => {
  cameras = await startCameras({ count: 2, seconds: 600 });
});
afterAll(() => cameras.stop());

const site = (folder: string, station: string) =>
  writeSite({ folder, cameras: ["sub1", "sub2"].map((id) => `id: ${id}, name: Cổng chợ, url: "${cameras.url(id)}"`), station });
const bodyOf = (heard: Heard) => JSON.parse(heard.text) as Record<string, never>;
type Envelope = { id: string; g: number; seq: number; type: string; late: boolean; at: string };
const eventsOf = (listener: Listener) =>
  listener.heard.filter(({ topic }) => topic === `${from}/event`).map((heard) => bodyOf(heard) as unknown as Envelope);

/** Events of a stopped agent, as an outage would have left them. */
function writeEvents(folder: string, count: number): void {
  const store = openStore(join(folder, "state"));
  for (let i = 0; i < count; i += 1) {
    const moment = { at: Date.now() - 120_000 + i, monoMs: i, clock: "synced" } as const;
    store.commit([{ put: "event", moment, type: "camera.changed", level: "info", data: { camera: "sub1", number: i } }]);
  }
  store.close();
}

async function startOnce(folder: string): Promise<void> {
  const agent = startAgent(site(folder, 'url: "mqtt://127.0.0.1:1"'));
  await until("it has begun", 20_000, () => openFiles(join(folder, "footage/sub1")).length > 0);
  expect(await agent.stop()).toBe(0);
}

/** Each number once or more, the first ones in order, none missing. */
function expectWhole(events: readonly Envelope[], last: number): void {
  const firsts = [...new Set(events.map(({ g }) => g))];
  expect(firsts).toEqual(Array.from({ length: last }, (_, i) => i + 1));
  const ids = new Map(events.map(({ id, g }) => [id, g]));
  expect(ids.size).toBe(last);
}

describe("a healthy broker", () => {
  const folder = tempFolder("station");
  let broker: Mosquitto;
  let listener: Listener;
  let agent: Agent;
  beforeAll(async () => {
    broker = await startMosquitto();
    listener = await listen(broker.url, ["matghi/#"]);
    agent = startAgent(site(folder, `url: "${broker.url}"`));
    await until("both cameras are told", 40_000, () => ["sub1", "sub2"].every((id) => last(`camera/${id}`)?.state === "recording"));
    await until("events arrive", 20_000, () => eventsOf(listener).length > 0);
  });
  afterAll(async () => {
    await agent.stop();
    await listener.stop();
    await broker.stop();
  });
  const all = (name: string) => listener.heard.filter(({ topic }) => topic === `${from}/${name}`);
  const last = (name: string): Record<string, unknown> | undefined => {
    const heard = all(name).at(-1);
    return heard === undefined ? undefined : bodyOf(heard);
  };

  test.each([
    ["state", 1, true, 180],
    ["birth", 1, true, null],
    ["health", 0, true, 180],
    ["camera/sub1", 1, true, 900],
    ["disk", 1, true, 900],
    ["clock", 1, true, 900],
    ["event", 1, false, null],
  ] as const)("%s is sent with QoS %i, retained %s, expiry %s", async (name, qos, retain, expirySeconds) => {
    const heard = await until(`${name} arrives`, 20_000, () => all(name)[0]);
    expect(heard).toMatchObject({ qos, retain });
    if (expirySeconds === null) expect(heard.expirySeconds).toBeNull();
    else expect(Math.abs((heard.expirySeconds ?? 0) - expirySeconds)).toBeLessThanOrEqual(2);
  });

  test("birth and state come first, then what is true, then the journal", () => {
    const topics = listener.heard.map(({ topic }) => topic.slice(from.length + 1).split("/")[0]);
    expect(topics.slice(0, 2)).toEqual(["birth", "state"]);
    expect(topics.indexOf("event")).toBeGreaterThan(topics.indexOf("clock"));
  });

  test("birth names the cameras and the journal, and no host", () => {
    expect(last("birth")).toMatchObject({
      site: "an-dai-1",
      name: "Thôn An Đại 1",
      cameras: [{ id: "sub1", name: "Cổng chợ", kind: 2, priority: false }, { id: "sub2" }],
      journal: { firstG: 1 },
      versions: { agent: expect.any(String), node: process.version, ffmpeg: expect.any(String) },
    });
    expect(JSON.stringify(last("birth"))).not.toContain("127.0.0.1");
  });

  test("the running day and month of each camera are told, retained, and agree with the report", async () => {
    const pages = () => listener.heard.filter(({ topic }) => /\/(day|month)\//.test(topic));
    await until("each camera's day and month", 60_000, () => new Set(pages().map(({ topic }) => topic)).size >= 4);
    for (const { topic, qos, retain, expirySeconds } of pages()) {
      const days = topic.includes("/day/") ? 40 : Math.round((expirySeconds ?? 0) / 86_400);
      expect({ qos, retain }).toEqual({ qos: 1, retain: true });
      expect(Math.abs((expirySeconds ?? 0) - days * 86_400)).toBeLessThanOrEqual(2);
      expect(topic).toMatch(/\/(day\/\d{4}-\d{2}-\d{2}|month\/\d{4}-\d{2})\/sub[12]$/);
    }
    const month = JSON.parse(pages().findLast(({ topic }) => topic.includes("/month/"))?.text ?? "{}") as Record<string, never>;
    expect(month).toMatchObject({ v: 1 });
  });

  test("a changed configuration is told with a new birth", async () => {
    const before = last("birth")?.config;
    writeSite({
      folder,
      cameras: ["sub1", "sub2"].map((id) => `id: ${id}, name: Cổng chợ mới, url: "${cameras.url(id)}"`),
      station: `url: "${broker.url}"`,
    });
    agent.reload();
    const birth = await until("another birth", 20_000, () => (last("birth")?.config === before ? null : last("birth")));
    expect(birth).toMatchObject({ cameras: [{ name: "Cổng chợ mới" }, { name: "Cổng chợ mới" }] });
  });

  test("commands are answered on their correlation; unknown ones and garbage are refused and survived", async () => {
    const command = (name: string, text: string, correlation: string) =>
      listener.publish(`${root}/to/an-dai-1/command/${name}`, text, { correlation });
    await command("ping", "{}", "eins");
    await command("rebirth", "{}", "zwei");
    await command("reboot-now", "{}", "drei");
    await command("replay", '{"db":"other","from":1,"to":2}', "vier");
    await command("ping", "\u0000not json", "fünf!/#+");
    await listener.publish(`${root}/to/an-dai-1/ack`, '{"db":"x","g":"much"}');
    await listener.publish(`${root}/to/an-dai-1/command/ping`, "x".repeat(200_000));
    const births = all("birth").length;
    await until("ping is answered", 10_000, () => last("result/eins")?.ok === true);
    await until("birth is said again", 10_000, () => all("birth").length > births || births > 1);
    await until("the unknown one is refused", 10_000, () => last("result/drei")?.ok === false);
    await until("another journal is refused", 10_000, () => last("result/vier")?.ok === false);
    await until("strange letters are left out", 10_000, () => last("result/fnf")?.ok === true);
    const { db } = bodyOf(all("event")[0] as Heard) as unknown as { db: string };
    const before = eventsOf(listener).length;
    await command("replay", JSON.stringify({ db, from: 1, to: 1 }), "sechs");
    await until("the row goes out again", 10_000, () =>
      eventsOf(listener)
        .slice(before)
        .some(({ g }) => g === 1),
    );
  });

  test("status says connected and what is not sent yet", async () => {
    await until("all is sent", 10_000, async () => {
      const { station } = await ask<{ station: { value: string; unsent: number } }>(agent.config, ["status"]);
      return station.value === "connected" && station.unsent === 0;
    });
  });

  test("a broker killed while it is written to misses nothing after its return", async () => {
    expect(await agent.stop()).toBe(0);
    writeEvents(folder, 600);
    agent = startAgent(agent.config);
    await until("some arrive", 30_000, () => eventsOf(listener).length > 150);
    await broker.kill();
    await sleep(1_500);
    await broker.start();
    const { events } = await ask<{ events: Envelope[] }>(agent.config, ["events"]);
    const newest = events.at(-1)?.g ?? 0;
    expect(newest).toBeGreaterThan(600);
    await until("the newest arrives", 60_000, () => eventsOf(listener).some(({ g }) => g >= newest));
    const heard = eventsOf(listener);
    const missing = Array.from({ length: newest }, (_, i) => i + 1).filter((g) => !heard.some((event) => event.g === g));
    expect(missing).toEqual([]);
    for (const event of events) expect(heard.find(({ g }) => g === event.g)?.id).toBe(event.id);
  });

  test("a stop says leaving; a kill lets the broker say lost", async () => {
    await until("online", 30_000, () => last("state")?.state === "online");
    expect(await agent.stop()).toBe(0);
    await until("leaving", 10_000, () => last("state")?.state === "leaving");
    const said = all("state").length;
    agent = startAgent(agent.config);
    await until("online again", 30_000, () => all("state").length > said && last("state")?.state === "online");
    await agent.kill9();
    const killedAt = Date.now();
    // The will waits 45 s for a quick return; the broker notices a closed socket at once.
    await until("lost", 75_000, () => last("state")?.state === "lost");
    process.stdout.write(`figure: a killed agent is said to be lost after ${((Date.now() - killedAt) / 1000).toFixed(1)} s\n`);
    expect(all("state").at(-1)?.expirySeconds).toBeNull();
  });
});

test("a broker that was away for 1,000 events gets all of them, in order, without a hole", async () => {
  const folder = tempFolder("away");
  await startOnce(folder);
  writeEvents(folder, 1_000);
  const broker = await startMosquitto();
  const listener = await listen(broker.url, [`${from}/event`]);
  const began = Date.now();
  const agent = startAgent(site(folder, `url: "${broker.url}"`));
  const { events } = await ask<{ events: Envelope[] }>(agent.config, ["events"]);
  const newest = events.at(-1)?.g ?? 0;
  expect(newest).toBeGreaterThan(1_000);
  await until("the newest arrives", 90_000, () => eventsOf(listener).some(({ g }) => g >= newest));
  process.stdout.write(`figure: ${newest} events after an outage in ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
  const heard = eventsOf(listener).filter(({ g }) => g <= newest);
  expectWhole(heard, newest);
  expect(heard.filter(({ type }) => type === "camera.changed").every(({ late }) => late)).toBe(true);
  expect(await agent.stop()).toBe(0);
  await listener.stop();
  await broker.stop();
});

type Liar = { readonly url: string; close(): void };

/** A server that takes connections and is no broker. */
async function liar(answer: Buffer | null): Promise<Liar> {
  const port = await freePort();
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    if (answer !== null) socket.on("data", () => socket.write(answer));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `mqtt://127.0.0.1:${port}`, close: () => void server.close() };
}

test.concurrent.each(["absent", "refusing", "hanging", "silent", "talking nonsense"] as const)(
  "with a broker that is %s the agent starts, records and stops as ever",
  async (kind) => {
    const folder = tempFolder("liar");
    const broker =
      kind === "refusing" || kind === "hanging"
        ? await startMosquitto(kind === "refusing" ? { lines: ["allow_anonymous false"] } : {})
        : null;
    if (kind === "hanging") broker?.hang(true);
    const impostor =
      kind === "silent" ? await liar(null) : kind === "talking nonsense" ? await liar(Buffer.from("HTTP/1.1 400 no\r\n\r\n")) : null;
    const url = broker?.url ?? impostor?.url ?? "mqtt://127.0.0.1:1";
    const secret = writeSecret(folder, "station-password", "khong-dung");
    const agent = startAgent(site(folder, `url: "${url}", username: an-dai-1, passwordFile: ${secret}`));
    await until("it records", 15_000, () => openFiles(join(folder, "footage/sub1")).length > 0);
    await sleep(8_000);
    const status = await ask<{ station: { value: string; unsent: number }; cameras: { state: string }[] }>(agent.config, ["status"]);
    expect(status.cameras.map(({ state }) => state)).toEqual(["recording", "recording"]);
    expect(status.station.value).toBe(kind === "refusing" ? "refused" : "unreachable");
    expect(status.station.unsent).toBeGreaterThan(0);
    const began = Date.now();
    expect(await agent.stop()).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
    if (kind === "hanging") broker?.hang(false);
    await broker?.stop();
    impostor?.close();
    expect((await matghi(["status", "--config", agent.config])).stdout).toContain("không chạy");
  },
);
