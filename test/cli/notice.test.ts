/** `matghi notice`: every fact that a household is owed, as text, from the settings, the register and what was recorded. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { noticeHtml } from "../../agent/core/notice.ts";
import { openStore } from "../../agent/store/store.ts";
import { matghi, writeSite } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("notice");
const odd = `../../x "'<b>&amp;</b>`;
const out = join(folder, "notice.html");
const beganAt = Date.now() - 3_600_000;
let config = "";

beforeAll(() => {
  config = writeSite({
    folder,
    cameras: [
      `id: cho, name: ${JSON.stringify(odd)}, household: ho-07, url: "rtsp://127.0.0.1:9/"`,
      `id: truong, name: Trường, household: ho-08, url: "rtsp://127.0.0.1:9/"`,
    ],
    recording: `segment: 5s, keep: { max: 20d, rule: ${JSON.stringify(odd)} }`,
    more: [
      "households: [ { id: ho-07, router: 127.0.0.1, reach: wan }, { id: ho-08 } ]",
      'report: { unit: Công an xã Nghĩa Phương, dutyPhone: "0255 3000 113" }',
    ],
  });
  const store = openStore(join(folder, "state"));
  const { run } = store.begin({ bootId: "b1", wallMs: beganAt, monoMs: 0, clock: "synced", version: "test", above: 0 });
  const extraction = (id: string, request: string, kind: "export" | "refusal") => ({
    ...({ put: "register" } as const),
    entry: {
      ...{ at: Date.now(), request, officer: "Nguyễn Văn A" },
      facts: {
        ...{ kind, agency: null, case: "khac" as const, cameras: [id], from: null, to: null, why: null, manifestSha256: null },
        outcome: kind === "export" ? ("yes" as const) : ("no" as const),
      },
    },
  });
  store.commit([
    { put: "clock-step", at: beganAt, offsetMs: 0, clock: "synced" },
    {
      put: "segment",
      segment: {
        // 1 Mbit/s.
        ...{ camera: "cho", run, number: 0, startAt: beganAt, endAt: beganAt + 60_000, bytes: 7_500_000, sha256: "a".repeat(64) },
        ...({ stream: "main", clock: "synced", torn: false, namedMs: 0 } as const),
      },
    },
    ...[extraction("cho", "CV 1", "export"), extraction("cho", "cv 1", "export"), extraction("cho", "CV 2", "export")],
    ...[extraction("cho", "CV 3", "refusal"), extraction("truong", "CV 4", "export")],
    { put: "viewer-added", viewer: { who: "Trực ban", role: "cong-an", cameras: [], request: null, officer: "B", fromAt: beganAt } },
    { put: "viewer-added", viewer: { who: "Tổ 3", role: "to-bao-ve", cameras: ["truong"], request: null, officer: "B", fromAt: beganAt } },
  ]);
  store.close();
});
const run = (...args: readonly string[]) => matghi(["notice", "--config", config, ...args]);

test("one household's camera, its line, its viewers and its extractions of this quarter, and nobody's name", async () => {
  const answer = await run("--household", "ho-07", "--out", out, "--json");
  expect([answer.code, answer.stderr]).toEqual([0, ""]);
  expect(JSON.parse(answer.stdout)).toMatchObject({ household: "ho-07", cameras: ["cho"], file: out });
  const html = readFileSync(out, "utf8");
  for (const fact of [
    "Công an xã Nghĩa Phương",
    "hộ ho-07",
    "không ghi tiếng",
    "20 ngày",
    "0255 3000 113",
    "Được cấp quyền xem: Công an xã.",
  ])
    expect(html).toContain(fact);
  expect(html).toContain("internet của hộ khoảng 1,1 Mbit/giây, 11,3 GB mỗi ngày; tháng này đến nay 0,0 GB");
  expect(html).toContain("đã được trích xuất theo 2 yêu cầu");
  expect(html).not.toMatch(/<b>|undefined|null|NaN|src=|href=|<script|Nguyễn|CV 1|Trường/);
});

test("a camera on the box's own network costs the line nothing; what is not known is said", async () => {
  expect((await run("--household", "ho-08", "--out", out)).code).toBe(0);
  const html = readFileSync(out, "utf8");
  expect(html).toContain("24 giờ qua camera không ghi hình");
  expect(html).toContain("theo 1 yêu cầu");
  const facts = {
    ...{ unit: null, site: "s", household: "h", dutyPhone: null, rule: "", keepMaxDays: 30, audio: true, madeAt: beganAt },
    cameras: [{ name: "c", bytesPerSecond: 125_000, monthBytes: 0, isOverInternet: false, extractions: 0, viewers: [] }],
  };
  for (const language of ["vi", "en"] as const) expect(noticeHtml(facts, language)).not.toMatch(/undefined|null|NaN|\{\w+\}/);
  expect(noticeHtml(facts, "en")).toMatch(
    /pictures and sound.*network of the house only, some 1\.0 Mbit\/s \(10\.8 GB a day\).*nobody is registered/s,
  );
});

test("wrong use is refused with one line", async () => {
  for (const [args, code, text] of [
    [["--household", "ho-99", "--out", out], 3, /no camera belongs to household ho-99; there are: ho-07, ho-08/],
    [["--household", "ho-07"], 2, /--out/],
    [["--household", "ho-07", "--out", "/none/x.html"], 1, /choose one that is there/],
  ] as const) {
    const answer = await run(...args);
    expect([answer.code, answer.stdout]).toEqual([code, ""]);
    expect(answer.stderr).toMatch(text);
  }
});
