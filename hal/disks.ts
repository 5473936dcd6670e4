/** The disks under a folder as the kernel tells of them: which they are, eMMC wear, errors counted (sysfs; kernel: Documentation/ABI, mmc and ext4). */
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { DiskFacts, Disks } from "./ports.ts";

/** A disk under encryption under a volume manager is three steps down; more is a circle. */
const mostSteps = 6;
const deadlineMs = 2_000;

/** `root`: where /sys is; `numberOf`: the block device that a path lies on, as `8:17`. Tests have their own. */
export function makeDisks(root = "/", numberOf: (path: string) => Promise<string> = deviceNumber): Disks {
  return {
    under: async (path) => {
      const look = findDisks(root, path, numberOf).catch(() => []);
      return Promise.race([look, late()]);
    },
  };
}

/** A folder on a file system that hangs is on no disk that we know. */
const late = () => new Promise<readonly DiskFacts[]>((resolve) => setTimeout(resolve, deadlineMs, []).unref());

/** Linux's encoding of a device number (glibc, sys/sysmacros.h). */
async function deviceNumber(path: string): Promise<string> {
  const { dev } = await stat(path, { bigint: true });
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}

async function findDisks(root: string, path: string, numberOf: (path: string) => Promise<string>): Promise<readonly DiskFacts[]> {
  // What is not there yet will lie where its parent does.
  const number = await numberOf(path).catch(() => numberOf(dirname(path)));
  const mounted = await realpath(join(root, "sys/dev/block", number));
  const fileSystemErrors = numberIn(await textOf(join(root, "sys/fs/ext4", basename(mounted), "errors_count")));
  const whole = [...new Set(await wholeDisks(mounted, mostSteps))].sort();
  return Promise.all(whole.map((disk) => factsOf(disk, fileSystemErrors)));
}

/** A partition belongs to the disk around it; a mapped device lies on others. */
async function wholeDisks(device: string, steps: number): Promise<readonly string[]> {
  if (steps === 0) return [device];
  const below = await readdir(join(device, "slaves")).catch(() => []);
  if (below.length > 0) {
    const found = await Promise.all(below.map(async (name) => wholeDisks(await realpath(join(device, "slaves", name)), steps - 1)));
    return found.flat();
  }
  return (await textOf(join(device, "partition"))) === null ? [device] : [dirname(device)];
}

async function factsOf(disk: string, fileSystemErrors: number | null): Promise<DiskFacts> {
  const told = (name: string) => textOf(join(disk, "device", name));
  return {
    device: basename(disk),
    wornPercent: lifeOf(await told("life_time")),
    spares: sparesOf(await told("pre_eol_info")),
    ioErrors: numberIn(await told("ioerr_cnt")),
    fileSystemErrors,
  };
}

/** eMMC 5 (JEDEC JESD84-B51, EXT_CSD 268 and 269): for two kinds of cells, each step a tenth of the life; 0x0b: beyond it. */
function lifeOf(text: string | null): number | null {
  const steps = (text ?? "").split(/\s+/).map(numberIn);
  const known = steps.filter((step): step is number => step !== null && step >= 1 && step <= 11);
  return known.length === 0 ? null : Math.max(...known) * 10;
}

/** eMMC's EXT_CSD 267: how much of its spare blocks is used. */
function sparesOf(text: string | null): DiskFacts["spares"] {
  const words = { 1: "enough", 2: "few", 3: "none" } as const;
  const step = numberIn(text);
  return step === 1 || step === 2 || step === 3 ? words[step] : null;
}

/** Decimal, or hexadecimal with its 0x. */
function numberIn(text: string | null): number | null {
  const value = Number(text === null || text === "" ? Number.NaN : text);
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

const textOf = (path: string) =>
  readFile(path, "utf8").then(
    (text) => text.trim().slice(0, 100),
    () => null,
  );
