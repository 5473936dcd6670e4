/** Cameras that are given other addresses: found again, and never taken for each other. Needs root for a network of its own. */
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReads } from "../../agent/store/store.ts";
import { type Agent, figure, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { openFiles, pictureOnDisk } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("moved");
const footage = join(folder, "footage");
const box = `mg${process.pid}box`;
const spaces = { market: `mg${process.pid}one`, school: `mg${process.pid}two` };
const address = (last: number) => `10.77.9.${last}`;
const ip = (...args: readonly string[]) => void execFileSync("ip", [...args], { stdio: ["ignore", "ignore", "pipe"] });
let cameras: Cameras[] = [];
let agent: Agent;

/** A box with a switch, and two cameras on it. */
function makeLine(): void {
  for (const space of [box, ...Object.values(spaces)]) {
    ip("netns", "add", space);
    ip("-n", space, "link", "set", "lo", "up");
  }
  ip("-n", box, "link", "add", "switch", "type", "bridge");
  ip("-n", box, "addr", "add", `${address(1)}/24`, "dev", "switch");
  ip("-n", box, "link", "set", "switch", "up");
  for (const [name, space] of Object.entries(spaces)) {
    ip("-n", box, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", space);
    ip("-n", box, "link", "set", name, "master", "switch", "up");
    ip("-n", space, "link", "set", "eth0", "up");
    ip("netns", "exec", space, "sysctl", "-qw", "net.ipv4.conf.eth0.arp_notify=1");
  }
}
/** As a device does that takes an address by DHCP: it announces it (RFC 5227 §2.3); else the kernel would hold on to who had it for up to a minute. */
const give = (space: string, last: number) => {
  ip("-n", space, "addr", "flush", "dev", "eth0");
  ip("-n", space, "addr", "add", `${address(last)}/24`, "dev", "eth0");
  // Linux announces its addresses when the MAC is set, though to what it was.
  const [, mac = ""] = /link\/ether (\S+)/.exec(String(execFileSync("ip", ["-n", space, "link", "show", "eth0"]))) ?? [];
  ip("-n", space, "link", "set", "eth0", "address", mac);
};

beforeAll(async () => {
  makeLine();
  give(spaces.market, 20);
  give(spaces.school, 21);
  cameras = await Promise.all(
    Object.values(spaces).map((space) =>
      startCameras({ count: 1, seconds: 300, port: 8554, network: { address: "0.0.0.0", inside: ["ip", "netns", "exec", space] } }),
    ),
  );
  const config = writeSite({
    folder,
    cameras: [`id: market, url: "rtsp://${address(20)}:8554/sub1"`, `id: school, url: "rtsp://${address(21)}:8554/sub1"`],
    recording: "segment: 10s, limit: { free: 0B }",
  });
  agent = startAgent(config, {}, ["ip", "netns", "exec", box]);
  for (const id of ["market", "school"]) await until(`${id} is known by its MAC`, 60_000, () => known(id)?.mac);
});
afterAll(async () => {
  await agent.stop();
  for (const rig of cameras) await rig.stop();
  for (const space of [box, ...Object.values(spaces)]) ip("netns", "delete", space);
});

function known(id: string): { mac: string | null; host: string | null } | null {
  const reads = openReads(join(folder, "state"));
  try {
    return JSON.parse(reads?.meta(`known ${id}`) ?? "null");
  } finally {
    reads?.close();
  }
}

test("a camera with another address is recorded there within a minute, and the one that took its old address is never taken for it", async () => {
  const market = join(footage, "market");
  const before = { market: openFiles(market), school: openFiles(join(footage, "school")) };
  const leftAt = Date.now();
  give(spaces.market, 30);
  give(spaces.school, 20);
  const back = await Promise.all(
    (["market", "school"] as const).map((id) => pictureOnDisk(join(footage, id), before[id], 60_000).then((at) => (at - leftAt) / 1_000)),
  );
  process.stdout.write(`${figure("moved: picture on disk after", back, "s")}\n`);
  expect(Math.min(...back)).toBeGreaterThan(0);
  expect([known("market")?.host, known("school")?.host]).toEqual([address(30), address(20)]);
  // What is recorded as the market's camera began after it was found: nothing of the other's.
  const { events } = await agent.ask<{ events: { type: string; at: string; data: Record<string, unknown> }[] }>(
    "events",
    "--type",
    "camera.changed",
  );
  const moved = events.filter(({ data }) => data.moved !== undefined);
  expect(moved.map(({ data }) => [data.camera, data.from, data.to]).sort()).toEqual([
    ["market", address(20), address(30)],
    ["school", address(21), address(20)],
  ]);
  const foundAt = Date.parse(moved.find(({ data }) => data.camera === "market")?.at ?? "");
  for (const name of openFiles(market).filter((file) => !before.market.includes(file)))
    expect(statSync(join(market, name)).birthtimeMs).toBeGreaterThanOrEqual(foundAt - 1_000);
});

test("after a restart it is recorded at its new address at once", async () => {
  await agent.stop();
  agent = startAgent(agent.config, {}, ["ip", "netns", "exec", box]);
  const market = join(footage, "market");
  const at = await pictureOnDisk(market, openFiles(market), 30_000);
  expect(at).toBeGreaterThan(0);
  await sleep(1_000);
  expect(known("market")?.host).toBe(address(30));
});
