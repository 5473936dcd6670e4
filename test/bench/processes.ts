/** What the kernel says of running processes. */
import { readFileSync } from "node:fs";

/** USER_HZ: /proc counts processor time in hundredths of a second on every Linux that Debian ships. */
const ticksPerSecond = 100;

/** Fields of /proc/PID/stat after the command's name, which may hold spaces; null where the process is gone. */
function statOf(pid: number): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** User and system seconds of all threads since the process began; NaN where it is gone, so that no figure is made of it. */
export function cpuSeconds(pid: number): number {
  const fields = statOf(pid);
  return fields === null ? Number.NaN : (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The same of its children, and theirs, that have ended and were waited for. */
export function waitedCpuSeconds(pid: number): number {
  const fields = statOf(pid);
  return fields === null ? Number.NaN : (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

/** Resident memory in bytes; NaN where the process is gone. */
export function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
  } catch {
    return Number.NaN;
  }
}

/** Bytes that a process has sent towards a disk; NaN where it is gone or may not be looked at. */
export function writtenBytes(pid: number): number {
  try {
    return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
  } catch {
    return Number.NaN;
  }
}
