/** The footage folder's suite, on a real folder. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFootage } from "../../hal/footage.ts";
import { repository } from "../lib/cameras.ts";
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

test("an empty file is no footage: sealing removes it", async () => {
  const { folder, footage } = make();
  part(folder, "1-1.mkv.part", "");
  expect(await footage.seal("c", 1, 1, "c/2026-11-24/100000-1-1.mkv")).toBeNull();
  expect(filesUnder(folder)).toEqual([]);
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
  expect(await footage.highestRun(1)).toBe(2);
  mkdirSync(join(folder, "c/2026-11-23"));
  writeFileSync(join(folder, "c/2026-11-23/100000-5-1.mkv"), "x");
  expect([await footage.highestRun(1), await footage.highestRun(2)]).toEqual([2, 5]);
  rmSync(join(folder, "c/2026-11-23"), { recursive: true });
  expect(await footage.parts("none", null)).toEqual([]);
  const found = await closedOf(footage);
  expect(found.files).toEqual(["c/2026-11-24/100000-1-7.mkv"]);
  expect(found.foreign.sort()).toEqual([
    ...["c/1-3.mkv.part.bak", "c/2026-11-24/100000-1.mkv", "c/2026-11-24/110000-1-8.mkv", "c/2026-11-24/120000-1-9.mkv"],
    ...["c/2026-11-24/note.txt", "c/x.part", "stray"],
  ]);
});

test("removing takes empty days with it, and what is gone already is fine", async () => {
  const { folder, footage } = make();
  const paths = ["c/2026-11-24/100000-1-1.mkv", "c/2026-11-24/100100-1-2.mkv", "c/2026-11-25/000000-1-3.mkv"];
  for (const [i, path] of paths.entries()) {
    part(folder, `1-${i + 1}.mkv.part`);
    await footage.seal("c", 1, i + 1, path);
  }
  const [first = "", ...others] = paths;
  expect(await footage.removeAll([first])).toEqual({ removed: [first], stuck: [] });
  expect(filesUnder(folder)).toEqual(others);
  expect(await footage.removeAll(paths)).toEqual({ removed: paths, stuck: [] });
  expect(readdirSync(join(folder, "c")), "the days went, the camera stays").toEqual([]);
  rmSync(join(folder, "c"), { recursive: true });
  expect(await footage.removeAll(paths)).toEqual({ removed: paths, stuck: [] });
  expect(await footage.removeAll([])).toEqual({ removed: [], stuck: [] });
});

test("a file that cannot be unlinked stops no other", async () => {
  const { folder, footage } = make();
  const [stuck, fine] = ["c/2026-11-24/100000-1-1.mkv", "c/2026-11-24/100100-1-2.mkv"];
  // Not even root unlinks a folder.
  mkdirSync(join(folder, stuck, "inner"), { recursive: true });
  writeFileSync(join(folder, fine), "x");
  const removal = await footage.removeAll([stuck, fine]);
  expect(removal).toEqual({ removed: [fine], stuck: [{ path: stuck, reason: expect.stringMatching(/^(EISDIR|EPERM)$/) }] });
  expect(existsSync(join(folder, fine))).toBe(false);
});

test("removing an open file leaves its camera's folder, also an empty one: its next file is about to be made there", async () => {
  const { folder, footage } = make();
  part(folder, "1-1.mkv.part");
  await footage.remove("c/1-1.mkv.part");
  await footage.remove("c/1-1.mkv.part");
  expect(readdirSync(folder)).toEqual(["c"]);
});

/** Needs root to become somebody else. */
test("what another user keeps on the disk is foreign and in nobody's way", async () => {
  const { folder, footage } = make();
  part(folder, "3-1.mkv.part");
  mkdirSync(join(folder, "c/2026-11-24"));
  writeFileSync(join(folder, "c/2026-11-24/100000-4-7.mkv"), "x");
  // As mkfs.ext4 makes it, and as a technician's copy leaves it.
  for (const name of ["lost+found", "copy", "c/2026-11-25"]) mkdirSync(join(folder, name), { mode: 0o700 });
  chmodSync(folder, 0o755);
  // It imports nothing of the project: its text goes along, since the other one may not be allowed into the checkout.
  const driver = readFileSync(join(repository, "dist/hal/footage.js"), "utf8");
  const script = `${driver}
    const footage = makeFootage(process.argv[1]);
    const foreign = [];
    for await (const day of footage.closed()) foreign.push(...day.foreign);
    console.log(JSON.stringify({ run: await footage.highestRun(9), parts: (await footage.parts(null, null)).length, foreign: foreign.sort() }));`;
  const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  const node = [process.execPath, "--input-type=module", "-e", script, folder];
  const said = execFileSync("setpriv", [...nobody, ...node], { encoding: "utf8", cwd: "/" });
  expect(JSON.parse(said)).toEqual({ run: 4, parts: 1, foreign: ["c/2026-11-25", "copy"] });
  expect((await closedOf(footage)).foreign, "root reads all, and there is nothing strange").toEqual([]);
});

test("what cannot be read is set aside under a name that is never recorded to", async () => {
  const { folder, footage } = make();
  part(folder, "1-1.mkv.part");
  await footage.setAside("c/1-1.mkv.part");
  expect(filesUnder(folder)).toEqual(["c/1-1.mkv.unreadable"]);
  expect(await footage.parts("c", null)).toEqual([]);
});
