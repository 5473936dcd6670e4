/** A camera's picture through a morning of the whole agent: learnt, covered, told to technician and station, wiped, accepted. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { acceptPicture, listPictures } from "../../agent/cli/picture.ts";
import { report } from "../../agent/cli/report.ts";
import type { Glimpse } from "../../agent/core/view.ts";
import { picturesIn } from "../../agent/facts.ts";
import { readStatus } from "../../agent/query.ts";
import { sentProblems } from "../lib/messages.ts";
import { tempFolder } from "../lib/temp.ts";
import { covered, street } from "../lib/views.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const minute = 60_000;
/** 8:00 in Vietnam. */
const startAt = Date.parse("2026-11-24T01:00:00.000Z");
let village: Village;
let covers: string | null = null;
let turned: string | null = null;
const glanced: string[] = [];

let onGlance = (_looks: number): void => undefined;

function shows(path: string): Glimpse {
  glanced.push(path);
  if (path.includes("/cho/")) onGlance(glanced.filter((one) => one.includes("/cho/")).length);
  const seed = path.includes(`/${turned}/`) ? 3 : path.includes("/cho/") ? 1 : 2;
  return path.includes(`/${covers}/`) ? covered(seed, glanced.length) : street(seed, { noise: glanced.length });
}

beforeAll(async () => {
  village = makeVillage({
    ...{ folder: tempFolder("pictures"), startAt, station: 'url: "mqtt://127.0.0.1:1"' },
    cameras: [
      'id: cho, name: Cổng chợ, url: "rtsp://cho/"',
      'id: cau, url: "rtsp://cau/"',
      "id: ho-12, kind: 1, manual: { checked: 2026-01-10, keeps: 7d }",
    ],
    more: ["pictures: { every: 2min }"],
  });
  village.scene.shows = shows;
  await village.boot();
});
afterAll(() => village.stop());

const pictures = () => village.ask((asking) => new Map(readStatus(asking, "test").cameras.map(({ id, picture }) => [id, picture])));
const todo = () => village.ask((asking) => readStatus(asking, "test").todo.filter(({ type }) => type === "picture"));
const messages = () => village.brokers.flatMap((broker) => broker.messages);
const lastOf = (topic: string) => messages().findLast((message) => message.topic.endsWith(topic));
const told = (topic: string) => JSON.parse(lastOf(topic)?.payload || "{}") as Record<string, unknown>;
const events = () =>
  messages()
    .filter(({ topic, payload }) => topic.endsWith("/event") && payload.includes('"picture.'))
    .map(({ payload }) => JSON.parse(payload) as { type: string; level: string; data: object });

test("learnt after six looks, each camera as often as is set, nothing of one that is checked by hand", async () => {
  await village.pass(6 * minute);
  expect(pictures().get("cho")).toMatchObject({ value: "unknown" });
  expect(told("/camera/cho").picture).toMatchObject({ value: "unknown" });
  await village.pass(14 * minute);
  expect(pictures().get("cho")).toMatchObject({ value: "good", day: "good", night: "unknown" });
  expect(pictures().get("ho-12")).toBeNull();
  expect(glanced.filter((path) => path.includes("/cho/")).length).toBeGreaterThanOrEqual(8);
  expect(glanced.filter((path) => path.includes("/cho/")).length).toBeLessThanOrEqual(10);
  expect(new Set(glanced).size).toBe(glanced.length);
  expect(todo()).toEqual([]);
  expect(told("/camera/cho").picture).toMatchObject({ value: "good" });
}, 120_000);

test("covered: a suspicion with its next step, at the box and at the station, and recording goes on", async () => {
  covers = "cho";
  await village.pass(9 * minute);
  expect(pictures().get("cho")).toMatchObject({ value: "covered" });
  expect(pictures().get("cau")).toMatchObject({ value: "good" });
  expect(todo()).toMatchObject([
    { camera: "cho", level: "attention", text: expect.stringMatching(/^Cổng chợ: nghi ống kính bị che \(ban ngày\) từ .* – đề nghị/) },
  ]);
  expect(told("/alarm/picture/cho")).toMatchObject({
    level: "attention",
    camera: "cho",
    texts: { en: expect.stringContaining("seems covered") },
  });
  expect(told("/camera/cho")).toMatchObject({ state: "recording", picture: { value: "covered" } });
  expect(events()).toMatchObject([{ type: "picture.suspect", level: "warn", data: { camera: "cho", light: "day", value: "covered" } }]);
  expect(messages().flatMap((message) => sentProblems(message))).toEqual([]);
}, 60_000);

test("wiped: told, and the alarm is taken back", async () => {
  covers = null;
  await village.pass(7 * minute);
  expect(todo()).toEqual([]);
  expect(lastOf("/alarm/picture/cho")?.payload).toBe("");
  expect(events().slice(1)).toMatchObject([
    { type: "picture.cleared", level: "info", data: { camera: "cho", light: "day", was: "covered" } },
  ]);
}, 60_000);

test("the period's report names it, and how many cameras it was", () => {
  const span = { fromAt: startAt, toAt: village.now() };
  const { looked, suspected: found = [] } = village.ask((asking) => picturesIn(asking, ["cho", "cau", "ho-12"], span)) ?? {};
  expect(looked).toBe(2);
  expect(found).toMatchObject([{ camera: "cho", light: "day", value: "covered" }]);
  expect((found[0]?.toAt ?? 0) - (found[0]?.fromAt ?? 0)).toBeGreaterThan(2 * minute);
  const during = (fromAt: number, toAt: number) => village.ask((asking) => picturesIn(asking, ["cho"], { fromAt, toAt }));
  expect(during(span.toAt - minute, span.toAt)).toMatchObject({ looked: 1, suspected: [] });
  expect(during(startAt - 60 * minute, startAt), "nobody had looked yet").toBeNull();
  const said: string[] = [];
  const context = { configFile: village.config, json: false, out: (text: string) => void said.push(text), err: () => undefined };
  expect(report(context, { period: "2026-11" })).toBe(0);
  expect(said.at(-1)).toContain("Hình ảnh nghi chưa đạt trong kỳ: 01 trong 02 camera được xem thử.");
  expect(said.at(-1)).toMatch(/ - Cổng chợ: nghi bị che \(ban ngày\), từ \d\d:\d\d 24\/11\/2026 đến \d\d:\d\d 24\/11\/2026/);
});

test("what an officer accepts is learnt anew by the running agent, and stands in the audit", async () => {
  const said: string[] = [];
  const context = { configFile: village.config, json: false, out: (text: string) => void said.push(text), err: () => undefined };
  turned = "cho";
  await village.pass(16 * minute);
  expect(todo()).toMatchObject([{ camera: "cho", text: expect.stringContaining("nghi lệch hướng camera") }]);
  expect(acceptPicture(context, { camera: "cho", officer: "CA-07" })).toBe(0);
  expect(said.at(-1)).toContain("Cổng chợ");
  expect(pictures().get("cho")).toMatchObject({ value: "unknown" });
  expect(listPictures(context)).toBe(0);
  // Nobody holds the lock of a running agent here: what was found before says nothing of now.
  expect(said.at(-1)?.split("\n")).toEqual([
    "cho  Cổng chợ: ban ngày chưa rõ · ban đêm chưa rõ",
    "cau  cau: ban ngày chưa rõ · ban đêm chưa rõ",
  ]);
  expect(() => acceptPicture(context, { camera: "cho-9", officer: "CA-07" })).toThrow(/cho-9/);
  await village.pass(21 * minute);
  expect(events().slice(2)).toMatchObject([
    { type: "picture.suspect", data: { camera: "cho", light: "day", value: "moved" } },
    { type: "picture.cleared", data: { camera: "cho", light: "day", was: "moved" } },
  ]);
  expect(pictures().get("cho"), "what it shows now is the usual one").toMatchObject({ value: "good" });
}, 120_000);

test("what is accepted while the agent looks is not taken back by what it finds", async () => {
  const before = glanced.filter((path) => path.includes("/cho/")).length;
  const context = { configFile: village.config, json: true, out: () => undefined, err: () => undefined };
  const told = events().length;
  // It would be suspected at the sixth look.
  onGlance = (looks) => void (looks === before + 6 && acceptPicture(context, { camera: "cho", officer: "CA-07" }));
  turned = null;
  await village.pass(15 * minute);
  expect(glanced.filter((path) => path.includes("/cho/")).length).toBeGreaterThanOrEqual(before + 6);
  expect(events().slice(told)).toEqual([]);
  expect(pictures().get("cho")).toMatchObject({ value: "unknown" });
}, 60_000);

test("a camera that sends no picture has none that is good, and nobody looks at it", async () => {
  expect(pictures().get("cau")).toMatchObject({ value: "good" });
  village.scene.trouble.set("cau", "silent");
  await village.pass(minute);
  expect(pictures().get("cau")).toMatchObject({ value: "unknown", day: "unknown" });
  await village.pass(2 * minute);
  const before = glanced.length;
  await village.pass(5 * minute);
  expect(glanced.slice(before).filter((path) => path.includes("/cau/"))).toEqual([]);
  village.scene.trouble.delete("cau");
  await village.pass(3 * minute);
}, 60_000);

test("what was learnt outlives a power cut", async () => {
  village.cut();
  await village.pass(5 * minute);
  await village.boot();
  await village.pass(2 * minute);
  expect(pictures().get("cau")).toMatchObject({ value: "good" });
}, 60_000);
