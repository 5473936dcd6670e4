/** How a disk ages: which trouble counts, since when. */
import { expect, test } from "vitest";
import { judgeWear, troubled, type WearReading } from "../../agent/core/wear.ts";

const well: WearReading = {
  ...{ device: "sda", holds: ["footage"], smart: "good", badSectors: 0, wornPercent: 12, spares: "enough" },
  ...{ fileSystemErrors: 0, isFailingCommands: false },
};

test.each<[string, Partial<WearReading>, string | null]>([
  ["well", {}, null],
  ["silent", { smart: "unknown", badSectors: null, wornPercent: null, spares: null, fileSystemErrors: null }, null],
  ["failing by its own word, whatever else", { smart: "failing", badSectors: 8, wornPercent: 120 }, "failing"],
  ["at the end of its life", { wornPercent: 101 }, "worn-out"],
  ["at its last percent", { wornPercent: 100 }, "worn"],
  ["without spare blocks", { spares: "none" }, "worn-out"],
  ["with few", { spares: "few" }, "worn"],
  ["before its last tenth", { wornPercent: 89 }, null],
  ["in its last tenth", { wornPercent: 90 }, "worn"],
  ["with bad sectors", { badSectors: 1 }, "bad-sectors"],
  ["with a damaged file system", { fileSystemErrors: 1, badSectors: 1 }, "file-system"],
  ["that fails commands", { isFailingCommands: true, wornPercent: 95 }, "io-errors"],
])("a disk %s", (_, change, trouble) => {
  expect(judgeWear({ ...well, ...change }, null, 7)).toMatchObject({ trouble, sinceAt: trouble === null ? null : 7 });
});

test("a trouble stands since it began; another one begins anew", () => {
  const first = judgeWear({ ...well, badSectors: 1 }, null, 1);
  const second = judgeWear({ ...well, badSectors: 9 }, first, 2);
  expect(second.sinceAt).toBe(1);
  expect(judgeWear({ ...well, smart: "failing" }, second, 3).sinceAt).toBe(3);
  expect(judgeWear(well, second, 4).sinceAt).toBeNull();
});

test("the worst comes first", () => {
  const of = (device: string, change: Partial<WearReading>) => judgeWear({ ...well, device, ...change }, null, 1);
  const disks = [of("sda", { wornPercent: 95 }), of("sdb", {}), of("sdc", { smart: "failing" })];
  expect(troubled(disks).map(({ device }) => device)).toEqual(["sdc", "sda"]);
});
