/** The link to the station with a real broker: what is sent and how, the journal after an outage, brokers that misbehave. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { topicNames } from "../../agent/core/message.ts";
import { openStore } from "../../agent/store/store.ts";
import { type Agent, ask, matghi, sleep, startAgent, until, writeSecret, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { openFiles } from "../lib/footage.ts";
import { type Heard, type Listener, listen } from "../lib/listener.ts";
import { sentProblems } from "../lib/messages.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { freePort, tempFolder } from "../lib/temp.ts";

const root = "matghi/v1/nghia-phuong";
const from = `${root}/from/an-dai-1`;
let cameras: Cameras;
beforeAll(async () => {
  cameras = await startCameras({ count: 2, seconds: 600 });
});
afterAll(() => cameras.stop());

const site = (folder: string, station: string, name = "Cổng chợ", more: readonly string[] = []) =>
  writeSite({ folder, cameras: ["sub1", "sub2"].map((id) => `id: ${id}, name: ${name}, url: "${cameras.url(id)}"`), station, more });

/** Lines of a site that feels power and link, by a file each. */
function feel(folder: string, power: string, link: string): readonly string[] {
  const said = Object.entries({ power, link }).map(([sense, word]) => ({ sense, word, path: join(folder, `${sense}.word`) }));
  mkdirSync(folder, { recursive: true });
  for (const { word, path } of said) writeFileSync(path, `${word}\n`);
  return said.map(({ sense, path }) => `${sense}: { driver: file, path: ${path} }`);
}
const bodyOf = (heard: Heard) => JSON.parse(heard.text) as Record<string, never>;
type Envelope = { id: string; db: string; g: number; seq: number; type: string; late: boolean; at: string; data: Record<string, unknown> };
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
    agent = startAgent(site(folder, `url: "${broker.url}"`, "Cổng chợ", feel(folder, "mains", "up")));
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
    ["power", 1, true, 900],
    ["link", 1, true, 900],
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

  test("a change of power and link is told at once, as what is and as what happened", async () => {
    await until("both are told", 20_000, () => last("power")?.value === "mains" && last("link")?.value === "up");
    feel(folder, "battery", "weak");
    await until("the new ones are told", 20_000, () => last("power")?.value === "battery" && last("link")?.value === "weak");
    const types = () => eventsOf(listener).map(({ type }) => type);
    await until("and that they changed", 20_000, () => ["power.changed", "link.changed"].every((type) => types().includes(type)));
    const alarm = await until("it rings", 20_000, () => all("alarm/power").find(({ text }) => text !== ""));
    expect(alarm).toMatchObject({ qos: 1, retain: true, expirySeconds: null });
    expect(bodyOf(alarm)).toEqual({
      v: 1,
      level: "broken",
      camera: null,
      since: expect.any(String),
      text: expect.stringMatching(/ắc quy|lưu điện/),
      texts: { en: expect.stringContaining("battery") },
    });
    feel(folder, "mains", "up");
    await until("it is taken back", 20_000, () => all("alarm/power").at(-1)?.text === "");
  });

  /** What the station holds of sub1's running day and month. */
  type Figures = { dueMs: number; recordedMs: number; unknownMs: number; byCause: Record<string, { ms: number }> };
  const pagesOf = (kind: "day" | "month") =>
    listener.heard.filter(({ topic }) => topic.startsWith(`${from}/${kind}/`) && topic.endsWith("/sub1"));
  const lostIn = ({ byCause }: Figures) => Object.values(byCause).reduce((sum, { ms }) => sum + ms, 0);
  const expectLaw = (figures: Figures) => expect(figures.recordedMs + lostIn(figures) + figures.unknownMs).toBe(figures.dueMs);

  test.each([
    ["day", 40],
    ["month", 26 * 31],
  ] as const)("the running %s of each camera is told, retained for %i days", async (kind, days) => {
    const heard = await until("it arrives", 60_000, () => pagesOf(kind)[0]);
    expect(heard).toMatchObject({ qos: 1, retain: true });
    expect(Math.abs((heard.expirySeconds ?? 0) - days * 86_400)).toBeLessThanOrEqual(2);
    expect(bodyOf(heard)).toMatchObject({ v: 1, camera: "sub1", [kind]: heard.topic.split("/").at(-2) });
  });

  test("a gap that closes is in the day and the month soon after, and their sums are the report's", async () => {
    const known = eventsOf(listener).length;
    await cameras.control("stall sub1 20");
    const isOfSub1 = (event: Envelope) => event.type === "gap.closed" && event.data.camera === "sub1";
    const { g } = await until("the gap closes", 90_000, () => eventsOf(listener).slice(known).find(isOfSub1));
    const closedAt = listener.heard.findIndex((heard) => heard.topic.endsWith("/event") && (bodyOf(heard) as unknown as Envelope).g === g);
    const told = async (kind: "day" | "month") =>
      bodyOf(await until(`the ${kind} again`, 60_000, () => pagesOf(kind).findLast((heard) => listener.heard.indexOf(heard) > closedAt)));
    const day = (await told("day")) as unknown as Figures & { gaps: object[]; recordedMinutesByHour: number[] };
    const { total, days, month } = (await told("month")) as unknown as { total: Figures; days: Figures[]; month: string };
    const report = await ask<{ cameras: (Figures & { id: string })[] }>(agent.config, ["report", "--period", month]);
    const row = report.cameras.find(({ id }) => id === "sub1");
    if (row === undefined) throw new Error("the report has no such camera");
    for (const figures of [day, total, row, ...days]) expectLaw(figures);
    expect(lostIn(total)).toBeGreaterThan(10_000);
    // The report was asked a little later: only what was recorded since is more.
    expect({ byCause: total.byCause, unknownMs: total.unknownMs }).toEqual({ byCause: row.byCause, unknownMs: row.unknownMs });
    expect(row.recordedMs - total.recordedMs).toBeGreaterThanOrEqual(0);
    expect(days.reduce((sum, { dueMs }) => sum + dueMs, 0)).toBe(total.dueMs);
    expect(day.gaps.length).toBeGreaterThan(0);
    const minutes = day.recordedMinutesByHour.reduce((sum, n) => sum + n, 0);
    expect(Math.abs(minutes * 60_000 - day.recordedMs)).toBeLessThanOrEqual(24 * 6_000);
  });

  test("a changed configuration is told with a new birth", async () => {
    const before = last("birth")?.config;
    site(folder, `url: "${broker.url}"`, "Cổng chợ mới", feel(folder, "mains", "up"));
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

  test("an officer's request to hold footage is answered, once the box is back too; a bad one is refused", async () => {
    const request = (id: string, body: object) =>
      listener.publish(`${root}/to/an-dai-1/officer/hold/${id}`, JSON.stringify(body), { retain: true });
    const now = Date.now();
    const wanted = { camera: "sub1", from: new Date(now - 60_000).toISOString(), to: new Date(now + 60_000).toISOString() };
    await request("giu-1", { ...wanted, request: "CV 3/2026", officer: "CB-1" });
    await until("it is held", 10_000, () => last("result/giu-1")?.ok === true);
    await request("giu-2", { ...wanted, camera: "none", request: "CV 3/2026", officer: "CB-1" });
    await until("it is refused", 10_000, () => last("result/giu-2")?.reason === "unknown-camera");
    const { holds } = await ask<{ holds: object[] }>(agent.config, ["hold", "list"]);
    expect(holds).toMatchObject([{ camera: "sub1", request: "CV 3/2026", officer: "CB-1" }]);
    expect(eventsOf(listener).find(({ type }) => type === "hold.added")).toBeDefined();
  });

  test("status says connected and what is not sent yet", async () => {
    await until("all is sent", 10_000, async () => {
      const { station } = await ask<{ station: { value: string; unsent: number } }>(agent.config, ["status"]);
      return station.value === "connected" && station.unsent === 0;
    });
  });

  test("all that a real broker delivered is as published (deploy/station/asyncapi.yaml), and of each kind there was some", () => {
    const heard = listener.heard.filter(({ topic }) => topic.startsWith(`${from}/`));
    const problems = heard.flatMap(({ text, ...message }) => sentProblems({ ...message, payload: text }, 2));
    expect([...new Set(problems)]).toEqual([]);
    expect(new Set(heard.map(({ topic }) => topic.slice(from.length + 1).split("/")[0]))).toEqual(new Set(topicNames));
  });

  test("a broker killed while it is written to misses nothing after its return, and what it lost itself can be asked for again", async () => {
    expect(await agent.stop()).toBe(0);
    writeEvents(folder, 600);
    agent = startAgent(agent.config);
    await until("some arrive", 30_000, () => eventsOf(listener).length > 150);
    await broker.kill();
    const before = eventsOf(listener);
    await sleep(1_500);
    await broker.start();
    const { events } = await ask<{ events: Envelope[] }>(agent.config, ["events"]);
    const newest = events.at(-1)?.g ?? 0;
    expect(newest).toBeGreaterThan(600);
    await until("the newest arrives", 60_000, () => eventsOf(listener).some(({ g }) => g >= newest));
    // From the first that this ear heard again, none is missing. What the broker took and lost, or sent before we listened again, is
    // not the agent's to know: the station asks.
    const after = [
      ...new Set(
        eventsOf(listener)
          .slice(before.length)
          .map(({ g }) => g),
      ),
    ].filter((g) => g <= newest);
    expect(after).toEqual(Array.from({ length: newest - (after[0] ?? 0) + 1 }, (_, i) => (after[0] ?? 0) + i));
    const missing = () => {
      const heard = new Set(eventsOf(listener).map(({ g }) => g));
      return Array.from({ length: newest }, (_, i) => i + 1).filter((g) => !heard.has(g));
    };
    const request = JSON.stringify({ db: events[0]?.db, from: 1, to: newest });
    if (missing().length > 0) await listener.publish(`${root}/to/an-dai-1/command/replay`, request, { correlation: "holes" });
    await until("the holes are filled", 60_000, () => missing().length === 0);
    const heard = new Map(eventsOf(listener).map(({ g, id }) => [g, id]));
    for (const event of events) expect(heard.get(event.g)).toBe(event.id);
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

type Liar = { readonly url: string; heard(): number; close(): void };

/** A server that takes connections and is no broker: it answers the first thing it hears, or nothing. */
async function liar(answer: Buffer | null): Promise<Liar> {
  const port = await freePort();
  let heard = 0;
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    if (answer !== null) socket.once("data", () => socket.write(answer));
    socket.on("data", (data) => {
      heard += data.length;
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `mqtt://127.0.0.1:${port}`, heard: () => heard, close: () => void server.close() };
}

const answers = {
  silent: null,
  "talking nonsense": Buffer.from("HTTP/1.1 400 no\r\n\r\n"),
  // A good CONNACK of MQTT 5, and not a word more.
  "confirming nothing": Buffer.from([0x20, 3, 0, 0, 0]),
};
/** More than a CONNECT and a subscription: the birth is on its way. */
const birthBytes = 600;

test.concurrent.each(["absent", "refusing", "hanging", "silent", "talking nonsense", "confirming nothing"] as const)(
  "with a broker that is %s the agent starts, records and stops as ever",
  async (kind) => {
    const folder = tempFolder("liar");
    const broker =
      kind === "refusing" || kind === "hanging"
        ? await startMosquitto(kind === "refusing" ? { lines: ["allow_anonymous false"] } : {})
        : null;
    if (kind === "hanging") broker?.hang(true);
    const impostor = kind === "silent" || kind === "talking nonsense" || kind === "confirming nothing" ? await liar(answers[kind]) : null;
    const url = broker?.url ?? impostor?.url ?? "mqtt://127.0.0.1:1";
    const secret = writeSecret(folder, "station-password", "khong-dung");
    const agent = startAgent(site(folder, `url: "${url}", username: an-dai-1, passwordFile: ${secret}`));
    await until("it records", 30_000, () => openFiles(join(folder, "footage/sub1")).length > 0);
    await until("the station was tried", 60_000, () =>
      kind === "confirming nothing" ? (impostor?.heard() ?? 0) > birthBytes : agent.lines().some(({ task }) => task === "station"),
    );
    type Status = { station: { value: string; unsent: number }; cameras: { state: string }[] };
    const seen = await until("both cameras are seen to record", 60_000, async () => {
      const status = await ask<Status>(agent.config, ["status"]);
      return status.cameras.every(({ state }) => state === "recording") ? status : null;
    });
    expect(seen.station.value).toBe(kind === "refusing" ? "refused" : "unreachable");
    expect(seen.station.unsent).toBeGreaterThan(0);
    const began = performance.now();
    expect(await agent.stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
    if (kind === "hanging") broker?.hang(false);
    await broker?.stop();
    impostor?.close();
    expect((await matghi(["status", "--config", agent.config])).stdout).toContain("không chạy");
  },
);
