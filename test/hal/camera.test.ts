/** The suite of `CameraPort`, on the scripted port and on the real driver with simulated cameras; then what only the wire can do: logins, dates, hostile replies. */
import { execFile } from "node:child_process";
import { getEventListeners } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { makeCameraPort } from "../../hal/camera.ts";
import { makeClock } from "../../hal/clock.ts";
import type { CameraFailure, CameraPort, CameraSign, CameraTarget } from "../../hal/ports.ts";
import { scriptCamera } from "../../hal/script.ts";
import { until } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { type Make, makes } from "../lib/makes.ts";
import { type OnvifCamera, selfSigned, startOnvif, type Trouble, troubles } from "../lib/onvif.ts";
import { freePort } from "../lib/temp.ts";

const run = promisify(execFile);
const never = new AbortController().signal;
const clock = makeClock({ driver: "none" });
const credential = { username: "admin", password: "s3cret&<pass>" };
const hourMs = 3_600_000;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
async function start(...args: Parameters<typeof startOnvif>): Promise<OnvifCamera> {
  const camera = await startOnvif(...args);
  ends.push(camera.stop);
  return camera;
}
const to = ({ xaddr }: { readonly xaddr: string }, login: CameraTarget["credential"] = credential): CameraTarget => ({
  xaddr,
  credential: login,
});
const port = makeCameraPort({ clock });

/** A camera of either kind, as the suite needs it. */
type Stage = {
  readonly port: CameraPort;
  readonly xaddr: string;
  /** Its clock minus the box's; null: never set. */
  setOffset(offsetMs: number | null): void;
  emit(sign: CameraSign): void;
  isFollowed(): boolean;
  vanish(): Promise<void>;
};
async function realStage(): Promise<Stage> {
  const camera = await start("hikvision");
  return {
    port,
    xaddr: camera.xaddr,
    setOffset: (offsetMs) => camera.set({ clockOffsetMs: offsetMs ?? -Date.now() + 60_000 }),
    emit: ({ topic, active }) => camera.emit(topic, { name: "State", value: String(active) }),
    isFollowed: () => camera.seen.some(({ operation }) => operation === "PullMessages"),
    vanish: camera.stop,
  };
}
async function scriptedStage(): Promise<Stage> {
  const scripted = scriptCamera();
  const xaddr = "http://192.0.2.7/onvif/device_service";
  const profile = { codec: "h264", fps: null, url: null, snapshotUrl: null };
  const { manufacturer, model, firmware, serial } = makes.hikvision;
  const camera = {
    facts: {
      ...{ make: manufacturer, model, serial, firmware, mac: "2c:a5:9c:01:02:03" },
      profiles: makes.hikvision.profiles.map(({ token, width, height }) => ({ ...profile, token, width, height })),
    },
    ...{ credential, offsetMs: 0, hasEvents: true, trouble: null },
  };
  scripted.set(xaddr, camera);
  return {
    port: scripted,
    xaddr,
    setOffset: (offsetMs) => scripted.set(xaddr, { ...camera, offsetMs }),
    emit: (sign) => scripted.emit(xaddr, sign),
    isFollowed: () => scripted.asked.some((line) => line.startsWith("follow")),
    vanish: async () => scripted.set(xaddr, null),
  };
}

const calls = ["time", "identify", "describe", "setTime", "follow"] as const;
const put = (camera: CameraPort, call: (typeof calls)[number], target: CameraTarget, signal = never) =>
  call === "follow" ? camera.follow(target, () => undefined, signal) : camera[call](target, signal);

describe.each([
  ["real", realStage],
  ["scripted", scriptedStage],
])("the %s camera port", (_, makeStage) => {
  test("tells a camera's clock without any login, and who it is with one, also when the clock is two hours wrong", async () => {
    const stage = await makeStage();
    for (const offsetMs of [0, 2 * hourMs, -2 * hourMs, 40 * 24 * hourMs]) {
      stage.setOffset(offsetMs);
      const time = await stage.port.time(to(stage, null), never);
      expect(time).toMatchObject({ kind: "ok", neverSet: false });
      expect(Math.abs((time.kind === "ok" ? (time.offsetMs ?? Number.NaN) : Number.NaN) - offsetMs)).toBeLessThan(5_000);
      const { manufacturer, model, serial, firmware } = makes.hikvision;
      expect(await stage.port.identify(to(stage), never)).toEqual({
        ...{ kind: "ok", make: manufacturer, model, serial, firmware, mac: null },
      });
    }
  });

  test("a clock that was never set is said so, and stands in nobody's way", async () => {
    const stage = await makeStage();
    stage.setOffset(null);
    expect(await stage.port.time(to(stage), never)).toMatchObject({ kind: "ok", offsetMs: null, neverSet: true });
    expect(await stage.port.describe(to(stage), never)).toMatchObject({ kind: "ok", time: { neverSet: true } });
  });

  test("describes identity, clock and profiles", async () => {
    const stage = await makeStage();
    const facts = await stage.port.describe(to(stage), never);
    expect(facts).toMatchObject({ kind: "ok", make: "HIKVISION", mac: "2c:a5:9c:01:02:03", time: { kind: "ok", neverSet: false } });
    expect(facts.kind === "ok" && facts.profiles.map(({ token, width }) => [token, width])).toEqual([
      ["Profile_1", 2688],
      ["Profile_2", 640],
    ]);
  });

  test("a wrong password, another user or none at all is a failure of its own", async () => {
    const stage = await makeStage();
    for (const wrong of [{ ...credential, password: "other" }, { ...credential, username: "root" }, null])
      for (const call of calls.filter((name) => name !== "time"))
        expect(await put(stage.port, call, to(stage, wrong)), call).toMatchObject({ kind: "failed", reason: "password" });
  });

  test("sets the clock", async () => {
    const stage = await makeStage();
    stage.setOffset(-2 * hourMs);
    expect(await stage.port.setTime(to(stage), never)).toEqual({ kind: "ok" });
    const time = await stage.port.time(to(stage), never);
    expect(Math.abs(time.kind === "ok" ? (time.offsetMs ?? Number.NaN) : Number.NaN)).toBeLessThan(5_000);
  });

  test("where nobody is, every call is refused", async () => {
    const stage = await makeStage();
    await stage.vanish();
    for (const call of calls) expect(await put(stage.port, call, to(stage)), call).toMatchObject({ kind: "failed", reason: "refused" });
  });

  test("a call ends with its signal and leaves nothing on it", async () => {
    const stage = await makeStage();
    const stop = new AbortController();
    for (const call of calls.filter((name) => name !== "follow")) await put(stage.port, call, to(stage), stop.signal);
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
    const under = calls.map((call) => put(stage.port, call, to(stage), stop.signal));
    stop.abort();
    for (const end of await Promise.all(under)) if (end.kind === "failed") expect(end.reason).toBe("stopped");
    for (const call of calls)
      expect(await put(stage.port, call, to(stage), stop.signal), call).toMatchObject({ kind: "failed", reason: "stopped" });
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
  });

  test("follows a camera's signs until it is stopped", async () => {
    const stage = await makeStage();
    const stop = new AbortController();
    const heard: CameraSign[] = [];
    const end = stage.port.follow(to(stage), (sign) => heard.push(sign), stop.signal);
    await until("it is followed", 10_000, stage.isFollowed);
    const sent: CameraSign[] = [
      { kind: "tampering", topic: "tns1:RuleEngine/TamperDetector/Tamper", active: true },
      { kind: "signal-loss", topic: "tns1:VideoSource/SignalLoss", active: false },
      { kind: "reboot", topic: "tns1:Monitoring/OperatingTime/LastReboot", active: null },
      { kind: "other", topic: "tns1:RuleEngine/CellMotionDetector/Motion", active: true },
    ];
    for (const sign of sent) stage.emit(sign);
    await until("all signs are heard", 20_000, () => heard.length === sent.length);
    expect(heard).toEqual(sent);
    stop.abort();
    expect(await end).toMatchObject({ kind: "failed", reason: "stopped" });
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
  });

  test("a camera that goes away while it is followed is told", async () => {
    const stage = await makeStage();
    const end = stage.port.follow(to(stage), () => undefined, never);
    await until("it is followed", 10_000, stage.isFollowed);
    await stage.vanish();
    expect(await end).toMatchObject({ kind: "failed", reason: "refused" });
  });
});

describe.each(["hikvision", "dahua", "xm"] as const)("%s", (make: Make) => {
  test.each(["token", "md5", "sha-256", "both"] as const)("is described in full, login by %s", async (login) => {
    const camera = await start(make, { login });
    const facts = await port.describe(to(camera), never);
    expect(facts).toMatchObject({ kind: "ok", time: { timeZone: makes[make].timeZone } });
    const { hasMedia2, profiles } = makes[make];
    const mac = { hikvision: "2c:a5:9c:01:02:03", dahua: "9c:14:63:0a:0b:0c", xm: "00:12:13:61:a2:b3" }[make];
    expect(facts).toMatchObject({ make: makes[make].manufacturer, serial: makes[make].serial === "" ? null : makes[make].serial, mac });
    expect(facts.kind === "ok" && facts.profiles).toEqual(
      profiles.map(({ token, codec, width, height, fps }, index) => ({
        ...{ token, codec: (hasMedia2 ? codec : codec.replace("H265", "H264")).toLowerCase(), width, height, fps },
        url: makes[make].stream("127.0.0.1", index).replace("password=tlJwpbo6", "password="),
        snapshotUrl: makes[make].snapshot("127.0.0.1", index),
      })),
    );
  });
});

/** Everything that a camera was sent, in every form in which a password could be read from it. */
function expectNoSecret({ seen }: OnvifCamera, { username, password }: { readonly username: string; readonly password: string }): void {
  const basic = Buffer.from(`${username}:${password}`).toString("base64").replace(/=+$/, "");
  const forms = [password, encodeURIComponent(password), Buffer.from(password).toString("base64"), basic, "Basic"];
  for (const { headers, body, path } of seen)
    for (const form of forms) expect(`${path}\n${headers}\n${body}`.includes(form), `${form} in ${body}`).toBe(false);
}

describe("logins", () => {
  test.each(["token", "md5", "sha-256"] as const)("by %s, whatever the name and the password hold", async (login) => {
    const odd = [
      { username: `a&b<c>"d'`, password: `]]>&amp;"'\\ $& $1` },
      { username: "người dùng", password: "mật khẩu 🔒" },
      { username: 'x\\y"z', password: "a:b" },
      { username: "</Username><Username>root", password: "p" },
    ];
    for (const login2 of odd) {
      const camera = await start("dahua", { login, credential: login2 });
      expect(await port.identify(to(camera, login2), never), login2.username).toMatchObject({ kind: "ok", make: "Dahua" });
      if (login2.password.length > 1) expectNoSecret(camera, login2);
    }
  });

  test("a name that is no header fails, and throws nothing", async () => {
    const camera = await start("dahua", { login: "md5" });
    expect(await port.identify(to(camera, { username: "a\nb", password: "x" }), never)).toMatchObject({ reason: "nonsense" });
  });

  test("no password leaves in clear: Basic is never answered, nor is a user in the address sent", async () => {
    const camera = await start("dahua", { login: "basic" });
    const result = await port.describe(to(camera), never);
    expect(result).toMatchObject({ kind: "failed", reason: "password", detail: expect.stringContaining("Basic") });
    const inAddress = camera.xaddr.replace("http://", `http://admin:${encodeURIComponent(credential.password)}@`);
    await port.describe({ xaddr: inAddress, credential: null }, never);
    expect(camera.seen.filter(({ authorization }) => authorization !== null)).toEqual([]);
    expectNoSecret(camera, credential);
  });

  test("a refused login is put once a call", async () => {
    for (const login of ["token", "md5"] as const) {
      const camera = await start("hikvision", { login });
      await port.describe(to(camera, { ...credential, password: "other" }), never);
      const logins = camera.seen.filter(({ hasToken, authorization }) => (login === "token" ? hasToken : authorization !== null));
      expect(logins).toHaveLength(1);
    }
  });

  test("a clock that wants a login gets one", async () => {
    for (const login of ["token", "md5"] as const) {
      const camera = await start("dahua", { login, isClockGuarded: true });
      expect(await port.time(to(camera), never)).toMatchObject({ kind: "ok", neverSet: false });
      expect(await port.time(to(camera, null), never)).toMatchObject({ reason: "password" });
    }
  });

  test("a camera whose clock is set while it is followed is logged in to by the new one", async () => {
    const camera = await start("dahua", { clockOffsetMs: 2 * hourMs });
    const stop = new AbortController();
    const heard: CameraSign[] = [];
    const end = port.follow(to(camera), (sign) => heard.push(sign), stop.signal);
    await until("it is followed", 10_000, () => camera.seen.some(({ operation }) => operation === "PullMessages"));
    camera.set({ clockOffsetMs: 0 });
    camera.emit("tns1:Device/First", { name: "State", value: "1" });
    await until("the first sign is heard", 10_000, () => heard.length === 1);
    await until("it is logged in again", 20_000, () => camera.seen.filter(({ operation }) => operation === "PullMessages").length >= 3);
    camera.emit("tns1:Device/Second", { name: "State", value: "0" });
    await until("the second sign is heard", 10_000, () => heard.length === 2);
    stop.abort();
    expect(await end).toMatchObject({ reason: "stopped" });
    expect(camera.subscriptions.size).toBe(0);
  });

  test("a nonce that went stale is answered once more, and no more", async () => {
    const camera = await start("dahua", { login: "md5", staleLogins: 1 });
    expect(await port.identify(to(camera), never)).toMatchObject({ kind: "ok" });
    camera.set({ staleLogins: 9 });
    expect(await port.identify(to(camera), never)).toMatchObject({ reason: "password" });
    expect(camera.seen.filter(({ authorization }) => authorization !== null)).toHaveLength(4);
  });

  test("no failure holds the login, also where the camera puts it into its words", async () => {
    const rewrite = (xml: string) =>
      xml.replace(/(:Text xml:lang="en">)[^<]*/, "$1user admin with s3cret&#38;&#60;pass&#62; is not authorized");
    const camera = await start("hikvision", { rewrite, credential: { username: "admin", password: "changed" } });
    const result = await port.identify(to(camera), never);
    expect(result).toEqual({ kind: "failed", reason: "password", detail: "env:Sender ter:NotAuthorized user … with … is not authorized" });
  });

  const challenges = [
    [],
    ["Digest"],
    ["Basic"],
    ["Negotiate", "NTLM abc=="],
    ["Digest ,,,=,="],
    ['Digest realm="x"'],
    ['Digest nonce="abc", qop="auth-int"'],
    ['Digest realm="a", nonce="b", algorithm=SHA-512-256'],
    ['Digest realm="a", nonce="b", algorithm=MD5-sess, qop="auth"'],
    [`Digest realm="${"é".repeat(2_000)}", nonce="${"=".repeat(2_000)}", opaque="\\"\\\\", qop=" auth-int , auth "`],
    ['Digest realm="open, nonce=b'],
    [`Basic realm="x", ${"Digest nonce=a, ".repeat(300)}`],
  ];
  test.each(challenges.map((challenge) => [challenge.join(" | ").slice(0, 60), challenge] as const))(
    "a challenge may hold anything: %s",
    async (_, challenge) => {
      const camera = await start("dahua", { login: "md5", challenge });
      expect(["password", "unsupported"]).toContain(reasonOf(await port.identify(to(camera), never)));
      expectNoSecret(camera, credential);
    },
  );

  test("of any challenge whatever comes a result of the port", async () => {
    const camera = await start("dahua", { login: "md5" });
    const part = fc.oneof(
      fc.constantFrom("Digest ", "realm=", 'nonce="', '"', ",", "\\", "qop=auth", "algorithm=MD5", " ", "é"),
      fc.string({ maxLength: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        camera.set({ challenge: [parts.join("")] });
        expect(["password", "unsupported", "nonsense"]).toContain(reasonOf(await port.identify(to(camera), never)));
      }),
      { numRuns: 100 },
    );
    expectNoSecret(camera, credential);
  });
});

describe("https", () => {
  test("a certificate that nobody signed is taken, by every login", async () => {
    const tls = selfSigned();
    for (const login of ["token", "sha-256"] as const) {
      const camera = await start("hikvision", { login }, tls);
      expect(await port.describe(to(camera), never)).toMatchObject({ kind: "ok", make: "HIKVISION", profiles: [{ codec: "h265" }, {}] });
      expectNoSecret(camera, credential);
    }
  });

  test("the TLS of old cameras is spoken", async () => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const camera = await start("hikvision", {}, { ...selfSigned(), ...old });
    expect(await port.identify(to(camera), never)).toMatchObject({ kind: "ok" });
  });

  test("no TLS where TLS is asked, and TLS where none is, are nonsense or a closed door", async () => {
    const plain = await start("hikvision");
    const secure = await start("hikvision", {}, selfSigned());
    const swap = (xaddr: string) => (xaddr.startsWith("https") ? xaddr.replace("https", "http") : xaddr.replace("http", "https"));
    for (const { xaddr } of [plain, secure])
      expect(["nonsense", "refused"]).toContain(reasonOf(await port.identify(to({ xaddr: swap(xaddr) }), never)));
  });
});

const reasonOf = (result: { readonly kind: string }) => (result.kind === "failed" ? (result as CameraFailure).reason : result.kind);

describe("dates", () => {
  const times = (utc: string) => (xml: string) => xml.replace(/<tt:UTCDateTime>.*<\/tt:UTCDateTime>/, utc);
  const dateTime = (date: readonly unknown[], time: readonly unknown[]) =>
    `<tt:UTCDateTime><tt:Time><tt:Hour>${time[0]}</tt:Hour><tt:Minute>${time[1]}</tt:Minute><tt:Second>${time[2]}</tt:Second></tt:Time><tt:Date><tt:Year>${date[0]}</tt:Year><tt:Month>${date[1]}</tt:Month><tt:Day>${date[2]}</tt:Day></tt:Date></tt:UTCDateTime>`;

  test("every day of the camera is read on every day of the box", async () => {
    const camera = await start("hikvision", { credential: null });
    const dayMs = 24 * hourMs;
    for (const boxDay of [Date.UTC(2026, 9, 31), Date.UTC(2028, 1, 29), Date.UTC(2026, 0, 30), Date.UTC(2026, 11, 31, 23, 59, 59)]) {
      const box = makeCameraPort({ clock: { ...clock, wallMs: () => boxDay } });
      for (const cameraDay of [Date.UTC(2026, 8, 15), Date.UTC(2026, 1, 28), Date.UTC(2027, 0, 1), Date.UTC(2028, 1, 29)]) {
        const at = new Date(cameraDay);
        camera.set({ rewrite: times(dateTime([at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()], [0, 0, 0])) });
        const time = await box.time(to(camera, null), never);
        const offsetMs = time.kind === "ok" ? (time.offsetMs ?? Number.NaN) : Number.NaN;
        expect(Math.abs(offsetMs - (cameraDay - boxDay))).toBeLessThan(2_000);
        expect(Math.round(offsetMs / dayMs)).toBe(Math.round((cameraDay - boxDay) / dayMs));
      }
    }
  });

  test.each([
    ["1970", [1970, 1, 1], [0, 0, 12], { offsetMs: null, neverSet: true }],
    ["2000", [2000, 1, 1], [0, 1, 0], { offsetMs: null, neverSet: true }],
    ["the 30th of February", [2026, 2, 30], [0, 0, 0], { offsetMs: null, neverSet: false }],
    ["month 0", [2026, 0, 10], [0, 0, 0], { offsetMs: null, neverSet: false }],
    ["hour 24", [2026, 5, 10], [24, 0, 0], { offsetMs: null, neverSet: false }],
    ["year 0", [0, 1, 1], [0, 0, 0], { offsetMs: null, neverSet: false }],
    ["a word", ["now", 1, 1], [0, 0, 0], { offsetMs: null, neverSet: false }],
    ["a negative year", [-5, 1, 1], [0, 0, 0], { offsetMs: null, neverSet: false }],
    ["nothing", ["", "", ""], ["", "", ""], { offsetMs: null, neverSet: false }],
  ])("%s", async (_, date, time, expected) => {
    const camera = await start("hikvision", { rewrite: times(dateTime(date, time)) });
    expect(await port.time(to(camera), never)).toMatchObject({ kind: "ok", ...expected });
  });

  test("a camera that tells no UTC takes the box's time", async () => {
    const camera = await start("hikvision", { rewrite: times("") });
    expect(await port.time(to(camera), never)).toMatchObject({ kind: "ok", offsetMs: null, neverSet: false });
    expect(await port.identify(to(camera), never)).toMatchObject({ kind: "ok" });
  });

  test("a camera that does not know GetSystemDateAndTime takes it too", async () => {
    const camera = await start("dahua", { trouble: "not-supported", troubled: "GetSystemDateAndTime" });
    expect(await port.time(to(camera), never)).toMatchObject({ reason: "unsupported" });
    expect(await port.describe(to(camera), never)).toMatchObject({ kind: "ok", time: { offsetMs: null, neverSet: false } });
  });

  test("setting it keeps the camera's zone", async () => {
    const camera = await start("dahua", { clockOffsetMs: 5 * hourMs });
    await port.setTime(to(camera), never);
    const body = camera.seen.find(({ operation }) => operation === "SetSystemDateAndTime")?.body ?? "";
    expect(body).toContain(">ICT-7<");
    expect(Math.abs(camera.clockMs() - Date.now())).toBeLessThan(3_000);
  });
});

describe("addresses", () => {
  test("services are asked at the target, whatever host the camera gives; the stream's host stays its own", async () => {
    const camera = await start("hikvision", { host: "192.0.2.99:8899" });
    const facts = await port.describe(to(camera), never);
    expect(facts).toMatchObject({
      kind: "ok",
      profiles: [{ url: makes.hikvision.stream("192.0.2.99", 0) }, {}],
    });
  });

  test("a path that looks like a host does not lead away", async () => {
    const rewrite = (xml: string) => xml.replace(/http:\/\/[^/<]+\/onvif\/Media2/, "http://192.0.2.99//192.0.2.98/onvif/Media2");
    const camera = await start("hikvision", { rewrite });
    expect(await port.describe(to(camera), never)).toMatchObject({ kind: "ok", profiles: [{ codec: "h265" }, {}] });
    expect(camera.seen.map(({ path }) => path)).toContain("//192.0.2.98/onvif/Media2");
  });

  test.each([
    ["rtsp://admin:s3cret@10.0.0.5/live", "rtsp://10.0.0.5/live"],
    [
      "rtsp://10.0.0.5/user=admin_password=abc_channel=1_stream=0.sdp?real_stream",
      "rtsp://10.0.0.5/user=admin_password=_channel=1_stream=0.sdp?real_stream",
    ],
    ["rtsp://10.0.0.5/user=admin&password=a_b&channel=1", "rtsp://10.0.0.5/user=admin&password=&channel=1"],
    ["rtsp://10.0.0.5/live?pwd=abc", "rtsp://10.0.0.5/live?pwd="],
    ["rtsp://10.0.0.5/x/s3cret%26%3Cpass%3E/y", null],
    ["http://10.0.0.5/live", null],
    ["10.0.0.5/live", null],
    ["", null],
    [`rtsp://10.0.0.5/${"x".repeat(3_000)}`, null],
  ])("the stream %s has no login in it", async (told, url) => {
    const text = told.replaceAll("&", "&amp;");
    const rewrite = (xml: string) => xml.replace(/rtsp:[^<]*/, () => text);
    const camera = await start("hikvision", { rewrite });
    const facts = await port.describe(to(camera), never);
    expect(facts.kind === "ok" && facts.profiles[0]?.url).toBe(url);
  });

  test.each(["", "camera", "ftp://10.0.0.5/", "rtsp://10.0.0.5/", "http://"])("%s is no address of a camera", async (xaddr) => {
    for (const call of calls) expect(await put(port, call, to({ xaddr })), call).toMatchObject({ reason: "nonsense" });
  });
});

describe("signs", () => {
  test("a subscription that is known by its parameters gets them back, and is taken back at the end", async () => {
    const camera = await start("hikvision", { hasReference: true });
    const stop = new AbortController();
    const heard: CameraSign[] = [];
    const end = port.follow(to(camera), (sign) => heard.push(sign), stop.signal);
    await until("it is followed", 10_000, () => camera.seen.some(({ operation }) => operation === "PullMessages"));
    camera.emit("tns1:VideoSource/GlobalSceneChange/ImagingService", { name: "State", value: "true" });
    await until("the sign is heard", 10_000, () => heard.length === 1);
    expect(heard).toMatchObject([{ kind: "tampering", active: true }]);
    expect(camera.subscriptions.size).toBe(1);
    stop.abort();
    expect(await end).toMatchObject({ reason: "stopped" });
    expect(camera.subscriptions.size).toBe(0);
  });

  test("the state at the start is no reboot; a flood is bounded", async () => {
    const camera = await start("hikvision");
    const stop = new AbortController();
    const heard: CameraSign[] = [];
    const end = port.follow(to(camera), (sign) => heard.push(sign), stop.signal);
    await until("it is followed", 10_000, () => camera.seen.some(({ operation }) => operation === "PullMessages"));
    for (let i = 0; i < 120; i += 1) camera.emit("tns1:Monitoring/OperatingTime/LastReboot", { name: "Status", value: "x" }, "Initialized");
    await until("all are heard, 50 at a time", 30_000, () => heard.length === 120);
    expect(new Set(heard.map(({ kind }) => kind))).toEqual(new Set(["other"]));
    expect(camera.seen.filter(({ operation }) => operation === "PullMessages").length).toBeLessThanOrEqual(6);
    stop.abort();
    await end;
  });

  test.each([false, true])(
    "a subscription is prolonged in time, and one that cannot be goes on while it lasts (%s)",
    async (isDeclined) => {
      const camera = await start("dahua", isDeclined ? { trouble: "not-supported", troubled: "Renew" } : {});
      let aheadMs = 0;
      const jumping = makeCameraPort({ clock: { ...clock, monoMs: () => clock.monoMs() + aheadMs } });
      const stop = new AbortController();
      const heard: CameraSign[] = [];
      const end = jumping.follow(to(camera), (sign) => heard.push(sign), stop.signal);
      await until("it is followed", 10_000, () => camera.seen.some(({ operation }) => operation === "PullMessages"));
      aheadMs = 31_000;
      camera.emit("tns1:Device/First", { name: "State", value: "1" });
      await until("it was prolonged", 10_000, () => camera.seen.some(({ operation }) => operation === "Renew"));
      await until("it pulls again", 10_000, () => camera.seen.filter(({ operation }) => operation === "PullMessages").length >= 2);
      camera.emit("tns1:Device/Second", { name: "State", value: "0" });
      await until("the second sign is heard", 10_000, () => heard.length === 2);
      stop.abort();
      expect(await end).toMatchObject({ reason: "stopped" });
      expect(camera.subscriptions.size).toBe(0);
    },
  );

  test("a camera without events says so", async () => {
    const camera = await start("xm");
    expect(await port.follow(to(camera), () => undefined, never)).toMatchObject({ reason: "unsupported" });
  });
});

describe("what is no answer", () => {
  const deadlineMs = 600;
  const hasty = makeCameraPort({ clock, deadlineMs });
  const expected: Record<Trouble, readonly string[]> = {
    ...{ "http-500": ["fault"], "not-found": ["unsupported"], "not-authorized": ["password"], "not-supported": ["unsupported"] },
    ...{ html: ["nonsense"], redirect: ["nonsense"], garbage: ["nonsense"], gzip: ["nonsense"], empty: ["nonsense"] },
    ...{ switching: ["refused", "nonsense"], "header-flood": ["nonsense", "refused"], cut: ["refused"], reset: ["refused"] },
    ...{ drip: ["timeout"], headers: ["timeout"], silence: ["timeout"], informing: ["timeout"] },
    // Slower than its cap on a busy machine, an endless body is late instead.
    ...{ endless: ["nonsense", "timeout"], big: ["nonsense", "timeout"] },
    ...{ bomb: ["nonsense"], external: ["nonsense"], truncated: ["nonsense"], deep: ["nonsense"], wide: ["nonsense"] },
    ...{ "long-comment": ["nonsense"], "long-cdata": ["nonsense"], crowded: ["ok", "unsupported"] },
    ...{
      "no-response": ["nonsense"],
      "long-text": ["nonsense"],
      "long-attribute": ["nonsense"],
      pollution: ["nonsense", "ok", "unsupported"],
    },
  };

  /**
   * The built driver in a process of its own, which meets an honest camera first and then calls on `xaddr`: how each call ended, after how
   * long, and how far the process grew beyond what it had, at its peak as the kernel keeps it. What it does not handle ends it.
   */
  async function meet(honest: OnvifCamera, camera: OnvifCamera, withinMs: number): Promise<Meeting> {
    const from = (file: string) => JSON.stringify(join(repository, "dist/hal", file));
    const script = `import { makeCameraPort } from ${from("camera.js")};
      import { makeClock } from ${from("clock.js")};
      const clock = makeClock({ driver: "none" });
      const port = makeCameraPort({ clock, deadlineMs: ${withinMs} });
      const { signal } = new AbortController();
      const credential = ${JSON.stringify(credential)};
      await makeCameraPort({ clock }).describe({ xaddr: ${JSON.stringify(honest.xaddr)}, credential }, signal);
      const before = process.memoryUsage().rss;
      const ends = [];
      for (const call of ${JSON.stringify(calls)}) {
        const beganMs = clock.monoMs();
        const target = { xaddr: ${JSON.stringify(camera.xaddr)}, credential };
        const result = await (call === "follow" ? port.follow(target, () => undefined, signal) : port[call](target, signal));
        ends.push({ call, reason: result.reason ?? result.kind, tookMs: clock.monoMs() - beganMs });
      }
      const grownBytes = process.resourceUsage().maxRSS * 1024 - before;
      await new Promise((resolve) => setTimeout(resolve, 50));
      process.stdout.write(JSON.stringify({ ends, grownBytes, isPolluted: Object.hasOwn(Object.prototype, "polluted") }));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { timeout: 120_000 });
    return JSON.parse(stdout) as Meeting;
  }
  type Meeting = {
    readonly ends: readonly { readonly call: string; readonly reason: string; readonly tookMs: number }[];
    readonly grownBytes: number;
    readonly isPolluted: boolean;
  };

  const unhandled: unknown[] = [];
  process.on("unhandledRejection", (reason) => unhandled.push(reason));

  /** What never ends by itself is given little time; what answers has the time that it has on a site. */
  const endlessTroubles: readonly Trouble[] = ["drip", "headers", "silence", "informing"];

  test.each([...troubles])("%s: every call ends in time with a reason, and the process stays small", async (trouble) => {
    const [honest, camera] = await Promise.all([start("hikvision"), start("hikvision", { trouble })]);
    const withinMs = endlessTroubles.includes(trouble) ? deadlineMs : 5_000;
    const { ends, grownBytes, isPolluted } = await meet(honest, camera, withinMs);
    expect(ends.map(({ call }) => call)).toEqual(calls);
    for (const { call, reason, tookMs } of ends) {
      expect(expected[trouble], call).toContain(reason);
      // Four deadlines for the call, and a noisy machine's time for the rest.
      expect(tookMs, call).toBeLessThan(4 * withinMs + 5_000);
    }
    expect(grownBytes).toBeLessThan(30 * 1_048_576);
    expect(isPolluted).toBe(false);
  });

  test.each([
    ["GetDeviceInformation", "describe"],
    ["GetNetworkInterfaces", "describe"],
    ["GetServices", "describe"],
    ["GetProfiles", "describe"],
    ["GetStreamUri", "describe"],
    ["GetServices", "follow"],
    ["CreatePullPointSubscription", "follow"],
    ["PullMessages", "follow"],
  ] as const)("in the middle of a call, at %s of %s, it ends as well", async (troubled, call) => {
    const ways = ["silence", "endless", "truncated", "not-supported", "reset", "deep"] as const;
    const troubled6 = await Promise.all(ways.map((trouble) => start("hikvision", { trouble, troubled })));
    // A pull may be held back for long: it is the one that is stopped.
    const results = await Promise.all(troubled6.map((camera) => put(hasty, call, to(camera), AbortSignal.timeout(5_000))));
    for (const result of results) expect(["ok", "timeout", "nonsense", "unsupported", "refused", "stopped"]).toContain(reasonOf(result));
    expect(unhandled).toEqual([]);
  });

  test("profiles without a media service are none, and those of Media are taken where Media2 fails", async () => {
    const without = await start("dahua", { trouble: "not-supported", troubled: "GetProfiles" });
    expect(await port.describe(to(without), never)).toMatchObject({ kind: "ok", profiles: [] });
    const rewrite = (xml: string, operation: string) =>
      operation === "GetProfiles" && xml.includes("tr2:") && xml.includes("<tr2:Profiles") ? "<x/>" : xml;
    const broken = await start("hikvision", { rewrite });
    expect(await port.describe(to(broken), never)).toMatchObject({ kind: "ok", profiles: [{ codec: "h264" }, {}] });
  });

  test("nobody at the address, nor any such host", async () => {
    const empty = await freePort();
    expect(await hasty.identify(to({ xaddr: `http://127.0.0.1:${empty}/` }), never)).toMatchObject({ reason: "refused" });
    expect(["refused", "timeout"]).toContain(reasonOf(await hasty.identify(to({ xaddr: "http://camera.invalid/" }), never)));
  });

  type Mutation = {
    readonly kind: "cut" | "insert" | "repeat" | "swap";
    readonly at: number;
    readonly length: number;
    readonly text: string;
  };
  const words = [
    "<",
    ">",
    "</",
    "&",
    "&#0;",
    "<!--",
    "<![CDATA[",
    "]]>",
    "<__proto__>",
    "</__proto__>",
    "<constructor/>",
    '"',
    "=",
    "\0",
    "\ufffe",
    "é",
    "<a",
    "xmlns:",
    "-1",
    "1e999",
    "NaN",
  ];
  const mutation = fc.record<Mutation>({
    kind: fc.constantFrom("cut", "insert", "repeat", "swap"),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(60),
    text: fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 20, unit: "binary" })),
  });
  function mutated(xml: string, { kind, at, length, text }: Mutation): string {
    const from = Math.floor(at * xml.length);
    const [head, piece, tail] = [xml.slice(0, from), xml.slice(from, from + length), xml.slice(from + length)];
    if (kind === "cut") return head + tail;
    if (kind === "insert") return head + text + piece + tail;
    return kind === "repeat" ? head + piece + piece + tail : head + text + tail;
  }

  test("a few hundred mutated replies: always a result of the port, never a throw", async () => {
    const camera = await start("dahua", { credential: null });
    const isLine = (value: unknown) =>
      value === null || (typeof value === "string" && value !== "" && value.length <= 2_100 && !/[\r\n]/.test(value));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Make>("hikvision", "dahua", "xm"),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.nat(12),
        async (_, list, which) => {
          let count = 0;
          const rewrite = (xml: string) => {
            count += 1;
            return count - 1 === which ? list.reduce(mutated, xml) : xml;
          };
          camera.set({ rewrite });
          const result = await port.describe(to(camera), never);
          if (result.kind === "failed") {
            expect(["fault", "nonsense", "unsupported", "password", "refused", "timeout"]).toContain(result.reason);
            expect(isLine(result.detail)).toBe(true);
            return;
          }
          const { make, model, serial, firmware, mac, time, profiles } = result;
          for (const value of [make, model, serial, firmware, mac, time.timeZone]) expect(isLine(value)).toBe(true);
          for (const profile of profiles) {
            for (const value of [profile.token, profile.codec, profile.url, profile.snapshotUrl]) expect(isLine(value)).toBe(true);
            for (const value of [profile.width, profile.height, profile.fps])
              expect(value === null || (Number.isFinite(value) && value > 0)).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(unhandled).toEqual([]);
  });
});
