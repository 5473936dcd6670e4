/** The disks' own health in the whole agent: from a look as root to what a person should do; what is old counts no more. */
import { afterEach, expect, test } from "vitest";
import type { Change } from "../../agent/core/change.ts";
import { plainDating } from "../../agent/core/dating.ts";
import { wearOf } from "../../agent/core/wear.ts";
import { makeLog } from "../../agent/log.ts";
import { makeTime } from "../../agent/moment.ts";
import { readStatus } from "../../agent/query.ts";
import { watchWear } from "../../agent/wear.ts";
import type { DiskFacts, Smart } from "../../hal/ports.ts";
import { scriptClock, scriptDisks, scriptInspections } from "../../hal/script.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const minute = 60_000;
const facts: DiskFacts = { device: "sda", wornPercent: null, spares: null, ioErrors: 2, fileSystemErrors: 0 };
const told: Smart = { kind: "told", passed: true, badSectors: 0, wornPercent: null, temperatureC: 40 };

let village: Village | null = null;
afterEach(() => village?.stop());

async function begin(): Promise<Village> {
  const made = makeVillage({
    folder: tempFolder("wear"),
    startAt: Date.parse("2026-11-24T00:00:00Z"),
    cameras: ['id: cho, url: "rtsp://cho/"'],
  });
  village = made;
  made.scene.disks.set([facts]);
  await made.boot();
  return made;
}
const site = () => village ?? expect.unreachable("no village");
const status = () => site().ask((asking) => readStatus(asking, "0"));
const about = () => status().todo.filter(({ type }) => type === "disk-health");
/** What root found just now; the village's clock starts over with each boot. */
const inspect = (smart: Smart, boot: string, monoMs: number) =>
  site().scene.inspections.write({ boot, monoMs, throttled: null, disks: [{ device: "sda", smart }] });

test("a disk that says it is failing is told within two minutes, with the next step, until it is replaced", async () => {
  const village = await begin();
  await inspect(told, "boot-1", 0);
  await village.pass(2 * minute);
  expect([about(), status().disk.health[0]?.smart]).toEqual([[], "good"]);
  await inspect({ ...told, passed: false }, "boot-1", 2 * minute);
  await village.pass(2 * minute);
  expect(about()).toMatchObject([
    { level: "broken", text: expect.stringMatching(/Ổ lưu hình \(sda\) tự báo sắp hỏng – đề nghị thay ổ ngay/) },
  ]);
  village.scene.disks.set([{ ...facts, device: "sdb" }]);
  await village.pass(2 * minute);
  expect(about()).toEqual([]);
}, 30_000);

test("a feed that dipped since boot is told, one that was well is not", async () => {
  const village = await begin();
  const throttled = async (bits: number) => {
    await village.scene.inspections.write({ boot: "boot-1", monoMs: 0, throttled: bits, disks: [] });
    await village.pass(2 * minute);
    return status().todo.flatMap(({ type, text }) => (type === "supply" || type === "heat" ? [text] : []));
  };
  expect(await throttled(0)).toEqual([]);
  expect(await throttled(0x50000)).toEqual([expect.stringContaining("đã tụt áp từ lúc khởi động")]);
  expect(await throttled(0x50005)).toEqual([expect.stringContaining("đang tụt áp")]);
  expect(await throttled(0x8)).toEqual([expect.stringContaining("quá nóng")]);
}, 30_000);

test("a look that is too old, or of another boot, says nothing any more", async () => {
  const village = await begin();
  await inspect(told, "boot-1", 0);
  await village.pass(minute);
  expect(status().disk.health[0]?.smart).toBe("good");
  await village.pass(40 * minute);
  expect(status().disk.health[0]?.smart).toBe("unknown");
  await inspect(told, "boot-0", 41 * minute);
  await village.pass(2 * minute);
  expect(status().disk.health[0]?.smart).toBe("unknown");
}, 30_000);

test("failed commands count where they come in numbers, for a day; a few are a bridge's own", async () => {
  const clock = scriptClock(Date.parse("2026-11-24T00:00:00Z"));
  const disks = scriptDisks();
  let note: string | null = null;
  const commit = (change: Change) => {
    for (const write of change) if (write.put === "note") note = write.text;
    return { kind: "written" } as const;
  };
  const stop = new AbortController();
  const done = watchWear(
    {
      ...{ clock, disks, inspections: scriptInspections(), log: makeLog({ secrets: () => [], write: () => undefined }) },
      time: makeTime(clock, clock.wallMs(), () => plainDating),
      ...{ store: { commit, meta: () => note }, bootId: () => "b", folders: { footage: "/f", state: "/s" } },
    },
    stop.signal,
  );
  const troubleAfter = async (ioErrors: number, ms: number) => {
    disks.set([{ ...facts, ioErrors }]);
    await clock.advance(ms);
    return wearOf(note)[0]?.trouble;
  };
  expect(await troubleAfter(2, 2 * minute)).toBeNull();
  expect(await troubleAfter(8, 2 * minute)).toBeNull();
  expect(await troubleAfter(40, 2 * minute)).toBe("io-errors");
  expect(await troubleAfter(40, 23 * 60 * minute)).toBe("io-errors");
  expect(await troubleAfter(40, 60 * minute)).toBeNull();
  // One disk under both folders is one disk.
  expect(wearOf(note)).toMatchObject([{ device: "sda", holds: ["footage", "state"] }]);
  stop.abort();
  await done;
});
