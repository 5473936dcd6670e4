/** The bundle runs by itself: everything of the recording path is inside. The manual is made from what the commands say. */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { completion, manPage, readHelp } from "../../deploy/manual.ts";
import { until, writeSite } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { freePort, tempFolder } from "../lib/temp.ts";

const addon = "node_modules/better-sqlite3/build/Release/better_sqlite3.node";

test("it records until ffmpeg itself says that nobody is there", async () => {
  const folder = tempFolder("bundle");
  const home = join(folder, "home");
  execFileSync(process.execPath, [join(repository, "dist/deploy/bundle.js"), home]);
  cpSync(join(repository, addon), join(home, addon));
  expect(readFileSync(join(home, "packages.txt"), "utf8")).toMatch(/^better-sqlite3 12\.11\.1 MIT$/m);
  const config = writeSite({ folder, cameras: [`id: cam1, url: "rtsp://127.0.0.1:${await freePort()}/"`] });
  const agent = spawn(process.execPath, [join(home, "matghi.js"), "run", "--config", config], { stdio: ["ignore", "pipe", "inherit"] });
  let log = "";
  agent.stdout.on("data", (data: Buffer) => {
    log += data;
  });
  try {
    await until("a first try", 30_000, () => log.includes('"failures":1'));
    expect(log).toContain('"reason":"refused-connection"');
  } finally {
    agent.kill("SIGKILL");
  }
}, 60_000);

const help = `Usage: matghi look [options]

a contact sheet: one picture each half minute,
to find the moment

Options:
  --every <duration>  step between two pictures
                      of the sheet (default: "30s")
  -h, --help          display help for command
`;

test("a help text is taken apart, and put together as manual and completion", () => {
  const look = readHelp("look", help);
  expect(look.text).toBe("a contact sheet: one picture each half minute, to find the moment");
  expect(look.options[0]).toEqual({ term: "--every <duration>", text: 'step between two pictures of the sheet (default: "30s")' });
  const program = { ...look, name: "", options: [], commands: [{ term: "look [options]", text: "" }] };
  expect(manPage(program, [look], "0.1.0", "2026-11-25")).toContain('.SS "matghi look"');
  expect(manPage(program, [look], "0.1.0", "2026-11-25")).toContain("\\fB\\-\\-every <duration>\\fR");
  expect(completion(program, [look])).toContain('"look") words="--every --help"');
  expect(() => readHelp("look", "command not found")).toThrow(/begins with/);
});
