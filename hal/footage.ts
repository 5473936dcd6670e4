/**
 * The footage folder (contract §6): every deed on its files, and the mark that says it is the right disk.
 * Names carry the run and a number, so they are unique whatever the clock does.
 */
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { constants, type FileHandle, lstat, mkdir, open, readdir, readFile, rename, rmdir, stat, statfs, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { DiskMark, DiskReading, Footage, FootageFile, Removal } from "./ports.ts";

const markName = ".matghi";
const probeName = ".matghi-probe";
/** What the probe writes: enough to need new blocks, little for the disk. */
const probeBytes = 64 * 1024;
/** Below this the disk counts as full: an open segment of every camera must still be closable. */
const fullBytes = 4 << 20;
const hashChunkBytes = 1 << 20;
const partName = /^(\d+)-(\d+)\.mkv\.part$/;
const closedName = /^(\d{6})-(\d+)-(\d+)\.mkv$/;
const dayName = /^\d{4}-\d{2}-\d{2}$/;

export function makeFootage(folder: string): Footage {
  const handles = new Map<string, { readonly name: string; readonly handle: FileHandle; readonly bornAt: number }>();
  const at = (path: string) => join(folder, path);
  const release = (camera: string) => {
    const kept = handles.get(camera);
    handles.delete(camera);
    void kept?.handle.close().catch(() => undefined);
  };
  return {
    inspect: (folderId) => inspect(folder, folderId),
    probe: () => probe(at(probeName)),
    readMark: () => readMark(at(markName)),
    writeMark: (mark) => writeDurably(folder, markName, `${JSON.stringify(mark)}\n`),
    prepare: async (camera) => {
      const path = at(camera);
      if ((await mkdir(path, { recursive: true })) !== undefined) await syncFolder(folder);
      return path;
    },
    sync: async (camera, run, number, durable) => {
      const name = `${run}-${number}.mkv.part`;
      if (handles.get(camera)?.name !== name) {
        release(camera);
        const opened = await openPart(join(folder, camera, name));
        if (opened === null) return null;
        handles.set(camera, { name, ...opened });
      }
      const kept = handles.get(camera);
      if (kept === undefined) return null;
      if (durable) await kept.handle.datasync();
      return { bytes: (await kept.handle.stat()).size, bornAt: kept.bornAt };
    },
    release,
    seal: (camera, run, number, path) => seal(folder, join(camera, `${run}-${number}.mkv.part`), path),
    parts: (camera, run) => findParts(folder, camera, run),
    closed: () => walkClosed(folder),
    cameras: async () => (await namesIn(folder)).filter((name) => !name.startsWith(".") && name !== "lost+found"),
    days: async (camera) => ((await namesWithin(at(camera))) ?? []).filter((name) => dayName.test(name)).sort(),
    filesOf: async (camera, day, fromRun) => (await readDay(folder, camera, day, fromRun)).files,
    has: (path) => has(at(path)),
    highestRun: (days) => highestRun(folder, days),
    hash: (path) => hashFile(at(path)),
    remove: (path) => unlinkIfThere(at(path)),
    removeAll: (paths) => removeAll(folder, paths),
    setAside: async (path) => {
      await rename(at(path), at(path.replace(/\.part$/, ".unreadable")));
      await syncFolder(dirname(at(path)));
    },
  };
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? "";

async function openPart(path: string): Promise<{ handle: FileHandle; bornAt: number } | null> {
  try {
    const handle = await open(path, constants.O_RDONLY);
    return { handle, bornAt: bornAt(await handle.stat()) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** Creation time; a filesystem that keeps none shows the oldest time it has. */
function bornAt(found: Stats): number {
  return Math.round(found.birthtimeMs > 0 ? found.birthtimeMs : Math.min(found.ctimeMs, found.mtimeMs));
}

async function inspect(folder: string, folderId: string | null): Promise<DiskReading> {
  try {
    const room = await statfs(folder);
    const size = { freeBytes: room.bavail * room.bsize, totalBytes: room.blocks * room.bsize };
    const mark = await readMark(join(folder, markName));
    if (folderId !== null && mark === null) return { value: "unmounted", ...size, detail: `${folder} carries no mark` };
    if (mark !== null && folderId !== null && mark.folder !== folderId)
      return { value: "other-disk", ...size, detail: `marked for ${mark.site}` };
    if (size.freeBytes < fullBytes) return { value: "full", ...size, detail: `${size.freeBytes} bytes free` };
    return { value: "ok", ...size, detail: "" };
  } catch (error) {
    const missing = codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
    return { value: missing ? "missing" : "failing", freeBytes: 0, totalBytes: 0, detail: codeOf(error) || String(error) };
  }
}

async function readMark(path: string): Promise<DiskMark | null> {
  try {
    const mark = JSON.parse(await readFile(path, "utf8")) as Partial<DiskMark>;
    return { site: String(mark.site), folder: String(mark.folder) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    // A mark that cannot be read is a mark of nothing we know: never written over by itself.
    if (error instanceof SyntaxError) return { site: "?", folder: "?" };
    throw error;
  }
}

async function probe(path: string): Promise<"ok" | "read-only" | "full" | "failing"> {
  try {
    const handle = await open(path, "w");
    try {
      await handle.write(Buffer.alloc(probeBytes, 1));
      await handle.sync();
    } finally {
      await handle.close();
      await unlink(path);
    }
    return "ok";
  } catch (error) {
    const code = codeOf(error);
    if (code === "EROFS") return "read-only";
    return code === "ENOSPC" || code === "EDQUOT" ? "full" : "failing";
  }
}

async function writeDurably(folder: string, name: string, text: string): Promise<void> {
  const temporary = join(folder, `${name}.new`);
  const handle = await open(temporary, "w");
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(folder, name));
  await syncFolder(folder);
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Invariant 1: on disk, hashed and durably named before anybody writes its row. */
async function seal(folder: string, part: string, path: string): Promise<{ bytes: number; sha256: string } | null> {
  const from = join(folder, part);
  const handle = await open(from, "r");
  try {
    await handle.sync();
    const sealed = await digest(handle);
    if (sealed.bytes === 0) {
      await unlink(from);
      return null;
    }
    const day = dirname(join(folder, path));
    if ((await mkdir(day, { recursive: true })) !== undefined) await syncFolder(dirname(day));
    await rename(from, join(folder, path));
    await syncFolder(day);
    await syncFolder(dirname(from));
    return sealed;
  } finally {
    await handle.close();
  }
}

async function digest(handle: FileHandle): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(hashChunkBytes);
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, bytes);
    if (bytesRead === 0) return { bytes, sha256: hash.digest("hex") };
    hash.update(chunk.subarray(0, bytesRead));
    bytes += bytesRead;
  }
}

async function has(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

async function hashFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const handle = await open(path, "r");
  try {
    return await digest(handle);
  } finally {
    await handle.close();
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  return readdir(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
    throw error;
  });
}

/** Names in a folder that was seen; null where it is none, or not ours to read. A disk that fails is no answer and rejects. */
async function namesWithin(path: string): Promise<readonly string[] | null> {
  return readdir(path).catch((error: unknown) => {
    if (/^(ENOENT|ENOTDIR|EACCES|EPERM)$/.test(codeOf(error))) return null;
    throw error;
  });
}

/** What stands beside the mark, and what is in it. `lost+found` is root's and on every ext4 disk. */
async function* cameraFolders(folder: string): AsyncIterable<{ readonly camera: string; readonly names: readonly string[] | null }> {
  for (const camera of await namesIn(folder)) {
    if (camera.startsWith(".") || camera === "lost+found") continue;
    const path = join(folder, camera);
    // A link leads out of the disk: one foreign entry, whatever is behind it.
    yield { camera, names: (await isLink(path)) ? null : await namesWithin(path) };
  }
}

const isLink = (path: string) =>
  lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );

async function fileAt(folder: string, camera: string, path: string, run: number, number: number): Promise<FootageFile | null> {
  const found = await lstat(join(folder, path)).catch(() => null);
  if (!found?.isFile()) return null;
  return { camera, path, run, number, bytes: found.size, bornAt: bornAt(found), modifiedAt: Math.round(found.mtimeMs) };
}

async function findParts(folder: string, camera: string | null, run: number | null): Promise<readonly FootageFile[]> {
  const found: FootageFile[] = [];
  if (camera !== null) found.push(...(await partsAmong(folder, camera, await namesIn(join(folder, camera)), run)));
  else for await (const { camera: id, names } of cameraFolders(folder)) found.push(...(await partsAmong(folder, id, names ?? [], run)));
  return found.sort((a, b) => a.run - b.run || a.number - b.number);
}

async function partsAmong(folder: string, camera: string, names: readonly string[], run: number | null): Promise<readonly FootageFile[]> {
  const found: FootageFile[] = [];
  for (const name of names) {
    const [, ofRun, number] = partName.exec(name) ?? [];
    if (ofRun === undefined || (run !== null && Number(ofRun) !== run)) continue;
    const file = await fileAt(folder, camera, join(camera, name), Number(ofRun), Number(number));
    if (file !== null) found.push(file);
  }
  return found;
}

async function* walkClosed(folder: string): AsyncIterable<{ files: readonly FootageFile[]; foreign: readonly string[] }> {
  for await (const { camera, names } of cameraFolders(folder)) {
    const strange = names?.filter((name) => !dayName.test(name) && !partName.test(name)).map((name) => join(camera, name));
    yield { files: [], foreign: strange ?? [camera] };
    for (const day of names?.filter((name) => dayName.test(name)) ?? []) yield await readDay(folder, camera, day);
  }
}

async function highestRun(folder: string, days: number): Promise<number> {
  let highest = (await findParts(folder, null, null)).reduce((most, file) => Math.max(most, file.run), 0);
  for await (const { camera, names } of cameraFolders(folder)) {
    const newest = (names ?? [])
      .filter((name) => dayName.test(name))
      .sort()
      .slice(-days);
    for (const day of newest) {
      const { files } = await readDay(folder, camera, day, highest + 1);
      highest = files.reduce((most, file) => Math.max(most, file.run), highest);
    }
  }
  return highest;
}

async function readDay(
  folder: string,
  camera: string,
  day: string,
  fromRun = 0,
): Promise<{ files: readonly FootageFile[]; foreign: readonly string[] }> {
  const files: FootageFile[] = [];
  const foreign: string[] = [];
  const path = join(folder, camera, day);
  const names = (await isLink(path)) ? null : await namesWithin(path);
  if (names === null) return { files, foreign: [join(camera, day)] };
  for (const name of names) {
    const [, , run, number] = closedName.exec(name) ?? [];
    if (run !== undefined && Number(run) < fromRun) continue;
    const path = join(camera, day, name);
    const file = run === undefined ? null : await fileAt(folder, camera, path, Number(run), Number(number));
    if (file === null) foreign.push(path);
    else files.push(file);
  }
  return { files, foreign };
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== "ENOENT") throw error;
  });
}

/** The code of the error that a deed ends with; null where it succeeds. */
const troubleOf = (deed: Promise<void>) => deed.then(() => null, codeOf);

/** All names go first: the first folder's fsync then takes the others' with it, and they cost little. */
async function removeAll(folder: string, paths: readonly string[]): Promise<Removal> {
  const trouble = new Map<string, string | null>();
  for (const path of paths) trouble.set(path, await troubleOf(unlinkIfThere(join(folder, path))));
  const touched = new Set(paths.filter((path) => trouble.get(path) === null).map(dirname));
  for (const day of touched) if (dayName.test(basename(day))) await troubleOf(rmdir(join(folder, day)));
  const unsure = new Map<string, string | null>();
  for (const day of touched) unsure.set(day, await troubleOf(syncNearest(folder, day)));
  const judged = paths.map((path) => ({ path, reason: trouble.get(path) ?? unsure.get(dirname(path)) ?? null }));
  return {
    removed: judged.filter(({ reason }) => reason === null).map(({ path }) => path),
    stuck: judged.flatMap(({ path, reason }) => (reason === null ? [] : [{ path, reason }])),
  };
}

/** fsync of the folder, or of the nearest one above it that is still there. */
async function syncNearest(folder: string, path: string): Promise<void> {
  await syncFolder(join(folder, path)).catch(async (error: unknown) => {
    if (codeOf(error) !== "ENOENT" || path === ".") throw error;
    await syncNearest(folder, dirname(path));
  });
}
