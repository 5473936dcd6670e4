/** The small rules: conditions, blame, retention, arrival, waiting, the journal's bounds. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adjoiningStart, placeFile, timesDisagree } from "../../agent/core/arrival.ts";
import { cameraBackoffMs, stationBackoffMs, stationBootWaitMs } from "../../agent/core/backoff.ts";
import { blame, type Sight } from "../../agent/core/blame.ts";
import type { Moment } from "../../agent/core/change.ts";
import { type CameraReading, lostMs, settle, settleCamera } from "../../agent/core/condition.ts";
import { usualRate } from "../../agent/core/drawn.ts";
import { importance, planDrop } from "../../agent/core/journal.ts";
import { type CameraLine, weakSigns, wireSigns } from "../../agent/core/line.ts";
import { endFault, type Faults, joinFault } from "../../agent/core/numbering.ts";
import { blameDowntime, explainBy, judgePrevious, type Traces } from "../../agent/core/previous.ts";
import { forecastDays, heldFullIn, planSweep } from "../../agent/core/retention.ts";
import { type CameraCondition, diskValues, endReasons, eventTypes } from "../../agent/core/types.ts";
import { evidenceText } from "../../agent/core/words.ts";

const moment: Moment = { at: 100_000, monoMs: 50_000, clock: "synced" };

describe("a camera's condition", () => {
  const reading: CameraReading = { lastFrameAgeMs: 0, lastFrameAt: 99_000, reason: null, diskOk: true, stream: "main", mainTrouble: null };
  const held = (state: CameraCondition["state"], why: string | null = null): CameraCondition => ({
    state,
    why,
    sinceAt: 10_000,
    stream: "main",
  });
  const events = (before: CameraCondition | null, next: Partial<CameraReading>) => {
    const { condition, change } = settleCamera(before, { ...reading, ...next }, "c", moment);
    return { condition, events: change.filter((write) => write.put === "event") };
  };

  test.each([
    ["starting up is not an event", null, {}, "recording", 0],
    ["nothing known yet", null, { lastFrameAgeMs: null, lastFrameAt: null }, "unknown", 0],
    ["failing to start is an event", held("unknown"), { lastFrameAgeMs: null, lastFrameAt: null, reason: "silent" }, "not-recording", 1],
    ["frames within the limit", held("recording"), { lastFrameAgeMs: lostMs - 1 }, "recording", 0],
    ["no frame for too long", held("recording"), { lastFrameAgeMs: lostMs }, "not-recording", 1],
    ["the disk before the first frame", held("unknown"), { lastFrameAgeMs: null, lastFrameAt: null, diskOk: false }, "not-recording", 1],
    ["back again", held("not-recording", "silent"), {}, "recording", 1],
    ["the smaller stream instead", held("recording"), { mainTrouble: "main-does-not-hold", stream: "fallback" }, "degraded", 1],
    ["a try of the main stream is no return", held("degraded", "main-does-not-hold"), { mainTrouble: "main-does-not-hold" }, "degraded", 0],
    ["the main stream for good", held("degraded", "main-does-not-hold"), {}, "recording", 1],
    [
      "another reason is no event",
      held("not-recording", "silent"),
      { lastFrameAgeMs: 60_000, reason: "refused-password" },
      "not-recording",
      0,
    ],
  ] as const)("%s", (_, before, next, state, count) => {
    const found = events(before, next);
    expect(found.condition.state).toBe(state);
    expect(found.events).toHaveLength(count);
  });

  test("another stream is written down, also where it is no event", () => {
    const { condition } = events(held("degraded", "main-does-not-hold"), { mainTrouble: "main-does-not-hold", stream: "fallback" });
    expect(condition).toMatchObject({ state: "degraded", why: "main-does-not-hold", stream: "fallback", sinceAt: 10_000 });
  });

  test("a loss dates from the last frame, not from when it was noticed", () => {
    const { condition } = events(held("recording"), { lastFrameAgeMs: 20_000, lastFrameAt: 80_000, reason: "stalled" });
    expect(condition).toMatchObject({ state: "not-recording", why: "stalled", sinceAt: 80_000 });
  });

  test("the disk explains a camera better than its own last reason", () => {
    expect(events(held("recording"), { lastFrameAgeMs: 20_000, reason: "stalled", diskOk: false }).condition.why).toBe("disk");
  });
});

describe("the box's own conditions", () => {
  test.each([
    ["the first good reading", null, "ok", 0],
    ["a first bad reading", null, "full", 1],
    ["no change", "full", "full", 0],
    ["a change for the worse", "ok", "full", 1],
    ["a change for the better", "full", "ok", 1],
  ] as const)("%s", (_, before, value, count) => {
    const known = before === null ? null : { value: before, sinceAt: 1, evidence: [] };
    const { change } = settle("disk", known, value, ["x"], moment, ["ok"]);
    expect(change.filter((write) => write.put === "event")).toHaveLength(count);
  });
});

describe("a camera's line", () => {
  const good: CameraLine = { rttMs: 40, outOfOrderPercent: 2, bytesPerSecond: 200_000, usualBytesPerSecond: 250_000 };
  test.each([
    ["nothing", {}, []],
    ["a long way there and back", { rttMs: 812.4 }, ["round-trip 812 ms"]],
    ["packets lost", { outOfOrderPercent: 7.2 }, ["out-of-order 7.2%"]],
    ["less than half of the usual", { bytesPerSecond: 77_000 }, ["low-bitrate 31%"]],
    ["half of the usual", { bytesPerSecond: 125_000 }, []],
    ["nothing usual to compare with", { bytesPerSecond: 10, usualBytesPerSecond: null }, []],
    ["nothing known", { rttMs: null, outOfOrderPercent: null, bytesPerSecond: null }, []],
  ] as const)("%s", (_, change, signs) => {
    expect(weakSigns({ ...good, ...change })).toEqual(signs);
    for (const sign of signs) expect(evidenceText(sign, "vi")).not.toContain(sign.split(" ")[0]);
  });

  test("loss is that of the stretch between two looks, and of enough packets", () => {
    const count = (segments: number, outOfOrder: number) => ({ rttMs: 5, segments, outOfOrder });
    expect(wireSigns(count(1_000, 500), count(2_000, 530))).toEqual({ rttMs: 5, outOfOrderPercent: 3 });
    expect(wireSigns(null, count(2_000, 100)).outOfOrderPercent).toBe(5);
    expect(wireSigns(count(1_000, 0), count(1_049, 30)).outOfOrderPercent).toBeNull();
    expect(wireSigns(count(1_000, 0), null)).toEqual({ rttMs: null, outOfOrderPercent: null });
  });

  test("usual is the middle of enough hours in which something came", () => {
    const hour = (bytesPerSecond: number, ms = 3_600_000) => ({ ms, bytes: (bytesPerSecond * ms) / 1_000 });
    expect(usualRate([hour(100), hour(900), hour(300)])).toBe(300);
    expect(usualRate([hour(100), hour(900), hour(300, 60_000)])).toBeNull();
    expect(usualRate([])).toBeNull();
  });
});

describe("blame", () => {
  const sight: Sight = {
    ...{ camera: "c1", disk: "ok", reason: "silent", answers: false, knocks: 3, knocksLost: 3, others: 5, othersReached: 4 },
    ...{ line: null, routersAnswering: 1, house: null, power: "unsupported", link: "unsupported", isLineWeak: false },
  };
  const house = { id: "ho-07", reach: "lan", router: true, others: 1, othersReached: 0, holdsBox: false } as const;
  const weakLine: CameraLine = { rttMs: 812, outOfOrderPercent: 0.4, bytesPerSecond: 60_000, usualBytesPerSecond: 250_000 };
  const allGone = { others: 5, othersReached: 0, routersAnswering: 0 };

  test.each([
    ["the disk before all else", { disk: "full" }, "disk", "sensed", "disk"],
    ["a writer's word about the disk", { reason: "disk-full" }, "disk", "sensed", "disk"],
    ["an unreadable password file", { reason: "no-password" }, "box", "sensed", "camera c1"],
    ["an ffmpeg that does not start", { reason: "no-recorder" }, "box", "sensed", "box"],
    ["nothing seen yet", { reason: null }, "unknown", "unknown", "camera c1"],
    ["a refused password", { reason: "refused-password", answers: null }, "camera", "inferred", "camera c1"],
    ["a port that answers", { reason: "stalled", answers: true, othersReached: 0 }, "camera", "inferred", "camera c1"],
    ["a stall with knocks lost", { reason: "stalled", answers: true, knocks: 10, knocksLost: 4 }, "weak-link", "inferred", "camera c1"],
    ["a stall over a weak line of its own", { reason: "stalled", answers: true, line: weakLine }, "weak-link", "inferred", "camera c1"],
    ["a wrong path over a weak line", { reason: "not-found", answers: true, line: weakLine }, "camera", "inferred", "camera c1"],
    ["a stall while the box's own wifi is weak", { reason: "stalled", answers: true, link: "weak" }, "camera", "inferred", "camera c1"],
    ["pictures that fell behind", { reason: "starved", answers: true }, "weak-link", "inferred", "camera c1"],
    ["a stall where the smaller stream held", { reason: "stalled", answers: true, isLineWeak: true }, "weak-link", "inferred", "camera c1"],
    ["the way back to the main stream", { reason: "main-again", answers: null, isLineWeak: true }, "weak-link", "inferred", "camera c1"],
    ["the way back to one that was not there", { reason: "main-again", answers: null }, "camera", "inferred", "camera c1"],
    ["silent while others answer", {}, "camera", "inferred", "camera c1"],
    ["silent and nobody to compare", { others: 0, othersReached: 0 }, "unknown", "unknown", "camera c1"],
    ["a house with its router", { house: { ...house, router: false } }, "house-power", "inferred", "house ho-07"],
    ["a house whose router answers", { house }, "house-network", "inferred", "house ho-07"],
    ["one of a house's cameras", { house: { ...house, othersReached: 1 } }, "camera", "inferred", "camera c1"],
    ["one of them, its router mute", { house: { ...house, router: false, othersReached: 1 } }, "camera", "inferred", "camera c1"],
    ["the only camera of a house whose router answers", { house: { ...house, others: 0 } }, "camera", "inferred", "camera c1"],
    ["the only camera, router gone too", { house: { ...house, others: 0, router: false } }, "house-power", "inferred", "house ho-07"],
    ["the only camera, no router to ask", { house: { ...house, others: 0, router: null } }, "camera", "inferred", "camera c1"],
    ["a house seen through its line", { house: { ...house, reach: "wan", router: false } }, "house", "inferred", "house ho-07"],
    ["a house without a router", { house: { ...house, router: null } }, "house", "inferred", "house ho-07"],
    ["the box's own house, box alive", { house: { ...house, router: false, holdsBox: true } }, "house-network", "inferred", "house ho-07"],
    ["the box's own house, on battery", { house: { ...house, holdsBox: true }, power: "battery" }, "house-power", "sensed", "house ho-07"],
    ["the whole site", allGone, "house-network", "inferred", "site"],
    ["the whole site, in a house", { ...allGone, house: { ...house, router: false } }, "house-network", "inferred", "site"],
    ["the whole site, on battery", { ...allGone, power: "battery" }, "house-power", "sensed", "site"],
    ["the whole site, the box's link down", { ...allGone, link: "down" }, "house-network", "sensed", "site"],
    ["a link down that others do not need", { link: "down" }, "camera", "inferred", "camera c1"],
    ["all cameras while a router answers", { ...allGone, routersAnswering: 1, house }, "house-network", "inferred", "house ho-07"],
  ] as const)("%s", (_, seen, cause, sure, scope) => {
    const found = blame({ ...sight, ...seen });
    expect(found).toMatchObject({ scope, blame: { cause, sure } });
    expect(found.blame.evidence.length).toBeGreaterThan(0);
    for (const code of found.blame.evidence)
      for (const language of ["vi", "en"] as const) expect(evidenceText(code, language), `${code} in words`).not.toBe(code);
  });

  test.each([...endReasons, ...diskValues.map((value) => `disk-${value}`).filter((code) => code !== "disk-ok")])(
    "%s has its words",
    (code) => {
      const ours = ["no-password", "no-recorder"];
      for (const language of ["vi", "en"] as const) expect(ours.includes(code) || evidenceText(code, language) !== code).toBe(true);
    },
  );
});

describe("faults", () => {
  const join = (faults: Faults, scope: string, fromAt: number, toAt: number | null) => joinFault(faults, scope, { fromAt, toAt });
  const none: Faults = { last: 0, recent: [] };

  test("gaps of one scope that lie on each other are one fault; other scopes and later times are others", () => {
    const a = join(none, "house h", 1_000, null);
    const b = join(a.faults, "house h", 3_000, null);
    const c = join(b.faults, "camera x", 3_000, null);
    expect([a.number, b.number, c.number]).toEqual([1, 1, 2]);
    const ended = endFault(c.faults, 1, 60_000);
    expect(join(ended, "house h", 59_000, 61_000).number).toBe(1);
    expect(join(ended, "house h", 60_001, null).number).toBe(3);
  });

  test("a fault grows with its gaps and is forgotten after a while", () => {
    let faults = join(none, "site", 0, 10_000).faults;
    faults = join(faults, "site", 9_000, 30_000).faults;
    expect(join(faults, "site", 29_000, 40_000).number).toBe(1);
    for (let i = 0; i < 5_000; i += 1) faults = join(faults, `camera ${i}`, 1e9 + i, 1e9 + i).faults;
    expect(faults.recent.length).toBeLessThanOrEqual(1_000);
  });
});

describe("how the previous run ended", () => {
  const run = { ...{ id: 4, boot: "b.4", bootId: "b", startedAt: 1_000, beatAt: 60_000, ended: null, endedAt: null } } as const;
  const traces: Traces = { run, live: null, beat: null, bootId: "other", inOrder: null, power: "unknown" };

  test.each([
    ["the same boot: a crash", { bootId: "b" }, "crashed", "box", "inferred"],
    ["another boot, nobody shut it down: a power cut", { inOrder: false }, "power", "box-power", "inferred"],
    ["another boot, no record kept: a power cut", {}, "power", "box-power", "inferred"],
    ["on battery before: a power cut that was felt", { power: "battery" }, "power", "box-power", "sensed"],
    ["an orderly shutdown without our mark: a reboot", { inOrder: true }, "rebooted", "box", "inferred"],
    ["a stop that is written down", { run: { ...run, ended: "stopped", endedAt: 70_000 } }, "stopped", "box", "sensed"],
  ] as const)("%s", (_, seen, end, cause, sure) => {
    const previous = judgePrevious({ ...traces, ...seen });
    expect(previous.end).toBe(end);
    const found = blameDowntime(previous);
    expect(found).toMatchObject({ scope: "box", blame: { cause, sure } });
    for (const code of found.blame.evidence) expect(evidenceText(code, "vi")).not.toBe(code);
  });

  test("the latest sign of life counts, of that run alone", () => {
    const signs = { live: { at: 61_000 }, beat: { run: 4, at: 64_000 } };
    expect(judgePrevious({ ...traces, ...signs }).lastAliveAt).toBe(64_000);
    expect(judgePrevious({ ...traces, ...signs, beat: { run: 3, at: 90_000 } }).lastAliveAt).toBe(61_000);
  });

  test("a power cut explains the hole that took all cameras before it, and no camera's own", () => {
    const previous = judgePrevious(traces);
    const gap = (scope: string, cause: "house-network" | "camera") =>
      ({ fromAt: 50_000, told: cause, fault: 1, claim: { scope, blame: { cause, sure: "inferred", evidence: ["silent"] } } }) as const;
    expect(explainBy(previous, gap("site", "house-network"))?.blame).toMatchObject({
      cause: "box-power",
      evidence: expect.arrayContaining(["silent", "box-power-followed"]),
    });
    expect(explainBy(previous, gap("camera c", "camera"))).toBeNull();
  });
});

describe("retention", () => {
  const limits = { maxAgeMs: 30 * 86_400_000, sizeBytes: 1_000_000, freeBytes: 500 };
  const room = { nowAt: 100 * 86_400_000, usedBytes: 900_000, freeBytes: 10_000 };

  test.each([
    ["nothing is there", room, null, null],
    ["all is well", room, 99 * 86_400_000, null],
    ["too old", room, 60 * 86_400_000, { olderThanAt: 70 * 86_400_000, bytes: 0 }],
    ["too large", { ...room, usedBytes: 1_100_000 }, 99 * 86_400_000, { olderThanAt: null, bytesWhy: "size" }],
    ["too full", { ...room, freeBytes: 100 }, 99 * 86_400_000, { olderThanAt: null, bytesWhy: "free space" }],
  ] as const)("%s", (_, seen, oldestEndAt, plan) => {
    const found = planSweep(limits, seen, oldestEndAt);
    if (plan === null) expect(found).toBeNull();
    else expect(found).toMatchObject(plan);
  });

  test("a plan asks for as much as the limits need, and for little more", () => {
    const bytes = fc.integer({ min: 0, max: 2_000_000 });
    fc.assert(
      fc.property(bytes, bytes, bytes, (usedBytes, freeBytes, keepFree) => {
        const plan = planSweep({ ...limits, freeBytes: keepFree }, { ...room, usedBytes, freeBytes }, room.nowAt - 1);
        const needed = Math.max(usedBytes - 1_000_000, keepFree - freeBytes, 0);
        expect(plan?.bytes ?? 0).toBeGreaterThanOrEqual(needed);
        // The size is kept from below: a sweep starts a fiftieth before it and frees a fiftieth more.
        expect(plan?.bytes ?? 0).toBeLessThanOrEqual(needed + 0.04 * Math.max(1_000_000, keepFree) + 1);
        if (usedBytes <= 980_000 && keepFree <= freeBytes) expect(plan).toBeNull();
      }),
    );
  });

  test("days left are what the room, the limit and the age allow, whichever is shortest", () => {
    const day = 1_000_000_000;
    expect(forecastDays(0, 10 * day, day, { maxAgeMs: 30 * 86_400_000, sizeBytes: null, freeBytes: 0 })).toBeCloseTo(10);
    expect(forecastDays(0, 10 * day, day, { maxAgeMs: 30 * 86_400_000, sizeBytes: 4 * day, freeBytes: 0 })).toBeCloseTo(4);
    expect(forecastDays(0, 100 * day, day, { maxAgeMs: 30 * 86_400_000, sizeBytes: null, freeBytes: 0 })).toBeCloseTo(30);
  });

  test("held footage fills the disk where its holds outlast the room, and not where they end before", () => {
    const day = 86_400_000;
    expect(heldFullIn({ roomBytes: 500, bytesPerDay: 1_000, forMs: day })).toBe(day / 2);
    expect(heldFullIn({ roomBytes: 500, bytesPerDay: 1_000, forMs: day / 2 })).toBeNull();
    expect(heldFullIn({ roomBytes: -5, bytesPerDay: 1_000, forMs: 1 })).toBe(0);
    expect(heldFullIn({ roomBytes: 500, bytesPerDay: 0, forMs: day })).toBeNull();
  });
});

describe("arrival", () => {
  test.each([
    ["the first file, by its birth", { mediaToMs: 10_000, bornMonoMs: 50_000, previousEndMonoMs: null }, 50_000],
    ["a burst from before the connect", { mediaToMs: 14_000, bornMonoMs: 50_000, previousEndMonoMs: null }, 46_000],
    ["a burst beyond belief", { mediaToMs: 300_000, bornMonoMs: 50_000, previousEndMonoMs: null }, 35_000],
    ["times that stand still", { mediaToMs: 10, bornMonoMs: 50_000, previousEndMonoMs: null }, 50_000],
    ["a birth that was not seen", { mediaToMs: 10_000, bornMonoMs: null, previousEndMonoMs: null }, 50_000],
    ["a later file adjoins", { mediaToMs: 10_000, bornMonoMs: 51_000, previousEndMonoMs: 49_000 }, 49_000],
  ] as const)("%s", (_, file, startMonoMs) => {
    expect(placeFile({ mediaFromMs: 0, closedMonoMs: 60_000, ...file })).toEqual({ startMonoMs, endMonoMs: 60_000 });
  });

  test("a file never ends before it starts", () => {
    const ms = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(ms, ms, ms, fc.option(ms), fc.option(ms), (mediaFromMs, lengthMs, closedMonoMs, bornMonoMs, previousEndMonoMs) => {
        const found = placeFile({ mediaFromMs, mediaToMs: mediaFromMs + lengthMs, closedMonoMs, bornMonoMs, previousEndMonoMs });
        expect(found.startMonoMs).toBeLessThan(found.endMonoMs);
        expect(found.endMonoMs).toBe(closedMonoMs);
      }),
    );
  });

  test.each([
    ["a camera as it should be", { mediaMs: 60_000, clockMs: 60_400, frames: 1_500 }, false],
    ["times that stand still", { mediaMs: 1_500, clockMs: 60_000, frames: 1_500 }, true],
    ["times that stand still in a short file", { mediaMs: 60, clockMs: 3_000, frames: 70 }, true],
    ["a first file of a second", { mediaMs: 20, clockMs: 900, frames: 20 }, false],
    ["twice too fast", { mediaMs: 120_000, clockMs: 60_000, frames: 1_500 }, true],
    ["a burst at connect", { mediaMs: 16_000, clockMs: 5_000, frames: 400 }, false],
    ["a weak link that is seconds behind", { mediaMs: 8_000, clockMs: 18_000, frames: 200 }, false],
    ["half too slow for a minute", { mediaMs: 30_000, clockMs: 60_000, frames: 1_500 }, true],
    ["a link that was silent for a while", { mediaMs: 30_000, clockMs: 60_000, frames: 750, longestSilenceMs: 25_000 }, false],
  ] as const)("%s", (_, course, disagrees) => {
    expect(timesDisagree({ longestSilenceMs: 1_000, ...course })).toBe(disagrees);
  });
});

describe("waiting", () => {
  test("a camera's waits grow 1, 2, 5, 10, 30, 60 s and stay there, a fifth more or less", () => {
    for (const [i, seconds] of [1, 2, 5, 10, 30, 60, 60, 60].entries()) {
      expect(cameraBackoffMs(i + 1, 0)).toBe(seconds * 600);
      expect(cameraBackoffMs(i + 1, 0.5)).toBe(seconds * 800);
      expect(cameraBackoffMs(i + 1, 1)).toBe(seconds * 1_000);
    }
  });

  test("the station's waits stay between half a second and one minute", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const ms = stationBackoffMs(failures, random);
        expect(ms).toBeGreaterThanOrEqual(500);
        expect(ms).toBeLessThanOrEqual(60_000);
      }),
    );
    expect([stationBackoffMs(99, 0), stationBackoffMs(99, 1)]).toEqual([500, 60_000]);
    expect([stationBootWaitMs(0), stationBootWaitMs(1)]).toEqual([0, 30_000]);
  });
});

describe("the journal's bounds", () => {
  test("every type of event has its importance, and what explains a loss outlives what describes", () => {
    expect(Object.keys(importance).sort()).toEqual([...eventTypes].sort());
    expect(importance["gap.closed"]).toBeGreaterThan(importance["footage.deleted"]);
    expect(importance["journal.dropped"]).toBe(3);
  });

  test.each([
    ["below the bound", 100, 0, null],
    ["confirmed rows go first", 101, 100, { sent: 11, unsent: 0 }],
    ["then unconfirmed ones", 110, 5, { sent: 5, unsent: 15 }],
    ["none confirmed", 101, 0, { sent: 0, unsent: 11 }],
  ] as const)("%s", (_, count, sent, plan) => {
    expect(planDrop({ maxEvents: 100, slackEvents: 10 }, count, sent)).toEqual(plan);
  });
});

test.each([
  ["the next file of a try", 101_900, 100_000, false, 100_000],
  ["the first of a run, however soon the box was there again", 101_900, 100_000, true, null],
  ["one after a pause", 102_000, 100_000, false, null],
  ["nothing before it", 101_900, null, false, null],
] as const)("a file that was left behind: %s", (_, bornAt, coveredAt, isFirstOfRun, startAt) => {
  expect(adjoiningStart(bornAt, coveredAt, isFirstOfRun)).toBe(startAt);
});
