/**
 * Writes an evidence folder: the original files, viewing copies, what is missing and why, hashes, signature, the sheet. The whole of it stands
 * under a name that says unfinished until its last byte is on the medium.
 */
import { createHash } from "node:crypto";
import { rename, rmdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FilmPart, Remux, VideoFacts } from "../hal/ports.ts";
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
import { type Draft, isLink, openDraft, syncFolder } from "./draft.ts";
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
  | { readonly kind: "refused"; readonly reason: "no-room" | "exists" | "stopped" | "no-view" | "no-file"; readonly detail: string };

/** Beside the files: manifest, sheet, subtitles. */
const overheadBytes = 20_000_000;
/** For the table of a viewing copy, a second of film: 60 pictures and sound, the most that `hal/remux.ts` leaves. */
const tableBytesPerSecond = 4_200;

/** Rejects with the system's error where the medium takes nothing; what was begun stays, marked as unfinished, and is gone on with next time. */
export async function exportEvidence(deps: ExportDeps, order: ExportOrder, signal: AbortSignal): Promise<Exported> {
  if (await exists(order.folder)) return { kind: "refused", reason: "exists", detail: order.folder };
  const place = `${order.folder}${unfinished}`;
  if (await isLink(place)) return { kind: "refused", reason: "exists", detail: place };
  const draft = await openDraft(place);
  const short = (await lackOf(order, place)) - (await copiedBytes(order, place));
  if (short > 0) {
    // Only where nothing is in it: what an earlier try copied is gone on with.
    await rmdir(place).catch(() => undefined);
    return { kind: "refused", reason: "no-room", detail: String(short) };
  }
  const made = await handOut(deps, order, draft, signal);
  if (made.kind === "refused") return made;
  const manifest: Manifest = { ...order.manifest, cameras: made.cameras };
  const descriptions = descriptionsOf(manifest, deps.key, order);
  for (const [name, text] of descriptions) await draft.write(name, text);
  await draft.seal(deps.key);
  await rename(draft.folder, order.folder);
  await syncFolder(dirname(order.folder));
  return { kind: "done", manifest, manifestSha256: manifestHash(descriptions), altered: alteredOf(made.cameras) };
}

type Refused = Extract<Exported, { kind: "refused" }>;
type HandedOut = { readonly kind: "made"; readonly cameras: readonly ManifestCamera[] };

/** Originals one after the other, as media like it; meanwhile the cameras before get their viewing copies, of what is still in memory. */
async function handOut(deps: ExportDeps, order: ExportOrder, draft: Draft, signal: AbortSignal): Promise<HandedOut | Refused> {
  const left = new AbortController();
  const either = AbortSignal.any([signal, left.signal]);
  const told = teller(deps, order);
  const view = async (before: Promise<HandedOut | Refused>, camera: CameraOrder, copies: readonly ManifestSegment[]) => {
    const made = await before;
    if (made.kind === "refused") return made;
    const views = await makeViews(deps, order, draft, camera, copies, either);
    if (views.kind === "refused") {
      left.abort();
      return views;
    }
    told.viewed(camera);
    return { kind: "made" as const, cameras: [...made.cameras, { ...camera.facts, segments: copies, views: views.views }] };
  };
  let made: Promise<HandedOut | Refused> = Promise.resolve({ kind: "made", cameras: [] });
  try {
    for (const camera of order.cameras) {
      const copied = await copyFootage(deps, order, draft, camera, told.copied, either);
      if (copied.kind === "refused") return copied;
      made = view(made, camera, copied.copies);
      // It is told where it is waited for; until then nothing more is copied.
      made.catch(() => left.abort());
    }
    const done = await made;
    return done.kind === "made" && signal.aborted ? { kind: "refused", reason: "stopped", detail: draft.folder } : done;
  } finally {
    left.abort();
    await made.catch(() => undefined);
  }
}

/** Says how far an export is. */
function teller({ onProgress }: Pick<ExportDeps, "onProgress">, order: ExportOrder) {
  const [done, all] = [{ files: 0, bytes: 0, viewedBytes: 0 }, totalOf(order)];
  return {
    copied: ({ bytes }: SegmentRow) => {
      done.files += 1;
      done.bytes += bytes;
      onProgress(done, all);
    },
    viewed: ({ segments }: CameraOrder) => {
      done.viewedBytes += segments.reduce((sum, { bytes }) => sum + bytes, 0);
      onProgress(done, all);
    },
  };
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

/** Bytes of this order's originals that an earlier try left in the draft. */
async function copiedBytes({ cameras }: ExportOrder, draft: string): Promise<number> {
  const sizeOf = (file: string) =>
    stat(join(draft, file)).then(
      ({ size }) => size,
      () => 0,
    );
  const sizes = await Promise.all(cameras.flatMap(({ segments }) => segments.map((segment) => sizeOf(originalOf(segment)))));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes that the medium under a folder lacks; none where it is not above 0. */
export async function lackOf(order: ExportOrder, folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  const filmMs = order.cameras.flatMap(({ segments }) => segments).reduce((sum, { fromUtc, toUtc }) => sum + toUtc - fromUtc, 0);
  const tableBytes = (filmMs / 1_000) * tableBytesPerSecond;
  return Math.ceil(2 * totalOf(order).bytes + tableBytes + overheadBytes + order.spareBytes - bavail * bsize);
}

/** `original/<camera>/<day>-<time>-<run>-<n>.mkv`: named as on the box, the day's folder folded into the name. */
export function originalOf(segment: SegmentRow): string {
  const [camera = "", day = "", name = ""] = segmentPath(segment).split("/");
  return `${evidenceNames.original}/${camera}/${day}-${name}`;
}

type Copies = { readonly kind: "copies"; readonly copies: readonly ManifestSegment[] };

/** Those that were copied before it was stopped. */
async function copyFootage(
  { remux }: ExportDeps,
  order: ExportOrder,
  draft: Draft,
  { segments }: CameraOrder,
  onCopied: (segment: SegmentRow) => void,
  signal: AbortSignal,
): Promise<Copies | Refused> {
  const copies: ManifestSegment[] = [];
  for (const segment of segments) {
    if (signal.aborted) break;
    const source = join(order.footage, segmentPath(segment));
    const [copied, seen] = await Promise.all([draft.copy(source, originalOf(segment), segment), remux.look(source, signal)]);
    if ("unreadable" in copied) return { kind: "refused", reason: "no-file", detail: `${source}: ${copied.unreadable}` };
    copies.push(segmentFacts(segment, copied.sha256, copied.bytes, seen));
    onCopied(segment);
  }
  return { kind: "copies", copies };
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

type Views = { readonly kind: "views"; readonly views: readonly ManifestView[] };

async function makeViews(
  { remux }: ExportDeps,
  order: ExportOrder,
  draft: Draft,
  camera: CameraOrder,
  copies: readonly ManifestSegment[],
  signal: AbortSignal,
): Promise<Views | Refused> {
  const planned = viewsOf(order, camera, copies, (i) => join(draft.folder, copies[i]?.file ?? ""));
  for (const { view, titles, parts } of planned) {
    await draft.write(titlesOf(view), titles);
    const joined = await remux.join(parts, join(draft.folder, view.file), signal);
    if (signal.aborted) return { kind: "refused", reason: "stopped", detail: draft.folder };
    if (joined.kind === "failed") return { kind: "refused", reason: "no-view", detail: `${view.file}: ${joined.detail}` };
    draft.take(view.file);
  }
  return { kind: "views", views: planned.map(({ view }) => view) };
}

/** A viewing copy to be made: of which files, each playing so long, and its subtitles. */
export type PlannedView = {
  readonly view: ManifestView;
  readonly titles: string;
  readonly parts: readonly FilmPart[];
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
    ...{ stream: segment.stream, fps: copies[i]?.fps ?? null },
  }));
  const title = `${order.manifest.site.name} · ${camera.facts.name}`;
  return runsOf(files.filter(({ codec }) => codec !== null)).map((run, n) => {
    const [first, last] = [run[0], run.at(-1)];
    const file = `${evidenceNames.view}/${camera.facts.id}-${n + 1}.mp4`;
    return {
      view: { file, from: iso(first?.startAt ?? 0), to: iso(last?.endAt ?? 0), codec: first?.codec ?? null },
      titles: subtitles(title, run),
      parts: run.map(({ path, startAt, endAt, fps }) => ({ path, ms: endAt - startAt, fps })),
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
