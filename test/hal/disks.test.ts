/** Which disks lie under a folder and what the kernel counts of them: on trees of its kind, and on a disk of our own. Needs root for that one. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeDisks } from "../../hal/disks.ts";
import { makeInspections } from "../../hal/inspection.ts";
import type { Inspection } from "../../hal/ports.ts";
import { scriptInspections } from "../../hal/script.ts";
import { until } from "../lib/agent.ts";
import { makeDisk } from "../lib/disk.ts";
import { tempFolder } from "../lib/temp.ts";

/** A sysfs with these files; `links` as the kernel has them, relative to its root. */
function sysfs(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>>): string {
  const root = tempFolder("sysfs");
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, "sys", path, ".."), { recursive: true });
    writeFileSync(join(root, "sys", path), `${text}\n`);
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(join(root, "sys", target), { recursive: true });
    mkdirSync(join(root, "sys", path, ".."), { recursive: true });
    symlinkSync(join(root, "sys", target), join(root, "sys", path));
  }
  return root;
}
const under = (root: string, number: string) => makeDisks(root, async () => number).under("/srv/footage");
const silent = { wornPercent: null, spares: null, ioErrors: null, fileSystemErrors: null };

describe("the disk under a folder", () => {
  test("a partition's is the disk around it, with what the kernel counts of both", async () => {
    const root = sysfs(
      {
        "devices/ata1/block/sda/device/ioerr_cnt": "0x1f",
        "devices/ata1/block/sda/sda1/partition": "1",
        "fs/ext4/sda1/errors_count": "3",
      },
      { "dev/block/8:1": "devices/ata1/block/sda/sda1" },
    );
    expect(await under(root, "8:1")).toEqual([{ ...silent, device: "sda", ioErrors: 31, fileSystemErrors: 3 }]);
  });

  test("a volume over encryption over two disks is both", async () => {
    const root = sysfs(
      { "block/sdb/sdb1/partition": "1", "block/sdc/size": "1" },
      {
        "dev/block/253:1": "block/dm-1",
        "block/dm-1/slaves/dm-0": "block/dm-0",
        "block/dm-0/slaves/sdb1": "block/sdb/sdb1",
        "block/dm-0/slaves/sdc": "block/sdc",
      },
    );
    expect((await under(root, "253:1")).map(({ device }) => device)).toEqual(["sdb", "sdc"]);
  });

  test("a volume that lies on itself is no endless way", async () => {
    const root = sysfs({}, { "dev/block/253:1": "block/dm-1", "block/dm-1/slaves/dm-1": "block/dm-1" });
    expect(await under(root, "253:1")).toEqual([{ ...silent, device: "dm-1" }]);
  });

  test.each([
    ["new", "0x01 0x01", "0x01", 10, "enough"],
    ["worn more in one kind of cells", "0x02 0x09", "0x02", 90, "few"],
    ["beyond its life", "0x0b 0x03", "0x03", 110, "none"],
    ["that does not say", "0x00 0x00", "0x00", null, null],
    ["that says nonsense", "ff zz", "x", null, null],
  ])("an eMMC %s", async (_, life, eol, wornPercent, spares) => {
    const device = "devices/mmc0/block/mmcblk0/device";
    const root = sysfs(
      { [`${device}/life_time`]: life, [`${device}/pre_eol_info`]: eol },
      { "dev/block/179:0": "devices/mmc0/block/mmcblk0" },
    );
    expect(await under(root, "179:0")).toEqual([{ ...silent, device: "mmcblk0", wornPercent, spares }]);
  });

  test("none where the kernel knows none, and none for a folder that is not there", async () => {
    expect(await under(tempFolder("nothing"), "0:42")).toEqual([]);
    expect(await makeDisks().under("/nowhere/at/all")).toEqual([]);
  });

  test("a file system that hangs is answered in time", async () => {
    const disks = makeDisks("/", () => new Promise(() => undefined));
    const began = performance.now();
    expect(await disks.under("/srv")).toEqual([]);
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});

describe("a disk of our own", () => {
  const disk = makeDisk(tempFolder("disk"), "footage", 16);
  afterAll(() => disk.remove());
  test("is found, and an error of its file system is counted", async () => {
    const [found] = await makeDisks().under(disk.mountPoint);
    expect(found).toMatchObject({ device: expect.stringMatching(/^loop\d+$/), fileSystemErrors: 0 });
    // One that is not there yet lies on its parent's.
    expect((await makeDisks().under(join(disk.mountPoint, "later")))[0]?.device).toBe(found?.device);
    writeFileSync(`/sys/fs/ext4/${found?.device}/trigger_fs_error`, "a test");
    // The kernel counts it when it comes to it.
    await until("it is counted", 10_000, async () => (await makeDisks().under(disk.mountPoint))[0]?.fileSystemErrors === 1);
  });
});

const inspection: Inspection = {
  ...{ boot: "b", monoMs: 5, throttled: null },
  disks: [
    { device: "sda", smart: { kind: "told", passed: true, badSectors: 0, wornPercent: null, temperatureC: 41 } },
    { device: "sdb", smart: { kind: "unknown", detail: "smartctl did not answer within 15 s" } },
  ],
};

describe.each([
  ["scripted", () => scriptInspections()],
  ["real", () => makeInspections(join(tempFolder("run"), "deep/inspection.json"))],
])("%s inspections", (_, make) => {
  test("none at first, then the last one that was written", async () => {
    const inspections = make();
    expect(await inspections.read()).toBeNull();
    await inspections.write(inspection);
    await inspections.write({ ...inspection, throttled: 0x50005 });
    expect(await inspections.read()).toMatchObject({ ...inspection, throttled: 0x50005 });
  });
});

describe("a file that is no inspection", () => {
  test.each([
    ["is empty", ""],
    ["is cut off", '{"v":1,"boot":"b","monoMs":5,"throt'],
    ["is of another version", JSON.stringify({ v: 2, ...inspection })],
    ["has no disks", JSON.stringify({ v: 1, boot: "b", monoMs: 5, throttled: null })],
    ["has disks that are none", JSON.stringify({ v: 1, ...inspection, disks: [null] })],
    ["has no time", JSON.stringify({ v: 1, ...inspection, monoMs: "5" })],
    ["is endless", JSON.stringify({ v: 1, ...inspection, boot: "b".repeat(70_000) })],
  ])("%s: none", async (_, text) => {
    const path = join(tempFolder("run"), "inspection.json");
    writeFileSync(path, text);
    expect(await makeInspections(path).read()).toBeNull();
  });

  test("is a pipe: none, and nobody waits", async () => {
    const path = join(tempFolder("run"), "pipe");
    execFileSync("mkfifo", [path]);
    expect(await makeInspections(path).read()).toBeNull();
  });

  test("nothing is left beside what was written", async () => {
    const folder = tempFolder("run");
    await makeInspections(join(folder, "inspection.json")).write(inspection);
    expect(readdirSync(folder)).toEqual(["inspection.json"]);
    expect(readFileSync(join(folder, "inspection.json"), "utf8")).toMatch(/^\{"v":1,.*\}\n$/);
  });
});
