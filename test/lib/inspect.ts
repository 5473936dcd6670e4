/** A running agent judged from outside: its database, its folder and its processes against the laws. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../agent/config.ts";
import { makeDating } from "../../agent/core/dating.ts";
import type { Asking } from "../../agent/query.ts";
import { openReader } from "../../agent/store/database.ts";
import { openReads } from "../../agent/store/store.ts";
import { wallOf } from "../../hal/clock.ts";
import { residentBytes } from "../bench/processes.ts";
import { type Agent, sleep } from "./agent.ts";
import { filesUnder, markedBy, recordersOf } from "./footage.ts";
import { lawsOf } from "./laws.ts";

/** The laws that this agent breaks now; asked again for `ms`, since a file has its name a moment before its row. */
export async function brokenLawsOf(agent: Agent, ms: number): Promise<readonly string[]> {
  const deadline = performance.now() + ms;
  for (;;) {
    const broken = inspect(agent, look);
    if (broken.length === 0 || performance.now() > deadline) return broken;
    await sleep(500);
  }
}

/** Puts a question to the database of a running agent. Throws where its configuration or its database cannot be read. */
export function inspect<T>({ config }: Agent, question: (asking: Asking) => T): T {
  const loaded = loadConfig(config, ["system-disk"]);
  if (loaded.kind === "bad") throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  const { settings } = loaded;
  const reads = openReads(settings.site.state);
  if (reads === null) throw new Error("the database does not open");
  try {
    return question({ reads, settings, dating: makeDating(reads.boots()), running: true, nowAt: wallOf(settings.clock) });
  } finally {
    reads.close();
  }
}

function look(asking: Asking): readonly string[] {
  const { settings } = asking;
  const names = settings.cameras.map(({ id }) => id);
  const files = filesUnder(settings.recording.folder);
  const orphans = names.filter((name) => recordersOf(join(settings.recording.folder, name)).length > 1);
  const strangers = markedBy(settings.site.state).length - names.length;
  return [
    ...lawsOf(asking, { names, files, mayForget: false }),
    ...orphans.map((name) => `${name}: two recorders write`),
    ...(strangers > 0 ? [`${strangers} recorders too many`] : []),
  ];
}

/** What must not grow; the database by no more than its events are worth. */
export type Size = { readonly residentMiB: number; readonly handles: number; readonly databaseMiB: number; readonly events: number };
export function sizeOf(pid: number, state: string): Size {
  const db = openReader(state);
  if (db === null) throw new Error("the database does not open");
  // Its file alone lags behind what stands in the write-ahead log.
  const number = (sql: string) => Number(db.prepare(sql).pluck().get());
  const [bytes, events] = [
    number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"),
    number("SELECT coalesce(max(g), 0) FROM event"),
  ];
  db.close();
  return {
    ...{ residentMiB: residentBytes(pid) / 2 ** 20, handles: readdirSync(`/proc/${pid}/fd`).length },
    ...{ databaseMiB: bytes / 2 ** 20, events },
  };
}
