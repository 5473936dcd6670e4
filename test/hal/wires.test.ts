/** The suite of `Wires`, on the scripted and the real driver: a stream from another network, over a good line and one that loses packets. Needs root. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wireSigns } from "../../agent/core/line.ts";
import type { Wire } from "../../hal/ports.ts";
import { scriptWires } from "../../hal/script.ts";
import { makeWires } from "../../hal/wires.ts";
import { sleep, until } from "../lib/agent.ts";
import { makeNetwork, type Network } from "../lib/netns.ts";
import { writeProgram } from "../lib/program.ts";
import { tempFolder } from "../lib/temp.ts";

const never = new AbortController().signal;
const folder = tempFolder("wires");
const port = 8554;
let network: Network;
let camera: ChildProcess;
let socket: Socket;

/** Two megabits a second, as a camera sends them. */
const stream = `require("node:net").createServer((s) => {
  const timer = setInterval(() => s.write(Buffer.alloc(2800)), 10);
  s.on("error", () => undefined).on("close", () => clearInterval(timer)).resume();
}).listen(${port}, () => console.log("open"))`;

beforeAll(async () => {
  network = makeNetwork(13);
  const [first = "", ...more] = network.inside;
  camera = spawn(first, [...more, process.execPath, "-e", stream], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => camera.stdout?.once("data", resolve));
  socket = connect({ host: network.address, port }).resume();
  socket.on("error", () => undefined);
  await until("it streams", 10_000, () => socket.bytesRead > 50_000);
});
afterAll(() => {
  socket.destroy();
  camera.kill("SIGKILL");
  network.remove();
});

describe.each(["real", "scripted"] as const)("the %s wires", (kind) => {
  const made = (): Wire => ({
    ...{
      address: network.address,
      port,
      localPort: socket.localPort ?? 0,
      rttMs: 1,
      receivedBytes: socket.bytesRead,
      segments: 500,
      outOfOrder: 0,
    },
  });
  const wires = kind === "real" ? makeWires() : scriptWires(() => [made()]);

  test("tells of a stream from its other end, and of no other port", async () => {
    const [wire, ...others] = (await wires.read([port, 9], never)) ?? [];
    expect([wire?.address, wire?.port, wire?.localPort, others]).toEqual([network.address, port, socket.localPort, []]);
    expect(wire?.rttMs).toBeLessThan(100);
    expect(wire?.receivedBytes).toBeGreaterThan(50_000);
    expect(wire?.segments).toBeGreaterThan(10);
    expect(await wires.read([9], never)).toEqual([]);
    expect(await wires.read([], never)).toEqual([]);
    expect(await wires.read([port], AbortSignal.abort())).toBeNull();
  });
});

test("five lost packets in a hundred are seen as packets out of order; a good line has none", async () => {
  const wires = makeWires();
  const read = async () => (await wires.read([port], never))?.[0] ?? null;
  const over = async (ms: number) => {
    const before = await read();
    await sleep(ms);
    return wireSigns(before, await read()).outOfOrderPercent;
  };
  expect(await over(2_000)).toBe(0);
  network.lose(5);
  const seen = await over(5_000);
  expect(network.lost()).toBeGreaterThan(0);
  network.heal();
  process.stdout.write(`figure: packets out of order where 5 of 100 are lost: ${seen} %\n`);
  expect(seen).toBeGreaterThan(0.5);
}, 30_000);

describe("ss", () => {
  const ss = (name: string, ...lines: string[]) => makeWires(writeProgram(join(folder, name), lines));
  const info = "cubic wscale:7,7 rto:204 rtt:12.3/4.5 bytes_received:81237 segs_in:800 data_segs_in:712 rcv_ooopack:31 lastrcv:4";
  const wire = { port: 554, localPort: 40_112, rttMs: 12.3, receivedBytes: 81_237, segments: 712, outOfOrder: 31 };

  test.each([
    ["IPv4", "192.168.1.20:554", "192.168.1.20"],
    ["IPv6", "[fe80::1%eth0]:554", "fe80::1"],
    ["IPv4 in an IPv6 socket", "[::ffff:192.168.1.20]:554", "192.168.1.20"],
  ])("an address of %s", async (name, peer, address) => {
    const wires = ss(name.replace(/\W/g, "-"), `echo '0 0 192.168.1.2:40112 ${peer} ${info}'`);
    expect(await wires.read([554], never)).toEqual([{ address, ...wire }]);
  });

  test.each([
    ["nothing", "true", []],
    [
      "a connection that has not sent yet",
      "echo '0 0 10.0.0.1:1 10.0.0.2:554 cubic'",
      [{ address: "10.0.0.2", port: 554, localPort: 1, rttMs: null, receivedBytes: 0, segments: 0, outOfOrder: 0 }],
    ],
    ["nonsense", "echo 'Netid State'; echo; echo ':::: : :'", []],
    ["a failure", "exit 1", null],
    ["endless output", "yes '0 0 10.0.0.1:1 10.0.0.2:554'", null],
    ["a program that hangs", "exec sleep 100", null],
  ])("%s", async (name, body, expected) => {
    expect(await ss(name.replace(/\W/g, "-"), body).read([554], never)).toEqual(expected);
  });

  test("is asked for these ports only, and need not be there", async () => {
    const seen = join(folder, "seen");
    await ss("args", `echo "$*" > ${seen}`).read([554, 8554], never);
    expect(readFileSync(seen, "utf8")).toBe("-tinOH state established ( dport = :554 or dport = :8554 )\n");
    expect(await makeWires("/none/ss").read([554], never)).toBeNull();
  });
});
