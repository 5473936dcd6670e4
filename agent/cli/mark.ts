/** Marks of who makes an errand's files now, `<shelf>/ID.busy`: whose they are, and how much room he will have taken. They die with their process. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeBox } from "../../hal/box.ts";
import { errandsIn, takenBytes } from "../errands.ts";
import { exit, Refusal } from "./context.ts";

/** A process's number means another one after a boot, and after its end: its start tells them apart. */
const ownMark = () => `${makeBox().bootId()} ${process.pid} ${startOf(process.pid)}`;

/** When a process began, in ticks since the boot (proc(5): `stat`, field 22); null: there is none. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Its name, the second field, may hold blanks and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

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
  const [bootId, pid, start, bytes = "0"] = text.split(" ");
  const isLiving = bootId === makeBox().bootId() && startOf(Number(pid)) === (start ?? "");
  return isLiving ? { kind: "living", bytes: Number(bytes) } : { kind: "dead" };
}

/** What the living holder of a mark will have taken when he is done, in bytes; null: nobody holds it. */
export async function readMark(mark: string): Promise<number | null> {
  const holder = await holderOf(mark);
  return holder.kind === "living" ? holder.bytes : null;
}

/** How often it is looked whether it is one's turn, and for how long. A turn takes milliseconds. */
const turnMs = 20;
const mostTurnsMs = 30_000;

/**
 * Says on the own mark of a place that so many bytes will be taken there, and resolves with those that all others who make something now will
 * still take. One after the other, so that of two who have room for one the first gets it. Throws a Refusal where it is stopped before its turn,
 * or its turn does not come within `mostMs`.
 */
export async function claim(state: string, place: string, bytes: number, signal: AbortSignal, mostMs = mostTurnsMs): Promise<number> {
  const turn = join(state, "errands", "turn.busy");
  await waitForTurn(turn, signal, mostMs);
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

async function waitForTurn(turn: string, signal: AbortSignal, mostMs: number): Promise<void> {
  const untilMs = performance.now() + mostMs;
  while (!(await take(turn))) {
    if (signal.aborted) throw new Refusal(exit.needsPerson, "stopped; nothing of it was made: ask again");
    if (performance.now() >= untilMs)
      throw new Refusal(
        exit.needsPerson,
        `another errand is stuck (${turn}); look at the disk: matghi doctor; when that is done, ask again`,
      );
    await sleep(turnMs);
  }
}

async function restOf(place: string): Promise<number> {
  const bytes = await readMark(`${place}.busy`);
  return bytes === null ? 0 : Math.max(0, bytes - (await takenBytes(place)));
}
