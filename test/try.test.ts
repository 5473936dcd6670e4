/** `./deploy/try --for 60s` as anybody runs it: it ends well, little of the minute is missing, and every file decodes clean. */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { repository } from "./lib/cameras.ts";
import { complaintsOf, filesUnder } from "./lib/footage.ts";

const run = promisify(execFile);
const program = join(repository, "deploy/try");

test("a minute of four cameras", async () => {
  const { stdout } = await run(program, ["--for", "60s"], { env: { ...process.env, MATGHI_TRY_KEEP: "1" } });
  const found = [...stdout.matchAll(/^(\w+): ([\d.]+) s recorded of ([\d.]+) s$/gm)].map(([, camera, recorded]) => ({
    camera,
    seconds: Number(recorded),
  }));
  process.stdout.write(`figure: recorded of 60 s: ${found.map(({ camera, seconds }) => `${camera} ${seconds} s`).join(", ")}\n`);
  expect(found).toHaveLength(4);
  for (const { camera, seconds } of found) expect(seconds, camera).toBeGreaterThanOrEqual(55);
  const folder = /^kept: (.+)$/m.exec(stdout)?.[1] ?? "";
  const files = filesUnder(join(folder, "footage")).filter((file) => file.endsWith(".mkv"));
  expect(files.length).toBeGreaterThanOrEqual(4 * 6);
  for (const file of files) expect(await complaintsOf(join(folder, "footage", file)), file).toBe("");
  rmSync(folder, { recursive: true });
});

test.each([["--for"], ["--for", "soon"], ["--lang"]])("wrong use is told: %s %s", async (...args) => {
  await expect(run(program, args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("usage: deploy/try [--for 60s]") });
});
