/** The suites of the small ports, on the scripted and the real drivers. */
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeBox } from "../../hal/box.ts";
import { makeClock } from "../../hal/clock.ts";
import { knock } from "../../hal/knock.ts";
import { scriptBox, scriptClock, scriptKnock } from "../../hal/script.ts";
import { freePort, tempFolder } from "../lib/temp.ts";

const never = new AbortController().signal;
const aborted = AbortSignal.abort();

describe.each([
  [
    "real",
    () => ({
      clock: makeClock({ driver: "auto" }),
      pass: async (ms: number) => void (await new Promise((resolve) => setTimeout(resolve, ms))),
    }),
  ],
  [
    "scripted",
    () => {
      const clock = scriptClock(Date.parse("2026-11-24T00:00:00Z"));
      return { clock, pass: clock.advance };
    },
  ],
] as const)("the %s clock", (_, make) => {
  test("moves forward on both scales alike", async () => {
    const { clock, pass } = make();
    const [wall, mono] = [clock.wallMs(), clock.monoMs()];
    await pass(60);
    expect(clock.monoMs() - mono).toBeGreaterThanOrEqual(59);
    expect(Math.abs(clock.wallMs() - wall - (clock.monoMs() - mono))).toBeLessThan(20);
    await clock.look(never);
    await clock.look(aborted);
    expect(["synced", "holdover", "unset"]).toContain(clock.trust());
    expect(clock.driver).not.toBe("");
  });

  test("wakes sleepers in the order of their time", async () => {
    const { clock, pass } = make();
    const woken: number[] = [];
    for (const ms of [40, 10, 25]) void clock.sleep(ms, never).then(() => woken.push(ms));
    await pass(100);
    expect(woken).toEqual([10, 25, 40]);
  });

  test("a sleep ends with its signal and never rejects", async () => {
    const { clock } = make();
    const stop = new AbortController();
    const long = clock.sleep(3_600_000, stop.signal);
    stop.abort();
    await long;
    await clock.sleep(3_600_000, aborted);
  });
});

test("the scripted clock steps its wall clock alone", () => {
  const clock = scriptClock(1_000);
  clock.step(-500);
  expect([clock.wallMs(), clock.monoMs()]).toEqual([500, 0]);
});

describe.each(["real", "scripted"] as const)("the %s knock", (kind) => {
  const listening = async () => {
    const port = await freePort();
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return { url: `rtsp://127.0.0.1:${port}/x`, close: () => server.close() };
  };

  test("hears who answers, and nobody where none does", async () => {
    const server = await listening();
    const closed = `rtsp://127.0.0.1:${await freePort()}/x`;
    const driver = kind === "real" ? knock : scriptKnock((url) => url === server.url);
    expect(await driver.knock(server.url, 1_000, never)).toBe(true);
    expect(await driver.knock(closed, 1_000, never)).toBe(false);
    expect(await driver.knock(server.url, 1_000, aborted)).toBe(false);
    server.close();
  });
});

test("a camera's clock is told by its server's Date, if at all", async () => {
  const replies = [
    "RTSP/1.0 200 OK\r\nCSeq: 1\r\nDate: Sat, 01 Jan 2000 00:01:02 GMT\r\n\r\n",
    "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
    "x".repeat(20_000),
    "",
  ];
  const told: (number | null)[] = [];
  for (const reply of replies) {
    const server = createServer((socket) => socket.on("error", () => undefined).once("data", () => socket.end(reply)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    told.push(await knock.clock(`rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/cam1`, 2_000, never));
    server.close();
  }
  expect(told).toEqual([Date.UTC(2000, 0, 1, 0, 1, 2), null, null, null]);
});

test("a knock into the void ends with its deadline or its signal", async () => {
  // TEST-NET-1 (RFC 5737) is answered by nobody.
  expect(await knock.knock("rtsp://192.0.2.1:554/", 200, never)).toBe(false);
  const stop = new AbortController();
  const asked = knock.knock("rtsp://192.0.2.1:554/", 3_600_000, stop.signal);
  stop.abort();
  expect(await asked).toBe(false);
});

describe.each([
  ["real", makeBox],
  ["scripted", () => scriptBox("boot")],
] as const)("the %s box", (_, make) => {
  test("knows its boot, itself and its state", async () => {
    const box = make();
    expect(box.bootId()).toBe(make().bootId());
    for (const text of Object.values(await box.identity())) expect(text).not.toBe("");
    const vitals = box.vitals();
    expect(vitals.memoryUsedBytes).toBeLessThanOrEqual(vitals.memoryTotalBytes);
    expect(vitals.agentRssBytes).toBeGreaterThan(1 << 20);
    expect(vitals.uptimeMs).toBeGreaterThan(0);
    expect([true, false, null]).toContain(await box.shutDownInOrder(box.bootId()));
  });
});

test("the agent's own lateness is measured between two questions", async () => {
  const box = makeBox();
  expect(box.vitals().eventLoopP99Ms).toBeNull();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const until = performance.now() + 300;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(box.vitals().eventLoopP99Ms).toBeGreaterThan(200);
});

test.each([
  ["a thermal zone", { "class/thermal/thermal_zone0/temp": "48312" }, 48.312],
  [
    "the processor's sensor",
    { "class/hwmon/hwmon0/name": "nvme", "class/hwmon/hwmon1/name": "coretemp", "class/hwmon/hwmon1/temp1_input": "61000" },
    61,
  ],
  ["nothing", {}, null],
  ["nonsense", { "class/thermal/thermal_zone0/temp": "-273000" }, null],
  ["an empty word", { "class/thermal/thermal_zone0/temp": "" }, null],
] as const)("the temperature by %s", (_, files, temperatureC) => {
  const root = tempFolder("heat");
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, "sys", path, ".."), { recursive: true });
    writeFileSync(join(root, "sys", path), `${text}\n`);
  }
  expect(makeBox(undefined, root).vitals().temperatureC).toBe(temperatureC);
});
