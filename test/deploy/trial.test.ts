/** What root does of itself with a version on trial: the script of the package, over folders of our own. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { reportText, undoneText, type Verdict } from "../../agent/core/trial.ts";
import { makeVersions, putVersion, type Versions } from "../lib/versions.ts";

/** 0.2.0 is on trial over 0.1.0. */
function onTrial(): Versions {
  const versions = makeVersions();
  putVersion(join(versions.root, "versions/0.2.0"), "0.2.0");
  versions.tryOut();
  versions.use("0.2.0");
  return versions;
}
const say = (versions: Versions, verdict: Verdict, looks = 1, id = "a1") =>
  writeFileSync(join(versions.state, "trial"), reportText({ id, looks, spentMs: 1_000, verdict }));
const waiting: Verdict = { kind: "waiting", steady: false, lacks: ["cam1"] };
const times = (count: number, deed: (i: number) => void) => Array.from({ length: count }, (_, i) => deed(i));
const seen = (versions: Versions) => ({
  runs: versions.running(),
  trial: versions.has("trial"),
  why: /why=(.*)/.exec(versions.text("undone"))?.[1],
});

describe("a version on trial", () => {
  test("is given three starts; the fourth is the one before's", () => {
    const versions = onTrial();
    times(3, () => versions.script("start"));
    expect(seen(versions)).toEqual({ runs: "0.2.0", trial: true, why: undefined });
    versions.script("start");
    expect(seen(versions)).toEqual({ runs: "0.1.0", trial: false, why: "3 starts did not last" });
  });

  test("may start as often as it likes while each run lasts, and what one run said counts once", () => {
    const versions = onTrial();
    times(5, (i) => {
      say(versions, { kind: "waiting", steady: true, lacks: ["cam1"] }, i);
      versions.script("start");
    });
    expect(versions.running()).toBe("0.2.0");
    times(3, () => versions.script("start"));
    expect(versions.running()).toBe("0.1.0");
  });

  test("stays once it has said that it is good", () => {
    const versions = onTrial();
    say(versions, { kind: "good" });
    versions.script("tick");
    expect([seen(versions), versions.has("trial.count")]).toEqual([{ runs: "0.2.0", trial: false, why: undefined }, false]);
  });

  test("is left once it has said that it is not, at a minute's look or the next start", () => {
    for (const mode of ["tick", "start"] as const) {
      const versions = onTrial();
      say(versions, { kind: "back", lacks: ["cam1", "station"] });
      versions.script(mode);
      expect(seen(versions)).toEqual({ runs: "0.1.0", trial: false, why: "lacks cam1,station" });
    }
  });

  test("is left after an hour without a new report, and not while it goes on reporting", () => {
    const versions = onTrial();
    const silent = () => Number(/silent=(.*)/.exec(versions.text("trial.count"))?.[1]);
    const count = join(versions.root, "trial.count");
    say(versions, waiting, 1);
    times(3, () => versions.script("tick"));
    expect(silent()).toBe(2);
    say(versions, waiting, 2);
    versions.script("tick");
    expect(silent()).toBe(0);
    writeFileSync(count, versions.text("trial.count").replace("silent=0", "silent=59"));
    versions.script("tick");
    expect(versions.running()).toBe("0.2.0");
    versions.script("tick");
    expect(seen(versions)).toEqual({ runs: "0.1.0", trial: false, why: "no report for 60 minutes" });
  });

  test("a report of another trial is none of this one's", () => {
    const versions = onTrial();
    for (const verdict of [{ kind: "good" }, { kind: "back", lacks: [] }] satisfies Verdict[]) {
      say(versions, verdict, 1, "b2");
      versions.script("tick");
    }
    expect(seen(versions)).toEqual({ runs: "0.2.0", trial: true, why: undefined });
  });

  test("what was cut off on the way back is finished at the next start", () => {
    const versions = onTrial();
    writeFileSync(join(versions.root, "undone"), undoneText({ id: "a1", version: "0.2.0", previous: "0.1.0", why: "by hand" }));
    versions.script("start");
    expect(seen(versions)).toEqual({ runs: "0.1.0", trial: false, why: "by hand" });
  });

  test("is kept where there is nothing to go back to", () => {
    const versions = onTrial();
    versions.tryOut({ previous: "0.0.9" });
    times(4, () => versions.script("start"));
    expect(versions.running()).toBe("0.2.0");
  });

  test("an update that was cut off before its switch has no effect", () => {
    const versions = onTrial();
    versions.use("0.1.0");
    times(5, () => versions.script("start"));
    versions.script("tick");
    expect([versions.running(), versions.has("undone")]).toEqual(["0.1.0", false]);
  });
});

test("two old versions are kept, with the databases that they left", () => {
  const versions = onTrial();
  const old = ["0.0.7", "0.0.8", "0.0.9"];
  for (const name of old) putVersion(join(versions.root, "versions", name), name);
  for (const name of [...old, "0.1.0"]) writeFileSync(join(versions.state, `matghi.db.of-${name}`), "");
  say(versions, { kind: "good" });
  versions.script("tick");
  const left = (name: string) => [versions.has(`versions/${name}`), versions.has(`state/matghi.db.of-${name}`)];
  expect([...old, "0.1.0"].map(left)).toEqual([
    [false, false],
    [false, false],
    [true, true],
    [true, true],
  ]);
  expect(versions.running()).toBe("0.2.0");
});

describe("a package that is installed", () => {
  /** dpkg has unpacked it. */
  const unpacked = (versions: Versions, version: string) => {
    rmSync(join(versions.root, "package"), { recursive: true, force: true });
    putVersion(join(versions.root, "package"), version);
  };

  test("becomes a version of its own, which no later package takes away", () => {
    const versions = makeVersions();
    unpacked(versions, "0.2.0");
    versions.script("place", "0.2.0", "0.1.0");
    expect(versions.running()).toBe("0.2.0");
    unpacked(versions, "0.3.0");
    versions.script("place", "0.3.0", "0.2.0");
    expect(["0.1.0", "0.2.0", "0.3.0"].map((version) => versions.has(`versions/${version}/node`))).toEqual([true, true, true]);
    expect([versions.running(), versions.text("versions/0.2.0/matghi.js")]).toEqual(["0.3.0", "// 0.2.0\n"]);
  });

  test("the same once more replaces it; an older one takes over where dpkg was told so, and ends a trial", () => {
    const versions = onTrial();
    for (const version of ["0.1.0", "0.1.0"]) {
      unpacked(versions, version);
      versions.script("place", version, "0.2.0");
    }
    expect(seen(versions)).toEqual({ runs: "0.1.0", trial: false, why: undefined });
  });

  test("leaves a newer version in use that an update has put beside, on trial or not", () => {
    const versions = onTrial();
    unpacked(versions, "0.1.5");
    versions.script("place", "0.1.5", "0.1.0");
    expect([seen(versions), versions.has("versions/0.1.5")]).toEqual([{ runs: "0.2.0", trial: true, why: undefined }, true]);
  });

  test("takes nothing away that the trial would go back to", () => {
    const versions = onTrial();
    for (const version of ["0.1.8", "0.1.9"]) putVersion(join(versions.root, "versions", version), version);
    unpacked(versions, "0.1.5");
    versions.script("place", "0.1.5", "0.1.0");
    say(versions, { kind: "back", lacks: ["cam1"] });
    versions.script("tick");
    expect(seen(versions).runs).toBe("0.1.0");
  });

  test("is the first", () => {
    const versions = makeVersions();
    for (const gone of ["current", "versions"]) rmSync(join(versions.root, gone), { recursive: true });
    unpacked(versions, "0.1.0");
    versions.script("place", "0.1.0");
    expect(versions.running()).toBe("0.1.0");
  });
});

describe("the launcher", () => {
  test("takes the one before the trial where the new one is damaged, then the newest that is whole, then the package's own", () => {
    const versions = onTrial();
    putVersion(join(versions.root, "versions/0.1.5"), "0.1.5");
    putVersion(join(versions.root, "package"), "of the package");
    rmSync(join(versions.root, "versions/0.2.0/node"));
    expect(versions.running()).toBe("0.1.0");
    versions.tryOut({ previous: "0.0.1" });
    expect(versions.running()).toBe("0.1.5");
    for (const name of ["0.1.0", "0.1.5"]) rmSync(join(versions.root, "versions", name, "matghi.js"));
    expect(versions.running()).toBe("of the package");
  });
});
