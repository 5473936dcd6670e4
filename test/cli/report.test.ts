/** `report` on a real database with a known history: one November of six cameras, written through the store. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../agent/config.ts";
import type { Write } from "../../agent/core/change.ts";
import { plainDating } from "../../agent/core/dating.ts";
import { daySummary, monthSummary } from "../../agent/core/summary.ts";
import type { Blame, Cause, Claim } from "../../agent/core/types.ts";
import { dayFacts, monthFacts, reportFacts } from "../../agent/facts.ts";
import { gapsOf } from "../../agent/query.ts";
import { openReads, openStore } from "../../agent/store/store.ts";
import { ask, matghi, writeSite } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("report");
const hourMs = 3_600_000;
const begin = Date.parse("2025-11-01T00:00:00+07:00");
const end = Date.parse("2025-12-01T00:00:00+07:00");
const at = (hours: number) => begin + hours * hourMs;
const monthHours = 720;
let config = "";

type Part =
  | readonly [kind: "footage", hours: number]
  | readonly [kind: "gap", hours: number, cause: Cause, fault: number]
  | readonly [kind: "unknown", hours: number];

const blameOf = (cause: Cause): Blame => ({
  ...{ cause, sure: "inferred", evidence: cause === "camera" ? ["refused-password", "port-answers"] : ["last-beat"] },
});
const segment = (camera: string, number: number, startAt: number, endAt: number): Write => ({
  put: "segment",
  segment: {
    ...{ camera, run: 1, number, startAt, endAt, bytes: 10, sha256: "ab".repeat(32), stream: "main", clock: "synced", torn: false },
    namedMs: 0,
  },
});

/** A camera's month, part after part. */
function writesOf(camera: string, parts: readonly Part[]): Write[] {
  let nowAt = begin;
  const writes = parts.flatMap((part, i): Write[] => {
    const fromAt = nowAt;
    nowAt += part[1] * hourMs;
    if (part[0] === "footage") return [segment(camera, i, fromAt, nowAt)];
    if (part[0] === "unknown") return [{ put: "unknown", camera, fromAt, toAt: nowAt, why: "journal reset" }];
    const claim: Claim = { blame: blameOf(part[2]), scope: `fault ${part[3]}` };
    return [
      { put: "gap-opened", camera, fromAt, claim, fault: part[3] },
      { put: "gap-closed", camera, toAt: nowAt, claim, fault: part[3] },
    ];
  });
  return [...writes, { put: "page", camera, sinceAt: begin, coveredAt: nowAt }, { put: "camera-left", camera, leftAt: nowAt }];
}

const month: Readonly<Record<string, readonly Part[]>> = {
  whole: [["footage", monthHours]],
  cut: [
    ["footage", 100],
    ["gap", 2, "house-power", 7],
    ["footage", 398],
    ["gap", 10, "weak-link", 8],
    ["footage", 210],
  ],
  dead: [
    ["footage", 100],
    ["gap", 2, "house-power", 7],
    ["footage", 198],
    ["gap", 420, "camera", 9],
  ],
  unclear: [
    ["footage", 600],
    ["unknown", 120],
  ],
  stopped: [
    ["footage", 360],
    ["gap", 6, "planned", 10],
    ["footage", 354],
  ],
};

beforeAll(() => {
  config = writeSite({
    folder,
    cameras: [
      'id: dead, name: "=Ngã ba chợ", group: "Quốc lộ 1A", priority: true, url: "rtsp://127.0.0.1:1/x"',
      'id: whole, name: Cổng làng, group: "Quốc lộ 1A", url: "rtsp://127.0.0.1:1/x"',
      `id: cut, name: Nhà văn hóa, group: "${"Tỉnh lộ 628".normalize("NFD")}", url: "rtsp://127.0.0.1:1/x"`,
      'id: unclear, group: "Tỉnh lộ 628", url: "rtsp://127.0.0.1:1/x"',
      'id: stopped, url: "rtsp://127.0.0.1:1/x", planned: [ { from: 2025-11-16T00:00+07:00, to: 2025-11-16T06:00+07:00, why: thay nguồn } ]',
      "id: ho-kd, kind: 1, manual: { checked: 2026-01-10 }",
    ],
    more: ["report: { unit: Công an xã Nghĩa Phương, recipients: [ 'Lưu: VT' ] }"],
  });
  mkdirSync(join(folder, "state"), { recursive: true });
  const store = openStore(join(folder, "state"));
  store.begin({ bootId: "boot", wallMs: begin, monoMs: 0, clock: "synced", version: "test", above: 0 });
  for (const [camera, parts] of Object.entries(month)) store.commit(writesOf(camera, parts));
  store.commit([{ put: "run-ended", run: 1, end: "stopped", at: end }]);
  store.close();
});

type Row = {
  id: string;
  group: string | null;
  dueMs: number;
  recordedMs: number;
  unknownMs: number;
  plannedMs: number;
  ratio: number | null;
  withheld: string | null;
  reachableMs: number | null;
  gaps: number;
  longestGapMs: number;
  byCause: Record<string, { count: number; ms: number }>;
  grade: string;
};
type Report = {
  period: string;
  from: string;
  to: string;
  cameras: Row[];
  groups: Row[];
  total: Row & { manualCameras: number };
  faults: object[];
};
const reportOf = (period: string) => ask<Report>(config, ["report", "--period", period]);
const lostMs = (row: Row) => Object.values(row.byCause).reduce((sum, { ms }) => sum + ms, 0);

describe("the numbers", () => {
  test("a month, camera by camera, group by group, in total", async () => {
    const found = await reportOf("2025-11");
    expect(found).toMatchObject({ period: "2025-11", from: "2025-10-31T17:00:00.000Z", to: "2025-11-30T17:00:00.000Z" });
    const rows = new Map(found.cameras.map((row) => [row.id, row]));
    expect(rows.get("whole")).toMatchObject({
      dueMs: 720 * hourMs,
      recordedMs: 720 * hourMs,
      ratio: 1,
      gaps: 0,
      byCause: {},
      grade: "good",
    });
    expect(rows.get("cut")).toMatchObject({
      ...{ recordedMs: 708 * hourMs, gaps: 2, longestGapMs: 10 * hourMs, ratio: 708 / 720 },
      byCause: { "house-power": { count: 1, ms: 2 * hourMs }, "weak-link": { count: 1, ms: 10 * hourMs } },
    });
    expect(rows.get("dead")).toMatchObject({ grade: "connected", reachableMs: (298 + 420) * hourMs, group: "Quốc lộ 1A", priority: true });
    expect(rows.get("unclear")).toMatchObject({ ratio: null, withheld: "too-much-unknown", unknownMs: 120 * hourMs });
    expect(rows.get("stopped")).toMatchObject({ dueMs: 714 * hourMs, plannedMs: 6 * hourMs, ratio: 1 });
    expect(rows.get("ho-kd")).toMatchObject({ dueMs: 0, ratio: null, manual: true, grade: "manual" });
    expect(found.groups.map(({ group, dueMs }) => [group, dueMs / hourMs])).toEqual([
      ["Quốc lộ 1A", 1440],
      ["Tỉnh lộ 628", 1440],
      [null, 714],
    ]);
    expect(found.total).toMatchObject({ manualCameras: 1, gaps: 4, plannedMs: 6 * hourMs });
    for (const row of [...found.cameras, ...found.groups, found.total])
      expect(row.recordedMs + lostMs(row) + row.unknownMs).toBe(row.dueMs);
    expect(found.cameras[0]?.id, "the worst first").toBe("dead");
  });

  test("a power cut of two cameras is one fault in clock time", async () => {
    const { faults } = await reportOf("2025-11");
    expect(faults).toMatchObject([
      {
        ...{ fault: 7, cause: "house-power", cameras: ["dead", "cut"], durationMs: 2 * hourMs, cameraMs: 4 * hourMs },
        ...{ from: new Date(at(100)).toISOString(), to: new Date(at(102)).toISOString() },
      },
      { fault: 9, cause: "camera", cameras: ["dead"] },
      { fault: 8, cause: "weak-link", cameras: ["cut"] },
    ]);
  });

  test("half months and the quarter add up to it", async () => {
    const [a, b, whole, quarter] = await Promise.all(
      ["2025-11-01..2025-11-15", "2025-11-16..2025-11-30", "2025-11", "2025-Q4"].map((period) => reportOf(period)),
    );
    for (const key of ["dueMs", "recordedMs", "unknownMs", "plannedMs"] as const) {
      expect((a?.total[key] ?? 0) + (b?.total[key] ?? 0), key).toBe(whole?.total[key]);
      expect(quarter?.total[key], key).toBe(whole?.total[key]);
    }
  });

  test("what is not yet or never due is no loss", async () => {
    for (const period of ["2099", "2001-02", "last-24h"]) {
      const { total } = await reportOf(period);
      expect(total, period).toMatchObject({ dueMs: 0, recordedMs: 0, unknownMs: 0, ratio: null, withheld: "nothing-due", gaps: 0 });
    }
  });
});

describe("the sheet", () => {
  test("reads like the paper, in Vietnamese time and with the definitions", async () => {
    const { code, stdout, stderr } = await matghi(["report", "--period", "2025-11", "--config", config]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^PHIẾU TÌNH TRẠNG HOẠT ĐỘNG HỆ THỐNG CAMERA AN NINH\nĐơn vị: Công an xã Nghĩa Phương\n/);
    expect(stdout).toContain("Kỳ: từ 01/11/2025 đến 30/11/2025");
    expect(stdout).toContain("1. Tổng số mắt camera: 06   (loại hình 1: 01; loại hình 2: 05)");
    expect(stdout).toMatch(/2\. Tỷ lệ ghi hình toàn hệ thống: 87,5%/);
    expect(stdout).toContain("Dài nhất: 17 ngày 12 giờ tại =Ngã ba chợ");
    expect(stdout).toMatch(
      /7\. TÌNH TRẠNG LÚC HẾT KỲ[^\n]*\n {3}1\) =Ngã ba chợ: lúc hết kỳ không ghi hình, từ 12:00 13\/11\/2025 \(camera hỏng, không phản hồi\); việc cần làm khi đó: /,
    );
    expect(stdout).toMatch(/1 {2}Mất điện tại vị trí lắp đặt +02 +4,0/);
    expect(stdout).toContain("Bảo trì có kế hoạch (ngoài giờ phải ghi)");
    expect(stdout).toContain("chưa phải kết luận xác minh");
    expect(stdout).toContain("Nơi nhận: Lưu: VT");
    expect(stdout).not.toMatch(/undefined|null|NaN|Infinity|\{\w+\}/);
  });

  test("is the same wherever the box believes to be", async () => {
    const texts = await Promise.all(
      ["UTC", "America/New_York", "Asia/Ho_Chi_Minh"].map(async (TZ) =>
        (await matghi(["report", "--period", "2025-11", "--config", config], { TZ })).stdout.replace(/lấy lúc: .*/, ""),
      ),
    );
    expect(new Set(texts).size).toBe(1);
  });

  test("its columns stand straight", async () => {
    const { stdout } = await matghi(["report", "--period", "2025-11", "--config", config]);
    const table = stdout.split("Bảng 1.")[1]?.split("\n\n")[0]?.split("\n").slice(1) ?? [];
    expect(table).toHaveLength(6);
    // The last column is of text: what a line holds before it is as wide in all of them.
    const width = (table[0] ?? "").normalize("NFC").indexOf("Ghi chú");
    for (const line of table) expect([...line.normalize("NFC").slice(0, width).trimEnd()], line).toHaveLength(width - 2);
  });
});

describe("as a page", () => {
  test("every line of the text stands in it, names are text, and it fetches nothing", async () => {
    const html = (await matghi(["report", "--period", "2025-11", "--format", "html", "--config", config])).stdout;
    const text = (await matghi(["report", "--period", "2025-11", "--config", config])).stdout;
    const plain = (page: string) =>
      page
        .replace(/<style>[\s\S]*<\/style>/, "")
        .replace(/<[^>]+>/g, " ")
        .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
        .replace(/\s+/g, " ");
    const shown = plain(html);
    const takenAt = /Số liệu lấy lúc|Data taken/;
    for (const line of text.split("\n").filter((row) => !/^-{2,}/.test(row) && !takenAt.test(row)))
      expect(shown).toContain(line.trim().replace(/\s+/g, " "));
    expect(html).not.toMatch(/undefined|NaN|src=|href=|<script/);
    expect(html).toContain("=Ngã ba chợ");
  });
});

describe("for Excel", () => {
  test("a byte order mark, a row each, decimal commas, and no formula", async () => {
    const file = join(folder, "thang-11.csv");
    const answer = await matghi(["report", "--period", "2025-11", "--format", "csv", "--out", file, "--config", config]);
    const body = readFileSync(file);
    expect(answer).toMatchObject({ code: 0, stdout: `đã ghi ${file} (${body.length} byte)\n` });
    expect([...body.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const lines = body.toString("utf8").slice(1).split("\r\n");
    expect(lines).toHaveLength(1 + 6 + 3 + 1 + 1);
    const columns = lines[0]?.split(";").length;
    for (const line of lines.slice(0, -1)) expect(line.split(";"), line).toHaveLength(columns ?? 0);
    expect(lines[1]).toMatch(/^"camera";"dead";"'=Ngã ba chợ";"Quốc lộ 1A";2;"có";/);
    expect(lines.find((line) => line.includes('"cut"'))).toContain(";720,000;708,000;0,000;0,000;98,3;");
    const printed = await matghi(["report", "--period", "2025-11", "--format", "csv", "--config", config]);
    expect(Buffer.from(printed.stdout).equals(body)).toBe(true);
  });
});

describe("--out", () => {
  test("replaces a report, and leaves nothing beside it", async () => {
    const place = tempFolder("out");
    const file = join(place, "r.json");
    writeFileSync(file, "old");
    const answer = await matghi(["report", "--period", "2025-11", "--json", "--out", file, "--config", config]);
    expect(JSON.parse(answer.stdout)).toEqual({ file, bytes: readFileSync(file).length });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ period: "2025-11" });
    expect(readdirSync(place)).toEqual(["r.json"]);
  });

  test("takes no device, no folder and no place that is not there", async () => {
    const link = join(folder, "link");
    symlinkSync("/dev/null", link);
    const out = (file: string) => matghi(["report", "--period", "2025-11", "--out", file, "--config", config]);
    for (const file of [link, folder])
      expect(await out(file)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("not a file") });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    const missing = join(folder, "nowhere", "r.txt");
    expect(await out(missing)).toMatchObject({ code: 1, stderr: expect.stringMatching(/nowhere is no folder; choose one/) });
    expect(existsSync(missing)).toBe(false);
  });
});

test.each([
  [["--period", "2025-13"], 2, /--period 2025-13: no such period; write 2026-11,.*last-24h/],
  [["--period", "2025-11", "--format", "pdf"], 2, /pdf: no such format; one of text, html, csv, json/],
  [["--period", "2025-11", "--format", "csv", "--json"], 2, /contradict/],
  [[], 2, /--period/],
] as const)("report %j is answered with %i and one line", async (args, code, text) => {
  const answer = await matghi(["report", ...args, "--config", config]);
  expect(answer).toMatchObject({ code, stdout: "" });
  expect(answer.stderr).toMatch(text);
  expect(answer.stderr.trim().split("\n")).toHaveLength(1);
});

test("the station is told the same of days and months", () => {
  const loaded = loadConfig(config, ["system-disk"]);
  const reads = openReads(join(folder, "state"));
  if (loaded.kind !== "good" || reads === null) throw new Error("no store");
  const asking = { settings: loaded.settings, reads, dating: plainDating, running: false, nowAt: Date.now() };
  expect(monthSummary(monthFacts(asking, "cut", "2025-11"))).toMatchObject({
    total: { dueMs: 720 * hourMs, recordedMs: 708 * hourMs, gaps: 2, byCause: { "house-power": { count: 1, ms: 2 * hourMs } } },
    faults: [{ fault: 7 }, { fault: 8 }],
  });
  const span = { fromAt: begin, toAt: end };
  for (const { camera, rows } of reportFacts(asking, span)) expect(rows, camera.id).toEqual(gapsOf(asking, camera.id, span));
  const day = daySummary(dayFacts(asking, "cut", "2025-11-05"));
  expect(day?.recordedMinutesByHour.map((minutes, hour) => (minutes < 60 ? hour : null)).filter((hour) => hour !== null)).toEqual([4, 5]);
  expect(day?.gaps.map(({ from, fault }) => [from, fault])).toEqual([[new Date(at(100)).toISOString(), 7]]);
  reads.close();
});

test("--json stands before the command's name as well", async () => {
  const answer = await matghi(["--json", "--config", config, "report", "--period", "2025-11"]);
  expect(JSON.parse(answer.stdout)).toMatchObject({ period: "2025-11" });
});
