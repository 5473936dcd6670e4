/** USB sticks as lsblk of Debian 12 and 13 tells of them. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { makeSticks, sticksOf } from "../../hal/sticks.ts";
import { tempFolder } from "../lib/temp.ts";

const part = (path: string, more: object = {}) => ({
  ...{ path, rm: false, hotplug: false, tran: null, ro: false, type: "part", fstype: "vfat", label: null, size: 8e9 },
  ...{ mountpoints: [null], fsavail: null, ...more },
});
const disk = (path: string, more: object, children: readonly object[]) => ({
  ...part(path, { type: "disk", fstype: null, ...more }),
  children,
});
const text = (...blockdevices: readonly object[]) => JSON.stringify({ blockdevices });

test("a stick's partition is found by its disk, mounted or not; what is built in or read-only is none", () => {
  const listed = text(
    disk("/dev/sda", { tran: "sata" }, [part("/dev/sda1", { mountpoints: ["/"] })]),
    disk("/dev/sdb", { rm: true, hotplug: true, tran: "usb" }, [
      part("/dev/sdb1", { label: "CA XA", mountpoints: ["/media/ca"], fsavail: 7e9 }),
      part("/dev/sdb2"),
    ]),
    disk("/dev/sdc", { tran: "usb" }, [part("/dev/sdc1", { ro: true, mountpoints: ["/media/ro"] })]),
    part("/dev/sdd", { type: "disk", rm: true, fstype: "exfat", mountpoints: ["/media/whole"], fsavail: 5 }),
    part("/dev/loop0", { type: "loop", fstype: "ext4", rm: true, mountpoints: ["/x"] }),
    disk("/dev/sr0", { type: "rom", rm: true }, []),
  );
  expect(sticksOf(listed)).toEqual([
    { device: "/dev/sdb1", label: "CA XA", folder: "/media/ca", sizeBytes: 8e9, freeBytes: 7e9 },
    { device: "/dev/sdb2", label: null, folder: null, sizeBytes: 8e9, freeBytes: null },
    { device: "/dev/sdd", label: null, folder: "/media/whole", sizeBytes: 8e9, freeBytes: 5 },
  ]);
});

test("no text makes it throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (given) => {
      expect(Array.isArray(sticksOf(given))).toBe(true);
      expect(sticksOf(`{"blockdevices":[${given}]}`)).toEqual([]);
    }),
  );
});

test("what cannot be written is not offered; without lsblk there is nothing", async () => {
  const folder = tempFolder("sticks");
  const list = async () =>
    text(part("/dev/a1", { rm: true, mountpoints: [folder] }), part("/dev/b1", { rm: true, mountpoints: [join(folder, "none")] }));
  expect((await makeSticks(list).find()).map(({ folder: found }) => found)).toEqual([folder]);
  expect(await makeSticks(() => Promise.reject(new Error("ENOENT"))).find()).toEqual([]);
  expect(Array.isArray(await makeSticks().find())).toBe(true);
});

test("how fast a folder takes data is measured there, and nothing stays", async () => {
  const folder = tempFolder("speed");
  expect(await makeSticks().speed(folder)).toBeGreaterThan(0);
  expect(readdirSync(folder)).toEqual([]);
  expect(await makeSticks().speed(join(folder, "none"))).toBeNull();
  expect(existsSync(join(folder, "none"))).toBe(false);
});

test("a folder's file system is told to write everything out; what is not there cannot be", async () => {
  const folder = tempFolder("settle");
  expect(await makeSticks().settle(folder)).toBe(true);
  expect(await makeSticks().settle(join(folder, "none"))).toBe(false);
});
