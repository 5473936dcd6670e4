/**
 * Writes an evidence folder: the original files, viewing copies, what is missing and why, hashes, signature, the sheet. The whole of it stands
 * under a name that says unfinished until its last byte is on the medium.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Remux, VideoFacts } from "../hal/ports.ts";
import type { Progress } from "./core/estimate.ts";
import {
  evidenceNames,
  type Manifest,
  type ManifestCamera,
  type ManifestSegment,
  type ManifestView,
  runsOf,
  subtitles,
  unfinished,
} from "./core/manifest.ts";
import { segmentPath } from "./core/path.ts";
import { slipHtml } from "./core/slip.ts";
import { iso } from "./core/time.ts";
import { type Language, wordsIn } from "./core/words.ts";
import type { BoxKey } from "./store/key.ts";
import type { SegmentRow } from "./store/reads.ts";

/** One camera of an order: what the ledger says, and its files with their times in UTC. */
export type CameraOrder = {
  readonly facts: Omit<ManifestCamera, "segments" | "views">;
  readonly segments: readonly (SegmentRow & { readonly fromUtc: number; readonly toUtc: number })[];
};
export type ExportOrder = {
  /** Absolute. */
  readonly folder: string;
  /** What must stay free on its medium. */
  readonly spareBytes: number;
  readonly footage: string;
  readonly manifest: Omit<Manifest, "cameras">;
  readonly cameras: readonly CameraOrder[];
  readonly unit: string | null;
  readonly language: Language;
};
export type ExportDeps = {
  readonly remux: Remux;
  readonly key: BoxKey;
  /** Files and bytes that are copied of all, and bytes of those whose viewing copies are made. */
  readonly onProgress: (done: Progress & { readonly files: number }, all: { readonly files: number; readonly bytes: number }) => void;
};
export type Exported =
  | { readonly kind: "done"; readonly manifest: Manifest; readonly manifestSha256: string; readonly altered: readonly string[] }
  | { readonly kind: "refused"; readonly reason: "no-room" | "exists" | "stopped" | "no-view"; readonly detail: string };

const readBytes = 1 << 20;

/** Beside the files: manifest, sheet, subtitles. */
const overheadBytes = 20_000_000;

/** Rejects with the system's error where the medium takes nothing; what was begun stays, marked as unfinished, and is gone on with next time. */
export async function exportEvidence(deps: ExportDeps, order: ExportOrder, signal: AbortSignal): Promise<Exported> {
  const draft = `${order.folder}${unfinished}`;
  if (await exists(order.folder)) return { kind: "refused", reason: "exists", detail: order.folder };
  await mkdir(draft, { recursive: true });
  const short = await shortOf(order, draft);
  if (short > 0) return { kind: "refused", reason: "no-room", detail: String(short) };
  const cameras: ManifestCamera[] = [];
  const all = totalOf(order);
  const done = { files: 0, bytes: 0, viewedBytes: 0 };
  for (const camera of order.cameras) {
    const segments: ManifestSegment[] = [];
    for (const segment of camera.segments) {
      if (signal.aborted) return { kind: "refused", reason: "stopped", detail: draft };
      segments.push(await copySegment(deps, order, draft, segment, signal));
      done.files += 1;
      done.bytes += segment.bytes;
      deps.onProgress(done, all);
    }
    const views = await makeViews(deps, order, draft, camera, segments, signal);
    if (views.kind === "refused") return views;
    done.viewedBytes = done.bytes;
    deps.onProgress(done, all);
    cameras.push({ ...camera.facts, segments, views: views.views });
  }
  if (signal.aborted) return { kind: "refused", reason: "stopped", detail: draft };
  const manifest: Manifest = { ...order.manifest, cameras };
  const manifestSha256 = await seal(deps, order, draft, manifest);
  await rename(draft, order.folder);
  await syncFolder(dirname(order.folder));
  return { kind: "done", manifest, manifestSha256, altered: alteredOf(cameras) };
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

export const totalOf = ({ cameras }: ExportOrder) => ({
  files: cameras.reduce((sum, { segments }) => sum + segments.length, 0),
  bytes: cameras.reduce((sum, { segments }) => sum + segments.reduce((bytes, segment) => bytes + segment.bytes, 0), 0),
});

/** Bytes that the medium lacks for originals and viewing copies. What an earlier try left counts as there. */
async function shortOf(order: ExportOrder, draft: string): Promise<number> {
  const held = await Promise.all((await filesUnder(draft)).map(async (path) => (await stat(join(draft, path))).size));
  return (await lackOf(order, draft)) - held.reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes that the medium under a folder lacks; none where it is not above 0. */
export async function lackOf(order: ExportOrder, folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return 2 * totalOf(order).bytes + overheadBytes + order.spareBytes - bavail * bsize;
}

/** `original/<camera>/<day>-<time>-<run>-<n>.mkv`: named as on the box, the day's folder folded into the name. */
export function originalOf(segment: SegmentRow): string {
  const [camera = "", day = "", name = ""] = segmentPath(segment).split("/");
  return `${evidenceNames.original}/${camera}/${day}-${name}`;
}

async function copySegment(
  { remux }: ExportDeps,
  order: ExportOrder,
  draft: string,
  segment: CameraOrder["segments"][number],
  signal: AbortSignal,
): Promise<ManifestSegment> {
  const file = originalOf(segment);
  const target = join(draft, file);
  await mkdir(dirname(target), { recursive: true });
  const source = join(order.footage, segmentPath(segment));
  // An earlier try may have come this far.
  const take = async () => ((await hashOf(target, segment.bytes)) === segment.sha256 ? segment.sha256 : copy(source, target));
  const [sha256, seen] = await Promise.all([take(), remux.look(source, signal)]);
  return segmentFacts(segment, sha256, (await stat(target)).size, seen);
}

/** What the manifest says of a copied file; `sha256` and `bytes` are the copy's. */
export function segmentFacts(
  segment: CameraOrder["segments"][number],
  sha256: string,
  bytes: number,
  seen: VideoFacts | null,
): ManifestSegment {
  return {
    ...{ file: originalOf(segment), from: iso(segment.fromUtc), to: iso(segment.toUtc), bytes, sha256: segment.sha256 },
    ...{ matches: sha256 === segment.sha256, stream: segment.stream, clock: segment.clock, torn: segment.torn },
    ...{ codec: seen?.codec ?? null, width: seen?.width ?? null, height: seen?.height ?? null, fps: seen?.fps ?? null },
  };
}

/** null where there is no file of that size. */
async function hashOf(path: string, bytes: number): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.size !== bytes) return null;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: readBytes })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Copies byte for byte, durably; resolves with the hash of what was read. */
async function copy(source: string, target: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(target, "w", 0o644);
  try {
    for await (const chunk of createReadStream(source, { highWaterMark: readBytes })) {
      hash.update(chunk as Buffer);
      await file.write(chunk as Buffer);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

type Views = { readonly kind: "views"; readonly views: readonly ManifestView[] };

async function makeViews(
  { remux }: ExportDeps,
  order: ExportOrder,
  draft: string,
  camera: CameraOrder,
  copies: readonly ManifestSegment[],
  signal: AbortSignal,
): Promise<Views | Extract<Exported, { kind: "refused" }>> {
  await mkdir(join(draft, evidenceNames.view), { recursive: true });
  const planned = viewsOf(order, camera, copies, (i) => join(draft, copies[i]?.file ?? ""));
  for (const { view, titles, parts } of planned) {
    const joined = await remux.join(parts, join(draft, view.file), signal);
    if (signal.aborted) return { kind: "refused", reason: "stopped", detail: draft };
    if (joined.kind === "failed") return { kind: "refused", reason: "no-view", detail: `${view.file}: ${joined.detail}` };
    await write(join(draft, titlesOf(view)), titles);
  }
  return { kind: "views", views: planned.map(({ view }) => view) };
}

/** A viewing copy to be made: of which files, each playing so long, and its subtitles. */
export type PlannedView = {
  readonly view: ManifestView;
  readonly titles: string;
  readonly parts: readonly { readonly path: string; readonly ms: number }[];
};

/** One for each unbroken span of a camera. `pathOf`: where its n-th file can be read. */
export function viewsOf(
  order: ExportOrder,
  camera: CameraOrder,
  copies: readonly ManifestSegment[],
  pathOf: (i: number) => string,
): readonly PlannedView[] {
  const files = camera.segments.map((segment, i) => ({
    ...{ startAt: segment.fromUtc, endAt: segment.toUtc, path: pathOf(i), codec: copies[i]?.codec ?? null },
    stream: segment.stream,
  }));
  const title = `${order.manifest.site.name} · ${camera.facts.name}`;
  return runsOf(files.filter(({ codec }) => codec !== null)).map((run, n) => {
    const [first, last] = [run[0], run.at(-1)];
    const file = `${evidenceNames.view}/${camera.facts.id}-${n + 1}.mp4`;
    return {
      view: { file, from: iso(first?.startAt ?? 0), to: iso(last?.endAt ?? 0), codec: first?.codec ?? null },
      titles: subtitles(title, run),
      parts: run.map(({ path, startAt, endAt }) => ({ path, ms: endAt - startAt })),
    };
  });
}

/** The subtitles of a viewing copy. */
export const titlesOf = ({ file }: ManifestView): string => file.replace(/mp4$/, "vtt");

/** The files that describe an export, by name; the list of hashes and its signature come after them. */
export function descriptionsOf(manifest: Manifest, key: BoxKey, order: ExportOrder): readonly (readonly [name: string, text: string])[] {
  return [
    [evidenceNames.manifest, `${JSON.stringify(manifest, null, 1)}\n`],
    [evidenceNames.key, key.publicPem],
    [evidenceNames.slip, slipHtml(manifest, order.unit, order.language)],
    [evidenceNames.guide, `${wordsIn(order.language).handover.guide.join("\n")}\n`],
  ];
}

/** SHA-256 of a manifest's file, which audit and register keep. */
export const manifestHash = ([[, text] = ["", ""]]: ReturnType<typeof descriptionsOf>): string =>
  createHash("sha256").update(text).digest("hex");

export const alteredOf = (cameras: readonly ManifestCamera[]): readonly string[] =>
  cameras.flatMap(({ segments }) => segments.filter(({ matches }) => !matches).map(({ file }) => file));

/** Everything that describes the files, then their hashes, then the signature: nothing may be written after it. */
async function seal({ key }: ExportDeps, order: ExportOrder, draft: string, manifest: Manifest): Promise<string> {
  const names = evidenceNames;
  const descriptions = descriptionsOf(manifest, key, order);
  for (const [name, text] of descriptions) await write(join(draft, name), text);
  for (const old of [names.sums, names.signature]) await rm(join(draft, old), { force: true });
  const lines: string[] = [];
  // What was hashed and flushed while it was copied is not read again.
  const copied = new Map(
    manifest.cameras.flatMap(({ segments }) => segments.flatMap((copy) => (copy.matches ? [[copy.file, copy.sha256] as const] : []))),
  );
  for (const file of (await filesUnder(draft)).toSorted()) {
    const known = copied.get(file);
    if (known !== undefined) {
      lines.push(`${known}  ${file}\n`);
      continue;
    }
    const hash = createHash("sha256");
    const handle = await open(join(draft, file), "r+");
    try {
      for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: readBytes })) hash.update(chunk as Buffer);
      await handle.sync();
    } finally {
      await handle.close();
    }
    lines.push(`${hash.digest("hex")}  ${file}\n`);
  }
  const sums = lines.join("");
  await write(join(draft, names.sums), sums);
  await write(join(draft, names.signature), key.sign(Buffer.from(sums)));
  for (const folder of [draft, join(draft, names.view), join(draft, names.original)]) await syncFolder(folder).catch(() => undefined);
  return manifestHash(descriptions);
}

async function write(path: string, content: string | Buffer): Promise<void> {
  const file = await open(path, "w", 0o644);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Some media know no such thing as a folder's sync. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    await handle.close();
  }
}

/** Plain files below a folder, relative, with slashes. */
async function filesUnder(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
}
