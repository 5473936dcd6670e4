/** Two real versions, the newer one with a step of the database: an update that stays, a way back that takes the database along, one that never starts. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until, writeSite } from "../lib/agent.ts";
import { type Cameras, repository, startCameras } from "../lib/cameras.ts";
import { filesUnder } from "../lib/footage.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { writeProgram } from "../lib/program.ts";
import { tempFolder } from "../lib/temp.ts";
import { makePackage, makeVersions, type Versions } from "../lib/versions.ts";

const addon = "node_modules/better-sqlite3/build/Release/better_sqlite3.node";
const folder = tempFolder("versions");
/** One more step of the database, after all that there are. */
const steps = /(migrations = \[[\s\S]*?)\n\];/;
let cameras: Cameras;
let broker: Mosquitto;
let versions: Versions;
let config = "";
let agent: ChildProcess | null = null;

/** The bundle as a version; `change` makes another one of its text. */
function bundle(home: string, change: (text: string) => string): void {
  execFileSync(process.execPath, [join(repository, "dist/deploy/bundle.js"), home]);
  mkdirSync(join(home, addon, ".."), { recursive: true });
  cpSync(join(repository, addon), join(home, addon));
  writeProgram(join(home, "node"), [`exec ${process.execPath} "$@"`]);
  for (const name of readdirSync(home).filter((file) => file.endsWith(".js"))) {
    const text = readFileSync(join(home, name), "utf8");
    if (change(text) !== text) writeFileSync(join(home, name), change(text));
  }
}

const launcher = () => join(versions.root, "scripts/launcher");
const ask = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(launcher(), [...args, "--config", config], { encoding: "utf8" });
  return { code: status, stdout, stderr };
};
const json = <T>(...args: readonly string[]) => JSON.parse(ask(...args, "--json").stdout) as T;
type Status = { version: string; running: boolean; station: { value: string }; cameras: { state: string }[] };
const isWell = (version: string) => () => {
  const { stdout } = ask("status", "--json");
  if (stdout === "") return false;
  const status = JSON.parse(stdout) as Status;
  return status.version === version && status.station.value === "connected" && status.cameras.every(({ state }) => state === "recording");
};

/** As systemd does: root's look, then the agent. */
function start(): Promise<number | null> {
  versions.script("start");
  const child = spawn(launcher(), ["run", "--config", config], { stdio: "ignore" });
  agent = child;
  return new Promise((resolve) => child.once("close", resolve));
}
async function stop(): Promise<void> {
  const child = agent;
  if (child === null || child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  await ended;
}

beforeAll(async () => {
  cameras = await startCameras({ count: 1, seconds: 300 });
  broker = await startMosquitto();
  const root = join(folder, "root");
  bundle(join(root, "versions/0.1.0"), (text) => text);
  versions = makeVersions(root);
  config = writeSite({
    ...{ folder: join(folder, "site"), state: versions.state, station: `url: "${broker.url}"` },
    cameras: [`id: sub1, url: "${cameras.url("sub1")}"`],
  });
  void start();
  await until("0.1.0 records", 60_000, isWell("0.1.0"));
}, 120_000);
afterAll(async () => {
  await stop();
  agent?.kill("SIGKILL");
  await Promise.all([cameras.stop(), broker.stop()]);
});

type Events = { events: { id: string; db: string; type: string }[] };
const events = () => json<Events>("events").events;
const footageMs = (from: string, to: string) =>
  json<{ recordedMs: number }>("footage", "--camera", "sub1", "--from", from, "--to", to).recordedMs;
const closed = () => filesUnder(join(folder, "site/footage")).filter((name) => name.endsWith(".mkv")).length;

test("an update stays once it has recorded and reached the station; going back later takes the database back and finds the footage again", async () => {
  const [old] = events();
  const newer = makePackage(folder, "0.2.0");
  const tree = join(folder, "tree-0.2.0");
  bundle(join(tree, "opt/matghi/package"), (text) =>
    text.replace('version = "0.1.0"', 'version = "0.2.0"').replace(steps, '$1,\n"ALTER TABLE hold ADD COLUMN novelty TEXT"\n];'),
  );
  execFileSync("dpkg-deb", ["--root-owner-group", "-Znone", "--build", tree, newer], { stdio: "ignore" });
  const update = ask("update", newer, "--allow-unsigned", "--steady", "6s");
  expect([update.code, update.stdout]).toEqual([0, expect.stringContaining("0.2.0")]);
  expect(versions.text("trial")).toMatch(/cameras=sub1\nstation=yes/);
  await stop();

  void start();
  await until("0.2.0 records", 60_000, isWell("0.2.0"));
  const from = new Date().toISOString();
  await until("it has judged itself", 60_000, () => versions.text("state/trial").includes("verdict=good"));
  versions.script("tick");
  expect([versions.running(), versions.has("trial")]).toEqual(["0.2.0", false]);
  expect(ask("audit").stdout).toContain("giữ bản mới");
  const files = closed();
  await until("more files", 30_000, () => closed() > files + 1);
  const to = new Date().toISOString();
  const newerEvents = events();
  await stop();

  expect(ask("update", "--back")).toMatchObject({ code: 1, stderr: expect.stringContaining("--yes") });
  expect(ask("update", "--back", "--yes").code).toBe(0);
  void start();
  await until("0.1.0 records again", 60_000, isWell("0.1.0"));
  const again = events();
  expect(again[0]?.db).not.toBe(old?.db);
  // Numbers of either version come again with the same event, or never.
  const typeOf = new Map(newerEvents.map(({ id, type }) => [id, type]));
  expect(again.filter(({ id, type }) => (typeOf.get(id) ?? type) !== type)).toEqual([]);
  const spanMs = Date.parse(to) - Date.parse(from);
  await until("its footage is found again", 30_000, () => footageMs(from, to) > spanMs - 6_000);
  expect(ask("audit", "--check").code).toBe(0);
}, 240_000);

test("a version that says yes to everything and never starts is left after three starts, and that is written down", async () => {
  rmSync(join(versions.root, "trial"));
  const lines = ['case "$*" in *--version) echo 0.3.0 ;; *check-config*) ;; *) exit 1 ;; esac'];
  expect(ask("update", makePackage(folder, "0.3.0", {}, lines), "--allow-unsigned").code).toBe(0);
  await stop();
  for (let i = 0; i < 3; i += 1) expect(await start()).toBe(1);
  void start();
  await until("0.1.0 records again", 60_000, isWell("0.1.0"));
  expect(versions.text("undone")).toContain("why=3 starts did not last");
  expect(ask("audit").stdout).toContain("quay về bản cũ");
  expect(json<{ todo: { type: string }[] }>("status").todo.map(({ type }) => type)).toContain("update");
  expect(ask("update", "--status").stdout).toContain("Bản 0.3.0 đã bị bỏ");
}, 180_000);
