/**
 * `npm run faults -- --broken`: three builds that are broken on purpose, and an honest one. Each must be caught, by the check that is meant
 * for it; a check that lets its own broken build pass proves nothing.
 */
import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openReads } from "../../agent/store/store.ts";
import { until } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { makePowerDisk } from "../lib/powercut.ts";
import { tempFolder } from "../lib/temp.ts";

type Check =
  /** The soak on virtual time, with a seed whose first fault is the one that matters: a line that swallows, and a camera that falls silent meanwhile. */
  { readonly kind: "soak"; readonly seed: number; readonly hours: number } | { readonly kind: "power cut"; readonly cuts: number };
type Break = {
  readonly what: string;
  /** Text of a built file and what stands in its place; all must be there once, else the break no longer fits the code. */
  readonly edits: readonly { readonly file: string; readonly find: string; readonly put: string }[];
  readonly check: Check;
  /** What the check says when it is this break that it has found. */
  readonly caughtBy: RegExp;
};

const soakCheck: Check = { kind: "soak", seed: 50, hours: 0.3 };
const cutCheck: Check = { kind: "power cut", cuts: 3 };
export const breaks: readonly Break[] = [
  {
    what: "the cursor moves before the broker has confirmed",
    edits: [
      {
        file: "agent/publish.js",
        find: "    const results = await Promise.all(rows.map((row) => sendRow(station, session, row)));",
        put: "    now.position = rows.at(-1).g;\n    const results = await Promise.all(rows.map((row) => sendRow(station, session, row)));",
      },
    ],
    ...{ check: soakCheck, caughtBy: /events never came|came first after/ },
  },
  {
    what: "a gap is opened and not written down",
    edits: [
      {
        file: "agent/core/ledger.js",
        find: '        { put: "gap-opened", camera: page.camera, fromAt, claim, fault: gap.fault },\n        gapEvent("gap.opened"',
        put: '        gapEvent("gap.opened"',
      },
    ],
    ...{ check: soakCheck, caughtBy: /nothing is known of|a hole of|accounted for/ },
  },
  {
    what: "nothing is synced: neither the growing file nor the database",
    edits: [
      { file: "hal/footage.js", find: "await kept.handle.datasync();", put: "" },
      { file: "agent/store/database.js", find: '"synchronous = FULL",', put: '"synchronous = OFF",' },
      { file: "agent/store/store.js", find: 'db.pragma("synchronous = FULL")', put: 'db.pragma("synchronous = OFF")' },
    ],
    ...{ check: cutCheck, caughtBy: /events are gone|bytes are gone/ },
  },
];

/** A built file with the break in it; throws where the break no longer fits the code. */
export function edited(text: string, { file, find, put }: Break["edits"][number]): string {
  if (text.split(find).length !== 2) throw new Error(`${file} no longer has what this break changes: ${find.trim()}`);
  return text.replace(find, () => put);
}

function build(name: string, { edits }: Pick<Break, "edits">): string {
  const target = join(repository, ".cache/broken", name);
  rmSync(target, { recursive: true, force: true });
  cpSync(join(repository, "dist"), target, { recursive: true });
  for (const edit of edits) writeFileSync(join(target, edit.file), edited(readFileSync(join(target, edit.file), "utf8"), edit));
  return target;
}

type Checked = { readonly passed: boolean; readonly said: string };

function soakOf(target: string, { seed, hours }: Extract<Check, { kind: "soak" }>): Promise<Checked> {
  const args = [join(target, "test/proof/soak.js"), "--hours", String(hours), "--seed", String(seed)];
  return new Promise((resolve) =>
    execFile(process.execPath, args, { maxBuffer: 64 << 20, timeout: 900_000 }, (error, stdout, stderr) => {
      const broken = `${stdout}${stderr}`.split("\n").filter((line) => line.startsWith("BROKEN: "));
      resolve({ passed: error === null, said: error === null ? "" : (broken[0] ?? stderr.slice(-300)) });
    }),
  );
}

async function powerCutOf(target: string, cuts: number): Promise<Checked> {
  const folder = tempFolder("broken");
  const wrong: string[] = [];
  for (let i = 0; i < cuts && wrong.length === 0; i += 1) {
    const disk = await makePowerDisk(folder, `disk-${i}`, 64);
    const child = spawn(process.execPath, [join(target, "test/proof/writer.js"), disk.mountPoint], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    let text = "";
    child.stdout.on("data", (data: Buffer) => {
      text += data;
    });
    await until("a hundred writes", 120_000, () => text.split("\n").length > 100, 20);
    await disk.cut();
    child.kill("SIGKILL");
    await ended;
    // A line that was said after the cut was said by a process without a disk: what stands before the last ones counts.
    const said = text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { g: number; bytes: number });
    const safe = said.at(-3) ?? { g: 0, bytes: 0 };
    await disk.restore();
    wrong.push(...lostOf(disk.mountPoint, safe));
    disk.remove();
  }
  rmSync(folder, { recursive: true, force: true });
  return { passed: wrong.length === 0, said: wrong.join("; ") };
}

function lostOf(mountPoint: string, safe: { readonly g: number; readonly bytes: number }): readonly string[] {
  const reads = openReads(join(mountPoint, "state"));
  const last = reads?.eventRange().last ?? 0;
  reads?.close();
  const part = join(mountPoint, "footage/cho/1-1.mkv.part");
  const bytes = existsSync(part) ? statSync(part).size : 0;
  return [
    ...(last < safe.g ? [`${safe.g - last} of ${safe.g} events are gone that were committed`] : []),
    ...(bytes < safe.bytes ? [`${safe.bytes - bytes} of ${safe.bytes} bytes are gone that were flushed`] : []),
  ];
}

const checkOf = (target: string, check: Check) => (check.kind === "soak" ? soakOf(target, check) : powerCutOf(target, check.cuts));

/** True where the honest build passes every check and each broken one is caught by its own. */
export async function catchBroken(say: (line: string) => void): Promise<boolean> {
  const isRoot = process.getuid?.() === 0;
  const rows: string[] = [];
  let holds = true;
  const honest = build("honest", { edits: [] });
  for (const check of [soakCheck, cutCheck]) {
    if (check.kind === "power cut" && !isRoot) continue;
    const { passed, said } = await checkOf(honest, check);
    holds &&= passed;
    rows.push(`| the build as it is | ${check.kind} | ${passed ? "passes, as it must" : `NOT PASSED: ${said}`} |`);
    say(rows.at(-1) ?? "");
  }
  for (const [i, broken] of breaks.entries()) {
    if (broken.check.kind === "power cut" && !isRoot) {
      rows.push(`| ${broken.what} | ${broken.check.kind} | SKIPPED: needs root: sudo npm run faults -- --broken |`);
      say(rows.at(-1) ?? "");
      continue;
    }
    const { passed, said } = await checkOf(build(String(i), broken), broken.check);
    const isCaught = !passed && broken.caughtBy.test(said);
    holds &&= isCaught;
    rows.push(
      `| ${broken.what} | ${broken.check.kind} | ${isCaught ? "caught" : "NOT CAUGHT"}: ${said.replaceAll("|", "/").slice(0, 160)} |`,
    );
    say(rows.at(-1) ?? "");
  }
  rmSync(join(repository, ".cache/broken"), { recursive: true, force: true });
  say(`\n| build | check | result |\n|---|---|---|\n${rows.join("\n")}`);
  return holds;
}
