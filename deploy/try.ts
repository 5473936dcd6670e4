/** `./deploy/try`: a whole site on this machine, from the same parts as a real one. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseDuration } from "../agent/config/units.ts";
import { type Cameras, repository, startCameras } from "../test/lib/cameras.ts";
import { startMosquitto } from "../test/lib/mosquitto.ts";

const run = promisify(execFile);
const cameraNames = ["cam1", "cam2", "h265", "g711"] as const;
/** Without --for the cameras still end some day. */
const longestSeconds = 7 * 86_400; // below the 24.8 days that a timer can hold
const login = { user: "agent", password: "thu-nghiem" };
/** Reads the board, and may do what an officer may; the password is another one each time. */
const officer = { user: "truc-ban", password: randomBytes(6).toString("hex") };
const say = (text: string) => void process.stdout.write(`${text}\n`);

function readArguments(args: readonly string[]): number | null {
  if (args.length === 0) return null;
  const ms = args[0] === "--for" && args.length === 2 ? parseDuration(args[1] ?? "") : null;
  if (ms !== null && ms > 0) return ms;
  process.stderr.write("usage: deploy/try [--for 60s]\n");
  process.exit(2);
}

function writeSite(folder: string, cameras: Cameras, broker: string): string {
  mkdirSync(join(folder, "secrets"), { recursive: true });
  const secret = join(folder, "secrets/cameras");
  writeFileSync(secret, `${login.password}\n`);
  chmodSync(secret, 0o600);
  const entries = cameraNames.map(
    (name, i) =>
      `  - { id: ${name}, name: Camera ${i + 1}, url: "${cameras.url(name)}", username: ${login.user}, passwordFile: ${secret} }`,
  );
  const text = [
    `site: { id: thu-nghiem, commune: xa-mau, name: Điểm thử nghiệm, state: ${folder}/state }`,
    `station: { url: "${broker}" }`,
    `recording: { folder: ${folder}/footage, allowSystemDisk: true, segment: 10s, limit: { size: 2GB, free: 100MB } }`,
    "cameras:",
    ...entries,
  ];
  const file = join(folder, "site.yaml");
  writeFileSync(file, `${text.join("\n")}\n`);
  return file;
}

type Found = { readonly camera: string; readonly recordedMs: number };

async function recorded(config: string, from: string, to: string): Promise<readonly Found[]> {
  const ask = async (camera: string): Promise<Found> => {
    const args = ["footage", "--config", config, "--json", "--camera", camera, "--from", from, "--to", to];
    const answer = await run(join(repository, "deploy/matghi"), args).catch((error: { stdout?: string }) => ({
      stdout: error.stdout ?? "",
    }));
    return { camera, recordedMs: answer.stdout === "" ? 0 : (JSON.parse(answer.stdout) as { recordedMs: number }).recordedMs };
  };
  return Promise.all(cameraNames.map(ask));
}

const ended = (child: ChildProcess) =>
  new Promise<void>((resolve) => (child.exitCode !== null ? resolve() : child.once("exit", () => resolve())));

async function main(): Promise<number> {
  const forMs = readArguments(process.argv.slice(2));
  const folder = mkdtempSync(join(tmpdir(), "matghi-try-"));
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  const seconds = forMs === null ? longestSeconds : Math.ceil(forMs / 1000) + 120;
  const cameras = await startCameras({ count: 2, digest: `${login.user}:${login.password}`, seconds });
  const broker = await startMosquitto({
    board: { page: join(repository, "dist/board/index.html"), config: { commune: "xa-mau", name: "Công an xã Mẫu" }, officer },
  });
  const config = writeSite(folder, cameras, broker.url);
  const from = new Date().toISOString();
  const agent = spawn(process.execPath, [join(repository, "dist/agent/cli.js"), "run", "--config", config], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  say(`recording ${cameraNames.length} simulated cameras into ${folder}/footage`);
  say(`the station's board: ${broker.board} (user ${officer.user}, password ${officer.password})`);
  say(`  ./deploy/matghi status --config ${config}`);
  say(`  ./deploy/matghi footage --config ${config} --camera cam1 --from ${from} --to ${new Date(Date.now() + 60_000).toISOString()}`);
  say(`  mosquitto_sub -p ${broker.port} -v -t 'matghi/#'`);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, forMs ?? longestSeconds * 1000);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    stop.signal.addEventListener("abort", end);
    agent.once("exit", end);
  });
  const to = new Date().toISOString();
  agent.kill("SIGTERM");
  await ended(agent);
  const found = await recorded(config, from, to);
  for (const { camera, recordedMs } of found)
    say(`${camera}: ${(recordedMs / 1000).toFixed(1)} s recorded of ${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)} s`);
  await Promise.all([cameras.stop(), broker.stop()]);
  if (forMs === null || process.env.MATGHI_TRY_KEEP === undefined) rmSync(folder, { recursive: true, force: true });
  else say(`kept: ${folder}`);
  return found.every(({ recordedMs }) => recordedMs > 0) ? 0 : 1;
}

process.exitCode = await main();
