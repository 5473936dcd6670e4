/** The suite of `StreamLook`, on the scripted and the real driver; then logins, descriptions and bad manners over the wire, and a real RTSP server. */
import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Credential, StreamLook } from "../../hal/ports.ts";
import { rtsp } from "../../hal/rtsp.ts";
import { scriptStreams } from "../../hal/script.ts";
import { startCameras } from "../lib/cameras.ts";
import { description, type Login, type RtspOptions, startRtsp } from "../lib/rtsp.ts";
import { freePort } from "../lib/temp.ts";

const never = new AbortController().signal;
const credential: Credential = { username: 'ad"min', password: "s3c:ret ü" };
const wrong: Credential = { username: 'ad"min', password: "guess" };
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
async function start(more: Partial<RtspOptions> = {}) {
  const server = await startRtsp({
    ...{ server: "Rtsp Server/3.0", login: "md5", streams: {} },
    ...credential,
    ...more,
  });
  ends.push(server.stop);
  return server;
}
const viewed = { kind: "ok", codec: "h264", width: 1920, height: 1080, fps: 25 } as const;

type Stage = { readonly look: StreamLook["look"]; readonly url: string };
async function realStage(): Promise<Stage> {
  const streams = { "/Streaming/Channels/101": description("H264", ["a=x-dimensions:1920,1080", "a=framerate:25"]) };
  return { look: rtsp.look, url: `rtsp://127.0.0.1:${(await start({ streams })).port}` };
}
async function scriptedStage(): Promise<Stage> {
  const { kind: _, ...stream } = viewed;
  const streams = { "/Streaming/Channels/101": stream };
  const { look } = scriptStreams(() => ({ "192.0.2.9:8554": { server: "Rtsp Server/3.0 IP Camera(1)", credential, streams } }));
  return { look, url: "rtsp://192.0.2.9:8554" };
}

describe.each([
  ["real", realStage],
  ["scripted", scriptedStage],
] as const)("the %s look", (kind, make) => {
  test("tells what is there, asks for the login, and says what is not", async () => {
    const { look, url } = await make();
    expect(await look(`${url}/Streaming/Channels/101`, credential, 3_000, never)).toEqual(viewed);
    const server = "Rtsp Server/3.0 IP Camera(1)";
    expect(await look(`${url}/Streaming/Channels/101`, null, 3_000, never)).toEqual({ kind: "failed", reason: "password", server });
    expect(await look(`${url}/Streaming/Channels/101`, wrong, 3_000, never)).toEqual({ kind: "failed", reason: "password", server });
    expect(await look(`${url}/other`, credential, 3_000, never)).toMatchObject({ kind: "failed", reason: "not-found" });
    expect(await look(`${url}/Streaming/Channels/101`, credential, 3_000, AbortSignal.abort())).toMatchObject({ reason: "stopped" });
    const closed = kind === "real" ? `rtsp://127.0.0.1:${await freePort()}/x` : "rtsp://192.0.2.10:554/x";
    expect(await look(closed, credential, 3_000, never)).toEqual({ kind: "failed", reason: "refused", server: "" });
  });
});

test.each([
  ["none", "ok"],
  ["md5", "ok"],
  ["md5-qop", "ok"],
  ["sha-256", "ok"],
  ["basic", "password"],
  ["odd", "password"],
] satisfies readonly (readonly [Login, string])[])("login %s: %s, and the password never leaves in clear", async (login, result) => {
  const server = await start({ login, streams: { "/a?b=1&c=2": description("H265") } });
  const view = await rtsp.look(`rtsp://127.0.0.1:${server.port}/a?b=1&c=2`, credential, 3_000, never);
  expect(view.kind === "ok" ? "ok" : view.reason).toBe(result);
  expect(server.heard.length).toBeLessThanOrEqual(2);
  for (const text of server.heard) {
    expect(text).not.toContain(credential.password);
    expect(text).not.toMatch(/Authorization: Basic/i);
  }
});

test("a refused password is tried once, and what stands in the address is not sent", async () => {
  const server = await start();
  await rtsp.look(`rtsp://somebody:secret@127.0.0.1:${server.port}/x`, wrong, 3_000, never);
  expect(server.heard.map((text) => /^Authorization/m.test(text))).toEqual([false, true]);
  expect(server.heard.join("")).not.toMatch(/somebody|secret/);
});

test.each([
  [description("H264", ["a=framesize:96 1280-720", "a=x-framerate: 12.5"]), { codec: "h264", width: 1280, height: 720, fps: 12.5 }],
  [description("HEVC", ["a=cliprect:0,0,1080,1920"]), { codec: "h265", width: 1920, height: 1080, fps: null }],
  [description("MP4V-ES", ["a=x-dimensions:0,0", "a=framerate:0"]), { codec: "mpeg4", width: null, height: null, fps: null }],
  ["v=0\r\nm=video 0 RTP/AVP 26\r\n", { codec: "jpeg", width: null, height: null, fps: null }],
  ["v=0\r\nm=audio 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n", { codec: null, width: null, height: null, fps: null }],
  ["", { codec: null, width: null, height: null, fps: null }],
  [`v=0\r\nm=video${" ".repeat(60_000)}`, { codec: null, width: null, height: null, fps: null }],
])("description %#", async (body, view) => {
  const { port } = await start({ login: "none", streams: { "/": body } });
  expect(await rtsp.look(`rtsp://127.0.0.1:${port}/`, null, 3_000, never)).toEqual({ kind: "ok", ...view });
});

const drip = (socket: Socket) => {
  const timer = setInterval(() => socket.write("R"), 50);
  socket.once("close", () => clearInterval(timer));
};
test.each([
  ["silence", () => undefined, "timeout"],
  ["a head without end", (socket: Socket) => void socket.write(`RTSP/1.0 200 OK\r\n${"X: y\r\n".repeat(20_000)}`), "nonsense"],
  ["a body without end", (socket: Socket) => void socket.write("RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n"), "nonsense"],
  ["a body that does not come", (socket: Socket) => void socket.write("RTSP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nv=0"), "timeout"],
  ["another protocol", (socket: Socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"), "nonsense"],
  ["another protocol's greeting", (socket: Socket) => void socket.write("SSH-2.0-x\r\n"), "nonsense"],
  ["a drip", drip, "nonsense"],
  ["a closed connection", (socket: Socket) => void socket.end(), "refused"],
  ["a status that is none", (socket: Socket) => void socket.write("RTSP/1.0 OK\r\n\r\n"), "nonsense"],
])("%s ends the look", async (_, instead, reason) => {
  const { port } = await start({ instead });
  const began = performance.now();
  expect(await rtsp.look(`rtsp://127.0.0.1:${port}/x`, credential, 600, never)).toMatchObject({ kind: "failed", reason });
  expect(performance.now() - began).toBeLessThan(5_000);
});

test.each(["http://127.0.0.1/x", "nothing", "rtsps://127.0.0.1/x"])("%s is no address to look at", async (url) => {
  expect(await rtsp.look(url, null, 1_000, never)).toMatchObject({ reason: "nonsense" });
});

test("GStreamer's server lets the login in and tells its stream", async () => {
  const cameras = await startCameras({ count: 1, digest: "agent:xin-chao" });
  ends.push(cameras.stop);
  const login = { username: "agent", password: "xin-chao" };
  expect(await rtsp.look(cameras.url("sub1"), login, 10_000, never)).toMatchObject({ kind: "ok", codec: "h264" });
  expect(await rtsp.look(cameras.url("h265"), login, 10_000, never)).toMatchObject({ kind: "ok", codec: "h265" });
  expect(await rtsp.look(cameras.url("sub1"), { ...login, password: "x" }, 10_000, never)).toMatchObject({ reason: "password" });
  expect(await rtsp.look(cameras.url("none"), login, 10_000, never)).toMatchObject({ reason: "not-found" });
});
