/** The built agent as a process of ours, its configuration and its command line. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./cameras.ts";

/** The command line as it is built; MATGHI_DIST names another build, for builds that are broken on purpose. */
export const program: string = join(process.env.MATGHI_DIST ?? join(repository, "dist"), "agent/cli.js");

export type SiteOptions = {
  /** `an-dai-1` where it is left out. */
  readonly id?: string;
  readonly name?: string;
  /** State, footage, secrets and site.yaml stand in here. */
  readonly folder: string;
  /** Each a line of YAML between braces: `id: cam1, url: "rtsp://…"`. */
  readonly cameras: readonly string[];
  /** Further keys of `recording`, as YAML between braces. */
  readonly recording?: string;
  /** The footage folder, where it is not the usual one. */
  readonly footage?: string;
  /** The state folder, where it is not the usual one. */
  readonly state?: string;
  readonly station?: string;
  readonly site?: string;
  /** Further lines of the file. */
  readonly more?: readonly string[];
};

/** Writes a configuration with files of five seconds; returns its path. */
export function writeSite(options: SiteOptions): string {
  const { folder, station, more = [] } = options;
  mkdirSync(folder, { recursive: true });
  const recording = options.recording ?? "segment: 5s, limit: { free: 0B }";
  const lines = [
    `site: { id: ${options.id ?? "an-dai-1"}, commune: nghia-phuong, name: ${options.name ?? "Thôn An Đại 1"}, state: ${options.state ?? `${folder}/state`}${options.site ? `, ${options.site}` : ""} }`,
    `recording: { folder: ${options.footage ?? `${folder}/footage`}, allowSystemDisk: true, ${recording} }`,
    ...(station === undefined ? [] : [`station: { ${station} }`]),
    "cameras:",
    ...options.cameras.map((camera) => `  - { ${camera} }`),
    ...more,
  ];
  const file = join(folder, "site.yaml");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

/** Writes a password file that the configuration accepts. */
export function writeSecret(folder: string, name: string, secret: string): string {
  const file = join(folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return file;
}

export type Answer = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs one command of the built agent. */
export function matghi(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { timeout: 60_000, maxBuffer: 64 << 20, env: { ...process.env, ...env } };
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

export type LogLine = { readonly level: string; readonly time: string; readonly msg: string; readonly [fact: string]: unknown };

export type Agent = {
  readonly pid: number;
  readonly config: string;
  /** All that it has written so far, as it stands. */
  log(): string;
  lines(): readonly LogLine[];
  /** The JSON of a command; the exit code is not looked at. */
  ask<T>(...args: readonly string[]): Promise<T>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  kill9(): Promise<void>;
  reload(): void;
  readonly ended: Promise<number | null>;
};

/** Starts the daemon. `inside` stands before its command and must hand its process over to it (`exec`), so that the id is the agent's. */
export function startAgent(config: string, env: NodeJS.ProcessEnv = {}, inside: readonly string[] = []): Agent {
  const [command = "", ...args] = [...inside, process.execPath, program, "run", "--config", config];
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let text = "";
  child.stdout.on("data", (data: Buffer) => {
    text += data;
  });
  child.stderr.on("data", (data: Buffer) => {
    text += data;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  const dieWithUs = () => void child.kill("SIGKILL");
  process.once("exit", dieWithUs);
  void ended.then(() => process.off("exit", dieWithUs));
  return {
    ...{ pid: child.pid ?? 0, config, ended, log: () => text, lines: () => parseLines(text) },
    ask: async (...args) => ask(config, args),
    stop: () => end(child, ended, "SIGTERM"),
    kill9: async () => void (await end(child, ended, "SIGKILL")),
    reload: () => void child.kill("SIGHUP"),
  };
}

function parseLines(text: string): readonly LogLine[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as LogLine);
}

/** The JSON that a command prints, whatever its exit code. */
export async function ask<T>(config: string, args: readonly string[]): Promise<T> {
  const answer = await matghi([...args, "--json", "--config", config]);
  if (answer.stdout === "") throw new Error(`matghi ${args.join(" ")} printed nothing: ${answer.stderr}`);
  return JSON.parse(answer.stdout) as T;
}

async function end(child: ChildProcess, ended: Promise<number | null>, signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  return ended;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until the answer is something; throws after `ms`, naming what was waited for. */
export async function until<T>(what: string, ms: number, look: () => T | Promise<T>, everyMs = 100): Promise<NonNullable<T>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await sleep(everyMs);
  }
}

/** Median, 95th of a hundred and worst, as the fault suites print them; a single value as it is. */
export function figure(name: string, values: readonly number[], unit: string): string {
  if (values.length === 1) return `figure: ${name}: ${values[0]?.toFixed(2)} ${unit}`;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN).toFixed(2);
  return `figure: ${name}: median ${at(0.5)} ${unit}, p95 ${at(0.95)}, worst ${at(1)} of ${sorted.length}`;
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
