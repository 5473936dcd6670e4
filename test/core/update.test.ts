/** Which package may take over, and the order of the deeds. */
import { describe, expect, test } from "vitest";
import type { Trial } from "../../agent/core/trial.ts";
import { type Deed, placing, switching, type UpdateFacts, undoing, whyNoUpdate } from "../../agent/core/update.ts";

const trial: Trial = { id: "a1", version: "0.2.0", previous: "0.1.0", state: "/s", cameras: ["a"], station: false, steadyMs: 1 };
const mb = 1 << 20;
const good: UpdateFacts = {
  package: { name: "matghi", version: "0.2.0", architecture: "arm64", unpackedBytes: 150 * mb },
  ...{ architecture: "arm64", current: "0.1.0", order: "newer", standing: { kind: "settled" }, databaseBytes: 100 * mb },
  ...{ room: { versionsBytes: 414 * mb, stateBytes: 0, isOne: true }, allowDowngrade: false },
};

describe("a package", () => {
  test.each<[string, Partial<UpdateFacts>, string | null]>([
    ["that is newer, with room", {}, null],
    ["of another program", { package: { ...good.package, name: "nginx" } }, "no-matghi"],
    ["whose version names a folder elsewhere", { package: { ...good.package, version: "1/../../etc" } }, "bad-version"],
    ["for another machine", { architecture: "amd64" }, "architecture"],
    ["that is in use", { order: "same", allowDowngrade: true }, "same"],
    ["that is older", { order: "older" }, "older"],
    ["that is older, where that is meant", { order: "older", allowDowngrade: true }, null],
    ["while another is on trial", { standing: { kind: "trial", trial, report: null } }, "on-trial"],
    ["after one that was left", { standing: { kind: "undone", undone: { ...trial, why: "x" } } }, null],
    ["after one whose trial is over", { standing: { kind: "good", trial } }, null],
    ["without room for it and the database on one disk", { databaseBytes: 101 * mb }, "no-room"],
    ["without room for the database on its own disk", { room: { versionsBytes: 300 * mb, stateBytes: 263 * mb, isOne: false } }, "no-room"],
    ["with room on both disks", { room: { versionsBytes: 214 * mb, stateBytes: 264 * mb, isOne: false } }, null],
  ])("%s", (_, change, why) => {
    expect(whyNoUpdate({ ...good, ...change })?.why ?? null).toBe(why);
  });
});

/** Where a deed stands among the others. */
const indexOf = (deeds: readonly Deed[], is: (deed: Deed) => boolean) => {
  const index = deeds.findIndex(is);
  expect(index).toBeGreaterThanOrEqual(0);
  return index;
};

test("a version gets its name once it is on the disk and has shown that it runs; what runs is not touched by that", () => {
  for (const isThere of [false, true]) {
    const deeds = placing("0.2.0", isThere);
    const named = indexOf(deeds, (deed) => deed.do === "rename" && deed.to === "versions/0.2.0");
    expect(named).toBeGreaterThan(indexOf(deeds, ({ do: what }) => what === "sync"));
    expect(named).toBeGreaterThan(indexOf(deeds, ({ do: what }) => what === "try"));
    expect(deeds.filter((deed) => "path" in deed && !deed.path.startsWith("versions/."))).toEqual([]);
  }
});

test("the switch comes last: copy, audit and trial are there before it", () => {
  const deeds = switching(trial);
  const last = deeds.length - 1;
  expect(deeds[last]).toEqual({ do: "rename", from: ".next", to: "current" });
  expect(indexOf(deeds, ({ do: what }) => what === "copy-database")).toBeLessThan(indexOf(deeds, ({ do: what }) => what === "write-down"));
  expect(indexOf(deeds, (deed) => deed.do === "rename" && deed.to === "trial")).toBeLessThan(last);
});

test("a trial that ends by hand says so before it switches, and ends after it", () => {
  const deeds = undoing({ id: "a1", version: "0.2.0", previous: "0.1.0", why: "by hand" });
  const switched = indexOf(deeds, (deed) => deed.do === "rename" && deed.to === "current");
  expect(indexOf(deeds, (deed) => deed.do === "rename" && deed.to === "undone")).toBeLessThan(switched);
  expect(indexOf(deeds, (deed) => deed.do === "remove" && deed.path === "trial")).toBeGreaterThan(switched);
});
