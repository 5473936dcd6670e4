/** `matghi setup` at a terminal: from an enrolment file to a station that has answered; wrong answers are asked again, who stops leaves nothing. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../../agent/config.ts";
import { addSite, type Enrolled } from "../../deploy/station/deeds.ts";
import { type Services, startServices } from "../../deploy/station/services.ts";
import { type Agent, matghi, startAgent, until } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { type Disk, makeDisk } from "../lib/disk.ts";
import { makeNetwork, type Network } from "../lib/netns.ts";
import { type OnvifCamera, startOnvif } from "../lib/onvif.ts";
import { type Responder, replyOf, scopesOf, startResponder } from "../lib/responder.ts";
import { makeStation } from "../lib/station.ts";
import { tempFolder } from "../lib/temp.ts";
import { atTerminal } from "../lib/terminal.ts";

const credential = { username: "quantri", password: "mat-khau rieng" };
const folder = tempFolder("setup-ask");
let [cameras, disk, onvif, responder, services, enrolled] = [] as unknown as [Cameras, Disk, OnvifCamera, Responder, Services, Enrolled];
// A line of its own: on the loopback other suites' cameras would answer too.
let line: Network;

beforeAll(async () => {
  disk = makeDisk(folder, "disk", 200);
  line = makeNetwork(1);
  const station = await makeStation();
  enrolled = addSite(station.place, "an-dai-1", join(station.place.run, "an-dai-1.matghi"));
  const network = { address: line.ours, inside: [] };
  [services, cameras] = await Promise.all([
    startServices(station.place),
    startCameras({ count: 2, seconds: 200, digest: `${credential.username}:${credential.password}`, network }),
  ]);
  // Its streams are those of a camera that can be recorded.
  const rewrite = (xml: string) => xml.replace(/rtsp:\/\/[^<]*/g, cameras.url("sub1"));
  onvif = await startOnvif("hikvision", { credential, rewrite }, null, line.ours);
  const shown = { endpoint: "urn:uuid:1", xaddrs: onvif.xaddr, scopes: scopesOf("HIKVISION%20DS-2CD2143G2-I", "DS-2CD2143G2-I") };
  responder = await startResponder({ address: line.ours, replies: [replyOf(shown)], type: null });
}, 90_000);
afterAll(async () => {
  await Promise.all([responder?.stop(), onvif?.stop(), cameras?.stop(), services?.stop()]);
  disk?.remove();
  line?.remove();
});

test("from the enrolment file to a station that has answered; each wrong answer is told and asked again", async () => {
  const config = join(folder, "etc/site.yaml");
  const options = ["--state", join(folder, "state"), "--interface", line.cable, "--segment", "5s", "--trial", "5", "--wait", "60"];
  const setting = atTerminal(
    ["setup", "--config", config, ...options],
    [
      [/Tệp đăng ký .*: /, `${folder}/none\r`],
      [/không có tệp này.*\n.*Tệp đăng ký .*: /, `${enrolled.file}\r`],
      [/Mã một lần .*: /, "aaaa-bbbb-cccc-dddd\r"],
      [/mã không mở được tệp.*\n.*Mã một lần .*: /, `${enrolled.code.toUpperCase()}\r`],
      [/Tệp đăng ký tốt: vị trí an-dai-1, xã nghia-phuong.*\nTên vị trí.*: /, "\r"],
      [/không để trống.*\n.*Tên vị trí.*: /, "Thôn An Đại 1\r"],
      [new RegExp(`Ổ cứng để lưu hình[\\s\\S]*${disk.mountPoint}/matghi \\(ổ loop\\d+, còn trống .*MB\\)[\\s\\S]*\\[1\\]: `), "/var/tmp\r"],
      [/nằm trên ổ của hệ điều hành.*\n.*\[1\]: /, "footage\r"],
      [/đường dẫn đầy đủ.*\n.*\[1\]: /, `${disk.mountPoint}/matghi\r`],
      [/Lấy camera từ đâu\?.*: /, "\r"],
      [/Lấy camera này\?.*: /, "K\r"],
      [/cần ít nhất một camera\.\nLấy camera từ đâu\?.*: /, "1\r"],
      [/Camera 1\/1: 198\.18\.[\d.]+ HIKVISION.*\n.*Lấy camera này\?.*: /, "\r"],
      [/Tên đăng nhập .*\[admin\]: /, `${credential.username}\r`],
      [/Mật khẩu \(không hiện khi gõ\): /, "sai-mat-khau\r"],
      [/từ chối đăng nhập.*\n.*Tên đăng nhập .*\[quantri\]: /, "\r"],
      [/Mật khẩu .*: /, `${credential.password}\r`],
      [/Đăng nhập được\.\n.*Tên camera \[HIKVISION .*\]: /, "Cổng làng\r"],
      [/Mã camera \[cong-lang\]: /, "Cổng\r"],
      [/Mã chỉ gồm.*\n.*Mã camera .*: /, "\r"],
      [/Tuyến, khu vực, thôn .*: /, "Quốc lộ 1A\r"],
      [/Mã hộ .*: /, "ho-07\r"],
      [/Trọng điểm\?.*: /, "c\r"],
      [/passwordFile: [\s\S]*Gõ CO .*: /, "co\r"],
    ],
    { ms: 150_000 },
  );
  let agent: Agent | null = null;
  try {
    // On a box systemd starts it, after the trial.
    await until(
      "the configuration and the trial",
      100_000,
      () => existsSync(config) && !existsSync(join(disk.mountPoint, "matghi/.trial")),
    );
    agent = startAgent(config);
    const { code, screen } = await setting;
    expect(code, screen).toBe(0);
    expect(screen).toMatch(/Cổng làng +h264 \d+x\d+ +\d+ +\d+,\d\d +\d,\d giây .* mất \d,\d giây/);
    expect(screen).toMatch(/Mọi camera đã có hình\.\nTrạm đã nhận\./);
    for (const secret of [credential.password, "sai-mat-khau", "BEGIN"]) expect(screen).not.toContain(secret);
    const loaded = loadConfig(config);
    expect(loaded.kind === "good" ? loaded.settings.cameras : []).toMatchObject([
      { id: "cong-lang", name: "Cổng làng", group: "Quốc lộ 1A", household: "ho-07", priority: true, username: credential.username },
    ]);
    const modeOf = (name: string) => statSync(join(folder, "etc", name)).mode & 0o777;
    expect(["site.yaml", "secrets/cong-lang", "station/site.key", "station/ca.crt"].map(modeOf)).toEqual([0o640, 0o600, 0o600, 0o644]);
    // Said again, it prints the sheet and changes nothing.
    const before = statSync(config).mtimeMs;
    const again = await matghi(["setup", "--sheet", "--config", config]);
    expect([again.code, statSync(config).mtimeMs]).toEqual([0, before]);
    expect(again.stdout).toMatch(/PHIẾU NGHIỆM THU[\s\S]*Trạm đã nhận\./);
  } finally {
    await agent?.stop();
  }
}, 180_000);

const alone = (etc: string) => [
  ...["setup", "--config", join(etc, "site.yaml"), "--no-station", "--name", "Thôn An Đại 1", "--commune", "nghia-phuong"],
  ...["--state", join(folder, "state-2"), "--folder", join(folder, "footage-2"), "--allow-system-disk", "--wait", "0"],
];

test("a table by a person: what is wrong with it is told, passwords are asked for and tried, the next camera takes the one before", async () => {
  const etc = join(folder, "etc-table");
  const [wrong, good] = [join(folder, "wrong.csv"), join(folder, "good.csv")];
  const row = (id: string, name: string) => `${id};Camera ${id};Thôn 1;${cameras.url(name)};${credential.username}`;
  writeFileSync(wrong, `\uFEFFMã;Tên;Thôn;Luồng;Tài khoản\r\n${row("cho", "sub1")}\r\n${row("cho", "sub1")}\r\n`);
  writeFileSync(good, `\uFEFFMã;Tên;Thôn;Luồng;Tài khoản\r\n${row("cho", "sub1")}\r\n${row("cong", "sub1")}\r\n`);
  const { code, screen } = await atTerminal(alone(etc), [
    [/Mã vị trí \[thon-an-dai-1\]: /, "\r"],
    [/Lấy camera từ đâu\?.*: /, "3\r"],
    [/gõ 1 hoặc 2\.\n.*: /, "2\r"],
    [/Tệp CSV .*: /, `${wrong}\r`],
    [/site\.yaml:\d+:\d+: .*cho[\s\S]*Tệp CSV .*: /, `${good}\r`],
    [/Mật khẩu của Camera cho, tài khoản quantri .*: /, "sai\r"],
    [/từ chối đăng nhập[\s\S]*Mật khẩu của Camera cho.*: /, `${credential.password}\r`],
    [/Đăng nhập được[\s\S]*Mật khẩu của Camera cong, .*Enter: như camera trước\): /, "\r"],
    [/Gõ CO .*: /, "CO\r"],
  ]);
  expect(code, screen).toBe(0);
  for (const id of ["cho", "cong"]) expect(readFileSync(join(etc, "secrets", id), "utf8")).toBe(`${credential.password}\n`);
  expect((await matghi(["check-config", "--config", join(etc, "site.yaml")])).code).toBe(0);
  expect(screen).not.toContain(credential.password);
});

test.each<[string, string]>([
  ["Ctrl-C", "\u0003"],
  ["Ctrl-D", "\u0004"],
])("who stops with %s has written nothing", async (_, key) => {
  const etc = join(folder, "etc-never");
  const { code, screen } = await atTerminal(alone(etc), [
    [/Mã vị trí .*: /, "\r"],
    [/Lấy camera từ đâu\?.*: /, key],
  ]);
  expect(code).toBe(1);
  expect(screen).toContain("Chưa ghi gì.");
  expect([existsSync(etc), existsSync(join(folder, "footage-2", ".matghi"))]).toEqual([false, false]);
});

test("who does not agree has written nothing", async () => {
  const etc = join(folder, "etc-never");
  const told = ["--id", "an-dai-1", "--camera", "id=cho,url=rtsp://127.0.0.1:9/"];
  const { code, screen } = await atTerminal([...alone(etc), ...told], [[/Gõ CO .*: /, "thôi\r"]]);
  expect([code, existsSync(etc)]).toEqual([1, false]);
  expect(screen).toContain("Chưa ghi gì.");
  expect(readdirSync(folder)).not.toContain("etc-never");
});
