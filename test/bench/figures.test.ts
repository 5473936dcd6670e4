/** What the bench makes of its runs, and what it does not let itself be asked. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../lib/cameras.ts";
import { rowOf, tell } from "./figures.ts";

const of = (values: readonly number[], most: number | null = null) => tell({ name: "x", unit: "s", values, most });

test("all runs are told, and the median is never better than what was measured", () => {
  expect(of([3, 1, 2])).toMatchObject({ runs: 3, median: 2, min: 1, max: 3, holds: null });
  expect(of([4, 1, 3, 2]).median).toBe(3);
  expect(rowOf(of([3, 1, 2], 2))).toEqual(["x", "2.00 s (≤ 2)", "1.00–3.00", "3"]);
});

test("a bound is not held by a larger median, by a run without a number, or by no run", () => {
  expect(of([1, 2, 9], 2).holds).toBe(true);
  for (const values of [[1, 3, 3], [1, Number.NaN, 1], []]) expect(of(values, 2).holds, String(values)).toBe(false);
});

test.each([["--only", "nothing"], ["--sites", "10,none"], ["--events", "1500"], ["--segments", "10"], ["--window", "0"], ["--strange"]])(
  "bench %s %s ends with 2 and a usage line",
  (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(repository, "dist/test/bench/bench.js"), ...args], {
      encoding: "utf8",
    });
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`bench: `);
    expect(stderr).toContain("usage: npm run bench -- [--only cost,");
  },
);
