/** The smaller stream in the whole agent, on virtual time: taken where the main one does not hold, told everywhere, left when it does. */
import { afterEach, expect, test } from "vitest";
import { type LedgerSpan, spansOf, sumsOf } from "../../agent/core/ledger.ts";
import { gapsOf, historyOf, readStatus } from "../../agent/query.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const second = 1_000;
const minute = 60 * second;
const startAt = Date.parse("2026-11-24T00:00:00Z");
let village: Village | null = null;
afterEach(() => village?.stop());

async function begin(camera = 'url: "rtsp://cho/main", fallback: "rtsp://cho/sub"'): Promise<Village> {
  const made = makeVillage({
    folder: tempFolder("stream"),
    startAt,
    cameras: [`id: cho, name: Chợ Tre, ${camera}`, 'id: cau, url: "rtsp://cau/main"'],
  });
  village = made;
  await made.boot();
  await made.pass(5 * minute);
  return made;
}

const now = ({ ask }: Village) =>
  ask((asking) => {
    const { cameras, todo } = readStatus(asking, "0");
    const camera = cameras.find(({ id }) => id === "cho");
    return { state: camera?.state, stream: camera?.stream, why: camera?.why, todo: todo.map(({ text }) => text).join() };
  });

/** Everything since the begin, and that it adds up. */
function spans({ ask, now: nowAt }: Village): readonly LedgerSpan[] {
  const span = { fromAt: startAt, toAt: nowAt() };
  return ask((asking) => {
    const found = spansOf(historyOf(asking, "cho", span), span);
    const { dueMs, recordedMs, gapMs, unknownMs, deletedMs } = sumsOf(found);
    expect(recordedMs + gapMs + unknownMs + deletedMs, "the sum law").toBe(dueMs);
    return found;
  });
}

/** Milliseconds of each stream, and of what is missing. */
function shares(village: Village): Readonly<Record<"main" | "fallback" | "missing", number>> {
  const shares = { main: 0, fallback: 0, missing: 0 };
  for (const span of spans(village)) {
    const key = span.kind === "footage" ? (span.stream as "main" | "fallback") : "missing";
    shares[key] += span.toAt - span.fromAt;
  }
  return shares;
}

const gaps = ({ ask }: Village) => ask((asking) => gapsOf(asking, "cho", { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER }));

test("a main stream that does not hold is replaced within half a minute, tried again, and recorded for good once it holds", async () => {
  const village = await begin();
  expect(now(village)).toMatchObject({ state: "recording", stream: "main", why: null });
  village.scene.trouble.set("cho/main", "stalled");
  await village.pass(30 * second);
  expect(now(village)).toMatchObject({ state: "degraded", stream: "fallback", why: "main-does-not-hold" });
  expect(now(village).todo).toMatch(/^Chợ Tre: đường truyền .* đang ghi luồng phụ, hình nhỏ hơn – đề nghị/);
  expect(village.scene.recordedAt("cho")).toBe("rtsp://cho/sub");
  const lost = shares(village).missing;

  // Two tries of the main stream, after 15 and 30 minutes, fail.
  await village.pass(47 * minute);
  expect(now(village)).toMatchObject({ state: "degraded", stream: "fallback" });
  expect(shares(village).missing - lost, "what the tries cost").toBeLessThan(2 * 15 * second);
  expect(gaps(village).map(({ blame }) => blame.cause)).toEqual(expect.arrayContaining(["weak-link"]));
  expect(gaps(village).at(-1)?.blame).toMatchObject({ cause: "weak-link", evidence: expect.arrayContaining(["smaller-stream-holds"]) });

  village.scene.trouble.delete("cho/main");
  await village.pass(61 * minute);
  expect(now(village), "on trial").toMatchObject({ state: "degraded", stream: "main", why: "main-does-not-hold" });
  expect(now(village).todo).toContain("đang thử lại luồng chính");
  await village.pass(10 * minute);
  expect(now(village)).toMatchObject({ state: "recording", stream: "main", why: null, todo: "" });
  const { main, fallback, missing } = shares(village);
  expect(main).toBeGreaterThan(14 * minute);
  expect(fallback).toBeGreaterThan(100 * minute);
  expect(missing).toBeLessThan(minute);
}, 60_000);

test("the station is told once that it records badly, not at each try", async () => {
  const village = await begin();
  village.scene.trouble.set("cho/main", "stalled");
  await village.pass(50 * minute);
  const told = village.ask(({ reads }) =>
    reads
      .events({ fromAt: 0, toAt: Number.MAX_SAFE_INTEGER, type: "camera.changed", afterG: 0, limit: 100 })
      .flatMap(({ data }) => (data.camera === "cho" && typeof data.state === "string" ? [`${data.state} ${data.stream}`] : [])),
  );
  expect(told).toEqual(["not-recording main", "degraded fallback"]);
}, 60_000);

test("a power cut leaves the torn file what it is, and the main stream is tried first when power is back", async () => {
  const village = await begin();
  village.scene.trouble.set("cho/main", "stalled");
  await village.pass(2 * minute + 37 * second);
  village.cut();
  await village.pass(minute);
  await village.boot();
  await village.pass(30 * second);
  const made = spans(village).flatMap((span) => (span.kind === "footage" && span.fromAt < village.now() - 91 * second ? [span] : []));
  // The clock of a file that was settled after the cut was not witnessed.
  expect(made.map(({ stream, clock }) => `${stream} ${clock}`)).toEqual(["main synced", "fallback synced", "fallback holdover"]);
  expect(now(village), "one loss is enough after that").toMatchObject({ state: "degraded", stream: "fallback" });
}, 60_000);

test("a main stream that the camera does not have is told as that", async () => {
  const village = await begin();
  village.scene.trouble.set("cho/main", "not-found");
  await village.pass(30 * second);
  expect(now(village)).toMatchObject({ state: "degraded", stream: "fallback", why: "main-not-there" });
  expect(now(village).todo).toContain("đề nghị kiểm tra url");
  await village.pass(20 * minute);
  expect(gaps(village).every(({ blame }) => blame.cause === "camera")).toBe(true);
}, 60_000);

test("a camera that is gone is waited for where it was, without another stream", async () => {
  const village = await begin();
  village.scene.trouble.set("cho", "silent");
  await village.pass(20 * minute);
  village.scene.trouble.delete("cho");
  await village.pass(minute);
  expect(now(village)).toMatchObject({ state: "recording", stream: "main" });
  expect(shares(village).fallback).toBe(0);
}, 60_000);

test("a smaller stream that is not there costs one try in a quarter of an hour", async () => {
  const village = await begin();
  village.scene.trouble.set("cho/main", "stalled");
  village.scene.trouble.set("cho/fallback", "not-found");
  await village.pass(20 * minute);
  village.scene.trouble.delete("cho/main");
  await village.pass(2 * minute);
  expect(now(village)).toMatchObject({ state: "recording", stream: "main" });
  expect(village.log().match(/"to":"fallback"/g) ?? []).toHaveLength(2);
}, 60_000);

test("without a smaller stream all is as ever", async () => {
  const village = await begin('url: "rtsp://cho/main"');
  village.scene.trouble.set("cho/main", "stalled");
  await village.pass(5 * minute);
  expect(now(village)).toMatchObject({ state: "not-recording", stream: "main", why: "stalled" });
}, 60_000);
