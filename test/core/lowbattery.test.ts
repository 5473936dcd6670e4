/** When a nearly empty battery ends the recording, and when it goes on. */
import { describe, expect, test } from "vitest";
import { atStart, turn } from "../../agent/core/lowbattery.ts";

/** Feels one word a second, as `[word, seconds]`; what was done, with the second in which it was. */
function play(script: readonly (readonly [string, number])[]): readonly string[] {
  const done: string[] = [];
  let [wake, second] = [atStart, 0];
  for (const [word, seconds] of script)
    for (let i = 0; i < seconds; i += 1) {
      const next = turn(wake, word, second * 1_000);
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
    expect(play(script)).toEqual(done);
  });
});
