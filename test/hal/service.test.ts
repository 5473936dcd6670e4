/** The suite of the service port, on the scripted and the real driver; the manager's socket is a real datagram socket. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scriptService } from "../../hal/script.ts";
import { makeService } from "../../hal/service.ts";
import { sleep, until } from "../lib/agent.ts";
import { listenNotify } from "../lib/notify.ts";
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

/** Ends every Perl that this process has started, and waits until that is seen. */
async function killChildren(): Promise<void> {
  const found = execFileSync("pgrep", ["-P", String(process.pid), "-x", "perl"], { encoding: "utf8" });
  for (const pid of found.trim().split("\n")) process.kill(Number(pid), "SIGKILL");
  await sleep(200);
}
