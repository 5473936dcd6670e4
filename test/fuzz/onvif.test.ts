/** Replies of ONVIF cameras of three makes, each call's changed under way: a result of the port, sound or a reason, never a throw beside it. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCameraPort } from "../../hal/camera.ts";
import { makeClock } from "../../hal/clock.ts";
import type { CameraSign } from "../../hal/ports.ts";
import { sleep } from "../lib/agent.ts";
import type { Make } from "../lib/makes.ts";
import { type OnvifCamera, startOnvif } from "../lib/onvif.ts";
import { fuzz, mutated, mutationsOf } from "./budget.ts";

const credential = { username: "admin", password: "s3cret&<pass>" };
const port = makeCameraPort({ clock: makeClock({ driver: "none" }) });
const cameras = new Map<Make, OnvifCamera>();
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);

beforeAll(async () => {
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
  for (const make of ["hikvision", "dahua", "xm"] as const) cameras.set(make, await startOnvif(make, { credential }));
});
afterAll(async () => {
  process.off("unhandledRejection", note);
  process.off("uncaughtException", note);
  for (const camera of cameras.values()) await camera.stop();
});

const pieces = [
  ...["<", ">", "</", "/>", "&", "&#0;", "&amp;", "<!--", "-->", "<![CDATA[", "]]>", "<__proto__>", "</__proto__>", "<constructor/>", '"'],
  ...["=", "\0", "\ufffe", "é", "<a", "xmlns:", "-1", "1e999", "NaN", "<tt:Year>99999</tt:Year>", "http://[::1", "rtsp://u:p@h/", "<?xml"],
];
const reasons = ["timeout", "refused", "password", "fault", "nonsense", "unsupported", "stopped"];

/** One line of bounded length without the password, at any depth of a result. */
function judge(value: unknown): void {
  if (typeof value === "string") {
    expect(value.length).toBeLessThanOrEqual(2_100);
    expect(value).not.toMatch(/[\r\n]/);
    expect(value).not.toContain(credential.password);
  } else if (typeof value === "number") expect(Number.isFinite(value), String(value)).toBe(true);
  else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) judge(inner);
}

/** Follows for a moment only: signs come at once or not at all. */
async function follow(camera: OnvifCamera): Promise<unknown> {
  const stop = new AbortController();
  const signs: CameraSign[] = [];
  const end = port.follow({ xaddr: camera.xaddr, credential }, (sign) => signs.push(sign), stop.signal);
  await Promise.race([end, sleep(20).then(() => camera.emit("tns1:VideoSource/SignalLoss", { name: "State", value: "true" }))]);
  await Promise.race([end, sleep(60)]);
  stop.abort();
  return [await end, signs];
}

test("clock, identity, streams, set clock and signs", async () => {
  const drawn = fc.record({
    make: fc.constantFrom<Make>("hikvision", "dahua", "xm"),
    call: fc.constantFrom("time", "identify", "describe", "describe", "setTime", "follow"),
    which: fc.nat(10),
    mutations: mutationsOf(pieces),
  });
  await fuzz("replies of ONVIF", drawn, async ({ make, call, which, mutations }) => {
    const camera = cameras.get(make);
    if (camera === undefined) throw new Error(make);
    let replies = 0;
    const rewrite = (xml: string) => {
      replies += 1;
      return replies - 1 === which ? mutations.reduce(mutated, xml) : xml;
    };
    camera.set({ rewrite });
    const target = { xaddr: camera.xaddr, credential };
    const result = call === "follow" ? await follow(camera) : await port[call](target, AbortSignal.timeout(10_000));
    judge(result);
    const [end] = Array.isArray(result) ? result : [result];
    if (end.kind === "failed") expect(reasons).toContain(end.reason);
    else expect(end.kind).toBe("ok");
    expect(unhandled).toEqual([]);
  });
});
