/** The trial at acceptance: real recorders on simulated cameras, killed in the middle. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TrialCamera, tryCameras } from "../../agent/killtrial.ts";
import { makeClock } from "../../hal/clock.ts";
import { findTools, killRecorders, makeRecorder } from "../../hal/recorder.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { markedBy } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const login = { username: "agent", password: "mat-khau" };
const clock = makeClock({ driver: "none" });
let cameras: Cameras;
beforeAll(async () => {
  cameras = await startCameras({ count: 2, seconds: 120, digest: `${login.username}:${login.password}` });
}, 60_000);
afterAll(() => cameras.stop());

const camera = (id: string, url: string | null, password = login.password): TrialCamera => ({
  ...{ id, url, credential: { ...login, password }, transport: "auto" },
});
const meansIn = (folder: string) => ({
  ...{ clock, recorder: makeRecorder(findTools(folder), clock), kill: () => killRecorders(folder) },
});

test("what is killed in the middle is on disk but for its last moment; what cannot be tried says why; nothing is left", async () => {
  const folder = join(tempFolder("trial"), ".trial");
  const all = [
    camera("good", cameras.url("sub1")),
    camera("hevc", cameras.url("h265")),
    camera("stranger", cameras.url("sub1"), "sai"),
    camera("elsewhere", "rtsp://127.0.0.1:9/x"),
    camera("unknown", null),
  ];
  const results = await tryCameras(meansIn(folder), all, folder, 6_000, new AbortController().signal);
  for (const id of ["good", "hevc"]) {
    const result = results.get(id);
    expect(result, id).toMatchObject({ kind: "killed" });
    if (result?.kind !== "killed") continue;
    expect(result.recordedMs).toBeGreaterThan(2_000);
    // A file that was lost as a whole would miss all of it.
    expect(result.lostMs).toBeLessThan(result.recordedMs / 2);
  }
  expect(results.get("stranger")).toEqual({ kind: "failed", why: "refused-password" });
  expect(results.get("elsewhere")).toEqual({ kind: "failed", why: "refused-connection" });
  expect(results.get("unknown")).toEqual({ kind: "failed", why: "no-address" });
  expect([existsSync(folder), markedBy(folder)]).toEqual([false, []]);
}, 60_000);

test("who stops it has no result and leaves nothing", async () => {
  const folder = join(tempFolder("trial"), ".trial");
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 2_000);
  const results = await tryCameras(meansIn(folder), [camera("good", cameras.url("sub1"))], folder, 60_000, stop.signal);
  expect([results.size, existsSync(folder), markedBy(folder)]).toEqual([0, false, []]);
}, 60_000);
