/** `deploy/station/fetch` against Debian's own sshd: what an officer's key may do on a box, and what it may not. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errandText, queryOf } from "../../agent/core/errand.ts";
import { iso } from "../../agent/core/time.ts";
import { readAudit } from "../../agent/store/audit.ts";
import { verifyFolder } from "../../agent/verify.ts";
import { type Answer, matghi, until, writeSite } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { filesUnder } from "../lib/footage.ts";
import { minuteMs, writeRecorded } from "../lib/recorded.ts";
import { freePort, tempFolder } from "../lib/temp.ts";

const run = promisify(execFile);
const folder = tempFolder("fetch");
const box = join(folder, "box");
const state = join(box, "state");
const key = join(folder, "officer");
const odd = `../../x "'; rm -rf $(pwd) <b> %s`;
const beganAt = Math.floor((Date.now() - 30 * minuteMs) / minuteMs) * minuteMs;
const span = (minutes: number) => ["--from", iso(beganAt), "--to", iso(beganAt + minutes * minuteMs)];
const program = join(repository, "dist/deploy/station/fetch.js");
let config = "";
let port = 0;
let sshd: ChildProcess;

const register = (args: readonly string[]) => matghi(["register", "key", ...args, "--config", config]);
const line = () => [
  "--host",
  "127.0.0.1",
  "--port",
  String(port),
  "--user",
  userInfo().username,
  "--key",
  key,
  "--known-hosts",
  join(folder, "known"),
];
const asking = (verb: "look" | "export", out: string, more: readonly string[] = []) => [
  ...["an-dai-1", verb, ...line(), "--out", out, "--camera", "cho", ...span(2), "--request", "CV 12", "--officer", odd],
  ...(verb === "look" ? [] : ["--agency", "Công an xã", "--purpose", odd]),
  ...["--json", "--language", "en", ...more],
];
const fetching = (args: readonly string[]): Promise<Answer> =>
  run(process.execPath, [program, ...args], { timeout: 60_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Answer) => ({ code, stdout, stderr }),
  );
const sshArgs = (more: readonly string[]) => [
  ...["-q", "-F", "none", "-i", key, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", `UserKnownHostsFile=${folder}/known`],
  ...["-o", "StrictHostKeyChecking=accept-new", ...more],
];
const ssh = (said: readonly string[], more: readonly string[] = []): Promise<Answer> =>
  run("ssh", [...sshArgs(more), "-p", String(port), "127.0.0.1", ...said], { timeout: 20_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Answer) => ({ code, stdout, stderr }),
  );

/** A server that would allow everything: what is refused, the key's own line refuses. */
function startSshd(): ChildProcess {
  const host = join(folder, "host");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", host]);
  const file = join(folder, "sshd_config");
  const lines = [
    ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${host}`, `AuthorizedKeysFile ${state}/.ssh/authorized_keys`, "PidFile none"],
    // A test's folder lies under one that everybody may write.
    ...["UsePAM no", "StrictModes no", "PasswordAuthentication no", "PermitRootLogin yes", "AllowTcpForwarding yes", "PermitTunnel yes"],
    "Subsystem sftp internal-sftp",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  // Root's sshd asks for this folder, which Debian's service makes.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  return spawn("/usr/sbin/sshd", ["-D", "-e", "-f", file], { stdio: ["ignore", "ignore", "ignore"] });
}

beforeAll(async () => {
  config = writeSite({ folder: box, cameras: ['id: cho, name: Chợ Tre, url: "rtsp://127.0.0.1:9/"'] });
  writeRecorded({ folder: box, camera: "cho", beganAt, minutes: 2, noise: true });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", odd, "-f", key]);
  port = await freePort();
  sshd = startSshd();
  await until("sshd listens", 20_000, () => ssh(["x"]).then(({ code }) => code !== 255 || existsSync(join(folder, "known"))));
});
afterAll(() => void sshd.kill());

test("a key that was given no leave gets nowhere; one that was is written down with its date, and its line allows one command", async () => {
  expect((await ssh(["list x"])).code).toBe(255);
  const answer = await register(["add", "--name", "nguyen-van-a", "--file", `${key}.pub`, "--officer", "Trưởng Công an xã"]);
  expect([answer.code, answer.stderr]).toEqual([0, ""]);
  const file = join(state, ".ssh/authorized_keys");
  expect(readFileSync(file, "utf8")).toMatch(
    /^restrict,command="[\w./ -]+ errand --key nguyen-van-a" ssh-ed25519 \S+ matghi:nguyen-van-a\n$/,
  );
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const [entry] = readAudit(state).filter(({ what }) => what === "key.added");
  expect(entry).toMatchObject({ at: expect.stringMatching(/Z$/), data: { key: "nguyen-van-a", officer: "Trưởng Công an xã" } });
  expect((await register(["list", "--json"])).stdout.trim()).toBe('{"keys":["nguyen-van-a"]}');
  // A line of the technician's own stays what it is.
  const own = "# technician\nssh-ed25519 AAAA technician\n";
  appendFileSync(file, own);
  const twice = await register(["add", "--name", "nguyen-van-a", "--file", `${key}.pub`, "--officer", "x"]);
  expect(twice).toMatchObject({ code: 1, stderr: expect.stringMatching(/remove it first/) });
  expect(readFileSync(file, "utf8").endsWith(own)).toBe(true);
});

test.each([
  [["--name", "Ông A", "--file", "x"], 2, /2 to 32/],
  [["--name", "x1", "--file", "/none.pub"], 3, /no such file/],
  [["--name", "x1", "--file", "/etc/passwd"], 2, /no Ed25519 public key/],
] as const)("register key add %j is refused", async (args, code, text) => {
  const answer = await register(["add", ...args, "--officer", "x"]);
  expect([answer.code, answer.stderr]).toEqual([code, expect.stringMatching(text)]);
});

describe("anything else is refused", () => {
  const id = "0123456789abcdef";
  const list = errandText({ verb: "list", site: "an-dai-1", id });
  const sending = (file: string, at = "0") => `send ${new URLSearchParams({ site: "an-dai-1", id, file, at, rate: "100000" })}`;
  test.concurrent.each([
    ["a shell", []],
    ["a command", ["id"]],
    ["a command behind an errand", [`${list}; id`]],
    ["a second line", [`${list}\nid`]],
    ["substitution", [`list site=an-dai-1&id=$(id)`]],
    ["another verb", [list.replace("list", "status")]],
    ["a fact too many", [`${list}&out=/etc/x`]],
    ["a fact said twice", [`${list}&id=${id}`]],
    ["another box's errand", [list.replace("an-dai-1", "an-dai-2")]],
    ["a file outside", [sending("../../matghi.db")]],
    ["a file from the root", [sending("/etc/passwd")]],
    ["a hidden file", [sending(".ssh/authorized_keys")]],
    ["a place that is no number", [sending("manifest.json", "-1")]],
  ])("%s", async (_, said) => {
    const answer = await ssh(said);
    expect([answer.code, answer.stdout]).toEqual([2, ""]);
    expect(answer.stderr).toMatch(/this key may look at footage and fetch it|this box is an-dai-1, not an-dai-2/);
  });

  test("what is not there, whoever made it", async () => {
    for (const said of [list, sending("manifest.json")]) expect(await ssh([said])).toMatchObject({ code: 3, stdout: "" });
    expect(readdirSync(join(state, "errands")).flatMap((name) => readdirSync(join(state, "errands", name)))).toEqual([]);
  });

  test("a way into the box's network, its files, a terminal", async () => {
    expect(await ssh(["-s", "sftp"])).toMatchObject({ code: 2, stdout: "" });
    const forward = await run("ssh", [...sshArgs(["-W", "127.0.0.1:22"]), "-p", String(port), "127.0.0.1"], { timeout: 20_000 }).then(
      () => "open",
      () => "refused",
    );
    expect(forward).toBe("refused");
    expect(await ssh(["id"], ["-tt"])).toMatchObject({ code: 255, stdout: "" });
  });
});

test("a sheet is made on the box, brought here and put away there; both stand in the audit with the key's name", async () => {
  const out = join(folder, "sheet.html");
  const answer = await fetching(asking("look", out, ["--every", "10s"]));
  expect([answer.code, JSON.parse(answer.stdout)], answer.stderr).toMatchObject([0, { files: 1, out }]);
  expect(readFileSync(out, "utf8")).toMatch(/BẢNG XEM LƯỚT[\s\S]*data:image\/jpeg/);
  const entries = readAudit(state).slice(-2);
  expect(entries.map(({ what, data }) => [what, data.account])).toEqual([
    ["look.made", "key nguyen-van-a"],
    ["footage.fetched", "key nguyen-van-a"],
  ]);
  expect(readdirSync(join(state, "errands/nguyen-van-a"))).toEqual([]);
  expect(readdirSync(folder).filter((name) => name.startsWith("sheet"))).toEqual(["sheet.html"]);
});

test("evidence whose way here is cut goes on where it stopped, and is whole, checked and signed by the box", async () => {
  const out = join(folder, "evidence");
  const draft = `${out}.unfinished`;
  const arrived = () => filesUnder(draft).reduce((sum, file) => sum + statSync(join(draft, file)).size, 0);
  const cut = spawn(process.execPath, [program, ...asking("export", out, ["--rate", "4Mbit"])], { detached: true, stdio: "ignore" });
  const ended = new Promise((resolve) => cut.once("close", resolve));
  await until("a part has arrived", 40_000, () => arrived() > 200_000, 20);
  process.kill(-(cut.pid ?? 0), "SIGKILL");
  await ended;
  const before = arrived();
  expect(existsSync(out)).toBe(false);
  const other = await fetching(asking("export", out, ["--case", "tngt"]));
  expect(other).toMatchObject({ code: 2, stderr: expect.stringMatching(/another question/) });
  const answer = await fetching(asking("export", out, ["--rate", "800Mbit"]));
  expect(answer.code, answer.stderr).toBe(0);
  const { bytes, fetchedBytes, result, key: fingerprint } = JSON.parse(answer.stdout);
  expect([result, fetchedBytes]).toEqual(["unaltered", bytes - before]);
  expect(await verifyFolder(out)).toMatchObject({ result: "unaltered", fingerprint });
  expect(JSON.parse(readFileSync(join(out, "manifest.json"), "utf8")).request).toMatchObject({ officer: odd, account: "key nguyen-van-a" });
  const made = readAudit(state).filter(({ what, data }) => what === "export.made" && data.account === "key nguyen-van-a");
  expect(made).toHaveLength(1);
  expect(readdirSync(join(state, "errands/nguyen-van-a"))).toEqual([]);
  expect(readdirSync(folder).filter((name) => name.startsWith("evidence"))).toEqual(["evidence"]);
  expect((await matghi(["audit", "--check", "--config", config])).code).toBe(0);
});

test("a fetch that was cut off at its last word brings nothing again; a box that knows of it already is no error", async () => {
  const out = join(folder, "evidence");
  const args = asking("export", out);
  const facts = { site: "an-dai-1", camera: "cho", from: iso(beganAt), to: iso(beganAt + 2 * minuteMs), request: "CV 12", officer: odd };
  const question = `export ${queryOf({ ...facts, agency: "Công an xã", purpose: odd })}`;
  writeFileSync(`${out}.fetch.json`, JSON.stringify({ id: "0123456789abcdef", question }));
  const known = join(folder, "third-known");
  writeFileSync(known, `matghi-an-dai-1 ${readFileSync(`${key}.pub`, "utf8")}`);
  const untold = await fetching([...args, "--known-hosts", known]);
  expect(untold).toMatchObject({ code: 0, stderr: expect.stringMatching(/the box could not be told/) });
  const answer = await fetching(args);
  expect([answer.code, JSON.parse(answer.stdout)], answer.stderr).toMatchObject([0, { result: "unaltered", fetchedBytes: 0 }]);
  expect([existsSync(`${out}.fetch.json`), answer.stderr]).toEqual([false, ""]);
  // Somebody else's folder under that name stays what it is, and says why.
  expect(await fetching(args)).toMatchObject({ code: 2, stderr: expect.stringMatching(/is there already/) });
});

test("a machine that is not the box that is known is named at once, and nothing is asked of it", async () => {
  const known = join(folder, "other-known");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "other")]);
  writeFileSync(known, `matghi-an-dai-1 ${readFileSync(join(folder, "other.pub"), "utf8")}`);
  const answer = await fetching([...asking("look", join(folder, "strange.html")), "--known-hosts", known]);
  expect(answer).toMatchObject({ code: 1, stderr: expect.stringContaining(`ssh-keygen -R matghi-an-dai-1 -f ${known}`) });
  expect(answer.stderr).not.toMatch(/trying again/);
});

test("what was changed on its way is named and never gets its name", async () => {
  const out = join(folder, "changed");
  const cut = spawn(process.execPath, [program, ...asking("export", out, ["--rate", "512kbit"])], { detached: true, stdio: "ignore" });
  const ended = new Promise((resolve) => cut.once("close", resolve));
  await until("it is being sent", 40_000, () => filesUnder(`${out}.unfinished`).length > 0, 20);
  process.kill(-(cut.pid ?? 0), "SIGKILL");
  await ended;
  const shelf = join(state, "errands/nguyen-van-a");
  for (const name of readdirSync(shelf).filter((each) => !each.includes("."))) appendFileSync(join(shelf, name, "manifest.json"), " ");
  const answer = await fetching(asking("export", out, ["--rate", "800Mbit"]));
  expect(answer).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/altered: manifest\.json/) });
  expect(existsSync(out)).toBe(false);
  rmSync(`${out}.unfinished`, { recursive: true });
});

/** Where nobody is asked, the port does not matter. */
const unasked = (verb: "look" | "export", out: string, ...more: readonly string[]) => asking(verb, out, ["--port", "22", ...more]);
test.each<[readonly string[], number, RegExp]>([
  [["an-dai-1"], 2, /usage:/],
  [["an-dai-1", "delete", "--host", "127.0.0.1"], 2, /usage:/],
  [["an-dai-1", "look", "--host", "-oProxyCommand=id", "--key", key, "--out", "x"], 2, /--host/],
  [["an-dai-1", "look", "--host", "127.0.0.1", "--key", "/none", "--out", "x"], 2, /ssh-keygen/],
  [["an-dai-1", "look", "--host", "10.203.1.7", "--port", "2222", "--key", key, "--out", "x"], 2, /--port 2222: 10\.203\.1\.7 .*cổng 22/],
  [["an-dai-1", "look", "--host", "127.0.0.1", "--key", key, "--rate", "fast", "--out", "x"], 2, /--rate fast: ghi 2Mbit hoặc 512kbit/],
  [unasked("look", join(folder, "w"), "--port", "65536"), 2, /--port 65536: 1 to 65535/],
  [unasked("look", join(folder, "no/folder/w")), 2, /--out \S+: there is no folder \S+no\/folder; choose one/],
  [unasked("export", join(folder, "w")).filter((word) => word !== "--agency" && word !== "Công an xã"), 2, /^--agency is missing; /],
  [unasked("look", join(folder, "w"), "--purpose", "x"), 2, /^--purpose is no part of look; leave it away/],
  [unasked("look", join(folder, "w"), "--every", "often"), 2, /^--every is not written as it should be/],
])("fetch %j is refused before anybody is asked", async (args, code, text) => {
  expect(await fetching(args)).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(text) });
});

test("its help says which port a box in the tunnel is reached at", async () => {
  expect(await fetching(["--help"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/--port 22 \(a box in the tunnel is reached at no other\)/),
  });
});

test("there is no footage: the box's reason comes through, and nothing stays", async () => {
  const out = join(folder, "none");
  const args = asking("export", out).map((word) =>
    word === iso(beganAt) ? "2020-01-01" : word === iso(beganAt + 2 * minuteMs) ? "2020-01-02" : word,
  );
  expect(await fetching(args)).toMatchObject({ code: 3, stdout: "", stderr: expect.stringMatching(/no closed footage of that stretch/) });
  expect(readdirSync(folder).filter((name) => name.startsWith("none"))).toEqual([]);
});

test("a key that is taken back gets nowhere, and other lines stay", async () => {
  // What was never fetched is footage too.
  const shelf = join(state, "errands/nguyen-van-a");
  expect(readdirSync(shelf)).not.toEqual([]);
  const answer = await register(["remove", "nguyen-van-a", "--officer", "x", "--reason", "chuyển công tác"]);
  expect([answer.code, answer.stderr]).toEqual([0, ""]);
  expect(existsSync(shelf)).toBe(false);
  expect(readFileSync(join(state, ".ssh/authorized_keys"), "utf8")).toBe("# technician\nssh-ed25519 AAAA technician\n");
  expect(readAudit(state).at(-1)).toMatchObject({ what: "key.removed", data: { key: "nguyen-van-a", reason: "chuyển công tác" } });
  const refused = await fetching([...asking("look", join(folder, "refused.html")), "--language", "vi"]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/đầu ghi không nhận khóa này.*register key add/) });
  expect((await register(["remove", "nguyen-van-a", "--officer", "x", "--reason", "x"])).code).toBe(3);
});
