/** What a look as root found, in one small file on a memory file system: `matghi inspect` writes it, the agent reads it. */
import { constants } from "node:fs";
import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Inspection, Inspections } from "./ports.ts";

const version = 1;
/** A handful of disks fill some two kilobytes. */
const mostBytes = 65_536;

export function makeInspections(path: string): Inspections {
  return {
    read: () => read(path).catch(() => null),
    write: async (inspection) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o755 });
      const beside = `${path}.${process.pid}`;
      await writeFile(beside, `${JSON.stringify({ v: version, ...inspection })}\n`, { mode: 0o644 });
      await rename(beside, path);
    },
  };
}

/** Opened without waiting: a pipe in its place must not hold a thread. What is cut off, or too long, is no JSON. */
async function read(path: string): Promise<Inspection | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, null);
    const told = JSON.parse(buffer.toString("utf8", 0, bytesRead)) as Partial<Inspection> & { readonly v?: unknown };
    return told.v === version && isWhole(told) ? told : null;
  } finally {
    await file.close();
  }
}

function isWhole(told: Partial<Inspection>): told is Inspection {
  const { boot, monoMs, disks, throttled } = told;
  const isDisk = (disk: Inspection["disks"][number]) => typeof disk?.device === "string" && typeof disk.smart?.kind === "string";
  return (
    typeof boot === "string" &&
    Number.isFinite(monoMs) &&
    Array.isArray(disks) &&
    disks.every(isDisk) &&
    (throttled === null || Number.isFinite(throttled))
  );
}
