/** USB sticks that are plugged in, as util-linux's `lsblk` tells of them, and how fast a folder takes data. */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Stick, Sticks } from "./ports.ts";

const deadlineMs = 5_000;
const mostText = 4 << 20;
const probeBytes = 8 << 20;

/** `list`: the JSON of lsblk; tests have their own. */
export function makeSticks(list: () => Promise<string> = askKernel): Sticks {
  return {
    find: async () => {
      const found = sticksOf(await list().catch(() => "{}"));
      const writable = await Promise.all(found.map(({ folder }) => folder === null || isWritable(folder)));
      return found.filter((_, i) => writable[i] === true);
    },
    settle,
    speed: measure,
  };
}

function askKernel(): Promise<string> {
  const columns = "PATH,RM,HOTPLUG,TRAN,RO,TYPE,FSTYPE,LABEL,SIZE,MOUNTPOINTS,FSAVAIL";
  return new Promise((resolve, reject) =>
    execFile("lsblk", ["--json", "--bytes", "-o", columns], { timeout: deadlineMs, maxBuffer: mostText }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    ),
  );
}

const isWritable = (folder: string) =>
  access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );

type Device = Readonly<Record<string, unknown>>;

/** What a text of lsblk says; nothing where it is none. A removable disk hands its nature down to its partitions. */
export function sticksOf(text: string): readonly Stick[] {
  try {
    const { blockdevices } = JSON.parse(text) as { blockdevices?: unknown };
    return devicesIn(blockdevices).flatMap((device) => under(device, false));
  } catch {
    return [];
  }
}

const devicesIn = (value: unknown): readonly Device[] =>
  Array.isArray(value) ? value.filter((entry): entry is Device => typeof entry === "object" && entry !== null) : [];

function under(device: Device, isRemovable: boolean): readonly Stick[] {
  const removable = isRemovable || device.rm === true || device.hotplug === true || device.tran === "usb";
  const inner = devicesIn(device.children).flatMap((child) => under(child, removable));
  const holdsFiles = typeof device.fstype === "string" && ["disk", "part"].includes(String(device.type));
  return removable && holdsFiles && device.ro !== true ? [stickOf(device), ...inner] : inner;
}

function stickOf(device: Device): Stick {
  const mounts: readonly unknown[] = Array.isArray(device.mountpoints) ? device.mountpoints : [];
  const folder = mounts.find((entry): entry is string => typeof entry === "string" && entry.startsWith("/")) ?? null;
  return {
    ...{ device: String(device.path), label: typeof device.label === "string" ? device.label : null, folder },
    ...{ sizeBytes: Number(device.size) || 0, freeBytes: device.fsavail == null ? null : Number(device.fsavail) },
  };
}

/** coreutils' sync, of the one file system: a stick may take minutes for what was written in seconds. */
const settleMs = 15 * 60_000;
const settle = (folder: string): Promise<boolean> =>
  new Promise((resolve) => execFile("sync", ["--file-system", folder], { timeout: settleMs }, (error) => resolve(error === null)));

/** Bytes a second that reach the medium; null where it takes nothing. */
async function measure(folder: string): Promise<number | null> {
  const path = join(folder, `.matghi-speed-${process.pid}`);
  const beganMs = performance.now();
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(Buffer.alloc(probeBytes, 0x5a));
      await file.sync();
    } finally {
      await file.close();
    }
    return probeBytes / ((performance.now() - beganMs) / 1_000);
  } catch {
    return null;
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}
