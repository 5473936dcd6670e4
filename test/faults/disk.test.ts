/** The footage disk fills up, is pulled, turns read-only, is replaced: nothing is written elsewhere, it is said once, recording comes back by itself. Needs root. */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReads } from "../../agent/store/store.ts";
import { type Agent, ask, matghi, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { type Disk, forceReadOnly, makeDisk } from "../lib/disk.ts";
import { filesUnder, openFiles } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const names = ["sub1", "sub2"] as const;
const folder = tempFolder("disk");
let cameras: Cameras;
let disk: Disk;
let agent: Agent;
let config = "";

type Event = { type: string; at: string; data: Record<string, unknown> };
type Gap = { camera: string; from: string; to: string | null; cause: string; sure: string; evidence: string[] };

beforeAll(async () => {
  cameras = await startCameras({ count: 2, seconds: 500 });
  disk = makeDisk(folder, "srv", 64);
  config = writeSite({
    folder,
    footage: join(disk.mountPoint, "footage"),
    cameras: names.map((id) => `id: ${id}, url: "${cameras.url(id)}"`),
    // Rotation must not take trouble for a lack of room.
    recording: "segment: 5s, limit: { free: 1MB }",
  });
  agent = startAgent(config);
  await recordingAgain();
  // Due time begins with the first closed file.
  for (const name of names)
    await until(`${name} has a closed file`, 30_000, () => filesUnder(join(footage(), name)).some((file) => file.endsWith(".mkv")));
});
afterAll(async () => {
  await agent.stop();
  await cameras.stop();
  disk.remove();
});

const footage = () => join(disk.mountPoint, "footage");
const diskEvents = async () => (await ask<{ events: Event[] }>(config, ["events", "--type", "disk.changed"])).events;
const deletions = async () => (await ask<{ events: Event[] }>(config, ["events", "--type", "footage.deleted"])).events;
const openGaps = async () => (await ask<{ gaps: Gap[] }>(config, ["gaps"])).gaps.filter((gap) => gap.to === null);

function diskValue(): string {
  const reads = openReads(join(folder, "state"));
  try {
    return reads?.conditions().find(({ subject }) => subject === "disk")?.value ?? "none";
  } finally {
    reads?.close();
  }
}

/** Both cameras write a file that was not there before. */
async function recordingAgain(): Promise<void> {
  const before = new Set(names.flatMap((name) => openFiles(join(footage(), name)).map((file) => `${name}/${file}`)));
  for (const name of names)
    await until(`${name} writes a new file`, 40_000, () => openFiles(join(footage(), name)).some((file) => !before.has(`${name}/${file}`)));
}

/** Makes trouble, lets it last, looks at what was said of it, and takes it away whatever was found. */
async function trouble(value: string, make: () => void | Promise<void>, cure: () => void): Promise<void> {
  try {
    await lastingTrouble(value, make);
  } finally {
    cure();
  }
  await cured();
}

async function lastingTrouble(value: string, make: () => void | Promise<void>): Promise<void> {
  const before = (await diskEvents()).length;
  const said = agent.lines().filter((line) => line.disk === value).length;
  await make();
  await until(`the disk is known to be ${value}`, 20_000, () => diskValue() === value);
  await until("both cameras have a gap", 30_000, async () => (await openGaps()).length === names.length);
  await sleep(8_000);
  const events = (await diskEvents()).slice(before);
  expect(events.map((event) => event.data.value)).toEqual([value]);
  expect(agent.lines().filter((line) => line.disk === value).length - said, "said once").toBe(1);
  for (const gap of await openGaps()) expect(gap).toMatchObject({ cause: "disk", sure: "sensed" });
  const status = await ask<{ disk: { value: string }; todo: { level: string; text: string }[] }>(config, ["status"]);
  expect(status.disk.value).toBe(value);
  expect(status.todo[0]).toMatchObject({ level: "broken", text: expect.stringContaining("Ổ cứng") });
}

/** After the cure: recording by itself, the hole closed under its cause. */
async function cured(): Promise<void> {
  await recordingAgain();
  await until("the gaps are closed", 30_000, async () => (await openGaps()).length === 0);
  expect(diskValue()).toBe("ok");
  const { gaps } = await ask<{ gaps: Gap[] }>(config, ["gaps"]);
  for (const name of names) expect(gaps.filter((gap) => gap.camera === name).at(-1)?.cause).toBe("disk");
}

test("a full disk", async () => {
  await trouble("full", disk.fill, disk.makeRoom);
});

test("a disk that turns read-only", async () => {
  await trouble(
    "read-only",
    () =>
      forceReadOnly(
        disk,
        names.map((name) => join(footage(), name)),
      ),
    () => disk.readOnly(false),
  );
});

test("a disk that is pulled under way: nothing is written into the empty mount point", async () => {
  let underneath: readonly string[] = [];
  const before = { deletions: await deletions(), files: filesUnder(footage()).filter((file) => file.endsWith(".mkv")) };
  expect(before.files.length).toBeGreaterThan(0);
  await trouble("missing", disk.unmount, () => {
    underneath = readdirSync(disk.mountPoint);
    disk.mount();
  });
  expect(underneath).toEqual([]);
  expect(await deletions(), "nothing is deleted for want of room on a disk that is not there").toEqual(before.deletions);
  expect(filesUnder(footage())).toEqual(expect.arrayContaining([...before.files]));
});

test("a start without the disk writes nothing elsewhere and records once it is mounted", async () => {
  expect(await agent.stop()).toBe(0);
  const before = await deletions();
  disk.unmount();
  agent = startAgent(config);
  await sleep(10_000);
  expect(await deletions()).toEqual(before);
  expect(filesUnder(disk.mountPoint)).toEqual([]);
  const status = await ask<{ running: boolean; disk: { value: string } }>(config, ["status"]);
  expect(status).toMatchObject({ running: true, disk: { value: "missing" } });
  disk.mount();
  await recordingAgain();
});

type Footage = { recordedMs: number; deletedMs: number; spans: { kind: string; why?: string; from: string; to: string }[] };
const everything = () => ask<Footage>(config, ["footage", "--camera", "sub1", "--from", "00:00", "--to", new Date().toISOString()]);
const replacedMs = ({ spans }: Footage) =>
  spans.filter(({ why }) => why === "disk replaced").reduce((sum, { from, to }) => sum + Date.parse(to) - Date.parse(from), 0);

test("a replaced disk is refused until adopt-disk, and the old footage becomes deleted", async () => {
  expect(await agent.stop()).toBe(0);
  const had = await everything();
  expect(had.recordedMs).toBeGreaterThan(0);
  const deletedBefore = (await deletions()).length;
  disk.unmount();
  disk.replace();
  disk.mount();
  mkdirSync(footage());
  agent = startAgent(config);
  await until("the disk is known to be another", 20_000, () => diskValue() === "unmounted");
  expect(filesUnder(footage())).toEqual([]);
  await until("the log names the cure", 5_000, () => agent.log().includes("adopt-disk"));
  const adopted = await matghi(["adopt-disk", "--config", config]);
  expect(adopted).toMatchObject({ code: 0, stderr: "" });
  await recordingAgain();
  const found = await everything();
  expect(replacedMs(found)).toBe(had.recordedMs);
  // A full disk has made room for itself before.
  expect(found.deletedMs).toBe(had.deletedMs + had.recordedMs);
  expect((await deletions()).slice(deletedBefore).map(({ data }) => data.why)).toEqual(["disk replaced"]);
  expect((await matghi(["adopt-disk", "--config", config])).code).toBe(1);
});
