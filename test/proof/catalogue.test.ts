/** The catalogue names what is there: every fault has its suite and at least one test in it, and none stands twice. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../lib/cameras.ts";
import { catalogue } from "./catalogue.ts";

test("names are used once", () => {
  expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
});

test.each(catalogue)("$name", ({ suite, tests }) => {
  const text = readFileSync(join(repository, suite), "utf8");
  expect(text).toMatch(/\btest(\.\w+)*\(/);
  expect(text).toMatch(tests);
});
