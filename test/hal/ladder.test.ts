/** The box's own link: on trees made for it, and in a real network namespace whose gateway and cable fail. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { makeLadder } from "../../hal/ladder.ts";
import type { WifiCount } from "../../hal/ports.ts";
import { scriptWifi, scriptWitness } from "../../hal/script.ts";
import { until } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { makeNetwork } from "../lib/netns.ts";
import { tempFolder } from "../lib/temp.ts";

const never = new AbortController().signal;
const routeHead = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";
const routeLine = (name: string, gateway: string, metric: number) =>
  `${name}\t00000000\t${gateway}\t0003\t0\t0\t${metric}\t00000000\t0\t0\t0`;
const arpLine = (flags: string) => `192.168.1.1      0x1         ${flags}         02:fc:00:00:00:05     *        eth0`;

const limits = { weakBelow: -75, retriesAbove: 100, bitrateBelow: 6 };

function siteOf(options: { readonly interface?: string } = {}) {
  const root = tempFolder("ladder");
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  };
  let answers: boolean | null = true;
  let nowMs = 0;
  let addresses = ["192.168.1.20"];
  write("proc/net/route", `${routeHead}\n${routeLine("wlan0", "0101A8C0", 600)}\n${routeLine("eth0", "0101A8C0", 100)}`);
  write("proc/net/arp", `IP address       HW type     Flags       HW address            Mask     Device\n${arpLine("0x0")}`);
  for (const name of ["eth0", "wlan0"]) {
    write(`sys/class/net/${name}/carrier`, "1");
    write(`sys/class/net/${name}/operstate`, "up");
  }
  const witness = scriptWitness(() => answers);
  let count: WifiCount | null = null;
  const wifi = scriptWifi(() => count);
  const probe = makeLadder({ ...limits, ...options }, { ask: witness.ask, wifi: wifi.count }, () => nowMs, {
    ...{ proc: join(root, "proc"), sys: join(root, "sys"), addresses: () => addresses },
  });
  return {
    ...{ root, write, witness, wifi },
    /** What the wifi card has counted from now on. */
    counts: (next: WifiCount | null) => {
      count = next;
    },
    remove: (path: string) => rmSync(join(root, path), { recursive: true }),
    answer: (value: boolean | null) => {
      answers = value;
    },
    address: (...list: string[]) => {
      addresses = list;
    },
    /** Readings of so many seconds; the last one. */
    pass: async (seconds: number) => {
      let reading = await probe.read(never);
      for (let i = 0; i < seconds; i += 1) {
        nowMs += 1_000;
        reading = await probe.read(never);
      }
      return reading;
    },
    probe,
  };
}
const wireless = (level: string) =>
  `Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n wlan0: 0000   54.  ${level}  -256        0      0      0      0      0        0`;

describe("the rungs", () => {
  test("all stand: up, by the default route of the lowest metric", async () => {
    const { pass, witness } = siteOf();
    expect(await pass(3)).toEqual({ value: "up", evidence: ["eth0"] });
    expect(witness.asked).toEqual(["192.168.1.1"]);
  });

  test("the cable is pulled, and its route is gone with it: the interface is the finding", async () => {
    const { pass, write } = siteOf();
    await pass(1);
    write("sys/class/net/eth0/carrier", "0");
    write("sys/class/net/eth0/operstate", "down");
    write("proc/net/route", routeHead);
    expect(await pass(1)).toEqual({ value: "down", evidence: ["rung interface", "eth0 down"] });
  });

  test("an interface that is gone altogether", async () => {
    const { pass, remove, write } = siteOf();
    await pass(1);
    remove("sys/class/net/eth0");
    write("proc/net/route", routeHead);
    expect(await pass(1)).toEqual({ value: "down", evidence: ["rung interface", "eth0 gone"] });
  });

  test.each([[[]], [["169.254.7.7"]]])("no address, or one that the box gave itself: %j", async (list) => {
    const { pass, address } = siteOf();
    address(...list);
    expect(await pass(1)).toEqual({ value: "down", evidence: ["rung address", "eth0"] });
  });

  test("no way out", async () => {
    const { pass, write } = siteOf({ interface: "eth0" });
    write("proc/net/route", routeHead);
    expect(await pass(1)).toEqual({ value: "down", evidence: ["rung gateway", "eth0 no-route"] });
  });

  test("a gateway that is silent on every way is the finding, after three asks; its return is up at once", async () => {
    const { pass, answer, witness } = siteOf();
    await pass(1);
    answer(false);
    expect((await pass(29)).value).toBe("up");
    expect(await pass(6)).toEqual({ value: "down", evidence: ["rung gateway", "192.168.1.1 silent"] });
    answer(true);
    expect((await pass(3)).value).toBe("up");
    expect(witness.asked.length).toBeLessThan(10);
  });

  test("a gateway that answers no ping but is known on the wire is there", async () => {
    const { pass, answer, write } = siteOf();
    answer(false);
    write("proc/net/arp", `head\n${arpLine("0x2")}`);
    expect((await pass(60)).value).toBe("up");
  });

  test("a gateway that nobody could ask is not silent", async () => {
    const { pass, answer } = siteOf();
    answer(null);
    expect((await pass(60)).value).toBe("up");
  });

  test("a minute of peace costs two pings", async () => {
    const { pass, witness } = siteOf();
    await pass(59);
    expect(witness.asked).toHaveLength(2);
  });

  test("a box that never had a default route cannot tell", async () => {
    const { pass, write, remove } = siteOf();
    write("proc/net/route", routeHead);
    expect(await pass(1)).toEqual({ value: "unknown", evidence: ["no-default-route"] });
    remove("proc");
    expect((await pass(1)).value).toBe("unknown");
  });

  test.each(["", "garbage", `${routeHead}\neth0\nx y z`])("a table of routes that is none: %j", async (table) => {
    const { pass, write } = siteOf();
    write("proc/net/route", table);
    expect((await pass(1)).value).toBe("unknown");
  });

  test("ends with its signal", async () => {
    expect(await siteOf().probe.read(AbortSignal.abort())).toEqual({ value: "unknown", evidence: ["stopped"] });
  });
});

test("a wireless signal is weak below the setting, and good again three dB above it", async () => {
  const { pass, write } = siteOf({ interface: "wlan0" });
  const values: string[] = [];
  for (const level of ["-60.", "-75.", "-76.", "-73.", "-72.", "-75."]) {
    write("proc/net/wireless", wireless(level));
    values.push((await pass(1)).value);
  }
  expect(values).toEqual(["up", "up", "weak", "weak", "up", "up"]);
  expect((await pass(0)).evidence).toEqual(["wlan0", "signal -75 dBm"]);
});

describe("what a wifi card counts", () => {
  const count = (packets: number, retries: number | null, bitrateMbps: number | null): WifiCount => ({
    signalDbm: -60,
    packets,
    retries,
    bitrateMbps,
  });
  /** A minute in which each look finds what `step` makes of its number. */
  const minute = async ({ pass, counts }: ReturnType<typeof siteOf>, step: (look: number) => WifiCount | null) => {
    for (let look = 0; look < 7; look += 1) {
      counts(step(look));
      await pass(10);
    }
    return pass(0);
  };
  const onWifi = () => {
    const site = siteOf({ interface: "wlan0" });
    site.write("sys/class/net/wlan0/phy80211/name", "phy0");
    return site;
  };

  test("more retries than the setting are weak, and good again a quarter below it", async () => {
    const site = onWifi();
    expect(await minute(site, (look) => count(look * 100, look * 101, 72.2))).toEqual({
      ...{ value: "weak", evidence: ["wlan0", "signal -60 dBm", "retries 101/100", "bitrate 72.2 Mbit/s"] },
      wifi: { signalDbm: -60, retriesPercent: 101, bitrateMbps: 72.2 },
    });
    expect((await minute(site, (look) => count(1_000 + look * 100, 1_000 + look * 90, 72.2))).value).toBe("weak");
    expect((await minute(site, (look) => count(2_000 + look * 100, 2_000 + look * 79, 72.2))).value).toBe("up");
    // Once every ten seconds, and never more.
    expect(site.wifi.asked.length).toBeLessThanOrEqual(22);
  });

  test("the best rate of a minute counts: one slow packet is no slow line", async () => {
    const site = onWifi();
    expect((await minute(site, (look) => count(look * 100, 0, look === 3 ? 54 : 1))).value).toBe("up");
    expect((await minute(site, (look) => count(1_000 + look * 100, 0, 5.5))).value).toBe("weak");
  });

  test.each([
    ["few packets", (look: number) => count(look * 5, look * 50, 72.2)],
    ["a card that does not count retries", (look: number) => count(look * 100, null, 72.2)],
    ["a card that joined anew", (look: number) => count(look === 6 ? 10 : 1_000 + look * 100, look * 200, 72.2)],
    ["nobody who tells", () => null],
  ] as const)("%s: nothing is said of retries", async (_, step) => {
    const reading = await minute(onWifi(), step);
    expect([reading.value, reading.wifi?.retriesPercent]).toEqual(["up", null]);
  });

  test("an interface that is no wifi has nobody to ask", async () => {
    const { pass, wifi } = siteOf();
    expect((await pass(30)).wifi).toBeUndefined();
    expect(wifi.asked).toEqual([]);
  });
});

test("in a real network: a gateway that dies, a cable that is pulled, and both again", async () => {
  const network = makeNetwork(11);
  const ip = (...args: string[]) => void execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
  const script = `import { makeLadder } from ${JSON.stringify(join(repository, "dist/hal/ladder.js"))};
    import { makeWitness } from ${JSON.stringify(join(repository, "dist/hal/witness.js"))};
    const asks = { ask: makeWitness().ask, wifi: async () => null };
    const probe = makeLadder(${JSON.stringify(limits)}, asks, () => performance.now());
    setInterval(async () => console.log(JSON.stringify(await probe.read(new AbortController().signal))), 200);
    setTimeout(() => process.exit(), 170_000);`;
  const [first = "", ...more] = network.inside;
  execFileSync(first, [...more, "ip", "route", "add", "default", "via", network.ours]);
  const child = spawn(first, [...more, process.execPath, "--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  let seen = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    seen = line;
  });
  const sees = (text: string, ms: number) => until(text, ms, () => seen.includes(text), 100);
  try {
    await sees('"value":"up"', 10_000);
    ip("addr", "del", `${network.ours}/30`, "dev", network.cable);
    await sees("rung gateway", 75_000);
    ip("addr", "add", `${network.ours}/30`, "dev", network.cable);
    await sees('"value":"up"', 20_000);
    ip("link", "set", network.cable, "down");
    await sees("rung interface", 3_000);
    ip("link", "set", network.cable, "up");
    await sees('"value":"up"', 20_000);
  } finally {
    child.kill("SIGKILL");
    network.remove();
  }
}, 150_000);

test("a round of all that the box sends to know of its own way: gateway, station's port; beneath a kilobyte a minute", () => {
  const network = makeNetwork(12);
  const count = () =>
    ["tx_bytes", "rx_bytes"].reduce(
      (sum, name) => sum + Number(readFileSync(`/sys/class/net/${network.cable}/statistics/${name}`, "utf8")),
      0,
    );
  const [first = "", ...more] = network.inside;
  const run = (body: string) => {
    const script = `import { makeWitness } from ${JSON.stringify(join(repository, "dist/hal/witness.js"))};
      import { makeMachine } from ${JSON.stringify(join(repository, "dist/hal/machine.js"))};
      console.log(JSON.stringify(${body}));`;
    return execFileSync(first, [...more, process.execPath, "--input-type=module", "-e", script], { encoding: "utf8" }).trim();
  };
  const ping = `await makeWitness().ask("${network.ours}", 1_000, new AbortController().signal)`;
  const door = `(await makeMachine().door({ host: "${network.ours}", port: 1, tls: null }, 2_000)).kind`;
  /** The least of some: a new interface has things of its own to say, and suites beside this one search every interface. */
  const cost = (body: string, answer: string) =>
    Math.min(
      ...Array.from({ length: 10 }, () => {
        const before = count();
        expect(run(body)).toBe(answer);
        return count() - before;
      }),
    );
  try {
    execFileSync(first, [...more, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"]);
    // A question for A and AAAA to a resolver: twice some 80 bytes there and some 100 back.
    const nameBytes = 360;
    const bytesAMinute = 2 * cost(ping, "true") + cost(door, '"no-port"') + nameBytes;
    process.stdout.write(`figure: bytes a minute of the ladder, station not reached: ${bytesAMinute}\n`);
    expect(bytesAMinute).toBeGreaterThan(nameBytes);
    expect(bytesAMinute).toBeLessThanOrEqual(1_024);
  } finally {
    network.remove();
  }
}, 60_000);
