/**
 * The same evidence folder as export.ts makes, inside one file sealed with a passphrase. Nothing of it touches the medium unsealed: a stick that
 * is lost on the way gives away what it is, never what it shows. It cannot be gone on with; what was begun is begun anew.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { evidenceNames, type Manifest, type ManifestCamera, type ManifestSegment, unfinished } from "./core/manifest.ts";
import { segmentPath } from "./core/path.ts";
import { fill, wordsIn } from "./core/words.ts";
import { syncFolder } from "./draft.ts";
import {
  alteredOf,
  type CameraOrder,
  descriptionsOf,
  type ExportDeps,
  type Exported,
  type ExportOrder,
  exists,
  lackOf,
  manifestHash,
  originalOf,
  segmentFacts,
  titlesOf,
  totalOf,
  viewsOf,
} from "./export.ts";
import { makeSealedZip, type SealedZip } from "./zip.ts";

/** Ends the name of a sealed copy; what is inside lies in a folder of the name without it. */
export const sealedEnding = ".zip";
const guideEnding = "-CACH-MO.txt";
const readBytes = 1 << 20;

/** `order.folder` is the sealed file without its ending. Rejects with the system's error where the medium takes nothing. */
export async function exportSealed(
  deps: ExportDeps & { readonly passphrase: string },
  order: ExportOrder,
  signal: AbortSignal,
): Promise<Exported> {
  const file = `${order.folder}${sealedEnding}`;
  const draft = `${file}${unfinished}`;
  if (await exists(file)) return { kind: "refused", reason: "exists", detail: file };
  await rm(draft, { force: true });
  const short = await lackOf(order, dirname(file));
  if (short > 0) return { kind: "refused", reason: "no-room", detail: String(short) };
  const zip = await makeSealedZip(draft, deps.passphrase, Date.parse(order.manifest.madeAt));
  try {
    const made = await fillZip(deps, order, zip, draft, signal);
    if (made.kind === "refused") return made;
    await zip.finish();
    await writeFile(`${order.folder}${guideEnding}`, guideOf(order), { flush: true });
    await rename(draft, file);
    await syncFolder(dirname(file));
    return made;
  } finally {
    await zip.drop();
  }
}

function guideOf({ folder, language }: ExportOrder): string {
  const facts = { file: `${basename(folder)}${sealedEnding}`, folder: basename(folder) };
  // Windows' own editor is what will show it.
  return `\uFEFF${wordsIn(language)
    .sealing.guide.map((line) => fill(line, facts))
    .join("\r\n")}\r\n`;
}

async function fillZip(deps: ExportDeps, order: ExportOrder, zip: SealedZip, draft: string, signal: AbortSignal): Promise<Exported> {
  const stopped = { kind: "refused", reason: "stopped", detail: draft } as const;
  const chest = makeChest(zip, basename(order.folder));
  const cameras: ManifestCamera[] = [];
  const [done, all] = [{ files: 0, bytes: 0, viewedBytes: 0 }, totalOf(order)];
  for (const camera of order.cameras) {
    const segments: ManifestSegment[] = [];
    for (const segment of camera.segments) {
      if (signal.aborted) return stopped;
      const source = join(order.footage, segmentPath(segment));
      const look = deps.remux.look(source, signal);
      const { sha256, bytes } = await chest.put(originalOf(segment), createReadStream(source, { highWaterMark: readBytes }));
      const seen = await look;
      segments.push(segmentFacts(segment, sha256, bytes, seen));
      done.files += 1;
      done.bytes += segment.bytes;
      deps.onProgress(done, all);
    }
    const views = await putViews(deps, order, chest, camera, segments, signal);
    if (signal.aborted) return stopped;
    if ("reason" in views) return { kind: "refused", reason: "no-view", detail: views.reason };
    done.viewedBytes = done.bytes;
    deps.onProgress(done, all);
    cameras.push({ ...camera.facts, segments, views: views.views });
  }
  const manifest: Manifest = { ...order.manifest, cameras };
  return { kind: "done", manifest, manifestSha256: await chest.close(deps, order, manifest), altered: alteredOf(cameras) };
}

async function putViews(
  { remux }: ExportDeps,
  order: ExportOrder,
  chest: Chest,
  camera: CameraOrder,
  segments: readonly ManifestSegment[],
  signal: AbortSignal,
): Promise<{ readonly views: ManifestCamera["views"] } | { readonly reason: string }> {
  const sources = camera.segments.map((segment) => join(order.footage, segmentPath(segment)));
  const planned = viewsOf(order, camera, segments, (i) => sources[i] ?? "");
  for (const { view, titles, parts } of planned) {
    try {
      await chest.put(view.file, remux.stream(parts, signal));
    } catch (error) {
      return { reason: `${view.file}: ${error instanceof Error ? error.message : String(error)}` };
    }
    await chest.put(titlesOf(view), [Buffer.from(titles)]);
  }
  return { views: planned.map(({ view }) => view) };
}

type Chest = {
  /** Resolves with what was put in. */
  put(name: string, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<{ readonly sha256: string; readonly bytes: number }>;
  /** Descriptions, list and signature; resolves with the manifest's hash. */
  close(deps: ExportDeps, order: ExportOrder, manifest: Manifest): Promise<string>;
};

/** Everything that goes in is listed with its hash. */
function makeChest(zip: SealedZip, folder: string): Chest {
  const lines: string[] = [];
  const put: Chest["put"] = async (name, source) => {
    const hash = createHash("sha256");
    const bytes = await zip.put(`${folder}/${name}`, hashing(source, hash));
    const sha256 = hash.digest("hex");
    lines.push(`${sha256}  ${name}\n`);
    return { sha256, bytes };
  };
  const close: Chest["close"] = async ({ key }, order, manifest) => {
    const descriptions = descriptionsOf(manifest, key, order);
    for (const [name, text] of descriptions) await put(name, [Buffer.from(text)]);
    const sums = Buffer.from(lines.join(""));
    await put(evidenceNames.sums, [sums]);
    await put(evidenceNames.signature, [key.sign(sums)]);
    return manifestHash(descriptions);
  };
  return { put, close };
}

async function* hashing(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, hash: ReturnType<typeof createHash>) {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}
