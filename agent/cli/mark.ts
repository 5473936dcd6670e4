/** Marks of who makes an errand's files now, `<shelf>/ID.busy`: whose they are, and how much room he will have taken. They die with their process. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeBox } from "../../hal/box.ts";
import { errandsIn, takenBytes } from "../errands.ts";

/** A process's number means another one after a boot. */
const ownMark = () => `${makeBox().bootId()} ${process.pid}`;

/** Whether the mark is ours now. It is linked with boot and process in it: it says from its first moment on whose it is. */
export async function take(mark: string): Promise<boolean> {
  const own = `${mark}.${randomUUID()}`;
  await writeFile(own, ownMark(), { mode: 0o600, flag: "wx" });
  try {
    await link(own, mark);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    // One that was killed left its mark. Where it is gone by now, the next one's may stand there.
    if ((await holderOf(mark)).kind === "dead") await rm(mark, { force: true });
    return false;
  } finally {
    await rm(own, { force: true });
  }
}

type Holder = { readonly kind: "nobody" | "dead" } | { readonly kind: "living"; readonly bytes: number };

/** Rejects with the system's error where a mark is there and cannot be read. */
async function holderOf(mark: string): Promise<Holder> {
  const text = await readFile(mark, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return { kind: "nobody" };
  const [bootId, pid, bytes = "0"] = text.split(" ");
  const isLiving = bootId === makeBox().bootId() && Number(pid) > 0 && existsSync(`/proc/${pid}`);
  return isLiving ? { kind: "living", bytes: Number(bytes) } : { kind: "dead" };
}

/** What the living holder of a mark will have taken when he is done, in bytes; null: nobody holds it. */
export async function readMark(mark: string): Promise<number | null> {
  const holder = await holderOf(mark);
  return holder.kind === "living" ? holder.bytes : null;
}

const turnMs = 20;

/**
 * Says on the own mark of a place that so many bytes will be taken there, and resolves with those that all others who make something now will
 * still take. One after the other, so that of two who have room for one the first gets it.
 */
export async function claim(state: string, place: string, bytes: number): Promise<number> {
  const turn = join(state, "errands", "turn.busy");
  while (!(await take(turn))) await sleep(turnMs);
  try {
    const own = `${place}.busy.${randomUUID()}`;
    await writeFile(own, `${ownMark()} ${bytes}`, { mode: 0o600 });
    await rename(own, `${place}.busy`);
    const others = (await errandsIn(state)).filter((errand) => errand.place !== place);
    const rests = await Promise.all(others.map((errand) => restOf(errand.place)));
    return rests.reduce((sum, rest) => sum + rest, 0);
  } finally {
    await rm(turn, { force: true });
  }
}

async function restOf(place: string): Promise<number> {
  const bytes = await readMark(`${place}.busy`);
  return bytes === null ? 0 : Math.max(0, bytes - (await takenBytes(place)));
}
