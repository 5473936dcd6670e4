/** A day of a village on a virtual clock: power cuts, wifi losses, a dead camera, a full disk, a clock that was two hours behind. */
import { expect, test } from "vitest";
import { type LedgerSpan, spansOf, sumsOf } from "../../agent/core/ledger.ts";
import { gapsOf, historyOf } from "../../agent/query.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const startAt = Date.parse("2026-11-23T17:00:00.000Z");
const names = ["cho-1", "cho-2", "truong-1", "truong-2", "cau-1"] as const;
const cameras = [
  `id: cho-1, url: "rtsp://cho-1/", household: ho-01`,
  `id: cho-2, url: "rtsp://cho-2/", household: ho-01`,
  `id: truong-1, url: "rtsp://truong-1/", household: ho-02`,
  `id: truong-2, url: "rtsp://truong-2/", household: ho-02`,
  `id: cau-1, url: "rtsp://cau-1/"`,
];
const more = ["households: [{ id: ho-01, router: 10.0.1.1 }, { id: ho-02, router: 10.0.2.1 }]"];

/** What really happened: who had no footage, from when to when, and why. */
type Truth = { readonly who: readonly string[]; readonly from: number; readonly to: number; readonly cause: string };

/** Makes trouble from now on for so long, and notes it as true. */
async function during(
  village: Village,
  truths: Truth[],
  who: readonly string[],
  cause: string,
  ms: number,
  make: () => void,
  cure: () => void,
) {
  const from = village.now();
  make();
  await village.pass(ms);
  cure();
  truths.push({ who, from, to: village.now(), cause });
}

async function silent(village: Village, truths: Truth[], who: readonly string[], router: string | null, cause: string, ms: number) {
  const { trouble, silentRouters } = village.scene;
  await during(
    village,
    truths,
    who,
    cause,
    ms,
    () => {
      for (const name of who) trouble.set(name, "silent");
      if (router !== null) silentRouters.add(router);
    },
    () => {
      for (const name of who) trouble.delete(name);
      if (router !== null) silentRouters.delete(router);
    },
  );
}

async function powerCut(village: Village, truths: Truth[], ms: number, clock?: Parameters<Village["boot"]>[0]) {
  // Files are cut on the full minute; a power cut knows no minutes.
  await village.pass(37_000);
  const from = village.now();
  village.cut();
  await village.pass(ms);
  truths.push({ who: names, from, to: village.now(), cause: "box-power" });
  await village.boot(clock);
}

const isGap = (span: LedgerSpan): span is Extract<LedgerSpan, { kind: "gap" }> => span.kind === "gap";

test("the ledger equals the script, cause by cause, each edge within five seconds", async () => {
  const village = makeVillage({ folder: tempFolder("day"), startAt, cameras, more });
  const truths: Truth[] = [];
  const house1 = ["cho-1", "cho-2"];
  await village.boot();
  await village.pass(hour);
  await powerCut(village, truths, 20 * minute);
  await village.pass(2 * hour);
  await silent(village, truths, house1, null, "house-network", 12 * minute);
  await village.pass(hour);
  await silent(village, truths, house1, "10.0.1.1", "house-power", 30 * minute);
  await village.pass(2 * hour);
  await silent(village, truths, ["cau-1"], null, "camera", hour);
  await village.pass(hour);
  await silent(village, truths, ["truong-1", "truong-2"], null, "house-network", 5 * minute);
  await village.pass(2 * hour);
  await during(
    village,
    truths,
    names,
    "disk",
    15 * minute,
    () => village.disk.set("full"),
    () => village.disk.set("ok"),
  );
  await village.pass(hour);
  await powerCut(village, truths, 10 * minute, { wrongMs: -2 * hour, trust: "unset" });
  await village.pass(30 * minute);
  village.sync();
  await village.pass(3 * hour);
  await powerCut(village, truths, 5 * minute);
  await village.pass(startAt + 24 * hour - village.now());

  const day = { fromAt: startAt, toAt: startAt + 24 * hour };
  for (const name of names) {
    const expected = truths.filter(({ who }) => who.includes(name));
    village.ask((asking) => {
      const spans = spansOf(historyOf(asking, name, day), day);
      const gaps = spans.filter(isGap);
      expect(
        gaps.map(({ cause }) => cause),
        name,
      ).toEqual(expected.map(({ cause }) => cause));
      for (const [i, gap] of gaps.entries()) {
        expect(Math.abs(gap.fromAt - (expected[i]?.from ?? 0)), `${name} ${gap.cause} begins`).toBeLessThanOrEqual(5_000);
        expect(Math.abs(gap.toAt - (expected[i]?.to ?? 0)), `${name} ${gap.cause} ends`).toBeLessThanOrEqual(5_000);
      }
      const sums = sumsOf(spans);
      expect(sums.unknownMs).toBe(0);
      // The full disk makes room by letting the oldest file go.
      expect(sums.recordedMs + sums.deletedMs + sums.gapMs).toBe(sums.dueMs);
      for (const [i, span] of spans.entries()) expect(span.fromAt).toBe(spans[i - 1]?.toAt ?? span.fromAt);
    });
  }

  const gaps = village.ask((asking) => gapsOf(asking, null, day));
  for (const { who, from } of truths) {
    const own = gaps.filter((gap) => who.includes(gap.camera) && Math.abs(gap.fromAt - from) <= 5_000);
    expect(own.map(({ camera }) => camera).sort()).toEqual([...who].sort());
    expect(new Set(own.map(({ fault }) => fault)).size, "one fault").toBe(1);
  }
  expect(new Set(gaps.map(({ fault }) => fault)).size).toBe(truths.length);
  await village.stop();
});
