/** The round of the cameras, by the whole agent on a virtual clock: clocks, logins, signs, addresses; recording goes on through all of it. */
import { afterEach, expect, test } from "vitest";
import { acquaintanceOf } from "../../agent/core/acquaintance.ts";
import { readStatus } from "../../agent/query.ts";
import type { ScriptCamera } from "../../hal/script.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const xaddr = "http://10.0.0.7/onvif/device_service";
const camera: ScriptCamera = {
  facts: {
    ...{ make: "Dahua", model: "IPC", serial: "S1", firmware: "1.0", mac: "9c:14:63:00:00:01" },
    profiles: [
      { token: "1", codec: "h264", width: 1920, height: 1080, fps: 25, url: "rtsp://192.168.9.9/main", snapshotUrl: null },
      { token: "2", codec: "h264", width: 640, height: 360, fps: 15, url: "rtsp://192.168.9.9/sub", snapshotUrl: null },
    ],
  },
  ...{ credential: null, offsetMs: 0, hasEvents: true, trouble: null },
};

let village: Village | null = null;
afterEach(async () => {
  await village?.stop();
  village = null;
});

async function begin(cameras: readonly string[], scripted: ScriptCamera = camera): Promise<Village> {
  village = makeVillage({ folder: tempFolder("patrol"), startAt: Date.parse("2026-11-23T17:00:00.000Z"), cameras });
  village.scene.onvif.set(xaddr, scripted);
  await village.boot();
  return village;
}
const changesOf = (one: Village) =>
  one
    .ask(({ reads }) => reads.events({ fromAt: 0, toAt: Number.MAX_SAFE_INTEGER, type: "camera.changed", afterG: 0, limit: 1_000 }))
    .map(({ data }) => data);
const statusOf = (one: Village) => one.ask((asking) => readStatus(asking, "test"));
const knownOf = (one: Village, id: string) => one.ask(({ reads }) => acquaintanceOf(reads.meta(`known ${id}`)));
const asked = (one: Village, name: string) => one.scene.onvif.asked.filter((line) => line.startsWith(`${name} `)).length;

test("a camera without url is recorded at the stream that it tells, at the address where it was asked", async () => {
  const one = await begin([`id: cho, onvif: "${xaddr}"`]);
  await one.pass(2 * minute);
  expect(statusOf(one).cameras[0]).toMatchObject({ state: "recording", clockOffsetMs: 0 });
  expect(knownOf(one, "cho")).toMatchObject({
    make: "Dahua",
    mac: "9c:14:63:00:00:01",
    main: "rtsp://192.168.9.9/main",
    sub: "rtsp://192.168.9.9/sub",
  });
  expect(one.scene.recordedAt("cho")).toBe("rtsp://10.0.0.7/main");
});

test("a camera that tells none is not recording, and why", async () => {
  const one = await begin([`id: cho, onvif: "${xaddr}"`], { ...camera, trouble: "timeout" });
  await one.pass(2 * minute);
  expect(statusOf(one).cameras[0]).toMatchObject({ state: "not-recording", why: "no-address" });
  one.scene.onvif.set(xaddr, camera);
  await one.pass(2 * minute);
  expect(statusOf(one).cameras[0]).toMatchObject({ state: "recording" });
});

test.each([
  [-7 * hour, "zone", /sai múi giờ \(lệch 7 giờ\)/],
  [-90_000, "slow", /chậm 1 phút/],
  [5 * minute, "fast", /nhanh 5 phút/],
  [null, "never-set", /chưa được đặt/],
] as const)(
  "a camera's clock that is off by %s is %s: written down once, said with the next step, and recorded all the same",
  async (offsetMs, trouble, text) => {
    const one = await begin([`id: cho, url: "rtsp://10.0.0.7/", onvif: "${xaddr}"`], { ...camera, offsetMs });
    await one.pass(10 * minute);
    expect(changesOf(one)).toEqual([{ camera: "cho", cameraClock: trouble, offsetMs }]);
    const { cameras, todo } = statusOf(one);
    expect(cameras[0]).toMatchObject({ state: "recording", clockOffsetMs: offsetMs });
    expect(todo.find(({ camera: id }) => id === "cho")?.text).toMatch(text);
    one.scene.onvif.set(xaddr, camera);
    await one.pass(2 * minute);
    expect(changesOf(one).at(-1)).toEqual({ camera: "cho", cameraClock: "right", offsetMs: 0 });
    expect(statusOf(one).todo.filter(({ camera: id }) => id === "cho")).toEqual([]);
  },
);

test("a clock is set only where the configuration allows it and the box's own is right", async () => {
  const late = { ...camera, offsetMs: -2 * hour };
  const one = await begin([`id: cho, url: "rtsp://10.0.0.7/", onvif: "${xaddr}"`], late);
  await one.pass(5 * minute);
  expect(asked(one, "setTime")).toBe(0);
  await one.stop();
  const two = await begin([`id: cho, url: "rtsp://10.0.0.7/", onvif: "${xaddr}", setClock: true`], late);
  await two.pass(5 * minute);
  expect(asked(two, "setTime")).toBe(1);
  expect(changesOf(two).map(({ cameraClock }) => cameraClock)).toEqual(["zone", "set", "right"]);
});

test("a login that is refused is put seldom; its clock is asked for and recording goes on", async () => {
  const one = await begin([`id: cho, url: "rtsp://10.0.0.7/", onvif: "${xaddr}"`], {
    ...camera,
    credential: { username: "a", password: "b" },
  });
  await one.pass(3 * hour);
  // After 1 and 10 minutes, then every half hour; its clock is asked for meanwhile.
  expect(asked(one, "describe")).toBeGreaterThanOrEqual(5);
  expect(asked(one, "describe")).toBeLessThanOrEqual(9);
  expect(asked(one, "time")).toBeGreaterThan(100);
  expect(statusOf(one).cameras[0]).toMatchObject({ state: "recording", clockOffsetMs: 0 });
  expect(statusOf(one).todo.map(({ text }) => text)).toEqual([expect.stringContaining("từ chối mật khẩu qua ONVIF")]);
});

test("what a camera tells of itself is written down: tampering, a lost picture, a reboot; nothing else, and no flood of it", async () => {
  const one = await begin([`id: cho, url: "rtsp://10.0.0.7/", onvif: "${xaddr}"`]);
  await one.pass(minute);
  for (let i = 0; i < 50; i += 1) one.scene.onvif.emit(xaddr, { kind: "tampering", topic: "t", active: true });
  one.scene.onvif.emit(xaddr, { kind: "other", topic: "motion", active: true });
  one.scene.onvif.emit(xaddr, { kind: "signal-loss", topic: "t", active: false });
  one.scene.onvif.emit(xaddr, { kind: "reboot", topic: "t", active: null });
  await one.pass(minute);
  expect(changesOf(one)).toEqual([
    { camera: "cho", sign: "tampering", active: true },
    { camera: "cho", sign: "signal-loss", active: false },
    { camera: "cho", sign: "reboot", active: null },
  ]);
});

test("a silent camera is found by its serial number at another address, and is asked there from then on; no stranger is taken for it", async () => {
  const one = await begin([`id: cho, url: "rtsp://10.0.0.7/", onvif: "${xaddr}"`], { ...camera, facts: { ...camera.facts, mac: null } });
  await one.pass(2 * minute);
  const at = (host: string) => `http://${host}/onvif/device_service`;
  const device = (address: string) => ({ address, xaddr: at(address), endpoint: null, make: null, model: null, interface: "eth0" });
  one.scene.onvif.set(xaddr, null);
  one.scene.trouble.set("cho", "silent");
  one.scene.onvif.set(at("10.0.0.8"), { ...camera, facts: { ...camera.facts, serial: "S2" } });
  one.scene.network = { interfaces: ["eth0"], devices: [device("10.0.0.8")] };
  await one.pass(2 * minute);
  expect(knownOf(one, "cho").host).toBeNull();
  one.scene.onvif.set(at("10.0.0.9"), camera);
  one.scene.network = { interfaces: ["eth0"], devices: [device("10.0.0.8"), device("10.0.0.9")] };
  await one.pass(6 * minute);
  expect(knownOf(one, "cho")).toMatchObject({ host: "10.0.0.9", xaddr: at("10.0.0.9") });
  expect(changesOf(one).filter(({ moved }) => moved !== undefined)).toEqual([
    { camera: "cho", moved: "another address", from: "10.0.0.7", to: "10.0.0.9" },
  ]);
});

test("what was kept of a camera and is no longer readable is nothing", () => {
  for (const text of [null, "", "nonsense", "[]", "7", '{"mac":7}']) expect(acquaintanceOf(text).mac).toBeNull();
});
