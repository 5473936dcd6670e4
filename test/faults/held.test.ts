/** A disk on which only held footage is left: nothing of it is deleted, recording goes on as long as it can, and people are told how long. Needs root. */
import { statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { surroundingRules } from "../../agent/cli/context.ts";
import { loadConfig } from "../../agent/config.ts";
import { makeDating } from "../../agent/core/dating.ts";
import { readStatus } from "../../agent/query.ts";
import { openReads } from "../../agent/store/store.ts";
import { type Agent, ask, figure, matghi, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { type Disk, makeDisk } from "../lib/disk.ts";
import { filesUnder, openFiles } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("held");
let cameras: Cameras;
let disk: Disk;
let agent: Agent;
let config = "";
/** Below this a disk counts as full (hal/footage.ts). */
const fullBytes = 4 << 20;
const footage = () => join(disk.mountPoint, "footage");

beforeAll(async () => {
  cameras = await startCameras({ count: 1, seconds: 300 });
  disk = makeDisk(folder, "srv", 48);
  config = writeSite({
    ...{ folder, footage: footage(), cameras: [`id: cho, url: "${cameras.url("sub1")}"`] },
    recording: "segment: 5s, limit: { free: 8MB }, keep: { min: 7d }",
  });
  agent = startAgent(config);
  await until("it has closed two files", 60_000, () => closed().length >= 2);
});
afterAll(async () => {
  await agent.stop();
  await cameras.stop();
  disk.remove();
});

const closed = () => filesUnder(join(footage(), "cho")).filter((name) => name.endsWith(".mkv"));
/** Of `status`, read as the command does, without the time that a process of its own takes. */
function said(type: string) {
  const loaded = loadConfig(config, surroundingRules);
  const reads = openReads(join(folder, "state"));
  if (loaded.kind !== "good" || reads === null) throw new Error("nothing to read");
  try {
    const asking = { reads, settings: loaded.settings, dating: makeDating(reads.boots()), running: true, nowAt: Date.now() };
    return readStatus(asking, "test").todo.find((entry) => entry.type === type) ?? null;
  } finally {
    reads.close();
  }
}

test("held files outlive the disk's last byte; once the hold is lifted they go, and with room it records again", async () => {
  const [from, to] = [new Date(Date.now() - 3_600_000).toISOString(), new Date(Date.now() + 86_400_000).toISOString()];
  const held = await ask<{ id: number; until: string }>(config, [
    ...["hold", "add", "--camera", "cho", "--from", from, "--to", to, "--request", "CV 12", "--officer", "A"],
    ...["--until", new Date(Date.now() + 60_000).toISOString()],
  ]);
  // Room for some seconds only, and less than must stay free: rotation would take everything, were it not held.
  const { bavail, bsize } = statfsSync(disk.mountPoint);
  writeFileSync(join(disk.mountPoint, "ballast"), Buffer.alloc(bavail * bsize - fullBytes - 1_200_000, 7));
  const filling = await until("it is said how long there is room", 20_000, () => said("held"));
  expect(filling).toMatchObject({ level: "attention", text: expect.stringMatching(/lấp đầy ổ cứng sau khoảng \d+ (giây|phút)/) });
  const before = closed();
  const beganMs = performance.now();
  const stopped = await until("the disk is full of what is held", 120_000, () => {
    const entry = said("held");
    return entry?.level === "broken" ? entry : null;
  });
  process.stdout.write(`${figure("recorded on after only held footage was left", [(performance.now() - beganMs) / 1_000], "s")}\n`);
  expect(stopped.text).toMatch(/chỉ còn hình đang được giữ/);
  expect(closed().length).toBeGreaterThan(before.length);
  expect(closed()).toEqual(expect.arrayContaining(before));
  expect((await ask<{ events: unknown[] }>(config, ["events", "--type", "footage.deleted"])).events).toEqual([]);
  expect((await ask<{ holds: unknown[] }>(config, ["hold", "list"])).holds).toHaveLength(1);
  const reminder = await until("the reminder is due", 90_000, () => said("hold"));
  expect(reminder).toMatchObject({ level: "attention", text: expect.stringContaining(`matghi hold lift ${held.id}`) });

  await matghi(["hold", "lift", String(held.id), "--officer", "A", "--reason", "xong", "--config", config]);
  await until("rotation goes on", 60_000, () => before.some((file) => !closed().includes(file)));
  disk.makeRoom();
  await until("it records again", 60_000, () => openFiles(join(footage(), "cho")).length > 0);
  await until("nothing is said any more", 60_000, () => said("held") === null && said("hold") === null);
});
