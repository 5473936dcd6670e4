/** `matghi adopt-disk` on disks of our own. Needs root. */
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore } from "../../agent/store/store.ts";
import { makeFootage } from "../../hal/footage.ts";
import { matghi, writeSite } from "../lib/agent.ts";
import { type Disk, makeDisk } from "../lib/disk.ts";
import { tempFolder } from "../lib/temp.ts";

let disk: Disk;
let config: string;
let folder: string;
let state: string;
const adopt = () => matghi(["adopt-disk", "--config", config]);

/** A box that has recorded: an index, and a mark on its disk. */
beforeEach(async () => {
  const base = tempFolder("adopt");
  disk = makeDisk(base, "srv", 16);
  folder = join(disk.mountPoint, "footage");
  state = join(base, "state");
  config = writeSite({ folder: base, footage: folder, cameras: ['id: cam1, url: "rtsp://127.0.0.1:1/x"'] });
  writeFileSync(config, readFileSync(config, "utf8").replace("allowSystemDisk: true, ", ""));
  mkdirSync(folder);
  await makeFootage(folder).writeMark({ site: "an-dai-1", folder: "f1" });
  const store = openStore(state);
  store.begin({ bootId: "boot", wallMs: 1_000, monoMs: 1_000, clock: "synced", version: "test", above: 0 });
  const segment = { camera: "cam1", run: 1, number: 1, startAt: 1_000, endAt: 2_000, bytes: 10, sha256: "ab".repeat(32) };
  store.commit([
    { put: "folder", folder: "f1" },
    { put: "segment", segment: { ...segment, stream: "main", clock: "synced", torn: false, namedMs: 0 } },
  ]);
  store.close();
});
afterEach(() => disk.remove());

function indexed(): { segments: number; folder: string | null; deleted: readonly unknown[] } {
  const store = openStore(state);
  const events = store.eventsAfter(0, 100).filter(({ type }) => type === "footage.deleted");
  const found = { segments: store.totals().segments, folder: store.meta("folder"), deleted: events.map(({ data }) => data.why) };
  store.close();
  return found;
}

test("a disk that is not mounted is not replaced by the system's: refused with the cure, nothing forgotten, nothing marked", async () => {
  disk.unmount();
  for (const empty of [false, true]) {
    if (empty) mkdirSync(folder);
    const answer = await adopt();
    expect(answer).toMatchObject({ code: 2, stdout: "" });
    expect(answer.stderr).toMatch(/site\.yaml:2:\d+: recording\.folder: .*ổ riêng.*allowSystemDisk: true/);
    expect(answer.stderr.trim().split("\n")).toHaveLength(1);
    expect(indexed()).toEqual({ segments: 1, folder: "f1", deleted: [] });
    expect(await makeFootage(folder).readMark()).toBeNull();
  }
});

test("a blank disk needs no folder, and becomes the agent's", async () => {
  const [uid, gid] = [65_534, 65_534];
  chownSync(state, uid, gid);
  disk.unmount();
  disk.replace();
  disk.mount();
  expect(await adopt()).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("1 tệp của ổ cũ được ghi là đã xóa") });
  expect(statSync(folder)).toMatchObject({ uid, gid });
  const { folder: id, ...rest } = indexed();
  expect(rest).toEqual({ segments: 0, deleted: ["disk replaced"] });
  expect(await makeFootage(folder).inspect(id)).toMatchObject({ value: "ok" });
  expect(await adopt()).toMatchObject({ code: 1, stderr: expect.stringContaining("in service already") });
});

test("another site's disk is left alone", async () => {
  await makeFootage(folder).writeMark({ site: "an-dai-2", folder: "f2" });
  expect(await adopt()).toMatchObject({ code: 1, stderr: expect.stringContaining("another site's mark") });
  expect(indexed()).toEqual({ segments: 1, folder: "f1", deleted: [] });
});

test("refused on a box that has no state yet, it makes none", async () => {
  rmSync(state, { recursive: true });
  await makeFootage(folder).writeMark({ site: "an-dai-2", folder: "f2" });
  expect(await adopt()).toMatchObject({ code: 1, stderr: expect.stringContaining("another site's mark") });
  expect(existsSync(state)).toBe(false);
  await makeFootage(folder).writeMark({ site: "an-dai-1", folder: "f1" });
  expect(await adopt()).toMatchObject({ code: 0, stderr: "" });
  expect(indexed()).toEqual({ segments: 0, folder: "f1", deleted: [] });
});
