/** A power cut with a battery, from Debian's own upsd to the station's broker: what is told and when, what is on disk when the battery is empty. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Agent, ask, figure, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { filesUnder, openFiles } from "../lib/footage.ts";
import { type Listener, listen } from "../lib/listener.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { tempFolder } from "../lib/temp.ts";
import { runUps, type Ups } from "../lib/ups.ts";

const from = "matghi/v1/nghia-phuong/from/an-dai-1";
const folder = tempFolder("low");
let [cameras, broker, listener, ups, agent] = [] as unknown as [Cameras, Mosquitto, Listener, Ups, Agent];

beforeAll(async () => {
  [cameras, broker, ups] = await Promise.all([startCameras({ count: 1, seconds: 200 }), startMosquitto(), runUps()]);
  listener = await listen(broker.url, ["matghi/#"]);
  const config = writeSite({
    ...{ folder, cameras: [`id: sub1, url: "${cameras.url("sub1")}"`], station: `url: "${broker.url}"` },
    more: [`power: { driver: nut, port: ${ups.port}, shutdown: poweroff }`],
  });
  agent = startAgent(config);
  await until(
    "it records, and the station knows of mains",
    40_000,
    () => told("power") === "mains" && openFiles(join(folder, "footage/sub1")).length > 0,
  );
}, 60_000);
afterAll(async () => {
  await agent.stop();
  ups.stop();
  await Promise.all([listener.stop(), cameras.stop(), broker.stop()]);
});

const last = (topic: string) => listener.heard.findLast((heard) => heard.topic === `${from}/${topic}`);
const told = (topic: string) => {
  const heard = last(topic);
  return heard === undefined || heard.text === ""
    ? null
    : ((JSON.parse(heard.text) as { value?: string; state?: string }).value ?? JSON.parse(heard.text).state);
};
const asked = () => existsSync(join(folder, "state/poweroff"));

/** The UPS says so; how long until the station has heard it. */
async function cut(status: string, value: string): Promise<number> {
  const began = Date.now();
  ups.set(status);
  await until(`the station knows: ${value}`, 5_000, () => told("power") === value, 20);
  return Date.now() - began;
}

test("each state of the UPS is at the station at once; nearly empty, files are closed, *leaving* is said, the system is asked; mains wakes it", async () => {
  const battery = await cut("OB DISCHRG", "battery");
  expect([told("state"), asked()]).toEqual(["online", false]);
  const low = await cut("OB DISCHRG LB", "low");
  await until("it says leaving", 20_000, () => told("state") === "leaving");
  await until("the system is asked to go off", 5_000, asked);
  expect(openFiles(join(folder, "footage/sub1"))).toEqual([]);
  const files = filesUnder(join(folder, "footage")).filter((file) => file.endsWith(".mkv")).length;
  ups.set("OL CHRG");
  await until("it speaks again", 40_000, () => told("state") === "online" && told("power") === "mains");
  await until("it records again", 30_000, () => filesUnder(join(folder, "footage")).filter((file) => file.endsWith(".mkv")).length > files);
  const { gaps } = await ask<{ gaps: { cause: string; sure: string }[] }>(agent.config, ["gaps"]);
  expect(gaps.filter(({ cause }) => cause === "box-power").map(({ sure }) => sure)).toEqual(["sensed"]);
  const states = listener.heard
    .filter(({ topic }) => topic === `${from}/state`)
    .map(({ text }) => JSON.parse(text) as { state: string; conn: number });
  // A connection's number only grows: nobody takes an old *lost* for a new one.
  expect(states.map(({ conn }) => conn)).toEqual(states.map(({ conn }) => conn).sort((a, b) => a - b));
  expect(states.map(({ state }) => state)).not.toContain("lost");
  expect(readFileSync(join(folder, "state/poweroff"), "utf8")).toContain("battery");
  process.stdout.write(`${figure("UPS to station", [battery, low], "ms")}\n`);
  for (const ms of [battery, low]) expect(ms).toBeLessThan(4_000);
}, 150_000);
