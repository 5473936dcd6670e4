/** `matghi setup` by options: from nothing to an acceptance sheet, with real cameras; every refusal leaves nothing behind. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sealText, unsealText } from "../../agent/age.ts";
import { tunnelText } from "../../agent/core/tunnel.ts";
import { addSite } from "../../deploy/station/deeds.ts";
import { makeKeyPair } from "../../deploy/station/keys.ts";
import { type Agent, matghi, startAgent, until, writeSecret } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { makeStation } from "../lib/station.ts";
import { tempFolder } from "../lib/temp.ts";

const password = "mat-khau-rieng";
let cameras: Cameras;
beforeAll(async () => {
  cameras = await startCameras({ count: 2, digest: `agent:${password}` });
}, 90_000);
afterAll(() => cameras?.stop());

const siteOptions = (folder: string) => [
  ...["setup", "--config", join(folder, "etc/site.yaml"), "--id", "an-dai-1", "--commune", "nghia-phuong", "--name", "Thôn An Đại 1"],
  ...["--state", join(folder, "state"), "--folder", join(folder, "footage"), "--allow-system-disk"],
];

test("from nothing to recording: files, rights, sheet; no password in any output", async () => {
  const folder = tempFolder("setup");
  const secret = writeSecret(folder, "password", password);
  const config = join(folder, "etc/site.yaml");
  const told = ["cam1", "h265"].flatMap((name) => ["--camera", `id=${name},name=Cổng ${name},url=${cameras.url(name)}`]);
  const logins = ["--username", "agent", "--password-file", secret];
  const setting = matghi([
    ...siteOptions(folder),
    ...told,
    ...logins,
    "--segment",
    "5s",
    "--yes",
    "--no-start",
    "--trial",
    "6",
    "--wait",
    "50",
  ]);
  let agent: Agent | null = null;
  try {
    await until("the configuration", 20_000, () => existsSync(config));
    agent = startAgent(config);
    const answer = await setting;
    expect(answer.stdout).toContain("PHIẾU NGHIỆM THU – Thôn An Đại 1");
    for (const name of ["cam1", "h265"]) {
      expect(answer.stdout).toMatch(
        new RegExp(`Cổng ${name} +(?:h264|hevc) \\d+x\\d+ +\\d+ +\\d+,\\d\\d +\\d+,\\d giây .*\\d+,\\d ngày +mất \\d,\\d giây$`, "m"),
      );
      expect(statSync(join(folder, "etc/secrets", name)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(folder, "etc/secrets", name), "utf8")).toBe(`${password}\n`);
    }
    expect(answer.stdout).toContain("Mọi camera đã có hình.");
    // The trial's own files are gone.
    expect(readdirSync(join(folder, "footage")).filter((name) => name.startsWith(".trial"))).toEqual([]);
    expect(answer.code).toBe(0);
    expect(`${answer.stdout}${answer.stderr}${readFileSync(config, "utf8")}`).not.toContain(password);
    expect(statSync(config).mode & 0o777).toBe(0o640);
    expect((await matghi(["check-config", "--config", config])).code).toBe(0);
  } finally {
    await agent?.stop();
  }
}, 120_000);

test("cameras from a table, a household for each that is named, the old file kept", async () => {
  const folder = tempFolder("setup");
  const config = join(folder, "etc/site.yaml");
  const table = join(folder, "camera.csv");
  writeFileSync(table, "\uFEFFMã;Tên;Hộ;Luồng\ncho-1;Chợ 1;ho-01;rtsp://127.0.0.1:9/1\ncho-2;Chợ 2;ho-02;rtsp://127.0.0.1:9/2\n");
  const options = [...siteOptions(folder), "--table", table, "--yes", "--no-start", "--wait", "0"];
  expect(await matghi(options)).toMatchObject({ code: 0 });
  expect((await matghi(["check-config", "--config", config])).code).toBe(0);
  const again = await matghi(options);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain("--replace");
  const kept = () => readdirSync(join(folder, "etc")).filter((name) => /^site\.yaml\.\d{14}$/.test(name));
  const before = statSync(config).ino;
  // Told the same again, it changes nothing.
  expect(await matghi([...options, "--replace"])).toMatchObject({ code: 0, stderr: expect.stringContaining("không có gì thay đổi") });
  expect([statSync(config).ino, kept()]).toEqual([before, []]);
  expect(await matghi([...options, "--replace", "--keep-max", "20d"])).toMatchObject({ code: 0 });
  expect(kept()).toHaveLength(1);
}, 60_000);

test("by an enrolment file: site, station and tunnel are its own; what it holds is in no output", async () => {
  const folder = tempFolder("setup");
  const station = await makeStation();
  const given = addSite(station.place, "an-dai-1", join(station.place.run, "one"));
  const opened = unsealText(readFileSync(given.file, "utf8"), given.code);
  const [box, hub] = [makeKeyPair(), makeKeyPair()];
  const tunnel = { key: box.privateKey, address: "10.203.1.1", hub: { key: hub.publicKey, address: "10.203.0.1", endpoint: "tram:51820" } };
  const enrolment = { ...JSON.parse(opened.kind === "open" ? opened.text : "{}"), tunnel };
  const [file, code] = [join(folder, "one.matghi"), writeSecret(folder, "code", "abcd")];
  writeFileSync(file, sealText(JSON.stringify(enrolment), "abcd"));
  const [config, wireguard] = [join(folder, "etc/site.yaml"), join(folder, "wireguard/matghi.conf")];
  const [, , , ...told] = siteOptions(folder).filter((text) => !["--id", "an-dai-1", "--commune", "nghia-phuong"].includes(text));
  const options = ["setup", "--config", config, ...told, "--enroll", file, "--enroll-code-file", code, "--tunnel-file", wireguard];
  const answer = await matghi([...options, "--camera", "id=cho,url=rtsp://127.0.0.1:9/", "--yes", "--wait", "0"]);
  expect([answer.code, answer.stdout]).toEqual([0, ""]);
  expect(answer.stderr).toMatch(/systemctl enable --now wg-quick@matghi/);
  expect(answer.stderr).not.toMatch(/BEGIN|PrivateKey/);
  expect(answer.stderr).not.toContain(box.privateKey);
  expect(readFileSync(wireguard, "utf8")).toBe(tunnelText(tunnel));
  const modes = [wireguard, join(folder, "etc/station/site.key"), join(folder, "etc/station/ca.crt")].map(
    (path) => statSync(path).mode & 0o777,
  );
  expect(modes).toEqual([0o600, 0o600, 0o644]);
  expect((await matghi(["check-config", "--config", config])).code).toBe(0);
  const other = await matghi([...options, "--id", "an-dai-2", "--replace", "--yes", "--wait", "0"]);
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("the enrolment file is for an-dai-1")]);
}, 60_000);

test.each<[string, readonly string[], RegExp]>([
  ["no camera", [], /no camera: say --camera/],
  ["a camera that cannot be read", ["--camera", "name=x"], /--camera: a camera without id/],
  ["an id that the configuration refuses", ["--camera", "id=Cổng,url=rtsp://h/"], /site\.yaml:\d+:\d+: cameras.*id/],
  ["a password in the address", ["--camera", "id=cong,url=rtsp://a:bcd@h/"], /site\.yaml:\d+:\d+: /],
  ["a password file that others can read", ["--camera", "id=cong,url=rtsp://h/,username=a,password-file=OPEN"], /chmod 600/],
  ["nobody to agree", ["--camera", "id=cong,url=rtsp://h/"], /say --yes/],
  ["no number", ["--camera", "id=cong,url=rtsp://h/", "--wait", "soon"], /--wait soon/],
  ["a table that is not there", ["--table", "/nowhere.csv"], /nowhere\.csv: cannot be read \(ENOENT\)/],
  ["a table in an old encoding", ["--table", "OLD"], /not UTF-8; in Excel choose Save as, CSV UTF-8/],
  ["a login without its password", ["--camera", "id=cong,url=rtsp://h/,username=a"], /site\.yaml:\d+:\d+: .*passwordFile/],
  ["an enrolment file beside a station", ["--enroll", "/f", "--station", "mqtts://tram:8883"], /leave --station away/],
  ["an enrolment file without its code", ["--enroll", "OPEN"], /--enroll without --enroll-code-file/],
  ["no trial", ["--camera", "id=cong,url=rtsp://h/", "--trial", "-1"], /--trial -1: a number of seconds/],
])("refused without leaving anything: %s", async (_, more, message) => {
  const folder = tempFolder("setup");
  const open = join(folder, "open");
  writeFileSync(open, "x\n", { mode: 0o644 });
  const old = join(folder, "old.csv");
  // "Mã" as windows-1258 has it.
  writeFileSync(old, Buffer.from([0x4d, 0xe3, 0x3b, 0x0a]));
  mkdirSync(join(folder, "etc"));
  const answer = await matghi([...siteOptions(folder), ...more.map((text) => text.replace("OPEN", open).replace("OLD", old))]);
  expect(answer.stderr).toMatch(message);
  expect(answer.stderr, "no password is shown").not.toContain("bcd");
  expect(answer.code).toBe(2);
  expect(readdirSync(join(folder, "etc"))).toEqual([]);
});
