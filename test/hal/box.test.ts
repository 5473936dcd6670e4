/** How the boot before this one ended: generated wtmp files, and a journalctl that says what systemd says. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeBox, type UtmpLayout, utmpLayouts } from "../../hal/box.ts";
import { writeProgram } from "../lib/program.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("box");
const bootId = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
let files = 0;
const newPath = () => {
  files += 1;
  return join(folder, `f${files}`);
};

type Kind = "boot" | "shutdown" | "runlevel" | "login" | "empty";
const shapes: Record<Kind, readonly [type: number, user: string]> = {
  boot: [2, "reboot"],
  shutdown: [1, "shutdown"],
  runlevel: [1, "runlevel"],
  login: [7, "shutdowner"],
  empty: [0, ""],
};

function toRecord(kind: Kind, atSeconds: number, layout: UtmpLayout): Buffer {
  const record = Buffer.alloc(layout.bytes);
  const [type, user] = shapes[kind];
  record.writeInt16LE(type, 0);
  record.write("~", 8);
  record.write(user, 44);
  record.write("6.1.0-37-amd64", 76);
  record.writeInt32LE(kind === "empty" ? 0 : atSeconds, layout.timeAt);
  record.writeInt32LE(kind === "empty" ? 0 : 123_456, layout.timeAt + layout.timeBytes / 2);
  return record;
}

/** A wtmp of these records, a second apart, and the utmp of the boot that wrote its newest boot record. */
function write(kinds: readonly Kind[], layout: UtmpLayout = utmpLayouts.x64) {
  const [wtmp, utmp] = [newPath(), newPath()];
  const firstAt = 1_780_000_000;
  writeFileSync(wtmp, Buffer.concat(kinds.map((kind, i) => toRecord(kind, firstAt + i, layout))));
  writeFileSync(utmp, Buffer.concat([toRecord("boot", firstAt + kinds.lastIndexOf("boot"), layout), toRecord("login", 0, layout)]));
  return { wtmp, utmp, layout, journalctl: "/no/such/journalctl" };
}
const many = (kind: Kind, count: number): readonly Kind[] => Array.from({ length: count }, () => kind);

describe.each(Object.entries(utmpLayouts))("wtmp of %s", (_, layout) => {
  test.each<readonly [string, readonly Kind[], boolean | null]>([
    ["a shutdown before this boot", ["boot", "runlevel", "login", "shutdown", "boot", "runlevel", "login"], true],
    ["a power cut", ["boot", "shutdown", "boot", "runlevel", "login", "boot", "runlevel"], false],
    ["a power cut right after the boot", ["boot", "shutdown", "boot", "boot"], false],
    ["a shutdown, and the end of a terminal after it", ["boot", "shutdown", "runlevel", "boot"], true],
    ["more logins than are read", ["boot", ...many("login", 300), "boot"], false],
    ["an old shutdown and a file as long", [...many("login", 300), "shutdown", ...many("login", 20), "boot", "login"], true],
    ["room that a crash left empty", ["boot", "shutdown", "empty", "empty", "boot"], true],
    ["a new file", ["boot", "runlevel"], null],
    ["too many logins since", ["boot", "shutdown", "boot", ...many("login", 300)], null],
    ["no boot at all", ["login"], null],
    ["nothing", [], null],
  ])("with %s", async (_name, kinds, expected) => {
    expect(await makeBox(write(kinds, layout)).shutDownInOrder(bootId)).toBe(expected);
  });

  test("with a torn record at its end", async () => {
    const records = write(["boot", "shutdown", "boot"], layout);
    appendFileSync(records.wtmp, Buffer.alloc(100, 1));
    expect(await makeBox(records).shutDownInOrder(bootId)).toBe(true);
  });
});

test("a wtmp that this boot did not write says nothing", async () => {
  const records = write(["boot", "shutdown", "boot"]);
  expect(await makeBox({ ...records, utmp: "/no/such/utmp" }).shutDownInOrder(bootId)).toBe(null);
  expect(await makeBox({ ...records, utmp: write(["boot", "login", "boot", "login", "boot"]).utmp }).shutDownInOrder(bootId)).toBe(null);
  expect(await makeBox({ ...records, wtmp: folder }).shutDownInOrder(bootId)).toBe(null);
});

describe("without wtmp, the journal", () => {
  const nothing = { wtmp: "/no/such/wtmp", utmp: "/no/such/utmp", layout: utmpLayouts.x64 };
  const ask = (...lines: string[]) => makeBox({ ...nothing, journalctl: writeProgram(newPath(), lines) }).shutDownInOrder(bootId);
  const saying = (...lines: string[]) => ask("cat <<'END'", ...lines, "END");

  test.each([
    ["systemd 252", ["Stopped target Multi-User System.", "Reached target System Shutdown.", "Reached target System Power Off."], true],
    ["systemd 257", ["Reached target umount.target - Unmount All Filesystems.", "Reached target reboot.target - System Reboot."], true],
    ["the last word", ["Finished systemd-reboot.service.", "Shutting down."], true],
    [
      "a power cut",
      ["Reached target multi-user.target - Multi-User System.", "Startup finished in 3s.", "Finished Shutdown logger."],
      false,
    ],
    ["a service that speaks of it", ["ftpd.service: Shutting down in an hour", "Started Reboot watcher."], false],
  ])("of %s", async (_, lines, expected) => {
    expect(await saying(...lines)).toBe(expected);
  });

  test("is asked for the last words of that boot's first process", async () => {
    const seen = newPath();
    expect(await ask(`echo "$*" > ${seen}`, "echo Shutting down.")).toBe(true);
    expect(readFileSync(seen, "utf8")).toBe("--system -b 0a1b2c3d4e5f60718293a4b5c6d7e8f9 -n 200 -o cat --no-pager -q _PID=1\n");
  });

  test("that keeps nothing of that boot, may not be read or hangs, says nothing", async () => {
    expect(await ask("echo 'Data from the specified boot is not available' >&2", "exit 1")).toBe(null);
    expect(await ask("exit 0")).toBe(null);
    expect(await ask("exec sleep 600")).toBe(null);
    expect(await makeBox({ ...nothing, journalctl: "/no/such/journalctl" }).shutDownInOrder(bootId)).toBe(null);
    const box = makeBox({ ...nothing, journalctl: writeProgram(newPath(), ["echo Shutting down."]) });
    expect(await box.shutDownInOrder("--file=/etc/passwd")).toBe(null);
  });
});

test("the system's name as it names itself, without asking any network", async () => {
  const root = newPath();
  mkdirSync(join(root, "etc"), { recursive: true });
  writeFileSync(join(root, "etc/os-release"), 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\n');
  expect((await makeBox(undefined, root).identity()).os).toBe(`Debian GNU/Linux 13 ${process.arch}`);
  expect((await makeBox(undefined, newPath()).identity()).os).toBe("unknown");
});
