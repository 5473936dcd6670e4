/** The suite of `Probe`, on the scripted and the real drivers, and what the files of the real ones may hold. */
import { execFileSync } from "node:child_process";
import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LinkValue, PowerValue } from "../../hal/ports.ts";
import { makeLink, makePower } from "../../hal/probe.ts";
import { scriptProbe } from "../../hal/script.ts";
import { tempFolder } from "../lib/temp.ts";

const never = new AbortController().signal;
const folder = tempFolder("probe");
let files = 0;
const newPath = () => {
  files += 1;
  return join(folder, `f${files}`);
};

const byFile = (make: typeof makePower | typeof makeLink) => () => {
  const path = newPath();
  return { probe: make({ driver: "file", path }), set: (word: string) => writeFileSync(path, `${word}\n`), unset: () => unlinkSync(path) };
};
const byScript = <V extends PowerValue | LinkValue>() => {
  const probe = scriptProbe<PowerValue | LinkValue>("unknown");
  return { probe, set: (word: V) => probe.set(word), unset: () => probe.set("unknown") };
};

describe.each([
  ["real power", byFile(makePower), ["mains", "battery", "low"]],
  ["real link", byFile(makeLink), ["up", "weak", "down"]],
  ["scripted power", byScript<PowerValue>, ["mains", "battery", "low"]],
  ["scripted link", byScript<LinkValue>, ["up", "weak", "down"]],
] as const)("the %s", (_, make, words) => {
  test("says what is there, with evidence, and unknown where nothing is", async () => {
    const { probe, set, unset } = make();
    expect((await probe.read(never)).value).toBe("unknown");
    for (const word of words) {
      (set as (word: string) => void)(word);
      const reading = await probe.read(never);
      expect(reading.value).toBe(word);
      expect(reading.evidence.length).toBeGreaterThan(0);
    }
    unset();
    expect((await probe.read(never)).value).toBe("unknown");
    expect(probe.driver).not.toBe("");
  });

  test("ends with its signal and never rejects", async () => {
    const { probe, set } = make();
    (set as (word: string) => void)(words[0]);
    expect((await probe.read(AbortSignal.abort())).value).toBe("unknown");
  });
});

describe("a file", () => {
  test.each([
    ["a word with blanks around it", "  battery \n", "battery", "file battery"],
    ["unknown", "unknown", "unknown", "file unknown"],
    ["nothing", "", "unknown", "file empty"],
    ["capitals", "Mains", "unknown", "file other-word"],
    ["two words", "mains battery", "unknown", "file other-word"],
    ["a word of another sense", "up", "unknown", "file other-word"],
    ["a million letters", "x".repeat(1_000_000), "unknown", "file other-word"],
  ])("that holds %s", async (_, text, value, evidence) => {
    const path = newPath();
    writeFileSync(path, text);
    expect(await makePower({ driver: "file", path }).read(never)).toEqual({ value, evidence: [evidence] });
  });

  test("that cannot be read says why", async () => {
    expect(await makePower({ driver: "file", path: newPath() }).read(never)).toEqual({ value: "unknown", evidence: ["file ENOENT"] });
    expect(await makePower({ driver: "file", path: folder }).read(never)).toEqual({ value: "unknown", evidence: ["file EISDIR"] });
  });

  test("that is a pipe with nobody at the other end holds nothing up", async () => {
    const path = newPath();
    execFileSync("mkfifo", [path]);
    const probes = Array.from({ length: 8 }, () => makePower({ driver: "file", path }));
    for (const reading of await Promise.all(probes.map((probe) => probe.read(never)))) expect(reading.value).toBe("unknown");
    writeFileSync(newPath(), "the threads for files are free");
  });
});

describe("a rehearsal's script", () => {
  test("is played from the start of the agent", async () => {
    const path = newPath();
    writeFileSync(path, "# a power cut\n2 mains\n\n62.5 battery\r\n  90 low\n120 unknown\n");
    let nowMs = 500_000;
    const probe = makePower({ driver: "script", path }, () => nowMs);
    const seen: string[] = [];
    for (const afterMs of [0, 1_999, 2_000, 62_499, 62_500, 90_000, 120_000, 9e9]) {
      nowMs = 500_000 + afterMs;
      seen.push((await probe.read(never)).value);
    }
    expect(seen).toEqual(["unknown", "unknown", "mains", "mains", "battery", "low", "unknown", "unknown"]);
    expect(probe.driver).toBe("script");
  });

  test("with a line that is none says which", async () => {
    const path = newPath();
    writeFileSync(path, "0 up\n# weak wifi\n5s weak\n");
    expect(await makeLink({ driver: "script", path }).read(never)).toEqual({ value: "unknown", evidence: ["script bad-line 3"] });
    expect(await makeLink({ driver: "script", path: newPath() }).read(never)).toEqual({ value: "unknown", evidence: ["script ENOENT"] });
  });
});

test.each(["none", "auto", "nut", "sysfs", "gpio", "file"])("%s without more is unsupported", async (driver) => {
  const probe = makePower({ driver });
  expect([probe.driver, await probe.read(never)]).toEqual([driver, { value: "unsupported", evidence: [] }]);
});
