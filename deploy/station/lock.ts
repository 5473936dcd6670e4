/** One of the station's tools at a time: each reads the register, changes it and writes it back. */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** Longer than an installation with its packages takes. */
const patienceSeconds = 900;
const silentMs = 1_000;

/**
 * Runs `work` under flock(1), which ends with this process however that ends, so that no lock is left behind.
 * `onWait` is called once where another is at work. False: it did not come free in time, and nothing was done.
 */
export async function alone(file: string, onWait: () => void, work: () => Promise<void>): Promise<boolean> {
  mkdirSync(dirname(file), { recursive: true });
  const held = spawn("flock", ["--timeout", String(patienceSeconds), file, "sh", "-c", "echo; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = setTimeout(onWait, silentMs);
  const isHeld = await new Promise<boolean>((resolve, reject) => {
    held.stdout.once("data", () => resolve(true));
    held.once("exit", () => resolve(false));
    held.once("error", reject);
  });
  clearTimeout(waiting);
  if (!isHeld) return false;
  try {
    await work();
  } finally {
    held.stdin.end();
  }
  return true;
}
