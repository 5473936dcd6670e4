/** `matghi doctor`: faults planted one at a time on a running site, each found in the first line with the right next step. Needs root for a disk of its own. */
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { visit as examined } from "../../agent/cli/doctor.ts";
import { loadConfig } from "../../agent/config.ts";
import { type CheckLevel, checkJson, findings, levels, worstFirst } from "../../agent/core/checkup.ts";
import { wordsIn } from "../../agent/core/words.ts";
import { makeMachine } from "../../hal/machine.ts";
import { type Agent, matghi, startAgent, until, writeSecret, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { type Disk, makeDisk } from "../lib/disk.ts";
import { filesUnder } from "../lib/footage.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { description, startRtsp } from "../lib/rtsp.ts";
import { tempFolder } from "../lib/temp.ts";

type Check = { id: string; level: CheckLevel; text: string; because: string; next: string | null };

const folder = tempFolder("doctor");
const password = "mat-khau-1";
let cameras: Cameras;
let locked: Cameras;
let broker: Mosquitto;
let disk: Disk;
let agent: Agent;

const cameraOf = (id: string, url: string, more = "") => `id: ${id}, url: "${url}"${more}`;
const login = (file: string) => `, username: agent, passwordFile: ${file}`;
/** The site, with one thing changed. */
function site(change: { cameras?: readonly string[]; station?: string; place?: string; trust?: string } = {}): string {
  const place = change.place ?? folder;
  const trust = join(place, "trust");
  writeFileSync(trust, change.trust ?? "synced");
  return writeSite({
    folder: place,
    cameras: change.cameras ?? good(),
    station: change.station ?? `url: "${broker.url}"`,
    recording: "segment: 5s, limit: { free: 0B }, keep: { min: 0s }",
    more: [`clock: { driver: file, path: ${trust} }`],
  });
}
const good = () => [
  cameraOf("sub1", cameras.url("sub1")),
  cameraOf("aac", cameras.url("aac")),
  cameraOf("giay", cameras.url("badts")),
  cameraOf("kin", locked.url("sub1"), login(writeSecret(folder, "kin", password))),
];

async function visit(config: string, ...more: readonly string[]): Promise<readonly Check[]> {
  const answer = await matghi(["doctor", "--config", config, "--json", ...more]);
  expect(answer.stderr).toBe("");
  const { checks } = JSON.parse(answer.stdout) as { checks: Check[] };
  expect(answer.code).toBe(checks.some(({ level }) => level === "broken" || level === "attention") ? 1 : 0);
  expect(checks.map(({ level }) => levels.indexOf(level))).toEqual(checks.map(({ level }) => levels.indexOf(level)).sort());
  for (const { text, next } of checks) expect(`${text} ${next}`).not.toMatch(/[{}]|undefined|NaN/);
  expect(answer.stdout).not.toContain(password);
  return checks;
}

type Pem = { readonly key: string; readonly cert: string };
/** A certificate of its own signature for this machine; with negative days it has ended. */
function pem(name: string, days: number): Pem {
  const [key, cert, asked] = [join(folder, `${name}.key`), join(folder, `${name}.crt`), join(folder, `${name}.csr`)];
  const openssl = (...args: readonly string[]) => void execFileSync("openssl", [...args], { stdio: "ignore" });
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", ...subject, "-keyout", key, "-out", asked);
  openssl("x509", "-req", "-in", asked, "-signkey", key, "-copy_extensions", "copy", "-days", String(days), "-out", cert);
  return { key, cert };
}

/** A port of this machine that shows that certificate. */
async function serve({ key, cert }: Pem): Promise<{ readonly url: string; close(): void }> {
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { url: `mqtts://127.0.0.1:${(server.address() as { port: number }).port}`, close: () => void server.close() };
}

/** A folder of its own with the running site's state in it: nothing that is planted there meets the agent. */
function copyOf(name: string): string {
  const place = tempFolder(name);
  cpSync(join(folder, "state"), join(place, "state"), { recursive: true });
  return place;
}

beforeAll(async () => {
  disk = makeDisk(folder, "footage", 200);
  cameras = await startCameras({ count: 1, seconds: 280 });
  locked = await startCameras({ count: 1, seconds: 280, digest: `agent:${password}` });
  broker = await startMosquitto();
  agent = startAgent(site());
  const closed = () => filesUnder(join(folder, "footage")).filter((file) => file.endsWith(".mkv"));
  await until("all have files", 60_000, () =>
    ["sub1", "aac", "kin", "giay"].every((id) => closed().some((file) => file.startsWith(`${id}/`))),
  );
  await until("the station is connected", 30_000, async () => {
    const { station } = await agent.ask<{ station: { value: string } }>("status");
    return station.value === "connected";
  });
});
afterAll(async () => {
  await agent.stop();
  await Promise.all([cameras.stop(), locked.stop(), broker.stop()]);
  disk.remove();
});

test("a site that is well has nothing that is broken, and says of each subject what it rests on", async () => {
  const checks = await visit(agent.config);
  expect(checks.filter(({ level }) => level === "broken")).toEqual([]);
  const level = (id: string) => checks.find((check) => check.id === id)?.level;
  for (const id of [
    "config",
    "service",
    "versions",
    "database",
    "audit",
    "disk",
    "link",
    "station",
    "camera/sub1",
    "camera/aac",
    "camera/kin",
  ])
    expect([id, level(id)]).toEqual([id, "ok"]);
  expect(checks.find(({ id }) => id === "smart")?.level).toBe("not-checkable");
  expect(checks.find(({ id }) => id === "disk")?.because).toMatch(/^\/dev\/loop/);
  expect(checks.find(({ id }) => id === "camera/sub1")?.text).toMatch(/h264 \d+x\d+/);
});

test("as text: worst first, each with its next step, and a sum at the end", async () => {
  const { stdout } = await matghi(["doctor", "--config", agent.config]);
  expect(stdout).toMatch(/^(chú ý|không kiểm tra được|tốt): /);
  expect(stdout).toMatch(/\n {4}→ đề nghị: /);
  expect(stdout.trim().split("\n").at(-1)).toMatch(/^0 hỏng, \d+ cần chú ý, \d+ không kiểm tra được, \d+ tốt$/);
});

describe("planted beside the running agent", () => {
  const first = async (config: string) => (await visit(config))[0];

  test("the station's name is not found", async () => {
    expect(await first(site({ station: 'url: "mqtts://tram.invalid:8883"' }))).toMatchObject({
      id: "station",
      next: expect.stringContaining("getent hosts tram.invalid"),
    });
    site();
  });

  test("the station's port is closed", async () => {
    expect(await first(site({ station: 'url: "mqtt://127.0.0.1:1"' }))).toMatchObject({ id: "station", because: "ECONNREFUSED" });
    site();
  });

  test("another certificate authority, an expired certificate of the station's, of ours, and one that soon is", async () => {
    const [good, other, old] = [pem("ours", 3), pem("theirs", 400), pem("old", -1)];
    const [door, oldDoor] = [await serve(good), await serve(old)];
    const ours = (url: string, ca: Pem, own: Pem) =>
      first(site({ station: `url: "${url}", ca: ${ca.cert}, cert: ${own.cert}, key: ${own.key}` }));
    expect(await first(site({ station: `url: "${door.url}", ca: ${other.cert}` }))).toMatchObject({
      ...{ id: "station", next: expect.stringContaining("station.ca") },
    });
    expect(await ours(oldDoor.url, old, other)).toMatchObject({
      ...{ id: "station", because: "CERT_HAS_EXPIRED", next: expect.stringMatching(/timedatectl.*chứng thư máy chủ/) },
    });
    expect(await ours(door.url, good, old)).toMatchObject({
      ...{ id: "certificate", text: "Chứng thư của đầu ghi đã hết hạn", next: expect.stringContaining("matghi enroll") },
    });
    expect(await ours(door.url, good, good)).toMatchObject({
      ...{ id: "certificate", level: "broken", text: expect.stringMatching(/còn [23] ngày/) },
    });
    for (const { close } of [door, oldDoor]) close();
    site();
  });

  test("the clock was never set", async () => {
    expect(await first(site({ trust: "unset" }))).toMatchObject({
      ...{ id: "clock", level: "broken", next: expect.stringContaining("timedatectl") },
    });
    site();
  });

  test("the supply's voltage is low, as a Raspberry Pi tells it", async () => {
    const root = tempFolder("doctor-volt");
    const alarm = join(root, "sys/class/hwmon/hwmon0");
    mkdirSync(alarm, { recursive: true });
    writeFileSync(join(alarm, "name"), "rpi_volt\n");
    writeFileSync(join(alarm, "in0_lcrit_alarm"), "1\n");
    const loaded = loadConfig(agent.config);
    if (loaded.kind === "bad") throw new Error("the site's own configuration is refused");
    const checks = await examined(agent.config, loaded.settings, loaded.hash, new AbortController().signal, false, makeMachine(root));
    const [worst] = worstFirst(checks).map((check) => checkJson(check, "vi"));
    expect(worst).toMatchObject({ id: "power", level: "broken", next: expect.stringContaining("bộ nguồn") });
  });

  test("a camera whose times stand still: recorded all the same, and nothing is worse", async () => {
    await until("the camera's trouble is known", 30_000, () => agent.log().includes("bad-timestamps"));
    expect(await first(agent.config)).toMatchObject({
      id: "camera/giay",
      level: "attention",
      next: expect.stringContaining("phần mềm camera"),
    });
  });

  test("a camera that is not there, one whose path is wrong, one whose password is wrong", async () => {
    const wrong = writeSecret(folder, "sai", "khong-phai");
    const cases = [
      [cameraOf("sub1", "rtsp://127.0.0.1:1/x"), /discover/],
      [cameraOf("sub1", cameras.url("none")), /discover --yaml/],
      [cameraOf("sub1", locked.url("sub1"), login(wrong)), new RegExp(wrong)],
    ] as const;
    for (const [camera, next] of cases)
      expect(await first(site({ cameras: [camera] }))).toMatchObject({
        id: "camera/sub1",
        level: "broken",
        next: expect.stringMatching(next),
      });
    site();
  });

  test("a maker's own password is looked for where it is asked for and nowhere else, with one try", async () => {
    const old = await startRtsp({
      ...{ server: "Hikvision", login: "md5", username: "admin", password: "12345" },
      streams: { "/x": description("H264") },
    });
    const config = site({
      cameras: [cameraOf("sub1", `rtsp://127.0.0.1:${old.port}/x`, login(writeSecret(folder, "rieng", "mat-khau-2")))],
    });
    const logins = () => old.heard.filter((text) => /^Authorization: /m.test(text)).length;
    expect((await visit(config)).find(({ id }) => id === "camera/sub1")?.text).toContain("từ chối mật khẩu");
    expect(logins()).toBe(1);
    const [worst] = await visit(config, "--default-passwords");
    expect(worst).toMatchObject({ id: "camera/sub1", level: "broken", text: expect.stringContaining("mật khẩu mặc định") });
    expect(logins()).toBe(2);
    await old.stop();
    const open = site({ cameras: [cameraOf("aac", cameras.url("aac"))] });
    expect((await visit(open, "--default-passwords")).find(({ id }) => id === "camera/aac")?.text).toContain("không cần mật khẩu");
    site();
  });

  test("a configuration that was changed and not taken in; one that is wrong", async () => {
    const config = site({ cameras: good().slice(0, 2) });
    expect((await visit(config)).find(({ id }) => id === "config")).toMatchObject({
      level: "attention",
      next: expect.stringContaining("systemctl reload matghi"),
    });
    appendFileSync(config, "\ncolour: red\n");
    expect(await first(config)).toMatchObject({ id: "config", level: "broken", because: expect.stringMatching(/:\d+:\d+: /) });
    site();
  });

  test("a camera that answers and sends no pictures", async () => {
    await cameras.control("stall aac 40");
    await until("it is known", 30_000, async () => {
      const status = await agent.ask<{ cameras: { id: string; state: string }[] }>("status");
      return status.cameras.find(({ id }) => id === "aac")?.state === "not-recording";
    });
    expect(await first(agent.config)).toMatchObject({ id: "camera/aac", level: "broken", text: expect.stringContaining("không gửi hình") });
  });

  const holdAll = (camera: string) =>
    matghi([
      ...["hold", "add", "--config", agent.config, "--camera", camera, "--from", "2026-01-01", "--to", "2099-01-01"],
      ...["--request", "CV 1", "--officer", "A"],
    ]);

  test("the disk: full, read-only, pulled, dead", async () => {
    const cases = [
      [() => disk.fill(), () => disk.makeRoom(), /du -sh/],
      [() => disk.readOnly(true), () => disk.readOnly(false), /fsck/],
      [() => disk.unmount(), () => disk.mount(), /mount/],
      [() => disk.die(), () => undefined, /dmesg.*adopt-disk/],
    ] as const;
    // Rotation makes room on a full disk within seconds, and the doctor may look after that: what is held is no room.
    for (const id of ["sub1", "aac", "giay", "kin"]) expect(await holdAll(id)).toMatchObject({ code: 0 });
    for (const [plant, mend, next] of cases) {
      plant();
      const worst = await first(agent.config);
      mend();
      expect(worst).toMatchObject({ id: "disk", level: "broken", next: expect.stringMatching(next) });
    }
  });

  test("no agent runs", async () => {
    await agent.stop();
    const checks = await visit(agent.config);
    expect(checks[0]).toMatchObject({ id: "service", level: "broken", next: expect.stringContaining("systemctl start matghi") });
    expect(checks.filter(({ level, because }) => level !== "ok" && because === "")).toEqual([]);
  });

  test("a database with a page of rubbish in it", async () => {
    const place = copyOf("doctor-rubbish");
    const file = join(place, "state/matghi.db");
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4_096 * 3, 4_096 * 6);
    writeFileSync(file, bytes);
    expect(await first(site({ place }))).toMatchObject({ id: "database", level: "broken", next: expect.stringContaining("matghi repair") });
  });
});

test("where nothing was recorded yet it still looks at all that there is", async () => {
  const checks = await visit(site({ place: tempFolder("doctor-new") }));
  expect(checks.find(({ id }) => id === "database")).toMatchObject({
    level: "not-checkable",
    next: expect.stringContaining("systemctl start"),
  });
  expect(checks.find(({ id }) => id === "camera/sub1")?.level).toBe("ok");
});

test("wrong use is told", async () => {
  expect((await matghi(["doctor", "--quick"])).code).toBe(2);
  expect((await matghi(["doctor", "--config", "/none/site.yaml"])).stdout).toMatch(/hỏng: Cấu hình sai/);
});

test("every finding has its words in both languages, with the same facts, and a cure unless it is well", () => {
  const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const [finding, level] of Object.entries(findings) as [keyof typeof findings, CheckLevel][]) {
    const [vi, en] = [wordsIn("vi").doctor.findings[finding], wordsIn("en").doctor.findings[finding]];
    expect([finding, holes(vi.text), holes(vi.next)]).toEqual([finding, holes(en.text), holes(en.next)]);
    if (level === "broken" || level === "attention") expect([finding, vi.next !== "" && en.next !== ""]).toEqual([finding, true]);
  }
});
