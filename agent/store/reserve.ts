/** `<state>/reserve`: room that is given up when the disk is full, so that the agent can still write down why (contract §6). */
import { closeSync, fsyncSync, openSync, statSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

const reserveName = "reserve";
export const reserveBytes = 8 << 20;

/** Sets the reserve aside; false where there is no room for it now. Written, not truncated: a hole reserves nothing. */
export function keepReserve(state: string): boolean {
  const path = join(state, reserveName);
  if (sizeOf(path) === reserveBytes) return true;
  try {
    const fd = openSync(path, "w", 0o600);
    try {
      const block = Buffer.alloc(1 << 20, 0x5a);
      for (let written = 0; written < reserveBytes; written += block.length) writeSync(fd, block);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return sizeOf(path) === reserveBytes;
  } catch {
    giveUpReserve(state);
    return false;
  }
}

/** Frees the reserve; true where there was one. */
export function giveUpReserve(state: string): boolean {
  try {
    unlinkSync(join(state, reserveName));
    return true;
  } catch {
    return false;
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
