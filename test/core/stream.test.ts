/** Which stream is recorded: cases, and laws over drawn histories of a camera's tries. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fellBehind, noPace, notePace, paceAnew } from "../../agent/core/pace.ts";
import {
  afterFrames,
  afterTry,
  type Choice,
  firstChoice,
  isLineWeak,
  isMainDue,
  mayLeaveMain,
  onMain,
  streamOf,
  type TryEnd,
  tryMain,
} from "../../agent/core/stream.ts";
import { endReasons, type StreamName } from "../../agent/core/types.ts";

const second = 1_000;
const minute = 60 * second;
const retryMs = 15 * minute;

const cut: TryEnd = { reason: "stalled", hadFrames: true, answers: true, hadWeakLine: false };
const dry: TryEnd = { reason: "no-frames", hadFrames: false, answers: true, hadWeakLine: false };
const absent: TryEnd = { reason: "not-found", hadFrames: false, answers: true, hadWeakLine: false };
const gone: TryEnd = { reason: "silent", hadFrames: true, answers: false, hadWeakLine: false };

/** The choice after ends that follow each other every so many milliseconds. */
const ended = (choice: Choice, ends: readonly TryEnd[], everyMs = 20 * second): Choice =>
  ends.reduce((now, end, i) => afterTry(now, end, i * everyMs, retryMs), choice);
const fallback = (more: Partial<Choice & { kind: "fallback" }> = {}): Choice => ({
  ...{ kind: "fallback", why: "main-does-not-hold", mainDueMonoMs: retryMs, pauseMs: retryMs, isProven: true, misses: 0, ...more },
});

describe("the main stream is left", () => {
  test.each<readonly [string, readonly TryEnd[], number, Choice["kind"]]>([
    ["when it was cut three times", [cut, cut, cut], 20 * second, "fallback"],
    ["not when it was cut twice", [cut, cut], 20 * second, "main"],
    ["when it was cut twice and its connection was seen to be weak", [cut, { ...cut, hadWeakLine: true }], 20 * second, "fallback"],
    ["not when that was cut once", [{ ...cut, hadWeakLine: true }], 20 * second, "main"],
    ["not when that took longer than ten minutes", [cut, cut, cut], 6 * minute, "main"],
    ["not when the camera was gone each time", [gone, gone, gone, gone], 20 * second, "main"],
    ["when pictures do not come for as long as no boot takes", [dry, dry, dry], 20 * second, "fallback"],
    ["not while a camera boots", [dry, dry, dry], 5 * second, "main"],
    ["at once where one of the tries had pictures", [dry, cut, dry], 5 * second, "fallback"],
    ["when the camera says three times that there is none", [absent, absent, absent], second, "fallback"],
    ["at once when its pictures fall behind", [{ ...cut, reason: "starved", answers: null }], second, "fallback"],
    [
      "when a timeout is the line's and not the camera's",
      [cut, { ...dry, reason: "silent" }, { ...dry, reason: "silent" }],
      20_000,
      "fallback",
    ],
    ["when the connection breaks off", [cut, cut, { ...cut, reason: "refused-connection" }], 20_000, "fallback"],
  ])("%s", (_, ends, everyMs, kind) => {
    expect(ended(onMain, ends, everyMs).kind).toBe(kind);
  });

  const saysNothing = endReasons.filter(
    (reason) => !["silent", "stalled", "no-frames", "ended", "not-found", "no-video", "starved"].includes(reason),
  );
  test.each(saysNothing)("not for %s", (reason) => {
    expect(ended(onMain, Array(20).fill({ reason, hadFrames: false, answers: true, hadWeakLine: true })).kind).toBe("main");
  });

  test("and the reason is said", () => {
    expect(ended(onMain, [absent, absent, absent], second)).toMatchObject({ why: "main-not-there" });
    expect(ended(onMain, [cut, cut, cut])).toMatchObject({ why: "main-does-not-hold", pauseMs: retryMs, isProven: false });
  });
});

describe("the smaller stream", () => {
  test("makes way when the main one is due, not before", () => {
    expect([isMainDue(fallback(), retryMs - 1), isMainDue(fallback(), retryMs)]).toEqual([false, true]);
    expect(tryMain(fallback())).toMatchObject({ kind: "trial", pauseMs: retryMs });
  });
  test("makes way at its own end, which costs nothing", () => {
    expect(afterTry(fallback(), cut, retryMs - 1, retryMs).kind).toBe("fallback");
    expect(afterTry(fallback(), cut, retryMs, retryMs).kind).toBe("trial");
  });
  test("that the camera does not have is left at once, and not taken again for a while", () => {
    const next = afterTry(fallback(), absent, minute, retryMs);
    expect(next.kind).toBe("main");
    expect([mayLeaveMain(next, minute + retryMs - 1), mayLeaveMain(next, minute + retryMs)]).toEqual([false, true]);
    expect(ended(next, [cut, cut, cut, cut]).kind).toBe("main");
  });
  test("that gives no picture three times is none either", () => {
    expect([ended(fallback(), [dry, dry]).kind, ended(fallback(), [dry, dry, dry]).kind]).toEqual(["fallback", "main"]);
    expect(ended(fallback(), [dry, dry, cut, dry, dry]).kind).toBe("fallback");
  });
  test("stays while the camera is gone", () => {
    expect(ended(fallback(), [gone, gone, gone, gone])).toEqual(fallback());
  });
});

describe("a try of the main stream", () => {
  const trial: Choice = { kind: "trial", why: "main-does-not-hold", pauseMs: retryMs };
  test.each<readonly [string, TryEnd, Choice["kind"]]>([
    ["is over with the first loss", cut, "fallback"],
    ["is over where it is refused: the camera has not let go of the other session", { ...dry, reason: "refused-connection" }, "fallback"],
    ["goes on after a power cut", gone, "trial"],
    ["goes on after a bad disk", { ...cut, reason: "disk-error" }, "trial"],
    ["goes on where the login is refused", { ...dry, reason: "refused-password" }, "trial"],
  ])("%s", (_, end, kind) => {
    expect(afterTry(trial, end, 0, retryMs).kind).toBe(kind);
  });
  test("waits twice as long after each failure, up to eight times", () => {
    const pauses: number[] = [];
    let choice: Choice = trial;
    for (let i = 0; i < 6; i += 1) {
      choice = afterTry(choice, cut, 0, retryMs);
      if (choice.kind === "fallback") pauses.push(choice.pauseMs / minute);
      choice = tryMain(choice);
    }
    expect(pauses).toEqual([30, 60, 120, 120, 120, 120]);
  });
  test("is a return once it held ten minutes, or one pause where that is shorter", () => {
    expect(afterFrames(trial, 10 * minute - 1, retryMs)).toBe(trial);
    expect(afterFrames(trial, 10 * minute, retryMs)).toBe(onMain);
    expect(afterFrames(trial, 20 * second, 20 * second)).toBe(onMain);
  });
  test("is how a camera begins whose smaller stream was recorded last", () => {
    expect(firstChoice("main", null, retryMs)).toBe(onMain);
    expect(firstChoice("fallback", "main-not-there", retryMs)).toMatchObject({ kind: "trial", why: "main-not-there" });
    expect(firstChoice("fallback", "silent", retryMs)).toMatchObject({ kind: "trial", why: "main-does-not-hold" });
  });
});

test.each<readonly [string, Choice, StreamName | null, boolean]>([
  ["the main one fails as ever", onMain, "main", false],
  ["the smaller one held before, and the main one just failed", fallback(), "main", true],
  ["it is only being tried", fallback({ isProven: false }), "main", false],
  ["the smaller one fails too", fallback(), "fallback", false],
  ["the camera has no main stream", fallback({ why: "main-not-there" }), "main", false],
])("a line is weak: %s", (_, choice, endedOn, isWeak) => {
  expect(isLineWeak(choice, endedOn)).toBe(isWeak);
});

describe("pace", () => {
  /** Signs each second for so long, of a stream that plays so much of each. */
  const play = (pace = noPace, seconds = 61, share = 1, fps = 25, stream: StreamName = "main") => {
    let now = paceAnew(pace, stream);
    for (let i = 0; i < seconds; i += 1) now = notePace(now, { monoMs: i * 1_000, mediaMs: i * 1_000 * share, frames: i * fps });
    return now;
  };
  const slowed = play(play(), 61, 0.3);
  const [isLine, isClock, neither] = [
    { isTrue: true, isStarved: true },
    { isTrue: false, isStarved: false },
    { isTrue: true, isStarved: false },
  ];
  test.each([
    ["a stream that keeps pace", play(), neither],
    ["a thin line after a good one", play(play(), 21, 0.3, 8), isLine],
    ["a thin line again, and again", play(play(play(), 61, 0.3, 8), 61, 0.2, 5), isLine],
    ["not before twenty seconds", play(play(), 20, 0.3, 8), neither],
    ["a camera whose own times were never right", play(noPace, 61, 0.3), isClock],
    ["a clock that slowed down, for as many pictures come", slowed, isClock],
    ["nor when it is tried again", play(slowed, 61, 0.3), isClock],
    ["nor when it nearly stands still", play(play(), 61, 0.25), isClock],
    ["a thin line after it was set right", play(play(slowed), 61, 0.3, 8), isLine],
    ["times that stand still while pictures come", play(play(), 61, 0), isClock],
    ["a line that carries most of it", play(play(), 61, 0.6, 15), neither],
    ["half the pictures at night, each of them in time", play(play(), 61, 1, 6), neither],
    ["a thin line by day where the night's pictures were few", play(play(noPace, 61, 1, 6), 61, 0.4, 10), isLine],
    ["a thin line for which the camera leaves pictures out, and then no longer", play(play(play(), 61, 1, 8), 61, 0.45, 8), isLine],
    ["a clock that slowed down long after fewer pictures became usual", play(play(play(), 400, 1, 6), 61, 0.3, 6), isClock],
    ["a thin main stream after a smaller one of few pictures", play(play(noPace, 61, 1, 8, "fallback"), 61, 0.3, 8), isLine],
  ])("%s", (_, pace, expected) => {
    expect(pace).toMatchObject(expected);
  });
});

test.each([
  ["pictures that came late", {}, { mediaMs: 20_000, clockMs: 60_000, frames: 500 }, true],
  ["times that were never right", { isTrue: false }, { mediaMs: 20_000, clockMs: 60_000, frames: 500 }, false],
  ["times that jump ahead", {}, { mediaMs: 3_600_000, clockMs: 60_000, frames: 1_500 }, false],
  ["times that stand still", {}, { mediaMs: 40, clockMs: 60_000, frames: 1_500 }, false],
  ["a clock that slowed down within a file", {}, { mediaMs: 38_400, clockMs: 60_000, frames: 1_500 }, false],
  ["a line that thinned within a file", {}, { mediaMs: 38_400, clockMs: 60_000, frames: 960 }, true],
  ["nothing known of its pictures", { usualRate: null }, { mediaMs: 38_400, clockMs: 60_000, frames: 1_500 }, true],
])("fell behind: %s", (_, more, course, expected) => {
  expect(fellBehind({ ...noPace, isTrue: true, usualRate: 0.025, ...more }, course)).toBe(expected);
});

describe("laws", () => {
  type Step = { readonly end: TryEnd; readonly heldMs: number; readonly waitMs: number };
  const end = fc.record({
    reason: fc.constantFrom(...endReasons),
    hadFrames: fc.boolean(),
    answers: fc.constantFrom(true, false, null),
    hadWeakLine: fc.boolean(),
  });
  const step: fc.Arbitrary<Step> = fc.record({
    end: fc.oneof({ weight: 2, arbitrary: fc.constantFrom(cut, dry, absent) }, { weight: 1, arbitrary: end }),
    heldMs: fc.oneof(fc.integer({ min: 0, max: 20 * minute }), fc.integer({ min: 0, max: minute })),
    waitMs: fc.integer({ min: 200, max: minute }),
  });
  type Turn = { readonly at: number; readonly choice: Choice };

  /** Plays tries one after the other, as the loop does: a file ends each minute, and a try of the main stream begins there when it is due. */
  function course(
    steps: readonly Step[],
    from: Choice = onMain,
  ): { readonly turns: readonly Turn[]; readonly choice: Choice; readonly at: number } {
    const turns: Turn[] = [{ at: 0, choice: from }];
    let [choice, at] = [from, 0];
    const to = (next: Choice) => {
      if (next.kind !== choice.kind) turns.push({ at, choice: next });
      choice = next;
    };
    for (const { end: how, heldMs, waitMs } of steps) {
      for (let heldFor = 0; how.hadFrames && heldFor + minute <= heldMs; ) {
        at += minute;
        heldFor += minute;
        to(afterFrames(choice, heldFor, retryMs));
        if (!isMainDue(choice, at)) continue;
        to(tryMain(choice));
        heldFor = 0;
      }
      at += waitMs;
      to(afterTry(choice, how, at, retryMs));
    }
    return { turns, choice, at };
  }

  test("the smaller stream is not taken twice within one pause", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { turns } = course(steps);
        const taken = turns.filter(({ choice }) => choice.kind === "fallback");
        for (const [i, turn] of taken.entries())
          expect(turn.at - (taken[i - 1]?.at ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(retryMs);
      }),
      { numRuns: 500 },
    );
  });

  test("while the camera is reached and its main stream holds, it is recorded for good within the longest pause, whatever was before", () => {
    const held: Step = { end: cut, heldMs: 4 * 3_600_000, waitMs: 200 };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const before = course(steps).choice;
        const shifted: Choice = before.kind === "fallback" ? { ...before, mainDueMonoMs: before.pauseMs } : before;
        const { turns } = course([held], shifted);
        const home = turns.findLast(({ choice }) => choice.kind === "main");
        expect(home?.at ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(8 * retryMs + 11 * minute);
      }),
      { numRuns: 500 },
    );
  });

  test("what says nothing of a stream changes nothing", () => {
    const mute = fc.record({
      reason: fc.constantFrom(
        "stopped",
        "disk-full",
        "disk-error",
        "no-recorder",
        "no-password",
        "other-camera",
        "refused-password" as const,
      ),
      hadFrames: fc.boolean(),
      answers: fc.boolean(),
      hadWeakLine: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), mute, (steps, how) => {
        const { choice, at } = course(steps);
        expect(streamOf(afterTry(choice, how, at, 1e12))).toBe(isMainDue(choice, at) ? "main" : streamOf(choice));
      }),
    );
  });

  test("what is kept in mind is bounded", () => {
    const { choice } = course(Array(1_000).fill({ end: { ...dry, reason: "no-frames" }, heldMs: 0, waitMs: 200 }));
    expect(JSON.stringify(choice).length).toBeLessThan(2_000);
  });
});
