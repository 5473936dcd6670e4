/** What `discover --yaml` prints is taken by the configuration's own loader. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cameraBlock } from "../../agent/config/block.ts";
import { loadConfig } from "../../agent/config.ts";
import { type FoundCamera, type FoundStream, streamsOf, usualStreams } from "../../agent/core/found.ts";
import { writeSecret, writeSite } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("block");
const secrets = join(folder, "secrets");
mkdirSync(secrets);
const stream = (url: string | null, width: number | null = null, height: number | null = null): FoundStream => ({
  ...{ token: "p", codec: "h264", width, height, fps: 25, url },
});
const camera = (more: Partial<FoundCamera> = {}): FoundCamera => ({
  ...{ address: "192.168.1.20", xaddr: "http://192.168.1.20/onvif/device_service", make: "HIKVISION", model: "DS-2CD2043G0-I" },
  ...{ serial: null, mac: null, firmware: null, clockOffsetMs: 0, profiles: [], problem: null },
  ...more,
});
const options = { language: "vi", username: "agent", secrets, taken: [] } as const;

/** The settings of the cameras, as the whole configuration has them. */
function load(block: string) {
  const file = writeSite({ folder, cameras: ["id: gone, url: rtsp://127.0.0.1/x"] });
  const head = readFileSync(file, "utf8").split("cameras:")[0] ?? "";
  writeFileSync(file, `${head}${block}\n`);
  for (const [, name = ""] of block.matchAll(/passwordFile: "[^"]*\/([a-z0-9-]+)"/g)) writeSecret(secrets, name, "x");
  const loaded = loadConfig(file);
  expect(loaded.kind === "bad" ? loaded.problems : [], block).toEqual([]);
  return loaded.kind === "good" ? loaded.settings.cameras : [];
}

test("a camera with two streams and a login", () => {
  const profiles = [
    stream("rtsp://192.168.1.20:554/Streaming/Channels/102", 640, 360),
    stream("rtsp://192.168.1.20:554/Streaming/Channels/101", 2560, 1440),
  ];
  expect(load(cameraBlock([camera({ profiles })], options))).toMatchObject([
    {
      ...{ id: "hikvision-ds-2cd2043g0-i-20", name: "HIKVISION DS-2CD2043G0-I (192.168.1.20)" },
      ...{ url: "rtsp://192.168.1.20:554/Streaming/Channels/101", fallback: "rtsp://192.168.1.20:554/Streaming/Channels/102" },
      ...{ onvif: "http://192.168.1.20/onvif/device_service", username: "agent" },
      passwordFile: join(secrets, "hikvision-ds-2cd2043g0-i-20"),
    },
  ]);
});

test("without a login none is written; without streams the ONVIF address stands alone, with the reason", () => {
  const block = cameraBlock([camera({ problem: "password" })], { ...options, username: null });
  expect(block).toMatch(/^ {2}# camera cần đăng nhập/m);
  const [found] = load(block);
  expect([found?.url, found?.username, found?.onvif]).toEqual([undefined, undefined, "http://192.168.1.20/onvif/device_service"]);
});

test("a camera of which no address is known is a remark; so is an address that the configuration refuses", () => {
  const lost = camera({ address: "192.168.1.30", xaddr: null, problem: "no-stream" });
  const spoken = camera({ xaddr: null, profiles: [stream("rtsp://192.168.1.20/user=admin&password=x&channel=1")] });
  const block = cameraBlock([lost, spoken], options);
  expect(block).toContain("cameras: []");
  expect(block).toMatch(/^ {2}# 192\.168\.1\.30: có trả lời ở cổng RTSP/m);
  expect(block).not.toContain("password=x");
  const both = load(cameraBlock([lost, camera(), camera({ address: "192.168.1.21" })], { ...options, language: "en" }));
  expect(both).toHaveLength(2);
});

test("ids are nobody else's: not of the configuration, nor of two cameras of one kind with the same ending", () => {
  const same = ["192.168.1.20", "192.168.2.20", "10.8.2.20", "192.168.1.20"].map((address) => camera({ address }));
  const ids = load(cameraBlock(same, { ...options, taken: ["hikvision-ds-2cd2043g0-i-20"] })).map(({ id }) => id);
  expect(ids).toEqual([
    "hikvision-ds-2cd2043g0-i-1-20",
    "hikvision-ds-2cd2043g0-i-2-20",
    "hikvision-ds-2cd2043g0-10-8-2-20",
    "hikvision-ds-2cd204-192-168-1-20",
  ]);
});

test("a recorder's streams are not taken for each other's smaller ones", () => {
  const profiles = [1, 2, 3, 4].map((n) => stream(`rtsp://192.168.1.20/${n}`, 640 * n, 360 * n));
  const block = cameraBlock([camera({ profiles })], options);
  expect(block).toMatch(/có 4 luồng hình/);
  expect(load(block)[0]?.fallback).toBeUndefined();
});

test("whatever cameras call themselves, the block is taken", () => {
  const text = fc.option(
    fc.oneof(
      fc.string({ maxLength: 60, unit: "grapheme" }),
      fc.constantFrom("Đầu ghi Thôn Ấp", '": {}\n- x', "---", "# a", "\u2028\u0007"),
    ),
  );
  const address = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.0.${a}.${b}`);
  const url = fc.option(
    fc.oneof(
      fc.webUrl(),
      fc.string(),
      fc.constantFrom("rtsp://10.0.0.1/a b", "rtsp://u:p@10.0.0.1/", "rtsp://10.0.0.1/ok", "http://10.0.0.1/x\\y"),
    ),
  );
  const found = fc.record({
    address,
    make: text,
    model: text,
    xaddr: url,
    stream: url,
    problem: fc.constantFrom(null, "password" as const),
  });
  const everyone = fc.array(found, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(everyone, fc.constantFrom("vi" as const, "en" as const), (list, language) => {
      const cameras = list.map(({ stream: at, ...more }) => camera({ ...more, profiles: [stream(at)] }));
      const block = cameraBlock(cameras, { ...options, language });
      if (!block.includes("cameras: []")) load(block);
    }),
    { numRuns: 60 },
  );
});

describe("streams", () => {
  test.each([
    [[], null, null],
    [[stream(null)], null, null],
    [[stream("a")], "a", null],
    [[stream("a"), stream("b")], "a", "b"],
    [[stream("a", 10, 10), stream("b", 10, 10)], "a", null],
    [[stream("a", 10, 10), stream("b", 20, 20), stream("c", 5, 5)], "b", "c"],
    [[stream("a", 10, 10), stream("a", 5, 5)], "a", null],
  ] as const)("of %j: %s, %s", (profiles, main, fallback) => {
    expect(streamsOf(profiles)).toEqual({ main, fallback });
  });

  test("a server's name puts its make first; no usual address holds a password", () => {
    expect(usualStreams("Hipcam RealServer/V1.0")[0]?.main).toBe("/Streaming/Channels/101");
    expect(usualStreams("Rtsp Server Login to 8C0")[0]?.main).toMatch(/realmonitor/);
    expect(usualStreams("")).toHaveLength(8);
    for (const { main, sub } of usualStreams("")) expect(`${main}${sub}`).not.toMatch(/passw|admin/i);
  });
});
