/** The built daemon under a service manager: what it says from start to stop. */
import { expect, test } from "vitest";
import { startAgent, until, writeSite } from "../lib/agent.ts";
import { listenNotify } from "../lib/notify.ts";
import { freePort, tempFolder } from "../lib/temp.ts";

test("ready once it records, alive again and again, reloading and ready, stopping", async () => {
  const folder = tempFolder("service");
  const socket = `${folder}/notify`;
  const manager = await listenNotify(socket);
  const config = writeSite({ folder, cameras: [`id: cam1, url: "rtsp://127.0.0.1:${await freePort()}/"`], site: "language: en" });
  const agent = startAgent(config, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "1500000", WATCHDOG_PID: "" });
  const words = () => manager.heard().flatMap((word) => word.split("\n"));
  try {
    await until("ready", 15_000, () => words().includes("READY=1"));
    expect(words()[0]).toBe("EXTEND_TIMEOUT_USEC=120000000");
    expect(words()).toContain("STATUS=starting, comparing the footage with its index");
    await until("alive three times", 5_000, () => words().filter((word) => word === "WATCHDOG=1").length >= 3);
    expect(words()).toContain("STATUS=recording 0 of 1 cameras");
    agent.reload();
    await until("ready again", 5_000, () => words().filter((word) => word === "READY=1").length === 2);
    const phases = words().filter((word) => /^(READY|RELOADING)=/.test(word));
    expect(phases).toEqual(["READY=1", "RELOADING=1", "READY=1"]);
    expect(await agent.stop()).toBe(0);
    expect(words()).toContain("STOPPING=1");
  } finally {
    await agent.kill9();
    await manager.stop();
  }
});
