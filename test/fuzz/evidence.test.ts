/** Evidence whose bytes were changed is never called unaltered, and no folder, however odd, makes the check fail. */
import { createHash, randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { evidenceNames } from "../../agent/core/manifest.ts";
import { segmentPath } from "../../agent/core/path.ts";
import { exportEvidence } from "../../agent/export.ts";
import { openKey } from "../../agent/store/key.ts";
import { verifyFindings, verifyFolder } from "../../agent/verify.ts";
import type { Remux } from "../../hal/ports.ts";
import { memoryFolder } from "../lib/temp.ts";
import { fuzz, mutated, mutationsOf } from "./budget.ts";

const folder = memoryFolder("fuzz-evidence");
const out = join(folder, "out");
const scratch = join(folder, "scratch");
const key = openKey(join(folder, "state"));
const begin = Date.parse("2026-11-20T00:00:00Z");
let files: readonly string[] = [];

const remux: Remux = {
  look: async () => ({ codec: "h264", width: 640, height: 360, fps: 25 }),
  still: async () => null,
  groupMs: async () => null,
  join: async (parts, target) => {
    writeFileSync(target, Buffer.concat(parts.map(({ path }) => readFileSync(path).subarray(0, 100))));
    return { kind: "ok" };
  },
  stream: async function* (parts) {
    for (const { path } of parts) yield readFileSync(path).subarray(0, 100);
  },
};

beforeAll(async () => {
  const row = { camera: "cho", run: 1, stream: "main", clock: "synced", torn: false, doomed: false, namedMs: 0 } as const;
  const segments = Array.from({ length: 4 }, (_, i) => {
    const [fromUtc, toUtc] = [begin + i * 60_000, begin + (i + 1) * 60_000];
    const path = join(folder, "footage", segmentPath({ ...row, number: i, startAt: fromUtc }));
    const bytes = randomBytes(400);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { ...row, id: i + 1, number: i, startAt: fromUtc, endAt: toUtc, bytes: 400, sha256, fromUtc, toUtc };
  });
  const request = { paper: "CV 1", agency: "CA", officer: "A", purpose: "x", case: null, witness: null, hold: null, account: "root" };
  const asked = { from: new Date(begin).toISOString(), to: new Date(begin + 240_000).toISOString() };
  const manifest = {
    ...{ v: 1 as const, site: { id: "an-dai-1", name: "A", commune: "xa" }, device: {}, agent: "0", timeZone: "Asia/Ho_Chi_Minh" as const },
    ...{ madeAt: asked.to, request, asked, answer: "yes" as const, boxClock: { trust: "synced", errorMs: 0, steps: [] } },
    key: { algorithm: "Ed25519" as const, fingerprint: key.fingerprint },
  };
  const facts = {
    ...{ id: "cho", name: "Chợ", make: null, model: null, serial: null, mac: null, address: null, clock: { nowOffsetMs: null, found: [] } },
    ...{ dueMs: 240_000, recordedMs: 240_000, covered: [asked], missing: [] },
  };
  const order = {
    folder: out,
    spareBytes: 0,
    footage: join(folder, "footage"),
    manifest,
    cameras: [{ facts, segments }],
    unit: null,
    language: "vi" as const,
  };
  const done = await exportEvidence({ remux, key, onProgress: () => undefined }, order, new AbortController().signal);
  expect(done.kind, JSON.stringify(done)).toBe("done");
  files = readdirSync(out, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name).slice(out.length + 1)] : [],
  );
  expect(files.length).toBeGreaterThan(8);
  expect((await verifyFolder(out)).result).toBe("unaltered");
});

/** Every name with its kind and bytes: two folders of one picture are the same evidence. */
function pictureOf(place: string): string {
  const entries = readdirSync(place, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const kind = entry.isFile() ? readFileSync(path).toString("base64") : entry.isDirectory() ? "folder" : "odd";
      return `${path.slice(place.length)} ${kind}`;
    })
    .sort()
    .join("\n");
}

type Deed = {
  readonly what: "flip" | "cut" | "append" | "remove" | "swap" | "rename" | "link" | "folder" | "add";
  readonly which: number;
  readonly other: number;
  readonly at: number;
};
const deed = fc.record<Deed>({
  what: fc.constantFrom("flip", "flip", "flip", "cut", "append", "remove", "swap", "rename", "link", "folder", "add"),
  ...{ which: fc.nat(), other: fc.nat(), at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }) },
});

function change({ what, which, other, at }: Deed): void {
  const [a = "", b = ""] = [files[which % files.length], files[other % files.length]].map((file) => join(scratch, file ?? ""));
  const bytes = readFileSync(a);
  const place = Math.floor(at * bytes.length * 8);
  if (what === "flip") bytes[place >> 3] = (bytes[place >> 3] ?? 0) ^ (1 << (place & 7));
  if (what === "flip") writeFileSync(a, bytes);
  if (what === "cut") writeFileSync(a, bytes.subarray(0, place >> 3));
  if (what === "append") writeFileSync(a, Buffer.concat([bytes, Buffer.from([other & 255])]));
  if (what === "swap") writeFileSync(b, bytes);
  if (what === "rename") renameSync(a, `${a}~`);
  if (what === "add") writeFileSync(join(dirname(a), `more-${other % 10}`), bytes.subarray(0, place >> 3));
  if (what === "remove" || what === "link" || what === "folder") rmSync(a);
  if (what === "link") symlinkSync(join(out, files[other % files.length] ?? ""), a);
  if (what === "folder") mkdirSync(a);
}

test("a folder that was changed", async () => {
  const original = pictureOf(out);
  await fuzz("evidence folder", fc.array(deed, { minLength: 1, maxLength: 3 }), async (deeds) => {
    rmSync(scratch, { recursive: true, force: true });
    cpSync(out, scratch, { recursive: true });
    for (const one of deeds) {
      try {
        change(one);
      } catch {
        // What an earlier deed took away cannot be changed; that one counts.
      }
    }
    const { result, problems } = await verifyFolder(scratch);
    expect(result === "unaltered", JSON.stringify(problems)).toBe(pictureOf(scratch) === original);
    for (const { what } of problems) expect(verifyFindings).toContain(what);
  });
});

test("a manifest and a list that say anything, under the box's own signature", async () => {
  const read = (name: string) => readFileSync(join(out, name), "utf8");
  const words = ["null", "[]", "{}", '"', "\n", "  ", "../", "/", "\0", "0".repeat(64), "original/", "-1", "{", "}", "[", "]", ","];
  const drawn = fc.record({ manifest: mutationsOf(words), sums: fc.option(mutationsOf(words)) });
  await fuzz("signed nonsense", drawn, async ({ manifest, sums }) => {
    rmSync(scratch, { recursive: true, force: true });
    cpSync(out, scratch, { recursive: true });
    const text = manifest.reduce(mutated, read(evidenceNames.manifest));
    writeFileSync(join(scratch, evidenceNames.manifest), text);
    const hash = createHash("sha256")
      .update(readFileSync(join(scratch, evidenceNames.manifest)))
      .digest("hex");
    const honest = read(evidenceNames.sums).replace(/^[0-9a-f]{64}( {2}manifest\.json)$/m, `${hash}$1`);
    const list = sums === null ? honest : sums.reduce(mutated, honest);
    writeFileSync(join(scratch, evidenceNames.sums), list);
    writeFileSync(join(scratch, evidenceNames.signature), key.sign(readFileSync(join(scratch, evidenceNames.sums))));
    const { result, problems } = await verifyFolder(scratch);
    for (const { what } of problems) expect(verifyFindings).toContain(what);
    if (list !== honest) expect(result === "unaltered", JSON.stringify(sums)).toBe(false);
  });
});
