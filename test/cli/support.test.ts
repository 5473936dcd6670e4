/** `matghi support`: all that a developer needs, and nothing that must not leave the box, over the unpacked archive. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { support } from "../../agent/cli/support.ts";
import { wordsIn } from "../../agent/core/words.ts";
import { schemaVersion } from "../../agent/store/migrations.ts";
import { makeMachine } from "../../hal/machine.ts";
import { type Agent, matghi, startAgent, until, writeSecret } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { filesUnder } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("support");
/** Of each kind one, where a site has it. */
const planted = {
  password: 'mật"khẩu/1x',
  stationPassword: "tram-bi-mat-77",
  person: "Nguyễn Văn Ất",
  house: "Nhà bà Lê Thị Bưởi",
  paper: "Công văn 4711/CSGT",
  place: "Tuyến liên thôn Gò Đình",
  stop: "chờ anh Phạm Út sửa điện",
  phones: ["0912 345 678", "+84 912345679", "02363.123.456"],
};
const phoneDigits = planted.phones.map((phone) => phone.replace(/\D/g, "").slice(-8));
let cameras: Cameras;
let agent: Agent;
let config: string;
let fromHere = 0;

/** A site with all that people write into it. */
function writeConfig(place: string, more = ""): string {
  mkdirSync(place, { recursive: true });
  const file = join(place, "site.yaml");
  const text = [
    `site: { id: an-dai-1, commune: nghia-phuong, name: "${planted.house}", state: ${place}/state }`,
    `report: { unit: Công an xã, areaWord: thôn, recipients: ["${planted.person} ${planted.phones[1]}"], dutyPhone: "${planted.phones[0]}" }`,
    `station: { url: "mqtt://127.0.0.1:1", username: an-dai-1, passwordFile: ${writeSecret(folder, "tram", planted.stationPassword)} }`,
    `recording: { folder: ${folder}/footage, allowSystemDisk: true, segment: 5s, limit: { free: 0B } }`,
    `# ${planted.person} giữ khóa nhà, gọi ${planted.phones[2]}`,
    "cameras:",
    `  - id: sub1`,
    `    name: "${planted.house} ${planted.phones[0]}"`,
    `    group: ${planted.place}`,
    `    household: ho-07`,
    `    url: "${cameras.url("sub1")}"`,
    `    username: agent`,
    `    passwordFile: ${writeSecret(folder, "sub1", planted.password)}`,
    `    planned: [ { from: 2026-01-01T00:00+07:00, to: 2026-01-01T06:00+07:00, why: ${planted.stop} } ]`,
    "  - { id: gone, since: 2026-01-01, url: 'rtsp://127.0.0.1:1/x' }",
    "households:",
    "  - { id: ho-07, router: 192.168.1.1 }",
    "power: { driver: none }",
    "link: { driver: none }",
  ];
  writeFileSync(file, `${text.join("\n")}\n${more}`);
  return file;
}

type Check = { readonly id: string; readonly level: string };
type Archive = { readonly raw: Buffer; readonly names: readonly string[]; text(name: string): string; json<T>(name: string): T };

/** Unpacks with the system's own tar. */
function unpack(file: string): Archive {
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const place = tempFolder("unpacked");
  execFileSync("tar", ["-xzf", file, "-C", place]);
  const names = filesUnder(place);
  const text = (name: string) => readFileSync(join(place, "matghi-support-an-dai-1", name), "utf8");
  for (const name of names) expect(statSync(join(place, name)).mode & 0o777, name).toBe(0o600);
  return { raw: gunzipSync(readFileSync(file)), names, text, json: (name) => JSON.parse(text(name)) };
}

/** Nothing planted is in it, in any form; no byte of footage, of the key, of the database. */
function expectClean({ raw, names }: Archive): void {
  const all = raw.toString("utf8");
  const { phones: _, ...texts } = planted;
  for (const text of Object.values(texts))
    for (const form of [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text), Buffer.from(text).toString("base64")])
      expect(all.includes(form), form).toBe(false);
  for (const part of ["Nguyễn Văn", "Lê Thị", "Phạm Út", "4711/CSGT", "hunter2", "geheim"]) expect(all.includes(part), part).toBe(false);
  const digits = all.replace(/[\s.()-]/g, "");
  for (const phone of phoneDigits) expect(digits.includes(phone), phone).toBe(false);
  expect(all).not.toMatch(/:\/\/[^\s/"]*@/);
  const key = readFileSync(join(folder, "state/key.pem"), "utf8").split("\n")[1] ?? "none";
  expect(all.includes(key) || all.includes("PRIVATE KEY")).toBe(false);
  expect(all.includes("SQLite format 3")).toBe(false);
  for (const file of filesUnder(join(folder, "footage")).filter((name) => name.endsWith(".mkv"))) {
    const bytes = readFileSync(join(folder, "footage", file));
    for (let at = 2_000; at + 24 < bytes.length; at += Math.ceil(bytes.length / 20))
      expect(raw.includes(bytes.subarray(at, at + 24))).toBe(false);
  }
  expect(names.length).toBeGreaterThan(15);
}

let archives = 0;
async function make(args: readonly string[] = [], of = config): Promise<Archive> {
  archives += 1;
  const file = join(folder, `support-${archives}.tar.gz`);
  const answer = await matghi(["support", "--out", file, "--config", of, ...args]);
  expect([answer.code, answer.stderr]).toEqual([0, ""]);
  expect(answer.stdout).toContain(file);
  return unpack(file);
}

beforeAll(async () => {
  cameras = await startCameras({ count: 1, seconds: 120, digest: `agent:${planted.password}` });
  config = writeConfig(folder);
  fromHere = Date.now();
  agent = startAgent(config);
  await until(
    "two files are closed",
    60_000,
    () => filesUnder(join(folder, "footage")).filter((file) => file.endsWith(".mkv")).length >= 2,
  );
  await until("the gap of the camera that is not there is open", 60_000, async () =>
    (await matghi(["gaps", "--json", "--config", config])).stdout.includes('"camera":"gone"'),
  );
  const iso = (at: number) => new Date(at).toISOString();
  const hold = ["hold", "add", "--camera", "sub1", "--from", iso(fromHere), "--to", iso(Date.now() + 1_000), "--config", config];
  expect((await matghi([...hold, "--request", planted.paper, "--officer", `${planted.person} ${planted.phones[2]}`])).code).toBe(0);
}, 120_000);
afterAll(async () => {
  await agent.stop();
  await cameras.stop();
});

test("beside the running agent: what is needed is there, what must stay is not", async () => {
  // A log in which everything was said that should not have been.
  const log = join(folder, "agent.log");
  const said = [
    `{"level":"warn","time":"2026-11-24T14:05:07.000Z","officer":"${planted.person}","bytes":84999000111,"msg":"rtsp://admin:hunter2@10.0.0.5/x"}`,
    `ffmpeg: rtsp://agent:${encodeURIComponent(planted.password)}@10.0.0.5/x: 401, ${planted.password}, password=geheim99`,
    `gọi ${planted.phones.join(" hoặc ")}: ${planted.house}, ${planted.paper}`,
    readFileSync(join(folder, "state/key.pem"), "utf8"),
  ];
  writeFileSync(log, said.join("\n"));
  const archive = await make(["--log", log]);
  expectClean(archive);

  const { text, json } = archive;
  expect(json<{ agent: string; node: string; ffmpeg: string }>("versions.json")).toMatchObject({
    ...{ agent: "0.1.0", node: process.version, ffmpeg: expect.any(String) },
  });
  expect(text("versions.json")).not.toContain("hostname");
  expect(text("config.yaml")).toMatch(
    /id: sub1[\s\S]*household: ho-07[\s\S]*url: "rtsp:\/\/127[\s\S]*planned: \[ \{ from: 2026-01-01T00:00\+07:00/,
  );
  expect(text("config.yaml").split("\n").length).toBe(readFileSync(config, "utf8").split("\n").length);
  expect(json("check-config.json")).toEqual({ ok: true, problems: [] });
  expect(json<{ running: boolean }>("status.json")).toMatchObject({
    site: "an-dai-1",
    running: true,
    cameras: [{ id: "gone" }, { id: "sub1" }],
  });
  const { checks } = json<{ checks: { id: string; level: string }[] }>("doctor.json");
  expect(checks.map(({ id }) => id)).toEqual(expect.arrayContaining(["service", "database", "disk", "station", "camera/sub1"]));
  const events = text("events.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { g: number; type: string });
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(["run.started", "hold.added", "gap.opened"]));
  expect(events.map(({ g }) => g)).toEqual(events.map((_, i) => i + 1));
  const gaps = text("gaps.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { cause: string; evidence: string[] });
  expect(gaps[0]).toMatchObject({ camera: "gone", cause: expect.any(String), from: expect.stringMatching(/Z$/) });
  const days = json<{ camera: string; files: number; bytes: number; torn: number }[]>("segments.json");
  const closed = filesUnder(join(folder, "footage")).filter((file) => file.endsWith(".mkv"));
  expect(days[0]).toMatchObject({ camera: "sub1", torn: expect.any(Number) });
  expect(days.reduce((sum, { files }) => sum + files, 0)).toBeGreaterThanOrEqual(1);
  expect(closed.length).toBeGreaterThanOrEqual(days.reduce((sum, { files }) => sum + files, 0));
  expect(json<{ camera: string; bytes: number }[]>("holds.json")[0]).toMatchObject({ camera: "sub1", bytes: expect.any(Number) });
  expect(json<{ problems: unknown[]; last: { what: string }[] }>("audit.json")).toMatchObject({
    problems: [],
    last: expect.arrayContaining([expect.objectContaining({ what: "hold.added" })]),
  });
  const database = json<{ integrity: unknown; rows: Record<string, number>; schema: string[]; pragmas: Record<string, unknown> }>(
    "database.json",
  );
  expect(database.integrity).toEqual([{ integrity_check: "ok" }]);
  expect(database.pragmas).toMatchObject({ user_version: schemaVersion, journal_mode: "wal" });
  expect(database.rows.segment).toBeGreaterThanOrEqual(1);
  expect(database.schema.join("\n")).toContain("CREATE TABLE segment");
  expect(text("state.json")).toContain("matghi.db-wal");
  expect(
    json<{ cameras: { camera: string; newest: unknown[] }[] }>("footage.json").cameras.find(({ camera }) => camera === "sub1"),
  ).toMatchObject({
    camera: "sub1",
    newest: expect.arrayContaining([expect.objectContaining({ bytes: expect.any(Number) })]),
  });
  expect(json<{ footageMount: { type: string } }>("machine.json").footageMount.type).toEqual(expect.any(String));
  expect(text("log.txt")).toContain('"bytes":84999000111');
  expect(text("log.txt")).toContain("rtsp://10.0.0.5/x: 401");
  expect(text("README.txt")).toContain("an-dai-1");
  const parts = json<{ name: string; error: string | null }[]>("parts.json");
  expect(parts.filter(({ error }) => error !== null)).toEqual([]);
  // What it says is that nothing is in it; what it weighs is little.
  expect(archive.raw.length).toBeLessThan(4 << 20);
});

test("a log that is not there is wrong use: it is named, and the archive is made with all the rest", async () => {
  const file = join(folder, "no-log.tar.gz");
  const answer = await matghi(["support", "--out", file, "--log", "/none/there.log", "--config", config]);
  expect([answer.code, answer.stderr]).toEqual([
    2,
    expect.stringMatching(/^--log \/none\/there\.log cannot be read, .*no-log.* lacks it; name a log/),
  ]);
  expect(answer.stdout).toContain("log.txt");
  const parts = unpack(file).json<{ name: string; error: string | null }[]>("parts.json");
  expect(parts.filter(({ error }) => error !== null)).toEqual([
    expect.objectContaining({ name: "log.txt", error: expect.stringContaining("ENOENT") }),
  ]);
});

test("the journal of the service, its unit and the kernel's log, without the machine's name", async () => {
  const script = (name: string, body: string) => {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const journalctl = script(
    "journalctl",
    `case "$1" in -k) echo "2026-11-24T14:05:07+0700 may-nha-ba-buoi kernel: ata1: error ${planted.phones[0]}";; *)
     echo "2026-11-24T14:05:07+0700 may-nha-ba-buoi systemd[1]: Started matghi.service"
     echo '2026-11-24T14:05:08+0700 may-nha-ba-buoi node[7]: {"level":"error","officer":"${planted.person}","n":84999000111,"msg":"${planted.stationPassword}"}';; esac`,
  );
  const systemctl = script(
    "systemctl",
    `case "$1" in show) echo NRestarts=3;; *) echo '[Service]'; echo 'Environment=X=${planted.stationPassword}';; esac`,
  );
  const file = join(folder, "journal.tar.gz");
  const printed: string[] = [];
  const context = {
    configFile: config,
    json: true,
    out: (text: string) => void printed.push(text),
    err: (text: string) => void printed.push(text),
  };
  expect(await support(context, { out: file }, new AbortController().signal, makeMachine("", { journalctl, systemctl }))).toBe(0);
  const archive = unpack(file);
  expectClean(archive);
  expect(archive.raw.includes("may-nha-ba-buoi")).toBe(false);
  expect(archive.text("journal.txt")).toBe(
    '2026-11-24T14:05:07+0700 systemd[1]: Started matghi.service\n2026-11-24T14:05:08+0700 node[7]: {"level":"error","officer":"***","n":84999000111,"msg":"***"}\n',
  );
  expect(archive.text("kernel.txt")).toBe("2026-11-24T14:05:07+0700 kernel: ata1: error ***\n");
  expect(archive.text("unit.txt")).toContain("NRestarts=3");
  expect(JSON.parse(printed[0] ?? "")).toMatchObject({ file, bytes: expect.any(Number), parts: expect.any(Array) });
});

test("a file that is there stays as it is; a place that is not is named; nothing half is left", async () => {
  const file = join(folder, "there.tar.gz");
  writeFileSync(file, "mine");
  const refused = await matghi(["support", "--out", file, "--config", config]);
  expect([refused.code, refused.stderr]).toEqual([2, `--out ${file} is there already; name another file\n`]);
  expect(readFileSync(file, "utf8")).toBe("mine");
  const nowhere = await matghi(["support", "--out", join(folder, "none/x.tar.gz"), "--config", config]);
  expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringMatching(/^--out .*ENOENT; choose a folder .*\n$/)]);
  expect((await matghi(["support", "--config", config])).code).toBe(2);
  expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
});

describe("with the agent down", () => {
  beforeAll(async () => {
    await agent.stop();
  });
  const lost = ({ json }: Archive) =>
    json<{ name: string; error: string | null }[]>("parts.json").flatMap(({ name, error }) => (error === null ? [] : [name]));

  test("all of it is there too", async () => {
    const archive = await make();
    expectClean(archive);
    expect(lost(archive)).toEqual([]);
    expect(archive.json<{ running: boolean }>("status.json").running).toBe(false);
  });

  test("a configuration that is no YAML, with a password written into it", async () => {
    const broken = writeConfig(
      join(folder, "broken"),
      `   bad: [ indent\n  "${planted.person}: geheim88\ncameras:\n  - { url: "rtsp://admin:hunter2@10.0.0.5/x", password: geheim77, passwordFile: geheim66 }\n`,
    );
    cpSync(join(folder, "state"), join(folder, "broken/state"), { recursive: true });
    const archive = await make([], broken);
    expectClean(archive);
    expect(lost(archive)).toEqual(["status.json", "doctor.json"]);
    expect(archive.json<{ problems: { line: number; code: string }[] }>("check-config.json")).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([{ line: expect.any(Number), column: expect.any(Number), code: "yaml" }]),
    });
    expect(archive.text("config.yaml")).toContain("id: sub1");
    expect(archive.text("events.jsonl")).toContain("run.started");
    expect(archive.json<{ rows: Record<string, number> }>("database.json").rows.segment).toBeGreaterThanOrEqual(1);
  });

  test("a database with rubbish in it; one that is all rubbish beside a configuration that says what is impossible", async () => {
    for (const [name, from] of [
      ["rubbish", 3],
      ["all-rubbish", 0],
    ] as const) {
      const place = join(folder, name);
      cpSync(join(folder, "state"), join(place, "state"), { recursive: true });
      const file = join(place, "state/matghi.db");
      const bytes = readFileSync(file);
      bytes.fill(0xa5, 4_096 * from, 4_096 * (from + 6));
      writeFileSync(file, bytes);
      const archive = await make([], writeConfig(place, from === 0 ? `colour: ${planted.person}\n` : ""));
      expectClean(archive);
      expect(archive.text("database.json")).toMatch(/malformed|not a database|integrity_check(?!": "ok)/);
      const parts = lost(archive);
      if (from === 0) expect(archive.text("check-config.json")).toContain("colour");
      else expect(archive.json<{ checks: Check[] }>("doctor.json").checks.find(({ id }) => id === "database")?.level).toBe("broken");
      expect(parts).toEqual(expect.arrayContaining(from === 0 ? ["status.json", "doctor.json", "events.jsonl"] : []));
      expect(archive.json<{ cameras: unknown[] }>("footage.json").cameras).toContainEqual(expect.objectContaining({ camera: "sub1" }));
    }
  });

  test("no configuration at all", async () => {
    const archive = join(folder, "bare.tar.gz");
    expect((await matghi(["support", "--out", archive, "--config", join(folder, "none.yaml")])).code).toBe(0);
    expect(existsSync(archive)).toBe(true);
  });
});

test("the words are there in both languages, with the same facts", () => {
  const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  const [vi, en] = [wordsIn("vi").support, wordsIn("en").support];
  for (const key of ["written", "missing", "readme"] as const) expect([key, holes(vi[key])]).toEqual([key, holes(en[key])]);
});
