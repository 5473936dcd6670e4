/** When two boxes with one identity are told from a session that was ended once. */
import { expect, test } from "vitest";
import { twinFeltAt, withTakeover } from "../../agent/core/twin.ts";

const minute = 60_000;

test.each<[string, readonly number[], number, number | null]>([
  ["nothing happened", [], 0, null],
  ["the station ended a session", [0], minute, null],
  ["twice in an hour", [0, minute], 2 * minute, null],
  ["three times within the hour", [0, minute, 2 * minute], 3 * minute, 2 * minute],
  ["three times over two hours", [0, 60 * minute, 120 * minute], 120 * minute, null],
  ["an hour of quiet", [0, minute, 2 * minute], 61 * minute, null],
])("%s", (_, times, nowAt, expected) => {
  expect(twinFeltAt(times.reduce<readonly number[]>(withTakeover, []), nowAt)).toBe(expected);
});

test("no more is kept than is needed, and the newest count", () => {
  const times = Array.from({ length: 100 }, (_, n) => n * minute).reduce<readonly number[]>(withTakeover, []);
  expect(times).toEqual([97 * minute, 98 * minute, 99 * minute]);
});
