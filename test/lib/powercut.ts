/**
 * A power cut as a disk sees it. The box's disk is an ext4 of its own on a loop device; at the cut the kernel stops it between two
 * writes, without its journal's last flush (FS_IOC_SHUTDOWN with NOLOGFLUSH), and what was only in memory is gone. Needs root.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type PowerDisk = {
  readonly mountPoint: string;
  /** Cuts the power: from here on nothing reaches the disk. Resolves with the wall clock of that moment, in milliseconds. */
  cut(): Promise<number>;
  /** After every process of the box was killed: the disk as the cut left it, its journal replayed by mounting it. */
  restore(): Promise<void>;
  remove(): void;
};

const run = (command: string, ...args: readonly string[]) => void execFileSync(command, [...args], { stdio: ["ignore", "ignore", "pipe"] });

/** Makes, formats and mounts it at `<folder>/<name>`. */
export async function makePowerDisk(folder: string, name: string, megabytes: number): Promise<PowerDisk> {
  const mountPoint = join(folder, name);
  mkdirSync(mountPoint, { recursive: true });
  let lives = 0;
  let image = join(folder, `${name}-0.img`);
  const fd = openSync(image, "w");
  ftruncateSync(fd, megabytes * 2 ** 20);
  closeSync(fd);
  run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", image);
  run("mount", "-o", "loop", image, mountPoint);
  let breaker = await makeBreaker(mountPoint);
  return {
    mountPoint,
    cut: () => breaker.cut(),
    restore: async () => {
      // Another mount namespace may still hold the old file system open; a copy of what reached the disk is surely free of it.
      const before = image;
      lives += 1;
      image = join(folder, `${name}-${lives}.img`);
      run("cp", "--sparse=always", before, image);
      run("umount", "-l", mountPoint);
      rmSync(before);
      run("mount", "-o", "loop", image, mountPoint);
      breaker = await makeBreaker(mountPoint);
    },
    remove: () => {
      breaker.end();
      run("umount", "-l", mountPoint);
      rmSync(image, { force: true });
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
 */
export function newBoot(folder: string): readonly string[] {
  const bootId = randomUUID();
  const file = join(folder, `boot-${bootId}`);
  writeFileSync(file, `${bootId}\n`);
  return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"', file];
}
