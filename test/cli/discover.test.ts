/** `matghi discover` as others see it: on the loopback with simulated cameras, and on a box with two lines (needs root). */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../agent/config.ts";
import { type Answer, matghi, writeSecret, writeSite } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { makeNetwork } from "../lib/netns.ts";
import { startOnvif } from "../lib/onvif.ts";
import { replyOf, scopesOf, startResponder, startResponderInside } from "../lib/responder.ts";
import { description, startRtspInside } from "../lib/rtsp.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("discover");
const credential = { username: "admin", password: "s3cret&<pass>" };
/** There is none: the command does without. */
const nowhere = join(folder, "none/site.yaml");
let passwordFile = "";
const ends: (() => Promise<void> | void)[] = [];

beforeAll(() => {
  passwordFile = writeSecret(folder, "password", credential.password);
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const discover = (args: readonly string[], config = nowhere) => matghi(["discover", ...args, "--config", config]);
const login = () => ["--username", credential.username, "--password-file", passwordFile];

/** Two makes on the loopback, found by one reply; the second has another password. */
async function twoCameras() {
  const first = await startOnvif("hikvision", { clockOffsetMs: -2 * 3_600_000 });
  const second = await startOnvif("dahua", { credential: { ...credential, password: "another" } });
  const shown = [first, second].map(({ xaddr }, n) => ({
    ...{ endpoint: `urn:uuid:${n}`, xaddrs: xaddr },
    scopes: n === 0 ? scopesOf("HIKVISION%20DS-2CD2143G2-I", "DS-2CD2143G2-I") : scopesOf("Dahua", "IPC-HFW2431S"),
  }));
  const responder = await startResponder({ address: "127.0.0.1", replies: [replyOf(...shown)], type: null });
  ends.push(first.stop, second.stop, responder.stop);
  return { first, second };
}

describe("two cameras on the loopback", () => {
  test("--json has every field of the contract", async () => {
    const { first, second } = await twoCameras();
    const answer = await discover(["--interface", "lo", "--json", ...login()]);
    expect([answer.code, answer.stderr]).toEqual([0, ""]);
    const { devices } = JSON.parse(answer.stdout) as { devices: Record<string, unknown>[] };
    const [one, two] = [first, second].map(({ xaddr }) => devices.find((device) => device.xaddr === xaddr));
    expect(devices).toHaveLength(2);
    expect(one).toEqual({
      ...{ address: "127.0.0.1", xaddr: first.xaddr, make: "HIKVISION", model: "DS-2CD2143G2-I", firmware: "V5.7.3 build 220112" },
      ...{ serial: first.facts.serial, mac: "2c:a5:9c:01:02:03", clockOffsetMs: expect.any(Number), problem: null },
      profiles: first.facts.profiles.map(({ token, codec, width, height, fps }, n) => ({
        ...{ token, codec: codec.toLowerCase(), width, height, fps, url: first.facts.stream("127.0.0.1", n) },
      })),
    });
    expect(Math.abs(Number(one?.clockOffsetMs) + 2 * 3_600_000)).toBeLessThan(10_000);
    expect(two).toEqual({
      ...{ address: "127.0.0.1", xaddr: second.xaddr, make: "Dahua", model: "IPC-HFW2431S", firmware: null, serial: null, mac: null },
      ...{ clockOffsetMs: null, profiles: [], problem: "password" },
    });
    expect(answer.stdout).not.toContain(credential.password);
  });

  test("the table says in Vietnamese what they are and what to do", async () => {
    await twoCameras();
    const answer = await discover(["--interface", "lo", ...login()]);
    expect([answer.code, answer.stderr]).toEqual([0, ""]);
    expect(answer.stdout).toMatch(/^Tìm thấy 2 camera:\n {2}Địa chỉ +Hãng, kiểu máy +Phiên bản +MAC +Đồng hồ +Luồng hình\n/);
    expect(answer.stdout).toMatch(
      /127\.0\.0\.1 {2}HIKVISION DS-2CD2143G2-I +V5\.7\.3 build 220112 +2c:a5:9c:01:02:03 +chậm 2 giờ.* h265 2688x1520 25\/s, h264 640x360 13\/s/,
    );
    expect(answer.stdout).toMatch(/Dahua IPC-HFW2431S.*\n +! camera cần đăng nhập/);
    expect(answer.stdout).toMatch(/--yaml/);
    expect(answer.stdout).not.toMatch(/undefined|null|NaN|s3cret/);
  });

  test("the block of --yaml is taken by check-config, beside the cameras that are there", async () => {
    await twoCameras();
    const config = writeSite({ folder, cameras: ["id: hikvision-ds-2cd2143g2-i-1, url: rtsp://127.0.0.1/x"], site: "language: en" });
    const answer = await discover(["--interface", "lo", "--yaml", ...login()], config);
    expect([answer.code, answer.stderr]).toEqual([0, ""]);
    expect(answer.stdout).toMatch(/^# Write the password into each passwordFile/);
    const whole = join(folder, "whole.yaml");
    const entries = answer.stdout.split("cameras:\n")[1] ?? "";
    writeFileSync(whole, `${readFileSync(config, "utf8")}${entries}`);
    mkdirSync(join(folder, "secrets"), { recursive: true });
    for (const [, file = ""] of entries.matchAll(/secrets\/([a-z0-9-]+)"/g)) writeSecret(join(folder, "secrets"), file, "x");
    expect((await matghi(["check-config", "--config", whole])).code).toBe(0);
    const loaded = loadConfig(whole);
    const cameras = loaded.kind === "good" ? loaded.settings.cameras : [];
    expect(cameras.map(({ id, fallback }) => [id, fallback !== undefined])).toEqual([
      ["hikvision-ds-2cd2143g2-i-1", false],
      ["hikvision-ds-2cd2143g2-i-0-1", true],
      ["dahua-ipc-hfw2431s-1", false],
    ]);
  });
});

test("nobody there is told with 3 and the next step", async () => {
  const json = await discover(["--interface", "lo", "--json"]);
  expect([json.code, JSON.parse(json.stdout)]).toEqual([3, { devices: [], remarks: [] }]);
  const text = await discover(["--interface", "lo"]);
  expect(text).toMatchObject({ code: 3, stderr: "no camera answered on lo; try --knock, for cameras that answer no search\n" });
  expect(await discover(["--interface", "lo", "--yaml"])).toMatchObject({ code: 3, stdout: "" });
});

test.each([
  [["--interface", "none0"], /^--interface none0: not an interface that is up with an IPv4 address; there are: .*\blo\b/],
  [["--username", "admin"], /--username without --password-file; add --password-file FILE/],
  [["--password-file", "/x"], /--password-file without --username; add --username/],
  [["--username", "admin", "--password-file", "/none/x"], /--password-file \/none\/x: cannot be read \(ENOENT\); write/],
  [["--username", "admin", "--password-file", "/"], /--password-file \/: not a file; name a file/],
  [["--username", "admin", "--password-file", "/etc/passwd"], /others can read it; chmod 600/],
  [["--yaml", "--json"], /two forms; leave one/],
  [["--knocking"], /unknown option.*see matghi discover --help/],
  [["somewhere"], /too many arguments/],
] as const)("%j is answered with 2 and one line", async (args, text) => {
  const answer = await discover(args);
  expect(answer).toMatchObject({ code: 2, stdout: "" });
  expect(answer.stderr).toMatch(text);
  expect(answer.stderr.trim().split("\n")).toHaveLength(1);
});

const program = join(repository, "dist/agent/cli.js");
const runInside = (inside: readonly string[], args: readonly string[]): Promise<Answer> =>
  new Promise((resolve) => {
    const [command = "", ...rest] = [...inside, process.execPath, program, "discover", ...args, "--config", nowhere];
    execFile(command, rest, { timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });

/** A box whose default route goes one way while its cameras hang on the other line. */
function makeTwoLines() {
  const [box, cameras] = [`mg${process.pid}-two`, `mg${process.pid}-cam`];
  const ip = (...args: readonly string[]) => void execFileSync("ip", [...args], { stdio: ["ignore", "ignore", "pipe"] });
  const at = (space: string, ...args: readonly string[]) => ip("-n", space, ...args);
  for (const space of [box, cameras]) ip("netns", "add", space);
  ends.push(() => {
    for (const space of [box, cameras]) ip("netns", "delete", space);
  });
  for (const [name, ours, theirs] of [
    ["wan0", "10.80.0.2/24", "10.80.0.1/24"],
    ["lan0", "10.79.0.1/24", "10.79.0.2/24"],
  ] as const) {
    at(box, "link", "add", name, "type", "veth", "peer", "name", name, "netns", cameras);
    at(box, "addr", "add", ours, "dev", name);
    at(cameras, "addr", "add", theirs, "dev", name);
    for (const space of [box, cameras]) at(space, "link", "set", name, "up");
  }
  for (const space of [box, cameras]) at(space, "link", "set", "lo", "up");
  at(box, "route", "add", "default", "via", "10.80.0.1");
  const inside = (space: string) => ["ip", "netns", "exec", space];
  return { box: inside(box), cameras: inside(cameras) };
}

test("cameras that do not hang on the default route are found, with their MAC; nobody is found on the other line", async () => {
  const { box, cameras } = makeTwoLines();
  const shown = {
    endpoint: "urn:uuid:1",
    scopes: scopesOf("TP-Link", "VIGI%20C340"),
    xaddrs: "http://[fe80::1]/onvif http://10.79.0.2/onvif",
  };
  const responder = await startResponderInside(cameras, { address: "10.79.0.2", replies: [replyOf(shown)], type: null });
  ends.push(responder.stop);
  const answer = await runInside(box, ["--json"]);
  expect(answer.code).toBe(0);
  expect(JSON.parse(answer.stdout)).toEqual({
    devices: [
      {
        ...{ address: "10.79.0.2", xaddr: "http://10.79.0.2/onvif", make: "TP-Link", model: "VIGI C340", serial: null, firmware: null },
        ...{ mac: expect.stringMatching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/), clockOffsetMs: null, profiles: [], problem: "refused" },
      },
    ],
    remarks: ["ipv6 http://[fe80::1]/onvif"],
  });
  expect((await runInside(box, ["--interface", "wan0"])).code).toBe(3);
  const wrong = await runInside(box, ["--interface", "eth7"]);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/there are: .*wan0/) });
});

test("a camera without ONVIF is found by its open port, with the stream at its make's usual address", async () => {
  const network = makeNetwork(5);
  ends.push(network.remove);
  const streams = {
    "/stream1": description("H264", ["a=x-dimensions:2304,1296"]),
    "/stream2": description("H264", ["a=x-dimensions:640,360"]),
  };
  const server = { server: "TP-LINK Streaming Media v2015.05.12", login: "md5-qop", ...credential, streams } as const;
  ends.push(await startRtspInside(network.inside, server, { address: "127.0.0.1", port: 8554 }));
  const unasked = await runInside(network.inside, ["--interface", "lo"]);
  expect(unasked).toMatchObject({ code: 3, stderr: expect.stringContaining("--knock") });
  const answer = await runInside(network.inside, ["--interface", "lo", "--knock", "--json", ...login()]);
  expect(answer.code).toBe(0);
  const url = (n: number) => `rtsp://127.0.0.1:8554/stream${n}`;
  expect(JSON.parse(answer.stdout)).toMatchObject({
    devices: [
      {
        ...{ address: "127.0.0.1", xaddr: null, make: null, problem: null },
        profiles: [
          { token: "main", codec: "h264", width: 2304, height: 1296, url: url(1) },
          { token: "sub", width: 640, url: url(2) },
        ],
      },
    ],
  });
  const block = await runInside(network.inside, ["--interface", "lo", "--knock", "--yaml", ...login()]);
  expect(block.stdout).toContain(`url: "${url(1)}"`);
  expect(block.stdout).toContain(`fallback: "${url(2)}"`);
  const refused = await runInside(network.inside, ["--interface", "lo", "--knock"]);
  expect(refused.stdout).toMatch(/! camera cần đăng nhập/);
});
