import { expect, test } from "vitest";
import { type Alarms, watchAlarms } from "../../agent/core/alarm.ts";
import type { Todo, Trouble } from "../../agent/core/status.ts";

const todo = (type: Trouble, camera: string | null = null): Todo => ({ type, level: "broken", camera, text: "x", texts: {}, since: null });
const raised = (alarms: Alarms) => [...alarms].flatMap(([name, alarm]) => (alarm.raised ? [name] : []));

/** What is raised after each look, one a second; an entry says what is to do and for how many seconds. */
function play(course: readonly (readonly [seconds: number, ...items: Todo[]])[]): readonly string[][] {
  let alarms: Alarms = new Map();
  let nowMs = 0;
  return course.map(([seconds, ...items]) => {
    for (let i = 0; i < seconds; i += 1) {
      alarms = watchAlarms(alarms, items, nowMs);
      nowMs += 1_000;
    }
    return raised(alarms);
  });
}

test("power and disk are said at once and taken back at once", () => {
  expect(play([[1, todo("power")], [1], [1, todo("disk")], [1]])).toEqual([["power"], [], ["disk"], []]);
});

test("a camera is said once it has been gone for a minute, and taken back once it has been well for one", () => {
  const gone = todo("camera", "cho");
  expect(play([[60, gone], [1, gone], [59], [2]])).toEqual([[], ["camera/cho"], ["camera/cho"], []]);
});

test("a camera that flaps is one alarm", () => {
  const gone = todo("camera", "cho");
  const flaps = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? ([10, gone] as const) : ([10] as const)));
  const seen = play(flaps).map((names) => names.length);
  expect(seen.slice(0, 6).every((count) => count === 0)).toBe(true);
  expect(seen.slice(7).every((count) => count === 1)).toBe(true);
});

test("two cameras are two alarms, several strange files are one, and the station is not told of itself", () => {
  const items = [todo("camera-clock", "a"), todo("camera-clock", "b"), todo("foreign"), todo("foreign"), todo("station"), todo("stopped")];
  expect(play([[1, ...items]])).toEqual([["camera-clock/a", "camera-clock/b", "foreign"]]);
});
