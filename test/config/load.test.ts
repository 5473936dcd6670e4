/** What a configuration may say, and every way in which it is refused: with its place and its cure. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { groupsOf, surroundings } from "../../agent/config/rules.ts";
import { formatProblem, loadConfig } from "../../agent/config.ts";
import { matghi } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("config");
mkdirSync(join(folder, "secrets"));
const secret = join(folder, "secrets/camera");
writeFileSync(secret, "mat-khau\n", { mode: 0o600 });
let files = 0;

const site = `site: { id: an-dai-1, commune: nghia-phuong, name: Thôn An Đại 1, state: ${folder}/state, language: en }`;
const recording = `recording: { folder: ${folder}/footage, allowSystemDisk: true, limit: { free: 0B } }`;
const cameras = "cameras: [ { id: cam1, url: rtsp://192.168.1.20/1 } ]";
const good = [site, recording, cameras];

function write(lines: readonly string[] | Buffer): string {
  files += 1;
  const file = join(folder, `site-${files}.yaml`);
  writeFileSync(file, Buffer.isBuffer(lines) ? lines : `${lines.join("\n")}\n`);
  return file;
}

/** `LINE:COL: path: message, cure` of every problem. */
function problemsOf(lines: readonly string[] | Buffer): readonly string[] {
  const file = write(lines);
  const loaded = loadConfig(file);
  return loaded.kind === "good" ? [] : loaded.problems.map((problem) => formatProblem(file, problem).slice(file.length + 1));
}
const withCamera = (text: string) => [site, recording, `cameras: [ { id: cam1, url: rtsp://192.168.1.20/1, ${text} } ]`];
const withStation = (text: string) => [...good, `station: { ${text} }`];
const withRecording = (text: string) => [site, `recording: { folder: ${folder}/footage, allowSystemDisk: true, ${text} }`, cameras];

test("the smallest configuration has every default", () => {
  const loaded = loadConfig(write(good));
  if (loaded.kind === "bad") throw new Error(loaded.problems.map(({ message }) => message).join());
  expect(loaded.settings).toMatchObject({
    recording: {
      segment: 60_000,
      sync: 1_000,
      audio: false,
      keep: { min: 7 * 86_400_000, max: 30 * 86_400_000, rule: "" },
      limit: { size: null },
    },
    cameras: [{ id: "cam1", kind: 2, priority: false, transport: "auto", planned: [] }],
    power: { driver: "auto" },
    link: { driver: "auto" },
    clock: { driver: "auto" },
    households: [],
  });
  expect(Object.isFrozen(loaded.settings.cameras[0])).toBe(true);
});

test("what is kept at least follows a shorter most, unless it is written", () => {
  const keepOf = (text: string) => {
    const loaded = loadConfig(write(withRecording(text)));
    return loaded.kind === "good" ? loaded.settings.recording.keep : loaded.problems;
  };
  expect(keepOf("keep: { max: 1d }")).toEqual({ min: 86_400_000, max: 86_400_000, rule: "" });
  expect(keepOf("keep: { max: 10d }")).toMatchObject({ min: 7 * 86_400_000 });
  expect(keepOf("keep: { min: 0s, max: 1d }")).toMatchObject({ min: 0 });
});

test("every key of the contract is accepted, also those whose driver comes later", () => {
  const text = `
site:
  { id: an-dai-1, commune: nghia-phuong, name: Thôn An Đại 1, state: ${folder}/state, language: vi, household: ho-03 }
report:
  { unit: Công an xã Nghĩa Phương, areaWord: thôn, rule: "Quy chế số 1", recipients: [ "Lưu: VT" ], dutyPhone: "0123" }
station:
  url: mqtts://tram:8883
  ca: ${secret}
  cert: ${secret}
  key: ${secret}
  holds: { days: 30, size: 50GB }
recording:
  folder: ${folder}/footage
  allowSystemDisk: true
  segment: 60s
  sync: 1s
  keep: { min: 7d, max: 30d, rule: "" }
  limit: { size: 400GB, free: 5GB }
  audio: false
cameras:
  - id: ql1a-01
    name: Quốc lộ 1A – Ngã ba chợ Tre
    group: Quốc lộ 1A
    kind: 2
    priority: true
    household: ho-07
    since: 2026-01-05
    url: rtsp://192.168.1.20:554/Streaming/Channels/101
    fallback: rtsp://192.168.1.20:554/Streaming/Channels/102
    transport: auto
    onvif: http://192.168.1.20/onvif/device_service
    username: agent
    passwordFile: ${secret}
    planned: [ { from: 2026-02-01T00:00+07:00, to: 2026-02-01T06:00+07:00, why: thay nguồn } ]
  - id: ho-kd-12
    name: Cửa hàng số 12
    kind: 1
    manual: { checked: 2026-01-10, keeps: 7d }
households:
  - { id: ho-07, router: 192.168.1.1, reach: lan }
  - { id: ho-03 }
power: { driver: file, path: /run/matghi/power }
link: { driver: auto }
clock: { driver: script, offset: /run/matghi/offset }`;
  expect(problemsOf(text.split("\n"))).toEqual([]);
});

describe("is refused with its place and what would be right:", () => {
  test.each<readonly [string, readonly string[] | Buffer, readonly (string | RegExp)[]]>([
    [
      "an unknown key with a near one",
      [site, recording, "cameras: [ { id: cam1, ulr: rtsp://h/1 } ]"],
      ["3:24: cameras[0].ulr: unknown key ulr, did you mean url?"],
    ],
    ["an unknown section", [...good, "camras: []"], ["4:1: camras: unknown key camras, did you mean cameras?"]],
    [
      "duplicate ids",
      [site, recording, "cameras:", "  - { id: cam1, url: rtsp://h/1 }", "  - { id: cam1, url: rtsp://h/2 }"],
      [/^5:11: cameras\[1\]\.id: id cam1 stands twice/],
    ],
    ["a number as a duration", withRecording("segment: 60"), [/^2:.*recording\.segment: not a duration, .*5s–10min/]],
    ["a segment too short", withRecording("segment: 4s"), [/recording\.segment: out of range, 5s–10min/]],
    ["a size without a unit", withRecording("limit: { size: 400 }"), [/recording\.limit\.size: not a size/]],
    ["keep.min above keep.max, both written", withRecording("keep: { min: 6d, max: 5d }"), [/recording\.keep\.min: keep\.min is longer/]],
    ["keep.min above keep.max", withRecording("keep: { min: 31d }"), [/recording\.keep\.min: keep\.min is longer than keep\.max/]],
    [
      "a wrong scheme",
      withCamera("fallback: http://h/1"),
      [/cameras\[0\]\.fallback: not an address of the right kind, one that begins with rtsp:\/\/, rtsps:\/\//],
    ],
    [
      "a file as a stream",
      [site, recording, "cameras: [ { id: cam1, url: file:///etc/passwd } ]"],
      [/url: not an address of the right kind/],
    ],
    [
      "a credential in an address",
      [site, recording, "cameras: [ { id: cam1, url: rtsp://admin:x@h/1 } ]"],
      [/url: the address holds a user name or password, move them/],
    ],
    ["a space in an address", [site, recording, 'cameras: [ { id: cam1, url: "rtsp://h/1 2" } ]'], [/url: the address holds a space/]],
    [
      "a line break in an address",
      [site, recording, 'cameras: [ { id: cam1, url: "rtsp://h/1\\noption x y" } ]'],
      [/url: the address holds a space/],
    ],
    [
      "a backslash in an address",
      [site, recording, 'cameras: [ { id: cam1, url: "rtsp://h/\\\\x" } ]'],
      [/url: the address holds a space/],
    ],
    ["a plain broker", withStation("url: mqtt://tram:1883"), [/station\.url: a plain-text broker beyond this machine, use mqtts/]],
    ["a broker of another kind", withStation("url: http://tram"), [/station\.url: not an address of the right kind/]],
    ["half a login at the station", withStation("url: mqtts://tram, username: a"), [/username and passwordFile belong together/]],
    ["half a certificate", withStation(`url: mqtts://tram, cert: ${secret}`), [/cert and key belong together/]],
    [
      "a file that is not there",
      withStation("url: mqtts://tram, ca: /no/such/file"),
      [/station\.ca: the file is not there or cannot be read \(ENOENT\)/],
    ],
    ["half a login", withCamera("username: agent"), [/username and passwordFile belong together/]],
    ["a password file that is a folder", withCamera(`username: a, passwordFile: ${folder}`), [/not a regular file/]],
    ["an unknown household", withCamera("household: ho-99"), [/household ho-99 is not listed, add it under households/]],
    [
      "a stop that ends before it begins",
      withCamera("planned: [ { from: 2026-02-02, to: 2026-02-01, why: x } ]"),
      [/planned\[0\]\.to: the stop ends before it begins/],
    ],
    [
      "a camera without a stream",
      [site, recording, "cameras: [ { id: cam1 } ]"],
      [/^3:12: cameras\[0\]: camera without a stream, add url, onvif or manual/],
    ],
    [
      "the main stream as its own fallback",
      withCamera("fallback: rtsp://192.168.1.20:554/1"),
      [/fallback: fallback is the main stream itself, give the/],
    ],
    [
      "manual beside a fallback",
      [site, recording, "cameras: [ { id: cam1, manual: { checked: 2026-01-10 }, fallback: rtsp://h/2 } ]"],
      [/camera with both manual and a stream/],
    ],
    ["manual beside a stream", withCamera("manual: { checked: 2026-01-10 }"), [/camera with both manual and a stream/]],
    [
      "a file driver without its file",
      [...good, "power: { driver: file }", "link: { driver: script }", "clock: { driver: file, offset: /run/x }"],
      [
        "4:18: power.driver: the file driver has no file to read, add path, for instance path: /run/matghi/power",
        "5:17: link.driver: the script driver has no file to read, add path, for instance path: /run/matghi/link",
        "6:18: clock.driver: the file driver has no file to read, add path, for instance path: /run/matghi/clock",
      ],
    ],
    ["a shifted clock without its file", [...good, "clock: { driver: script, path: /run/x }"], [/^4:18: clock\.driver: .*add offset/]],
    [
      "a mains-sense input without its line",
      [...good, "power: { driver: gpio }"],
      [/^4:18: power\.driver: .*line, add line, for instance line: 17/],
    ],
    [
      "a gauge that cannot tell mains from battery",
      [...good, "power: { driver: i2c, gauge: max17040 }"],
      [/^4:18: power\.driver: only an ina219 .*, write gauge: ina219/],
    ],
    ["a sense that is no file driver's", [...good, "link: { driver: nut }"], [/^4:17: link\.driver: not one of the possible values/]],
    ["no camera", [site, recording, "cameras: []"], [/cameras: no camera, at least one/]],
    ["a missing section", [site, recording], [/cameras: missing/]],
    ["a missing name", ["site: { id: an-dai-1, commune: xa-mau, language: en }", recording, cameras], [/^1:7: site\.name: missing/]],
    [
      "an id in capitals",
      [site, recording, "cameras: [ { id: CAM, url: rtsp://h/1 } ]"],
      [/cameras\[0\]\.id: not a valid id, 2 to 32 of a-z, 0-9 and -/],
    ],
    [
      "nested folders",
      [site, `recording: { folder: ${folder}/state/footage, allowSystemDisk: true }`, cameras],
      [/state and footage folder lie inside one another/],
    ],
    [
      "footage on the system disk",
      [site, `recording: { folder: ${folder}/footage }`, cameras],
      [/recording\.folder: the folder is on the disk of the operating system/],
    ],
    ["a relative folder", [site, "recording: { folder: footage }", cameras], [/recording\.folder: not an absolute path/]],
    ["a word for a switch", withRecording("audio: nope"), [/recording\.audio: true or false is expected here/]],
    ["a list for a section", ["- a", "- b"], [/^1:1: /]],
    ["a word for it all", ["xin chào"], [/^1:1: /]],
    ["an empty file", [""], [/^1:1: /]],
    ["a key twice", [...good, "site: { id: x2 }"], ["4:1: a key stands twice in the same section, keep one of the two"]],
    ["a second document", [...good, "---", "site: {}"], [/^4:1: --- begins a second document, remove this line/]],
    [
      "a word that YAML takes for a tag",
      withCamera("name: !quan trọng"),
      [/^3:\d+: a word that begins with ! is a tag to YAML, put the text in quotes/],
    ],
    ["a key without its value", withRecording("segment: "), [/recording\.segment: not a duration, .*; here 5s–10min$/]],
    ["an odd short key", withCamera("<<: 1"), [/unknown key <<, remove it/]],
    ["a tab", ["site:", "\tid: x"], [/^2:1: YAML/]],
    ["not UTF-8", Buffer.from([0x73, 0xff, 0xfe]), [/^1:1: tệp không phải văn bản UTF-8/]],
    ["two megabytes", Buffer.alloc(2_000_000, 0x20), [/^1:1: tệp lớn hơn 1 MB/]],
    [
      "a bomb of aliases",
      [
        "a: &a [x,x,x,x,x,x,x,x,x,x]",
        "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]",
        "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]",
        "d: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]",
      ],
      [/^1:1: YAML/],
    ],
  ])("%s", (_, lines, expected) => {
    const found = problemsOf(lines);
    expect(found.length).toBeGreaterThan(0);
    for (const pattern of expected) expect(found).toContainEqual(typeof pattern === "string" ? pattern : expect.stringMatching(pattern));
  });

  test.each([0o644, 0o640, 0o604, 0o700])("a password file of mode %o", (mode) => {
    const file = join(folder, `open-${mode}`);
    writeFileSync(file, "x\n");
    chmodSync(file, mode);
    expect(problemsOf(withCamera(`username: a, passwordFile: ${file}`))).toContainEqual(
      expect.stringMatching(new RegExp(`password file can be read by others \\(mode 0${mode.toString(8)}\\), chmod 600 ${file}`)),
    );
  });

  test.each([
    ["empty", "\n"],
    ["of two lines", "a\nb\n"],
  ])("a password file that is %s", (_, text) => {
    const file = join(folder, "odd");
    writeFileSync(file, text, { mode: 0o600 });
    expect(problemsOf(withCamera(`username: a, passwordFile: ${file}`))[0]).toContain("is empty or has more than one line");
  });

  test("several mistakes at once, in the order of the file", () => {
    const found = problemsOf([
      site,
      recording.replace("limit", "segment: 1s, limit"),
      "cameras: [ { id: X, url: rtsp://h/1 }, { id: cam2, url: ftp://h } ]",
      "powr: {}",
    ]);
    expect(found.map((line) => line.split(":")[0])).toEqual(["2", "3", "3", "4"]);
  });

  test("in Vietnamese unless English is asked for", () => {
    expect(problemsOf([site.replace(", language: en", ""), recording, "cameras: [ { id: cam1, ulr: x } ]"])[0]).toContain(
      "khóa lạ ulr, có phải là url?",
    );
  });
});

describe("is accepted:", () => {
  test.each(["mqtt://localhost:1883", "mqtt://127.0.0.1", "mqtt://127.9.9.9:1", '"mqtt://[::1]:1883"', "mqtts://tram:8883"])(
    "a broker at %s",
    (url) => {
      expect(problemsOf(withStation(`url: ${url}`))).toEqual([]);
    },
  );
  test("a plain broker where it is allowed", () => {
    expect(problemsOf(withStation("url: mqtt://tram:1883, allowPlain: true"))).toEqual([]);
  });
  test.each([0o600, 0o400])("a password file of mode %o", (mode) => {
    chmodSync(secret, mode);
    expect(problemsOf(withCamera(`username: a, passwordFile: ${secret}`))).toEqual([]);
  });
  test("a limit above the disk's size, with a warning", () => {
    const loaded = loadConfig(write(withRecording("limit: { size: 900TB, free: 0B }")));
    expect(loaded).toMatchObject({ kind: "good", warnings: [{ path: "recording.limit.size", line: 2 }] });
  });
});

describe("whatever the file holds, loading never throws", () => {
  test("arbitrary text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: "binary" })), (text) => {
        const loaded = loadConfig(write([text]));
        expect(loaded.kind).toBe("bad");
      }),
      { numRuns: 200 },
    );
  });

  test("a good file with a piece cut out or put in", () => {
    const text = good.join("\n");
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 8 }), (at, length, piece) => {
        const loaded = loadConfig(write([text.slice(0, at) + piece + text.slice(at + length)]));
        if (loaded.kind === "bad")
          for (const { line, column, message, cure } of loaded.problems)
            expect([line >= 1, column >= 1, message !== "", cure !== ""]).toEqual([true, true, true, true]);
      }),
      { numRuns: 300 },
    );
  });
});

describe("check-config", () => {
  test("says that a good one is good, before and after the command's name", async () => {
    const file = write(good);
    for (const args of [
      ["check-config", "--config", file],
      ["--config", file, "check-config"],
    ])
      expect(await matghi(args)).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("an-dai-1") });
    expect(JSON.parse((await matghi(["--json", "check-config", "--config", file])).stdout)).toEqual({ ok: true, problems: [] });
    expect((await matghi(["check-config"], { MATGHI_CONFIG: file })).code).toBe(0);
    // Set to nothing, as an environment file leaves it, is not set.
    expect((await matghi(["check-config"], { MATGHI_CONFIG: "" })).stderr).not.toMatch(/^:1:1/);
  });

  test("says what is wrong with a bad one and ends with 2", async () => {
    const file = write([site, recording, "cameras: [ { id: cam1, ulr: rtsp://h/1 } ]"]);
    const text = await matghi(["check-config", "--config", file]);
    expect(text).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(`${file}:3:24: cameras[0].ulr: unknown key ulr, did you mean url?`),
    });
    const json = await matghi(["check-config", "--json", "--config", file]);
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([
        { line: 3, column: 24, path: "cameras[0].ulr", message: "unknown key ulr", cure: "did you mean url?" },
      ]),
    });
  });

  describe("run as root speaks for the agent's user, the owner of the state folder", () => {
    const user = 65_534;
    // Beside the others, which stand in a folder of root's alone.
    const box = mkdtempSync("/tmp/matghi-box-");
    afterAll(() => rmSync(box, { recursive: true }));
    const [config, secrets] = [join(box, "site.yaml"), join(box, "secrets")];
    const state = join(box, "state");
    const secretFile = join(secrets, "cam1");
    beforeEach(() => {
      for (const made of [state, secrets]) mkdirSync(made, { recursive: true });
      for (const made of [box, secrets]) chmodSync(made, 0o755);
      writeFileSync(secretFile, "mat-khau\n", { mode: 0o600 });
      for (const given of [state, secretFile]) chownSync(given, user, user);
      const lines = [
        `site: { id: an-dai-1, commune: nghia-phuong, name: x, language: en, state: ${state} }`,
        `recording: { folder: ${box}/footage, allowSystemDisk: true }`,
        `cameras: [ { id: cam1, url: rtsp://h/1, username: a, passwordFile: ${secretFile} } ]`,
      ];
      writeFileSync(config, lines.join("\n"));
      chmodSync(config, 0o644);
    });
    const found = () => {
      const loaded = loadConfig(config);
      return loaded.kind === "good" ? [] : loaded.problems.map((problem) => formatProblem(config, problem).slice(config.length + 1));
    };
    const warned = () => {
      const loaded = loadConfig(config);
      return loaded.kind === "good" ? loaded.warnings.map(({ path, message }) => `${path}: ${message}`) : loaded;
    };

    test("who may read all of it", () => {
      expect(found()).toEqual([]);
    });
    test("who may not read the configuration: of the one that is in use an error, of a draft a warning", () => {
      chmodSync(config, 0o600);
      expect(warned()).toEqual([`: the agent's user ${user} can perhaps not read ${config}`]);
      const loaded = loadConfig(config);
      if (loaded.kind !== "good") throw new Error("refused");
      expect(surroundings(loaded.settings, config, config).findings).toEqual([
        { path: [], key: "secret-owner", facts: { user: String(user), file: config } },
      ]);
    });
    test("who may be let in by an access list, which nobody can tell by the mode", () => {
      chownSync(secrets, 0, 4_321);
      chmodSync(secrets, 0o710);
      expect(warned()).toEqual([`cameras[0].passwordFile: the agent's user ${user} can perhaps not read ${secretFile}`]);
    });
    test("who may not read a password file", () => {
      chownSync(secretFile, 0, 0);
      expect(found()).toEqual([expect.stringMatching(/^3:.*passwordFile: the agent's user 65534 cannot read the file, chown/)]);
    });
    test("who may not pass a folder that leads to it", () => {
      chmodSync(secrets, 0o700);
      expect(found()).toEqual([
        expect.stringMatching(/^3:.*passwordFile: the agent's user 65534 cannot pass \S+secrets, let it in \(chgrp/),
      ]);
      chownSync(secrets, 0, user);
      chmodSync(secrets, 0o710);
      expect(found()).toEqual([]);
    });
  });

  test("a user's groups are the own one and those that name the user", () => {
    const passwd = ["root:x:0:0:root:/root:/bin/bash", "matghi:x:997:995::/var/lib/matghi:/bin/sh", ""];
    const group = ["root:x:0:", "ssl-cert:x:110:postgres,matghi", "video:x:44:matghi-x", "matghi:x:995:", ""];
    expect(groupsOf(997, passwd, group)).toEqual([995, 110]);
    expect(groupsOf(998, passwd, group)).toEqual([]);
  });

  test.each(["run", "status", "gaps"])("%s refuses a bad configuration alike", async (command) => {
    const answer = await matghi([command, "--config", join(folder, "none.yaml")]);
    expect(answer).toMatchObject({ code: 2, stdout: "" });
    expect(answer.stderr).toMatch(/none\.yaml:1:1: .*ENOENT/);
  });
});
