/** `matghi export` without arguments at a terminal: an officer who has never used it succeeds. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { Manifest } from "../../agent/core/manifest.ts";
import { vietnamTime } from "../../agent/core/time.ts";
import { matghi, writeSite } from "../lib/agent.ts";
import { minuteMs, writeRecorded } from "../lib/recorded.ts";
import { tempFolder } from "../lib/temp.ts";
import { atTerminal } from "../lib/terminal.ts";

const folder = tempFolder("ask");
const stick = join(folder, "stick");
const odd = `../../x "'; rm -rf $(pwd) <b> %s`;
const passphrase = "Cum mat khau, so 7";
const beganAt = Math.floor((Date.now() - 30 * minuteMs) / minuteMs) * minuteMs;
let config = "";

/** Two minutes of one camera, a file a minute. */
beforeAll(() => {
  mkdirSync(stick);
  config = writeSite({
    folder,
    cameras: [`id: truong, name: Trường, url: "rtsp://127.0.0.1:9/"`, `id: cho, name: Chợ Tre, url: "rtsp://127.0.0.1:9/"`],
  });
  writeRecorded({ folder, camera: "cho", beganAt, minutes: 2 });
});

/** `20:05 24/11/2026`, as an officer types it. */
const typed = (minutes: number) => vietnamTime(beganAt + minutes * minuteMs).replace(/^(\d\d:\d\d):\d\d/, "$1");

test("it asks for each thing, shows what there is, takes bad answers kindly, and ends with where it is and how to check it", async () => {
  const { code, screen } = await atTerminal(
    ["export", "--config", config],
    [
      [/Camera nào\? .*: /, "9\r"],
      [/Không có số đó.*\n.*Camera nào\? .*: /, "2\r"],
      [/Từ lúc nào\? .*: /, "hôm qua\r"],
      [/Chưa rõ giờ.*\n.*Từ lúc nào\? .*: /, "20:05 24/11/2020\r"],
      [/Đến lúc nào\? /, "20:06 24/11/2020\r"],
      [/Không có tệp hình nào.*\n.*Từ lúc nào\? .*: /, `${typed(0)}\r`],
      [/Đến lúc nào\? /, `${typed(2)}\r`],
      [/Theo văn bản số mấy, ngày nào\? /, "\r"],
      [/không để trống.*\n.*Theo văn bản số mấy, ngày nào\? /, "CV 12 ngày 25/11\r"],
      [/Cơ quan nào yêu cầu\? /, "Công an xã\r"],
      [/Cán bộ nào thực hiện .*\? /, `${odd}\r`],
      [/Để làm gì\? /, `${odd}\r`],
      [/Loại vụ việc\? 1 tai nạn giao thông, .*: /, "1\r"],
      [/Người chứng kiến .*: /, "\r"],
      [/Gõ số thứ tự, hoặc đường dẫn thư mục: /, `${folder}/none\r`],
      [/Không có thư mục đó.*\n.*đường dẫn thư mục: /, `${stick}\r`],
      [/Niêm phong bằng mật khẩu.*: /, "x\r"],
      [/Đề nghị gõ C.*\n.*Niêm phong bằng mật khẩu.*: /, "\r"],
      [/Nhấn Enter để bắt đầu.*: /, "\r"],
    ],
    { ms: 150_000 },
  );
  expect(code, screen).toBe(0);
  expect(screen).toMatch(/Chợ Tre: Có đủ hình của cả khoảng thời gian \(2 phút\)/);
  expect(screen).toMatch(/Sẽ chép .* vào .*stick, mất khoảng \d+ (giây|phút)/);
  const [made = ""] = readdirSync(stick);
  expect(made).toMatch(/^trich-xuat-an-dai-1-\d{8}-\d{4}$/);
  expect(screen).toContain(`Đã trích xuất vào: ${join(stick, made)}`);
  expect(screen).toContain(`matghi verify ${join(stick, made)}`);
  expect(screen.trim().split("\n").slice(-2)).toEqual([
    `Đang ghi nốt xuống ${stick}, đề nghị chưa rút USB…`,
    `Đã ghi hết xuống ${stick}. Có thể rút USB ra.`,
  ]);
  const { request, cameras } = JSON.parse(readFileSync(join(stick, made, "manifest.json"), "utf8")) as Manifest;
  expect(request).toMatchObject({
    paper: "CV 12 ngày 25/11",
    agency: "Công an xã",
    officer: odd,
    purpose: odd,
    case: "tngt",
    witness: null,
  });
  expect(cameras.map(({ id, segments }) => [id, segments.length])).toEqual([["cho", 2]]);
  expect((await matghi(["verify", join(stick, made)])).code).toBe(0);
});

test("sealed on an officer's word: the passphrase is asked twice, shown never, and two that differ hand nothing out", async () => {
  const target = join(folder, "sealed");
  mkdirSync(target);
  const talk = [
    [/Camera nào\? .*: /, "cho\r"],
    [/Từ lúc nào\? .*: /, `${typed(0)}\r`],
    [/Đến lúc nào\? /, `${typed(1)}\r`],
    [/văn bản số mấy.*\? /, "CV 13\r"],
    [/Cơ quan nào.*\? /, "Công an xã\r"],
    [/Cán bộ nào .*\? /, "Nguyễn Văn A\r"],
    [/Để làm gì\? /, "x\r"],
    [/Loại vụ việc\? .*: /, "2\r"],
    [/Người chứng kiến .*: /, "\r"],
    [/đường dẫn thư mục: /, `${target}\r`],
    [/Niêm phong bằng mật khẩu.*: /, "C\r"],
    [/Nhấn Enter để bắt đầu.*: /, "\r"],
    [/Mật khẩu niêm phong .*: /, `${passphrase}\r`],
  ] as const;
  const slip = await atTerminal(["export", "--config", config], [...talk, [/Nhập lại: /, "khac-mot-chut-thoi\r"]]);
  expect([slip.code, readdirSync(target)], slip.screen).toEqual([2, []]);
  const { code, screen } = await atTerminal(["export", "--config", config], [...talk, [/Nhập lại: /, `${passphrase}\r`]]);
  expect(code, screen).toBe(0);
  expect(slip.screen + screen).not.toContain(passphrase);
  const [zip = ""] = readdirSync(target).filter((name) => name.endsWith(".zip"));
  execFileSync("7z", ["x", `-p${passphrase}`, `-o${target}`, join(target, zip)], { stdio: "ignore" });
  expect((await matghi(["verify", join(target, zip.replace(/\.zip$/, ""))])).code).toBe(0);
});

test("a person who stops has handed nothing out", async () => {
  const target = join(folder, "never");
  mkdirSync(target);
  const { code, screen } = await atTerminal(
    ["export", "--config", config],
    [
      [/Camera nào\? .*: /, "cho\r"],
      [/Từ lúc nào\? .*: /, "\u0004"],
    ],
  );
  expect(code).toBe(1);
  expect(screen).toContain("Chưa trích xuất gì.");
  expect(readdirSync(target)).toEqual([]);
});

test("where nobody is at a terminal it asks nothing", async () => {
  const answer = await matghi(["export", "--config", config]);
  expect([answer.code, answer.stdout]).toEqual([2, ""]);
  expect(answer.stderr).toMatch(/required option '--camera <id>' not specified/);
  expect(existsSync(join(folder, "never.unfinished"))).toBe(false);
});
