/** Whatever a configuration holds: settings, or problems with a place, a sentence and a cure; never a throw, and twice the same. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatProblem, keysAt, loadConfig } from "../../agent/config.ts";
import { exampleText } from "../../deploy/docs.ts";
import { memoryFolder } from "../lib/temp.ts";
import { anyText, fuzz, mutated, mutationsOf } from "./budget.ts";

const folder = memoryFolder("fuzz-config");
const file = join(folder, "site.yaml");
const small = `site: { id: an-dai-1, commune: nghia-phuong, name: A, state: ${folder}/state }
recording: { folder: ${folder}/footage, allowSystemDisk: true, limit: { free: 0B } }
cameras:
  - { id: cam1, url: "rtsp://10.0.0.1/x" }
`;
const full = exampleText();

const oddValues = [
  ...[
    "null",
    '""',
    "[]",
    "{}",
    "-1",
    "1e999",
    ".nan",
    "-.inf",
    "0x10",
    "2026-13-45",
    "2026-02-30T25:00+99:00",
    "rtsp://",
    "rtsp://u:p@h/x",
  ],
  ...[
    "&a [*a]",
    "*a",
    "*none",
    '"\\0"',
    '"a\\nb"',
    "60 s",
    "999999999999999999d",
    "0B",
    "-5GB",
    "{ __proto__: { x: 1 } }",
    "!!binary aGk=",
  ],
  ...[
    '"{why}"',
    "/",
    "/etc/passwd",
    "/proc/self/mem",
    "../x",
    "true",
    "yes",
    "~",
    "'\u0007'",
    "mqtt://h",
    "mqtts://[::1]:99999",
    "2026-01-05",
  ],
];
const oddPieces = [
  ...oddValues,
  ...["\n", "  ", "\t", ": ", "- ", "#", "|", ">", "'", '"', "---\n", "...\n", "%YAML 9.9\n", "<<: *a\n", "? [a]\n: b\n", '"a\\nb": 1\n'],
  ...["__proto__: 1\n", "toString: 1\n", "constructor: {}\n", "\u2028", "\ufeff", "\ud800"],
];

function judge(text: string): void {
  writeFileSync(file, text);
  const loaded = loadConfig(file);
  expect(loadConfig(file)).toEqual(loaded);
  if (loaded.kind === "good") {
    expect(loaded.settings.cameras.length).toBeGreaterThan(0);
    expect(loaded.hash).toMatch(/^[0-9a-f]{16}$/);
  } else expect(loaded.problems.length).toBeGreaterThan(0);
  const lines = text.split(/\r\n|\n|\r/).length;
  for (const problem of loaded.kind === "good" ? loaded.warnings : loaded.problems) {
    expect(problem.line >= 1 && problem.line <= lines + 1 && problem.column >= 1, JSON.stringify(problem)).toBe(true);
    expect([problem.message, problem.cure], problem.code).not.toContain("");
    const line = formatProblem(file, problem);
    expect(line, "one line for a terminal").not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
    expect(line).not.toMatch(/undefined|\[object|NaN/);
  }
}

test("a good file with pieces cut out, put in, repeated and replaced", async () => {
  const text = fc.tuple(fc.constantFrom(small, full), mutationsOf(oddPieces)).map(([base, list]) => list.reduce(mutated, base));
  await fuzz("configuration text", fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: anyText(60) }), judge);
});

/** A file of the right keys with odd values: gets past the grammar and meets the rules. */
test("the sections and keys that there are, with values that nobody meant", async () => {
  const lists = ["cameras", "households"];
  const value = fc.oneof(
    fc.constantFrom(...oddValues),
    fc.json({ maxDepth: 2 }),
    fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
  );
  const entries = (path: readonly (string | number)[]) =>
    fc
      .record(Object.fromEntries(keysAt(path).map((key) => [key, value])), { requiredKeys: [] })
      .map((keys) => Object.entries(keys).map(([key, text]) => `${key}: ${text}`));
  const sections = keysAt([]).map((name) =>
    lists.includes(name)
      ? fc
          .array(entries([name, 0]), { maxLength: 3 })
          .map((items) => `${name}: [ ${items.map((item) => `{ ${item.join(", ")} }`).join(", ")} ]`)
      : entries([name]).map((item) => `${name}: { ${item.join(", ")} }`),
  );
  await fuzz(
    "configuration tree",
    fc.tuple(...sections.map((section) => fc.option(section))).map((parts) => parts.filter((part) => part !== null).join("\n")),
    judge,
  );
});
