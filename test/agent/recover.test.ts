/** Starts after every kind of end, on the whole agent: what was written is found, and what was lost is said. */
import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type LedgerSpan, spansOf, sumsOf } from "../../agent/core/ledger.ts";
import { gapsOf, historyOf } from "../../agent/query.ts";
import { openWriter } from "../../agent/store/database.ts";
import { schemaVersion } from "../../agent/store/migrations.ts";
import { copyBefore, restoreCopy } from "../../agent/store/undo.ts";
import { until } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const startAt = Date.parse("2026-11-23T17:00:00.000Z");
const year = { fromAt: startAt - 400 * 24 * hour, toAt: startAt + 400 * 24 * hour };

function villageOf(name: string) {
  const folder = tempFolder(name);
  const cameras = [`id: c1, url: "rtsp://c1/"`, `id: c2, url: "rtsp://c2/"`];
  return { folder, village: makeVillage({ folder, startAt, cameras }) };
}
const spansIn = (village: Village, camera = "c1") => village.ask((asking) => spansOf(historyOf(asking, camera, year), year));
const kinds = (spans: readonly LedgerSpan[]) => spans.map((span) => (span.kind === "gap" ? span.cause : span.kind));
const minutes = (at: number) => Math.round((at - startAt) / minute);
const eventsIn = (village: Village) =>
  village.ask(({ reads }) => reads.events({ fromAt: 0, toAt: Number.MAX_SAFE_INTEGER, type: null, afterG: 0, limit: 1_000 }));

/** Overwrites the beginning of the database, as a dying card does. */
function spoil(folder: string): void {
  const file = openSync(join(folder, "state/matghi.db"), "r+");
  writeSync(file, Buffer.alloc(8_192));
  closeSync(file);
}

test("a database beyond repair is set aside; the footage comes back, the rest is of unknown state, and that is told", async () => {
  const { folder, village } = villageOf("spoilt");
  await village.boot();
  // A file is open when the power goes: the new database never saw its run.
  await village.pass(30 * minute + 23_000);
  village.cut();
  spoil(folder);
  await village.pass(10 * minute);
  await village.boot();
  await village.pass(20 * minute);
  expect(readdirSync(join(folder, "state")).some((name) => /^matghi\.db\.broken-\d{8}T\d{6}Z$/.test(name))).toBe(true);
  expect(eventsIn(village).map(({ type }) => type)).toContain("journal.reset");
  const spans = spansIn(village);
  expect(spans.filter((span) => span.kind === "unknown").every((span) => span.kind === "unknown" && span.why === "journal reset")).toBe(
    true,
  );
  const sums = sumsOf(spans);
  expect(sums.recordedMs / minute).toBeGreaterThan(48);
  expect(sums.recordedMs + sums.gapMs + sums.unknownMs + sums.deletedMs).toBe(sums.dueMs);
  expect(sums.dueMs / minute).toBeGreaterThan(58);
  expect(sums.dueMs / minute).toBeLessThan(62);
  expect(eventsIn(village).filter(({ type }) => type === "footage.deleted")).toEqual([]);
  expect(spans.filter((span) => span.kind === "footage" && span.segments > 0 && span.toAt - startAt > 30 * minute).length).toBeGreaterThan(
    0,
  );
  await village.stop();
});

test("a version that takes over again knows what the newer one recorded, without reading it, and calls none of it a hole", async () => {
  const { folder, village } = villageOf("taken-back");
  await village.boot();
  await village.pass(10 * minute);
  expect(await copyBefore(join(folder, "state"), "0.1.0")).toBe(true);
  await village.pass(20 * minute + 23_000);
  village.cut();
  const raw = openWriter(join(folder, "state"));
  raw.pragma(`user_version = ${schemaVersion + 1}`);
  raw.close();
  expect(restoreCopy(join(folder, "state"), "0.1.0")?.lost).toEqual([]);
  await village.boot();
  await village.pass(10 * minute);
  const knownIn = (spans: readonly LedgerSpan[]) => spans.flatMap((span) => (span.kind === "footage" ? [[span.clock, span.segments]] : []));
  // ffprobe reads the torn file in real time, of which virtual minutes take none.
  await until("the torn file is read", 20_000, () => knownIn(spansIn(village)).length > 2);
  const spans = spansIn(village);
  // What a start reads anew, as the one file that was torn, is of the clock that it has then.
  expect(knownIn(spans).slice(0, 2)).toEqual([
    ["synced", 30],
    ["holdover", 1],
  ]);
  expect(sumsOf(spans).recordedMs / minute).toBeGreaterThan(39);
  const holes = eventsIn(village).filter(({ type, data }) => type === "gap.closed" && Number(data.durationMs) > minute);
  expect(holes).toEqual([]);
  await village.stop();
});

test.each([
  ["an hour back", { wrongMs: hour, trust: "holdover" as const }],
  ["from 1970", { wrongMs: -startAt, trust: "unset" as const }],
  ["from thirty days ahead", { wrongMs: 30 * 24 * hour, trust: "holdover" as const }],
])("a clock that is set right %s moves its own boot and nothing else", async (_, clock) => {
  const { village } = villageOf("clock");
  await village.boot();
  await village.pass(20 * minute);
  village.cut();
  await village.pass(10 * minute);
  await village.boot(clock);
  await village.pass(10 * minute);
  village.sync();
  await village.pass(10 * minute);
  const spans = spansIn(village);
  expect(kinds(spans).filter((kind) => kind !== "footage")).toEqual(["box-power"]);
  const [gap] = spans.filter((span) => span.kind === "gap");
  expect([minutes(gap?.fromAt ?? 0), minutes(gap?.toAt ?? 0)]).toEqual([20, 30]);
  for (const [i, span] of spans.entries()) expect(span.fromAt).toBe(spans[i - 1]?.toAt ?? span.fromAt);
  const steps = eventsIn(village).filter(({ type }) => type === "clock.step");
  expect(steps.map(({ data }) => Math.round(Number(data.stepMs) / minute))).toEqual([-Math.round(clock.wrongMs / minute)]);
  await village.stop();
});

test("a clock thirty days ahead deletes nothing for its age before it is set right", async () => {
  const { village } = villageOf("ahead");
  await village.boot();
  await village.pass(20 * minute);
  village.cut();
  await village.pass(10 * minute);
  await village.boot({ wrongMs: 400 * 24 * hour, trust: "holdover" });
  await village.pass(10 * minute);
  expect(eventsIn(village).filter(({ type }) => type === "footage.deleted")).toEqual([]);
  village.sync();
  await village.pass(10 * minute);
  expect(sumsOf(spansIn(village)).deletedMs).toBe(0);
  await village.stop();
});

test("a site that goes silent before the box loses its power is explained by that afterwards, from what to what", async () => {
  const { village } = villageOf("explained");
  await village.boot();
  await village.pass(20 * minute);
  for (const camera of ["c1", "c2"]) village.scene.trouble.set(camera, "silent");
  await village.pass(10 * minute);
  expect(village.ask((asking) => gapsOf(asking, null, year)).map((gap) => gap.blame.cause)).toEqual(["house-network", "house-network"]);
  village.cut();
  await village.pass(30 * minute);
  village.scene.trouble.clear();
  await village.boot();
  await village.pass(5 * minute);
  const gaps = village.ask((asking) => gapsOf(asking, null, year));
  expect(gaps.map((gap) => gap.blame.cause)).toEqual(["box-power", "box-power"]);
  expect(new Set(gaps.map((gap) => gap.fault)).size).toBe(1);
  const closed = eventsIn(village).filter(({ type }) => type === "gap.closed");
  for (const event of closed) expect(event.data).toMatchObject({ cause: "box-power", was: "house-network" });
  await village.stop();
});

test("a hole before a camera's return keeps its own cause when the agent then crashes", async () => {
  const { village } = villageOf("before");
  await village.boot();
  await village.pass(10 * minute);
  village.scene.trouble.set("c1", "silent");
  await village.pass(60 * minute);
  village.scene.trouble.clear();
  await village.pass(20_000);
  village.cut();
  await village.pass(5 * minute);
  await village.boot();
  await village.pass(5 * minute);
  expect(kinds(spansIn(village)).filter((kind) => kind !== "footage")).toEqual(["camera", "box-power"]);
  await village.stop();
});

test("a hand-over that lies ahead makes nothing due, spoils no file, and may still be moved", async () => {
  const folder = tempFolder("handover");
  const since = new Date(startAt + 30 * 24 * hour).toISOString().slice(0, 10);
  const village = makeVillage({ folder, startAt, cameras: [`id: c1, url: "rtsp://c1/", since: ${since}`] });
  await village.boot();
  await village.pass(20 * minute);
  const asked = { fromAt: startAt, toAt: startAt + 19 * minute };
  const spans = village.ask((asking) => spansOf(historyOf(asking, "c1", asked), asked));
  expect(sumsOf(spans).dueMs).toBe(0);
  expect(spans.reduce((ms, span) => ms + (span.kind === "footage" ? span.toAt - span.fromAt : 0), 0)).toBeGreaterThan(18 * minute);
  const moved = village.ask((asking) => {
    const cameras = asking.settings.cameras.map((camera) => ({ ...camera, since: startAt + 5 * minute }));
    return sumsOf(spansOf(historyOf({ ...asking, settings: { ...asking.settings, cameras } }, "c1", asked), asked));
  });
  expect(moved).toMatchObject({ dueMs: 14 * minute, recordedMs: 14 * minute, unknownMs: 0 });
  expect(village.ask(({ reads }) => reads.latestAt())).toBeLessThan(startAt + hour);
  await village.stop();
});

test("a camera whose clock starts over tells that its house was without power, not without network", async () => {
  const folder = tempFolder("reset");
  const cameras = ["c1", "c2", "c3"].map((id) => `id: ${id}, url: "rtsp://${id}/"${id === "c3" ? "" : ", household: ho-01"}`);
  const village = makeVillage({ folder, startAt, cameras, more: ["households: [{ id: ho-01, router: 10.0.1.1, reach: wan }]"] });
  await village.boot();
  await village.pass(5 * minute);
  village.scene.silentRouters.add("10.0.1.1");
  for (const camera of ["c1", "c2"]) village.scene.trouble.set(camera, "silent");
  await village.pass(10 * minute);
  expect(village.ask((asking) => gapsOf(asking, null, year)).map(({ blame }) => blame.cause)).toEqual(["house", "house"]);
  for (const camera of ["c1", "c2"]) village.scene.clocks.set(camera, Date.UTC(2000, 0, 1, 0, 1));
  village.scene.silentRouters.clear();
  village.scene.trouble.clear();
  await village.pass(5 * minute);
  const gaps = village.ask((asking) => gapsOf(asking, null, year));
  expect(gaps.map(({ blame }) => [blame.cause, blame.sure, blame.evidence.at(-1)])).toEqual([
    ["house-power", "sensed", "camera-clock-reset"],
    ["house-power", "sensed", "camera-clock-reset"],
  ]);
  expect(new Set(gaps.map(({ fault }) => fault)).size).toBe(1);
  await village.stop();
});

test("a stop is the box's, a shutdown in order no power cut", async () => {
  const { village } = villageOf("stopped");
  await village.boot();
  await village.pass(5 * minute);
  await village.stop();
  await village.pass(5 * minute);
  await village.boot();
  await village.pass(5 * minute);
  village.cut();
  await village.pass(5 * minute);
  await village.boot({ orderly: true });
  await village.pass(5 * minute);
  expect(kinds(spansIn(village)).filter((kind) => kind !== "footage")).toEqual(["box", "box"]);
  const ended = eventsIn(village).filter(({ type }) => type === "run.ended");
  expect(ended.map(({ data }) => data.end)).toEqual(["rebooted"]);
  await village.stop();
});

test("a disk that is late at the start takes nothing of the power cut before it", async () => {
  const { village } = villageOf("late");
  await village.boot();
  await village.pass(10 * minute);
  village.cut();
  village.disk.set("missing");
  await village.pass(60 * minute);
  await village.boot();
  await village.pass(2 * minute);
  village.disk.set("ok");
  await village.pass(5 * minute);
  const causes = kinds(spansIn(village)).filter((kind) => kind !== "footage");
  expect(causes).toEqual(["box-power", "disk"]);
  const [cut] = spansIn(village).filter((span) => span.kind === "gap");
  expect(Math.abs((cut?.toAt ?? 0) - startAt - 70 * minute)).toBeLessThanOrEqual(5_000);
  await village.stop();
});
