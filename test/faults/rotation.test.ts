/** Rotation with real files: the limits hold, the oldest go first, deletions are told, a kill in the middle leaves nothing behind. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
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

type Footage = {
  dueMs: number;
  recordedMs: number;
  deletedMs: number;
  unknownMs: number;
  spans: { kind: string; why?: string; from: string; to: string }[];
};

/** Rows and files agree one to one. */
function expectSettled(folder: string): void {
  const reads = openReads(join(folder, "state"));
  if (reads === null) throw new Error("no database");
  const rows = names.flatMap((name) => reads.segmentsBetween(name, { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER }));
  const doomed = reads.doomed(1_000);
  reads.close();
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
  let most = 0;
  await until(
    "something was deleted of each camera",
    90_000,
    async () => {
      most = Math.max(most, bytesUnder(join(folder, "footage")));
      const found = await Promise.all(names.map((name) => ask<Footage>(agent.config, everything(name))));
      return found.every(({ deletedMs }) => deletedMs > 0);
    },
    500,
  );
  const { events } = await agent.ask<{ events: { data: { why: string; segments: number; bytes: number } }[] }>(
    "events",
    "--type",
    "footage.deleted",
  );
  expect(await agent.stop()).toBe(0);
  process.stdout.write(`figure: largest folder under a limit of 12.0 MB: ${(most / 1e6).toFixed(1)} MB\n`);
  // Between two sweeps the cameras write on: five seconds of about 5 Mbit/s.
  expect(most).toBeLessThan(limit + 5_000_000);
  expect(events.length).toBeGreaterThan(0);
  for (const { data } of events) expect(data).toMatchObject({ why: "size" });
  expectSettled(folder);
  const oldest = names.map((name) => filesUnder(join(folder, "footage", name))[0]?.slice(0, 17));
  for (const name of names) {
    const { spans, ...sums } = await ask<Footage>(agent.config, everything(name));
    expect(spans[0]).toMatchObject({ kind: "deleted", why: "size" });
    expect(sums.recordedMs + sums.deletedMs + sums.unknownMs + total(spans, "gap")).toBe(sums.dueMs);
  }
  expect(oldest.every((name) => name !== undefined)).toBe(true);
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
  await sleep(12_000);
  expect(await agent.stop()).toBe(0);
  expectSettled(folder);
  const { spans } = await ask<Footage>(config, everything("sub1"));
  expect(spans.some((span) => span.kind === "deleted" && span.why === "age")).toBe(true);
  const reads = openReads(join(folder, "state"));
  const rows = reads?.segmentsBetween("sub1", { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER }) ?? [];
  reads?.close();
  // Swept every five seconds; the last one may be one turn away.
  for (const row of rows) expect(Date.now() - row.endAt).toBeLessThan(12_000 + 12_000);
});
