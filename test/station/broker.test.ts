/** The station's broker and nginx, from the files that an installed station has: who may what, and who is out at once. */
import { readFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asOurselves, asPerson, asSite, connectAs, type Talker, type Way } from "../../deploy/station/client.ts";
import { addPerson, addSite, refresh, removePerson, removeSite } from "../../deploy/station/deeds.ts";
import { reload } from "../../deploy/station/keep.ts";
import { filesOf } from "../../deploy/station/place.ts";
import { type Cast, checks, prove } from "../../deploy/station/proof.ts";
import { type Services, startServices } from "../../deploy/station/services.ts";
import { sleep, until } from "../lib/agent.ts";
import { enlist, makeStation, type Station } from "../lib/station.ts";

let station: Station;
let services: Services;
let cast: Cast;
const none = { sites: [], groups: [] };
beforeAll(async () => {
  station = await makeStation();
  services = await startServices(station.place);
  const { place } = station;
  cast = {
    ...{ a: enlist(station, "an-dai-1"), b: enlist(station, "an-dai-2") },
    officer: await addPerson(place, { name: "truc-ban", role: "officer", ...none }),
    viewer: await addPerson(place, { name: "lanh-dao", role: "viewer", ...none }),
    neighbour: await addPerson(place, { name: "thon-an-dai-1", role: "viewer", sites: ["an-dai-1"], groups: [] }),
  };
});
afterAll(() => services.stop());

async function enter(way: Way, ...subscriptions: readonly string[]): Promise<Talker> {
  const result = await connectAs(station.place, way, subscriptions);
  if (result.kind === "failed") throw new Error(result.detail);
  return result.talker;
}
const outcome = async (way: Way) => {
  const result = await connectAs(station.place, way, []);
  if (result.kind === "connected") await result.talker.end();
  return result.kind === "connected" ? "in" : result.detail;
};

describe("permissions by round trip", () => {
  test("every one of them holds", async () => {
    const proved = await prove(station.place, station.register(), cast);
    expect(proved.filter(({ held }) => !held)).toEqual([]);
    expect(proved.length).toBe(checks.length);
    for (const may of [true, false]) expect(proved.filter((check) => check.may === may).length).toBeGreaterThan(15);
  });

  test("a list that gives too much or too little is found, right by right", async () => {
    const { rights } = filesOf(station.place);
    const good = readFileSync(rights, "utf8");
    const { root } = station;
    const bad = good
      .replace(`topic write ${root}/from/an-dai-1/#`, `topic readwrite ${root}/+/an-dai-1/#`)
      .replace(`topic readwrite ${root}/to/+/officer/hold/+`, `topic read ${root}/to/+/officer/hold/+`);
    writeFileSync(rights, bad);
    reload(station.place);
    await sleep(300);
    const lost = (await prove(station.place, station.register(), cast)).filter(({ held }) => !held);
    writeFileSync(rights, good);
    reload(station.place);
    expect(lost.map(({ who, does, topic }) => `${who} ${does} ${topic}`).sort()).toEqual([
      ...["from/A/birth", "from/A/event"].map((topic) => `a read ${topic}`),
      ...["to/A/ack", "to/A/command/rebirth", "to/A/officer/hold/x1"].map((topic) => `a write ${topic}`),
      ...["to/A/officer/hold/x1", "to/B/officer/hold/x2"].map((topic) => `officer write ${topic}`),
    ]);
  });
});

describe("who gets in", () => {
  test("nobody without a certificate at the boxes' port, nor with another authority's", async () => {
    const { mqtts } = station.register().ports;
    const stranger = await makeStation();
    const foreign = enlist(stranger, "an-dai-1");
    expect(await outcome({ ...asSite(station.register(), "an-dai-1", cast.a), cert: null, key: null })).toMatch(/certificate|unreachable/);
    expect(await outcome(asSite(station.register(), "an-dai-1", foreign))).toMatch(/certificate|unreachable/);
    const login = { username: cast.officer.name, password: cast.officer.password };
    expect(await outcome({ url: `mqtts://127.0.0.1:${mqtts}`, clientId: "x", cert: null, key: null, credential: login })).toMatch(
      /certificate|unreachable/,
    );
  });

  test("nobody without the right password on the page", async () => {
    expect(await outcome(asPerson(station.register(), "truc-ban", cast.officer.password))).toBe("in");
    expect(await outcome(asPerson(station.register(), "truc-ban", cast.viewer.password))).toMatch(/refused.*[Nn]ot authorized/);
    expect(await outcome(asPerson(station.register(), "an-dai-1", "x"))).toMatch(/refused/);
    expect(await outcome({ ...asPerson(station.register(), "x", "y"), credential: null })).toMatch(/refused/);
  });

  test("a box is who its certificate says, whatever name it gives", async () => {
    const { register, root } = station;
    const ear = await enter(asOurselves(station.place, register()), `${root}/#`);
    const liar = await enter({ ...asSite(register(), "an-dai-2", cast.a), credential: { username: "an-dai-2", password: "x" } });
    expect(await liar.say(`${root}/from/an-dai-2/event`, "forged")).toBe("denied");
    expect(await liar.say(`${root}/from/an-dai-1/event`, "mine")).toBe("ok");
    await until("the own one arrives", 5_000, () => ear.heard.some(({ payload }) => payload === "mine"));
    expect(ear.heard.some(({ payload }) => payload === "forged")).toBe(false);
    await Promise.all([liar.end(), ear.end()]);
  });

  test("TLS 1.1 is not spoken, neither to boxes nor to people", async () => {
    const { mqtts, https } = station.register().ports;
    const speak = (port: number, version: "TLSv1.1" | "TLSv1.2") =>
      new Promise<boolean>((resolve) => {
        const { cert, key } = cast.a;
        const ca = readFileSync(filesOf(station.place).ca);
        const options = { host: "127.0.0.1", port, ca, cert, key, minVersion: "TLSv1.1", maxVersion: version } as const;
        const socket = connectTls({ ...options, ciphers: "DEFAULT@SECLEVEL=0" }, () => {
          resolve(true);
          socket.destroy();
        });
        socket.once("error", () => resolve(false));
      });
    for (const port of [mqtts, https]) expect([await speak(port, "TLSv1.1"), await speak(port, "TLSv1.2")]).toEqual([false, true]);
  });

  test("the page is served with its commune, to nobody's frame and with no way to another host", async () => {
    const { place } = station;
    writeFileSync(join(place.page, "index.html"), "<!doctype html><title>board</title>");
    const ca = readFileSync(filesOf(place).ca);
    const fetched = (path: string) =>
      new Promise<{ status: number; text: string; policy: string }>((resolve, reject) => {
        get(`https://localhost:${station.register().ports.https}${path}`, { ca }, (response) => {
          let text = "";
          response.on("data", (data) => {
            text += String(data);
          });
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, text, policy: String(response.headers["content-security-policy"]) }),
          );
        }).once("error", reject);
      });
    expect(await fetched("/")).toMatchObject({ status: 200, text: expect.stringContaining("board") });
    const about = await fetched("/station.json");
    expect(JSON.parse(about.text)).toEqual({ v: 1, commune: "nghia-phuong", name: "Công an xã Nghĩa Phương", language: "vi" });
    expect(about.policy).toMatch(/default-src 'none'.*connect-src 'self' wss:\/\/localhost:\d+;.*frame-ancestors 'none'/);
    expect((await fetched("/ca.crt")).text).toContain("BEGIN CERTIFICATE");
    expect((await fetched("/../etc/station.json")).status).toBe(404);
  });
});

describe("who leaves", () => {
  test("a removed box is out at once, does not come back, and its messages are gone", async () => {
    const { place, register, root } = station;
    const box = enlist(station, "an-dai-9");
    const talker = await enter(asSite(register(), box.id, box));
    await talker.say(`${root}/from/an-dai-9/birth`, "{}", true);
    const began = performance.now();
    let outMs = 0;
    void talker.ended.then(() => {
      outMs = performance.now() - began;
    });
    await removeSite(place, "an-dai-9");
    expect(await talker.ended).toMatch(/taken over|closed/);
    process.stdout.write(`figure: a removed box is out after ${outMs.toFixed(0)} ms\n`);
    expect(outMs).toBeLessThan(10_000);
    expect(await outcome(asSite(register(), box.id, box))).toMatch(/certificate|unreachable/);
    const ear = await enter(asOurselves(place, register()), `${root}/from/an-dai-9/#`);
    await sleep(500);
    expect(ear.heard).toEqual([]);
    await ear.end();
    expect(await outcome(asSite(register(), "an-dai-1", cast.a))).toBe("in");
    // Named again, it gets a certificate of its own; the stolen one stays worthless.
    const again = enlist(station, "an-dai-9");
    expect(await outcome(asSite(register(), box.id, box))).toMatch(/certificate|unreachable/);
    expect(await outcome(asSite(register(), again.id, again))).toBe("in");
    await removeSite(place, "an-dai-9");
  });

  test("a removed person is out at once, and so is an old password", async () => {
    const { place, register } = station;
    const first = await addPerson(place, { name: "tam", role: "viewer", ...none });
    const talker = await enter(asPerson(register(), "tam", first.password));
    const second = await addPerson(place, { name: "tam", role: "viewer", ...none });
    await talker.ended;
    expect(await outcome(asPerson(register(), "tam", first.password))).toMatch(/refused/);
    expect(await outcome(asPerson(register(), "tam", second.password))).toBe("in");
    removePerson(place, "tam");
    await sleep(300);
    expect(await outcome(asPerson(register(), "tam", second.password))).toMatch(/refused/);
  });

  test("a name is a site's or a person's, never both", async () => {
    const { place } = station;
    await expect(addPerson(place, { name: "an-dai-1", role: "officer", ...none })).rejects.toThrow(/is a site; choose another/);
    expect(() => addSite(place, "truc-ban", join(place.run, "x"))).toThrow(/is a person's name already; choose another/);
    await expect(addPerson(place, { name: "tam", role: "viewer", sites: ["nowhere"], groups: [] })).rejects.toThrow(/add it first/);
    await expect(addPerson(place, { name: "tam", role: "officer", sites: ["an-dai-1"], groups: [] })).rejects.toThrow(/leave --sites/);
  });
});

describe("a recorder that serves several hamlets", () => {
  const birth = (groups: Record<string, string>) =>
    JSON.stringify({ v: 1, cameras: Object.entries(groups).map(([id, group]) => ({ id, name: id, group })) });

  test("shows each hamlet its own cameras and nothing of another, also after one has moved", async () => {
    const { place, register, root } = station;
    const recorder = await enter(asSite(register(), "an-dai-2", cast.b));
    const from = `${root}/from/an-dai-2`;
    await recorder.say(`${from}/birth`, birth({ cho: "Thôn Chợ", dinh: "Thôn Đình", cau: "Thôn Chợ" }), true);
    const person = await addPerson(place, { name: "thon-cho", role: "viewer", sites: [], groups: ["Thôn Chợ"] });
    await expect(addPerson(place, { name: "thon-x", role: "viewer", sites: [], groups: ["Thôn Chơ"] })).rejects.toThrow(/"Thôn Chơ"/);
    const viewer = await enter(asPerson(register(), "thon-cho", person.password), "#", `${from}/#`, `${from}/camera/dinh`, `${from}/birth`);
    const topics = () => [...new Set(viewer.heard.map(({ topic }) => topic.slice(from.length + 1)))].sort();
    const tell = async () => {
      for (const camera of ["cho", "cau", "dinh"])
        for (const topic of [`camera/${camera}`, `day/2026-11-25/${camera}`, `month/2026-11/${camera}`, `alarm/camera/${camera}`])
          await recorder.say(`${from}/${topic}`, "{}", true);
      for (const topic of ["state", "power", "event", "birth"])
        await recorder.say(
          `${from}/${topic}`,
          topic === "birth" ? birth({ cho: "Thôn Đình", dinh: "Thôn Đình", cau: "Thôn Chợ" }) : "{}",
          true,
        );
    };
    const expected = (...cameras: readonly string[]) =>
      [...cameras.flatMap((id) => [`camera/${id}`, `day/2026-11-25/${id}`, `month/2026-11/${id}`, `alarm/camera/${id}`]), "state"].sort();
    await tell();
    await until("its own arrive", 5_000, () => topics().includes("state"));
    expect(topics()).toEqual(expected("cau", "cho"));
    expect(await refresh(place)).toEqual(["thon-cho: other cameras belong to the groups now"]);
    expect(await refresh(place)).toEqual([]);
    await viewer.end();
    const later = await enter(asPerson(register(), "thon-cho", person.password), "#", `${from}/#`);
    await sleep(1_000);
    expect([...new Set(later.heard.map(({ topic }) => topic.slice(from.length + 1)))].sort()).toEqual(expected("cau"));
    await Promise.all([later.end(), recorder.end()]);
  });
});

test("whoever comes with a box's client id reads nothing that is the box's", async () => {
  const { register, root } = station;
  const thief = await enter(asPerson(register(), "thon-an-dai-1", cast.neighbour.password, "an-dai-2"), "#", `${root}/to/#`);
  const officer = await enter(asPerson(register(), "truc-ban", cast.officer.password));
  expect(await officer.say(`${root}/to/an-dai-2/officer/hold/h1`, "{}")).toBe("ok");
  expect(await thief.say(`${root}/from/an-dai-2/state`, "forged")).toBe("denied");
  await sleep(500);
  expect(thief.heard.filter(({ topic }) => topic.includes("an-dai-2"))).toEqual([]);
  await Promise.all([thief.end(), officer.end()]);
});
