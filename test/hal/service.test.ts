/** The suite of the service port, on the scripted and the real driver; the manager's socket is a real datagram socket. */
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scriptService } from "../../hal/script.ts";
import { makeService } from "../../hal/service.ts";
import { sleep, until } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { listenNotify, type Notified } from "../lib/notify.ts";
import { tempFolder } from "../lib/temp.ts";

describe.each([
  ["real", () => makeService({}, () => undefined)],
  ["scripted", () => scriptService()],
] as const)("the %s service where nobody watches", (_, make) => {
  test("takes every word and does nothing of it", async () => {
    const service = make();
    expect(service.watchdogMs).toBeNull();
    service.tell({ phase: "ready", alive: true, status: "well" });
    await service.end();
  });
});

test("each word arrives whole, in order, at a path and at an abstract address", async () => {
  for (const socket of [join(tempFolder("notify"), "socket"), `@matghi-test-${process.pid}`]) {
    const manager = await listenNotify(socket);
    const service = makeService({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: "60000000" }, (line) => expect(line).toBe(""));
    expect(service.watchdogMs).toBe(60_000);
    service.tell({ phase: "starting", status: "đang khởi động" });
    service.tell({ phase: "ready" });
    service.tell({ alive: true, status: "hai\ndòng\0một" });
    service.tell({ alive: false, status: "x".repeat(500) });
    service.tell({ phase: "stopping" });
    await service.end();
    await until("five words", 5_000, () => manager.heard().length === 5);
    expect(manager.heard()).toEqual([
      "EXTEND_TIMEOUT_USEC=120000000\nSTATUS=đang khởi động",
      "READY=1",
      "WATCHDOG=1\nSTATUS=hai dòng một",
      `STATUS=${"x".repeat(200)}`,
      "STOPPING=1",
    ]);
    await manager.stop();
  }
});

test("a watchdog that watches another process is not ours", () => {
  const env = { NOTIFY_SOCKET: "/nowhere", WATCHDOG_USEC: "60000000" };
  // What the agent starts would tell of its own ends.
  const given = { ...env, WATCHDOG_PID: "1", LANG: "C" };
  makeService(given, () => undefined);
  expect(given).toEqual({ LANG: "C" });
  expect(makeService({ ...env, WATCHDOG_PID: "1" }, () => undefined).watchdogMs).toBeNull();
  expect(makeService({ ...env, WATCHDOG_PID: String(process.pid) }, () => undefined).watchdogMs).toBe(60_000);
});

test("a manager that is away is said, and told again when it is back", async () => {
  const socket = join(tempFolder("notify"), "socket");
  const said: string[] = [];
  const service = makeService({ NOTIFY_SOCKET: socket }, (line) => said.push(line));
  service.tell({ phase: "ready" });
  await until("the complaint", 5_000, () => said.length === 1);
  expect(said[0]).toMatch(/could not be told: notify: No such file/);
  const manager = await listenNotify(socket);
  service.tell({ alive: true });
  await until("the word", 5_000, () => manager.heard().length === 1);
  await manager.stop();
  rmSync(socket, { force: true });
  await service.end();
});

test("its mouth may be killed: the next word finds another", async () => {
  const socket = join(tempFolder("notify"), "socket");
  const manager = await listenNotify(socket);
  const service = makeService({ NOTIFY_SOCKET: socket }, () => undefined);
  service.tell({ phase: "ready" });
  await until("the first word", 5_000, () => manager.heard().length === 1);
  await killChildren();
  service.tell({ alive: true });
  await until("the second word", 5_000, () => manager.heard().length === 2);
  await service.end();
  await manager.stop();
});

test.each([
  ["is not there", () => "/nowhere/perl", "ENOENT"],
  ["may not be started", () => unexecutable(), "EACCES"],
  ["ends by itself", () => "/bin/false", ""],
])(
  "where Perl %s, systemd-notify speaks, in order; ready is said again, for nobody knows whether it was heard",
  async (_, place, reason) => {
    const socket = join(tempFolder("notify"), "socket");
    const manager = await listenNotify(socket);
    const said: string[] = [];
    const service = makeService({ NOTIFY_SOCKET: socket }, (line) => said.push(line), { perl: place() });
    service.tell({ phase: "starting" });
    await sleep(1_000);
    service.tell({ phase: "ready", status: "ghi" });
    service.tell({ alive: true });
    service.tell({ phase: "stopping" });
    await service.end();
    await until("three words", 5_000, () => wordsOf(manager).length === 3);
    expect(wordsOf(manager)).toEqual(["READY=1 STATUS=ghi", "WATCHDOG=1", "STOPPING=1"]);
    if (reason !== "") expect(said.join("\n")).toMatch(new RegExp(`could not be told: spawn .*${reason}`));
    await manager.stop();
  },
);

/** Without what systemd-notify says for itself. */
const wordsOf = (manager: Notified) =>
  manager
    .heard()
    .filter((word) => word !== "BARRIER=1")
    .map((word) => word.replaceAll("\n", " "));

function unexecutable(): string {
  const file = join(tempFolder("notify"), "perl");
  writeFileSync(file, "", { mode: 0o644 });
  return file;
}

/** As in a container whose /dev is not its own; Perl itself needs it for `-e`. Needs root for a mount and another user. */
test("where /dev/null cannot be opened it is told all the same", async () => {
  const folder = tempFolder("null");
  chmodSync(folder, 0o755);
  const [socket, none] = [join(folder, "socket"), join(folder, "none")];
  writeFileSync(none, "", { mode: 0o600 });
  const manager = await listenNotify(socket);
  chmodSync(socket, 0o666);
  // It imports nothing of the project: its text goes along.
  const script = `${readFileSync(join(repository, "dist/hal/service.js"), "utf8")}
    const service = makeService({ NOTIFY_SOCKET: process.argv[1] }, console.log);
    service.tell({ phase: "ready" });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    service.tell({ alive: true });
    await service.end();`;
  const asOther = 'mount --bind "$0" /dev/null && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"';
  const node = [process.execPath, "--input-type=module", "-e", script, socket];
  const said = execFileSync("unshare", ["--mount", "sh", "-c", asOther, none, ...node], { encoding: "utf8", cwd: "/" });
  expect(said).toMatch(/could not be told: .*\/dev\/null/);
  await until("a word", 5_000, () => wordsOf(manager).length === 1);
  expect(wordsOf(manager)).toEqual(["READY=1 WATCHDOG=1"]);
  await manager.stop();
});

test("a word that died with its mouth is said again when it was that we are ready", async () => {
  const socket = join(tempFolder("notify"), "socket");
  const manager = await listenNotify(socket);
  const service = makeService({ NOTIFY_SOCKET: socket }, () => undefined, { perl: "/bin/false" });
  service.tell({ phase: "ready" });
  await sleep(1_000);
  service.tell({ alive: true });
  await service.end();
  await until("a word", 5_000, () => wordsOf(manager).length === 1);
  expect(wordsOf(manager)).toEqual(["READY=1 WATCHDOG=1"]);
  await manager.stop();
});

test("where nothing can speak it is said to us, and nothing else happens", async () => {
  const said: string[] = [];
  const service = makeService({ NOTIFY_SOCKET: "/nowhere" }, (line) => said.push(line), { perl: "/nowhere/a", notify: "/nowhere/b" });
  service.tell({ phase: "ready" });
  await until("the first complaint", 5_000, () => said.some((line) => line.includes("/nowhere/a")));
  service.tell({ alive: true });
  await until("the second", 5_000, () => said.some((line) => line.includes("/nowhere/b")));
  await service.end();
});

/** Ends every Perl that this process has started, and waits until that is seen. */
async function killChildren(): Promise<void> {
  const found = execFileSync("pgrep", ["-P", String(process.pid), "-x", "perl"], { encoding: "utf8" });
  for (const pid of found.trim().split("\n")) process.kill(Number(pid), "SIGKILL");
  await sleep(200);
}
