/** Real agents that took in a station's file: a broker that loses everything, and two boxes with one identity. */
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asOurselves, connectAs, type Talker } from "../../deploy/station/client.ts";
import { addSite } from "../../deploy/station/deeds.ts";
import { runningPid } from "../../deploy/station/keep.ts";
import { filesOf } from "../../deploy/station/place.ts";
import { type Services, startServices } from "../../deploy/station/services.ts";
import { type Agent, matghi, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { makeStation, type Station } from "../lib/station.ts";
import { tempFolder } from "../lib/temp.ts";

let station: Station;
let services: Services;
let cameras: Cameras;
let agent: Agent;
let from = "";
beforeAll(async () => {
  [station, cameras] = await Promise.all([makeStation(), startCameras({ count: 1, seconds: 900 })]);
  services = await startServices(station.place);
  from = `${station.root}/from/an-dai-1`;
  const { file, code } = addSite(station.place, "an-dai-1", join(station.place.run, "an-dai-1.matghi"));
  enrolled = { file, code };
  agent = startAgent(await box("first"));
});
afterAll(async () => {
  await agent.stop();
  await Promise.all([services.stop(), cameras.stop()]);
});

let enrolled: { readonly file: string; readonly code: string };

/** A box with this site's configuration that took the file in. */
async function box(name: string): Promise<string> {
  const folder = tempFolder(name);
  const config = writeSite({ folder, cameras: [`id: cho, name: Chợ, url: "${cameras.url("sub1")}"`] });
  writeFileSync(join(folder, "code"), enrolled.code);
  const answer = await matghi(["enroll", enrolled.file, "--config", config, "--code-file", join(folder, "code")]);
  if (answer.code !== 0) throw new Error(answer.stderr);
  return config;
}

async function ear(): Promise<Talker> {
  const result = await connectAs(station.place, asOurselves(station.place, station.register()), [`${station.root}/#`]);
  if (result.kind === "failed") throw new Error(result.detail);
  return result.talker;
}

/** What the broker keeps of the box now. */
const keptBy = (talker: Talker) => {
  const kept = new Map(talker.heard.map(({ topic, payload }) => [topic.slice(from.length + 1), payload]));
  return [...kept].flatMap(([topic, payload]) => (payload === "" || topic === "event" ? [] : [topic])).sort();
};
const whole = (topics: readonly string[]) =>
  ["birth", "state", "health", "camera/cho", "disk", "clock"].every((topic) => topics.includes(topic)) &&
  ["day/", "month/"].every((kind) => topics.some((topic) => topic.startsWith(kind)));

test("a broker that was killed and whose database is nothing but zeros is whole again within two minutes", async () => {
  const { place } = station;
  const { database, brokerProcess } = filesOf(place);
  const before = await ear();
  await until("the box has told everything", 60_000, () => whole(keptBy(before)));
  const told = keptBy(before);
  // As each minute does.
  process.kill(runningPid(brokerProcess, "mosquitto") ?? 0, "SIGUSR1");
  const { size } = await until("it is saved", 10_000, () => statSync(database, { throwIfNoEntry: false }));
  await services.killBroker();
  writeFileSync(database, Buffer.alloc(size));
  const guarded = await services.startBroker();
  const began = performance.now();
  expect(guarded).toMatchObject({ kind: "set-aside", why: "not a database of Mosquitto" });
  const after = await until("somebody may come in", 10_000, ear);
  await until("everything is there again", 120_000, () => told.every((topic) => keptBy(after).includes(topic)));
  process.stdout.write(`figure: a broker that lost everything is whole again after ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  await Promise.all([before.end(), after.end()]);
});

test("two boxes with one identity are noticed and named, at the station and on the box", async () => {
  const talker = await ear();
  const alarms = () => talker.heard.filter(({ topic }) => topic === `${from}/alarm/identity`);
  await until("the first is connected", 60_000, () => talker.heard.some(({ topic }) => topic === `${from}/state`));
  // Another machine has another boot id; this one says that it is another's, under the copied box only.
  const bootId = join(tempFolder("boot"), "boot_id");
  writeFileSync(bootId, "00000000-0000-4000-8000-000000000002\n");
  const inside = ["unshare", "--mount", "sh", "-c", `mount --bind ${bootId} /proc/sys/kernel/random/boot_id && exec "$@"`, "_"];
  const other = startAgent(await box("copy"), {}, inside);
  const began = performance.now();
  const { payload } = await until("it rings", 120_000, () => alarms()[0]);
  process.stdout.write(`figure: a second box with one identity is named after ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  expect(JSON.parse(payload)).toMatchObject({
    level: "broken",
    camera: null,
    text: expect.stringMatching(/hai đầu ghi cùng dùng tên vị trí an-dai-1/),
  });
  const names = async () => (await agent.ask<{ todo: { type: string }[] }>("status")).todo.some(({ type }) => type === "identity");
  await until("the first box says so too", 120_000, names, 1_000);
  await other.stop();
  await talker.end();
});
