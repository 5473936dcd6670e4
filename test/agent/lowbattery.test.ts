/** A nearly empty battery in the whole agent: closed in order where that is asked for, recorded to the last second where it is not. */
import { afterEach, expect, test } from "vitest";
import { gapsOf, readStatus } from "../../agent/query.ts";
import type { PowerValue, Reading } from "../../hal/ports.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const second = 1_000;
const feels = (value: PowerValue): Reading<PowerValue> => ({ value, evidence: [`file ${value}`] });
let village: Village | null = null;
afterEach(() => village?.stop());

async function begin(power: string, more: { readonly sync?: string; readonly station?: boolean } = {}): Promise<Village> {
  const made = makeVillage({
    ...(more.station === true ? { station: 'url: "mqtt://127.0.0.1:1"' } : {}),
    ...(more.sync === undefined ? {} : { recording: `sync: ${more.sync}` }),
    ...{ folder: tempFolder("battery"), startAt: Date.parse("2026-11-24T00:00:00Z") },
    ...{ cameras: ['id: cho, url: "rtsp://cho/"'], more: [power] },
  });
  village = made;
  made.scene.power = feels("mains");
  await made.boot();
  await made.pass(60 * second);
  made.scene.power = feels("battery");
  await made.pass(30 * second);
  return made;
}
const stateOf = ({ ask }: Village) => ask((asking) => readStatus(asking, "0").cameras[0]?.state);
const open = ({ disk }: Village) => [...disk.files.keys()].filter((path) => path.endsWith(".part"));
const gaps = ({ ask }: Village) => ask((asking) => gapsOf(asking, "cho", { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER }));

test("on battery it records on; nearly empty it closes its files and asks the system to go off; mains wakes it", async () => {
  const village = await begin("power: { driver: none, shutdown: poweroff }");
  expect([stateOf(village), village.scene.shutdown.asked()]).toEqual(["recording", 0]);
  village.scene.power = feels("low");
  await village.pass(4 * second);
  expect(stateOf(village)).toBe("recording");
  await village.pass(10 * second);
  expect([open(village), village.scene.shutdown.asked()]).toEqual([[], 1]);
  expect(village.ask((asking) => readStatus(asking, "0").todo.find(({ type }) => type === "power")?.text)).toContain("sắp hết");
  village.scene.power = feels("mains");
  await village.pass(30 * second);
  expect(stateOf(village)).toBe("recording");
  expect(gaps(village)).toMatchObject([{ blame: { cause: "box-power", sure: "sensed", evidence: ["power-low", "closed-in-order"] } }]);
}, 30_000);

test("the time that it was off is the power's, by its own sense", async () => {
  const village = await begin("power: { driver: none, shutdown: poweroff }");
  village.scene.power = feels("low");
  await village.pass(10 * second);
  // Systemd takes the system down.
  await village.stop();
  await village.pass(600 * second);
  village.scene.power = feels("mains");
  await village.boot({ orderly: true });
  await village.pass(60 * second);
  const all = gaps(village);
  expect(new Set(all.map(({ blame }) => `${blame.cause} ${blame.sure}`))).toEqual(new Set(["box-power sensed"]));
  const lostMs = all.reduce((sum, { fromAt, toAt }) => sum + (toAt ?? 0) - fromAt, 0);
  expect(lostMs).toBeGreaterThan(600 * second);
}, 30_000);

test("a stop by a person on mains stays the box's own", async () => {
  const village = await begin("power: { driver: none, shutdown: poweroff }");
  village.scene.power = feels("mains");
  await village.pass(5 * second);
  await village.stop();
  await village.pass(60 * second);
  await village.boot({ orderly: true });
  await village.pass(30 * second);
  expect(gaps(village)).toMatchObject([{ blame: { cause: "box", evidence: [expect.stringContaining("clean-stop"), expect.anything()] } }]);
}, 30_000);

test("where nothing is asked for, it records to the last second, flushes every one of them, and the station knows why it will fall silent", async () => {
  const village = await begin("power: { driver: none }", { sync: "60s", station: true });
  const flushes = async (seconds: number) => {
    const before = village.disk.flushes("cho");
    await village.pass(seconds * second);
    return village.disk.flushes("cho") - before;
  };
  expect(await flushes(120)).toBe(2);
  village.scene.power = feels("low");
  await village.pass(6 * second);
  expect(await flushes(120)).toBeGreaterThanOrEqual(118);
  const told = village.brokers.flatMap(({ messages }) => messages);
  const last = (topic: string) => told.findLast((message) => message.topic.endsWith(topic));
  expect(JSON.parse(last("an-dai-1/power")?.payload ?? "null")).toMatchObject({ value: "low" });
  // The alarm outlives every other word of a box that is gone.
  expect(last("/alarm/power")).toMatchObject({ retain: true, expirySeconds: null });
  expect(last("/alarm/power")?.payload).toContain("sắp hết");
  expect([stateOf(village), village.scene.shutdown.asked(), gaps(village)]).toEqual(["recording", 0, []]);
  village.scene.power = feels("mains");
  await village.pass(30 * second);
  expect(await flushes(120)).toBe(2);
}, 30_000);
