/** The senses of power that read a UPS or the kernel: NUT on Debian's own `upsd` with its dummy UPS, sysfs on trees made for it. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { makeNut } from "../../hal/nut.ts";
import type { PowerValue, Probe } from "../../hal/ports.ts";
import { firstTelling } from "../../hal/probe.ts";
import { scriptProbe } from "../../hal/script.ts";
import { makeSupply } from "../../hal/supply.ts";
import { until } from "../lib/agent.ts";
import { freePort, tempFolder } from "../lib/temp.ts";
import { runUps } from "../lib/ups.ts";

const never = new AbortController().signal;
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const tell = async (probe: Probe<PowerValue>) => (await probe.read(never)).value;

/** Waits until the probe says `value`; throws after two seconds, the figure that is promised. */
const sees = (probe: Probe<PowerValue>, value: string, withinMs = 2_000) =>
  until(`the power is ${value}`, withinMs, async () => (await tell(probe)) === value, 100);

describe("NUT", () => {
  async function startUps() {
    const ups = await runUps();
    ends.push(ups.stop);
    const probe = makeNut({ port: ups.port });
    await sees(probe, "mains", 10_000);
    return { probe, ...ups };
  }
  const killed = async (child: ChildProcess) => {
    child.kill("SIGKILL");
    await until("it is gone", 5_000, () => child.signalCode !== null);
  };

  test("mains, battery, low and mains again are each seen within two seconds, with what the UPS says", async () => {
    const { probe, set } = await startUps();
    for (const [status, value] of [
      ["OB DISCHRG", "battery"],
      ["OB LB", "low"],
      ["OL CHRG", "mains"],
    ] as const) {
      set(status);
      await sees(probe, value);
      expect((await probe.read(never)).evidence).toEqual([`ups ${status}`, "charge 83", "runtime 1240"]);
    }
  }, 30_000);

  test("a driver that died is unknown, and not mains", async () => {
    const { probe, driver } = await startUps();
    await killed(driver);
    await sees(probe, "unknown", 6_000);
    expect((await probe.read(never)).evidence.join()).toMatch(/stale|not-connected/);
  }, 30_000);

  test("a server that hangs is unknown within the second, one that died as well", async () => {
    const { probe, server } = await startUps();
    server.kill("SIGSTOP");
    expect(await probe.read(never)).toEqual({ value: "unknown", evidence: ["nut late"] });
    await killed(server);
    expect(await probe.read(never)).toEqual({ value: "unknown", evidence: ["nut ECONNREFUSED"] });
  }, 30_000);

  test("a UPS that the server does not know is unknown, whatever its name holds", async () => {
    const { port } = await startUps();
    for (const ups of ["other", 'a" b\nLIST UPS']) expect(await tell(makeNut({ port, ups }))).toBe("unknown");
    expect(await tell(makeNut({ port, ups: "ups" }))).toBe("mains");
  }, 30_000);
});

describe("a server that is no NUT", () => {
  async function serve(act: (socket: Socket) => void): Promise<Probe<PowerValue>> {
    const server: Server = createServer(act);
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    ends.push(() => server.close());
    return makeNut({ port, ups: "ups" });
  }
  test.each<[string, (socket: Socket) => void, RegExp]>([
    ["says nothing", () => undefined, /late/],
    ["hangs up", (socket) => socket.end(), /closed|ECONNRESET/],
    ["never ends", (socket) => void socket.on("error", () => undefined).write("x".repeat(100_000)), /too-long/],
    ["gives no status", (socket) => socket.end('BEGIN LIST VAR ups\nVAR ups battery.charge "nonsense"\nEND LIST VAR ups\n'), /no-status/],
    ["is stale", (socket) => socket.end("ERR DATA-STALE\n"), /data-stale/],
    ["gives a status that nobody knows", (socket) => socket.end('VAR ups ups.status "TRIM CAL"\nEND LIST VAR ups\n'), /TRIM/],
  ])("%s: unknown, in time", async (_, act, evidence) => {
    const reading = await (await serve(act)).read(never);
    expect(reading.value).toBe("unknown");
    expect(reading.evidence.join()).toMatch(evidence);
  });

  test.each([
    ["OL", "mains"],
    ["OL CHRG LB", "mains"],
    ["OB DISCHRG", "battery"],
    ["OB LB", "low"],
    ["LB", "unknown"],
    ["FSD OL", "low"],
    ["BYPASS", "unknown"],
  ])("of its words %s the power is %s", async (status, value) => {
    const probe = await serve((socket) => socket.end(`VAR ups ups.status "${status}"\nEND LIST VAR ups\n`));
    expect(await tell(probe)).toBe(value);
  });

  test("a reading ends with its signal", async () => {
    const probe = await serve(() => undefined);
    const stop = new AbortController();
    const reading = probe.read(stop.signal);
    stop.abort();
    expect(await reading).toEqual({ value: "unknown", evidence: ["stopped"] });
    expect(await probe.read(stop.signal)).toEqual({ value: "unknown", evidence: ["stopped"] });
  });
});

type Tree = Readonly<Record<string, Readonly<Record<string, string>>>>;
function treeOf(tree: Tree): string {
  const root = tempFolder("sys");
  for (const [path, facts] of Object.entries(tree)) {
    mkdirSync(join(root, path), { recursive: true });
    for (const [fact, value] of Object.entries(facts)) writeFileSync(join(root, path, fact), `${value}\n`);
  }
  return root;
}
const supplies = (tree: Tree) =>
  makeSupply(treeOf(Object.fromEntries(Object.entries(tree).map(([name, facts]) => [`class/power_supply/${name}`, facts]))));

describe("the kernel's supplies", () => {
  const ac = (online: string) => ({ type: "Mains", online });
  const battery = (status: string, capacity: string) => ({ type: "Battery", status, capacity });
  test.each<[string, Tree, string, readonly string[]]>([
    ["none", {}, "unsupported", []],
    ["a feed that is on", { AC: ac("1") }, "mains", ["AC online 1"]],
    ["a feed that is off and nothing else", { AC: ac("0") }, "unknown", ["AC online 0"]],
    [
      "on battery",
      { AC: ac("0"), BAT0: battery("Discharging", "64") },
      "battery",
      ["AC online 0", "BAT0 status Discharging", "BAT0 capacity 64"],
    ],
    [
      "almost empty",
      { AC: ac("0"), BAT0: battery("Discharging", "10") },
      "low",
      ["AC online 0", "BAT0 status Discharging", "BAT0 capacity 10"],
    ],
    [
      "one of two batteries almost empty",
      { AC: ac("0"), B0: battery("Discharging", "2"), B1: battery("Discharging", "80") },
      "battery",
      ["AC online 0", "B0 status Discharging", "B0 capacity 2", "B1 status Discharging", "B1 capacity 80"],
    ],
    ["a battery alone that charges", { BAT0: battery("Charging", "5") }, "mains", ["BAT0 status Charging", "BAT0 capacity 5"]],
    [
      "a battery alone that says nothing of itself",
      { BAT0: battery("Unknown", "50") },
      "unknown",
      ["BAT0 status Unknown", "BAT0 capacity 50"],
    ],
    [
      "a battery that tells its level",
      { BAT0: { ...battery("Discharging", "40"), capacity_level: "Critical" } },
      "low",
      ["BAT0 status Discharging", "BAT0 capacity 40"],
    ],
    ["a mouse's battery", { mouse: { ...battery("Discharging", "3"), scope: "Device" } }, "unsupported", []],
    ["two feeds, one on", { AC: ac("0"), usb: { type: "USB", online: "1" } }, "mains", ["AC online 0", "usb online 1"]],
  ])("%s", async (_, tree, value, evidence) => {
    expect(await supplies(tree).read(never)).toEqual({ value, evidence });
  });

  test("a Raspberry Pi's feed that dips is told beside what is known of mains", async () => {
    const hwmon = { "class/hwmon/hwmon0": { name: "cpu_thermal" }, "class/hwmon/hwmon1": { name: "rpi_volt", in0_lcrit_alarm: "1" } };
    expect(await makeSupply(treeOf(hwmon)).read(never)).toEqual({ value: "unsupported", evidence: ["under-voltage"] });
    const calm = { ...hwmon, "class/hwmon/hwmon1": { name: "rpi_volt", in0_lcrit_alarm: "0" } };
    expect(await makeSupply(treeOf(calm)).read(never)).toEqual({ value: "unsupported", evidence: [] });
  });

  test("a supply that goes away is no mains", async () => {
    const root = treeOf({ "class/power_supply/AC": ac("1") });
    const probe = firstTelling([makeSupply(root)]);
    expect([await tell(probe), probe.driver]).toEqual(["mains", "sysfs"]);
    rmSync(join(root, "class/power_supply/AC"), { recursive: true });
    expect([await tell(probe), probe.driver]).toEqual(["unknown", "sysfs"]);
  });

  test("a reading after its signal is none", async () => {
    expect(await makeSupply("/nowhere").read(AbortSignal.abort())).toEqual({ value: "unknown", evidence: ["stopped"] });
  });
});

describe("auto", () => {
  test("takes the first that tells something, and keeps to it", async () => {
    const [first, second] = [scriptProbe<PowerValue>("unknown"), scriptProbe<PowerValue>("unsupported")];
    const probe = firstTelling<PowerValue>([first, { ...second, driver: "second" }]);
    expect([await tell(probe), probe.driver]).toEqual(["unsupported", "none"]);
    second.set("mains");
    expect([await tell(probe), probe.driver]).toEqual(["mains", "second"]);
    first.set("battery");
    second.set("unknown");
    expect(await tell(probe)).toBe("unknown");
  });
});
