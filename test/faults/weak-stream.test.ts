/**
 * A line that carries a quarter of a camera's main stream and more than its smaller one: the smaller one is recorded, tries of the main one
 * cost little, and the main one is back when the line is. Needs root.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Agent, figure, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { complaintsOf, filesUnder, recordersOf } from "../lib/footage.ts";
import { brokenLawsOf } from "../lib/inspect.ts";
import { makeNetwork, type Network } from "../lib/netns.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("weak-stream");
const footage = join(folder, "footage");
/** The line that is left, against 4 Mbit/s and 0.4 Mbit/s. */
const kilobits = 1_000;
let network: Network;
let cameras: Cameras;
let agent: Agent;
const beganAt = Date.now();

beforeAll(async () => {
  network = makeNetwork(8);
  cameras = await startCameras({ count: 1, seconds: 400, network: { address: network.address, inside: network.inside } });
  agent = startAgent(
    writeSite({
      ...{ folder, cameras: [`id: xa, url: "${cameras.url("cam1")}", fallback: "${cameras.url("sub1")}"`] },
      recording: "segment: 5s, limit: { free: 0B }, retryMain: 20s",
    }),
  );
});
afterAll(async () => {
  await agent.stop();
  await cameras.stop();
  network.remove();
});

type Footage = {
  readonly dueMs: number;
  readonly recordedMs: number;
  readonly unknownMs: number;
  readonly spans: readonly { kind: string; from: string; to: string; stream?: string; cause?: string }[];
};
const footageOf = (fromAt: number) =>
  agent.ask<Footage>(
    "footage",
    "--camera",
    "xa",
    "--from",
    new Date(fromAt).toISOString(),
    "--to",
    new Date(Math.max(Date.now(), fromAt + 1)).toISOString(),
  );
type Status = {
  readonly cameras: readonly { state: string; stream: string; why: string | null }[];
  readonly todo: readonly { text: string }[];
};
const cameraOf = async () => (await agent.ask<Status>("status")).cameras[0];
/** Begin of the first span of a stream since then; null: none yet. */
const beginOf = async (stream: string, sinceAt: number) => {
  const { spans } = await footageOf(sinceAt);
  const span = spans.find((one) => one.stream === stream && Date.parse(one.from) > sinceAt);
  return span === undefined ? null : Date.parse(span.from);
};
const say = (what: string, value: number, unit = "s") => void process.stdout.write(`${figure(what, [value], unit)}\n`);

test("the smaller stream while the line is thin, the main one again after it", async () => {
  await until("it has a file", 90_000, () => filesUnder(join(footage, "xa")).some((name) => name.endsWith(".mkv")));
  // Its own times must have kept pace with the clock before a lag is held against the line.
  await sleep(25_000);
  expect(await cameraOf()).toMatchObject({ state: "recording", stream: "main" });

  network.starve(kilobits);
  const thinAt = Date.now();
  const taken = await until("the smaller stream", 90_000, () => beginOf("fallback", thinAt), 500);
  say("from the line that grew thin to the smaller stream", (taken - thinAt) / 1_000);
  expect(await cameraOf()).toMatchObject({ state: "degraded", stream: "fallback", why: "main-does-not-hold" });
  expect((await agent.ask<Status>("status")).todo.map(({ text }) => text).join()).toContain("luồng phụ");

  const tried = await until("a try of the main stream", 60_000, () => beginOf("main", taken), 500);
  const left = await until("the smaller stream again", 60_000, () => beginOf("fallback", tried), 500);
  const bad = await footageOf(taken);
  const lostMs = bad.spans.filter(({ kind }) => kind === "gap").reduce((ms, { from, to }) => ms + Date.parse(to) - Date.parse(from), 0);
  say("footage missing for a try of the main stream that failed", lostMs / 1_000);
  expect(left).toBeGreaterThan(tried);
  expect(bad.spans.filter(({ kind }) => kind === "gap").map(({ cause }) => cause)).toEqual(
    bad.spans.filter(({ kind }) => kind === "gap").map(() => "weak-link"),
  );

  network.heal();
  const healedAt = Date.now();
  const back = await until("the main stream", 90_000, () => beginOf("main", healedAt), 500);
  say("from the line that is good again to the main stream (retryMain 20 s, doubled)", (back - healedAt) / 1_000);
  await until("it is recorded for good", 60_000, async () => (await cameraOf())?.state === "recording", 500);

  const all = await footageOf(beganAt);
  const gapMs = all.spans.filter(({ kind }) => kind === "gap").reduce((ms, { from, to }) => ms + Date.parse(to) - Date.parse(from), 0);
  expect(all.recordedMs + gapMs + all.unknownMs).toBe(all.dueMs);
  say("recorded of all that was due", (100 * all.recordedMs) / all.dueMs, "%");
  expect(recordersOf(join(footage, "xa"))).toHaveLength(1);
  for (const file of filesUnder(join(footage, "xa")).filter((name) => name.endsWith(".mkv")))
    expect(await complaintsOf(join(footage, "xa", file)), file).toBe("");
  expect(await brokenLawsOf(agent, 15_000)).toEqual([]);
});
