/** What the lines carry, in the whole agent: told to the station by days, drawn by cameras by months; over restarts and after the footage is gone. */
import { expect, test } from "vitest";
import { noticeHtml } from "../../agent/core/notice.ts";
import { addTraffic, noTraffic, trafficIn } from "../../agent/core/traffic.ts";
import { monthFacts } from "../../agent/facts.ts";
import { drawnIn, readStatus } from "../../agent/query.ts";
import { openStore } from "../../agent/store/store.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const minute = 60_000;
const hour = 60 * minute;
/** Seven in the morning in Vietnam. */
const startAt = Date.parse("2026-11-24T00:00:00Z");
const statusOf = ({ ask }: Village) => ask((asking) => readStatus(asking, "0"));

async function begin(): Promise<Village> {
  const village = makeVillage({
    ...{ folder: tempFolder("traffic"), startAt, station: 'url: "mqtt://127.0.0.1:1"' },
    cameras: ['id: cho, url: "rtsp://cho/", household: ho-07', 'id: nha, url: "rtsp://nha/", household: ho-01'],
    more: ["households: [{ id: ho-07, reach: wan }, { id: ho-01 }]"],
  });
  await village.boot();
  await village.pass(25 * minute);
  return village;
}

test("what a camera sent stays counted over a restart, and when its footage is gone; one figure for status, month and notice", async () => {
  const village = await begin();
  await village.stop();
  await village.boot();
  await village.pass(10 * minute);
  const month = { fromAt: Date.parse("2026-10-31T17:00:00Z"), toAt: Date.parse("2026-11-30T17:00:00Z") };
  const { bytes, kept } = village.ask((asking) => ({ ...drawnIn(asking, "cho", month), kept: asking.reads.bytesSince(0, "cho") }));
  expect(bytes).toBe(kept);
  expect(bytes).toBeGreaterThan(0);
  const [wan, lan] = statusOf(village).households;
  // What carries the footage comes on top; within the house it is not on the internet line.
  expect(wan).toEqual({
    id: "ho-07",
    reach: "wan",
    month: "2026-11",
    cameraBytes: Math.ceil(bytes * 1.05),
    internetBytes: Math.ceil(bytes * 1.05),
  });
  expect([lan?.id, lan?.internetBytes]).toEqual(["ho-01", 0]);
  expect(village.ask((asking) => monthFacts(asking, "cho", "2026-11").lineBytes)).toBe(wan?.cameraBytes);
  expect(village.ask((asking) => monthFacts(asking, "cho", "2026-10").lineBytes)).toBe(0);

  // The last file is closed by the stop.
  await village.stop();
  const before = statusOf(village).households[0]?.cameraBytes;
  const store = openStore(village.settings.site.state);
  const rows = store.segments(1_000).filter(({ camera }) => camera === "cho");
  store.commit([
    { put: "doom", segments: rows.map(({ id }) => id), why: "size", at: startAt },
    { put: "forget", segments: rows.map(({ id }) => id) },
  ]);
  store.close();
  expect(statusOf(village).households[0]?.cameraBytes).toBe(before);
  expect(village.ask((asking) => asking.reads.bytesSince(0, "cho"))).toBe(0);
}, 60_000);

test("what was told to the station is counted by days, over sessions and restarts, and to the box's own household", async () => {
  const village = await begin();
  const [first] = statusOf(village).station.traffic;
  expect(first).toMatchObject({ day: "2026-11-24", receivedBytes: 0 });
  const sent = () =>
    village.brokers
      .flatMap(({ messages }) => messages)
      .reduce((sum, { topic, payload }) => sum + topic.length + Buffer.byteLength(payload), 0);
  village.brokers.at(-1)?.cut();
  await village.pass(12 * minute);
  await village.stop();
  expect(statusOf(village).station.traffic).toEqual([{ day: "2026-11-24", sentBytes: sent(), receivedBytes: 0 }]);
  const before = sent();
  await village.pass(17 * hour);
  await village.boot();
  await village.pass(minute);
  await village.stop();
  expect(statusOf(village).station.traffic.map(({ day, sentBytes }) => [day, sentBytes])).toEqual([
    ["2026-11-25", sent() - before],
    ["2026-11-24", before],
  ]);
}, 60_000);

test("two months of days are kept", () => {
  const day = (i: number) => new Date(startAt + i * 24 * hour).toISOString().slice(0, 10);
  const days = Array.from({ length: 100 }, (_, i) => day(i)).reduce(
    (kept, name) => addTraffic(kept, name, { sentBytes: 2, receivedBytes: 1 }),
    {},
  );
  expect(Object.keys(days)).toHaveLength(62);
  expect(trafficIn(days, day(99))).toEqual({ sentBytes: 2, receivedBytes: 1 });
  expect(trafficIn(days, "2027-01")).toEqual({ sentBytes: 62, receivedBytes: 31 });
  expect(trafficIn(days, "2026-11")).toEqual(noTraffic);
});

test("the notice says what the line has carried", () => {
  const html = noticeHtml(
    {
      ...{
        unit: null,
        site: "Thôn An Đại 1",
        household: "ho-07",
        dutyPhone: null,
        rule: "",
        keepMaxDays: 30,
        audio: false,
        madeAt: startAt,
      },
      cameras: [{ name: "Chợ", bytesPerSecond: 500_000, monthBytes: 1_234_567_890_000, isOverInternet: true, extractions: 0, viewers: [] }],
    },
    "vi",
  );
  expect(html).toContain("khoảng 4,0 Mbit/giây, 43,2 GB mỗi ngày; tháng này đến nay 1.234,6 GB");
});
