/** `matghi register`: what was asked and answered, as the officer enters it and as report and station are told of it. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../agent/config.ts";
import { makeDating } from "../../agent/core/dating.ts";
import { monthMessage } from "../../agent/core/message.ts";
import { dayOf, monthOf } from "../../agent/core/period.ts";
import { monthSummary } from "../../agent/core/summary.ts";
import { monthFacts } from "../../agent/facts.ts";
import { readAudit } from "../../agent/store/audit.ts";
import { openReads, openStore } from "../../agent/store/store.ts";
import { matghi, writeSite } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("register");
const odd = `../../x "'; DROP TABLE register; -- <b>&amp;</b> $(id) %s`;
const beganAt = Date.now() - 3_600_000;
const minute = 60_000;
const at = (minutes: number) => new Date(beganAt + minutes * minute).toISOString();
let config = "";

beforeAll(() => {
  config = writeSite({ folder, cameras: [`id: cho, url: "rtsp://127.0.0.1:9/"`, `id: nga-ba, url: "rtsp://127.0.0.1:9/"`] });
  const store = openStore(join(folder, "state"));
  const { run } = store.begin({ bootId: "b1", wallMs: beganAt, monoMs: 0, clock: "synced", version: "test", above: 0 });
  const segment = {
    ...{ camera: "cho", run, number: 0, startAt: beganAt, endAt: beganAt + 10 * minute, bytes: 1_000, sha256: "a".repeat(64) },
    ...({ stream: "main", clock: "synced", torn: false, namedMs: 0 } as const),
  };
  store.commit([
    { put: "clock-step", at: beganAt, offsetMs: 0, clock: "synced" },
    { put: "segment", segment },
    { put: "page", camera: "cho", sinceAt: beganAt, coveredAt: beganAt + 10 * minute },
    { put: "doom", segments: [1], why: "age", at: beganAt },
    { put: "forget", segments: [1] },
    // As `export` enters what it handed out.
    {
      put: "register",
      entry: {
        ...{ at: Date.now(), request: "CV 11", officer: "Nguyễn Văn A" },
        facts: {
          ...{ kind: "export", agency: "Đội CSGT", case: "tngt", cameras: ["nga-ba"], from: beganAt, to: beganAt + minute },
          ...{ outcome: "yes", why: null, manifestSha256: "b".repeat(64) },
        },
      },
    },
    { put: "run-ended", run, end: "stopped", at: beganAt + 10 * minute },
  ]);
  store.close();
});
const run = (...args: readonly string[]) => matghi([...args, "--config", config]);
const json = async (...args: readonly string[]) => {
  const answer = await run(...args, "--json");
  expect([answer.code, answer.stderr]).toEqual([0, ""]);
  return JSON.parse(answer.stdout);
};

describe("in order", () => {
  test("a request that is answered no carries the officer's reason and the ledger's", async () => {
    const entry = await json(
      ...["register", "refuse", "--request", "CV 12", "--case", "trom-cap", "--reason", odd, "--agency", odd],
      ...["--camera", "cho", "--from", at(0), "--to", at(10)],
    );
    expect(entry).toMatchObject({ id: 2, kind: "refusal", outcome: "no", case: "trom-cap", cameras: ["cho"], from: at(0), to: at(10) });
    expect(entry.why).toContain(odd);
    expect(entry.why).toContain("đã xóa: quá thời hạn lưu trữ (10 phút)");
    expect(entry.officer).not.toBe("");
    const short = await run("register", "refuse", "--request", "CV 13", "--case", "tngt", "--reason", "ngoài góc nhìn", "--officer", "B");
    expect(short.stdout).toBe("Đã ghi sổ số 3: yêu cầu CV 13 – không có hình; lý do: ngoài góc nhìn\n");
  });

  test("a file that is handed in is hashed, and its receipt can be printed again", async () => {
    const file = join(folder, `a "'<b> %s.mp4`);
    writeFileSync(file, "film");
    const slip = join(folder, "slip.html");
    const args = ["--source", "ho-07", "--clock-error", "nhanh 3 phút", "--request", "CV 12", "--officer", odd];
    const entry = await json("register", "intake", file, ...args, "--out", slip);
    const sha256 = createHash("sha256").update("film").digest("hex");
    expect(entry).toMatchObject({ id: 4, kind: "intake", file: `a "'<b> %s.mp4`, bytes: 4, sha256, source: "ho-07", receipt: slip });
    const html = readFileSync(slip, "utf8");
    expect(html).toContain(sha256);
    expect(html).not.toMatch(/<b>/);
    const again = join(folder, "again.html");
    expect((await run("register", "receipt", "4", "--out", again)).code).toBe(0);
    expect(readFileSync(again, "utf8")).toBe(html);
  });

  test("who may view is dated, and a person's request has its day", async () => {
    expect(
      await json("register", "viewer", "add", "--who", "Tổ 3", "--role", "to-bao-ve", "--camera", "cho", "--officer", "B"),
    ).toMatchObject({
      ...{ id: 1, role: "to-bao-ve", cameras: ["cho"], to: null },
    });
    expect(await json("register", "viewer", "add", "--who", "Trực ban", "--role", "cong-an", "--officer", "B")).toMatchObject({ id: 2 });
    const gone = await json("register", "viewer", "remove", "1", "--officer", "B", "--reason", "hết nhiệm vụ");
    expect(gone.to).toMatch(/Z$/);
    expect((await run("register", "viewer", "remove", "1", "--officer", "B", "--reason", "x")).code).toBe(3);
    const asked = await json("register", "subject", "add", "--request", "Đơn 1", "--officer", "B");
    const { todo } = JSON.parse((await run("status", "--json")).stdout) as { todo: { type: string; text: string }[] };
    expect(todo.map(({ text }) => text).join()).toContain(`người dân số ${asked.id} phải trả lời`);
    expect((await run("register", "subject", "answer", String(asked.id), "--officer", "B", "--answer", "đã gửi")).code).toBe(0);
    expect((await run("register", "subject", "answer", String(asked.id), "--officer", "B", "--answer", "x")).code).toBe(3);
    expect((await run("status", "--json")).stdout).not.toContain("người dân");
  });

  test("the list, for people and machines; a period of which nothing is there is empty", async () => {
    const all = await json("register", "list");
    expect(all.entries.map(({ kind }: { kind: string }) => kind)).toEqual(["export", "refusal", "refusal", "intake", "subject"]);
    expect([all.requests, all.byCase]).toEqual([3, { tngt: { yes: 1, no: 1 }, "trom-cap": { no: 1 } }]);
    expect(all.viewers).toHaveLength(2);
    const text = (await run("register", "list", "--period", dayOf(Date.now()).slice(0, 4))).stdout;
    expect(text).toMatch(/03 yêu cầu; đủ 01; thiếu một phần 0; không có 02/);
    expect(text).toContain("đã trả lời");
    expect(text).not.toMatch(/undefined|null|NaN/);
    expect((await run("register", "list", "--period", "2020")).stdout).toBe("Sổ chưa có mục nào trong kỳ.\n");
  });

  test("the report has table 4 and the sums", async () => {
    const period = monthOf(Date.now());
    const { extractions } = await json("report", "--period", period);
    expect(extractions).toMatchObject({
      ...{ requests: 3, byCase: { tngt: { yes: 1, no: 1 }, "trom-cap": { no: 1 } } },
      viewers: { byRole: { "cong-an": 1, "to-bao-ve": 0 }, added: 2, removed: 1 },
    });
    const text = (await run("report", "--period", period)).stdout;
    expect(text).toMatch(/6\. Trích xuất: 03 yêu cầu; đủ 01; thiếu một phần 0; không có 02/);
    expect(text).toMatch(/Công an xã 01, Tổ bảo vệ ANTT 0, .*cấp mới 02, thu hồi 01/);
    expect(text).toMatch(/Bảng 4a\..*\n.*\n.*\n 1 +CV 11 +Đội CSGT +tai nạn giao thông +nga-ba/);
    const html = (await run("report", "--period", period, "--format", "html")).stdout;
    expect(html).toContain("Bảng 4a");
    expect(html).not.toMatch(/<b>/);
  });

  test("the station is told counts, and not one name, paper or reason", () => {
    const loaded = loadConfig(config, ["system-disk", "no-file"]);
    const reads = openReads(join(folder, "state"));
    if (loaded.kind !== "good" || reads === null) throw new Error("nothing to read");
    const asking = { reads, settings: loaded.settings, dating: makeDating(reads.boots()), running: false, nowAt: Date.now() };
    const months = ["cho", "nga-ba"].map((camera) => monthSummary(monthFacts(asking, camera, monthOf(Date.now()))));
    reads.close();
    expect(months.map((month) => month?.extractions)).toEqual([{ tngt: { no: 1 }, "trom-cap": { no: 1 } }, { tngt: { yes: 1 } }]);
    const sent = months.flatMap((month) =>
      month === null ? [] : [JSON.stringify(monthMessage({ commune: "c", site: "s" } as never, month))],
    );
    expect(sent).toHaveLength(2);
    expect(sent.join()).not.toMatch(/CV 1|Nguyễn|CSGT|DROP/);
  });

  test("all of it stands in the audit, whole", async () => {
    expect(readAudit(join(folder, "state")).map(({ what }) => what)).toEqual([
      ...["request.refused", "request.refused", "file.received", "viewer.added", "viewer.added", "viewer.removed"],
      ...["subject.asked", "subject.answered"],
    ]);
    expect((await run("audit", "--check")).code).toBe(0);
  });
});

test("wrong use is refused with one line, and nothing is entered", async () => {
  const refuse = ["register", "refuse", "--request", "CV", "--reason", "x"];
  const intake = ["--clock-error", "0", "--request", "CV", "--officer", "B"];
  mkdirSync(join(folder, "sub"));
  for (const [args, code, text] of [
    [[...refuse], 2, /--case/],
    [[...refuse, "--case", "x"], 2, /--case x: not one of tngt, /],
    [[...refuse, "--case", "tngt", "--camera", "none"], 3, /no camera none/],
    [[...refuse, "--case", "tngt", "--from", "08:00"], 2, /--from and --to belong together/],
    [[...refuse, "--case", "tngt", "--agency", "a\nb"], 2, /line break/],
    [["register", "intake", join(folder, "no"), "--source", "ho-07", ...intake], 3, /no such file/],
    [["register", "intake", join(folder, "sub"), "--source", "ho-07", ...intake], 2, /not a file/],
    [["register", "intake", config, "--source", "ho-07", ...intake, "--out", join(folder, "no/x.html")], 1, /no is no folder; choose one/],
    [["register", "intake", config, "--source", "Nguyễn Văn A", ...intake], 2, /a code of a-z/],
    [["register", "viewer", "add", "--who", "x", "--role", "boss", "--officer", "B"], 2, /--role boss: not one of cong-an/],
    [["register", "list", "--period", "x"], 2, /no such period/],
    [["register", "receipt", "1", "--out", join(folder, "x.html")], 2, /no file that was received/],
    [["register", "receipt", "99", "--out", join(folder, "x.html")], 3, /no number 99/],
    [["register", "keep"], 2, /unknown command/],
  ] as const) {
    const answer = await run(...args);
    expect([answer.code, answer.stdout], args.join(" ")).toEqual([code, ""]);
    expect(answer.stderr).toMatch(text);
    expect(answer.stderr.trim().split("\n")).toHaveLength(1);
  }
  expect(existsSync(join(folder, "x.html"))).toBe(false);
  expect((await json("register", "list")).entries).toHaveLength(5);
});
