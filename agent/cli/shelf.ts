/** What lies in the agent's folders, by names, sizes and times: no file is opened. Names that are not ours are only counted. */
import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";

const camera = /^[a-z0-9-]{2,32}$/;
const day = /^\d{4}-\d\d-\d\d$/;
const footage = /^[\w-]+\.(mkv|mkv\.part|mkv\.unreadable|unreadable)$/;
const ours = /^[\w.-]{1,64}$/;
const mostCameras = 300;
const newest = 40;

type File = { readonly name: string; readonly bytes: number; readonly mode: string; readonly modified: string };

/** Files of a folder that bear names of ours, and how many others. Rejects with the system's error. */
export async function listFolder(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true });
  const named = entries.filter(({ name }) => ours.test(name));
  const files = await Promise.all(named.slice(0, 500).map(({ name }) => lookAt(folder, name)));
  return { files: files.flatMap((file) => file ?? []), others: entries.length - named.length };
}

/** The footage folder: of each camera its days with their number of files, the newest files, and those that are open or could not be read. */
export async function listFootage(folder: string) {
  const { bsize, blocks, bavail, files: inodes, ffree } = await statfs(folder);
  const entries = await readdir(folder, { withFileTypes: true });
  const cameras = entries.filter((entry) => entry.isDirectory() && camera.test(entry.name)).slice(0, mostCameras);
  const shelves = [];
  for (const { name } of cameras) shelves.push({ camera: name, ...(await listCamera(join(folder, name))) });
  const others = entries.filter(({ name }) => !camera.test(name) && name !== ".matghi" && name !== "lost+found").length;
  const disk = { totalBytes: bsize * blocks, freeBytes: bsize * bavail, inodes, freeInodes: ffree };
  return { disk, isMarked: entries.some(({ name }) => name === ".matghi"), others, cameras: shelves };
}

async function listCamera(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true });
  const days = entries.flatMap((entry) => (entry.isDirectory() && day.test(entry.name) ? [entry.name] : [])).sort();
  const counts: Record<string, number> = {};
  for (const name of days) counts[name] = (await readdir(join(folder, name)).catch(() => [])).length;
  const last = days.at(-1);
  const files = last === undefined ? [] : (await readdir(join(folder, last)).catch(() => [])).sort().slice(-newest);
  const loose = entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).slice(0, newest);
  const look = (place: string, names: readonly string[]) =>
    Promise.all(names.filter((name) => footage.test(name)).map((name) => lookAt(place, name)));
  return { days: counts, newest: await look(join(folder, last ?? ""), files), open: await look(folder, loose) };
}

async function lookAt(folder: string, name: string): Promise<File | null> {
  const found = await stat(join(folder, name)).catch(() => null);
  if (found === null) return null;
  return { name, bytes: found.size, mode: (found.mode & 0o7777).toString(8), modified: new Date(found.mtimeMs).toISOString() };
}
