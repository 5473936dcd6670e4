/** `matghi delete`: what an officer deletes is gone, said, written down; what is held is not. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { take } from "../../agent/cli/mark.ts";
import { segmentPath } from "../../agent/core/path.ts";
import { shelfOf } from "../../agent/errands.ts";
import { readAudit } from "../../agent/store/audit.ts";
import { openStore, type Store } from "../../agent/store/store.ts";
import { makeFootage } from "../../hal/footage.ts";
import { matghi, startAgent, until, writeSite } from "../lib/agent.ts";
import { filesUnder } from "../lib/footage.ts";
import { withOptions } from "../lib/options.ts";
import { tempFolder } from "../lib/temp.ts";
import { atTerminal } from "../lib/terminal.ts";

const beganAt = Date.now() - 3 * 3_600_000 - (Date.now() % 60_000);
const minute = 60_000;
const at = (minutes: number) => new Date(beganAt + minutes * minute).toISOString();
let folder = "";
let config = "";
const footage = () => join(folder, "footage");

const segment = (camera: string, run: number, i: number) => ({
  ...{ camera, run, number: i, startAt: beganAt + i * minute, endAt: beganAt + (i + 1) * minute, bytes: 1_000 },
  ...({ sha256: "a".repeat(64), stream: "main", clock: "synced", torn: false, namedMs: 0 } as const),
});
function withStore<T>(act: (store: Store) => T): T {
  const store = openStore(join(folder, "state"));
  try {
    return act(store);
  } finally {
    store.close();
  }
}

/** Twenty minutes of two cameras, a file a minute, on a disk in service. */
beforeEach(async () => {
  folder = tempFolder("delete");
  config = writeSite({ folder, cameras: [`id: cho, name: Chợ Tre, url: "rtsp://127.0.0.1:9/"`, `id: nga-ba, url: "rtsp://127.0.0.1:9/"`] });
  mkdirSync(footage());
  await makeFootage(footage()).writeMark({ site: "an-dai-1", folder: "f1" });
  withStore((store) => {
    const { run } = store.begin({ bootId: "b1", wallMs: beganAt, monoMs: 0, clock: "synced", version: "test", above: 0 });
    store.commit([
      { put: "folder", folder: "f1" },
      { put: "clock-step", at: beganAt, offsetMs: 0, clock: "synced" },
    ]);
    for (const camera of ["cho", "nga-ba"]) {
      const numbered = Array.from({ length: 20 }, (_, i) => i);
      store.commit(numbered.map((i) => ({ put: "segment", segment: segment(camera, run, i) })));
      for (const i of numbered) {
        const path = join(footage(), segmentPath(segment(camera, run, i)));
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, Buffer.alloc(1_000, i));
      }
      store.commit([{ put: "page", camera, sinceAt: beganAt, coveredAt: beganAt + 20 * minute }]);
    }
    store.commit([{ put: "run-ended", run, end: "stopped", at: beganAt + 20 * minute }]);
  });
});

const odd = `../../x "'; rm -rf / <b>&amp;</b> $(id) %s`;
const deleting = (from: number, to: number, more: readonly string[] = []) =>
  withOptions(
    ["delete", "--config", config, "--camera", "cho", "--from", at(from), "--to", at(to), "--reason", "QĐ 7/2026", "--officer", odd],
    more,
  );
const files = (camera: string) => filesUnder(join(footage(), camera)).length;
const numbers = (camera: string) =>
  withStore((store) => store.segmentsTouching(camera, { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER }).map(({ number }) => number));
const untouched = () => expect([files("cho"), files("nga-ba"), numbers("cho").length, numbers("nga-ba").length]).toEqual([20, 20, 20, 20]);
const hold = (from: number, to: number) =>
  matghi([
    ...["hold", "add", "--config", config, "--camera", "cho", "--from", at(from), "--to", at(to)],
    ...["--request", "CV 12", "--officer", "A"],
  ]);

test("what goes is gone, in the ledger, the journal and the audit; the other camera's stays", async () => {
  const answer = await matghi(deleting(5.5, 10, ["--yes", "--json"]));
  expect([answer.code, answer.stderr]).toEqual([0, ""]);
  const body = JSON.parse(answer.stdout);
  expect(body).toEqual({ camera: "cho", from: at(5), to: at(10), files: 5, bytes: 5_000, kept: 0, stuck: 0, copies: 0, copying: 0 });
  expect([files("cho"), files("nga-ba")]).toEqual([15, 20]);
  expect(numbers("cho")).toEqual([0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  const events = await matghi(["events", "--type", "footage.deleted", "--json", "--config", config]);
  expect(JSON.parse(events.stdout).events.map(({ level, data }: { level: string; data: object }) => ({ level, data }))).toEqual([
    { level: "warn", data: { why: "by hand", segments: 5, bytes: 5_000, cameras: ["cho"], from: at(5), to: at(10) } },
  ]);
  expect(events.stdout).not.toContain("rm -rf");
  const entries = readAudit(join(folder, "state"));
  expect(entries.map(({ what, data }) => ({ what, data }))).toEqual([
    {
      what: "footage.deleted",
      data: { camera: "cho", from: at(5), to: at(10), files: 5, bytes: 5_000, copies: [], officer: odd, reason: "QĐ 7/2026" },
    },
  ]);
  const asked = ["footage", "--camera", "cho", "--from", at(4), "--to", at(11), "--config", config];
  expect(JSON.parse((await matghi([...asked, "--json"])).stdout)).toMatchObject({
    answer: "partial",
    recordedMs: 2 * minute,
    deletedMs: 5 * minute,
    spans: [{ kind: "footage" }, { kind: "deleted", why: "by hand", from: at(5), to: at(10) }, { kind: "footage" }],
  });
  expect((await matghi(asked)).stdout).toContain("đã xóa: cán bộ xóa theo yêu cầu");
  const report = ["report", "--period", "last-24h", "--config", config];
  expect(JSON.parse((await matghi([...report, "--json"])).stdout).total).toMatchObject({ byHandMs: 5 * minute, deletedMs: 5 * minute });
  expect((await matghi(report)).stdout).toMatch(/Cán bộ xóa theo yêu cầu: (dưới )?0,1 giờ-camera/);
});

test("held footage is not deleted, nor what lies beside it in the same wish, and the hold is named", async () => {
  await hold(9, 12);
  const answer = await matghi(deleting(0, 10, ["--yes"]));
  expect([answer.code, answer.stdout]).toEqual([1, ""]);
  expect(answer.stderr).toMatch(/held footage is not deleted: hold 1 \(CV 12\); .*matghi hold lift 1/);
  untouched();
  expect(readAudit(join(folder, "state")).map(({ what }) => what)).toEqual(["hold.added"]);
  expect((await matghi(deleting(0, 9, ["--yes"]))).code).toBe(0);
  expect(numbers("cho")).toEqual([9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
});

test("at a terminal it says what goes and waits for the word", async () => {
  const left = await atTerminal(deleting(5.5, 10), [[/Gõ XOA .*: $/, "x\r"]]);
  expect(left.code).toBe(1);
  expect(left.screen).toMatch(/Sẽ XÓA hẳn 5 tệp \(\d+ kB\) của camera Chợ Tre: \d\d:\d\d:00 .*rộng hơn.*Chưa xóa gì\./s);
  untouched();
  const closed = await atTerminal(deleting(5.5, 10), [[/Gõ XOA .*: $/, "\u0004"]]);
  expect(closed.code).toBe(1);
  untouched();
  expect(readAudit(join(folder, "state"))).toEqual([]);
  const done = await atTerminal(deleting(5.5, 10), [[/Gõ XOA .*: $/, "xoa\r"]]);
  expect(done.code).toBe(0);
  expect(done.screen).toMatch(/Đã xóa 5 tệp/);
  expect(files("cho")).toBe(15);
});

test("where nobody can be asked it does nothing without --yes", async () => {
  const answer = await matghi(deleting(5, 10));
  expect([answer.code, answer.stdout]).toEqual([2, ""]);
  expect(answer.stderr).toMatch(/5 tệp .*say --yes/);
  untouched();
});

test("on a disk that is not there nothing counts as deleted; the copies go, as the audit says", async () => {
  lay("a1", "0000000000000001", "cho", [9, 30]);
  lay("b1", "0000000000000002", "cho", [10, 20]);
  writeFileSync(join(footage(), ".matghi"), JSON.stringify({ site: "an-dai-1", folder: "another" }));
  const answer = await matghi(deleting(5, 10, ["--yes"]));
  expect([answer.code, answer.stdout]).toEqual([1, ""]);
  expect(answer.stderr).toMatch(/other-disk; what is left was not touched/);
  untouched();
  expect(readAudit(join(folder, "state")).at(-1)?.data.copies).toEqual(["a1/0000000000000001"]);
  expect(shelves()).toEqual(["0000000000000002", "0000000000000002.about"]);
});

test("beside a running agent, whose figures follow", async () => {
  const agent = startAgent(config);
  try {
    const used = async () => (await agent.ask<{ disk: { usedBytes: number } }>("status")).disk.usedBytes;
    await until("it has counted its files", 20_000, async () => (await used()) === 40_000);
    expect((await matghi(deleting(0, 20, ["--yes"]))).code).toBe(0);
    expect(files("cho")).toBe(0);
    await until("it has seen that they are gone", 20_000, async () => (await used()) === 20_000);
    expect(agent.lines().filter(({ level }) => level === "error")).toEqual([]);
  } finally {
    expect(await agent.stop()).toBe(0);
  }
  expect(existsSync(join(footage(), "nga-ba"))).toBe(true);
  expect((await matghi(["repair", "--dry-run", "--config", config])).code).toBe(0);
});

/** A copy on an officer's shelf, of that many minutes; null: it does not say. */
function lay(key: string, id: string, camera: string, minutes: readonly [number, number] | null, ending = ""): string {
  const place = join(shelfOf(join(folder, "state"), key), id);
  mkdirSync(`${place}${ending}/original`, { recursive: true });
  writeFileSync(`${place}${ending}/original/x.mkv`, "x");
  const at = (minute_: number) => beganAt + minute_ * minute;
  const about = minutes === null ? "{" : JSON.stringify({ cameras: ["nga-ba", camera], fromAt: at(minutes[0]), toAt: at(minutes[1]) });
  writeFileSync(`${place}.about`, about);
  return place;
}
const shelves = () => ["a1", "b1"].flatMap((key) => readdirSync(shelfOf(join(folder, "state"), key)).sort());

test("copies that officers' keys had made of it go too, whole or not, and the audit says which; those of other times and cameras stay", async () => {
  lay("a1", "0000000000000001", "cho", [9, 30]);
  lay("a1", "0000000000000002", "cho", [0, 3], ".unfinished");
  lay("b1", "0000000000000003", "cho", null, ".sheet");
  lay("b1", "0000000000000004", "cho", [10, 20]);
  lay("b1", "0000000000000005", "truong", [0, 20]);
  // Refused for want of room by a matghi that left its folder.
  const refused = lay("b1", "0000000000000006", "cho", [0, 20], ".unfinished");
  rmSync(`${refused}.unfinished/original/x.mkv`);
  const answer = await matghi(deleting(2.5, 9.5, ["--yes", "--json"]));
  expect([answer.code, JSON.parse(answer.stdout)]).toMatchObject([0, { files: 8, copies: 3, copying: 0 }]);
  rmSync(`${refused}.unfinished`, { recursive: true });
  rmSync(`${refused}.about`);
  expect(shelves()).toEqual(["0000000000000004", "0000000000000004.about", "0000000000000005", "0000000000000005.about"]);
  expect(readAudit(join(folder, "state")).at(-1)?.data.copies).toEqual([
    "a1/0000000000000001",
    "a1/0000000000000002",
    "b1/0000000000000003",
  ]);
  // What has rotated away since is still there as a copy.
  const again = await matghi(deleting(2.5, 9.5, ["--yes"]));
  expect(again.code).toBe(3);
  lay("a1", "0000000000000001", "cho", [3, 4]);
  const last = await matghi(deleting(2.5, 9.5, ["--yes"]));
  expect([last.code, last.stdout]).toEqual([0, expect.stringContaining("Đã xóa 1 bản làm cho khóa lấy hình từ xa.")]);
  lay("a1", "0000000000000002", "cho", [9, 9.5]);
  const beside = await matghi(deleting(9, 11, ["--yes", "--json"]));
  expect([beside.code, JSON.parse(beside.stdout)]).toMatchObject([0, { files: 1, copies: 2 }]);
  expect(shelves()).toEqual(["0000000000000005", "0000000000000005.about"]);
});

test("while a copy of it is being made nothing goes, and whose it is is said", async () => {
  const place = lay("a1", "0000000000000001", "cho", [9, 30], ".unfinished");
  lay("b1", "0000000000000002", "cho", [0, 20]);
  expect(await take(`${place}.busy`)).toBe(true);
  const answer = await matghi(deleting(5, 10, ["--yes"]));
  expect([answer.code, answer.stderr]).toEqual([1, expect.stringMatching(/for key a1 just now .*run this again in a while/)]);
  untouched();
  expect(shelves()).toHaveLength(5);
  expect((await matghi(deleting(0, 5, ["--yes"]))).code).toBe(0);
  expect(shelves(), "of another time of it").toEqual(["0000000000000001.about", "0000000000000001.busy", "0000000000000001.unfinished"]);
});

const refusals = [
  [["--from", "09:00", "--to", "08:00"], 2, /swap them/],
  [["--camera", "nga-ba"], 2, /'nga-ba' is invalid\. cho was said before; say --camera once/],
  [["--from", "2020-01-01", "--to", "2020-01-02"], 3, /no closed footage of that stretch/],
  [["--reason", " "], 2, /--reason is empty/],
  [["--officer", "a\nb"], 2, /--officer holds a line break/],
] as const;

test("wrong use is refused with one line, and nothing goes", async () => {
  for (const [more, code, text] of refusals) {
    const answer = await matghi(deleting(5, 10, ["--yes", ...more]));
    expect([answer.code, answer.stdout]).toEqual([code, ""]);
    expect(answer.stderr).toMatch(text);
  }
  untouched();
});

test("a camera that is not there is refused, and those that are there are named", async () => {
  const answer = await matghi(deleting(5, 10, ["--yes"]).map((word) => (word === "cho" ? "none" : word)));
  expect([answer.code, answer.stderr]).toEqual([3, expect.stringContaining("no camera none; there are: cho, nga-ba")]);
});

test("without a reason or an officer it is refused", async () => {
  for (const option of ["--reason", "--officer"]) {
    const all = deleting(5, 10, ["--yes"]);
    const place = all.indexOf(option);
    expect((await matghi([...all.slice(0, place), ...all.slice(place + 2)])).code).toBe(2);
  }
  untouched();
});
