/** `matghi enroll`: a file of the station, taken in by a box. The file is age's, opened by Debian's age too. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sealText, unsealText } from "../../agent/age.ts";
import { tunnelText } from "../../agent/core/tunnel.ts";
import { type Enrolment, flawOf, readEnrolment } from "../../agent/enrolment.ts";
import { addSite, type Enrolled } from "../../deploy/station/deeds.ts";
import { makeKeyPair } from "../../deploy/station/keys.ts";
import { type Answer, matghi } from "../lib/agent.ts";
import { makeStation, type Station } from "../lib/station.ts";
import { tempFolder } from "../lib/temp.ts";

let station: Station;
let given: Enrolled;
let other: Enrolled;
let renewed: Enrolled;
beforeAll(async () => {
  station = await makeStation();
  const issue = (id: string, name: string) => addSite(station.place, id, join(station.place.run, name));
  [given, other, renewed] = [issue("an-dai-1", "one"), issue("an-dai-2", "two"), issue("an-dai-1", "three")];
});

const yaml = (state: string) => `# Hộp ở nhà văn hóa
site: { id: an-dai-1, commune: nghia-phuong, name: "Thôn An Đại 1", state: ${state}/state } # không đổi mã

recording: # hình
  folder: ${state}/footage
  allowSystemDisk: true
station:
  url: mqtt://127.0.0.1:1883 # chạy thử
  username: an-dai-1 # sẽ bỏ
  passwordFile: ${state}/secret
  holds: { days: 12 } # theo quy chế
cameras:
  - id: cho # camera chợ
    url: rtsp://127.0.0.1:9/
`;
let folder = "";
let config = "";
beforeEach(() => {
  folder = tempFolder("enroll");
  config = join(folder, "site.yaml");
  writeFileSync(config, yaml(folder), { mode: 0o640 });
  writeFileSync(join(folder, "code"), `${given.code}\n`);
});
const enroll = (file = given.file, ...more: readonly string[]): Promise<Answer> =>
  matghi(["enroll", file, "--config", config, "--code-file", join(folder, "code"), ...more]);
const written = (name: string) => join(folder, "station", name);

test("certificate, key and authority stand beside the configuration, which names them and keeps all else", async () => {
  const answer = await enroll();
  expect([answer.code, answer.stderr]).toEqual([0, ""]);
  expect(answer.stdout).toMatch(/Đã nhận tệp đăng ký: vị trí an-dai-1 .*\n.*systemctl restart matghi/);
  expect(["ca.crt", "site.crt", "site.key"].map((name) => statSync(written(name)).mode & 0o777)).toEqual([0o644, 0o644, 0o600]);
  const text = readFileSync(config, "utf8");
  expect(statSync(config).mode & 0o777).toBe(0o640);
  for (const comment of yaml("").match(/#.*$/gm) ?? []) if (!/chạy thử|sẽ bỏ/.test(comment)) expect(text).toContain(comment);
  expect(text).toContain(`url: mqtts://127.0.0.1:${station.register().ports.mqtts}`);
  expect(text).not.toMatch(/username|passwordFile/);
  // A comment beside a section's name may move to the line below.
  const linesOf = (whole: string, left: RegExp) =>
    whole.split("\n").flatMap((line) => (left.test(line) || /^ *(#.*)?$/.test(line) ? [] : [line.replace(/:\s*#.*/, ":")]));
  expect(linesOf(text, /^ {2}(url|ca|cert|key):/)).toEqual(linesOf(yaml(folder), /^ {2}(url|username|passwordFile):/));
  const checked = await matghi(["check-config", "--config", config]);
  expect([checked.code, checked.stderr]).toEqual([0, ""]);
});

test("taken in twice, nothing is written twice; a renewed one replaces it", async () => {
  await enroll();
  const before = [config, written("site.key"), written("site.crt")].map((file) => statSync(file).ino);
  const again = JSON.parse((await enroll(given.file, "--json")).stdout);
  expect(again).toEqual({ site: "an-dai-1", url: expect.any(String), changed: false, endsAt: expect.any(String), tunnel: null });
  expect([config, written("site.key"), written("site.crt")].map((file) => statSync(file).ino)).toEqual(before);
  writeFileSync(join(folder, "code"), renewed.code);
  expect(JSON.parse((await enroll(renewed.file, "--json")).stdout)).toMatchObject({ changed: true });
});

test("the code may be typed in capitals, with spaces, into standard input", () => {
  const args = ["dist/agent/cli.js", "enroll", given.file, "--config", config];
  const input = `${given.code.toUpperCase().replaceAll("-", " ")}\n`;
  const said = execFileSync(process.execPath, args, { cwd: join(import.meta.dirname, "../.."), input, encoding: "utf8" });
  expect(said).toContain("Đã nhận");
});

describe("refused with the next step, and nothing is changed", () => {
  const damaged = () => {
    const file = join(folder, "damaged");
    writeFileSync(file, readFileSync(given.file, "utf8").replace(/\n(.{10})/, "\nAAAAAAAAAA"));
    return file;
  };
  test.each<[string, () => [string, string], number, RegExp]>([
    ["another code", () => [given.file, other.code], 2, /code does not open it/],
    ["no code", () => [given.file, ""], 2, /no code; type/],
    ["another box's file", () => [other.file, other.code], 2, /is for nghia-phuong\/an-dai-2, this box is nghia-phuong\/an-dai-1; take/],
    ["a damaged file", () => [damaged(), given.code], 2, /damaged.*copy it from the station again/],
    ["some other file", () => [config, given.code], 2, /damaged, or no enrolment file/],
    ["a folder", () => [folder, given.code], 2, /not an enrolment file/],
    ["no file", () => [join(folder, "none"), given.code], 3, /no such file/],
  ])("%s", async (_, make, code, message) => {
    const [file, secret] = make();
    writeFileSync(join(folder, "code"), secret);
    const answer = await enroll(file);
    expect(answer.code).toBe(code);
    expect(answer.stderr).toMatch(message);
    expect(answer.stderr.trim().split("\n")).toHaveLength(1);
    expect(readFileSync(config, "utf8")).toBe(yaml(folder));
    expect(statSync(join(folder, "station"), { throwIfNoEntry: false })).toBeUndefined();
  });
});

test("a tunnel is written for wg-quick, for root's eyes, before the configuration names an address in it", async () => {
  const { enrolment, tunnel } = withTunnel();
  const sealed = join(folder, "sealed");
  writeFileSync(sealed, sealText(JSON.stringify(enrolment), "abcd"));
  writeFileSync(join(folder, "code"), "abcd");
  const file = join(folder, "wireguard/matghi.conf");
  const taken = await enroll(sealed, "--tunnel-file", file);
  expect([taken.code, taken.stderr]).toEqual([0, ""]);
  expect(taken.stdout).toMatch(/systemctl enable --now wg-quick@matghi matghi-tunnel\.timer/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8")).toBe(tunnelText(tunnel));
  expect(readFileSync(file, "utf8")).toMatch(/Endpoint = tram\.example:51820\nAllowedIPs = 10\.203\.0\.1\/32\nPersistentKeepalive = 25\n/);
  expect(JSON.parse((await enroll(sealed, "--tunnel-file", file, "--json")).stdout)).toMatchObject({
    changed: false,
    tunnel: { address: "10.203.1.1", file },
  });
  writeFileSync(sealed, sealText(JSON.stringify({ ...enrolment, tunnel: { ...tunnel, address: "10.203.1.2" } }), "abcd"));
  expect((await enroll(sealed, "--tunnel-file", file)).stdout).toMatch(/systemctl restart wg-quick@matghi/);
  writeFileSync(config, yaml(folder));
  const refused = await enroll(sealed, "--tunnel-file", join(sealed, "matghi.conf"));
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/cannot be written.*sudo matghi enroll/)]);
  expect(readFileSync(config, "utf8")).toBe(yaml(folder));
});

/** This site's enrolment, as a station with tunnels makes it. */
function withTunnel() {
  const opened = unsealText(readFileSync(given.file, "utf8"), given.code);
  const enrolment = opened.kind === "open" ? readEnrolment(opened.text) : null;
  if (enrolment === null) throw new Error("the enrolment file does not open");
  const [box, hub] = [makeKeyPair(), makeKeyPair()];
  const tunnel = {
    key: box.privateKey,
    address: "10.203.1.1",
    hub: { key: hub.publicKey, address: "10.203.0.1", endpoint: "tram.example:51820" },
  };
  return { tunnel, enrolment: { ...enrolment, tunnel } };
}

describe("what a file holds", () => {
  const open = ({ file, code }: Enrolled) => {
    const opened = unsealText(readFileSync(file, "utf8"), code);
    if (opened.kind !== "open") throw new Error(opened.why);
    return JSON.parse(opened.text) as Enrolment;
  };
  test("is whole, and any mixture of two is found", () => {
    const [one, two] = [open(given), open(other)];
    const now = Date.now();
    expect(flawOf(one, now)).toBeNull();
    expect(flawOf({ ...one, key: two.key }, now)).toBe("other-key");
    expect(flawOf({ ...one, cert: two.cert, key: two.key }, now)).toBe("other-site");
    expect(flawOf({ ...one, ca: one.cert }, now)).toBe("not-by-ca");
    expect(flawOf({ ...one, cert: "-----BEGIN" }, now)).toBe("no-certificate");
    expect(flawOf(one, now + 4 * 365 * 86_400_000)).toBe("over");
  });

  test("is none where the tunnel's fields could say something else to wg-quick", () => {
    const { enrolment, tunnel } = withTunnel();
    expect(readEnrolment(JSON.stringify(enrolment))).toEqual(enrolment);
    const { hub } = tunnel;
    for (const bad of [
      { ...tunnel, key: `${tunnel.key}\nPostUp = touch /tmp/x` },
      { ...tunnel, address: "10.0.0.1\nPostUp = x" },
      { ...tunnel, hub: { ...hub, endpoint: "tram.example:1\nPostUp = x" } },
      { ...tunnel, hub: { ...hub, address: "0.0.0.0/0" } },
      { ...tunnel, hub: null },
      null,
    ])
      expect(readEnrolment(JSON.stringify({ ...enrolment, tunnel: bad })), JSON.stringify(bad)).toBeNull();
  });

  test("its code has 79 bits and no letter that reads as another", () => {
    expect(given.code).toMatch(/^[abcdefghjkmnpqrstuvwxyz23456789]{4}(-[abcdefghjkmnpqrstuvwxyz23456789]{4}){3}$/);
    expect(given.code).not.toBe(renewed.code);
    expect(16 * Math.log2(31)).toBeGreaterThan(79);
  });
});

describe("sealed texts", () => {
  test("any change of the file is noticed", () => {
    const sealed = sealText("chào", "abcd");
    const body = Buffer.from(sealed.split("\n").slice(1, -2).join(""), "base64");
    expect(unsealText(sealed, "abcd")).toEqual({ kind: "open", text: "chào" });
    // Each try costs a scrypt: the first letters of every part.
    for (const at of [0, 25, 60, body.length - 1]) {
      const other = Buffer.from(body);
      other[at] = (other[at] ?? 0) ^ 1;
      const armored = `-----BEGIN AGE ENCRYPTED FILE-----\n${other.toString("base64")}\n-----END AGE ENCRYPTED FILE-----`;
      expect(unsealText(armored, "abcd").kind, String(at)).toBe("refused");
    }
  });

  test("a file that asks for more work than a box can give is refused at once", () => {
    const armored = Buffer.from(
      Buffer.from(sealText("x", "abcd").split("\n").slice(1, -2).join(""), "base64").toString("latin1").replace(" 16\n", " 22\n"),
      "latin1",
    ).toString("base64");
    const began = performance.now();
    expect(unsealText(`-----BEGIN AGE ENCRYPTED FILE-----\n${armored}\n-----END AGE ENCRYPTED FILE-----`, "abcd")).toEqual({
      kind: "refused",
      why: "damaged",
    });
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test("Debian's age opens them", () => {
    const file = join(folder, "sealed.age");
    writeFileSync(file, sealText("Trạm Nghĩa Phương", "abcd-efgh"));
    // age asks at a terminal only: script is one.
    const typed = execFileSync("script", ["-qec", `age -d -o ${file}.open ${file}`, "/dev/null"], {
      input: "abcd-efgh\n",
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(typed).not.toMatch(/error/);
    expect(readFileSync(`${file}.open`, "utf8")).toBe("Trạm Nghĩa Phương");
  });
});
