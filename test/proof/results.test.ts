/** A table of last results takes the rows of a part without losing those of another. */
import { expect, test } from "vitest";
import { mergedRows } from "./results.ts";

const table = `
Last on 2 × CPU:

| fault | what must hold | result | figures | on |
| --- | --- | --- | --- | --- |
| power-cut | ≤ 3 s | holds | 1.2 s | 2026-11-01, abc |
| moved | ≤ 60 s | holds | 18 s | 2026-11-01, abc |
`;

test("a row of the same name is replaced in its place, a new one joins at the end", () => {
  const rows = [
    ["moved", "≤ 60 s", "BROKEN", "70 s", "2026-11-28, def"],
    ["held", "kept", "holds", "", "2026-11-28, def"],
  ];
  expect(mergedRows(table, rows)).toEqual([["power-cut", "≤ 3 s", "holds", "1.2 s", "2026-11-01, abc"], ...rows]);
});

test("where nothing stood yet, the rows are the table", () => {
  expect(mergedRows("\nNot run on this commit yet.\n", [["moved", "≤ 60 s"]])).toEqual([["moved", "≤ 60 s"]]);
});
