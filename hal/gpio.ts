/**
 * Mains sensed by a GPIO line, through libgpiod's own tools: version 1 (Debian 12) and 2 (Debian 13) take other options and print other
 * numbers (measured with 1.6.3; 2.x by its source, tools/gpiomon.c). `gpioget` tells the level, `gpiomon` every edge after it.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import type { PowerValue, Probe, Reading } from "./ports.ts";

export type GpioOptions = {
  readonly chip: string;
  readonly line: number;
  /** The level that means: there is mains. */
  readonly mainsIs: "high" | "low";
};
/** The programs, and how long one subscription lasts. Tests have their own. */
export type GpioTools = { readonly gpiomon: string; readonly gpioget: string; readonly roundMs: number };

/** An edge that falls between level and subscription is found out when the level is read anew. */
const debian: GpioTools = { gpiomon: "/usr/bin/gpiomon", gpioget: "/usr/bin/gpioget", roundMs: 30_000 };
const toolMs = 2_000;
const againMs = 1_000;
/** A relay's contact bounces, an optocoupler hums: a level counts once it stood still for this long. */
const stillMs = 200;
/** So many edges within one such stretch after another are no switching. */
const humEdges = 20;
const mostLineBytes = 200;

type Level = { readonly high: boolean; readonly sinceMonoMs: number };
type State = {
  /** What stood still last; null: nothing is known. */
  held: boolean | null;
  now: Level | null;
  edges: number;
  problem: string;
};

/** Begins with its first reading, and ends with that reading's signal. */
export function makeGpio(options: GpioOptions, tools: GpioTools = debian): Probe<PowerValue> {
  const state: State = { held: null, now: null, edges: 0, problem: "gpio not-read-yet" };
  let isWatching = false;
  return {
    driver: "gpio",
    read: async (signal) => {
      if (signal.aborted) return { value: "unknown", evidence: ["stopped"] };
      if (!isWatching) {
        isWatching = true;
        void watch(options, tools, state, signal).finally(() => {
          isWatching = false;
        });
      }
      return readingOf(options, state, performance.now());
    },
  };
}

function readingOf({ mainsIs }: GpioOptions, state: State, monoMs: number): Reading<PowerValue> {
  if (state.now !== null && monoMs - state.now.sinceMonoMs >= stillMs) {
    state.held = state.now.high;
    state.edges = 0;
  }
  if (state.now === null || state.held === null) return { value: "unknown", evidence: [state.problem] };
  if (state.edges > humEdges) return { value: "unknown", evidence: ["gpio hums"] };
  return { value: state.held === (mainsIs === "high") ? "mains" : "battery", evidence: [`gpio ${state.held ? "high" : "low"}`] };
}

/** Level, then edges, again and again, until `signal` aborts. A tool that fails makes the level unknown. */
async function watch(options: GpioOptions, tools: GpioTools, state: State, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const version = await versionOf(tools.gpioget);
    const level = version === null ? "gpio no-tool" : await levelOf(options, tools.gpioget, version);
    if (signal.aborted) return;
    if (typeof level === "string") {
      [state.now, state.held, state.problem] = [null, null, level];
      await pause(againMs, signal);
      continue;
    }
    note(state, level);
    // An edge makes it begin anew at once only where it ended by itself; a tool that ends at once is given a moment.
    if (!(await follow(options, tools, version ?? 1, (high) => note(state, high), signal))) await pause(againMs, signal);
  }
}

function note(state: State, high: boolean): void {
  if (state.now?.high === high) return;
  state.edges += state.now === null ? 0 : 1;
  state.now = { high, sinceMonoMs: performance.now() };
}

/** 1 or 2; null where the tool is not there. */
async function versionOf(tool: string): Promise<number | null> {
  const said = await run(tool, ["--version"]);
  const major = Number(/\bv(\d+)\.\d/.exec(said.text)?.[1] ?? Number.NaN);
  return Number.isNaN(major) ? null : major;
}

async function levelOf({ chip, line }: GpioOptions, tool: string, version: number): Promise<boolean | string> {
  const said = await run(tool, version === 1 ? [chip, String(line)] : ["--numeric", "--chip", chip, String(line)]);
  if (said.text === "1" || said.text === "0") return said.text === "1";
  return `gpio ${said.error === "" ? "unreadable" : said.error}`;
}

function run(tool: string, args: readonly string[]): Promise<{ readonly text: string; readonly error: string }> {
  return new Promise((resolve) => {
    execFile(tool, [...args], { timeout: toolMs, killSignal: "SIGKILL", maxBuffer: 4_096 }, (error, stdout, stderr) => {
      const why = stderr.trim().split("\n")[0] ?? "";
      resolve({ text: error === null ? stdout.trim() : "", error: error === null ? "" : why.slice(0, 60) });
    });
  });
}

/** Takes edges until the round is over or the tool ends; false: it ended by itself. */
function follow(
  options: GpioOptions,
  tools: GpioTools,
  version: number,
  onLevel: (high: boolean) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const { chip, line } = options;
  // Version 1 must be told not to keep lines back; in version 2 the same letter means something else.
  const args = version === 1 ? ["-b", "-F", "%e", chip, String(line)] : ["--format", "%e", "--chip", chip, String(line)];
  return new Promise((resolve) => {
    const child = spawn(tools.gpiomon, args, { stdio: ["ignore", "pipe", "ignore"] });
    let isOver = false;
    const stop = () => {
      isOver = true;
      child.kill("SIGKILL");
    };
    const timer = setTimeout(stop, tools.roundMs);
    signal.addEventListener("abort", stop, { once: true });
    readEdges(child, onLevel);
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      resolve(isOver);
    };
    child.once("error", done);
    child.once("close", done);
  });
}

/** One number a line: 1 rising in both versions; falling is 0 in version 1 and 2 in version 2. */
function readEdges(child: ChildProcess, onLevel: (high: boolean) => void): void {
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = (lines.pop() ?? "").slice(-mostLineBytes);
    for (const text of lines.map((each) => each.trim())) if (text === "0" || text === "1" || text === "2") onLevel(text === "1");
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
