/** Where the footage will lie: a mounted disk of its own, never the system's. Formats nothing, mounts nothing. */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { makeDisks } from "../../../hal/disks.ts";
import { makeMachine } from "../../../hal/machine.ts";
import { isOnSystemDisk } from "../../config/rules.ts";
import { bad, good, type Read } from "../../core/told.ts";
import { bytesText, fill } from "../../core/words.ts";
import { exit, Refusal } from "../context.ts";
import { askUntil, type Talk } from "../prompt.ts";
import { type Desk, wordsAt } from "./desk.ts";

/** File systems that keep footage through a power cut and its owners apart. */
const fileSystems = ["ext4", "xfs", "btrfs", "ext3"];

export async function folderOf(desk: Desk): Promise<string> {
  const { folder } = desk.options;
  if (folder !== undefined) return folder;
  if (desk.talk !== null) return askFolder(desk, desk.talk);
  const found = await footageDisks();
  const [only] = found;
  if (only !== undefined && found.length === 1) return join(only, "matghi");
  const seen =
    found.length === 0
      ? "no disk of its own for footage is mounted; mount one"
      : `there are several disks: ${found.join(", ")}; choose one`;
  throw new Refusal(exit.wrongUse, `${seen}, and name a folder on it: --folder /srv/footage`);
}

/** Mount points of disks that hold nothing of the system. */
async function footageDisks(): Promise<readonly string[]> {
  const disks = makeDisks();
  const system = new Set((await disks.under("/")).map(({ device }) => device));
  const found: string[] = [];
  for (const { point, type, device } of await makeMachine().mounts()) {
    if (!device.startsWith("/dev/") || !fileSystems.includes(type) || point === "/" || point.startsWith("/boot")) continue;
    const under = await disks.under(point);
    if (under.length > 0 && under.every((disk) => !system.has(disk.device))) found.push(point);
  }
  return found;
}

async function askFolder(desk: Desk, talk: Talk): Promise<string> {
  const words = wordsAt(desk);
  const look = async () => {
    const found = (await footageDisks()).map((point) => join(point, "matghi"));
    talk.say(words.disks);
    if (found.length === 0) talk.say(words.noDisk);
    for (const [n, folder] of found.entries()) talk.say(fill(words.listed, { n: n + 1, text: (await placeText(desk, folder)) ?? folder }));
    return found;
  };
  let found = await look();
  return askUntil(talk, found.length === 0 ? words.folderAgain : words.folder, async (given) => {
    if (given.trim() !== "") return readFolder(desk, given.trim(), found);
    if (found.length === 0) found = await look();
    const [first] = found;
    return first === undefined ? bad("") : good(first);
  });
}

function readFolder(desk: Desk, given: string, found: readonly string[]): Read<string, string> {
  const { wrong } = wordsAt(desk);
  if (/^\d+$/.test(given)) {
    const listed = found[Number(given) - 1];
    return listed === undefined ? bad(wrong.number) : good(listed);
  }
  if (!isAbsolute(given)) return bad(wrong.path);
  return desk.options.allowSystemDisk !== true && isOnSystemDisk(given) ? bad(wrong.system) : good(given);
}

/** A folder with its disk and what is free there; null: they cannot be told. */
export async function placeText(desk: Desk, folder: string): Promise<string | null> {
  const there = firstThere(folder);
  const machine = makeMachine();
  const [[disk], mount] = [await makeDisks().under(there), await machine.mountOf(there)];
  const free = mount === null ? null : machine.freeBytes(mount.point);
  if (disk === undefined || free === null) return null;
  return fill(wordsAt(desk).place, { folder, device: disk.device, free: bytesText(free, desk.language) });
}

const firstThere = (path: string): string => (existsSync(path) || path === "/" ? path : firstThere(dirname(path)));
