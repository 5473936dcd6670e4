/** Evidence of a stretch that met rotation, a power cut and a step of the clock says all three, on the sheet too. Needs root. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Manifest } from "../../agent/core/manifest.ts";
import { vietnamTime } from "../../agent/core/time.ts";
import { type Agent, ask, matghi, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, repository, startCameras } from "../lib/cameras.ts";
import { filesUnder } from "../lib/footage.ts";
import { newBoot } from "../lib/powercut.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("handed-out");
const footage = join(folder, "footage");
const offset = join(folder, "offset");
const minuteMs = 60_000;
/** The clock was behind by so much, longer than footage is kept: what was recorded before the cut is over age once it is set right. */
const behindMs = 40 * minuteMs;
const beganAt = Date.now();
let cameras: Cameras;
let agent: Agent;
let config = "";

const closed = () => filesUnder(footage).filter((name) => name.endsWith(".mkv"));
type Events = { readonly events: readonly { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[] };

beforeAll(async () => {
  cameras = await startCameras({ count: 1, seconds: 180 });
  config = writeSite({
    folder,
    cameras: [`id: sub1, name: Chợ Tre, url: "${cameras.url("sub1")}"`],
    recording: "segment: 5s, keep: { min: 0s, max: 30min }, limit: { free: 0B }",
    more: [`clock: { driver: script, offset: ${offset} }`],
  });
  writeFileSync(offset, "0");
  agent = startAgent(config, {}, newBoot(folder));
  await until("there is footage", 60_000, () => closed().length >= 2);
  await agent.kill9();
  const old = closed();
  agent = startAgent(config, {}, newBoot(folder));
  await until("there is footage after the cut", 60_000, () => closed().length >= old.length + 2);
  writeFileSync(offset, String(behindMs));
  const young = closed().filter((name) => !old.includes(name));
  await until("what is over age is gone", 60_000, () => closed().every((name) => !old.includes(name)));
  await until("there is footage after the step", 60_000, () => closed().length >= young.length + 1);
}, 240_000);
afterAll(async () => {
  await agent.stop();
  await cameras.stop();
});

test("manifest and sheet state the deleted span, the power cut with its evidence, and the step with what it set right", async () => {
  const out = join(folder, "out");
  const [fromAt, toAt] = [beganAt, Date.now() + behindMs];
  const answer = await matghi([
    ...["export", "--config", config, "--camera", "sub1", "--from", new Date(fromAt).toISOString(), "--to", new Date(toAt).toISOString()],
    ...["--request", "CV 12", "--agency", "Công an xã", "--officer", "Nguyễn Văn A", "--purpose", "xác minh", "--out", out],
  ]);
  expect([answer.code, answer.stderr]).toEqual([1, expect.stringMatching(/^Sẽ chép .*, mất khoảng \d+ giây\.\n$/)]);
  const text = readFileSync(join(out, "manifest.json"), "utf8");
  const { boxClock, cameras: shown, answer: said } = JSON.parse(text) as Manifest;
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(join(repository, "deploy/manifest.schema.json"), "utf8")) as object,
  );
  expect(validate(JSON.parse(text)) ? [] : validate.errors).toEqual([]);
  const [camera] = shown;
  const missing = camera?.missing ?? [];
  expect(said).toBe("partial");
  // In this order: rotation took what was before the cut, the cut, and nothing of what the step has dated anew.
  expect(
    missing.map((hole) => (hole.kind === "gap" ? hole.cause : hole.kind)).filter((what) => what !== "unknown" && what !== "camera"),
  ).toEqual(["deleted", "box-power"]);
  const [deleted, cut] = [
    missing.find(({ kind }) => kind === "deleted"),
    missing.find((hole) => hole.kind === "gap" && hole.cause === "box-power"),
  ];
  expect(deleted).toMatchObject({ why: "age" });
  expect(cut).toMatchObject({ sure: "inferred", evidence: expect.arrayContaining(["boot-changed", "no-clean-stop"]) });
  expect(Date.parse(cut?.to ?? "") - Date.parse(cut?.from ?? "")).toBeGreaterThan(behindMs - minuteMs);
  const { events } = await ask<Events>(config, ["events", "--type", "clock.step", "--from", new Date(beganAt).toISOString()]);
  const stepMs = Number(events[0]?.data.stepMs);
  expect(Math.abs(stepMs - behindMs)).toBeLessThan(1_000);
  expect(boxClock.steps).toEqual([{ at: expect.stringMatching(/Z$/), stepMs, trust: "synced" }]);
  // Files that were recorded before the step stand where they truly were.
  const [first] = camera?.segments ?? [];
  expect(Date.parse(first?.from ?? "")).toBeGreaterThan(beganAt + behindMs);
  expect(Date.parse(first?.from ?? "")).toBeLessThan(Date.parse(boxClock.steps[0]?.at ?? ""));
  const html = readFileSync(join(out, "PHIEU-TRICH-XUAT.html"), "utf8");
  for (const fact of ["đã xóa", "mất điện tại nơi đặt đầu ghi", "Đồng hồ đầu ghi được chỉnh lại", "tới trước"])
    expect(html).toContain(fact);
  for (const at of [deleted?.from, cut?.from, cut?.to, boxClock.steps[0]?.at]) expect(html).toContain(vietnamTime(Date.parse(at ?? "")));
  expect((await matghi(["verify", out])).code).toBe(0);
});
