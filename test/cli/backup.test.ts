/** `matghi backup` and `matghi restore`: a box burns, another takes its place; the station sees the same site with a new journal. */
import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wordsIn } from "../../agent/core/words.ts";
import { matghi, startAgent, until, writeSecret, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { filesUnder } from "../lib/footage.ts";
import { type Listener, listen } from "../lib/listener.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("backup");
const site = join(folder, "site");
const gone = join(folder, "burnt");
const file = join(folder, "an-dai-1.age");
const password = "mat-khau-7";
const passphrase = "một cụm mật khẩu dài";
const secret = writeSecret(folder, "passphrase", passphrase);
let cameras: Cameras;
let broker: Mosquitto;
let station: Listener;
let config = "";
let ledger = "";

type Birth = { journal: { db: string; firstG: number }; key: string };
const births = () => station.heard.filter(({ topic }) => topic.endsWith("/birth")).map(({ text }) => JSON.parse(text) as Birth);
const journals = () =>
  new Set(station.heard.filter(({ topic }) => topic.endsWith("/event")).map(({ text }) => (JSON.parse(text) as { db: string }).db));
const closed = () => filesUnder(join(site, "footage")).filter((name) => name.endsWith(".mkv"));
const gaps = async () => (await matghi(["gaps", "--to", "2026-06-01", "--json", "--config", config])).stdout;
const backup = (out: string, more: readonly string[] = []) =>
  matghi(["backup", "--out", out, "--passphrase-file", secret, "--config", config, ...more]);
const restore = (from: string, more: readonly string[] = ["--yes"], with_ = secret) =>
  matghi(["restore", from, "--passphrase-file", with_, "--config", config, ...more]);

beforeAll(async () => {
  cameras = await startCameras({ count: 1, seconds: 300, digest: `agent:${password}` });
  broker = await startMosquitto();
  station = await listen(broker.url, ["matghi/#"]);
  config = writeSite({
    folder: site,
    cameras: [
      `id: sub1, url: "${cameras.url("sub1")}", username: agent, passwordFile: ${writeSecret(join(site, "secrets"), "sub1", password)}`,
      "id: gone, since: 2026-05-01, url: 'rtsp://127.0.0.1:1/x'",
    ],
    station: `url: "${broker.url}"`,
  });
  const agent = startAgent(config);
  await until("a file is closed and the station knows", 60_000, () => closed().length > 0 && births().length > 0);
  ledger = await gaps();
  const answer = await backup(file, ["--json"]);
  expect([answer.code, answer.stderr]).toEqual([0, ""]);
  await agent.kill9();
}, 180_000);
afterAll(async () => {
  await Promise.all([cameras.stop(), broker.stop(), station.stop()]);
});

test("what a live site gave is sealed: nothing of it can be read, and only its owner may open it", () => {
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const bytes = readFileSync(file);
  expect(bytes.toString("latin1").startsWith("age-encryption.org/v1\n-> scrypt ")).toBe(true);
  for (const text of [password, "sub1", "PRIVATE KEY", "SQLite", passphrase]) expect(bytes.includes(text), text).toBe(false);
  expect(filesUnder(join(site, "state")).filter((name) => name.includes("backup-"))).toEqual([]);
});

describe("is refused, and nothing is written", () => {
  const short = writeSecret(folder, "short", "ngan");
  const other = writeSecret(folder, "other", "một cụm mật khẩu khác");
  const open = join(folder, "open");
  writeFileSync(open, `${passphrase}\n`, { mode: 0o644 });
  test("a target that is there, a passphrase that is short, open, or not there", async () => {
    expect(await backup(file)).toMatchObject({ code: 2, stderr: expect.stringMatching(/is there already/) });
    const nowhere = await matghi(["backup", "--out", join(folder, "no/x.age"), "--config", config]);
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringMatching(/no is no folder; choose one/) });
    const ask = (pass: string) => matghi(["backup", "--out", join(folder, "x.age"), "--passphrase-file", pass, "--config", config]);
    expect(await ask(short)).toMatchObject({ code: 2, stderr: expect.stringMatching(/12 characters/) });
    expect(await ask(open)).toMatchObject({ code: 2, stderr: expect.stringMatching(/chmod 600/) });
    expect(await ask(join(folder, "none"))).toMatchObject({ code: 2, stderr: expect.stringMatching(/ENOENT/) });
    expect(existsSync(join(folder, "x.age"))).toBe(false);
  });

  test("a restore over a site that is there, with another passphrase, of a file that was changed, cut or is none", async () => {
    expect(await restore(file)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/site\.yaml is there already and is not replaced/),
    });
    renameSync(site, gone);
    expect(await restore(file, ["--yes"], other)).toMatchObject({ code: 2, stderr: expect.stringMatching(/another passphrase/) });
    const bytes = readFileSync(file);
    const bad = join(folder, "bad.age");
    for (const wrong of [
      bytes.subarray(0, bytes.length - 100),
      Buffer.concat([bytes, Buffer.from("x")]),
      bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte)),
      Buffer.from("x"),
    ]) {
      writeFileSync(bad, wrong);
      const answer = await restore(bad);
      expect([answer.code, answer.stderr.trim().split("\n").length]).toEqual([2, 1]);
      expect(existsSync(config) || existsSync(join(site, "state/matghi.db")) || existsSync(join(site, "secrets"))).toBe(false);
    }
    expect(await restore(join(folder, "none.age"))).toMatchObject({ code: 3 });
    // Before anybody is asked for a passphrase.
    for (const none of [bad, folder])
      expect(await matghi(["restore", none, "--config", config])).toMatchObject({ code: 2, stderr: expect.stringMatching(/is no backup/) });
    const asked = await restore(file, []);
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringMatching(/secrets\/sub1.*nothing was done; add --yes/) });
    expect(existsSync(config)).toBe(false);
    rmSync(site, { recursive: true, force: true });
  });
});

test("on a new box: the same site, key, passwords and ledger, another journal; the agent records and the station accepts it", async () => {
  const answer = await restore(file, ["--yes", "--json"]);
  expect([answer.code, answer.stderr]).toEqual([0, ""]);
  const { db } = JSON.parse(answer.stdout) as { db: string };
  for (const name of ["site.yaml", "secrets/sub1", "state/key.pem", "state/audit.log"]) {
    const [before, after] = [gone, site].map((place) => readFileSync(join(place, name), "utf8"));
    expect(before?.startsWith(after ?? "none"), name).toBe(true);
  }
  for (const name of ["secrets/sub1", "state/key.pem"]) expect(statSync(join(site, name)).mode & 0o777, name).toBe(0o600);
  expect(filesUnder(site).filter((name) => name.includes("restore-"))).toEqual([]);
  expect(await gaps()).toBe(ledger);
  expect((await matghi(["audit", "--check", "--config", config])).code).toBe(0);
  // The old disk is moved over.
  cpSync(join(gone, "footage"), join(site, "footage"), { recursive: true });
  const [first] = births();
  expect(db).not.toBe(first?.journal.db);
  const agent = startAgent(config);
  await until(
    "the station hears of the new journal",
    60_000,
    () => births().some(({ journal }) => journal.db === db) && journals().has(db),
  );
  const birth = births().find(({ journal }) => journal.db === db);
  expect([birth?.key, birth?.journal.firstG]).toEqual([first?.key, 1]);
  const events = () =>
    station.heard
      .filter(({ topic }) => topic.endsWith("/event"))
      .map(({ text }) => JSON.parse(text) as { db: string; g: number; id: string; type: string; data: object })
      .filter((event) => event.db === db);
  await until("it is told from the beginning, with the reset", 60_000, () => events().some(({ type }) => type === "journal.reset"));
  expect(events()[0]).toMatchObject({ g: 1, type: "run.started" });
  expect(events().find(({ type }) => type === "journal.reset")?.data).toMatchObject({ db });
  expect(new Set(events().map(({ id }) => id)).size).toBe(new Set(events().map(({ g }) => g)).size);
  // Nobody here knows what the old box did between the backup and its end: no cause is made up for it.
  const since = JSON.parse((await matghi(["gaps", "--json", "--config", config])).stdout) as { gaps: { cause: string }[] };
  expect(since.gaps.filter(({ cause }) => cause.startsWith("box"))).toEqual([]);
  const before = closed().length;
  await until("it records", 60_000, () => closed().length > before);
  const status = await agent.ask<{ station: { value: string } }>("status");
  expect(status.station.value).toBe("connected");
  expect(await agent.stop()).toBe(0);
}, 240_000);

test("the words are there in both languages, with the same facts", () => {
  const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  const [vi, en] = [wordsIn("vi").backup, wordsIn("en").backup];
  for (const key of Object.keys(vi) as (keyof typeof vi)[]) expect([key, holes(vi[key])]).toEqual([key, holes(en[key])]);
});
