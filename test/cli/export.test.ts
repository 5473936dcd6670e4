/** `matghi export` and `matghi verify`: from a real recording, over a kill of the agent, with checks that need nothing of ours. */
import { execFile, spawn } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Manifest } from "../../agent/core/manifest.ts";
import { slipHtml } from "../../agent/core/slip.ts";
import { readAudit } from "../../agent/store/audit.ts";
import { openReads } from "../../agent/store/store.ts";
import { verifyFolder } from "../../agent/verify.ts";
import { matghi, program, sleep, startAgent, until, writeSecret, writeSite } from "../lib/agent.ts";
import { type Cameras, repository, startCameras } from "../lib/cameras.ts";
import { filesUnder } from "../lib/footage.ts";
import { eventProblems } from "../lib/messages.ts";
import { withOptions } from "../lib/options.ts";
import { tempFolder } from "../lib/temp.ts";

const run = promisify(execFile);
const folder = tempFolder("export");
const footage = join(folder, "footage");
const out = join(folder, "out");
const small = join(folder, "small");
const odd = `../../x "'; rm -rf $(pwd) <b>&amp;</b> --> %s \\`;
let config = "";
let from = "";
let to = "";
let exported: { folder: string; answer: string; cameras: { id: string; files: number; bytes: number }[]; manifestSha256: string };

const wanted = (more: readonly string[] = []) => [
  ...["export", "--config", config, "--from", from, "--to", to, "--request", "CV 12 ngày 25/11", "--agency", "Công an xã"],
  ...["--officer", odd, "--purpose", odd, ...more],
];
const bytesUnder = (place: string, name: string) => statSync(join(place, name), { throwIfNoEntry: false })?.size ?? 0;
const manifest = (dir = out): Manifest => JSON.parse(readFileSync(join(dir, "manifest.json"), "utf8"));

const published = new Ajv({ strict: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(join(repository, "deploy/manifest.schema.json"), "utf8")) as object,
);
/** What of a manifest is not as it is published. */
const unpublished = (found: unknown) => (published(found) ? [] : published.errors);

beforeAll(async () => {
  const cameras: Cameras = await startCameras({ count: 1, seconds: 120 });
  config = writeSite({
    folder,
    cameras: [
      `id: cho, name: ${JSON.stringify(odd)}, url: "${cameras.url("aac")}"`,
      `id: truong, url: "${cameras.url("h265")}"`,
      `id: nho, url: "${cameras.url("sub1")}"`,
    ],
    recording: "segment: 5s, audio: true, limit: { free: 0B }",
  });
  const first = startAgent(config);
  const closed = (camera: string) => filesUnder(join(footage, camera)).filter((name) => name.endsWith(".mkv")).length;
  await until("both have files", 60_000, () => closed("cho") >= 2 && closed("truong") >= 2);
  await first.kill9();
  await sleep(1_000);
  const second = startAgent(config);
  await until("both have more", 60_000, () => closed("cho") >= 4 && closed("truong") >= 4);
  const began = JSON.parse(
    (await matghi(["footage", "--camera", "cho", "--from", "2020-01-01", "--to", new Date().toISOString(), "--json", "--config", config]))
      .stdout,
  );
  from = began.spans.find(({ kind }: { kind: string }) => kind === "footage").from;
  to = new Date().toISOString();
  const answer = await matghi(
    wanted(["--camera", "cho", "--camera", "truong", "--case", "tngt", "--witness", "Ông B", "--out", out, "--json"]),
  );
  expect([answer.code, answer.stderr]).toEqual([1, ""]);
  exported = JSON.parse(answer.stdout);
  // A small picture, for what is done many times.
  const light = await matghi(wanted(["--camera", "nho", "--out", small, "--json"]));
  expect([light.code, light.stderr]).toEqual([1, ""]);
  await second.stop();
  await cameras.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the answer, the folder and what it says of what is missing", () => {
  expect(exported).toMatchObject({ folder: out, answer: "partial", cameras: [{ id: "cho" }, { id: "truong" }] });
  expect(existsSync(`${out}.unfinished`)).toBe(false);
  const { request, cameras, key, site, answer } = manifest();
  expect([request.officer, request.case, request.witness, answer, site.id]).toEqual([odd, "tngt", "Ông B", "partial", "an-dai-1"]);
  expect(key.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  for (const { segments, views, missing, covered } of cameras) {
    expect(segments.length).toBeGreaterThanOrEqual(4);
    expect(views).toHaveLength(2);
    expect(covered.length).toBeGreaterThanOrEqual(2);
    expect(missing).toContainEqual(expect.objectContaining({ kind: "gap", cause: "box", evidence: expect.any(Array) }));
    for (const { file, matches, codec, width, fps } of segments) {
      expect(matches, file).toBe(true);
      expect([codec, width, fps].every((value) => value !== null)).toBe(true);
    }
  }
  expect(cameras.map(({ segments }) => segments[0]?.codec)).toEqual(["h264", "hevc"]);
});

test("the manifest is as it is published (deploy/manifest.schema.json), and a field more or less is not", () => {
  for (const dir of [out, small]) expect(unpublished(manifest(dir))).toEqual([]);
  const { key, ...keyless } = manifest();
  expect(unpublished(keyless)).not.toEqual([]);
  expect(unpublished({ ...keyless, key: { ...key, secret: "x" } })).not.toEqual([]);
  const [camera] = manifest().cameras;
  expect(unpublished({ ...keyless, key, cameras: [{ ...camera, address: 5 }] })).not.toEqual([]);
});

test("the originals are the box's own files, byte for byte", () => {
  for (const { id, segments } of manifest().cameras)
    for (const { file } of segments) {
      const [day, time] = [file.split("/")[2]?.slice(0, 10) ?? "", file.split("/")[2]?.slice(11) ?? ""];
      expect(readFileSync(join(out, file)).equals(readFileSync(join(footage, id, day, time))), file).toBe(true);
    }
});

test("a viewing copy holds the same pictures, not one byte of them changed", async () => {
  const frames = async (input: readonly string[]) => {
    const { stdout } = await run(
      "ffmpeg",
      ["-v", "error", ...input, "-map", "0:v:0", "-c", "copy", "-bsf:v", "setts=ts=0", "-f", "framemd5", "-"],
      { maxBuffer: 64 << 20 },
    );
    return stdout
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(",").slice(-2).join(","));
  };
  for (const { id, segments, views } of manifest().cameras) {
    // Both sides as an elementary stream would have them: MP4 and Matroska pack the same units alike.
    const originals = (await Promise.all(segments.map(({ file }) => frames(["-i", join(out, file)])))).flat();
    const copies = (await Promise.all(views.map(({ file }) => frames(["-i", join(out, file)])))).flat();
    expect(copies.length, id).toBeGreaterThan(100);
    expect(copies).toEqual(originals);
  }
});

test("subtitles tell site, camera and Vietnamese time, whatever the name holds", () => {
  const text = readFileSync(join(out, "view/cho-1.vtt"), "utf8");
  expect(text).toMatch(/^WEBVTT\n\n00:00:00\.000 --> 00:00:01\.000\n.* · \d\d:\d\d:\d\d \d\d\/\d\d\/\d{4}\n/);
  expect(
    text
      .split("\n")
      .filter((line) => line.includes("-->"))
      .every((line) => /^[\d:.]+ --> [\d:.]+$/.test(line)),
  ).toBe(true);
});

test("the sheet has every fact, and nothing of it is taken for markup", () => {
  const html = readFileSync(join(out, "PHIEU-TRICH-XUAT.html"), "utf8");
  for (const fact of [
    manifest().key.fingerprint,
    "Công an xã",
    "Điều 107",
    "tai nạn giao thông",
    ...manifest().cameras.flatMap(({ segments }) => segments.map(({ sha256 }) => sha256)),
  ])
    expect(html).toContain(fact);
  expect(html).not.toMatch(/<b>|undefined|null|NaN/);
});

test("it stands in the audit with everything, and in the journal without names", async () => {
  const [entry] = readAudit(join(folder, "state")).filter(({ what }) => what === "export.made");
  expect(entry?.data).toMatchObject({
    cameras: ["cho", "truong"],
    officer: odd,
    agency: "Công an xã",
    manifestSha256: exported.manifestSha256,
  });
  const events = await matghi(["events", "--type", "export.made", "--json", "--config", config]);
  expect(events.stdout).toContain(exported.manifestSha256);
  expect(events.stdout).not.toContain("Ông B");
  expect((JSON.parse(events.stdout) as { events: object[] }).events.flatMap(eventProblems)).toEqual([]);
  expect((await matghi(["audit", "--check", "--config", config])).code).toBe(0);
  expect((await matghi(["hold", "list", "--json", "--config", config])).stdout.trim()).toBe('{"holds":[]}');
});

describe("checks", () => {
  /** Ten lines that need nothing of ours. */
  const thirdParty = join(folder, "check.sh");
  const scratch = join(folder, "scratch");
  beforeAll(() => {
    writeFileSync(
      thirdParty,
      `set -eu
cd "$1"
test -z "$(find . -type l)"
openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig
test "$(openssl pkey -pubin -in public-key.pem -outform DER | sha256sum | cut -d' ' -f1)" = "$2"
sha256sum --check --strict --quiet SHA256SUMS
test "$(find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig | wc -l)" = "$(wc -l < SHA256SUMS)"
`,
    );
  });
  const check = (dir: string) =>
    run("sh", [thirdParty, dir, manifest().key.fingerprint]).then(
      () => true,
      () => false,
    );
  const verify = async (dir: string) => {
    const answer = await matghi(["verify", dir, "--json"]);
    return { code: answer.code, ...(JSON.parse(answer.stdout) as { result: string; problems: { file: string; what: string }[] }) };
  };

  test("a stranger's tools and ours find it unaltered, wherever it lies", async () => {
    cpSync(out, scratch, { recursive: true });
    expect(await check(scratch)).toBe(true);
    expect(await verify(scratch)).toMatchObject({ code: 0, result: "unaltered", problems: [] });
    rmSync(scratch, { recursive: true });
  });

  test("of 200 single bits that are flipped anywhere both find each", async () => {
    const files = filesUnder(small);
    const flips = Array.from({ length: 200 }, (_, i) => files[i % files.length] ?? "").entries();
    const lane = async (dir: string) => {
      cpSync(small, dir, { recursive: true });
      for (const [, file] of flips) {
        const path = join(dir, file);
        const bytes = readFileSync(path);
        const bit = Math.floor(Math.random() * bytes.length * 8);
        const flip = () => {
          bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          writeFileSync(path, bytes);
        };
        flip();
        const seen = await Promise.all([check(dir), verifyFolder(dir)]);
        flip();
        expect([seen[0], seen[1].result], `${file} bit ${bit}`).toEqual([false, "altered"]);
      }
      expect((await verifyFolder(dir)).result).toBe("unaltered");
      rmSync(dir, { recursive: true });
    };
    await Promise.all([1, 2, 3, 4].map((n) => lane(`${scratch}-${n}`)));
  });

  const original = () => manifest(small).cameras[0]?.segments[0]?.file ?? "";
  test.each([
    ["a file that is missing", (dir: string) => rmSync(join(dir, original())), "incomplete", "missing"],
    ["a file that was added", (dir: string) => writeFileSync(join(dir, "view/x.mp4"), "x"), "altered", "added"],
    ["a file that was renamed", (dir: string) => renameSync(join(dir, original()), join(dir, "original/nho/x.mkv")), "altered", "added"],
    ["a manifest that was changed", (dir: string) => appendFileSync(join(dir, "manifest.json"), " "), "altered", "altered"],
    [
      "a link in place of a file",
      (dir: string) => {
        rmSync(join(dir, original()));
        symlinkSync("/etc/passwd", join(dir, original()));
      },
      "altered",
      "not a plain file",
    ],
    [
      "a list with a line that leads out",
      (dir: string) => appendFileSync(join(dir, "SHA256SUMS"), `${"0".repeat(64)}  ../x\n`),
      "altered",
      "bad line",
    ],
    ["another signature", (dir: string) => writeFileSync(join(dir, "SHA256SUMS.sig"), Buffer.alloc(64)), "altered", "bad signature"],
    ["no signature", (dir: string) => rmSync(join(dir, "SHA256SUMS.sig")), "incomplete", "missing"],
  ] as const)("%s is named", async (_, change, result, what) => {
    cpSync(small, scratch, { recursive: true });
    change(scratch);
    const found = await verifyFolder(scratch);
    rmSync(scratch, { recursive: true });
    expect(found.result).toBe(result);
    expect(found.problems.map((problem) => problem.what)).toContain(what);
  });

  test("the command's exit tells altered from incomplete from nothing by 1, 1 and 3", async () => {
    cpSync(small, scratch, { recursive: true });
    appendFileSync(join(scratch, "manifest.json"), " ");
    expect(await verify(scratch)).toMatchObject({ code: 1, result: "altered" });
    rmSync(join(scratch, "manifest.json"));
    expect(await verify(scratch)).toMatchObject({ code: 1, result: "incomplete" });
    rmSync(scratch, { recursive: true });
  });

  test("a stranger who signs anew with a key of his own is found by the key that the manifest names", async () => {
    cpSync(small, scratch, { recursive: true });
    const { generateKeyPairSync, sign, createHash } = await import("node:crypto");
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
    writeFileSync(join(scratch, "public-key.pem"), pem);
    const hash = createHash("sha256").update(pem).digest("hex");
    const sums = readFileSync(join(scratch, "SHA256SUMS"), "utf8").replace(/^[0-9a-f]{64} {2}public-key\.pem$/m, `${hash}  public-key.pem`);
    writeFileSync(join(scratch, "SHA256SUMS"), sums);
    writeFileSync(join(scratch, "SHA256SUMS.sig"), sign(null, Buffer.from(sums), privateKey));
    const found = await verifyFolder(scratch);
    rmSync(scratch, { recursive: true });
    expect(found).toMatchObject({ result: "altered", problems: [{ file: "public-key.pem", what: "another key" }] });
  });

  test("where there is nothing it says so", async () => {
    expect(await verify(join(folder, "none"))).toMatchObject({ code: 3, result: "incomplete" });
    mkdirSync(scratch);
    expect((await verify(scratch)).result).toBe("incomplete");
    rmSync(scratch, { recursive: true });
    expect((await matghi(["verify"])).code).toBe(2);
  });
});

describe("sealed", () => {
  const passphrase = "Cum mat khau, so 7 'x' $HOME";
  const secret = writeSecret(folder, "seal", passphrase);
  const target = join(folder, "sealed");
  const opened = join(folder, "opened");
  const sealing = (more: readonly string[] = [], with_ = secret) =>
    matghi(withOptions(wanted(["--camera", "nho", "--seal", "--passphrase-file", with_, "--out", target]), more));
  const open = (pass: string, file = `${target}.zip`) => run("7z", ["x", "-y", `-p${pass}`, `-o${opened}`, file]);

  test("a stranger's 7-Zip opens it with the passphrase, with no other, and the folder in it is unaltered", async () => {
    const answer = await sealing(["--json"]);
    expect([answer.code, answer.stderr]).toEqual([1, ""]);
    expect(JSON.parse(answer.stdout)).toMatchObject({ folder: `${target}.zip`, sealed: true });
    await expect(open("another passphrase")).rejects.toThrow();
    rmSync(opened, { recursive: true, force: true });
    await open(passphrase);
    const inside = join(opened, "sealed");
    expect((await verifyFolder(inside)).problems).toEqual([]);
    expect(unpublished(manifest(inside))).toEqual([]);
    // The same originals as unsealed, and viewing copies that play as long.
    const plain = join(folder, "plain");
    expect((await matghi(wanted(["--camera", "nho", "--out", plain]))).code).toBe(1);
    const originals = (dir: string) => manifest(dir).cameras.map(({ segments }) => segments.map(({ file, sha256 }) => [file, sha256]));
    expect(originals(inside)).toEqual(originals(plain));
    const pictures = async (file: string) =>
      (await run("ffprobe", ["-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", file])).stdout;
    for (const { file } of manifest(inside).cameras.flatMap(({ views }) => views))
      expect(await pictures(join(inside, file))).toBe(await pictures(join(plain, file)));
    const entry = readAudit(join(folder, "state")).findLast(({ data }) => data.sealed === true);
    expect([entry?.what, entry?.data.folder]).toEqual(["export.made", `${target}.zip`]);
    expect(JSON.stringify(entry)).not.toContain("mat khau");
  });

  test("beside it stands how to open it, and nothing of it lies there in plain", () => {
    const guide = readFileSync(`${target}-CACH-MO.txt`, "utf8");
    expect(guide).toMatch(/CÁCH MỞ TỆP NIÊM PHONG sealed\.zip\r\n/);
    expect(guide).not.toMatch(/[{}]/);
    const bytes = readFileSync(`${target}.zip`);
    for (const text of ["Công an xã", "PHIẾU", "ftyp", "matroska", passphrase]) expect(bytes.includes(text), text).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith("sealed"))).toEqual(["sealed-CACH-MO.txt", "sealed.zip"]);
  });

  test("one bit that is flipped does not open", async () => {
    const file = join(folder, "flipped.zip");
    const bytes = readFileSync(`${target}.zip`);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await expect(open(passphrase, file)).rejects.toThrow();
  });

  test("killed on its way it leaves what is marked as unfinished and does not open, and begins anew", async () => {
    rmSync(`${target}.zip`);
    const child = spawn(process.execPath, [
      program,
      ...wanted(["--camera", "cho", "--seal", "--passphrase-file", secret, "--out", target]),
    ]);
    const closed = new Promise((resolve) => child.once("close", resolve));
    await until("something was sealed", 30_000, () => bytesUnder(folder, "sealed.zip.unfinished") > 100_000, 5);
    expect(readFileSync(`/proc/${child.pid}/cmdline`, "utf8") + readFileSync(`/proc/${child.pid}/environ`, "utf8")).not.toContain(
      "mat khau",
    );
    child.kill("SIGKILL");
    await closed;
    expect(existsSync(`${target}.zip`)).toBe(false);
    await expect(open(passphrase, `${target}.zip.unfinished`)).rejects.toThrow();
    expect((await sealing()).code).toBe(1);
    expect(readdirSync(folder).filter((name) => name.endsWith(".unfinished"))).toEqual([]);
    expect(await sealing()).toMatchObject({ code: 1, stderr: expect.stringMatching(/sealed\.zip is there already/) });
  });

  test("a passphrase that is short, has accents, or serves nothing is refused before anything is written", async () => {
    for (const [name, text, said] of [
      ["short", "ngan", /12 characters/],
      ["accents", "một cụm mật khẩu", /accents/],
    ] as const)
      expect(await sealing(["--out", join(folder, "never")], writeSecret(folder, name, text))).toMatchObject({
        ...{ code: 2, stdout: "" },
        stderr: expect.stringMatching(said),
      });
    const alone = await matghi(wanted(["--camera", "nho", "--passphrase-file", secret, "--out", join(folder, "never")]));
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringMatching(/without --seal/)]);
    expect(readdirSync(folder).filter((name) => name.startsWith("never"))).toEqual([]);
  });
});

test("killed at 20 moments it never leaves what is called complete, and goes on where it stopped", async () => {
  const target = join(folder, "killed");
  const command = [process.execPath, program, ...wanted(["--camera", "nho", "--out", target])] as const;
  const wholeMs = await new Promise<number>((resolve) => {
    const began = performance.now();
    spawn(command[0], command.slice(1), { stdio: "ignore" }).once("close", () => resolve(performance.now() - began));
  });
  rmSync(target, { recursive: true });
  let finished = 0;
  for (let i = 0; i < 20; i += 1) {
    const child = spawn(command[0], command.slice(1), { stdio: "ignore" });
    const closed = new Promise((resolve) => child.once("close", resolve));
    await sleep(wholeMs * (0.25 + (0.7 * i) / 20));
    child.kill("SIGKILL");
    await closed;
    if (existsSync(target)) {
      finished += 1;
      expect((await verifyFolder(target)).result).toBe("unaltered");
      rmSync(target, { recursive: true });
    } else if (existsSync(`${target}.unfinished`)) expect((await verifyFolder(`${target}.unfinished`)).result).not.toBe("unaltered");
  }
  expect(finished).toBeLessThan(20);
  const last = await matghi(wanted(["--camera", "nho", "--out", target]));
  expect(last.code).toBe(1);
  expect((await matghi(["verify", target])).code).toBe(0);
  expect(readdirSync(folder).filter((name) => name.endsWith(".unfinished"))).toEqual([]);
});

test("a copy that the disk gives otherwise than it was recorded is handed out and said", async () => {
  const reads = openReads(join(folder, "state"));
  const [segment] = reads?.segmentsTouching("truong", { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER }) ?? [];
  reads?.close();
  const path = filesUnder(join(footage, "truong")).find((file) => file.endsWith(`-${segment?.run}-${segment?.number}.mkv`)) ?? "";
  const bytes = readFileSync(join(footage, "truong", path));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(join(footage, "truong", path), bytes);
  const target = join(folder, "rotten");
  const answer = await matghi(wanted(["--camera", "truong", "--out", target]));
  expect(answer.code).toBe(1);
  expect(answer.stdout).toMatch(/KHÔNG khớp/);
  const { cameras } = JSON.parse(readFileSync(join(target, "manifest.json"), "utf8")) as Manifest;
  expect(cameras[0]?.segments.filter(({ matches }) => !matches)).toHaveLength(1);
  expect(unpublished(manifest(target))).toEqual([]);
  expect((await matghi(["verify", target])).code).toBe(0);
});

test("the sheet says by how much the box's clock may be off, where somebody tells", () => {
  const known = manifest(join(folder, "rotten"));
  const slip = (errorMs: number | null) => slipHtml({ ...known, boxClock: { trust: "synced", errorMs, steps: [] } }, null, "vi");
  expect(slip(21)).toContain("đã đối chiếu giờ chuẩn, sai lệch không quá 21 ms");
  expect(slip(null)).not.toContain("sai lệch không quá");
});

test("what lies in the draft of an earlier try is handed out only where this one made it", async () => {
  const target = join(folder, "tidy");
  const draft = `${target}.unfinished`;
  const outside = join(folder, "outside.txt");
  writeFileSync(outside, "mine");
  for (const below of ["view", "original/nho"]) mkdirSync(join(draft, below), { recursive: true });
  for (const foreign of ["setup.exe", "view/nho-7.mp4", "original/nho/other.mkv"]) writeFileSync(join(draft, foreign), "foreign");
  symlinkSync(outside, join(draft, "manifest.json"));
  expect((await matghi(wanted(["--camera", "nho", "--out", target]))).code).toBe(1);
  const names = filesUnder(target);
  expect(names).toContain("manifest.json");
  expect(names.filter((name) => /exe|nho-7|other/.test(name))).toEqual([]);
  expect(readFileSync(outside, "utf8")).toBe("mine");
  expect((await matghi(["verify", target])).code).toBe(0);
});

test("a link in the draft's place is refused, and what it leads to is left alone", async () => {
  const target = join(folder, "led-astray");
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "theirs.txt"), "theirs");
  symlinkSync(elsewhere, `${target}.unfinished`);
  const answer = await matghi(wanted(["--camera", "nho", "--out", target]));
  expect([answer.code, answer.stdout]).toEqual([1, ""]);
  expect(answer.stderr).toContain(`${target}.unfinished is there already`);
  expect(readdirSync(elsewhere)).toEqual(["theirs.txt"]);
});

test("a file of footage that is gone is named, with what sets it right", async () => {
  const [name = ""] = filesUnder(join(footage, "nho")).filter((file) => file.endsWith(".mkv"));
  const path = join(footage, "nho", name);
  renameSync(path, `${path}.away`);
  const answer = await matghi(wanted(["--camera", "nho", "--out", join(folder, "gone")]));
  renameSync(`${path}.away`, path);
  expect([answer.code, answer.stdout]).toEqual([1, ""]);
  expect(answer.stderr).toContain(path);
  expect(answer.stderr).toMatch(/cannot be read .*matghi repair/);
  expect(existsSync(join(folder, "gone"))).toBe(false);
});

test("without --out a new folder is made in the one where it is run; a second one beside it", async () => {
  const place = join(folder, "stick");
  mkdirSync(place);
  for (const name of [/^trich-xuat-an-dai-1-\d{8}-\d{4}$/, /^trich-xuat-an-dai-1-\d{8}-\d{4}-2$/]) {
    const answer = await matghi(wanted(["--camera", "nho", "--out", place, "--json"]));
    expect((JSON.parse(answer.stdout) as { folder: string }).folder.slice(place.length + 1)).toMatch(name);
  }
});

test.concurrent.each([
  ["--request", 2, /required option '--request/],
  ["--agency", 2, /required option '--agency/],
  ["--officer", 2, /required option '--officer/],
  ["--purpose", 2, /required option '--purpose/],
  ["--camera", 2, /required option '--camera/],
] as const)("without %s it is refused, and nothing is written", async (option, code, text) => {
  const all = wanted(["--camera", "cho", "--out", join(folder, "never")]);
  const at = all.indexOf(option);
  const answer = await matghi([...all.slice(0, at), ...all.slice(at + 2)]);
  expect([answer.code, answer.stdout]).toEqual([code, ""]);
  expect(answer.stderr).toMatch(text);
  expect(existsSync(join(folder, "never"))).toBe(false);
});

test.concurrent.each([
  [["--camera", "none"], 3, /no camera none; there are: /],
  [["--camera", "cho", "--case", "x"], 2, /--case x: not one of tngt, /],
  [["--camera", "cho", "--witness", "a\nb"], 2, /--witness holds a line break/],
  [["--camera", "cho", "--hold", "99"], 3, /no hold 99/],
  [["--camera", "cho", "--out", "/none/there/x"], 3, /is not there; make it/],
  [["--camera", "cho", "--out", "/etc/passwd"], 2, /not a folder/],
  [["--camera", "cho", "--from", "2020-01-01", "--to", "2020-01-02"], 3, /no closed footage of that stretch/],
] as const)("%j is refused with one line", async (more, code, text) => {
  const answer = await matghi(withOptions(wanted(), more));
  expect([answer.code, answer.stdout]).toEqual([code, ""]);
  expect(answer.stderr).toMatch(text);
  expect(answer.stderr.trim().split("\n")).toHaveLength(1);
});

describe("look", () => {
  const sheet = join(folder, "sheet.html");
  const looking = (more: readonly string[] = [], camera = "cho") =>
    matghi(
      withOptions(
        [
          ...["look", "--config", config, "--camera", camera, "--from", from, "--to", to, "--every", "4s", "--request", "CV 12"],
          ...["--officer", odd, "--out", sheet],
        ],
        more,
      ),
    );

  test("pictures with their times, the hole between them, and nothing that is markup or fetched", async () => {
    const answer = await looking(["--json"]);
    expect([answer.code, answer.stderr]).toEqual([0, ""]);
    const { pictures, failed } = JSON.parse(answer.stdout) as { pictures: number; failed: number };
    expect(failed).toBe(0);
    expect(pictures).toBeGreaterThanOrEqual(4);
    const html = readFileSync(sheet, "utf8");
    const images = [...html.matchAll(/data:image\/jpeg;base64,([^"]+)"/g)].map(([, text]) => Buffer.from(text ?? "", "base64"));
    expect(images).toHaveLength(pictures);
    for (const image of images) expect([...image.subarray(0, 2)]).toEqual([0xff, 0xd8]);
    expect(html).toMatch(/class="hole">.*phần mềm đầu ghi dừng/);
    expect(html.replace(/<img [^>]+>/g, "")).not.toMatch(/<b>|undefined|NaN|src=|href=|<script/);
    const [entry] = readAudit(join(folder, "state")).filter(({ what }) => what === "look.made");
    expect(entry?.data).toMatchObject({ camera: "cho", officer: odd, request: "CV 12" });
  });

  test("each picture is the key frame at its time: the second and its neighbours differ by whole groups of pictures", async () => {
    const html = readFileSync(sheet, "utf8");
    const seconds = [...html.matchAll(/figcaption>(\d\d):(\d\d):(\d\d)/g)].map(
      ([, h, m, s]) => Number(h) * 3600 + Number(m) * 60 + Number(s),
    );
    const steps = seconds.slice(1).map((second, i) => second - (seconds[i] ?? 0));
    expect(steps.every((step) => step > 0)).toBe(true);
    expect(steps.filter((step) => step >= 2 && step <= 8).length).toBeGreaterThanOrEqual(steps.length - 1);
  });

  test.concurrent.each([
    [["--every", "0s"], 2, /--every 0s: not a step/],
    [["--every", "soon"], 2, /not a step/],
    [["--camera", "nho"], 2, /cho was said before; say --camera once/],
    [["--out", "/none/there/x.html"], 1, /is not there; choose a folder/],
    [["--from", "2020-01-01", "--to", "2020-01-02"], 3, /no closed footage/],
  ] as const)("%j is refused with one line", async (more, code, text) => {
    const answer = await looking(more);
    expect([answer.code, answer.stdout]).toEqual([code, ""]);
    expect(answer.stderr).toMatch(text);
    expect(answer.stderr.trim().split("\n")).toHaveLength(1);
  });

  test.concurrent("a camera that is not there is refused", async () => {
    expect(await looking([], "none")).toMatchObject({ code: 3, stderr: expect.stringMatching(/no camera none/) });
  });
});
