/**
 * The suite of `Discovery`, on the scripted and the real driver; the real one in two networks of its own (needs root), with cameras that do not
 * hang on the default route. Then what cameras and others really answer.
 */
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DiscoveryRoots, type LocalAddress, makeDiscovery } from "../../hal/discovery.ts";
import type { Discovery, FoundDevice, SearchResult } from "../../hal/ports.ts";
import { scriptDiscovery } from "../../hal/script.ts";
import { startCameraDoor } from "../lib/door.ts";
import { makeNetwork, type Network } from "../lib/netns.ts";
import { type Replies, replyOf, type Shown, scopesOf, startResponder, startResponderInside } from "../lib/responder.ts";
import { tempFolder } from "../lib/temp.ts";

const never = new AbortController().signal;
const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Two networks: a recorder that answers for two cameras on the first, a camera with an open RTSP port on the second. */
type Stage = {
  readonly discovery: Discovery;
  readonly first: string;
  readonly second: string;
  readonly door: string;
  readonly timeoutMs: number;
};

const shownAt = (address: string, n: number, name: string, model: string): Shown => ({
  endpoint: `urn:uuid:0000000${n}-aaaa-bbbb-cccc-000000000000`,
  scopes: scopesOf(name, model),
  xaddrs: `http://${address}/onvif/device_service${n}`,
});

const localsOf = (...names: readonly string[]): readonly LocalAddress[] =>
  Object.entries(networkInterfaces())
    .filter(([name]) => names.includes(name))
    .flatMap(([name, list]) => (list ?? []).filter(({ family }) => family === "IPv4").map((entry) => ({ name, ...entry })));

async function realStage(): Promise<Stage> {
  const [first, second] = [makeNetwork(1), makeNetwork(2)];
  ends.push(first.remove, second.remove);
  const replies = [
    replyOf(shownAt(first.address, 1, "HIKVISION%20DS-2CD2043G0-I", "DS-2CD2043G0-I"), shownAt(first.address, 2, "Dahua", "IPC-HFW2431S")),
  ];
  const one = await startResponderInside(first.inside, { address: first.address, replies, type: null });
  ends.push(one.stop);
  const lone = [replyOf(shownAt(second.address, 3, "TP-Link", "VIGI%20C340"))];
  const two = await startResponderInside(second.inside, { address: second.address, replies: lone, type: "Device" });
  ends.push(two.stop);
  ends.push(await startCameraDoor(second.inside, second.address, 8554));
  const roots: DiscoveryRoots = { addresses: () => localsOf(first.cable, second.cable), arp: "/proc/net/arp" };
  return { discovery: makeDiscovery(roots), first: first.cable, second: second.cable, door: second.address, timeoutMs: 2_500 };
}

async function scriptedStage(): Promise<Stage> {
  const device = (address: string, n: number, make: string, model: string, at: string): FoundDevice => {
    const { endpoint, xaddrs } = shownAt(address, n, make, model);
    return { address, xaddr: xaddrs, endpoint, make, model, interface: at };
  };
  const network = {
    interfaces: ["eth0", "eth1"],
    devices: [
      device("192.0.2.2", 1, "HIKVISION", "DS-2CD2043G0-I", "eth0"),
      device("192.0.2.2", 2, "Dahua", "IPC-HFW2431S", "eth0"),
      device("198.51.100.2", 3, "TP-Link", "VIGI C340", "eth1"),
    ],
    doors: [{ address: "198.51.100.2", port: 8554, interface: "eth1" }],
    neighbours: new Map([["198.51.100.2", "2c:a5:9c:01:02:03"]]),
  };
  return { discovery: scriptDiscovery(() => network), first: "eth0", second: "eth1", door: "198.51.100.2", timeoutMs: 100 };
}

describe.each([
  ["real", realStage],
  ["scripted", scriptedStage],
] as const)("the %s search", (_, make) => {
  test("finds on every interface or on one, two cameras in one reply, each once", async () => {
    const { discovery, first, second, timeoutMs } = await make();
    expect(discovery.interfaces()).toEqual([first, second]);
    const whole = await discovery.search({ interface: null, timeoutMs }, never);
    expect(whole.remarks).toEqual([]);
    const told = whole.devices.map(({ make: brand, model, interface: at }) => [brand, model, at]);
    expect(told.sort()).toEqual([
      ["Dahua", "IPC-HFW2431S", first],
      ["HIKVISION", "DS-2CD2043G0-I", first],
      ["TP-Link", "VIGI C340", second],
    ]);
    for (const { address, xaddr, endpoint } of whole.devices) {
      expect(new URL(xaddr).hostname).toBe(address);
      expect(endpoint).toMatch(/^urn:uuid:0000000[123]-aaaa-bbbb-cccc-000000000000$/);
    }
    const one = await discovery.search({ interface: second, timeoutMs }, never);
    expect(one.devices.map(({ model }) => model)).toEqual(["VIGI C340"]);
  });

  test("says that an interface is not there; ends at once when it is stopped", async () => {
    const { discovery, first, second } = await make();
    expect(await discovery.search({ interface: "none0", timeoutMs: 60_000 }, never)).toEqual({
      devices: [],
      remarks: ["no-interface none0"],
    });
    const options = { interface: null, timeoutMs: 3_600_000 };
    expect(await discovery.search(options, AbortSignal.abort())).toEqual({ devices: [], remarks: [] });
    expect(await discovery.knockAll({ interface: null, ports: [554] }, AbortSignal.abort())).toEqual([]);
    const stop = new AbortController();
    const searched = discovery.search(options, stop.signal);
    stop.abort();
    for (const { interface: at } of (await searched).devices) expect([first, second]).toContain(at);
  });

  test("knocks find who opens; who is known there has a MAC", async () => {
    const { discovery, first, second, door } = await make();
    const ports = [554, 8554];
    expect(await discovery.knockAll({ interface: null, ports }, never)).toEqual([{ address: door, port: 8554 }]);
    expect(await discovery.knockAll({ interface: second, ports }, never)).toEqual([{ address: door, port: 8554 }]);
    expect(await discovery.knockAll({ interface: first, ports }, never)).toEqual([]);
    expect(await discovery.knockAll({ interface: null, ports: [554] }, never)).toEqual([]);
    expect((await discovery.neighbours()).get(door)).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
  });
});

// What cameras and others answer, on a line of this suite's own: another suite may use the loopback at the same time.

const onLoopback = makeDiscovery({ addresses: () => localsOf("lo"), arp: "/proc/net/arp" });
let line: Network;
let discovery: Discovery;
beforeAll(() => {
  line = makeNetwork(3);
  discovery = makeDiscovery({ addresses: () => localsOf(line.cable), arp: "/proc/net/arp" });
});
afterAll(() => line.remove());
/** HOST stands for the address of who answers, in what is told as in what they say. */
async function search(timeoutMs = 1_500): Promise<SearchResult> {
  const result = await discovery.search({ interface: line.cable, timeoutMs }, never);
  return JSON.parse(JSON.stringify(result).replaceAll(line.ours, "HOST").replaceAll(line.cable, "line")) as SearchResult;
}
async function answering(replies: Replies["replies"], type: string | null = null) {
  const told = replies.map((reply) => (typeof reply === "string" ? reply.replaceAll("HOST", line.ours) : reply));
  const responder = await startResponder({ address: line.ours, replies: told, type });
  ends.push(responder.stop);
  return responder;
}
const shown = (more: Partial<Shown> = {}): Shown => ({
  ...{ endpoint: "urn:uuid:1", scopes: scopesOf("IPC", "X1"), xaddrs: "http://HOST/onvif/device_service" },
  ...more,
});

test("each kind of probe goes out three times, and the loopback is not searched unasked", async () => {
  const { probes } = await answering([]);
  expect(await search()).toEqual({ devices: [], remarks: [] });
  expect([...probes].sort()).toEqual([...Array(3).fill("Device"), ...Array(3).fill("NetworkVideoTransmitter")]);
  expect(await onLoopback.search({ interface: null, timeoutMs: 100 }, never)).toEqual({ devices: [], remarks: ["no-interface"] });
});

test.each([
  ["percents", scopesOf("T%E1%BB%95%20ch%E1%BB%A9c%2F1", "A%20B%2Bc"), "Tổ chức/1", "A B+c"],
  ["percents of nobody's", scopesOf("100%", "a%zz%"), "100%", "a%zz%"],
  ["bytes that are no text", scopesOf("%FF%FEab", "%00%1b[2J"), "ab", "[2J"],
  ["entities", scopesOf("R&amp;D&#x2d;&#68;", "&quot;x&quot;"), "R&D-D", '"x"'],
  ["make within the name", scopesOf("HIKVISION%20DS-1", "DS-1"), "HIKVISION", "DS-1"],
  ["nothing but the model", scopesOf("DS-1", "DS-1"), "DS-1", "DS-1"],
  ["a scope of its own for the make", `${scopesOf("Gate", "C1")} onvif://www.onvif.org/manufacturer/Bosch`, "Bosch", "C1"],
  ["none", "", null, null],
  ["another's scopes", "ldap:///ou=x onvif://example.org/name/evil", null, null],
  ["a long name", scopesOf("x".repeat(1_000), "y"), "x".repeat(200), "y"],
  ["direction and control characters", scopesOf("a%E2%80%AEb%0A%0Dc", "d"), "a b c", "d"],
])("scopes with %s", async (_, scopes, make, model) => {
  await answering([replyOf(shown({ scopes }))]);
  const { devices } = await search(900);
  expect(devices).toEqual([
    { ...{ address: "HOST", xaddr: "http://HOST/onvif/device_service", endpoint: "urn:uuid:1", make, model, interface: "line" } },
  ]);
});

test("of several addresses the sender's own is taken; IPv6, names and the internet are passed over with a word", async () => {
  const xaddrs =
    "http://[fe80::1]/onvif/device_service http://cam.example/onvif http://203.0.113.9/onvif ftp://HOST/x http://u:p@HOST/y http://10.9.8.7/onvif http://HOST:8080/onvif/device_service";
  await answering([replyOf(shown({ xaddrs }))]);
  const { devices, remarks } = await search(900);
  expect(devices.map(({ xaddr }) => xaddr)).toEqual(["http://HOST:8080/onvif/device_service"]);
  expect([...remarks].sort()).toEqual([
    "elsewhere http://203.0.113.9/onvif",
    "elsewhere http://cam.example/onvif",
    "ipv6 http://[fe80::1]/onvif/device_service",
  ]);
});

test("a camera with IPv6 alone, a printer, and one without an address are no devices, and it is said", async () => {
  await answering([
    replyOf(shown({ xaddrs: "http://[2001:db8::1]/onvif/device_service" })),
    replyOf(shown({ types: "wsdp:Device wprt:PrintDeviceType", scopes: "", xaddrs: "http://HOST:5357/abc" })),
    replyOf(shown({ xaddrs: "" })),
  ]);
  const { devices, remarks } = await search(900);
  expect(devices).toEqual([]);
  expect([...remarks].sort()).toEqual(["ipv6 http://[2001:db8::1]/onvif/device_service", "no-address HOST", "no-camera HOST"]);
});

test("duplicates are one: by endpoint, then by address; what one reply leaves out another one tells", async () => {
  const at = (port: number) => `http://HOST:${port}/onvif/device_service`;
  await answering([
    replyOf(shown({ endpoint: "URN:UUID:A", scopes: "", xaddrs: at(1) }), shown({ endpoint: "urn:uuid:a", xaddrs: at(1) })),
    replyOf(shown({ endpoint: "urn:uuid:b", xaddrs: at(2) }), shown({ endpoint: "urn:uuid:c", xaddrs: at(2) })),
    replyOf(shown({ endpoint: "", xaddrs: at(3) }), shown({ endpoint: "urn:uuid:d", xaddrs: at(3) })),
    // One that is both of two.
    replyOf(shown({ endpoint: "urn:uuid:e", xaddrs: at(4) }), shown({ endpoint: "urn:uuid:f", xaddrs: at(5) })),
    replyOf(shown({ endpoint: "urn:uuid:e", xaddrs: at(5) })),
    // Two machines with one identity of their maker's.
    replyOf(shown({ endpoint: "urn:uuid:g", xaddrs: at(6) }), shown({ endpoint: "urn:uuid:g", xaddrs: "http://10.0.0.7/onvif" })),
  ]);
  const { devices, remarks } = await search(900);
  const byXaddr = devices.map(({ xaddr, endpoint, model }) => [new URL(xaddr).port, endpoint, model]);
  expect(byXaddr).toEqual([
    ["1", "urn:uuid:a", "X1"],
    ["2", "urn:uuid:b", "X1"],
    ["3", "urn:uuid:d", "X1"],
    ["4", "urn:uuid:e", "X1"],
    ["6", "urn:uuid:g", "X1"],
  ]);
  expect(remarks).toEqual(["same-identity 10.0.0.7 HOST"]);
});

test("other prefixes, none, comments and a cut end are read; what is no reply is not", async () => {
  const plain = replyOf(shown({ endpoint: "urn:uuid:p", xaddrs: "http://HOST:11/onvif" }))
    .replaceAll(/<(\/?)[ads]:/g, "<$1")
    .replaceAll(/\sxmlns:\w+="[^"]*"/g, "");
  const other = replyOf(shown({ endpoint: "urn:uuid:q", xaddrs: "\n  http://HOST:12/onvif\n" })).replaceAll(/<(\/?)[ad]:/g, "<$1wsdd-1:");
  const commented = replyOf(shown({ endpoint: "urn:uuid:r", xaddrs: "http://HOST:13/onvif" })).replace(
    "<d:ProbeMatches>",
    "<d:ProbeMatches><!-- <d:ProbeMatch><d:XAddrs>http://HOST:99/</d:XAddrs></d:ProbeMatch> -->",
  );
  const cut = replyOf(shown({ endpoint: "urn:uuid:s", xaddrs: "http://HOST:14/onvif" })).replace(/<d:MetadataVersion>.*$/, "");
  const cutEarlier = replyOf(shown({ endpoint: "urn:uuid:t", xaddrs: "http://HOST:15/onvif" })).replace(/5\/onvif.*$/, "");
  await answering([plain, other, commented, cut, cutEarlier, "", "hello", "<", "<!--", "</d:ProbeMatch>", Buffer.from([0, 255, 254, 60])]);
  const { devices } = await search(900);
  expect(devices.map(({ xaddr }) => new URL(xaddr).port)).toEqual(["11", "12", "13", "14"]);
});

const most = 65_000;
const inAddress = "<d:ProbeMatch><d:XAddrs>";
test.each([
  ["open brackets", "<".repeat(most)],
  ["tags without end", "<a".repeat(most / 2)],
  ["comments without end", "<!--".repeat(most / 4)],
  ["matches without end", inAddress.repeat(most / inAddress.length)],
  ["thousands of addresses", `${inAddress}${"http://HOST/ ".repeat(3_500)}</d:XAddrs>`],
  ["ampersands", `${inAddress}${"&".repeat(most - 100)}</d:XAddrs>`],
  ["characters that are none", `${inAddress}${"&#x110000;&#xD800;".repeat(3_500)}</d:XAddrs>`],
  ["thousands of scopes", `<d:ProbeMatch><d:Scopes>${`onvif://www.onvif.org/name/${"%FF".repeat(500)} `.repeat(42)}</d:Scopes>`],
  ["attributes without end", `<d:ProbeMatch ${"a='b' ".repeat(10_800)}`],
  ["white space", `${inAddress}${" ".repeat(most - 200)}</d:XAddrs><d:Types>${"\t".repeat(100)}`],
  ["entities of its own", `<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]>${replyOf(shown({ endpoint: "&b;" }))}`],
])("a reply of %s costs little time and hides nobody", async (_, text) => {
  expect(Buffer.byteLength(text)).toBeLessThan(65_500);
  await answering([text, replyOf(shown({ endpoint: "urn:uuid:ok", xaddrs: "http://HOST:21/onvif" }))], "Device");
  const before = process.cpuUsage();
  const { devices } = await search(900);
  const used = process.cpuUsage(before);
  expect((used.user + used.system) / 1_000).toBeLessThan(1_500);
  expect(devices.map(({ endpoint }) => endpoint)).toContain("urn:uuid:ok");
});

test("a flood from one sender ends with a word, and its bounds are the search's memory", async () => {
  const many = (from: number) =>
    Array.from({ length: 60 }, (_, i) => shown({ endpoint: `urn:uuid:${from + i}`, xaddrs: `http://HOST:${1_000 + from + i}/onvif` }));
  await answering(Array.from({ length: 60 }, (_, i) => replyOf(...many(i * 60))));
  const { devices, remarks } = await search(1_500);
  expect(devices.length).toBeGreaterThan(60);
  expect(devices.length).toBeLessThanOrEqual(1_000);
  expect(remarks).toEqual(["too-many-replies HOST"]);
});

test("no bytes make the search fail", async () => {
  const good = replyOf(shown());
  const parts = fc.oneof(
    fc.constantFrom(
      "<d:ProbeMatch>",
      "</d:ProbeMatch>",
      "<d:XAddrs>",
      "<d:Scopes>",
      "<",
      ">",
      "%",
      "&#",
      "<!--",
      "-->",
      "http://HOST/",
      "onvif://www.onvif.org/name/",
    ),
    fc.string({ maxLength: 20 }),
    fc.integer({ min: 0, max: good.length }).map((at) => good.slice(0, at)),
  );
  const replies = fc
    .sample(fc.array(parts, { maxLength: 30 }), 150)
    .map((list) => Buffer.from(list.join("").replaceAll("HOST", line.ours), "utf8").subarray(0, 60_000));
  await answering(replies, "Device");
  const { devices } = await search(1_200);
  for (const { address, endpoint, make, model } of devices) {
    expect(address).toMatch(/^(HOST|\d+(\.\d+){3})$/);
    for (const text of [endpoint, make, model]) expect(text ?? "x").toMatch(/^[^\p{Cc}]{1,200}$/u);
  }
});

test("only complete neighbours count, in lower case", async () => {
  const arp = join(tempFolder("arp"), "arp");
  const discovery = makeDiscovery({ addresses: () => [], arp });
  expect(await discovery.neighbours()).toEqual(new Map());
  writeFileSync(
    arp,
    `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.20     0x1         0x2         2C:A5:9C:01:02:03     *        eth0
192.168.1.21     0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.1.22     0x1         0x6         02:fc:00:00:00:05     *        eth0
192.168.1.23     0x1         0x2         00:00:00:00:00:00     *        eth0
nonsense
`,
  );
  expect([...(await discovery.neighbours())]).toEqual([
    ["192.168.1.20", "2c:a5:9c:01:02:03"],
    ["192.168.1.22", "02:fc:00:00:00:05"],
  ]);
});

test("on the loopback only this machine itself is knocked at", async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => void server.close());
  const { port } = server.address() as { port: number };
  expect(await onLoopback.knockAll({ interface: "lo", ports: [port, 1] }, never)).toEqual([{ address: "127.0.0.1", port }]);
});
