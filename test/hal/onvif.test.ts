/** The simulated ONVIF cameras are honest: a client that knows nothing of them (npm's onvif) reads them, and is refused where a camera would refuse. */
import { Cam, type CamOptions } from "onvif";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../lib/agent.ts";
import { makes } from "../lib/makes.ts";
import { type OnvifCamera, type OnvifState, selfSigned, startOnvif } from "../lib/onvif.ts";

const cameras: OnvifCamera[] = [];
afterEach(async () => {
  for (const camera of cameras.splice(0)) await camera.stop();
});
async function start(...args: Parameters<typeof startOnvif>): Promise<OnvifCamera> {
  const camera = await startOnvif(...args);
  cameras.push(camera);
  return camera;
}

const credential = { username: "admin", password: "secret" };
function connect({ xaddr }: OnvifCamera, options: Partial<CamOptions> = {}): Promise<Cam> {
  const { hostname, port, pathname } = new URL(xaddr);
  return new Promise((resolve, reject) => {
    const cam: Cam = new Cam(
      { ...{ hostname, port: Number(port), path: pathname, timeout: 10_000 }, ...credential, ...options },
      (error) => (error ? reject(error) : resolve(cam)),
    );
  });
}
const ask = <T>(put: (done: (error: Error | null, data?: T) => void) => void) =>
  new Promise<T | undefined>((resolve, reject) => put((error, data) => (error ? reject(error) : resolve(data))));

describe.each(["hikvision", "dahua", "xm"] as const)("%s, read by another client", (make) => {
  test("tells who it is, its clock, its profiles and where they stream", async () => {
    const camera = await start(make, { credential });
    const cam = await connect(camera);
    const { manufacturer, model, firmware } = makes[make];
    expect(await ask((done) => cam.getDeviceInformation(done))).toMatchObject({ manufacturer, model, firmwareVersion: firmware });
    const at = await ask<Date>((done) => cam.getSystemDateAndTime(done));
    expect(Math.abs(Number(at) - camera.clockMs())).toBeLessThan(3_000);
    const profiles = (await ask<{ $: { token: string } }[]>((done) => cam.getProfiles(done))) ?? [];
    expect(profiles.map(({ $ }) => String($.token))).toEqual(makes[make].profiles.map(({ token }) => token));
    const stream = await ask<{ uri: string }>((done) =>
      cam.getStreamUri({ protocol: "RTSP", profileToken: profiles[0]?.$.token ?? "" }, done),
    );
    expect(stream?.uri).toBe(makes[make].stream("127.0.0.1", 0));
  });
});

const refused = (change: Partial<OnvifState>, options: Partial<CamOptions> = {}) =>
  start("dahua", { credential, ...change }).then(async (camera) => {
    const cam = await connect(camera, options);
    return ask((done) => cam.getDeviceInformation(done)).then(
      () => false,
      () => true,
    );
  });

test.each([
  ["a token two hours from the box, as its clock is", { clockOffsetMs: 7_200_000 }, {}, false],
  ["the right password", {}, {}, false],
  ["a wrong password", {}, { password: "other" }, true],
  ["a wrong user", {}, { username: "root" }, true],
  ["MD5 digest", { login: "md5" }, { useWSSecurity: false }, false],
  ["SHA-256 digest", { login: "sha-256" }, { useWSSecurity: false }, false],
  ["the stronger of two digests", { login: "both" }, { useWSSecurity: false }, false],
  ["a digest of a wrong password", { login: "md5" }, { useWSSecurity: false, password: "other" }, true],
  ["nothing but a digest, on a camera that wants a token", {}, { useWSSecurity: false }, true],
] as const)("refuses as a camera does: %s", async (_, change, options, isRefused) => {
  expect(await refused(change, options)).toBe(isRefused);
});

test("a token by the box's clock is refused by a camera that is two hours wrong", async () => {
  const camera = await start("dahua", { credential });
  const cam = await connect(camera);
  camera.set({ clockOffsetMs: -7_200_000 });
  await expect(ask((done) => cam.getDeviceInformation(done))).rejects.toThrow(/authorized/);
});

test("speaks TLS with a certificate that nobody signed", async () => {
  const camera = await start("hikvision", { credential }, selfSigned());
  await expect(connect(camera, { useSecure: true })).rejects.toThrow(/self-signed/);
  const cam = await connect(camera, { useSecure: true, secureOpts: { rejectUnauthorized: false } });
  expect(await ask((done) => cam.getDeviceInformation(done))).toMatchObject({ manufacturer: "HIKVISION" });
});

test("its signs are pulled by another client, which can renew and unsubscribe", async () => {
  const camera = await start("dahua", { credential });
  const cam = await connect(camera);
  const heard: { topic: { _: string } }[] = [];
  cam.on("event", (message: { topic: { _: string } }) => heard.push(message));
  await until("it has subscribed", 10_000, () => camera.subscriptions.size === 1);
  camera.emit("tns1:RuleEngine/TamperDetector/Tamper", { name: "IsTamper", value: "true" });
  await until("the sign is heard", 10_000, () => heard.length === 1);
  expect(heard[0]?.topic._).toMatch(/Tamper$/);
  await until("it has renewed", 10_000, () => camera.seen.some(({ operation }) => operation === "Renew"));
  cam.removeAllListeners("event");
  await ask((done) => cam.unsubscribe(done));
  expect(camera.subscriptions.size).toBe(0);
});

test("SetSystemDateAndTime moves its clock", async () => {
  const camera = await start("hikvision", { credential, clockOffsetMs: 7_200_000 });
  const cam = await connect(camera);
  await ask((done) => cam.setSystemDateAndTime({ dateTime: new Date(), dateTimeType: "Manual" }, done));
  expect(Math.abs(camera.clockMs() - Date.now())).toBeLessThan(3_000);
});
