/** The station's commands as a person has them, in a folder of their own and without root's rights over the machine. */
import { execFile, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asOurselves, connectAs } from "../../deploy/station/client.ts";
import { authorityOf, readRegister, renewBroker } from "../../deploy/station/keep.ts";
import { readKeys } from "../../deploy/station/peers.ts";
import { filesOf, folderPlace, type Place } from "../../deploy/station/place.ts";
import { type Services, startServices } from "../../deploy/station/services.ts";
import { enabledUnits, unitsOf } from "../../deploy/station/units.ts";
import type { Answer } from "../lib/agent.ts";
import { repository } from "../lib/cameras.ts";
import { freePort, tempFolder } from "../lib/temp.ts";

const folder = tempFolder("tools");
let place: Place;
let ports: readonly string[];
const tool = (name: string, ...args: readonly string[]) => toolWith(process.env, name, ...args);
const toolWith = (env: NodeJS.ProcessEnv, name: string, ...args: readonly string[]): Promise<Answer> =>
  new Promise((resolve) => {
    execFile(join(repository, "deploy/station", name), [...args], { timeout: 120_000, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
const here = (name: string, ...args: readonly string[]) => tool(name, ...args, "--folder", folder);
const install = (...more: readonly string[]) =>
  here("install", ...["--commune", "nghia-phuong", "--name", "Công an xã", "--host", "tram.example", "--no-vpn"], ...ports, ...more);
let services: Services;
beforeAll(async () => {
  place = folderPlace(folder);
  const [mqtts, https, websocket] = [await freePort(), await freePort(), await freePort()];
  ports = ["--port", String(mqtts), "--https", String(https), "--websocket", String(websocket)];
  const first = await install();
  expect([first.code, first.stderr]).toEqual([0, ""]);
  expect(first.stdout).toMatch(/Không có đường hầm: .* không ai ssh/);
  services = await startServices(place);
});
afterAll(() => services.stop());

test("its own check tries every right and leaves nobody behind", async () => {
  const before = readFileSync(filesOf(place).register, "utf8");
  const answer = await here("check");
  expect([answer.code, answer.stderr]).toEqual([0, ""]);
  expect(answer.stdout).toMatch(/quyền ghi và đọc: \d\d phép thử/);
  expect(readFileSync(filesOf(place).register, "utf8")).toBe(before);
});

test("installed twice, authority, sites and people stay; another address gives broker and page another certificate", async () => {
  await here("add-site", "an-dai-1", "--out", join(folder, "one.matghi"));
  await here("add-viewer", "truc-ban", "--officer");
  const [ca, rights] = [filesOf(place).ca, filesOf(place).rights].map((file) => readFileSync(file, "utf8"));
  const certificate = () => new X509Certificate(readFileSync(filesOf(place).brokerCertificate));
  const serial = certificate().serialNumber;
  expect((await install()).code).toBe(0);
  expect(certificate().serialNumber).toBe(serial);
  expect((await install("--host", "10.1.2.3")).code).toBe(0);
  expect(certificate().subjectAltName).toBe("DNS:tram.example, IP Address:10.1.2.3, DNS:localhost, IP Address:127.0.0.1");
  expect([filesOf(place).ca, filesOf(place).rights].map((file) => readFileSync(file, "utf8"))).toEqual([ca, rights]);
  expect((await here("list")).stdout).toMatch(/an-dai-1 {2}→ 20\d\d-\d\d-\d\d[\s\S]*truc-ban/);
});

test("keys and passwords are for one account only, and no password stands anywhere", async () => {
  const files = filesOf(place);
  const { stdout } = await here("add-viewer", "an", "--sites", "an-dai-1");
  const password = /: ([a-z2-9]{4}(?:-[a-z2-9]{4}){4})\n/.exec(stdout)?.[1] ?? "";
  expect(password).not.toBe("");
  for (const file of [
    files.brokerKey,
    files.passwords,
    files.ownPassword,
    files.register,
    join(files.authority, "ca.key"),
    join(folder, "one.matghi"),
  ])
    expect(statSync(file).mode & 0o777, file).toBe(0o600);
  for (const file of [files.passwords, files.register, files.rights]) expect(readFileSync(file, "utf8")).not.toContain(password);
  const key = readFileSync(join(files.authority, "ca.key"), "utf8");
  expect(key).toContain("PRIVATE KEY");
  expect(readFileSync(files.publicCa, "utf8")).toBe(readFileSync(files.ca, "utf8"));
  expect(statSync(files.publicCa).mode & 0o777).toBe(0o644);
  expect(new X509Certificate(readFileSync(files.ca)).publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
});

test("the broker's certificate is made anew sixty days before it ends, and not before", () => {
  const register = readRegister(place);
  if (register === null) throw new Error("no register");
  const authority = authorityOf(place, "nghia-phuong");
  const day = 86_400_000;
  const endsAt = Date.parse(new X509Certificate(readFileSync(filesOf(place).brokerCertificate)).validTo);
  expect(renewBroker(place, register, authority, endsAt - 61 * day)).toBe(false);
  expect(renewBroker(place, register, authority, endsAt - 59 * day)).toBe(true);
});

test("two at once wait for each other: nobody's change is lost, and one that is killed leaves no lock", async () => {
  const held = spawn("flock", [filesOf(place).lock, "sleep", "60"], { detached: true, stdio: "ignore" });
  const both = Promise.all(["hai-1", "hai-2", "hai-3"].map((id) => here("add-site", id, "--out", join(folder, `${id}.matghi`))));
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(readRegister(place)?.sites.map(({ id }) => id)).not.toContain("hai-1");
  process.kill(-(held.pid ?? 0), "SIGKILL");
  const answers = await both;
  expect(answers.map(({ code }) => code)).toEqual([0, 0, 0]);
  for (const { stderr } of answers) expect(stderr).toMatch(/another of the station's tools is at work; waiting/);
  expect(readRegister(place)?.sites.map(({ id }) => id)).toEqual(expect.arrayContaining(["hai-1", "hai-2", "hai-3"]));
});

describe("wrong use is refused in one line with the next step", () => {
  test.each<[string, readonly string[], number, RegExp]>([
    ["install", ["--commune", "xa-a", "--name", "X", "--host", "tram", "--no-vpn", "--hub", "s"], 2, /one of --public, --hub and --no-vpn/],
    ["install", ["--commune", "xa-a", "--name", "X", "--host", "tram", "--public", "s:0"], 2, /--public 0: 1 to 65535/],
    ["install", ["--commune", "xa-a", "--name", "X", "--host", "tram", "--hub=-s"], 2, /--hub -s: HOST or HOST:PORT/],
    ["install", ["--commune", "Xã", "--name", "X", "--host", "tram", "--no-vpn"], 2, /--commune Xã: 2 to 32 of a-z/],
    ["install", ["--commune", "xa-a", "--name", "X\nY", "--host", "tram", "--no-vpn"], 2, /--name holds a line break/],
    ["install", ["--name", "--host"], 2, /argument is ambiguous; see --help/],
    ["add-site", ["an\ndai\u001b[2J"], 2, /an\ufffddai\ufffd\[2J: a site's id has 2 to 32/],
    ["install", ["--bogus"], 2, /Unknown option '--bogus'.*--help/],
    ["add-site", ["An Đại"], 2, /a site's id has 2 to 32 of a-z/],
    ["add-site", ["an-dai-1", "--out", "/proc/none/x"], 1, /cannot be written.*--out/],
    ["remove-site", ["nowhere"], 3, /there is no site nowhere; deploy\/station\/list/],
    ["remove-viewer", ["nobody"], 3, /there is no nobody; deploy\/station\/list/],
    ["add-router", ["ho-01"], 1, /no tunnels; run deploy\/station\/install with --public or --hub/],
    ["remove-router", ["ho-01"], 3, /household ho-01 has no router here; deploy\/station\/list/],
    ["add-viewer", ["tam", "--phone"], 1, /no tunnels; run deploy\/station\/install with --public or --hub/],
    ["add-viewer", ["tam", "--sites", "nowhere"], 1, /there is no site nowhere; add it first/],
    ["add-viewer", ["tam", "--sites", ""], 2, /--sites names none; name at least one, or say --all/],
    ["add-viewer", ["tam", "--groups", " , "], 2, /--groups names none/],
    ["add-site", ["tam", "--officer"], 2, /add-site takes no --officer; usage: deploy\/station\/add-site ID/],
    ["add-viewer", ["tam", "--groups", "Thôn X"], 1, /no box that is connected has cameras of the group "Thôn X"/],
  ])("%s %j", async (name, args, code, message) => {
    const answer = await here(name, ...args);
    expect(answer.stderr).toMatch(message);
    expect(answer.stderr.trim().split("\n")).toHaveLength(1);
    expect(answer.code).toBe(code);
  });

  test("a folder without a station", async () => {
    const answer = await tool("list", "--folder", join(folder, "none"));
    expect([answer.code, answer.stderr]).toEqual([1, expect.stringMatching(/no station here yet; run deploy\/station\/install/)]);
    const install = await tool("install", "--folder", join(folder, "none"));
    expect([install.code, install.stderr]).toEqual([2, expect.stringMatching(/^usage: deploy\/station\/install --commune/)]);
    expect(existsSync(join(folder, "none"))).toBe(false);
  });
});

describe("a station that tunnels end at", () => {
  const other = tempFolder("tunnelled");
  const at = folderPlace(other);
  const there = (name: string, ...args: readonly string[]) => tool(name, ...args, "--folder", other);
  const person = (name: string) => readRegister(at)?.people.find((one) => one.name === name);
  beforeAll(async () => {
    const said = ["--commune", "xa-kia", "--name", "Công an xã", "--host", "tram.example", "--host", "10.1.2.3", "--language", "en"];
    expect((await there("install", ...said, "--public", "dyn.example:4000", "--https", "8443")).stderr).toBe("");
    await there("add-site", "an-dai-1", "--out", join(other, "one.matghi"));
  });

  test("installed again it keeps what is not said: way in, ports, names, language", async () => {
    const before = readRegister(at);
    expect(before?.hub).toEqual({ kind: "station", host: "dyn.example", port: 4_000 });
    expect(await there("install")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Done\..*:8443 [\s\S]*dyn\.example:4000/m) });
    expect(readRegister(at)).toEqual(before);
    await there("install", "--host", "tram.example", "--port", "8884");
    expect(readRegister(at)).toEqual({
      ...before,
      hosts: ["tram.example", "localhost", "127.0.0.1"],
      ports: { mqtts: 8_884, https: 8_443, websocket: 9_001 },
    });
  });

  test("a phone more changes neither password nor what its person sees, nor does a new password", async () => {
    await there("add-viewer", "thon", "--sites", "an-dai-1");
    await there("add-viewer", "truc-ban", "--officer");
    const [viewer, officer] = [person("thon"), person("truc-ban")];
    const { code, stdout } = await there("add-viewer", "thon", "--phone");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Login: thon, password as before\nRights: sees only, sees an-dai-1\n/)]);
    expect(stdout).toContain("open https://10.203.0.1:8443;");
    expect(person("thon")).toEqual({ ...viewer, tunnel: { number: 1, key: expect.any(String) } });
    expect((await there("add-viewer", "truc-ban")).stdout).toMatch(/Password .*: \S+\nRights: officer .*sees all sites/);
    expect(person("truc-ban")).toMatchObject({ role: "officer", reach: { kind: "all" } });
    expect(person("truc-ban")?.hash).not.toBe(officer?.hash);
    await there("add-viewer", "thon", "--all");
    expect(person("thon")).toMatchObject({ role: "viewer", reach: { kind: "all" }, tunnel: { number: 1 } });
    expect((await there("add-viewer", "thon", "--all", "--sites", "an-dai-1")).stderr).toMatch(/--all, or --sites and --groups, not both/);
  });

  test("a tunnel that takes no change in: the code is told all the same, a removal ends the session and goes on when it is said again", async () => {
    const [mqtts, https, websocket] = [await freePort(), await freePort(), await freePort()].map(String) as [string, string, string];
    await there("install", "--port", mqtts, "--https", https, "--websocket", websocket);
    const services = await startServices(at);
    try {
      // A wg that knows the station's tunnel, and fails where it is told something.
      const bin = join(other, "bin");
      mkdirSync(bin);
      writeFileSync(join(bin, "wg"), `#!/bin/sh\n[ "$1" = show ] && echo '${readKeys(at)?.station.publicKey}'\n`, { mode: 0o755 });
      const failing = (name: string, id: string, ...args: readonly string[]) =>
        toolWith({ ...process.env, PATH: `${bin}:${process.env.PATH}` }, name, id, ...args, "--folder", other);
      const added = await failing("add-site", "an-dai-9", "--out", join(other, "nine.matghi"));
      expect([added.code, added.stderr]).toEqual([1, expect.stringMatching(/the tunnel did not take the change in; start it again/)]);
      expect(added.stdout).toMatch(/One-time code .*: \S{16,}/);
      const topic = "matghi/v1/xa-kia/from/an-dai-9/state";
      const said = async (payload: string) => {
        const register = readRegister(at);
        if (register === null) throw new Error("no register");
        const result = await connectAs(at, asOurselves(at, register), [topic]);
        if (result.kind === "failed") throw new Error(result.detail);
        if (payload !== "") await result.talker.say(topic, payload, true);
        await new Promise((resolve) => setTimeout(resolve, 500));
        await result.talker.end();
        return result.talker.heard.map(({ payload: heard }) => heard);
      };
      expect(await said("{}")).toEqual(["{}"]);
      const removed = await failing("remove-site", "an-dai-9");
      expect([removed.code, removed.stderr]).toEqual([1, expect.stringMatching(/the tunnel did not take the change in/)]);
      expect([readRegister(at)?.sites.map(({ id }) => id), await said("")]).toEqual([["an-dai-1"], []]);
      // As if the broker had not been there the first time.
      await said("{}");
      expect(await there("remove-site", "an-dai-9")).toMatchObject({ code: 0, stderr: "" });
      expect(await said("")).toEqual([]);
      expect((await there("remove-site", "an-dai-9")).stderr).toMatch(/there is no site an-dai-9; deploy/);
    } finally {
      await services.stop();
    }
  });
});

test("without its broker a site that is not on the list is called unknown, and one that is goes off it", async () => {
  const other = tempFolder("tools-still");
  const there = (name: string, ...args: readonly string[]) => tool(name, ...args, "--folder", other);
  const more = ["--port", "1", "--https", "2", "--websocket", "3"];
  expect((await there("install", "--commune", "xa-kia", "--name", "X", "--host", "tram", "--no-vpn", ...more)).code).toBe(0);
  expect((await there("add-site", "an-dai-1", "--out", join(other, "one.matghi"))).code).toBe(0);
  const typo = await there("remove-site", "an-dia-1");
  expect([typo.code, typo.stderr]).toEqual([3, "there is no site an-dia-1; deploy/station/list shows all\n"]);
  const gone = await there("remove-site", "an-dai-1");
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringMatching(/site an-dai-1 is off the list, but the broker was not reached/)]);
});

test("an installation that is refused leaves no folder", async () => {
  const none = join(folder, "refused");
  for (const wrong of [["--remove"], ["--commune", "xa-a"]])
    expect(await tool("install", ...wrong, "--folder", none)).toMatchObject({ code: 2 });
  expect(existsSync(none)).toBe(false);
});

test("every unit that is switched on is written, and none names what is not there", () => {
  const units = unitsOf(place, { tools: "/usr/bin/node /opt/matghi/main.js", lookup: "/opt/matghi/tunnel-lookup" });
  for (const name of enabledUnits({ kind: "server", host: "may-chu.example", port: 51_820 })) expect(Object.keys(units)).toContain(name);
  for (const [name, text] of Object.entries(units))
    for (const [, file = ""] of text.matchAll(/-c (\S+)|nft -f (\S+)/g))
      if (file !== "") expect(existsSync(file), `${name}: ${file}`).toBe(true);
});
