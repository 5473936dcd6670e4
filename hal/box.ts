/** Who this box is. systeminformation for the slow inventory at birth; /proc for what is asked often; wtmp and the journal for how it went down. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { arch, freemem, hostname, loadavg, totalmem, uptime } from "node:os";
import { join } from "node:path";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { promisify } from "node:util";
import { system } from "systeminformation";
import type { Box } from "./ports.ts";

const run = promisify(execFile);
const inventoryDeadlineMs = 5_000;
const journalDeadlineMs = 3_000;
const mostRecords = 100;

/** Where a box writes down how it went down. */
export type BoxRecords = {
  readonly wtmp: string;
  /** On a memory file system: its boot record is the present boot's. */
  readonly utmp: string;
  readonly journalctl: string;
  readonly layout: UtmpLayout;
};
/** glibc's `struct utmp`, little-endian: type at 0, user at 44. `timeAt` and `timeBytes` are its time. */
export type UtmpLayout = { readonly bytes: number; readonly timeAt: number; readonly timeBytes: number };

/** By glibc's bits/utmp.h: where 32-bit programs share the file (x86-64) the time has 32 bits; on arm64 it has 64. */
export const utmpLayouts = {
  x64: { bytes: 384, timeAt: 340, timeBytes: 8 },
  arm64: { bytes: 400, timeAt: 344, timeBytes: 16 },
} as const;
const debian: BoxRecords = {
  wtmp: "/var/log/wtmp",
  utmp: "/run/utmp",
  journalctl: "/usr/bin/journalctl",
  layout: process.arch === "arm64" ? utmpLayouts.arm64 : utmpLayouts.x64,
};

/** `root`: where /sys is; tests have their own. */
export function makeBox(records: BoxRecords = debian, root = "/"): Box {
  let turns: IntervalHistogram | null = null;
  return {
    shutDownInOrder: async (bootId) => (await orderOfWtmp(records)) ?? (await orderOfJournal(records.journalctl, bootId)),
    bootId: () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    identity: async () => {
      const [model, ffmpeg] = await Promise.all([
        within(system().then((found) => `${found.manufacturer} ${found.model}`.trim())),
        within(run("/usr/bin/ffmpeg", ["-version"]).then(({ stdout }) => stdout.split(" ")[2] ?? "unknown")),
      ]);
      return { hostname: hostname(), model, os: systemName(root), node: process.version, ffmpeg };
    },
    vitals: () => {
      const eventLoopP99Ms = turns === null ? null : lateness(turns);
      // Nobody but the agent asks twice: the others have no timer of it.
      turns ??= watchTurns();
      return {
        load1: loadavg()[0] ?? 0,
        memoryUsedBytes: totalmem() - freemem(),
        memoryTotalBytes: totalmem(),
        temperatureC: temperature(root),
        agentRssBytes: process.memoryUsage.rss(),
        uptimeMs: Math.round(uptime() * 1000),
        eventLoopP99Ms,
      };
    },
  };
}

/** An inventory that hangs, fails or tells nothing is unknown, never a delay. */
/** By os-release(5). systeminformation's osInfo asks for the host's full name besides (`hostname -f`), and blocks for seconds where DNS is dead. */
function systemName(root: string): string {
  const text = textOf(join(root, "etc/os-release"));
  const told = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(text)?.[1];
  const name = told("NAME");
  return name === undefined ? "unknown" : [name, told("VERSION_ID"), arch()].filter((part) => part !== undefined).join(" ");
}

/** Empty where it cannot be read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

async function within(ask: Promise<string>): Promise<string> {
  const { promise, resolve } = lateResolve();
  const timer = setTimeout(() => resolve("unknown"), inventoryDeadlineMs);
  ask.then(
    (text) => resolve(text === "" ? "unknown" : text),
    () => resolve("unknown"),
  );
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

/** Looked at this often; what comes later than that is the lateness. */
const turnMs = 20;

function watchTurns(): IntervalHistogram {
  const turns = monitorEventLoopDelay({ resolution: turnMs });
  turns.enable();
  return turns;
}

function lateness(turns: IntervalHistogram): number {
  const ms = turns.percentile(99) / 1e6 - turnMs;
  turns.reset();
  return Math.round(Math.max(0, ms) * 10) / 10;
}

/** Sensors of the processor itself, where the kernel has no thermal zone. */
const processors = ["coretemp", "k10temp", "cpu_thermal"];

function temperature(root: string): number | null {
  const zone = milliDegrees(join(root, "sys/class/thermal/thermal_zone0/temp"));
  if (zone !== null) return zone;
  try {
    const sensors = join(root, "sys/class/hwmon");
    const name = readdirSync(sensors).find((each) => processors.includes(readFileSync(join(sensors, each, "name"), "utf8").trim()));
    return name === undefined ? null : milliDegrees(join(sensors, name, "temp1_input"));
  } catch {
    return null;
  }
}

/** null where it is not there, or no temperature that a box can have. */
function milliDegrees(path: string): number | null {
  try {
    const degrees = Number(readFileSync(path, "utf8").trim() || Number.NaN) / 1000;
    return degrees > -40 && degrees < 150 ? degrees : null;
  } catch {
    return null;
  }
}

type UtmpRecord = { readonly kind: "boot" | "shutdown" | "other"; readonly time: Buffer };
const runLevel = 1;
const bootTime = 2;

/** What stands before this boot's record: a shutdown, or an earlier boot that never came to one. null: the file tells nothing of this boot. */
async function orderOfWtmp({ wtmp, utmp, layout }: BoxRecords): Promise<boolean | null> {
  const [written, now] = await Promise.all([readRecords(wtmp, layout), readRecords(utmp, layout)]);
  const at = written.findLastIndex(({ kind }) => kind === "boot");
  const time = written[at]?.time;
  // Debian 13 writes neither file; a wtmp that came over from Debian 12 speaks of boots long ago.
  if (time === undefined || !now.some((record) => record.kind === "boot" && record.time.equals(time))) return null;
  const before = written.slice(0, at);
  return before.length === 0 ? null : before.findLast(({ kind }) => kind !== "other")?.kind === "shutdown";
}

/** The last records of a file, oldest first; a torn one at its end and empty ones are left out. Empty where it cannot be read. */
async function readRecords(path: string, layout: UtmpLayout): Promise<readonly UtmpRecord[]> {
  const file = await open(path, "r").catch(() => null);
  if (file === null) return [];
  try {
    const whole = Math.floor((await file.stat()).size / layout.bytes);
    const count = Math.min(whole, mostRecords);
    const buffer = Buffer.alloc(count * layout.bytes);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, (whole - count) * layout.bytes);
    const starts = Array.from({ length: Math.floor(bytesRead / layout.bytes) }, (_, i) => i * layout.bytes);
    return starts.flatMap((start) => toRecord(buffer.subarray(start, start + layout.bytes), layout));
  } catch {
    return [];
  } finally {
    await file.close();
  }
}

function toRecord(record: Buffer, { timeAt, timeBytes }: UtmpLayout): readonly UtmpRecord[] {
  const type = record.readInt16LE(0);
  if (type === 0) return [];
  const isShutdown = type === runLevel && record.toString("latin1", 44, 76).startsWith("shutdown\0");
  return [{ kind: type === bootTime ? "boot" : isShutdown ? "shutdown" : "other", time: record.subarray(timeAt, timeAt + timeBytes) }];
}

/** What the system manager says while it takes the system down (systemd 252 to 257). */
const goingDown = /^(Shutting down\.|Reached target .*(shutdown|power ?off|reboot|halt|kexec).*)$/im;

/**
 * The last words of that boot's process 1. Only its own: a person who logs out, too, reaches a "target Shutdown".
 * null: the journal keeps nothing of that boot, or this user may not read it.
 */
async function orderOfJournal(journalctl: string, bootId: string): Promise<boolean | null> {
  // journalctl knows the form without dashes only.
  const id = bootId.replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(id)) return null;
  const args = ["--system", "-b", id, "-n", "200", "-o", "cat", "--no-pager", "-q", "_PID=1"];
  const bounds = { timeout: journalDeadlineMs, killSignal: "SIGKILL", maxBuffer: 1_048_576 } as const;
  const said = await run(journalctl, args, { ...bounds, env: { ...process.env, LC_ALL: "C" } }).then(
    ({ stdout }) => stdout,
    () => "",
  );
  return said.trim() === "" ? null : goingDown.test(said);
}
