/** `matghi repair` on a folder of real files: a lost index comes back, a damaged one is replaced, and looking changes nothing. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { ask, matghi, writeSite } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";

type Repaired = { dryRun: boolean; replaced: string | null; returned: number; missing: number; unreadable: string[]; foreign: string[] };

const folder = tempFolder("repair");
const day = join(folder, "footage/c1/2026-11-24");
const config = writeSite({ folder, cameras: [`id: c1, url: "rtsp://127.0.0.1:1/"`] });
const repair = (...args: string[]) => ask<Repaired>(config, ["repair", ...args]);
const codeOf = async (...args: string[]) => (await matghi(["repair", ...args, "--config", config])).code;

beforeAll(() => {
  mkdirSync(day, { recursive: true });
  for (const [i, name] of ["100000-3-1.mkv", "100002-3-2.mkv"].entries())
    execFileSync(
      "ffmpeg",
      [
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        `testsrc=size=160x120:rate=10:duration=${2 + i}`,
        "-c:v",
        "libx264",
        "-f",
        "matroska",
        join(day, name),
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
  writeFileSync(join(day, "100009-3-3.mkv"), "no film");
  writeFileSync(join(day, "notes.txt"), "mine");
});

test("before anything was recorded there is nothing to compare with, and that is said", async () => {
  const answer = await matghi(["repair", "--dry-run", "--config", config]);
  expect(answer).toMatchObject({ code: 3, stdout: "" });
  expect(answer.stderr).toContain("matghi repair");
});

test("the folder's footage comes back into an index that is lost; what cannot be read is named", async () => {
  const found = await repair();
  expect(found).toMatchObject({ dryRun: false, returned: 2, missing: 0, replaced: null });
  expect(found.unreadable).toEqual(["c1/2026-11-24/100009-3-3.mkv"]);
  expect(found.foreign).toEqual(["c1/2026-11-24/notes.txt"]);
  expect(await codeOf()).toBe(1);
  const footage = await ask<{ answer: string; spans: { kind: string; from: string; to: string }[] }>(config, [
    ...["footage", "--camera", "c1", "--from", "2026-11-24T10:00:00Z", "--to", "2026-11-24T10:00:05Z"],
  ]);
  expect(footage.answer).toBe("yes");
});

test("looking changes nothing; mending writes off what is gone", async () => {
  rmSync(join(day, "100009-3-3.mkv"));
  rmSync(join(day, "100002-3-2.mkv"));
  for (let i = 0; i < 2; i += 1) expect(await repair("--dry-run")).toMatchObject({ dryRun: true, returned: 0, missing: 1 });
  expect(await codeOf("--dry-run")).toBe(1);
  expect(await repair()).toMatchObject({ missing: 1 });
  expect(await repair("--dry-run")).toMatchObject({ returned: 0, missing: 0 });
  expect(await codeOf()).toBe(0);
});

test("a damaged database is set aside and built anew", async () => {
  writeFileSync(join(folder, "state/matghi.db"), Buffer.alloc(20_000, 7));
  const status = await matghi(["status", "--config", config]);
  expect(status.code).not.toBe(0);
  expect(status.stderr).toContain("damaged");
  const found = await repair();
  expect(found).toMatchObject({ returned: 1, replaced: expect.stringMatching(/^matghi\.db\.broken-/) });
  expect(readdirSync(join(folder, "state")).filter((name) => name.includes(".broken-")).length).toBeGreaterThan(0);
  expect(existsSync(join(day, "100000-3-1.mkv"))).toBe(true);
});

test("wrong use is told", async () => {
  expect(await codeOf("--hard")).toBe(2);
});
