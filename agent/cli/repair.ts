/** `matghi repair`: settles files against rows, and builds a lost index anew from the folder. Beside a running agent it leaves that one's files alone. */
import { makeClock } from "../../hal/clock.ts";
import { makeFootage } from "../../hal/footage.ts";
import { findTools, makeRecorder } from "../../hal/recorder.ts";
import type { Settings } from "../config/schema.ts";
import { makeDating } from "../core/dating.ts";
import { fill, wordsIn } from "../core/words.ts";
import { makeLog } from "../log.ts";
import { type Reindexed, reindex } from "../reindex.ts";
import { lockState } from "../store/database.ts";
import { openOrReplace, openReads, openStore, type Store } from "../store/store.ts";
import { type Context, exit, nowUtc, Refusal, settingsOf } from "./context.ts";

export type RepairOptions = { readonly dryRun?: boolean };
type Repaired = Reindexed & { readonly dryRun: boolean; readonly replaced: string | null };

export async function repair(context: Context, options: RepairOptions, signal: AbortSignal): Promise<number> {
  const settings = settingsOf(context);
  const dry = options.dryRun ?? false;
  const found = dry ? await look(context, settings, signal) : await mend(context, settings, signal);
  context.out(context.json ? JSON.stringify(found) : textOf(found, settings));
  const left = found.unreadable.length + (dry ? found.returned + found.missing : 0);
  return left > 0 ? exit.needsPerson : exit.fine;
}

async function look(context: Context, settings: Settings, signal: AbortSignal): Promise<Repaired> {
  const reads = openReads(settings.site.state);
  if (reads === null)
    throw new Refusal(
      exit.notFound,
      `nothing has been recorded in ${settings.site.state} yet; build the index from the footage with: matghi repair`,
    );
  try {
    const store = { ...reads, commit: () => ({ kind: "written" }) as const, adoptRun: () => undefined };
    return { ...(await compare(context, settings, store, true, signal)), dryRun: true, replaced: null };
  } finally {
    reads.close();
  }
}

async function mend(context: Context, settings: Settings, signal: AbortSignal): Promise<Repaired> {
  const unlock = lockState(settings.site.state);
  const opened =
    unlock === null ? { store: openStore(settings.site.state), brokenAs: null } : openOrReplace(settings.site.state, Date.now());
  try {
    return { ...(await compare(context, settings, opened.store, false, signal)), dryRun: false, replaced: opened.brokenAs };
  } finally {
    opened.store.close();
    unlock?.();
  }
}

async function compare(
  context: Context,
  settings: Settings,
  store: Parameters<typeof reindex>[0]["store"] & Pick<Store, "lastRun" | "boots" | "meta">,
  dry: boolean,
  signal: AbortSignal,
): Promise<Reindexed> {
  const { folder } = settings.recording;
  const footage = makeFootage(folder);
  const { value } = await footage.inspect(store.meta("folder"));
  if (value !== "ok" && value !== "full" && value !== "read-only")
    throw new Refusal(
      exit.needsPerson,
      `${folder}: ${value}; mount the footage disk first, or take a new one into service: matghi adopt-disk`,
    );
  const clock = makeClock(settings.clock);
  const dating = makeDating(store.boots());
  const last = store.lastRun();
  // A run that has not ended may still be writing; its files are settled by itself or by the next start.
  const below = last === null ? Number.MAX_SAFE_INTEGER : last.ended === null ? last.id : last.id + 1;
  return reindex(
    {
      ...{ clock, store, footage, recorder: makeRecorder(findTools("repair"), clock), dating: () => dating },
      ...{ nowAt: () => dating.fromUtc(nowUtc(settings)), log: makeLog({ write: (line) => context.err(line.trim()) }), folder, below },
      dry,
    },
    signal,
  );
}

function textOf(found: Repaired, settings: Settings): string {
  const words = wordsIn(settings.site.language);
  const counts = { returned: found.returned, missing: found.missing, unreadable: found.unreadable.length, foreign: found.foreign.length };
  return [
    ...(found.replaced === null ? [] : [fill(words.databaseReplaced, { file: found.replaced })]),
    fill(found.dryRun ? words.repairWould : words.repaired, counts),
    ...found.unreadable.map((file) => `  ${fill(words.fileUnreadable, { file })}`),
    ...found.foreign.map((file) => `  ${fill(words.foreign, { file })}`),
  ].join("\n");
}
