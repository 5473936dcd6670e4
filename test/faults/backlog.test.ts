/**
 * Thousands of events wait while the station is away and the agent has little memory; then the line falls silent half-way, without a word.
 * All arrive, in order and without a hole, and recording goes on meanwhile. Another agent under the same name costs no event either.
 * `npm run faults` does it with MATGHI_BACKLOG=10000.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Agent, figure, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { fillJournal } from "../lib/backlog.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { filesUnder, openFiles } from "../lib/footage.ts";
import { brokenLawsOf, sizeOf } from "../lib/inspect.ts";
import { type Listener, listen } from "../lib/listener.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeWire, type Wire } from "../lib/wire.ts";

const backlog = Number(process.env.MATGHI_BACKLOG ?? 2_000);
const heapMiB = 64;
const topic = "matghi/v1/nghia-phuong/from/an-dai-1/event";
const folder = tempFolder("backlog");
let cameras: Cameras;
let broker: Mosquitto;
let wire: Wire;
let listener: Listener;
let agent: Agent;
let other: Agent | null = null;

beforeAll(async () => {
  cameras = await startCameras({ count: 2, seconds: 900 });
  broker = await startMosquitto();
  wire = await makeWire(broker.port);
  listener = await listen(broker.url, [topic]);
  const config = writeSite({
    folder,
    cameras: ["sub1", "sub2"].map((id) => `id: ${id}, url: "${cameras.url(id)}"`),
    station: `url: "mqtt://127.0.0.1:${wire.port}"`,
  });
  wire.blackHole();
  await fillJournal({ config, folder, camera: "sub1", count: backlog });
  agent = startAgent(config, { NODE_OPTIONS: `--max-old-space-size=${heapMiB}` });
  await until("it records", 60_000, () => openFiles(join(folder, "footage/sub1")).length > 0);
  wire.mend();
});
afterAll(async () => {
  await agent.stop();
  await other?.stop();
  await listener.stop();
  await broker.stop();
  await cameras.stop();
  wire.close();
});

const numbers = () => listener.heard.map(({ text }) => (JSON.parse(text) as { g: number }).g);

test("a backlog of thousands, little memory, and a line that falls silent half-way", async () => {
  await until("some arrive", 120_000, () => listener.heard.length > backlog / 10, 200);
  const before = filesUnder(join(folder, "footage/sub1")).length;
  wire.halfOpen();
  const silentAt = Date.now();
  const arrived = listener.heard.length;
  await until("it goes on over a new connection", 180_000, () => listener.heard.length > arrived + 100, 200);
  process.stdout.write(`${figure("events flow again on a line that fell silent after", [(Date.now() - silentAt) / 1_000], "s")}\n`);
  const drainedFrom = { at: Date.now(), count: listener.heard.length };
  await until("all arrive", 290_000, () => listener.heard.length >= backlog && new Set(numbers()).size >= backlog + 2, 1_000);
  const rate = (listener.heard.length - drainedFrom.count) / ((Date.now() - drainedFrom.at) / 1_000);
  const { residentMiB } = sizeOf(agent.pid, join(folder, "state"));
  process.stdout.write(`${figure("events drained", [rate], "a second")}\n${figure("memory after it", [residentMiB], "MiB")}\n`);
  const firsts = [...new Set(numbers())];
  expect(firsts).toEqual(firsts.map((_, i) => i + 1));
  expect(filesUnder(join(folder, "footage/sub1")).length, "recording went on").toBeGreaterThan(before);
  expect(await brokenLawsOf(agent, 20_000)).toEqual([]);
}, 600_000);

test("another agent under the same name: each takes the line from the other, and no event is lost", async () => {
  const twin = tempFolder("backlog-twin");
  const made = wire.made();
  other = startAgent(
    writeSite({ folder: twin, cameras: [`id: sub1, url: "${cameras.url("sub1")}"`], station: `url: "mqtt://127.0.0.1:${wire.port}"` }),
  );
  await until("they have taken turns", 120_000, () => wire.made() >= made + 3, 500);
  process.stdout.write(
    `${figure("connections while two agents have one name, in 20 s", [await during(20_000, wire.made)], "connections")}\n`,
  );
  await other.stop();
  other = null;
  const { events } = await agent.ask<{ events: { g: number }[] }>("events");
  const newest = events.at(-1)?.g ?? 0;
  await until("the newest arrives", 120_000, () => numbers().includes(newest), 500);
  expect(await brokenLawsOf(agent, 20_000)).toEqual([]);
});

async function during(ms: number, count: () => number): Promise<number> {
  const before = count();
  await sleep(ms);
  return count() - before;
}
