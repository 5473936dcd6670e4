/** Events that wait in a site's journal, as after weeks without its station. */
import { join } from "node:path";
import { openStore } from "../../agent/store/store.ts";
import { startAgent, until } from "./agent.ts";
import { openFiles } from "./footage.ts";

/** Rows of one transaction. */
const together = 100;
/** The newest of them is so old. */
const ageMs = 600_000;

export type Backlog = {
  /** Of a site whose station cannot be reached now. */
  readonly config: string;
  /** State and footage stand in here, as `writeSite` lays them out. */
  readonly folder: string;
  /** Recorded once, so that the database is one of an agent's own. */
  readonly camera: string;
  readonly count: number;
};

/** A short life of the agent, then `count` events more than its own; a multiple of a hundred. */
export async function fillJournal({ config, folder, camera, count }: Backlog): Promise<void> {
  const first = startAgent(config);
  await until("it has begun", 60_000, () => openFiles(join(folder, "footage", camera)).length > 0);
  await first.stop();
  const store = openStore(join(folder, "state"));
  for (let i = 0; i < count; i += together)
    store.commit(
      Array.from({ length: together }, (_, j) => ({
        ...{ put: "event" as const, type: "camera.changed" as const, level: "info" as const },
        moment: { at: Date.now() - ageMs + i + j, monoMs: i + j, clock: "synced" as const },
        data: { camera, number: i + j },
      })),
    );
  store.close();
}
