/** `matghi hold` and `matghi audit`, as an officer and a checker have them. */
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { makeDating } from "../../agent/core/dating.ts";
import { widenHolds } from "../../agent/holds.ts";
import { checkAuditOf, readAudit } from "../../agent/store/audit.ts";
import { openStore, type Store } from "../../agent/store/store.ts";
import { matghi, writeSite } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";

const beganAt = Date.parse("2026-11-24T01:00:00.000Z");
let folder = "";
let config = "";
const state = () => join(folder, "state");

/** Twenty minutes of one camera, a file a minute. */
beforeEach(() => {
  folder = tempFolder("hold");
  config = writeSite({ folder, cameras: [`id: cho, url: "rtsp://127.0.0.1:9/"`] });
  withStore((store) => {
    const { run } = store.begin({ bootId: "b1", wallMs: beganAt, monoMs: 0, clock: "synced", version: "test", above: 0 });
    store.commit([{ put: "clock-step", at: beganAt, offsetMs: 0, clock: "synced" }]);
    for (let i = 0; i < 20; i += 1) store.commit([{ put: "segment", segment: segment(run, i) }]);
  });
});
const minute = 60_000;
const segment = (run: number, i: number) => ({
  ...{ camera: "cho", run, number: i, startAt: beganAt + i * minute, endAt: beganAt + (i + 1) * minute, bytes: 1_000 },
  ...({ sha256: "a".repeat(64), stream: "main", clock: "synced", torn: false, namedMs: 0 } as const),
});
function withStore<T>(act: (store: Store) => T): T {
  const store = openStore(state());
  try {
    return act(store);
  } finally {
    store.close();
  }
}
const run = (...args: readonly string[]) => matghi([...args, "--config", config]);
const add = (from = "2026-11-24T08:05", to = "2026-11-24T08:10", more: readonly string[] = []) =>
  run("hold", "add", "--camera", "cho", "--from", from, "--to", to, "--request", "CV 12/2026", "--officer", "Cán bộ A", "--json", ...more);

test("a hold is told, listed and kept from rotation until it is lifted, and each is in the audit", async () => {
  const added = await add();
  expect([added.code, added.stderr]).toEqual([0, ""]);
  const hold = JSON.parse(added.stdout);
  expect(hold).toEqual({
    ...{
      id: 1,
      camera: "cho",
      from: "2026-11-24T01:05:00.000Z",
      to: "2026-11-24T01:10:00.000Z",
      request: "CV 12/2026",
      officer: "Cán bộ A",
    },
    ...{ since: expect.stringMatching(/Z$/), bytes: 5_000, until: null },
  });
  expect(JSON.parse((await run("hold", "list", "--json")).stdout)).toEqual({ holds: [hold] });
  const numbers = () => withStore((store) => store.oldest(100).map(({ number }) => number));
  expect(numbers()).toEqual([0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  // A sweep that chose before the hold came dooms nothing of it.
  withStore((store) => {
    const ids = store.segments(100).map(({ id }) => id);
    store.commit([{ put: "doom", segments: ids, why: "age", at: beganAt }]);
    expect(store.doomedOf(ids).size).toBe(15);
    expect(store.segments(100).map(({ number }) => number)).toEqual([5, 6, 7, 8, 9]);
  });
  const lifted = await run("hold", "lift", "1", "--officer", "Cán bộ B", "--reason", "xong việc", "--json");
  expect([lifted.code, JSON.parse(lifted.stdout).id]).toEqual([0, 1]);
  expect(JSON.parse((await run("hold", "list", "--json")).stdout)).toEqual({ holds: [] });
  expect(numbers()).toEqual([5, 6, 7, 8, 9]);
  expect(readAudit(state()).map(({ what, data }) => [what, data.officer])).toEqual([
    ["hold.added", "Cán bộ A"],
    ["hold.lifted", "Cán bộ B"],
  ]);
  // Free text may hold a name: it stays in the audit, and the station is told that the hold is gone.
  const told = (await run("events", "--type", "hold.lifted", "--json")).stdout;
  expect(told).toContain('"type":"hold.lifted"');
  expect(told).not.toContain("xong việc");
  expect((await run("audit", "--json")).stdout).toContain("xong việc");
  const text = await run("audit");
  expect(text.stdout).toMatch(/giữ hình {2}camera: cho;.*\n.*thôi giữ hình .*reason: xong việc/);
});

test("a hold may reach into the future, and what comes then is held", async () => {
  expect((await add("2026-11-24T08:15", "2030-01-01T00:00")).code).toBe(0);
  withStore((store) => {
    store.commit([{ put: "segment", segment: segment(1, 40) }]);
    expect(store.oldest(100).map(({ number }) => number)).toEqual(Array.from({ length: 15 }, (_, i) => i));
  });
});

test("a hold may ask to be looked at again; it is not over then", async () => {
  const told = await add(undefined, undefined, ["--until", "2099-12-31"]);
  expect(JSON.parse(told.stdout).until).toBe("2099-12-31T17:00:00.000Z");
  expect((await run("hold", "list")).stdout).toContain("nhắc lại lúc 00:00:00 01/01/2100");
  for (const [until, text] of [
    ["2020-01-01", /is past/],
    ["soon", /--until soon: not a time/],
  ] as const) {
    const answer = await add(undefined, undefined, ["--until", until]);
    expect([answer.code, answer.stdout]).toEqual([2, ""]);
    expect(answer.stderr).toMatch(text);
  }
});

test("when the clock turns out to have been wrong, the time that was meant is held, and what was held stays so", async () => {
  await add();
  withStore((store) => {
    // The box was ten minutes slow: what reads 08:05 now was recorded as 07:55, before the first file.
    store.commit([{ put: "clock-step", at: beganAt, offsetMs: -10 * minute, clock: "synced" }]);
    widenHolds(store, makeDating(store.boots()));
    expect(store.oldest(100).map(({ number }) => number)).toEqual([0, 1, 2, 3, 4]);
  });
});

test.each([
  [["hold", "add", "--camera", "cho", "--from", "08:00", "--to", "09:00", "--request", "x"], 2, /--officer/],
  [["hold", "add", "--camera", "cho", "--from", "09:00", "--to", "08:00", "--request", "x", "--officer", "y"], 2, /swap them/],
  [["hold", "add", "--camera", "cho", "--from", "08:00", "--to", "08:00", "--request", "x", "--officer", "y"], 2, /give a later --to/],
  [["hold", "add", "--camera", "cho", "--from", "x", "--to", "08:00", "--request", "x", "--officer", "y"], 2, /--from x: not a time/],
  [
    ["hold", "add", "--camera", "none", "--from", "08:00", "--to", "09:00", "--request", "x", "--officer", "y"],
    3,
    /no camera none; there are: cho/,
  ],
  [["hold", "add", "--camera", "cho", "--from", "08:00", "--to", "09:00", "--request", "  ", "--officer", "y"], 2, /--request is empty/],
  [["hold", "add", "--camera", "cho", "--from", "08:00", "--to", "09:00", "--request", "a\nb", "--officer", "y"], 2, /line break/],
  [["hold", "lift", "7", "--officer", "x", "--reason", "y"], 3, /no hold 7; there is none/],
  [["hold", "lift", "7\n8\u001b[2J", "--officer", "x", "--reason", "y"], 3, /no hold 7\ufffd8\ufffd\[2J; there is none/],
  [["hold", "lift", "7", "--officer", "x"], 2, /--reason/],
  [["hold", "keep"], 2, /unknown command/],
  [["audit", "--chek"], 2, /unknown option/],
  [["audit", "--\u001b[2J"], 2, /unknown option '--\ufffd\[2J'/],
] as const)("%j is refused with one line", async (args, code, text) => {
  const answer = await run(...args);
  expect([answer.code, answer.stdout]).toEqual([code, ""]);
  expect(answer.stderr).toMatch(text);
  expect(answer.stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("a group of commands alone is wrong use, and shows which there are", async () => {
  expect(await run("hold")).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/lift/) });
});

test("odd text is text like any other", async () => {
  const odd = `../../x "'; DROP TABLE hold; -- <b>&amp;</b> $(id) %s`;
  const answer = await run(
    "hold",
    "add",
    "--camera",
    "cho",
    "--from",
    "2026-11-24T08:05",
    "--to",
    "2026-11-24T08:06",
    "--request",
    odd,
    "--officer",
    odd,
    "--json",
  );
  expect(JSON.parse(answer.stdout)).toMatchObject({ request: odd, officer: odd });
  expect((await run("audit", "--check")).code).toBe(0);
});

test("times for people are Vietnamese, also in what audit and journal know besides", async () => {
  await add();
  const sentence = /08:05:00 24\/11\/2026.*08:10:00 24\/11\/2026/;
  for (const command of ["audit", "events"]) {
    const { stdout } = await run(command);
    expect(stdout).toMatch(sentence);
    expect(stdout).not.toMatch(/\dT\d\d:\d\d/);
    expect((await run(command, "--json")).stdout).toContain("2026-11-24T01:05:00.000Z");
  }
});

test("where nothing has been recorded yet, a machine is told so with nothing on standard output", async () => {
  const file = writeSite({ folder: tempFolder("hold"), cameras: [`id: cho, url: "rtsp://127.0.0.1:9/"`] });
  for (const command of ["status", "gaps", "events", "audit"])
    expect(await matghi([command, "--json", "--config", file])).toMatchObject({
      ...{ code: 3, stdout: "", stderr: expect.stringContaining("nothing has been recorded") },
    });
});

describe("the audit's chain", () => {
  const file = () => join(state(), "audit.log");
  beforeEach(async () => {
    for (let i = 0; i < 5; i += 1)
      withStore((store) => store.audit({ at: "2026-11-24T01:00:00.000Z", clock: "synced", what: "hold.added", data: { n: i } }));
  });
  const check = async () => {
    const answer = await run("audit", "--check", "--json");
    return {
      ...answer,
      body: JSON.parse(answer.stdout) as { result: string; entries: number; problems: { line: number; what: string }[] },
    };
  };
  const rewrite = (change: (lines: string[]) => readonly string[]) =>
    writeFileSync(
      file(),
      change(readFileSync(file(), "utf8").trimEnd().split("\n"))
        .map((line) => `${line}\n`)
        .join(""),
    );

  test("is whole as it was written, in a file for the agent alone", async () => {
    expect(await check()).toMatchObject({ code: 0, body: { result: "whole", entries: 5, problems: [] } });
    expect(statSync(file()).mode & 0o137).toBe(0);
  });

  test.each([
    ["altered", (lines: string[]) => lines.map((line, i) => (i === 2 ? line.replace('"n":2', '"n":9') : line)), 3, "altered"],
    ["removed", (lines: string[]) => lines.filter((_, i) => i !== 2), 3, "not in its place"],
    ["reordered", ([a = "", b = "", ...rest]: string[]) => [b, a, ...rest], 1, "not in its place"],
    ["cut short", (lines: string[]) => lines.slice(0, 3), 4, "entries are missing at the end"],
    ["emptied", () => [], 1, "entries are missing at the end"],
    ["garbage", (lines: string[]) => lines.map((line, i) => (i === 1 ? "{" : line)), 2, "unreadable"],
  ] as const)("an entry %s is found and named", async (_, change, line, what) => {
    rewrite(change);
    const { code, body } = await check();
    expect([code, body.result]).toEqual([1, "broken"]);
    expect(body.problems).toContainEqual({ line, what });
  });

  test("any changed bit is found", () => {
    const whole = readFileSync(file());
    fc.assert(
      fc.property(fc.nat(whole.length * 8 - 1), (bit) => {
        const bytes = Buffer.from(whole);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        writeFileSync(file(), bytes);
        const noted = withStore((store) => store.meta("audit"));
        expect(checkAuditOf(state(), noted).problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 150 },
    );
  });

  test("a line that the power tore stays, is named, and the chain goes on behind it", async () => {
    appendFileSync(file(), '{"n":6,"at":"2026');
    withStore((store) => store.audit({ at: "2026-11-24T02:00:00.000Z", clock: "synced", what: "signed", data: {} }));
    const { body } = await check();
    expect(body).toMatchObject({ result: "broken", entries: 6, problems: [{ line: 6, what: "unreadable" }] });
  });
});
