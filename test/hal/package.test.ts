/** Debian packages in files, by the system's own dpkg. */
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makePackages } from "../../hal/package.ts";
import { memoryFolder } from "../lib/temp.ts";
import { makePackage } from "../lib/versions.ts";

const folder = memoryFolder("packages");
const packages = makePackages();

test.each([
  ["0.1.0", "0.2.0", -1],
  ["0.10.0", "0.9.0", 1],
  ["0.2.0~rc1", "0.2.0", -1],
  ["0.2.0", "0.2.0", 0],
])("%s against %s", async (a, b, order) => {
  expect(Math.sign(await packages.compare(a, b))).toBe(order);
});

test("what a package says of itself, and only the part of it that is asked for", async () => {
  const file = makePackage(folder, "0.2.0");
  expect(await packages.facts(file)).toMatchObject({ name: "matghi", version: "0.2.0", unpackedBytes: 20 * 1024 });
  const mask = process.umask(0o077);
  await packages.unpack(file, "opt/matghi/package", join(folder, "out")).finally(() => process.umask(mask));
  expect(statSync(join(folder, "out")).mode & 0o777).toBe(0o755);
  expect(readdirSync(join(folder, "out")).sort()).toEqual(["matghi.js", "node"]);
  expect((await packages.run(join(folder, "out"), ["--version"])).text).toBe("0.2.0");
});

test("what is none is refused with dpkg's own word", async () => {
  const file = join(folder, "none.deb");
  writeFileSync(file, "no package");
  await expect(packages.facts(file)).rejects.toThrow(/dpkg-deb/);
  await expect(packages.unpack(file, "opt/matghi/package", join(folder, "nothing"))).rejects.toThrow();
  await expect(packages.unpack(makePackage(folder, "0.3.0"), "opt/elsewhere", join(folder, "elsewhere"))).rejects.toThrow(/elsewhere/);
});
