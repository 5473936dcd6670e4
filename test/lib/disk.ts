/** A small disk of our own on a loop device. Needs root. */
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "./agent.ts";
import { signalRecorders } from "./footage.ts";

export type Disk = {
  readonly mountPoint: string;
  mount(): void;
  /** Taken away under open files, as by a pulled cable. */
  unmount(): void;
  readOnly(on: boolean): void;
  /** Every write waits until it is thawed, as of a disk that is too slow. */
  freeze(on: boolean): void;
  /** Fills what is left; `makeRoom` takes it away again. */
  fill(): void;
  makeRoom(): void;
  /** From here on no write reaches it, as of a disk whose electronics died. */
  die(): void;
  /** After `die`: mounts what had reached it, its journal replayed. Nobody may use it any more. */
  revive(): void;
  /** Puts an empty disk in its place, not mounted yet. A new one, since another mount namespace may still hold the old one open. */
  replace(): void;
  remove(): void;
};

const run = (command: string, ...args: readonly string[]) => void execFileSync(command, [...args], { stdio: ["ignore", "ignore", "pipe"] });

/** Makes, formats and mounts it at `<folder>/<name>`. */
export function makeDisk(folder: string, name: string, megabytes: number): Disk {
  const mountPoint = join(folder, name);
  mkdirSync(mountPoint, { recursive: true });
  let made = 0;
  let image = "";
  const next = () => {
    const before = image;
    made += 1;
    image = join(folder, `${name}-${made}.img`);
    return before;
  };
  const ballast = join(mountPoint, "ballast");
  const disk: Disk = {
    mountPoint,
    mount: () => run("mount", "-o", "loop", image, mountPoint),
    unmount: () => run("umount", "-l", mountPoint),
    readOnly: (on) => run("mount", "-o", `remount,${on ? "ro" : "rw"}`, mountPoint),
    freeze: (on) => run("fsfreeze", on ? "--freeze" : "--unfreeze", mountPoint),
    fill: () => fillUp(ballast),
    makeRoom: () => rmSync(ballast, { force: true }),
    // FS_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH (linux/fs.h, fs/ext4/ext4.h).
    die: () =>
      run(
        "python3",
        ...["-c", "import fcntl, os, struct, sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))"],
        mountPoint,
      ),
    revive: () => {
      // Another mount namespace may still hold the old file system open; a copy of what reached the disk is surely free of it.
      const before = next();
      run("cp", "--sparse=always", before, image);
      run("umount", "-l", mountPoint);
      rmSync(before);
      disk.mount();
    },
    replace: () => {
      rmSync(next(), { force: true });
      const fd = openSync(image, "w");
      ftruncateSync(fd, megabytes * 2 ** 20);
      closeSync(fd);
      run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", image);
    },
    remove: () => {
      try {
        run("umount", "-l", mountPoint);
      } catch {
        // It was taken away already.
      }
      rmSync(image, { force: true });
    },
  };
  disk.replace();
  disk.mount();
  return disk;
}

/** From here on what is mounted below it, or taken away, is so in the namespaces of `newBoot`, too; gives the way back. */
export function shareMounts(folder: string): () => void {
  run("mount", "--bind", folder, folder);
  run("mount", "--make-shared", folder);
  return () => run("umount", "-l", folder);
}

/**
 * Turns it read-only under a running agent. A remount is refused while files are open for writing – the kernel's own emergency remount is
 * not –, so what writes into the cameras' folders is ended until it goes through. Throws where it never does.
 */
export async function forceReadOnly(disk: Disk, cameraFolders: readonly string[]): Promise<void> {
  for (let left = 100; ; left -= 1) {
    try {
      return disk.readOnly(true);
    } catch (error) {
      if (left === 0) throw error;
    }
    for (const folder of cameraFolders) signalRecorders(folder, "SIGKILL");
    await sleep(20);
  }
}

function fillUp(path: string): void {
  for (const bytes of [1 << 20, 64 << 10, 4 << 10]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes, 7), { flag: "a" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
}
