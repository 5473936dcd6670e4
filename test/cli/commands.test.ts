/** The commands as others see them: exit codes, JSON, one line for each mistake, a reloaded configuration. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Agent, ask, matghi, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, repository, startCameras } from "../lib/cameras.ts";
import { openFiles, recordersOf } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("cli");
const isoMs = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
let cameras: Cameras;
let config = "";
let agent: Agent;

const line = (id: string, mount = id) => `id: ${id}, name: Cổng ${id}, url: "${cameras.url(mount)}"`;
const site = (lines: readonly string[], more: readonly string[] = []) => writeSite({ folder, cameras: lines, more });

beforeAll(async () => {
  cameras = await startCameras({ count: 3, seconds: 300 });
  config = site([
    line("sub1"),
    line("sub2"),
    'id: off, url: "rtsp://127.0.0.1:1/x"',
    "id: ho-kd, kind: 1, manual: { checked: 2026-01-10 }",
  ]);
  agent = startAgent(config);
  await until("both cameras have a closed file", 40_000, async () => {
    const answers = await Promise.all(["sub1", "sub2"].map((id) => footage(id)));
    return answers.every(({ spans }) => spans.some((span) => span.kind === "footage" && (span.segments ?? 0) > 1));
  });
});
afterAll(async () => {
  await agent.stop();
  await cameras.stop();
});

type Span = { kind: string; from: string; to: string; segments?: number; cause?: string };
type Footage = {
  camera: string;
  answer: string;
  dueMs: number;
  recordedMs: number;
  unknownMs: number;
  deletedMs: number;
  spans: Span[];
  from: string;
  to: string;
};
const footage = async (id: string, from = "00:00", to = new Date(Date.now() + 3_600_000).toISOString()): Promise<Footage> => {
  const answer = await matghi(["footage", "--json", "--camera", id, "--from", from, "--to", to, "--config", config]);
  return answer.stdout === "" ? ({ spans: [] } as unknown as Footage) : (JSON.parse(answer.stdout) as Footage);
};
const gapMs = ({ spans }: Footage) =>
  spans.filter(({ kind }) => kind === "gap").reduce((sum, span) => sum + Date.parse(span.to) - Date.parse(span.from), 0);

describe("while the agent runs", () => {
  test("status has every field of the contract, worst camera first, and is fresh", async () => {
    const status = await ask<Record<string, never>>(config, ["status"]);
    expect(status).toMatchObject({
      site: "an-dai-1",
      version: expect.any(String),
      running: true,
      run: { boot: expect.stringMatching(/^[0-9a-f-]{36}\.\d+$/), startedAt: expect.stringMatching(isoMs) },
      power: {
        value: expect.stringMatching(/^(unsupported|unknown|mains|battery|low)$/),
        driver: expect.stringMatching(/^(none|nut|sysfs)$/),
      },
      link: { value: expect.stringMatching(/^(up|weak|down|unknown)$/), driver: "ladder" },
      clock: { value: expect.stringMatching(/^(synced|holdover|unset)$/), offsetMs: null },
      disk: { value: "ok", freeBytes: expect.any(Number), usedBytes: expect.any(Number) },
      station: { value: "none", unsent: expect.any(Number) },
      cameras: expect.any(Array),
      todo: expect.arrayContaining([
        {
          ...{ type: "camera", level: "broken", camera: "off", since: expect.stringMatching(isoMs) },
          ...{ text: expect.any(String), texts: { en: expect.any(String) } },
        },
      ]),
    });
    const rows = status.cameras as unknown as Record<string, unknown>[];
    expect(rows[0]).toMatchObject({ id: "off", state: "not-recording", lastFrameAt: null, recorded24h: null });
    const row = rows.find(({ id }) => id === "sub1");
    expect(row).toMatchObject({
      ...{
        state: "recording",
        why: null,
        since: expect.stringMatching(isoMs),
        stream: "main",
        picture: { value: "unknown", since: null, day: "unknown", night: "unknown" },
      },
      ...{ recorded24h: expect.any(Number), daysKept: expect.any(Number) },
    });
    // Its clock is asked for within the first minute; the simulated camera tells the machine's.
    expect(row).toHaveProperty("clockOffsetMs");
    expect(Math.abs((row?.clockOffsetMs as number | null) ?? 0)).toBeLessThan(5_000);
    expect(Date.now() - Date.parse(String(row?.lastFrameAt))).toBeLessThan(4_000);
    expect(rows.find(({ id }) => id === "ho-kd")).toMatchObject({ state: "unknown", why: "manual" });
  });

  test("status ends with 1 while something is broken, and says in Vietnamese what to do", async () => {
    const answer = await matghi(["status", "--config", config]);
    expect(answer).toMatchObject({ code: 1, stderr: "" });
    expect(answer.stdout).toMatch(/Việc cần làm:\n {2}! off: không ghi từ/);
    expect(answer.stdout).toMatch(/^Đường truyền: .* \(ladder\)$/m);
    expect(answer.stdout).not.toMatch(/undefined|null|NaN/);
  });

  test("footage adds up to the millisecond, half-open and without holes, also in the open file", async () => {
    for (let i = 0; i < 5; i += 1) {
      const found = await footage("sub1");
      expect(found.recordedMs + gapMs(found) + found.unknownMs + found.deletedMs).toBe(found.dueMs);
      for (const [n, span] of found.spans.entries()) {
        expect([span.from, span.to].every((at) => isoMs.test(at))).toBe(true);
        expect(span.from).toBe(found.spans[n - 1]?.to ?? span.from);
      }
      await sleep(700);
    }
  });

  test("the report adds up to the millisecond, also while recording", async () => {
    type Row = { id: string; dueMs: number; recordedMs: number; unknownMs: number; byCause: Record<string, { ms: number }> };
    for (let i = 0; i < 3; i += 1) {
      const { cameras: rows, total } = await ask<{ cameras: Row[]; total: Row }>(config, ["report", "--period", "last-24h"]);
      for (const row of [...rows, total])
        expect(row.recordedMs + Object.values(row.byCause).reduce((sum, { ms }) => sum + ms, 0) + row.unknownMs, row.id).toBe(row.dueMs);
      expect(rows.find(({ id }) => id === "sub1")?.recordedMs).toBeGreaterThan(5_000);
      expect(rows.find(({ id }) => id === "ho-kd")?.dueMs).toBe(0);
      await sleep(700);
    }
  });

  test("footage answers yes, partial and no with 0, 1 and 3", async () => {
    const whole = await footage("sub1");
    const [span] = whole.spans;
    const asked = async (from: string, to: string) =>
      matghi(["footage", "--json", "--camera", "sub1", "--from", from, "--to", to, "--config", config]);
    const begin = Date.parse(span?.from ?? "");
    const yes = await asked(new Date(begin + 500).toISOString(), new Date(begin + 3_000).toISOString());
    expect([yes.code, (JSON.parse(yes.stdout) as Footage).answer, (JSON.parse(yes.stdout) as Footage).recordedMs]).toEqual([
      0,
      "yes",
      2_500,
    ]);
    const partial = await asked(new Date(begin - 60_000).toISOString(), new Date(begin + 3_000).toISOString());
    expect([partial.code, (JSON.parse(partial.stdout) as Footage).answer]).toEqual([1, "partial"]);
    const no = await asked("2026-01-01", "2026-01-02");
    expect([no.code, (JSON.parse(no.stdout) as Footage).answer, (JSON.parse(no.stdout) as Footage).dueMs]).toEqual([3, "no", 0]);
  });

  test("events and gaps have the contract's fields", async () => {
    const { events } = await ask<{ events: Record<string, unknown>[] }>(config, ["events"]);
    for (const event of events)
      expect(event).toMatchObject({
        ...{
          v: 1,
          id: `${event.boot}-${event.seq}`,
          site: "an-dai-1",
          db: expect.any(String),
          g: expect.any(Number),
          at: expect.stringMatching(isoMs),
        },
        ...{
          clock: expect.any(String),
          monoMs: expect.any(Number),
          type: expect.any(String),
          level: expect.stringMatching(/^(info|warn|alarm)$/),
        },
        ...{ late: false, data: expect.any(Object) },
      });
    expect(events[0]?.type).toBe("run.started");
    const started = await ask<{ events: { type: string }[] }>(config, ["events", "--type", "run.started"]);
    expect(started.events.map(({ type }) => type)).toEqual(["run.started"]);
    expect(await ask<object>(config, ["gaps"])).toEqual({ gaps: expect.any(Array) });
  });

  test("events --follow goes on until it is stopped", async () => {
    const child = spawn(process.execPath, [join(repository, "dist/agent/cli.js"), "events", "--follow", "--json", "--config", config]);
    let text = "";
    child.stdout.on("data", (data: Buffer) => {
      text += data;
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    await until("the past is told", 10_000, () => text.includes("run.started"));
    for (const pid of recordersOf(join(folder, "footage/sub2"))) process.kill(pid, "SIGKILL");
    await until("the gap follows", 20_000, () => text.includes('"gap.closed"'));
    for (const row of text.trim().split("\n")) expect(JSON.parse(row)).toMatchObject({ v: 1 });
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });

  test("a reader that goes away is no error", async () => {
    const text = await new Promise<string>((resolve) => {
      const child = spawn("sh", ["-c", `${process.execPath} ${join(repository, "dist/agent/cli.js")} events --config ${config} | head -1`]);
      let seen = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (seen += data));
      child.once("close", () => resolve(seen));
    });
    expect(text.trim().split("\n")).toHaveLength(1);
    expect(text).toContain("run.started");
  });

  test("a second agent on the same state folder is refused", async () => {
    const answer = await matghi(["run", "--config", config]);
    expect(answer.code).toBe(1);
    expect(answer.stderr).toMatch(/another matghi runs on .*stop it first/);
  });

  test("a second agent with a state of its own on the same footage folder is refused, and touches nothing", async () => {
    const other = join(folder, "copied.yaml");
    writeFileSync(other, readFileSync(config, "utf8").replace(`${folder}/state`, `${folder}/copied-state`));
    const answer = await matghi(["run", "--config", other]);
    expect(answer.code).toBe(1);
    expect(answer.stderr).toMatch(/another matghi records into .*recording\.folder of its own/);
    expect(existsSync(join(folder, "copied-state", "matghi.db"))).toBe(false);
  });

  test.each([
    [["footage", "--from", "00:00", "--to", "01:00"], 2, /--camera/],
    [["footage", "--camera", "ghost", "--from", "00:00", "--to", "01:00"], 3, /no camera ghost; there are: .*sub1/],
    [["footage", "--camera", "sub1", "--from", "yesterday", "--to", "01:00"], 2, /--from yesterday: not a time; write/],
    [["footage", "--camera", "sub1", "--from", "02:00", "--to", "01:00"], 2, /--from is not before --to/],
    [["gaps", "--camera", "ghost"], 3, /no camera ghost/],
    [["gaps", "--to", "nope"], 2, /--to nope: not a time/],
    [["events", "--type", "nope"], 2, /--type nope: no such type; one of run\.started/],
    [["events", "--colour"], 2, /unknown option '--colour'.*see matghi events --help/],
    [["fotage"], 2, /unknown command 'fotage'.*/],
    [["status", "extra"], 2, /too many arguments/],
    [["adopt-disk"], 1, /in service already/],
  ] as const)("%j is answered with %i and one line", async (args, code, text) => {
    const answer = await matghi([...args, "--config", config]);
    expect(answer).toMatchObject({ code, stdout: "" });
    expect(answer.stderr).toMatch(text);
    expect(answer.stderr.trim().split("\n")).toHaveLength(1);
  });

  test("help is help", async () => {
    expect(await matghi(["--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("adopt-disk") });
    expect(await matghi(["footage", "--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("--camera") });
    expect((await matghi([])).code).toBe(2);
    expect((await matghi(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("a changed configuration", () => {
  const pidOf = (id: string) => recordersOf(join(folder, "footage", id))[0];

  test("a bad one changes nothing and is said", async () => {
    const good = readFileSync(config, "utf8");
    const pid = pidOf("sub1");
    writeFileSync(config, good.replace("id: sub2,", "id: sub2, colour: red,"));
    agent.reload();
    await until("it is said", 10_000, () => agent.log().includes("the changed configuration was refused"));
    writeFileSync(config, good);
    const status = await ask<{ todo: { text: string }[] }>(config, ["status"]);
    expect(status.todo.some(({ text }) => text.includes("colour"))).toBe(true);
    expect(pidOf("sub1")).toBe(pid);
    agent.reload();
    await until(
      "the cure is seen",
      10_000,
      async () => !(await ask<{ todo: { text: string }[] }>(config, ["status"])).todo.some(({ text }) => text.includes("colour")),
    );
  });

  test("only cameras that changed are restarted; one that left is still found, one that joins records", async () => {
    const pid = pidOf("sub1");
    site([line("sub1"), line("sub3")]);
    agent.reload();
    await until("the new one records", 15_000, () => openFiles(join(folder, "footage/sub3")).length > 0);
    await until("the old one has stopped", 10_000, () => pidOf("sub2") === undefined);
    expect(pidOf("sub1")).toBe(pid);
    const before = await footage("sub2");
    await sleep(3_000);
    const after = await footage("sub2");
    expect(after.dueMs, "its due time has ended").toBe(before.dueMs);
    expect(after.recordedMs).toBeGreaterThan(5_000);
    site([line("sub1"), line("sub2"), line("sub3")]);
    agent.reload();
    await until("it is back", 15_000, () => openFiles(join(folder, "footage/sub2")).length > 0);
    await sleep(7_000);
    const back = await footage("sub2");
    expect(back.spans.some(({ cause }) => cause === "planned")).toBe(true);
    expect(back.recordedMs + gapMs(back) - plannedMs(back) + back.unknownMs + back.deletedMs).toBe(back.dueMs);
  });
  const plannedMs = ({ spans }: Footage) =>
    spans.filter(({ cause }) => cause === "planned").reduce((sum, span) => sum + Date.parse(span.to) - Date.parse(span.from), 0);
});

describe("after a stop", () => {
  test("the agent ends with 0 within 10 s, says so, and what was recorded is found", async () => {
    const began = Date.now();
    expect(await agent.stop()).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
    const { events } = await ask<{ events: { type: string }[] }>(config, ["events"]);
    expect(events.slice(-3).map(({ type }) => type)).toContain("run.stopping");
    const status = await ask<{ running: boolean; todo: { text: string }[]; cameras: { state: string }[] }>(config, ["status"]);
    expect(status.running).toBe(false);
    expect(status.todo[0]?.text).toContain("systemctl start matghi");
    expect(status.cameras.every(({ state }) => state === "unknown")).toBe(true);
  });

  test("due time ends with the last sign of life, however late one asks", async () => {
    const first = await footage("sub1");
    await sleep(2_000);
    expect((await footage("sub1")).dueMs).toBe(first.dueMs);
    expect(first.recordedMs + gapMs(first) + first.unknownMs + first.deletedMs).toBe(first.dueMs);
    expect(first.dueMs - first.recordedMs - gapMs(first)).toBe(0);
  });

  test("no gap is said, not left blank", async () => {
    const answer = await matghi(["gaps", "--from", "2020-01-01", "--to", "2020-01-02", "--config", config]);
    expect(answer).toMatchObject({ code: 0, stdout: "Không có lần gián đoạn nào trong khoảng thời gian này.\n" });
  });

  test("a start without its disk says so in lines of the log and nothing else", async () => {
    renameSync(join(folder, "footage"), join(folder, "away"));
    mkdirSync(join(folder, "footage"));
    const senses = ["power", "link", "clock"].map((sense) => `${sense}: { driver: file, path: ${folder}/${sense} }`);
    site([line("sub1"), line("sub2")], senses);
    const blind = startAgent(config);
    await until("the log names the cure", 20_000, () => blind.log().includes("adopt-disk"));
    await sleep(1_000);
    expect(await blind.stop()).toBe(0);
    expect(readdirSync(join(folder, "footage"))).toEqual([]);
    const said = blind.log().trim().split("\n");
    expect(said.filter((text) => !text.startsWith("{"))).toEqual([]);
  });

  test("where nothing was ever recorded, that is said with the next step", async () => {
    const fresh = writeSite({ folder: tempFolder("fresh"), cameras: ['id: cam1, url: "rtsp://127.0.0.1:1/x"'] });
    for (const command of [["status"], ["gaps"], ["events"]]) {
      const answer = await matghi([...command, "--config", fresh]);
      expect(answer).toMatchObject({ code: 3, stderr: expect.stringMatching(/nothing has been recorded.*matghi run/) });
    }
  });
});
