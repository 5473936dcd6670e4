/**
 * Five faults of a village with two households: house off, wifi off, one camera dead, the box's cable, the switch. Each is one fault under
 * its cause, and nobody else has a gap. Needs root for networks of its own.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReads } from "../../agent/store/store.ts";
import { type Agent, figure, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/village.ts";

/** Cable of each camera; those of the first household share its wifi. */
const cableOf = { "a-gate": "a-wifi", "a-yard": "a-wifi", "b-gate": "b-gate", "b-yard": "b-yard", market: "market" } as const;
type Name = keyof typeof cableOf;
const names = Object.keys(cableOf) as Name[];
const cables = [...new Set(Object.values(cableOf))];
const routers = ["a-router", "b-router"] as const;
const port = 8554;
const folder = tempFolder("causes");
let village: Village;
let agent: Agent;
const running = new Map<string, Cameras>();

const power = async (cable: string) => {
  running.set(cable, await startCameras({ count: 2, seconds: 600, port, network: village.place(cable) }));
};

beforeAll(async () => {
  village = makeVillage([...cables, ...routers]);
  await Promise.all(cables.map(power));
  const url = (name: Name) => `rtsp://${village.place(cableOf[name]).address}:${port}/${name.endsWith("yard") ? "sub2" : "sub1"}`;
  const household = (name: Name) => (name === "market" ? "" : `, household: ho-${name.slice(0, 1)}`);
  const config = writeSite({
    folder,
    cameras: names.map((name) => `id: ${name}, url: "${url(name)}"${household(name)}`),
    more: ["households:", ...["a", "b"].map((id) => `  - { id: ho-${id}, router: ${village.place(`${id}-router`).address}, reach: lan }`)],
  });
  agent = startAgent(config, {}, village.box);
  await recordingAgain(names);
  // Due time begins with the first closed file.
  await until("every camera has a closed file", 60_000, () => withReads((reads) => names.every((name) => reads.camera(name)?.sinceAt)));
});
afterAll(async () => {
  await agent.stop();
  await Promise.all([...running.values()].map((cameras) => cameras.stop()));
  village.remove();
});

type Gap = {
  id: number;
  camera: Name;
  from: string;
  to: string | null;
  cause: string;
  sure: string;
  evidence: string[];
  fault: number | null;
};

function withReads<T>(look: (reads: NonNullable<ReturnType<typeof openReads>>) => T): T | null {
  const reads = openReads(join(folder, "state"));
  try {
    return reads === null ? null : look(reads);
  } finally {
    reads?.close();
  }
}
const recordingAgain = (which: readonly Name[]) =>
  until(`${which.join(", ")} record`, 60_000, () => withReads((reads) => which.every((name) => reads.camera(name)?.state === "recording")));
const gapsAfter = async (id: number) => (await agent.ask<{ gaps: Gap[] }>("gaps")).gaps.filter((gap) => gap.id > id);
/** Numbers of faults that were told so far; no later one may have one of them. */
const toldFaults = new Set<number>();

/** Pulls cables, waits until the loss is in the ledger, plugs them in again, and returns the gaps that came of it: open, then closed. */
async function breakdown(pulled: readonly string[], involved: readonly Name[], cure: () => Promise<void>, meanwhile: () => Promise<void>) {
  const lastId = Math.max(0, ...(await gapsAfter(0)).map(({ id }) => id));
  const cutAt = Date.now();
  village.pull(pulled);
  try {
    await meanwhile();
    await until("every camera concerned has a gap", 60_000, async () => (await gapsAfter(lastId)).length >= involved.length, 500);
    process.stdout.write(`${figure("all gaps of the fault are open after", [(Date.now() - cutAt) / 1000], "s")}\n`);
    // Witnesses that were asked at their own pace have answered by now.
    await sleep(8_000);
  } finally {
    await cure();
    village.plug(pulled);
  }
  const open = await gapsAfter(lastId);
  await recordingAgain(involved);
  await until("the gaps are closed", 60_000, async () => (await gapsAfter(lastId)).every(({ to }) => to !== null), 500);
  return { cutAt, open, closed: await gapsAfter(lastId) };
}

type Case = {
  readonly what: string;
  readonly pulled: readonly string[];
  readonly involved: readonly Name[];
  readonly cause: string;
  /** Among its evidence. */
  readonly evidence?: RegExp;
  /** Cameras that lose their power and start anew. */
  readonly dark?: readonly string[];
};

const cases: readonly Case[] = [
  {
    what: "a house without power: its router and its cameras are silent",
    ...{ pulled: ["a-router", "a-wifi"], dark: ["a-wifi"], involved: ["a-gate", "a-yard"], cause: "house-power" },
  },
  {
    what: "a house without wifi: its router answers, its cameras do not",
    ...{ pulled: ["a-wifi"], involved: ["a-gate", "a-yard"], cause: "house-network" },
  },
  {
    what: "one camera dead: its neighbour and its router answer",
    ...{ pulled: ["b-gate"], dark: ["b-gate"], involved: ["b-gate"], cause: "camera" },
  },
  {
    what: "the box's own cable pulled: nobody can be reached",
    ...{ pulled: ["box"], involved: names, cause: "house-network", evidence: /all-cameras-silent 5/ },
  },
  {
    what: "the switch dead: all are silent, the box's cable is not",
    ...{ pulled: [...cables, ...routers], involved: names, cause: "house-network", evidence: /all-cameras-silent 5/ },
  },
];

test.each(cases)("$what", async ({ pulled, involved, cause, evidence, dark = [] }) => {
  const darken = async () => void (await Promise.all(dark.map((cable) => running.get(cable)?.stop())));
  const light = async () => void (await Promise.all(dark.map(power)));
  const { cutAt, open, closed } = await breakdown(pulled, involved, light, darken);
  for (const gaps of [open, closed]) {
    expect(gaps.map(({ camera }) => camera).sort(), "these cameras have a gap, one each").toEqual([...involved].sort());
    expect(gaps.map((gap) => `${gap.camera}: ${gap.cause}`)).toEqual(gaps.map(({ camera }) => `${camera}: ${cause}`));
    expect(new Set(gaps.map(({ fault }) => fault)).size, "one fault").toBe(1);
  }
  for (const gap of closed) {
    expect(Math.abs(Date.parse(gap.from) - cutAt), "it begins when it began").toBeLessThan(5_000);
    expect(gap.sure).not.toBe("unknown");
    if (evidence !== undefined) expect(gap.evidence.join(", ")).toMatch(evidence);
  }
  const [fault = null] = closed.map((gap) => gap.fault);
  // A camera that is alone may do without a number; several need one to be counted once.
  if (involved.length > 1) expect(fault, "its gaps carry its number").not.toBeNull();
  expect(fault !== null && toldFaults.has(fault), "a number of its own").toBe(false);
  if (fault !== null) toldFaults.add(fault);
});

test("all in all, nothing else was lost", async () => {
  const gaps = await gapsAfter(0);
  expect(gaps).toHaveLength(cases.reduce((sum, { involved }) => sum + involved.length, 0));
  expect(gaps.filter(({ to }) => to === null)).toEqual([]);
});
