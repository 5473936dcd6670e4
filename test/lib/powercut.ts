/**
 * A power cut as a disk sees it. The box's disk is an ext4 of its own on a loop device; at the cut the kernel stops it between two
 * writes, without its journal's last flush (FS_IOC_SHUTDOWN with NOLOGFLUSH), and what was only in memory is gone. Needs root.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Disk, makeDisk } from "./disk.ts";

export type PowerDisk = Disk & {
  /** Cuts the power: from here on nothing reaches the disk. Resolves with the wall clock of that moment, in milliseconds. */
  cut(): Promise<number>;
  /** After every process of the box was killed: the disk as the cut left it, its journal replayed by mounting it. */
  restore(): Promise<void>;
};

/** Makes, formats and mounts it at `<folder>/<name>`. */
export async function makePowerDisk(folder: string, name: string, megabytes: number): Promise<PowerDisk> {
  const disk = makeDisk(folder, name, megabytes);
  let breaker = await makeBreaker(disk.mountPoint);
  return {
    ...disk,
    cut: () => breaker.cut(),
    restore: async () => {
      disk.revive();
      breaker = await makeBreaker(disk.mountPoint);
    },
    remove: () => {
      breaker.end();
      disk.remove();
    },
  };
}

/** FS_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH (linux/fs.h, fs/ext4/ext4.h). The folder is opened only at the cut. */
const breakerProgram = `
import fcntl, os, struct, sys, time
print("ready", flush=True)
if sys.stdin.readline():
    fd = os.open(sys.argv[1], os.O_RDONLY)
    at = time.time()
    fcntl.ioctl(fd, 0x8004587d, struct.pack("I", 2))
    print(int(at * 1000), flush=True)
`;

type Breaker = { cut(): Promise<number>; end(): void };

/** Stands ready, so that between the order and the cut lies no start of a program. */
async function makeBreaker(mountPoint: string): Promise<Breaker> {
  const child = spawn("/usr/bin/python3", ["-c", breakerProgram, mountPoint], { stdio: ["pipe", "pipe", "inherit"] });
  await nextLine(child);
  return {
    cut: async () => {
      child.stdin?.end("cut\n");
      return Number(await nextLine(child));
    },
    end: () => void child.kill("SIGKILL"),
  };
}

function nextLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (data: Buffer) => resolve(String(data).trim()));
    child.once("exit", (code) => reject(new Error(`the power breaker ended with ${code}`)));
  });
}

/**
 * Before a command that should see a machine that was booted anew: in a mount namespace of its own another file lies over
 * /proc/sys/kernel/random/boot_id. The process keeps its id, and the namespace ends with it.
 * Disks come and go in it as outside where their folder's mounts are shared (`shareMounts`).
 */
export function newBoot(folder: string): readonly string[] {
  const bootId = randomUUID();
  const file = join(folder, `boot-${bootId}`);
  writeFileSync(file, `${bootId}\n`);
  return [
    "unshare",
    "--mount",
    "--propagation",
    "slave",
    "sh",
    "-c",
    'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"',
    file,
  ];
}
