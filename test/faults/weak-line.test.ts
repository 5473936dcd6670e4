/**
 * A camera behind a poor line: three packets of ten are lost, or its line carries a third of its pictures. Another camera records as ever,
 * all that is on disk plays, the ledger adds up, and the camera records again soon after the line is good. Needs root.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CameraLine, weakSigns } from "../../agent/core/line.ts";
import { type Agent, figure, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { complaintsOf, filesUnder, pictureOnDisk } from "../lib/footage.ts";
import { brokenLawsOf } from "../lib/inspect.ts";
import { makeNetwork, type Network } from "../lib/netns.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("weak-line");
const footage = join(folder, "footage");
const badMs = 16_000;
let network: Network;
let far: Cameras;
let near: Cameras;
let agent: Agent;

beforeAll(async () => {
  network = makeNetwork(7);
  far = await startCameras({ count: 1, seconds: 400, network: { address: network.address, inside: network.inside } });
  near = await startCameras({ count: 1, seconds: 400 });
  agent = startAgent(writeSite({ folder, cameras: [`id: far, url: "${far.url("cam1")}"`, `id: near, url: "${near.url("cam1")}"`] }));
  await until("both have files", 90_000, () => ["far", "near"].every((id) => closedOf(id).length >= 2));
});
afterAll(async () => {
  await agent.stop();
  await Promise.all([far.stop(), near.stop()]);
  network.remove();
});

const closedOf = (id: string) => filesUnder(join(footage, id)).filter((name) => name.endsWith(".mkv"));

type Seen = { readonly cameras: readonly { readonly id: string; readonly line: CameraLine | null }[] };

/** What `status` has said of both lines by then: all signs that stood at some moment. */
async function signsWithin(ms: number): Promise<{ far: string[]; near: string[] }> {
  const found = { far: new Set<string>(), near: new Set<string>() };
  for (const deadline = performance.now() + ms; performance.now() < deadline; await sleep(1_000)) {
    const { cameras } = await agent.ask<Seen>("status");
    for (const { id, line } of cameras) for (const sign of line === null ? [] : weakSigns(line)) found[id as "far" | "near"].add(sign);
  }
  return { far: [...found.far], near: [...found.near] };
}

type Line = {
  readonly what: string;
  readonly worsen: (network: Network) => void;
  /** What the agent must have seen of it. */
  readonly sign: RegExp;
  /** Did the line really suffer? */
  readonly suffered: (network: Network, filesClosed: number) => boolean;
};
const lines: readonly Line[] = [
  {
    what: "three of ten packets are lost",
    worsen: ({ lose }) => lose(30),
    sign: /out-of-order/,
    suffered: ({ lost }) => lost() > 50,
  },
  {
    what: "the line carries a third of the pictures",
    worsen: ({ starve }) => starve(150),
    sign: /out-of-order|round-trip/,
    suffered: (_, closed) => closed < 3,
  },
];

test.each(lines)("$what", async ({ what, worsen, sign, suffered }) => {
  const nearBefore = closedOf("near").length;
  worsen(network);
  const farBefore = closedOf("far").length;
  const seen = signsWithin(badMs);
  await sleep(badMs);
  const signs = await seen;
  expect(signs.near, "the neighbour's line is good").toEqual([]);
  expect(signs.far.join("; "), "the agent saw it in its own connection").toMatch(sign);
  process.stdout.write(`figure: ${what}: ${signs.far.join("; ")}\n`);
  expect(suffered(network, closedOf("far").length - farBefore), "the line is bad").toBe(true);
  process.stdout.write(
    `${figure(`${what}: files of five seconds closed in ${badMs / 1_000} s`, [closedOf("far").length - farBefore], "files")}\n`,
  );
  expect(closedOf("near").length - nearBefore, "the neighbour records as ever").toBeGreaterThanOrEqual(2);
  network.heal();
  const healedAt = Date.now();
  const before = filesUnder(join(footage, "far")).map((name) => name.split("/").at(-1) ?? "");
  const again = await pictureOnDisk(join(footage, "far"), before, 60_000);
  expect(again, "records again").toBeGreaterThan(0);
  process.stdout.write(`${figure(`${what}: next file after the line is good again`, [(again - healedAt) / 1_000], "s")}\n`);
  for (const file of closedOf("far")) expect(await complaintsOf(join(footage, "far", file)), file).toBe("");
  expect(await brokenLawsOf(agent, 15_000)).toEqual([]);
});
