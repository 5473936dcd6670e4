/** A running agent judged from outside: its database, its folder and its processes against the laws. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../agent/config.ts";
import { makeDating } from "../../agent/core/dating.ts";
import { databaseName } from "../../agent/store/database.ts";
import { openReads } from "../../agent/store/store.ts";
import { residentBytes } from "../bench/processes.ts";
import { type Agent, sleep } from "./agent.ts";
import { filesUnder, markedBy, recordersOf } from "./footage.ts";
import { lawsOf } from "./laws.ts";

/** The laws that this agent breaks now; asked again for `ms`, since a file has its name a moment before its row. */
export async function brokenLawsOf(agent: Agent, ms: number): Promise<readonly string[]> {
  const deadline = performance.now() + ms;
  for (;;) {
    const broken = look(agent);
    if (broken.length === 0 || performance.now() > deadline) return broken;
    await sleep(500);
  }
}

function look({ config }: Agent): readonly string[] {
  const loaded = loadConfig(config, ["system-disk"]);
  if (loaded.kind === "bad") return loaded.problems.map(({ message }) => message);
  const { settings } = loaded;
  const names = settings.cameras.map(({ id }) => id);
  const files = filesUnder(settings.recording.folder);
  const reads = openReads(settings.site.state);
  if (reads === null) return ["the database does not open"];
  try {
    const asking = { reads, settings, dating: makeDating(reads.boots()), running: true, nowAt: Date.now() };
    const orphans = names.filter((name) => recordersOf(join(settings.recording.folder, name)).length > 1);
    const strangers = markedBy(settings.site.state).length - names.length;
    return [
      ...lawsOf(asking, { names, files, mayForget: false }),
      ...orphans.map((name) => `${name}: two recorders write`),
      ...(strangers > 0 ? [`${strangers} recorders too many`] : []),
    ];
  } finally {
    reads.close();
  }
}

/** What must not grow. */
export type Size = { readonly residentMiB: number; readonly handles: number; readonly databaseMiB: number };
export function sizeOf(pid: number, state: string): Size {
  return {
    residentMiB: residentBytes(pid) / 2 ** 20,
    handles: readdirSync(`/proc/${pid}/fd`).length,
    databaseMiB: statSync(join(state, databaseName)).size / 2 ** 20,
  };
}
