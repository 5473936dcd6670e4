/** What becomes of a version on trial: tables, and the files that tell of it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  judgeTrial,
  readReport,
  readTrial,
  readUndone,
  reportText,
  type Seen,
  type Standing,
  standingOf,
  type Trial,
  type TrialReport,
  trialText,
  undoneText,
  type Verdict,
} from "../../agent/core/trial.ts";

const minute = 60_000;
const on = (name: string): Seen => ({ name, met: true, excused: false });
const off = (name: string): Seen => ({ name, met: false, excused: false });
const dark = (name: string): Seen => ({ name, met: false, excused: true });

describe("a verdict after ten minutes, an hour at most, a day where a house or a line is down", () => {
  test.each<[string, number, number, readonly Seen[], Verdict]>([
    ["all is there, too early", 9, 9, [on("a")], { kind: "waiting", steady: false, lacks: [] }],
    ["all is there", 10, 10, [on("a"), on("station")], { kind: "good" }],
    ["nothing was expected", 10, 10, [], { kind: "good" }],
    ["a camera is missing", 59, 59, [on("a"), off("b")], { kind: "waiting", steady: true, lacks: ["b"] }],
    ["a camera is missing for an hour", 60, 60, [on("a"), off("b")], { kind: "back", lacks: ["b"] }],
    ["the station is missing for an hour", 60, 60, [on("a"), off("station")], { kind: "back", lacks: ["station"] }],
    ["a house is dark, and another camera is missing", 60, 60, [dark("a"), off("b")], { kind: "back", lacks: ["a", "b"] }],
    ["only a house is dark", 600, 600, [on("a"), dark("b")], { kind: "waiting", steady: true, lacks: ["b"] }],
    ["a house is dark for a day", 1_440, 1_440, [on("a"), dark("b")], { kind: "back", lacks: ["b"] }],
    ["it never lasts", 2, 1_440, [on("a")], { kind: "back", lacks: ["time"] }],
    ["it lasted at last, after power cuts", 10, 300, [on("a")], { kind: "good" }],
  ])("%s", (_, runMinutes, spentMinutes, expected, verdict) => {
    const shown = { runMs: runMinutes * minute, spentMs: spentMinutes * minute, expected };
    expect(judgeTrial({ steadyMs: 10 * minute }, shown)).toEqual(verdict);
  });

  test("what is good lacked nothing, and more patience never changes good into back", () => {
    const seen = fc.array(fc.record({ name: fc.constantFrom("a", "b", "station"), met: fc.boolean(), excused: fc.boolean() }));
    fc.assert(
      fc.property(fc.nat(5_000_000), fc.nat(90_000_000), seen, (runMs, more, expected) => {
        const verdict = judgeTrial({ steadyMs: 600_000 }, { runMs, spentMs: runMs + more, expected });
        if (verdict.kind === "good") expect([runMs >= 600_000, expected.every(({ met }) => met)]).toEqual([true, true]);
        else expect(runMs < 600_000 || expected.some(({ met }) => !met)).toBe(true);
        expect(runMs + more >= 86_400_000 ? verdict.kind : "").not.toBe("waiting");
      }),
    );
  });
});

const trial: Trial = {
  ...{ id: "a1", version: "0.2.0", previous: "0.1.0", state: "/var/lib/matghi", cameras: ["cam1", "ql1a-01"], station: true },
  steadyMs: 600_000,
};
const report = (verdict: Verdict, id = "a1"): TrialReport => ({ id, looks: 3, spentMs: 30_000, verdict });
const undone = { id: "a1", version: "0.2.0", previous: "0.1.0", why: "lacks cam1" };

test("what is written is read again; what was cut is nothing", () => {
  expect(readTrial(trialText(trial))).toEqual(trial);
  expect(readTrial(trialText({ ...trial, cameras: [], station: false }))).toEqual({ ...trial, cameras: [], station: false });
  for (const verdict of [
    { kind: "good" },
    { kind: "back", lacks: ["a", "station"] },
    { kind: "waiting", steady: true, lacks: [] },
  ] satisfies Verdict[])
    expect(readReport(reportText(report(verdict)))).toEqual(report(verdict));
  expect(readUndone(undoneText(undone))).toEqual(undone);
  for (const text of ["", "id=a1", "version=../x\nprevious=0.1.0\nid=1\nsteadyMs=1", "\0"])
    expect([readTrial(text), readReport(text), readUndone(text)]).toEqual([null, null, null]);
});

test.each<[Standing["kind"], string, { trial?: string; report?: string; undone?: string }]>([
  ["settled", "0.1.0", {}],
  ["settled", "0.1.0", { report: reportText(report({ kind: "good" })) }],
  ["not-begun", "0.1.0", { trial: trialText(trial) }],
  ["trial", "0.2.0", { trial: trialText(trial) }],
  ["trial", "0.2.0", { trial: trialText(trial), report: reportText(report({ kind: "good" }, "of another trial")) }],
  ["good", "0.2.0", { trial: trialText(trial), report: reportText(report({ kind: "good" })) }],
  ["going-back", "0.2.0", { trial: trialText(trial), undone: undoneText(undone) }],
  ["undone", "0.1.0", { undone: undoneText(undone) }],
])("%s, with %s in use", (kind, current, files) => {
  expect(standingOf(current, { trial: "", report: "", undone: "", ...files }).kind).toBe(kind);
});
