/** Which hang holds the watchdog back, and which trouble does not: a table. */
import { expect, test } from "vitest";
import { judgePulse, type Turning } from "../../agent/core/pulse.ts";

const well: Turning = {
  ...{ nowMonoMs: 1_000_000, watchedMonoMs: 999_000, journal: { monoMs: 950_000, taken: true } },
  cameras: [{ id: "a", dueMonoMs: 1_100_000 }],
};

test.each<[string, Partial<Turning>, ReturnType<typeof judgePulse>]>([
  ["all turns", {}, { alive: true, journal: "written", hangs: [] }],
  ["nothing has begun", { watchedMonoMs: null, journal: null, cameras: [] }, { alive: true, journal: "written", hangs: [] }],
  ["the round of a second is half a minute late", { watchedMonoMs: 970_000 }, { alive: true, journal: "written", hangs: [] }],
  ["it is later than that", { watchedMonoMs: 969_999 }, { alive: false, journal: "written", hangs: ["watch"] }],
  ["nobody wrote for three beats", { journal: { monoMs: 819_999, taken: true } }, { alive: false, journal: "silent", hangs: ["journal"] }],
  ["the state disk is read-only", { journal: { monoMs: 950_000, taken: false } }, { alive: true, journal: "waiting", hangs: [] }],
  ["a camera waits for the disk", { cameras: [{ id: "a", dueMonoMs: null }] }, { alive: true, journal: "written", hangs: [] }],
  [
    "one of two camera loops is overdue",
    {
      cameras: [
        { id: "a", dueMonoMs: 1_000_000 },
        { id: "b", dueMonoMs: 999_999 },
      ],
    },
    { alive: false, journal: "written", hangs: ["camera b"] },
  ],
])("%s", (_, change, expected) => {
  expect(judgePulse({ ...well, ...change })).toEqual(expected);
});
