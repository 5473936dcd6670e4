/** `matghi inspect` as root really asks this machine's disks; its units are what systemd accepts. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { matghi, program, writeSite } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("inspect");
const file = join(folder, "run/inspection.json");
const siteWith = (path: string) =>
  writeSite({ folder, cameras: ['id: cho, url: "rtsp://127.0.0.1/"'], more: [`inspection: { path: ${path} }`] });

describe("matghi inspect", () => {
  test("writes what it prints, dated by this boot, and says each disk in words", async () => {
    const config = siteWith(file);
    const answer = await matghi(["inspect", "--json", "--config", config]);
    expect([answer.code, answer.stderr]).toEqual([0, ""]);
    const told = JSON.parse(answer.stdout) as { boot: string; monoMs: number; disks: { device: string; smart: { kind: string } }[] };
    expect(told.boot).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    expect(Math.abs(told.monoMs - Number(process.hrtime.bigint() / 1_000_000n))).toBeLessThan(60_000);
    // A folder in memory or in an overlay lies on no disk.
    expect(told.disks.length > 0).toBe(statSync(folder).dev > 255);
    for (const { device } of told.disks) expect(existsSync(`/sys/class/block/${device}`), device).toBe(true);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ v: 1, ...told });
    const text = (await matghi(["inspect", "--config", config])).stdout;
    for (const { device } of told.disks) expect(text).toContain(`(${device}): SMART`);
    expect(text).toContain(`đã ghi ${file}`);
    expect(text).not.toMatch(/[{}]|undefined|NaN/);
  });

  test("a place that cannot be written is said with the setting that names it", async () => {
    writeFileSync(join(folder, "a-file"), "");
    const answer = await matghi(["inspect", "--config", siteWith(join(folder, "a-file/x.json"))]);
    expect(answer).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^cannot write .*(ENOTDIR|EEXIST).*inspection\.path\n$/),
    });
  });

  test("whoever is not root is told what to do", () => {
    const { status, stderr } = spawnSync(process.execPath, [program, "inspect"], { uid: 65_534, gid: 65_534, encoding: "utf8" });
    expect([status, stderr]).toEqual([2, "only root may ask a disk about itself: sudo matghi inspect\n"]);
  });
});

describe("its units", () => {
  const units = ["service", "timer"].map((kind) => join(repository, `systemd/matghi-inspect.${kind}`));
  const hasSystemd = existsSync("/usr/bin/systemd-analyze");
  test("are accepted by systemd, and leave root little to do", (context) => {
    if (!hasSystemd) context.skip("systemd-analyze is not here");
    // The pages of other packages, which a machine may lack, are none of ours either.
    const said = spawnSync("systemd-analyze", ["verify", "--man=no", ...units], { encoding: "utf8" }).stderr;
    // Units of the machine itself are none of ours, and the program is not installed where tests run.
    const ours = said.split("\n").filter((line) => line.includes("matghi-inspect") && !line.includes("is not executable"));
    expect(ours).toEqual([]);
    execFileSync("systemd-analyze", ["security", "--offline=true", "--threshold=25", units[0] ?? ""], { stdio: "ignore" });
  });

  test("the agent's patience is longer than three of the timer's rounds", () => {
    expect(readFileSync(units[1] ?? "", "utf8")).toMatch(/^OnUnitInactiveSec=10min$/m);
  });
});
