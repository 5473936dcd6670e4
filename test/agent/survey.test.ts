/** A survey of scripted networks: who is asked what, how often, with which login. */
import { describe, expect, test } from "vitest";
import type { FoundCamera } from "../../agent/core/found.ts";
import { survey } from "../../agent/survey.ts";
import type { CameraFacts, CameraFailure, CameraPort, CameraTarget, Credential, FoundDevice } from "../../hal/ports.ts";
import { type ScriptNetwork, type ScriptStreams, scriptDiscovery, scriptStreams } from "../../hal/script.ts";

const never = new AbortController().signal;
const credential: Credential = { username: "admin", password: "s3cret" };
const device = (address: string, more: Partial<FoundDevice> = {}): FoundDevice => ({
  ...{ address, xaddr: `http://${address}/onvif/device_service`, endpoint: null, make: "Scope", model: "S1", interface: "eth0" },
  ...more,
});
const facts = (more: Partial<CameraFacts> = {}): CameraFacts => ({
  ...{ kind: "ok", make: "HIKVISION", model: "DS-1", serial: "S1", firmware: "V5", mac: null },
  time: { kind: "ok", offsetMs: 7_200_000, neverSet: false, timeZone: null },
  profiles: [
    { token: "p1", codec: "h264", width: 1920, height: 1080, fps: 25, url: "rtsp://10.0.0.2/1", snapshotUrl: "http://10.0.0.2/snap" },
  ],
  ...more,
});
const stream = { codec: "h264", width: null, height: null, fps: null };

type World = {
  readonly network: Partial<ScriptNetwork>;
  readonly onvif?: Readonly<Record<string, CameraFacts | CameraFailure["reason"]>>;
  readonly rtsp?: Readonly<Record<string, ScriptStreams>>;
};

/** Everyone's answers, and what they were asked. */
function worldOf({ network, onvif = {}, rtsp = {} }: World) {
  const asked: CameraTarget[] = [];
  let [now, most] = [0, 0];
  const answer = async (target: CameraTarget) => {
    asked.push(target);
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, 5));
    now -= 1;
    const found = onvif[target.xaddr] ?? "refused";
    return typeof found === "string" ? ({ kind: "failed", reason: found, detail: "script" } as const) : found;
  };
  const no = async () => ({ kind: "failed", reason: "unsupported", detail: "" }) as const;
  const cameras: CameraPort = { describe: answer, time: no, identify: no, setTime: no, follow: no };
  const discovery = scriptDiscovery(() => ({ interfaces: ["eth0"], devices: [], ...network }));
  const streams = scriptStreams(() => rtsp);
  return { means: { discovery, cameras, streams }, asked, streams, most: () => most };
}
const options = { interface: null, knock: false, credential, searchMs: 10 };
const door = (address: string, port = 554) => ({ address, port, interface: "eth0" });

describe("cameras that answer the search", () => {
  test("tell of themselves; their MAC comes from the neighbour table where they do not say", async () => {
    const world = worldOf({
      network: { devices: [device("10.0.0.2")], remarks: ["ipv6 x"], neighbours: new Map([["10.0.0.2", "2c:a5:9c:01:02:03"]]) },
      onvif: { "http://10.0.0.2/onvif/device_service": facts() },
    });
    const { cameras, remarks } = await survey(world.means, options, never);
    expect(cameras).toEqual([
      {
        ...{ address: "10.0.0.2", xaddr: "http://10.0.0.2/onvif/device_service", make: "HIKVISION", model: "DS-1", serial: "S1" },
        ...{ mac: "2c:a5:9c:01:02:03", firmware: "V5", clockOffsetMs: 7_200_000, problem: null },
        profiles: [{ token: "p1", codec: "h264", width: 1920, height: 1080, fps: 25, url: "rtsp://10.0.0.2/1" }],
      } satisfies FoundCamera,
    ]);
    expect(remarks).toEqual(["ipv6 x"]);
    expect(world.asked).toEqual([{ xaddr: "http://10.0.0.2/onvif/device_service", credential }]);
  });

  test("that refuse are still found, by what the search said of them, in the order of their addresses", async () => {
    const devices = ["10.0.0.20", "10.0.0.3", "10.0.0.100"].map((address) => device(address));
    const world = worldOf({ network: { devices }, onvif: { "http://10.0.0.3/onvif/device_service": "password" } });
    const { cameras } = await survey(world.means, options, never);
    expect(cameras.map(({ address, make, model, problem }) => [address, make, model, problem])).toEqual([
      ["10.0.0.3", "Scope", "S1", "password"],
      ["10.0.0.20", "Scope", "S1", "refused"],
      ["10.0.0.100", "Scope", "S1", "refused"],
    ]);
    expect(world.streams.looked).toEqual([]);
  });

  test("are asked two at once", async () => {
    const devices = Array.from({ length: 9 }, (_, n) => device(`10.0.0.${n + 1}`));
    const world = worldOf({ network: { devices } });
    await survey(world.means, options, never);
    expect([world.asked.length, world.most()]).toEqual([9, 2]);
  });
});

describe("cameras that only opened a port", () => {
  const knocking = { ...options, knock: true };

  test("are not looked for unasked, and not asked twice where the search found them", async () => {
    const network = { devices: [device("10.0.0.2")], doors: [door("10.0.0.2"), door("10.0.0.3")] };
    expect((await survey(worldOf({ network }).means, options, never)).cameras).toHaveLength(1);
    const world = worldOf({ network });
    expect((await survey(world.means, knocking, never)).cameras).toHaveLength(2);
    expect(world.asked.filter(({ xaddr }) => xaddr.includes("10.0.0.2"))).toHaveLength(1);
  });

  test("may speak ONVIF all the same, also at another port", async () => {
    const world = worldOf({
      network: { doors: [door("10.0.0.3")] },
      onvif: { "http://10.0.0.3:8899/onvif/device_service": facts({ make: "XM" }) },
    });
    const { cameras } = await survey(world.means, knocking, never);
    expect(cameras).toMatchObject([{ address: "10.0.0.3", xaddr: "http://10.0.0.3:8899/onvif/device_service", make: "XM", problem: null }]);
    expect(world.streams.looked).toEqual([]);
  });

  test("show a stream at a usual address; the make that the server names is tried first, its second stream too", async () => {
    const path = "/cam/realmonitor?channel=1&subtype=";
    const streams = { [`${path}0`]: { ...stream, width: 1920, height: 1080 }, [`${path}1`]: stream };
    const world = worldOf({
      network: { doors: [door("10.0.0.3", 8554)] },
      rtsp: { "10.0.0.3:8554": { server: "Rtsp Server/2.0 Login to 4K05", credential, streams } },
    });
    const { cameras } = await survey(world.means, knocking, never);
    expect(cameras).toMatchObject([{ address: "10.0.0.3", xaddr: null, make: null, problem: null }]);
    expect(cameras[0]?.profiles).toEqual([
      { token: "main", ...stream, width: 1920, height: 1080, url: `rtsp://10.0.0.3:8554${path}0` },
      { token: "sub", ...stream, url: `rtsp://10.0.0.3:8554${path}1` },
    ]);
    expect(world.streams.looked).toEqual([
      "- rtsp://10.0.0.3:8554/",
      `admin rtsp://10.0.0.3:8554${path}0`,
      `admin rtsp://10.0.0.3:8554${path}1`,
    ]);
  });

  test("are told a refused password once, and nothing more", async () => {
    const world = worldOf({
      network: { doors: [door("10.0.0.3")] },
      rtsp: { "10.0.0.3": { server: "x", credential: { ...credential, password: "other" }, streams: {} } },
    });
    const { cameras } = await survey(world.means, knocking, never);
    expect(cameras).toMatchObject([{ problem: "password", profiles: [] }]);
    expect(world.streams.looked.filter((line) => line.startsWith("admin"))).toHaveLength(1);
  });

  test("whose stream stands elsewhere are told of", async () => {
    const world = worldOf({ network: { doors: [door("10.0.0.3")] }, rtsp: { "10.0.0.3": { server: "", credential: null, streams: {} } } });
    const { cameras } = await survey(world.means, knocking, never);
    expect(cameras).toMatchObject([{ address: "10.0.0.3", xaddr: null, problem: "no-stream" }]);
    expect(world.streams.looked.length).toBeLessThanOrEqual(10);
  });

  test("that refuse the login on their ONVIF side may let it in on the other", async () => {
    const onvif = { "http://10.0.0.3/onvif/device_service": "password" } as const;
    const rtsp = { "10.0.0.3": { server: "", credential, streams: { "/stream1": stream } } };
    const both = worldOf({ network: { doors: [door("10.0.0.3")] }, onvif, rtsp });
    expect((await survey(both.means, knocking, never)).cameras).toMatchObject([
      { xaddr: null, problem: null, profiles: [{ token: "main" }] },
    ]);
    const neither = worldOf({ network: { doors: [door("10.0.0.3")] }, onvif });
    expect((await survey(neither.means, knocking, never)).cameras).toMatchObject([
      { xaddr: "http://10.0.0.3/onvif/device_service", problem: "password" },
    ]);
  });
});

test("one of them is asked once more with a login of its own, wherever it answered", async () => {
  const world = worldOf({
    network: { devices: [device("10.0.0.2")], doors: [door("10.0.0.3")] },
    onvif: { "http://10.0.0.2/onvif/device_service": facts() },
    rtsp: { "10.0.0.3": { server: "Hikvision", credential, streams: { "/Streaming/Channels/101": stream } } },
  });
  const seen = await survey(world.means, { ...options, knock: true, credential: null }, never);
  const [first, second] = seen.cameras;
  if (first === undefined || second === undefined) throw new Error("both are found");
  world.asked.length = 0;
  expect(await seen.again(first, credential, never)).toMatchObject({ address: "10.0.0.2", make: "HIKVISION", problem: null });
  expect(world.asked).toEqual([{ xaddr: "http://10.0.0.2/onvif/device_service", credential }]);
  expect(second.problem).toBe("password");
  const known = await seen.again(second, credential, never);
  expect([known.problem, known.profiles[0]?.url]).toEqual([null, "rtsp://10.0.0.3/Streaming/Channels/101"]);
});

test("a survey that is stopped ends at once, with nobody", async () => {
  const world = worldOf({ network: { devices: [device("10.0.0.2")], doors: [door("10.0.0.3")] } });
  expect(await survey(world.means, { ...options, knock: true }, AbortSignal.abort())).toMatchObject({ cameras: [], remarks: [] });
});
