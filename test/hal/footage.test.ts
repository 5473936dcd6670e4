/** The footage folder's suite, on a real folder. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFootage } from "../../hal/footage.ts";
import { filesUnder } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const mark = { site: "an-dai-1", folder: "f1" };
function make() {
  const folder = tempFolder("footage");
  return { folder, footage: makeFootage(folder) };
}
const part = (folder: string, name: string, text = "pictures") => {
  mkdirSync(join(folder, "c"), { recursive: true });
  writeFileSync(join(folder, "c", name), text);
};
async function closedOf(footage: ReturnType<typeof makeFootage>) {
  const found = { files: [] as string[], foreign: [] as string[] };
  for await (const day of footage.closed()) {
    found.files.push(...day.files.map(({ path }) => path));
    found.foreign.push(...day.foreign);
  }
  return found;
}

test("a folder is known by its mark", async () => {
  const { folder, footage } = make();
  expect(await footage.readMark()).toBeNull();
  expect((await footage.inspect(null)).value).toBe("ok");
  expect((await footage.inspect("f1")).value).toBe("unmounted");
  await footage.writeMark(mark);
  expect(await footage.readMark()).toEqual(mark);
  expect(await footage.inspect("f1")).toMatchObject({ value: "ok", freeBytes: expect.any(Number) });
  expect((await footage.inspect("f2")).value).toBe("other-disk");
  writeFileSync(join(folder, ".matghi"), "{");
  expect((await footage.inspect("f1")).value).toBe("other-disk");
  rmSync(folder, { recursive: true });
  expect((await footage.inspect("f1")).value).toBe("missing");
  writeFileSync(folder, "a file");
  expect((await footage.inspect("f1")).value).toBe("missing");
});

test("a probe writes for certain and leaves nothing", async () => {
  const { folder, footage } = make();
  expect(await footage.probe()).toBe("ok");
  expect(filesUnder(folder)).toEqual([]);
  expect(await makeFootage("/proc").probe()).toBe("failing");
  expect(await makeFootage(join(folder, "none")).probe()).toBe("failing");
});

test("an open file is looked at and flushed, and one that is not there is no error", async () => {
  const { folder, footage } = make();
  expect(await footage.sync("c", 1, 1, true)).toBeNull();
  part(folder, "1-1.mkv.part");
  const before = Date.now();
  const seen = await footage.sync("c", 1, 1, true);
  expect(seen?.bytes).toBe(8);
  expect(Math.abs((seen?.bornAt ?? 0) - before)).toBeLessThan(5_000);
  writeFileSync(join(folder, "c", "1-1.mkv.part"), "more", { flag: "a" });
  expect((await footage.sync("c", 1, 1, false))?.bytes).toBe(12);
  footage.release("c");
});

test("sealing hashes what is there and gives it its name", async () => {
  const { folder, footage } = make();
  part(folder, "1-1.mkv.part", "x".repeat(3_000_000));
  const sealed = await footage.seal("c", 1, 1, "c/2026-11-24/100000-1-1.mkv");
  const bytes = readFileSync(join(folder, "c/2026-11-24/100000-1-1.mkv"));
  expect(sealed).toEqual({ bytes: 3_000_000, sha256: createHash("sha256").update(bytes).digest("hex") });
  expect(await footage.hash("c/2026-11-24/100000-1-1.mkv")).toEqual(sealed);
  expect(filesUnder(folder)).toEqual(["c/2026-11-24/100000-1-1.mkv"]);
  await expect(footage.seal("c", 1, 9, "c/2026-11-24/100000-1-9.mkv")).rejects.toThrow(/ENOENT/);
});

test("unfinished files are found by camera and run, closed ones by day, and strange ones are named", async () => {
  const { folder, footage } = make();
  await footage.prepare("c");
  for (const name of ["1-1.mkv.part", "2-5.mkv.part", "1-2.mkv.part", "x.part", "1-3.mkv.part.bak"]) part(folder, name);
  mkdirSync(join(folder, "c/2026-11-24"));
  for (const name of ["100000-1-7.mkv", "note.txt", "100000-1.mkv"]) writeFileSync(join(folder, "c/2026-11-24", name), "x");
  writeFileSync(join(folder, "stray"), "x");
  symlinkSync("/no/such/file", join(folder, "c/2026-11-24/110000-1-8.mkv"));
  mkdirSync(join(folder, "c/2026-11-24/120000-1-9.mkv"));
  expect((await footage.parts("c", null)).map(({ path }) => path)).toEqual(["c/1-1.mkv.part", "c/1-2.mkv.part", "c/2-5.mkv.part"]);
  expect(await footage.parts("c", 2)).toMatchObject([{ camera: "c", run: 2, number: 5, bytes: 8 }]);
  expect((await footage.parts(null, null)).length).toBe(3);
  expect(await footage.highestRun()).toBe(2);
  expect(await footage.parts("none", null)).toEqual([]);
  const found = await closedOf(footage);
  expect(found.files).toEqual(["c/2026-11-24/100000-1-7.mkv"]);
  expect(found.foreign.sort()).toEqual([
    ...["c/1-3.mkv.part.bak", "c/2026-11-24/100000-1.mkv", "c/2026-11-24/110000-1-8.mkv", "c/2026-11-24/120000-1-9.mkv"],
    ...["c/2026-11-24/note.txt", "c/x.part", "stray"],
  ]);
});

test("removing takes an empty day with it, and what is gone already is fine", async () => {
  const { folder, footage } = make();
  part(folder, "1-1.mkv.part");
  await footage.seal("c", 1, 1, "c/2026-11-24/100000-1-1.mkv");
  await footage.remove("c/2026-11-24/100000-1-1.mkv");
  await footage.remove("c/2026-11-24/100000-1-1.mkv");
  expect(existsSync(join(folder, "c/2026-11-24"))).toBe(false);
  expect(existsSync(join(folder, "c"))).toBe(true);
});

test("what cannot be read is set aside under a name that is never recorded to", async () => {
  const { folder, footage } = make();
  part(folder, "1-1.mkv.part");
  await footage.setAside("c/1-1.mkv.part");
  expect(filesUnder(folder)).toEqual(["c/1-1.mkv.unreadable"]);
  expect(await footage.parts("c", null)).toEqual([]);
});
