/** What the service manager is told of the whole agent, on a virtual clock. */
import { expect, test } from "vitest";
import { readStatus } from "../../agent/query.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const minute = 60_000;
const startAt = Date.parse("2026-11-23T17:00:00.000Z");
const cameras = [`id: cho-1, url: "rtsp://cho-1/"`, `id: cho-2, url: "rtsp://cho-2/"`];
const fedIn = async (village: Village, ms: number) => {
  const before = village.told().length;
  await village.pass(ms);
  const told = village.told().slice(before);
  return { fed: told.filter(({ alive }) => alive === true).length, starved: told.filter(({ alive }) => alive === false).length };
};

test("ready comes after the start, then three words a minute while all turns, and goodbye", async () => {
  const village = makeVillage({ folder: tempFolder("pulse"), startAt, cameras });
  await village.boot();
  await village.pass(2 * minute);
  const phases = village.told().flatMap(({ phase }) => (phase === undefined ? [] : [phase]));
  expect(phases[0]).toBe("starting");
  expect(phases.at(-1)).toBe("ready");
  expect(village.told().at(-1)?.status).toBe("đang ghi 2/2 camera");
  expect(await fedIn(village, 10 * minute)).toEqual({ fed: 30, starved: 0 });
  const told = village.told();
  await village.stop();
  expect(told.filter(({ phase }) => phase === "stopping")).toHaveLength(1);
});

test("a camera's trouble, a bad disk and a long wait do not hold the watchdog back; a loop that hangs does", async () => {
  const village = makeVillage({ folder: tempFolder("pulse"), startAt, cameras });
  await village.boot();
  await village.pass(2 * minute);
  village.scene.trouble.set("cho-1", "silent");
  expect((await fedIn(village, 20 * minute)).starved).toBe(0);
  village.scene.trouble.set("cho-1", "refused-password");
  expect((await fedIn(village, 60 * minute)).starved).toBe(0);
  village.disk.set("read-only");
  expect((await fedIn(village, 20 * minute)).starved).toBe(0);
  village.disk.set("ok");
  village.scene.trouble.delete("cho-1");
  expect((await fedIn(village, 20 * minute)).starved).toBe(0);
  village.scene.hung.add("cho-2");
  const hung = await fedIn(village, 10 * minute);
  // Three minutes of patience, then never again.
  expect(hung.fed).toBeLessThanOrEqual(10);
  expect(hung.starved).toBeGreaterThanOrEqual(20);
  expect(village.told().at(-1)?.status).toContain("camera cho-2");
  expect(village.log()).toContain("the watchdog is not fed");
  village.cut();
});

test("a disk whose questions hang is a bad disk: what waits for it does not hold the watchdog back", async () => {
  const village = makeVillage({ folder: tempFolder("pulse"), startAt, cameras });
  await village.boot();
  await village.pass(2 * minute);
  village.disk.hang(true);
  village.scene.hung.add("cho-1");
  expect((await fedIn(village, 20 * minute)).starved).toBe(0);
  const disk = village.ask((asking) => readStatus(asking, "test").disk);
  expect(disk.value).toBe("failing");
  village.cut();
});
