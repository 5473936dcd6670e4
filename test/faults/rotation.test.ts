/** Rotation with real files: the limits hold, the oldest go first, deletions are told, a kill in the middle leaves nothing behind. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reads } from "../../agent/store/reads.ts";
import { openReads } from "../../agent/store/store.ts";
import { type Agent, ask, matghi, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { filesUnder } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const names = ["sub1", "sub2", "cam1"] as const;
let cameras: Cameras;
beforeAll(async () => {
  cameras = await startCameras({ count: 2, seconds: 400 });
});
afterAll(() => cameras.stop());

const site = (folder: string, recording: string) =>
  writeSite({ folder, cameras: names.map((id) => `id: ${id}, url: "${cameras.url(id)}"`), recording: `segment: 5s, ${recording}` });
const bytesUnder = (folder: string) =>
  filesUnder(folder).reduce((sum, file) => sum + (statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0), 0);
const everything = (id: string) => ["footage", "--camera", id, "--from", "00:00", "--to", new Date().toISOString()];

/** A sweep each five seconds, and what a busy machine adds. */
const sweepMs = 8_000;

/** Looks at the folder's size several times a second: the most there was, and the most that it grew by within the time of a sweep. */
function watchSize(folder: string): { end(): { readonly most: number; readonly grownMost: number } } {
  const seen: { readonly atMs: number; readonly bytes: number }[] = [];
  const timer = setInterval(() => seen.push({ atMs: performance.now(), bytes: bytesUnder(folder) }), 250);
  return {
    end: () => {
      clearInterval(timer);
      const grown = seen.map((then, i) => {
        const soon = seen.slice(i).filter(({ atMs }) => atMs - then.atMs <= sweepMs);
        return Math.max(...soon.map(({ bytes }) => bytes)) - then.bytes;
      });
      return { most: Math.max(...seen.map(({ bytes }) => bytes)), grownMost: Math.max(...grown) };
    },
  };
}

type Footage = {
  dueMs: number;
  recordedMs: number;
  deletedMs: number;
  unknownMs: number;
  spans: { kind: string; why?: string; from: string; to: string }[];
};

function asking<T>(folder: string, ask: (reads: Reads) => T): T {
  const reads = openReads(join(folder, "state"));
  if (reads === null) throw new Error("no database");
  try {
    return ask(reads);
  } finally {
    reads.close();
  }
}
const keptRows = (folder: string) => asking(folder, (reads) => reads.segments(10_000));

/** Rows and files agree one to one. */
function expectSettled(folder: string): void {
  const rows = keptRows(folder);
  const doomed = asking(folder, (reads) => reads.doomed(1_000));
  const files = filesUnder(join(folder, "footage")).filter((file) => file !== ".matghi");
  const ofRows = rows.map((row) => `${row.camera}-${row.run}-${row.number}`).sort();
  const ofFiles = files.map((file) => file.replace(/^([^/]+)\/.*-(\d+-\d+)\.mkv$/, "$1-$2")).sort();
  expect(ofFiles).toEqual(ofRows);
  expect(doomed).toEqual([]);
}

test("the folder's size stays under its limit, the oldest of all cameras go first, and it is told", async () => {
  const folder = tempFolder("rotation");
  const limit = 12_000_000;
  const agent = startAgent(site(folder, "limit: { size: 12MB, free: 0B }"));
  await until("the agent has begun", 20_000, async () => (await matghi(["status", "--config", agent.config])).code !== 3);
  const watched = watchSize(join(folder, "footage"));
  await until("something was deleted of each camera", 120_000, async () => {
    const found = await Promise.all(names.map((name) => ask<Footage>(agent.config, everything(name))));
    return found.every(({ deletedMs }) => deletedMs > 0);
  });
  const { most, grownMost } = watched.end();
  const { events } = await agent.ask<{ events: { data: { why: string; segments: number; bytes: number } }[] }>(
    "events",
    "--type",
    "footage.deleted",
  );
  expect(await agent.stop()).toBe(0);
  process.stdout.write(
    `figure: largest folder under a limit of 12.0 MB: ${(most / 1e6).toFixed(1)} MB; grown between two sweeps: ${(grownMost / 1e6).toFixed(1)} MB\n`,
  );
  // Between two sweeps the cameras write on, and the first sweep that must delete knows of no more than the one before it.
  expect(most).toBeLessThan(limit + grownMost);
  expect(events.length).toBeGreaterThan(0);
  for (const { data } of events) expect(data).toMatchObject({ why: "size" });
  expectSettled(folder);
  for (const name of names) {
    const { spans, ...sums } = await ask<Footage>(agent.config, everything(name));
    expect(spans[0]).toMatchObject({ kind: "deleted", why: "size" });
    expect(sums.recordedMs + sums.deletedMs + sums.unknownMs + total(spans, "gap")).toBe(sums.dueMs);
  }
  // The oldest of all cameras: whatever is left ended after all that went.
  const deletedTo = await Promise.all(names.map(async (name) => (await ask<Footage>(agent.config, everything(name))).spans[0]?.to ?? ""));
  const left = keptRows(folder).map((row) => row.endAt);
  expect(Math.min(...left)).toBeGreaterThanOrEqual(Math.max(...deletedTo.map((at) => Date.parse(at))));
});

const total = (spans: Footage["spans"], kind: string) =>
  spans.filter((span) => span.kind === kind).reduce((sum, span) => sum + Date.parse(span.to) - Date.parse(span.from), 0);

test("footage goes at its age even if there is room, and a kill in the middle of sweeps leaves rows and files agreed", async () => {
  const folder = tempFolder("age");
  const config = site(folder, "keep: { min: 5s, max: 12s }, limit: { free: 0B }");
  let agent: Agent = startAgent(config);
  for (let turn = 0; turn < 6; turn += 1) {
    await sleep(6_000 + Math.random() * 3_000);
    await agent.kill9();
    agent = startAgent(config);
  }
  const isRecording = (reads: Reads) => reads.segments(10_000).some((row) => row.run === reads.lastRun()?.id);
  await until("this life has closed a file", 60_000, () => asking(folder, isRecording));
  await sleep(12_000);
  // Taken while it runs, before a stop that may take its time.
  const [askedAt, rows] = [Date.now(), keptRows(folder)];
  expect(await agent.stop()).toBe(0);
  expectSettled(folder);
  const { spans } = await ask<Footage>(config, everything("sub1"));
  expect(spans.some((span) => span.kind === "deleted" && span.why === "age")).toBe(true);
  expect(rows.length).toBeGreaterThan(0);
  // Swept every five seconds; the last one may be one turn away.
  for (const row of rows) expect(askedAt - row.endAt).toBeLessThan(12_000 + 12_000);
});
