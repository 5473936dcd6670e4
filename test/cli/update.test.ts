/** `matghi update` over real packages: what is refused, what an update leaves when it is cut off anywhere, how it ends. */
import { execFileSync, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readTrial, steadyMs } from "../../agent/core/trial.ts";
import { placing, switching, undoing } from "../../agent/core/update.ts";
import { signatureOf } from "../../agent/signature.ts";
import { lockExport } from "../../agent/store/database.ts";
import { openStore } from "../../agent/store/store.ts";
import { copyBefore } from "../../agent/store/undo.ts";
import { perform, type UpdateHands } from "../../agent/update.ts";
import { makePackages } from "../../hal/package.ts";
import { matghi, program, sleep, writeSite } from "../lib/agent.ts";
import { drawFrom } from "../lib/draw.ts";
import { tempFolder } from "../lib/temp.ts";
import { copyVersions, makePackage, makeVersions, putVersion, type Versions } from "../lib/versions.ts";

const folder = tempFolder("update");
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const privatePem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const publicPem = publicKey.export({ type: "spki", format: "pem" }) as string;
let newer = "";

const sign = (file: string) => writeFileSync(`${file}.sig`, signatureOf(readFileSync(file), privatePem));

beforeAll(() => {
  newer = makePackage(folder, "0.2.0");
  sign(newer);
});

type Box = Versions & { readonly config: string; ask(...args: readonly string[]): ReturnType<typeof matghi> };

/** 0.1.0 is in use and has recorded something; the box knows the maker's key. */
function makeBox(): Box {
  const versions = makeVersions();
  const config = writeSite({
    folder: join(versions.root, "etc"),
    state: versions.state,
    cameras: ["id: cam1, url: 'rtsp://127.0.0.1:1/x'"],
  });
  openStore(versions.state).close();
  writeFileSync(join(versions.root, "etc/update.pub"), publicPem);
  return {
    ...{ ...versions, config },
    ask: (...args) => matghi(["update", ...args, "--root", versions.root, "--config", config]),
  };
}

const isClean = ({ root }: Versions) => readdirSync(join(root, "versions")).every((name) => !name.startsWith("."));

describe("is refused, with the next step, and changes nothing", () => {
  const other = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const cases: readonly (readonly [string, (box: Box) => string, number, RegExp])[] = [
    ["a package that is not there", () => join(folder, "none.deb"), 3, /is not there/],
    ["a package without a signature", () => makePackage(folder, "0.2.1"), 1, /\.sig.*--allow-unsigned/],
    [
      "a package that was signed by somebody else",
      () => {
        const file = makePackage(folder, "0.2.2");
        writeFileSync(`${file}.sig`, signatureOf(readFileSync(file), other));
        return file;
      },
      1,
      /chữ ký không khớp/,
    ],
    [
      "a package that was changed after it was signed",
      () => {
        const file = makePackage(folder, "0.2.3");
        sign(file);
        writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from("x")]));
        return file;
      },
      1,
      /chữ ký không khớp/,
    ],
    [
      "a signature that nothing here can check",
      (box) => {
        rmSync(join(box.root, "etc/update.pub"));
        return newer;
      },
      1,
      /etc\/update\.pub/,
    ],
  ];
  test.each(cases)("%s", async (_, file, code, said) => {
    const box = makeBox();
    const answer = await box.ask(file(box));
    expect([answer.code, answer.stderr]).toEqual([code, expect.stringMatching(said)]);
    expect([box.running(), box.has("trial"), readdirSync(join(box.root, "versions"))]).toEqual(["0.1.0", false, ["0.1.0"]]);
  });

  test.each<[string, string, Readonly<Record<string, string>>, readonly string[] | undefined, RegExp]>([
    ["another machine's", "0.3.0", { Architecture: process.arch === "arm64" ? "amd64" : "arm64" }, undefined, /gói dành cho máy/],
    ["another program's", "0.3.1", { Package: "nginx" }, undefined, /không phải matghi/],
    ["the version in use", "0.1.0", {}, undefined, /đang dùng đúng bản/],
    ["an older version", "0.0.9", {}, undefined, /--allow-downgrade/],
    ["what does not start here", "0.3.2", {}, ["exit 1"], /không chạy được/],
    ["what says to be another version", "0.3.3", {}, ["echo 9.9.9"], /không chạy được/],
    ["what does not take this configuration", "0.3.4", {}, ['[ "$2" = --version ] && echo 0.3.4'], /không chạy được/],
    ["what has no room", "0.3.5", { "Installed-Size": "99999999999" }, undefined, /thiếu .*B/],
  ])("%s", async (_, version, control, lines, said) => {
    const box = makeBox();
    const answer = await box.ask(makePackage(folder, version, control, lines), "--allow-unsigned");
    expect(answer.stderr).toMatch(said);
    expect([1, 2]).toContain(answer.code);
    expect([box.running(), box.has("trial"), readdirSync(join(box.root, "versions"))]).toEqual(["0.1.0", false, ["0.1.0"]]);
  });

  test("during an export, and during a trial", async () => {
    const box = makeBox();
    const release = lockExport(box.state);
    expect(await box.ask(newer)).toMatchObject({ code: 1, stderr: expect.stringMatching(/đang trích xuất hình/) });
    release?.();
    putVersion(join(box.root, "versions/0.1.5"), "0.1.5");
    box.tryOut({ version: "0.1.5" });
    box.use("0.1.5");
    expect(await box.ask(newer)).toMatchObject({ code: 1, stderr: expect.stringMatching(/còn đang thử/) });
  });
});

test("a signed package becomes a version beside the other, on trial; the audit says so; by hand it is left at once", async () => {
  const box = makeBox();
  const answer = await box.ask(newer, "--json");
  expect([answer.code, JSON.parse(answer.stdout)]).toEqual([0, { from: "0.1.0", to: "0.2.0", signed: true, restarted: false }]);
  expect([box.running(), readdirSync(join(box.root, "versions"))]).toEqual(["0.2.0", ["0.1.0", "0.2.0"]]);
  expect(readTrial(box.text("trial"))).toMatchObject({ version: "0.2.0", previous: "0.1.0", cameras: [], station: false, steadyMs });
  expect(box.has("versions/0.2.0/usr")).toBe(false);
  const audit = await matghi(["audit", "--json", "--config", box.config]);
  expect(audit.stdout).toContain('"what":"update.begun"');
  expect((await box.ask("--status")).stdout).toContain("Đang thử matghi 0.2.0");
  const back = await box.ask("--back");
  expect([back.code, box.running(), box.has("trial"), box.has("undone")]).toEqual([0, "0.1.0", false, true]);
  const status = await box.ask("--status", "--json");
  expect([status.code, JSON.parse(status.stdout)]).toMatchObject([
    1,
    { current: "0.1.0", others: ["0.2.0"], standing: { kind: "undone" } },
  ]);
  // The same package once more.
  expect((await box.ask(newer)).code).toBe(0);
  expect([box.running(), box.has("undone"), isClean(box)]).toEqual(["0.2.0", false, true]);
}, 60_000);

test("a version that stayed is left by an update to the one before, which is on trial itself", async () => {
  const box = makeBox();
  await copyBefore(box.state, "0.1.0");
  putVersion(join(box.root, "versions/0.2.0"), "0.2.0");
  box.use("0.2.0");
  expect((await box.ask("--back")).code).toBe(0);
  expect([box.running(), readTrial(box.text("trial"))?.previous]).toEqual(["0.1.0", "0.2.0"]);
});

test("going back without a copy of the database must be meant", async () => {
  const box = makeBox();
  expect(await box.ask("--back")).toMatchObject({ code: 3 });
  putVersion(join(box.root, "versions/0.2.0"), "0.2.0");
  box.use("0.2.0");
  expect(await box.ask("--back")).toMatchObject({ code: 1, stderr: expect.stringMatching(/--yes/) });
  expect(box.running()).toBe("0.2.0");
  expect((await box.ask("--back", "--yes")).code).toBe(0);
});

/** What the box does of itself after a power cut: it starts, and whatever was half done is settled. Returns which version runs. */
function boot(versions: Versions): string {
  versions.script("start");
  const runs = versions.running();
  versions.script("tick");
  expect(versions.running()).toBe(runs);
  return runs;
}

describe("cut off anywhere, a version starts and the next update succeeds", () => {
  const trialOf = (box: Box) => ({
    id: "a1",
    version: "0.2.0",
    previous: "0.1.0",
    state: box.state,
    cameras: [],
    station: false,
    steadyMs: 1,
  });
  const handsOf = (box: Box): UpdateHands => ({
    ...{ root: box.root, file: newer, inside: "opt/matghi/package", packages: makePackages() },
    ...{ tryOut: async () => undefined, copyDatabase: (of) => copyBefore(box.state, of), writeDown: () => undefined },
  });

  test("after every deed", async () => {
    const box = makeBox();
    const deeds = [...placing("0.2.0", false), ...switching(trialOf(box))];
    const runs: string[] = [];
    for (const [i, deed] of deeds.entries()) {
      const cut = copyVersions(box);
      // A deed that was cut off in its middle leaves less than the whole.
      if (deed.do === "unpack") mkdirSync(join(cut.root, deed.to));
      if (deed.do === "write") writeFileSync(join(cut.root, deed.path), deed.text.slice(0, 20));
      runs.push(boot(cut));
      await perform(handsOf(box), deeds.slice(i, i + 1));
    }
    expect(runs.join()).toBe(deeds.map(() => "0.1.0").join());
    expect(boot(copyVersions(box))).toBe("0.2.0");
    const again = copyVersions(box);
    expect([again.has("trial"), isClean(again)]).toEqual([true, true]);
  });

  test("after every deed on the way back, whoever goes it", async () => {
    const box = makeBox();
    await perform(handsOf(box), [...placing("0.2.0", false), ...switching(trialOf(box))]);
    const runs: string[] = [];
    for (const deed of undoing({ id: "a1", version: "0.2.0", previous: "0.1.0", why: "by hand" })) {
      runs.push(boot(copyVersions(box)));
      await perform(handsOf(box), [deed]);
    }
    // Until the reason stands there nothing has begun; from then on it is finished.
    expect(runs.join()).toMatch(/^(0\.2\.0,){2}(0\.1\.0,?)+$/);
    expect([boot(copyVersions(box)), box.has("trial")]).toEqual(["0.1.0", false]);
  });

  test("kill -9 at twenty moments of the command itself, ever nearer to the switch", async () => {
    const draw = drawFrom(7);
    const wholeMs = await timed(makeBox());
    const ends: string[] = [];
    let share = 0.7;
    // A busy machine moves the switch: more are made until they lie on both sides of it.
    for (let i = 0; i < 20 || (new Set(ends).size < 2 && i < 60); i += 1) {
      const box = makeBox();
      const child = spawn(process.execPath, [program, "update", newer, "--root", box.root, "--config", box.config], { stdio: "ignore" });
      const ended = new Promise((resolve) => child.once("close", resolve));
      await sleep(wholeMs * share * (0.8 + 0.4 * draw.share()));
      child.kill("SIGKILL");
      await ended;
      const cut = boot(box);
      ends.push(cut);
      share *= cut === "0.1.0" ? 1.1 : 0.9;
      expect(["0.1.0", "0.2.0"]).toContain(cut);
      if (cut === "0.2.0") continue;
      const again = await box.ask(newer);
      expect([again.code, boot(box), isClean(box)]).toEqual([0, "0.2.0", true]);
    }
    // The moments lie on both sides of the switch, or they show nothing.
    expect(new Set(ends).size).toBe(2);
  }, 120_000);
});

async function timed(box: Box): Promise<number> {
  const began = performance.now();
  expect((await box.ask(newer)).code).toBe(0);
  return performance.now() - began;
}

test("openssl finds the same signature good", () => {
  const [key, raw] = [join(folder, "maker.pub"), join(folder, "raw")];
  writeFileSync(key, publicPem);
  writeFileSync(raw, Buffer.from(readFileSync(`${newer}.sig`, "utf8"), "base64"));
  const said = execFileSync("openssl", ["pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", newer, "-sigfile", raw], {
    encoding: "utf8",
  });
  expect(said).toContain("Verified Successfully");
});
