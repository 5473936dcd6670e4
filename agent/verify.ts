/** Checks an evidence folder, offline, by its bytes: signature first, then the list, then every file, then the manifest against the files. */
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { evidenceNames, type Manifest, unfinished } from "./core/manifest.ts";

export const verifyFindings = [
  "no such folder",
  "unfinished",
  "missing",
  "added",
  "altered",
  "bad signature",
  "bad key",
  "another key",
  "bad line",
  "not a plain file",
  "differs from the manifest",
  "cannot be read",
] as const;
export type VerifyProblem = { readonly file: string; readonly what: (typeof verifyFindings)[number] };
export type Verified = {
  readonly result: "unaltered" | "altered" | "incomplete";
  readonly problems: readonly VerifyProblem[];
  readonly fingerprint: string | null;
};

const mostListBytes = 64 << 20;

/** Never rejects. */
export async function verifyFolder(folder: string): Promise<Verified> {
  const found = await stat(folder).catch(() => null);
  if (found === null || !found.isDirectory()) return conclude([{ file: folder, what: "no such folder" }], null);
  const problems: VerifyProblem[] = folder.replace(/\/+$/, "").endsWith(unfinished) ? [{ file: folder, what: "unfinished" }] : [];
  const [sums, signature, pem] = await Promise.all([
    bytesOf(folder, evidenceNames.sums),
    bytesOf(folder, evidenceNames.signature),
    bytesOf(folder, evidenceNames.key),
  ]);
  for (const [bytes, file] of [
    [sums, evidenceNames.sums],
    [signature, evidenceNames.signature],
    [pem, evidenceNames.key],
  ] as const)
    if (bytes === null) problems.push({ file, what: "missing" });
  const key = pem === null ? null : keyOf(pem);
  if (pem !== null && key === null) problems.push({ file: evidenceNames.key, what: "bad key" });
  if (sums !== null && signature !== null && key !== null && !isSigned(sums, signature, key))
    problems.push({ file: evidenceNames.signature, what: "bad signature" });
  const list = sums === null ? null : listOf(sums, problems);
  await compareFiles(folder, list, problems);
  const fingerprint =
    key === null
      ? null
      : createHash("sha256")
          .update(key.export({ type: "spki", format: "der" }))
          .digest("hex");
  if (list !== null) await compareManifest(folder, list, fingerprint, problems);
  return conclude(problems, fingerprint);
}

function conclude(found: readonly VerifyProblem[], fingerprint: string | null): Verified {
  const problems = [...new Map(found.map((problem) => [JSON.stringify([problem.file, problem.what]), problem])).values()];
  const lacks = problems.some(({ what }) => what === "missing" || what === "unfinished" || what === "no such folder");
  const isOnlyLacking = problems.every(({ what }) => what === "missing" || what === "unfinished" || what === "no such folder");
  return { result: problems.length === 0 ? "unaltered" : lacks && isOnlyLacking ? "incomplete" : "altered", problems, fingerprint };
}

async function bytesOf(folder: string, name: string): Promise<Buffer | null> {
  const found = await lstat(join(folder, name)).catch(() => null);
  return found?.isFile() && found.size <= mostListBytes ? readFile(join(folder, name)).catch(() => null) : null;
}

function keyOf(pem: Buffer): KeyObject | null {
  try {
    const key = createPublicKey(pem);
    // Bytes beside the key are no part of it, and no part of what was handed out.
    return key.asymmetricKeyType === "ed25519" && key.export({ type: "spki", format: "pem" }) === pem.toString("latin1") ? key : null;
  } catch {
    return null;
  }
}

function isSigned(sums: Buffer, signature: Buffer, key: KeyObject): boolean {
  try {
    return signature.length === 64 && verify(null, sums, key, signature);
  } catch {
    return false;
  }
}

const line = /^([0-9a-f]{64}) {2}((?!\/)(?!(?:.*\/)?\.\.?(?:\/|$))[^\0\n]+)$/;

/** Strictly as we write it: lower case, two blanks, no path that leads out, no name twice. */
function listOf(sums: Buffer, problems: VerifyProblem[]): ReadonlyMap<string, string> {
  const list = new Map<string, string>();
  const lines = sums.toString("utf8").split("\n");
  if (lines.pop() !== "") problems.push({ file: evidenceNames.sums, what: "bad line" });
  for (const text of lines) {
    const [, hash, file] = line.exec(text) ?? [];
    if (hash === undefined || file === undefined || list.has(file)) problems.push({ file: evidenceNames.sums, what: "bad line" });
    else list.set(file, hash);
  }
  return list;
}

/** `list` null: there is none, and nobody can say what belongs here. */
async function compareFiles(folder: string, list: ReadonlyMap<string, string> | null, problems: VerifyProblem[]): Promise<void> {
  const unlisted: readonly string[] = [evidenceNames.sums, evidenceNames.signature];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((): Dirent[] => []);
  const [files, odd] = [new Set<string>(), new Set<string>()];
  for (const entry of entries) {
    const file = relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/");
    if (entry.isDirectory()) continue;
    (entry.isFile() ? files : odd).add(file);
    if (odd.has(file)) problems.push({ file, what: "not a plain file" });
    if (list !== null && !list.has(file) && !unlisted.includes(file)) problems.push({ file, what: "added" });
  }
  for (const [file, hash] of list ?? []) {
    // A pipe or a device in a file's place is never read: it would not end.
    if (odd.has(file)) continue;
    if (!files.has(file)) problems.push({ file, what: "missing" });
    else {
      const told = await hashOf(join(folder, file));
      if (told !== hash) problems.push({ file, what: told === null ? "cannot be read" : "altered" });
    }
  }
}

async function hashOf(path: string): Promise<string | null> {
  try {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
    return hash.digest("hex");
  } catch {
    return null;
  }
}

/** What the manifest says of the files must be what they are, whoever signed. */
async function compareManifest(
  folder: string,
  list: ReadonlyMap<string, string>,
  fingerprint: string | null,
  problems: VerifyProblem[],
): Promise<void> {
  const bytes = await bytesOf(folder, evidenceNames.manifest);
  if (bytes === null || !list.has(evidenceNames.manifest)) {
    problems.push({ file: evidenceNames.manifest, what: "missing" });
    return;
  }
  try {
    const manifest = JSON.parse(bytes.toString("utf8")) as Manifest;
    if (fingerprint !== null && manifest.key.fingerprint !== fingerprint) problems.push({ file: evidenceNames.key, what: "another key" });
    const told = new Set<string>();
    for (const { segments, views } of manifest.cameras) {
      for (const { file, sha256, matches } of segments) {
        told.add(file);
        if (!list.has(file) || (list.get(file) === sha256) !== matches)
          problems.push({ file, what: list.has(file) ? "differs from the manifest" : "missing" });
      }
      for (const { file } of views) if (!list.has(file)) problems.push({ file, what: "missing" });
    }
    for (const file of list.keys())
      if (file.startsWith(`${evidenceNames.original}/`) && !told.has(file)) problems.push({ file, what: "differs from the manifest" });
  } catch {
    problems.push({ file: evidenceNames.manifest, what: "cannot be read" });
  }
}
