/** Who tells how far the clock can be trusted: recorded answers of chrony and timesyncd, files, and the shifted clock of rehearsals. */
import { execFileSync } from "node:child_process";
import { getEventListeners } from "node:events";
import { existsSync, readFileSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ClockOptions, makeClock, wallOf } from "../../hal/clock.ts";
import { writeProgram } from "../lib/program.ts";
import { tempFolder } from "../lib/temp.ts";

const never = new AbortController().signal;
const folder = tempFolder("clock");
const nowhere = {
  chronyc: "/no/such/chronyc",
  timedatectl: "/no/such/timedatectl",
  synchronized: "/no/such/file",
  rtc: "/no/such/rtc",
};
let files = 0;
const newPath = () => {
  files += 1;
  return join(folder, `f${files}`);
};
const program = (...lines: string[]) => writeProgram(newPath(), lines);
const fileOf = (text: string) => {
  const path = newPath();
  writeFileSync(path, text);
  return path;
};
const hourMs = 3_600_000;
const secondsOf = (agoMs: number) => ((Date.now() - agoMs) / 1000).toFixed(9);

async function toldBy(places: Partial<typeof nowhere>, options: Partial<ClockOptions> = {}): Promise<readonly [string, string]> {
  const clock = makeClock({ driver: "auto", ...options }, { ...nowhere, ...places });
  await clock.look(never);
  // A bound stands with a clock that is synchronised, and with no other.
  if (clock.trust() !== "synced") expect(clock.errorMs()).toBeNull();
  return [clock.driver, clock.trust()];
}

/** Lines as chronyc 4.3 gave them, with the time of the last update put in. */
const tracking = (agoMs: number, leap = "Normal") =>
  `7F000001,127.0.0.1,11,${secondsOf(agoMs)},-0.000002003,-0.000000006,0.000000458,0.006,-0.001,0.076,0.000007039,0.000001354,1.0,${leap}`;
const recorded = {
  unset: "00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised",
  own: `7F7F0101,,10,${secondsOf(0)},0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal`,
};
const chronySays = (line: string) => program('[ "$*" = "-c tracking" ] || exit 9', `echo '${line}'`);

describe("chrony", () => {
  test.each([
    ["a source that it follows", tracking(10_000), "synced"],
    ["a leap second to come", tracking(10_000, "Insert second"), "synced"],
    ["no source yet", recorded.unset, "holdover"],
    ["its own clock only", recorded.own, "holdover"],
    ["a source that is gone for hours", tracking(3 * hourMs), "holdover"],
    ["a clock that was turned back since", tracking(-3 * hourMs), "holdover"],
  ])("with %s", async (_, line, trust) => {
    expect(await toldBy({ chronyc: chronySays(line) })).toEqual(["chrony", trust]);
  });

  test("tells how far the clock may be off: what it has still to correct, the dispersion, half of the delay", async () => {
    const line = `7F000001,127.0.0.1,3,${secondsOf(1_000)},-0.004,0.1,0.1,0.006,-0.001,0.076,0.030,0.0015,64.0,Normal`;
    const clock = makeClock({ driver: "auto" }, { ...nowhere, chronyc: chronySays(line) });
    expect(clock.errorMs()).toBeNull();
    await clock.look(never);
    expect(clock.errorMs()).toBe(21);
  });

  test("whose daemon is absent leaves the word to others", async () => {
    const chronyc = program("echo '506 Cannot talk to daemon'", "exit 1");
    expect(await toldBy({ chronyc, synchronized: fileOf("") })).toEqual(["timesyncd", "synced"]);
    expect(await toldBy({ chronyc: program("echo nonsense") })).toEqual(["none", "holdover"]);
  });

  test("that hangs is ended, and holds nothing up", async () => {
    const pidFile = newPath();
    const chronyc = program(`echo $$ > ${pidFile}`, "exec sleep 600");
    let ticks = 0;
    const ticker = setInterval(() => {
      ticks += 1;
    }, 100);
    expect(await toldBy({ chronyc })).toEqual(["chrony", "holdover"]);
    clearInterval(ticker);
    expect(ticks).toBeGreaterThan(2);
    expect(await isGone(pidFile)).toBe(true);
  });

  test("is ended with the signal", async () => {
    const pidFile = newPath();
    const clock = makeClock({ driver: "auto" }, { ...nowhere, chronyc: program(`echo $$ > ${pidFile}`, "exec sleep 600") });
    const stop = new AbortController();
    const looked = clock.look(stop.signal);
    while (!existsSync(pidFile) || readFileSync(pidFile, "utf8") === "") await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    await looked;
    expect(await isGone(pidFile)).toBe(true);
  });

  test("is not asked every second, and leaves nothing on the signal", async () => {
    const calls = newPath();
    const clock = makeClock({ driver: "auto" }, { ...nowhere, chronyc: program(`echo called >> ${calls}`, `echo '${tracking(0)}'`) });
    const { signal } = new AbortController();
    await Promise.all([clock.look(signal), clock.look(signal)]);
    for (let i = 0; i < 5; i += 1) await clock.look(signal);
    expect(readFileSync(calls, "utf8")).toBe("called\n");
    await makeClock({ driver: "auto" }, nowhere).look(signal);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

async function isGone(pidFile: string): Promise<boolean> {
  const pid = readFileSync(pidFile, "utf8").trim();
  for (let i = 0; i < 200 && existsSync(`/proc/${pid}`); i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  return !existsSync(`/proc/${pid}`);
}

describe("without chrony", () => {
  const timedatectlSays = (word: string) => program('[ "$*" = "show -p NTPSynchronized --value" ] || exit 9', `echo ${word}`);

  test("timesyncd's mark counts while it is fresh", async () => {
    const synchronized = fileOf("");
    expect(await toldBy({ synchronized, timedatectl: timedatectlSays("no") })).toEqual(["timesyncd", "synced"]);
    utimesSync(synchronized, Date.now() / 1000, (Date.now() - 2 * hourMs) / 1000);
    expect(await toldBy({ synchronized, timedatectl: timedatectlSays("yes") })).toEqual(["timesyncd", "holdover"]);
  });

  test("timedatectl is asked for the kernel's flag", async () => {
    expect(await toldBy({ timedatectl: timedatectlSays("yes") })).toEqual(["timedatectl", "synced"]);
    expect(await toldBy({ timedatectl: timedatectlSays("no") })).toEqual(["timedatectl", "holdover"]);
    expect(await toldBy({ timedatectl: program("echo Failed to connect to bus >&2", "exit 1") })).toEqual(["none", "holdover"]);
  });

  test("a clock chip is named where it has a time", async () => {
    expect(await toldBy({ rtc: fileOf(`${Math.round(Date.now() / 1000)}\n`) })).toEqual(["rtc", "holdover"]);
    expect(await toldBy({ rtc: fileOf("946684800\n") })).toEqual(["none", "holdover"]);
  });
});

test("a clock before a moment that has passed was never set, unless it is synchronised", async () => {
  const notBefore = Date.now() + hourMs;
  expect(makeClock({ driver: "none", notBefore }).trust()).toBe("unset");
  expect(await toldBy({}, { notBefore })).toEqual(["none", "unset"]);
  expect(await toldBy({ chronyc: chronySays(recorded.unset) }, { notBefore })).toEqual(["chrony", "unset"]);
  expect(await toldBy({ chronyc: chronySays(tracking(0)) }, { notBefore })).toEqual(["chrony", "synced"]);
});

test("no driver asks nobody", async () => {
  const calls = newPath();
  expect(await toldBy({ chronyc: program(`echo called > ${calls}`) }, { driver: "none" })).toEqual(["none", "holdover"]);
  expect(existsSync(calls)).toBe(false);
});

test("a file's word is taken at every look", async () => {
  const path = fileOf("synced\n");
  const clock = makeClock({ driver: "file", path });
  expect([clock.driver, clock.trust()]).toEqual(["file", "holdover"]);
  for (const [word, trust] of Object.entries({
    synced: "synced",
    holdover: "holdover",
    unset: "unset",
    unknown: "holdover",
    maybe: "holdover",
  })) {
    writeFileSync(path, `${word}\n`);
    await clock.look(never);
    expect(clock.trust(), word).toBe(trust);
  }
  writeFileSync(path, "synced");
  await clock.look(never);
  unlinkSync(path);
  await clock.look(never);
  expect(clock.trust()).toBe("holdover");
  execFileSync("mkfifo", [path]);
  await clock.look(never);
  expect(clock.trust()).toBe("holdover");
});

test("a rehearsal's clock is shifted by its file, and what is no number changes nothing", async () => {
  const offset = newPath();
  const options = { driver: "script", offset } as const;
  const clock = makeClock(options);
  const shiftMs = () => Math.round((clock.wallMs() - Date.now()) / 1000) * 1000 + 0;
  expect([shiftMs(), clock.trust(), clock.driver]).toEqual([0, "synced", "script"]);
  writeFileSync(offset, "-7200000\n");
  // Seen without a look, within a second.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(shiftMs()).toBe(-2 * hourMs);
  for (const text of ["", "soon", "1e9", "99999999999999999999"]) {
    writeFileSync(offset, text);
    await clock.look(never);
    expect(shiftMs(), text).toBe(-2 * hourMs);
  }
  writeFileSync(offset, "3600000");
  await clock.look(never);
  expect(shiftMs()).toBe(hourMs);
  expect(Math.round((wallOf(options) - Date.now()) / hourMs)).toBe(1);
  expect(Math.abs(wallOf({ driver: "auto" }) - Date.now())).toBeLessThan(1_000);
});
