/** What an errand's mark says of a process, as agent/cli/mark.ts must read it. */
import { readFileSync } from "node:fs";

export const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** No process has this number: kernel.pid_max is 4194304 at most. */
export const deadPid = 4_194_305;

/** Field 22 of a process's stat; what is made up of one that there is none of. */
export function startOf(pid: number): number {
  if (pid === deadPid) return 1;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}

/** Boot, process, its start. */
export const markOf = (pid: number): string => `${bootId} ${pid} ${startOf(pid)}`;
