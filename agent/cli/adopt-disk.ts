/** `matghi adopt-disk`: takes a blank or replaced footage disk into service. Writes in short transactions, beside a running agent too. */
import { chownSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeClock } from "../../hal/clock.ts";
import { makeFootage } from "../../hal/footage.ts";
import { isOnSystemDisk } from "../config/rules.ts";
import type { Settings } from "../config/schema.ts";
import { makeDating } from "../core/dating.ts";
import { fill, wordsIn } from "../core/words.ts";
import { adoptDisk, type NotAdopted, whyNotAdopted } from "../disk.ts";
import { databaseName } from "../store/database.ts";
import { openStore } from "../store/store.ts";
import { type Context, exit, nowUtc, Refusal, settingsOf } from "./context.ts";

export async function adopt(context: Context, signal: AbortSignal): Promise<number> {
  // An empty mount point is on the system disk: marked, it would be recorded to.
  const settings = settingsOf(context, ["system-disk"]);
  const { folder } = settings.recording;
  const { id: site, state } = settings.site;
  const footage = makeFootage(folder);
  // A blank disk has no folder yet. On the system disk, what is not there may be a disk that is not mounted.
  if (!isOnSystemDisk(folder)) mkdirSync(folder, { recursive: true });
  // Where nothing comes of it no state is made.
  if (!existsSync(join(state, databaseName))) {
    const reason = await whyNotAdopted({ site, footage }, null);
    if (reason !== null) throw refusalOf(folder, reason);
  }
  const store = openStore(state);
  try {
    const clock = makeClock(settings.clock);
    await clock.look(signal);
    const dating = makeDating(store.boots());
    const nowAt = () => dating.fromUtc(nowUtc(settings));
    const result = await adoptDisk({ site, footage, store, clock, nowAt }, signal);
    if (result.kind === "adopted" || result.reason === "already in service") handOver(settings);
    if (result.kind === "refused") throw refusalOf(folder, result.reason);
    const { adopted } = wordsIn(settings.site.language);
    context.out(context.json ? JSON.stringify(result) : fill(adopted, { folder, gone: result.gone }));
    return exit.fine;
  } finally {
    store.close();
  }
}

/** A blank disk is root's; the agent writes as the owner of the state. */
function handOver({ site, recording: { folder } }: Settings): void {
  const { uid, gid } = statSync(site.state);
  if (process.getuid?.() === 0) chownSync(folder, uid, gid);
}

const refusalOf = (folder: string, reason: NotAdopted) => new Refusal(exit.needsPerson, `${folder}: ${advice[reason]}`);

const advice: Record<NotAdopted, string> = {
  "already in service": "this disk is in service already; nothing to do",
  "another site's": "this disk carries another site's mark; use a blank one, or remove its .matghi file if its footage may go",
  "no folder": "the folder is not there; mount its disk first, or make it where no disk belongs there (mkdir)",
};
