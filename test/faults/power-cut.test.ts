/**
 * Power cuts of a disk that holds state and footage, under four recording cameras: at most three seconds of each are lost, no event, no
 * file, and the ledger says that the box lost its power. 20 with `npm run faults`; MATGHI_CUTS=100 cuts more often. Needs root.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReader } from "../../agent/store/database.ts";
import type { SegmentRow } from "../../agent/store/reads.ts";
import { openReads } from "../../agent/store/store.ts";
import { type Agent, ask, figure, median, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { complaintsOf, filesUnder, markedBy, openFiles, pictureOnDisk, secondsOf } from "../lib/footage.ts";
import { makePowerDisk, newBoot, type PowerDisk } from "../lib/powercut.ts";
import { tempFolder } from "../lib/temp.ts";
import { turns } from "../lib/turns.ts";

const names = ["cam1", "sub2", "sub3", "sub4"] as const;
const cuts = Number(process.env.MATGHI_CUTS ?? turns(6, 20));
const folder = tempFolder("power-cut");
let cameras: Cameras;
let disk: PowerDisk;
let agent: Agent;
let config = "";

const footage = () => join(disk.mountPoint, "footage");
const state = () => join(disk.mountPoint, "state");

beforeAll(async () => {
  cameras = await startCameras({ count: 4, seconds: 120 + cuts * 30 });
  disk = await makePowerDisk(folder, "disk", 128);
  config = writeSite({
    ...{ folder, state: state(), footage: footage() },
    cameras: names.map((id) => `id: ${id}, url: "${cameras.url(id)}"`),
    // Files go soon, so that cuts also meet the sweep at its work.
    recording: "segment: 10s, sync: 1s, keep: { min: 5s, max: 60s }, limit: { free: 0B }",
  });
});
afterAll(async () => {
  await agent.kill9();
  await cameras.stop();
  disk.remove();
});

/** What stood in the database for certain at some moment. */
type Kept = { readonly run: number; readonly segments: readonly SegmentRow[]; readonly events: ReadonlyMap<number, string> };

function look(): Kept {
  const reads = openReads(state());
  if (reads === null) throw new Error("the database does not open");
  try {
    const everything = { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER };
    const events = reads.events({ ...everything, type: null, afterG: 0, limit: 1_000_000 });
    return {
      run: reads.lastRun()?.id ?? 0,
      segments: names.flatMap((name) => reads.segmentsBetween(name, everything)),
      events: new Map(events.map((event) => [event.g, JSON.stringify(event)])),
    };
  } finally {
    reads.close();
  }
}

/** Starts the agent as after a boot; resolves, when all cameras record, with how long the first of them took. */
async function boot(): Promise<number> {
  const before = Object.fromEntries(names.map((name) => [name, openFiles(join(footage(), name))]));
  const began = Date.now();
  agent = startAgent(config, {}, newBoot(folder));
  const at = await Promise.all(names.map((name) => pictureOnDisk(join(footage(), name), before[name] ?? [], 40_000)));
  expect(Math.min(...at), "each camera records").toBeGreaterThan(0);
  return Math.min(...at) - began;
}

/** Cuts the power; resolves with the moment and with what the database had taken just before it. */
async function cut(): Promise<{ readonly cutAt: number; readonly before: Kept }> {
  const before = look();
  const cutAt = await disk.cut();
  await agent.kill9();
  for (const pid of markedBy(state())) process.kill(pid, "SIGKILL");
  await until("the recorders are gone", 5_000, () => markedBy(state()).length === 0, 10);
  await disk.restore();
  return { cutAt, before };
}

const nameOf = (row: SegmentRow) => `${row.camera}-${row.run}-${row.number}`;
const fileOf = (files: readonly string[], row: SegmentRow) =>
  files.find((file) => file.startsWith(`${row.camera}/`) && file.endsWith(`-${row.run}-${row.number}.mkv`)) ?? "";
/** Files of earlier lives without a row, and rows without their file. */
function unsettled(): readonly string[] {
  const { run, segments } = look();
  const files = filesUnder(footage()).filter((file) => file !== ".matghi");
  const rows = new Set(segments.map(nameOf));
  const [ours, others] = [/^([^/]+)\/\d{4}-\d\d-\d\d\/\d{6}-(\d+-\d+)\.mkv$/, new RegExp(`^[^/]+/${run}-\\d+\\.mkv\\.part$`)];
  const indexed = (file: string) => rows.has(file.replace(ours, "$1-$2"));
  const sealing = (file: string) => ours.exec(file)?.[2]?.startsWith(`${run}-`) === true;
  return [
    ...files.filter((file) => !others.test(file) && !indexed(file) && !sealing(file)),
    ...segments.filter((row) => row.run < run && fileOf(files, row) === "").map((row) => `row ${nameOf(row)}`),
  ];
}

/** What the decoder complains of, but for one thing: a last block that reached the disk half filled ends in zeros. */
async function complaintsAfterCut(file: string): Promise<string> {
  const bytes = readFileSync(file);
  const lines = (await complaintsOf(file)).split("\n");
  const isEndOfZeros = (line: string) => {
    const [, position] = /0x00 at pos (\d+) \(.*\) invalid as first byte of an EBML number/.exec(line) ?? [];
    return position !== undefined && bytes.subarray(Number(position)).every((byte) => byte === 0);
  };
  return lines.filter((line) => !isEndOfZeros(line)).join("\n");
}

/** Seconds of one camera before the cut that cannot be seen afterwards. Its last file is decoded; a row counts as far as its file plays. */
async function lostSeconds(name: string, cutAt: number): Promise<number> {
  const { run, segments } = look();
  const [last] = segments.filter((row) => row.camera === name && row.run < run).sort((a, b) => b.endAt - a.endAt);
  if (last === undefined) return Number.NaN;
  const file = join(footage(), fileOf(filesUnder(footage()), last));
  expect(await complaintsAfterCut(file), file).toBe("");
  const plays = Math.min((last.endAt - last.startAt) / 1000, await secondsOf(file));
  return cutAt / 1000 - (last.startAt / 1000 + plays);
}

function expectKept(before: Kept): void {
  const db = openReader(state());
  expect(db?.pragma("integrity_check", { simple: true })).toBe("ok");
  db?.close();
  const after = look();
  const lost = [...before.events].filter(([g, text]) => after.events.get(g) !== text);
  expect(lost, "committed events that are lost or changed").toEqual([]);
  const files = filesUnder(footage());
  for (const row of after.segments.filter(({ run }) => run === before.run)) {
    const file = join(footage(), fileOf(files, row));
    expect(statSync(file).size, file).toBe(row.bytes);
    expect(createHash("sha256").update(readFileSync(file)).digest("hex"), file).toBe(row.sha256);
  }
}

type Cut = { readonly cutAt: number; readonly lost: readonly number[]; readonly startMs: number };
const found: Cut[] = [];

test(
  "each power cut costs three seconds of footage at most, no event and no file, and the first camera records within five",
  async () => {
    await boot();
    // Due time begins with the first closed file.
    await until("each camera has a closed file", 60_000, () => names.every((name) => look().segments.some((row) => row.camera === name)));
    for (let turn = 0; turn < cuts; turn += 1) {
      await sleep(1_500 + Math.random() * 4_500);
      const { cutAt, before } = await cut();
      const startMs = await boot();
      expectKept(before);
      await until("every file is settled", 10_000, () => unsettled().length === 0).catch(() => expect(unsettled()).toEqual([]));
      found.push({ cutAt, startMs, lost: await Promise.all(names.map((name) => lostSeconds(name, cutAt))) });
    }
    const lost = found.flatMap((one) => one.lost);
    const starts = found.map(({ startMs }) => startMs / 1000);
    process.stdout.write(
      `${figure("footage lost at a power cut", lost, "s")}\n${figure("first camera records after a power cut", starts, "s")}\n`,
    );
    expect(lost).toHaveLength(cuts * names.length);
    expect(Math.max(...lost)).toBeLessThanOrEqual(3);
    // A file's start is known to the grain of its creation.
    expect(Math.min(...lost), "nobody claims footage from after the cut").toBeGreaterThan(-0.5);
    // The slowest start also met whatever else this machine did then.
    expect(median(starts)).toBeLessThanOrEqual(5);
  },
  60_000 + cuts * 30_000,
);

/** Two cuts may lie within ten seconds of each other. */
const nearestCut = (at: number) =>
  found
    .map(({ cutAt }) => cutAt)
    .reduce((best, cutAt) => (Math.abs(cutAt - at) < Math.abs(best - at) ? cutAt : best), Number.POSITIVE_INFINITY);

type Gap = { camera: string; from: string; to: string | null; cause: string; sure: string; evidence: string[] };

test("each cut is a hole of every camera that begins within five seconds of the truth, with the box's power as its cause", async () => {
  await until("all holes are closed", 30_000, async () =>
    (await ask<{ gaps: Gap[] }>(config, ["gaps"])).gaps.every(({ to }) => to !== null),
  );
  expect(await agent.stop()).toBe(0);
  const { gaps } = await ask<{ gaps: Gap[] }>(config, ["gaps"]);
  const off: number[] = [];
  for (const { cutAt } of found)
    for (const name of names) {
      const [gap, ...more] = gaps.filter(
        ({ camera, from }) => camera === name && Math.abs(Date.parse(from) - cutAt) <= 5_000 && nearestCut(Date.parse(from)) === cutAt,
      );
      expect(more, "one hole is one gap").toEqual([]);
      expect(gap, `${name}, cut at ${new Date(cutAt).toISOString()}`).toMatchObject({ cause: "box-power", sure: "inferred" });
      expect(gap?.evidence).toEqual(expect.arrayContaining(["boot-changed", "no-clean-stop", expect.stringMatching(/^last-beat \d{4}-/)]));
      off.push(Math.abs(Date.parse(gap?.from ?? "") - cutAt) / 1000);
    }
  process.stdout.write(`${figure("beginning of the hole beside the truth", off, "s")}\n`);
  expect(off).toHaveLength(cuts * names.length);
});

type Footage = {
  dueMs: number;
  recordedMs: number;
  unknownMs: number;
  deletedMs: number;
  spans: { kind: string; from: string; to: string }[];
};

test("the ledger adds up over all cuts", async () => {
  for (const name of names) {
    const { spans, ...sums } = await ask<Footage>(config, [
      "footage",
      "--camera",
      name,
      "--from",
      "2020-01-01T00:00",
      "--to",
      new Date().toISOString(),
    ]);
    const gapMs = spans.filter(({ kind }) => kind === "gap").reduce((ms, { from, to }) => ms + Date.parse(to) - Date.parse(from), 0);
    expect(sums.recordedMs + gapMs + sums.unknownMs + sums.deletedMs).toBe(sums.dueMs);
    expect(sums.unknownMs).toBe(0);
    for (const [i, span] of spans.entries()) expect(span.from).toBe(spans[i - 1]?.to ?? span.from);
  }
});
