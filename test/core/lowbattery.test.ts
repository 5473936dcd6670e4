/** When a nearly empty battery ends the recording, and when it goes on. */
import { describe, expect, test } from "vitest";
import { atStart, turn } from "../../agent/core/lowbattery.ts";

/** Feels one word a second, as `[word, seconds]`; what was done, with the second in which it was. */
function play(script: readonly (readonly [string, number])[], goesOff: boolean): readonly string[] {
  const done: string[] = [];
  let [wake, second] = [atStart, 0];
  for (const [word, seconds] of script)
    for (let i = 0; i < seconds; i += 1) {
      const next = turn(wake, word, second * 1_000, goesOff);
      wake = next.wake;
      if (next.act !== null) done.push(`${next.act} ${second}`);
      second += 1;
    }
  return done;
}

describe("a nearly empty battery", () => {
  test.each<[string, readonly (readonly [string, number])[], readonly string[]]>([
    [
      "ends it once it lasted five seconds",
      [
        ["battery", 10],
        ["low", 100],
      ],
      ["rest 15"],
    ],
    [
      "does nothing on a few readings, again and again",
      [
        ["low", 4],
        ["battery", 1],
        ["low", 4],
        ["unknown", 1],
        ["low", 4],
      ],
      [],
    ],
    ["is no reason while nobody can tell", [["unknown", 600]], []],
    [
      "is taken up again once mains lasted ten seconds",
      [
        ["low", 20],
        ["mains", 60],
      ],
      ["rest 5", "resume 30"],
    ],
    [
      "is not taken up for mains that flickers",
      [
        ["low", 20],
        ["mains", 5],
        ["battery", 1],
        ["mains", 5],
        ["low", 20],
      ],
      ["rest 5"],
    ],
    ["is taken up again where the system does not go off, and left alone then", [["low", 900]], ["rest 5", "resume 125"]],
    [
      "ends it again after mains was there",
      [
        ["low", 200],
        ["mains", 1],
        ["low", 20],
      ],
      ["rest 5", "resume 125", "rest 206"],
    ],
  ])("%s", (_, script, done) => {
    expect(play(script, true)).toEqual(done);
  });
});

describe("where the system is not to be switched off", () => {
  test.each<[string, readonly (readonly [string, number])[], readonly string[]]>([
    ["it only makes haste, once, however long it lasts", [["low", 3_600]], ["hurry 5"]],
    [
      "mains that lasts ends the haste, mains that flickers does not",
      [
        ["low", 20],
        ["mains", 5],
        ["battery", 60],
        ["mains", 60],
        ["low", 10],
      ],
      ["hurry 5", "calm 95", "hurry 150"],
    ],
  ])("%s", (_, script, done) => {
    expect(play(script, false)).toEqual(done);
  });

  test("a configuration that asks for it meanwhile is heeded", () => {
    const hurried = { kind: "hurried", fromMonoMs: 0, mainsFromMonoMs: null } as const;
    expect(turn(hurried, "low", 60_000, true)).toMatchObject({ act: "rest", wake: { kind: "resting", fromMonoMs: 60_000 } });
    expect(turn(hurried, "battery", 60_000, true).act).toBeNull();
  });
});
