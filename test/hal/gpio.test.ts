/**
 * Mains over GPIO and the gauges of UPS boards. Their tools are played by programs that take and print exactly what each version does;
 * where the kernel can simulate GPIO chips (gpio-sim), the installed tools are tried too.
 */
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type GaugeName, makeGauge } from "../../hal/gauge.ts";
import { type GpioTools, makeGpio } from "../../hal/gpio.ts";
import type { PowerValue, Probe } from "../../hal/ports.ts";
import { scriptProbe } from "../../hal/script.ts";
import { sleep, until } from "../lib/agent.ts";
import { writeProgram } from "../lib/program.ts";
import { tempFolder } from "../lib/temp.ts";

const never = new AbortController().signal;
let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});
const tell = async (probe: Probe<PowerValue>) => (await probe.read(stop.signal)).value;
/** What is promised: two seconds. */
const sees = (probe: Probe<PowerValue>, value: string) =>
  until(`the power is ${value}`, 2_000, async () => (await tell(probe)) === value, 50);

/** A line whose level a test sets, behind the tools of libgpiod 1 or 2. */
function makeLine(version: 1 | 2, roundMs = 60_000) {
  const folder = tempFolder("gpio");
  const at = (name: string) => join(folder, name);
  for (const name of ["edges", "starts"]) writeFileSync(at(name), "");
  writeFileSync(at("level"), "1\n");
  const said = version === 1 ? "v1.6.3" : "v2.2.1";
  const wants =
    version === 1
      ? { get: "gpiochip0 17", mon: "-b -F %e gpiochip0 17" }
      : { get: "--numeric --chip gpiochip0 17", mon: "--format %e --chip gpiochip0 17" };
  const start = (name: string, want: string) => [
    `[ "$*" = --version ] && echo "${name} (libgpiod) ${said}" && exit 0`,
    `[ "$*" = "${want}" ] || { echo "${name}: cannot find line: $*" >&2; exit 1; }`,
    `[ -e ${at("broken")} ] && { echo "${name}: error reading GPIO values: No such device" >&2; exit 1; }`,
  ];
  const gpioget = writeProgram(at("gpioget"), [...start("gpioget", wants.get), `cat ${at("level")}`]);
  const gpiomon = writeProgram(at("gpiomon"), [
    ...start("gpiomon", wants.mon),
    `echo >> ${at("starts")}`,
    `exec tail -n 0 -f ${at("edges")}`,
  ]);
  const tools: GpioTools = { gpiomon, gpioget, roundMs };
  const edge = (level: 0 | 1) => appendFileSync(at("edges"), `${level === 1 ? 1 : version === 1 ? 0 : 2}\n`);
  return {
    tools,
    edge,
    subscribed: () => until("it subscribes", 3_000, () => readFileSync(at("starts"), "utf8").length > 0, 20).then(() => sleep(100)),
    starts: () => readFileSync(at("starts"), "utf8").length,
    /** Changes behind the subscription's back, as between two of them. */
    quietly: (level: 0 | 1) => writeFileSync(at("level"), `${level}\n`),
    set: (level: 0 | 1) => {
      writeFileSync(at("level"), `${level}\n`);
      edge(level);
    },
    unplug: () => writeFileSync(at("broken"), ""),
    plug: () => rmSync(at("broken")),
  };
}
const sense = (tools: GpioTools, mainsIs: "high" | "low" = "high") => makeGpio({ chip: "gpiochip0", line: 17, mainsIs }, tools);

describe.each([1, 2] as const)("the tools of libgpiod %s", (version) => {
  test("the level at the start, then every change within two seconds", async () => {
    const line = makeLine(version);
    const probe = sense(line.tools);
    expect(await probe.read(stop.signal)).toEqual({ value: "unknown", evidence: ["gpio not-read-yet"] });
    await sees(probe, "mains");
    await line.subscribed();
    for (const [level, value] of [
      [0, "battery"],
      [1, "mains"],
    ] as const) {
      line.set(level);
      await sees(probe, value);
      expect((await probe.read(stop.signal)).evidence).toEqual([`gpio ${level === 1 ? "high" : "low"}`]);
    }
    expect(line.starts()).toBe(1);
  });

  test("a tool that ends is started again, and what was missed is found out", async () => {
    const line = makeLine(version, 300);
    const probe = sense(line.tools);
    await sees(probe, "mains");
    line.quietly(0);
    await sees(probe, "battery");
    expect(line.starts()).toBeGreaterThan(1);
  });

  test("a line that is gone is unknown, never mains, and is taken up again", async () => {
    const line = makeLine(version, 300);
    const probe = sense(line.tools);
    await sees(probe, "mains");
    line.unplug();
    await sees(probe, "unknown");
    expect((await probe.read(stop.signal)).evidence).toEqual(["gpio gpioget: error reading GPIO values: No such device"]);
    line.plug();
    await sees(probe, "mains");
  });

  test("a contact that bounces is what it was until it stands still; one that hums is unknown", async () => {
    const line = makeLine(version);
    const probe = sense(line.tools);
    await sees(probe, "mains");
    await line.subscribed();
    for (const level of [0, 1, 0, 1] as const) line.edge(level);
    await sleep(60);
    expect(await tell(probe)).toBe("mains");
    const hum = setInterval(() => [0, 1].map((level) => line.edge(level as 0 | 1)), 20);
    await until("it hums", 2_000, async () => (await probe.read(stop.signal)).evidence[0] === "gpio hums", 20);
    clearInterval(hum);
    line.set(1);
    await sees(probe, "mains");
  });
});

describe("the line", () => {
  test("may say mains by its low level", async () => {
    const probe = sense(makeLine(1).tools, "low");
    await sees(probe, "battery");
  });
  test("without tools is unknown", async () => {
    const probe = sense({ gpiomon: "/none/gpiomon", gpioget: "/none/gpioget", roundMs: 1_000 });
    await until("it says why", 2_000, async () => (await probe.read(stop.signal)).evidence[0] === "gpio no-tool", 50);
    expect(await probe.read(AbortSignal.abort())).toEqual({ value: "unknown", evidence: ["stopped"] });
  });
  test("leaves no tool running after its signal", async () => {
    const line = makeLine(2);
    const probe = sense(line.tools);
    await sees(probe, "mains");
    await line.subscribed();
    stop.abort();
    const ours = () =>
      readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(line.tools.gpiomon.replace("gpiomon", "edges")));
    await until("it is gone", 2_000, () => !ours(), 50);
  });
});
const commandOf = (pid: string) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
};

const simulator = "/sys/kernel/config/gpio-sim";
test("a simulated chip of the kernel with the installed tools", async (context) => {
  if (!existsSync(simulator) || !existsSync("/usr/bin/gpiomon")) context.skip("this kernel has no gpio-sim, or gpiod is not installed");
  const device = join(simulator, `matghi-${process.pid}`);
  mkdirSync(join(device, "bank0"), { recursive: true });
  writeFileSync(join(device, "live"), "1");
  try {
    const chip = readFileSync(join(device, "bank0/chip_name"), "utf8").trim();
    const pull = `/sys/devices/platform/${readFileSync(join(device, "dev_name"), "utf8").trim()}/${chip}/sim_gpio0/pull`;
    const probe = makeGpio({ chip, line: 0, mainsIs: "high" });
    for (const [level, value] of [
      ["pull-up", "mains"],
      ["pull-down", "battery"],
      ["pull-up", "mains"],
    ] as const) {
      writeFileSync(pull, level);
      await sees(probe, value);
    }
  } finally {
    stop.abort();
    writeFileSync(join(device, "live"), "0");
    for (const folder of [join(device, "bank0"), device]) rmdirSync(folder);
  }
});

/** An `i2ctransfer` that answers from a table of register to bytes, as the real one prints them. */
function makeBus(gauge: GaugeName, mains: Probe<PowerValue> | null = null, lowBelow = 15) {
  const folder = tempFolder("i2c");
  const address = gauge === "ina219" ? "0x42" : "0x36";
  const tool = writeProgram(join(folder, "i2ctransfer"), [
    `[ "$1 $2 $3 $5" = "-y 1 w1@${address} r2" ] || { echo "Error: Sending messages failed: $*" >&2; exit 1; }`,
    `[ -e ${folder}/hang ] && exec sleep 30`,
    `cat ${folder}/$4 2>/dev/null || { echo "Error: Sending messages failed: Remote I/O error" >&2; exit 1; }`,
  ]);
  const put = (register: number, word: number) =>
    writeFileSync(
      join(folder, `0x${register.toString(16).padStart(2, "0")}`),
      `0x${(word >> 8).toString(16).padStart(2, "0")} 0x${(word & 255).toString(16).padStart(2, "0")}\n`,
    );
  return {
    probe: makeGauge({ gauge, bus: 1, lowBelow }, mains, tool),
    /** MAX17040: volts of a cell and percent. */
    max: (volts: number, charge: number) => {
      put(2, Math.round(volts / 0.00125) << 4);
      put(4, Math.round(charge * 256));
    },
    /** INA219: volts of the pack, and millivolts over its shunt: negative while it drains. */
    ina: (volts: number, shuntMv: number) => {
      put(2, Math.round(volts / 0.004) << 3);
      put(1, Math.round(shuntMv * 100) & 0xffff);
    },
    put,
    hang: () => writeFileSync(join(folder, "hang"), ""),
  };
}
const thrice = async (probe: Probe<PowerValue>) => {
  for (let i = 0; i < 2; i += 1) await probe.read(never);
  return probe.read(never);
};

describe("a MAX17040 beside a sense of mains", () => {
  test("says low only on battery, below the limit, and after three readings that agree", async () => {
    const mains = scriptProbe<PowerValue>("mains");
    const { probe, max } = makeBus("max17040", mains);
    expect(probe.driver).toBe("script+max17040");
    max(3.5, 10);
    expect(await thrice(probe)).toEqual({ value: "mains", evidence: ["script mains", "battery 3.50 V", "charge 10"] });
    mains.set("battery");
    expect((await probe.read(never)).value).toBe("low");
    max(3.9, 14.5);
    expect((await probe.read(never)).value).toBe("low");
    max(3.9, 16);
    expect((await thrice(probe)).value).toBe("battery");
  });

  test("one reading that jumps is no low battery", async () => {
    const { probe, max } = makeBus("max17040", scriptProbe<PowerValue>("battery"));
    max(3.9, 80);
    expect((await thrice(probe)).value).toBe("battery");
    max(3.9, 1);
    expect(await probe.read(never)).toEqual({ value: "battery", evidence: ["script battery", "max17040 unsteady"] });
    max(3.9, 80);
    expect((await thrice(probe)).evidence).toContain("charge 80");
  });

  test.each([
    ["no battery at all", 0, 0],
    ["all bits set", 5.118_75, 255],
    ["more than full by far", 4, 200],
  ])("what cannot be is passed over: %s", async (_, volts, charge) => {
    const { probe, max } = makeBus("max17043", scriptProbe<PowerValue>("battery"));
    max(volts, charge);
    const reading = await thrice(probe);
    expect([reading.value, reading.evidence.join()]).toEqual(["battery", expect.stringContaining("impossible")]);
  });

  test("a MAX17041 sees two cells", async () => {
    const { probe, max } = makeBus("max17041", scriptProbe<PowerValue>("mains"));
    max(3.9, 70);
    expect((await thrice(probe)).evidence).toContain("battery 7.80 V");
  });

  test("a board that does not answer, or lets the bus hang, leaves what is known of mains, in time", async () => {
    const { probe, max, hang } = makeBus("max17040", scriptProbe<PowerValue>("battery"));
    expect(await probe.read(never)).toMatchObject({
      value: "battery",
      evidence: ["script battery", expect.stringContaining("Remote I/O error")],
    });
    max(3.9, 80);
    hang();
    const began = performance.now();
    expect((await probe.read(never)).evidence).toContain("max17040 late");
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe("an INA219 alone", () => {
  test("tells mains from battery by the current's way, and low by the cells' voltage", async () => {
    const { probe, ina } = makeBus("ina219");
    ina(8.2, 30);
    expect(await thrice(probe)).toMatchObject({ value: "mains", evidence: ["battery 8.20 V", expect.stringMatching(/^charge 9\d$/)] });
    ina(8.1, -40);
    expect((await probe.read(never)).value).toBe("battery");
    ina(6.6, -40);
    await thrice(probe);
    expect((await thrice(probe)).value).toBe("low");
    ina(8.2, 0);
    expect((await thrice(probe)).value).toBe("mains");
  });

  test("four cells that are nearly empty are not three overcharged ones", async () => {
    const { probe, ina } = makeBus("ina219");
    ina(13.3, -40);
    await thrice(probe);
    expect((await thrice(probe)).value).toBe("low");
  });

  test.each([
    ["zero volts", 0],
    ["more than four cells", 24],
    ["less than a cell", 1.2],
  ])("%s is no reading", async (_, volts) => {
    const { probe, ina } = makeBus("ina219");
    ina(volts, -40);
    expect((await thrice(probe)).value).toBe("unknown");
  });

  test("a reading ends with its signal", async () => {
    expect(await makeBus("ina219").probe.read(AbortSignal.abort())).toEqual({ value: "unknown", evidence: ["stopped"] });
  });
});

test("the installed tools take what is asked of them", (context) => {
  if (!existsSync("/usr/bin/gpioget") || !existsSync("/usr/sbin/i2ctransfer")) context.skip("gpiod and i2c-tools are not installed");
  expect(execFileSync("/usr/bin/gpioget", ["--version"], { encoding: "utf8" })).toMatch(/^gpioget \(libgpiod\) v\d+\.\d/);
});
