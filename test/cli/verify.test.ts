/** `matghi verify` before folders that somebody had in hand: it ends whatever lies there, and names what is so. From a folder made by hand. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openKey } from "../../agent/store/key.ts";
import { type VerifyProblem, verifyFolder } from "../../agent/verify.ts";
import { matghi } from "../lib/agent.ts";
import { memoryFolder } from "../lib/temp.ts";

const folder = memoryFolder("verify");
const whole = join(folder, "whole");
const scratch = join(folder, "scratch");
const original = "original/cho/2026-11-24-140000-1-0.mkv";

const key = openKey(join(folder, "state"));
const hashOf = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");
const segments = [{ file: original, sha256: hashOf("pictures"), matches: true }];
const files: Readonly<Record<string, string>> = {
  [original]: "pictures",
  "view/cho-1.mp4": "pictures to look at",
  "manifest.json": JSON.stringify({
    key: { fingerprint: key.fingerprint },
    cameras: [{ segments, views: [{ file: "view/cho-1.mp4" }] }],
  }),
  "public-key.pem": key.publicPem,
};
const sums = Object.entries(files).map(([file, content]) => `${hashOf(content)}  ${file}\n`);
for (const [file, content] of [
  ...Object.entries(files),
  ["SHA256SUMS", sums.join("")] as const,
  ["SHA256SUMS.sig", key.sign(Buffer.from(sums.join("")))] as const,
]) {
  mkdirSync(dirname(join(whole, file)), { recursive: true });
  writeFileSync(join(whole, file), content);
}

beforeEach(() => {
  rmSync(scratch, { recursive: true, force: true });
  cpSync(whole, scratch, { recursive: true });
});

test.each<readonly [string, (path: string) => void]>([
  ["a pipe", (path) => execFileSync("mkfifo", [path])],
  ["a link to what has no end", (path) => symlinkSync("/dev/zero", path)],
])("%s in a file's place is named and never read", async (_, put) => {
  for (const file of [original, "manifest.json"]) {
    rmSync(join(scratch, file));
    put(join(scratch, file));
  }
  const { result, problems } = await verifyFolder(scratch);
  expect(result).toBe("altered");
  for (const file of [original, "manifest.json"]) expect(problems).toContainEqual({ file, what: "not a plain file" });
});

describe("what is missing is said once, and nothing is said to be altered or added for it", () => {
  test.each(["SHA256SUMS", "SHA256SUMS.sig", "public-key.pem", "manifest.json", original])("%s", async (file) => {
    rmSync(join(scratch, file));
    const { result, problems } = await verifyFolder(scratch);
    expect([result, problems]).toEqual(["incomplete", [{ file, what: "missing" }] satisfies VerifyProblem[]]);
  });
});

test("a link to a folder leads to it", async () => {
  const link = join(folder, "link");
  symlinkSync(whole, link);
  expect(await verifyFolder(link)).toMatchObject({ result: "unaltered", problems: [] });
});

test("whatever a file is called, its line is one line, and holds nothing that moves a terminal's cursor", async () => {
  writeFileSync(join(scratch, "x\n  manifest.json: ok\u001b[2J\u202e"), "");
  const { code, stdout } = await matghi(["verify", scratch]);
  expect([code, stdout.trimEnd().split("\n")]).toEqual([
    1,
    [expect.any(String), expect.stringContaining("x\ufffd  manifest.json: ok\ufffd[2J\ufffd: ")],
  ]);
});

test("an empty variable of the environment counts as one that is not set", async () => {
  const spoken = async (env: NodeJS.ProcessEnv) => (await matghi(["verify", whole], { LC_ALL: "", LC_MESSAGES: "", ...env })).stdout;
  expect(await spoken({ LANG: "en_US.UTF-8" })).toMatch(/^Unaltered/);
  expect(await spoken({ LANG: "" })).toMatch(/^Nguyên vẹn/);
});
