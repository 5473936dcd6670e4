/** The unit: valid, closed enough, never given up, and every line explained. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../lib/cameras.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = join(repository, "systemd");
const text = readFileSync(join(folder, "matghi.service"), "utf8");
const lines = text.split("\n").filter((line) => /^[A-Z]\w+=/.test(line));
const valuesOf = (key: string) => lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));

function analyze(...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve) => {
    execFile("systemd-analyze", [...args], { env: { ...process.env, LC_ALL: "C" }, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), text: `${stdout}${stderr}` }),
    );
  });
}

test("systemd finds nothing to complain about", async () => {
  // The program is where the package puts it, not on this machine.
  const unit = join(tempFolder("unit"), "matghi.service");
  const here = text
    .replaceAll("/usr/bin/matghi", join(repository, "deploy/matghi"))
    .replaceAll("/usr/lib/matghi", join(repository, "deploy/debian"));
  writeFileSync(unit, here);
  expect(await analyze("verify", "--man=no", unit)).toEqual({ code: 0, text: "" });
  writeFileSync(unit, here.replace("WatchdogSec=60", "WatchdogSeconds=60"));
  expect((await analyze("verify", "--man=no", unit)).text).toContain("WatchdogSeconds");
});

test("nor about what looks the tunnel's hub up again", async () => {
  const place = tempFolder("units");
  const [service, timer] = [join(place, "matghi-tunnel.service"), join(place, "matghi-tunnel.timer")];
  const [asked, told] = [service, timer].map((file) => readFileSync(join(folder, basename(file)), "utf8")) as [string, string];
  writeFileSync(service, asked.replaceAll("/usr/lib/matghi/tunnel-lookup", join(repository, "deploy/tunnel-lookup")));
  writeFileSync(timer, told);
  expect(await analyze("verify", "--man=no", service, timer)).toEqual({ code: 0, text: "" });
  expect(told).toMatch(/^OnUnitInactiveSec=1min$/m);
});

test("its exposure is 2.0 or less", async () => {
  const judged = await analyze("security", "--offline=true", "--no-pager", "--threshold=20", join(folder, "matghi.service"));
  expect(judged.text).toMatch(/Overall exposure level for matghi.service: [01]\.\d|Overall exposure level for matghi.service: 2\.0/);
  expect(judged.code).toBe(0);
});

test("it is started again for ever, and a hang of a minute is an end", () => {
  expect(valuesOf("Restart")).toEqual(["always"]);
  expect(valuesOf("StartLimitIntervalSec")).toEqual(["0"]);
  expect(valuesOf("StartLimitBurst")).toEqual([]);
  expect(valuesOf("WatchdogSec")).toEqual(["60"]);
  expect(valuesOf("Type")).toEqual(["notify"]);
});

test("a public address of the station and the sensors' buses stay reachable", () => {
  expect(text).not.toMatch(/^(IPAddressDeny|PrivateDevices|PrivateNetwork|MemoryDenyWriteExecute|ProcSubset)=/m);
  expect(valuesOf("DeviceAllow")).toEqual(["char-gpiochip rw", "char-i2c rw"]);
});

test("every line has its reason", () => {
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  const rows = readme.split("\n").filter((line) => line.startsWith("| `"));
  const keys = [...new Set(lines.map((line) => line.split("=", 1)[0] ?? ""))];
  expect(keys.length).toBeGreaterThan(40);
  expect(keys.filter((key) => !rows.some((row) => (row.split(" | ", 1)[0] ?? "").includes(`\`${key}\``)))).toEqual([]);
});
