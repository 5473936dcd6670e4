/** `matghi adopt-disk`: takes a blank or replaced footage disk into service. Writes in one short transaction. */
import { makeFootage } from "../../hal/footage.ts";
import { makeDating } from "../core/dating.ts";
import { adoptDisk } from "../disk.ts";
import { openStore } from "../store/store.ts";
import { type Context, checkUser, exit, nowUtc, Refusal, settingsOf } from "./context.ts";

export async function adopt(context: Context): Promise<number> {
  const settings = settingsOf(context);
  checkUser(settings);
  const store = openStore(settings.site.state);
  try {
    const { folder } = settings.recording;
    const result = await adoptDisk(settings.site.id, makeFootage(folder), store, makeDating(store.boots()).fromUtc(nowUtc(settings)));
    if (result.kind === "refused") throw new Refusal(exit.needsPerson, `${folder}: ${advice[result.reason]}`);
    context.out(
      context.json
        ? JSON.stringify(result)
        : `${folder}: in service; ${result.gone} files of the old disk are kept as deleted (disk replaced)`,
    );
    return exit.fine;
  } finally {
    store.close();
  }
}

const advice = {
  "already in service": "this disk is in service already; nothing to do",
  "another site's": "this disk carries another site's mark; use a blank one, or remove its .matghi file if its footage may go",
  "no folder": "the folder is not there; mount the disk first",
} as const;
