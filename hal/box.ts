/** Who this box is. systeminformation for the slow inventory at birth; /proc for what is asked often. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { freemem, hostname, loadavg, totalmem, uptime } from "node:os";
import { promisify } from "node:util";
import { osInfo, system } from "systeminformation";
import type { Box } from "./ports.ts";

const run = promisify(execFile);
const inventoryDeadlineMs = 5_000;

export function makeBox(): Box {
  return {
    bootId: () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    identity: async () => {
      const [model, os, ffmpeg] = await Promise.all([
        within(system().then((found) => `${found.manufacturer} ${found.model}`.trim())),
        within(osInfo().then((found) => `${found.distro} ${found.release} ${found.arch}`)),
        within(run("/usr/bin/ffmpeg", ["-version"]).then(({ stdout }) => stdout.split(" ")[2] ?? "unknown")),
      ]);
      return { hostname: hostname(), model, os, node: process.version, ffmpeg };
    },
    vitals: () => ({
      load1: loadavg()[0] ?? 0,
      memoryUsedBytes: totalmem() - freemem(),
      memoryTotalBytes: totalmem(),
      temperatureC: temperature(),
      agentRssBytes: process.memoryUsage.rss(),
      uptimeMs: Math.round(uptime() * 1000),
    }),
  };
}

/** An inventory that hangs or fails is unknown, never a delay. */
async function within(ask: Promise<string>): Promise<string> {
  const { promise, resolve } = lateResolve();
  const timer = setTimeout(() => resolve("unknown"), inventoryDeadlineMs);
  ask.then(resolve, () => resolve("unknown"));
  const answer = await promise;
  clearTimeout(timer);
  return answer;
}

function lateResolve(): { promise: Promise<string>; resolve: (text: string) => void } {
  let resolve: (text: string) => void = () => undefined;
  const promise = new Promise<string>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function temperature(): number | null {
  try {
    return Number(readFileSync("/sys/class/thermal/thermal_zone0/temp", "utf8")) / 1000;
  } catch {
    return null;
  }
}
