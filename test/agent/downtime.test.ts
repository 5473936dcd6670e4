/** The time the box was dead, told by how each run ended: a stop in order, and a power cut before anything was recorded again. */
import { afterAll, expect, test } from "vitest";
import { gapsOf } from "../../agent/query.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage } from "../lib/world.ts";

const second = 1_000;
const minute = 60 * second;
const startAt = Date.parse("2026-11-24T01:00:00.000Z");
const village = makeVillage({
  folder: tempFolder("downtime"),
  startAt,
  cameras: ['id: cho, url: "rtsp://cho/"', 'id: cau, url: "rtsp://cau/"'],
});
afterAll(() => village.stop());

const gaps = (camera: string) => village.ask((asking) => gapsOf(asking, camera, { fromAt: 0, toAt: village.now() }));

test("three hours without power after a restart are the power's, not the restart's", async () => {
  await village.boot();
  await village.pass(70 * second);
  await village.stop();
  await village.pass(5 * second);
  await village.boot();
  const backAt = village.now();
  await village.pass(second / 2);
  village.cut();
  await village.pass(180 * minute);
  await village.boot();
  await village.pass(minute);
  for (const camera of ["cho", "cau"]) {
    const [stop, cut, ...more] = gaps(camera);
    expect(more).toEqual([]);
    expect(stop).toMatchObject({ blame: { cause: "box" } });
    expect(cut).toMatchObject({ fromAt: stop?.toAt, blame: { cause: "box-power" } });
    expect(Math.abs((cut?.fromAt ?? 0) - backAt)).toBeLessThan(5 * second);
  }
  expect(gaps("cho").map(({ fault }) => fault)).toEqual(gaps("cau").map(({ fault }) => fault));
  expect(new Set(gaps("cho").map(({ fault }) => fault)).size, "one fault: the box was dead, and most of it is the power's").toBe(1);
}, 60_000);
