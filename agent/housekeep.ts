/** What keeps the state folder in order all along: the beat by which a power cut is dated, the journal's bounds, the reserve. */
import type { Clock } from "../hal/ports.ts";
import { journalBounds } from "./core/journal.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Beat } from "./store/beat.ts";
import type { Store } from "./store/store.ts";

/** A power cut is dated by the beat: five seconds at most, and a little for a slow disk. */
const beatEveryMs = 4_000;
const trimEveryMs = 10_000;

type Keeping = { readonly clock: Clock; readonly time: Time; readonly log: Log };
export type BeatDeps = Keeping & {
  readonly run: number;
  readonly store: Pick<Store, "journal">;
  readonly writeBeat: (beat: Beat, turn: number) => Promise<void>;
};
export type BoundsDeps = Keeping & { readonly store: Pick<Store, "trim">; readonly keepReserve: () => void };

/** Alive, every few seconds, for certain. A state disk that does not take it costs a little precision and nothing else. */
export async function keepBeat({ clock, time, log, run, store, writeBeat }: BeatDeps, signal: AbortSignal): Promise<void> {
  const { journal } = store;
  const write = async (turn: number) => writeBeat({ run, at: time.now(), db: journal.dbId(), g: journal.lastG() }, turn);
  for (let turn = 0; !signal.aborted; turn += 1) {
    await write(turn).catch((error: unknown) => {
      if (turn === 0) log.warn({ err: String(error) }, "the beat cannot be written; a power cut is dated by the database alone");
    });
    await clock.sleep(beatEveryMs, signal);
  }
}

export async function keepBounds({ clock, time, log, store, keepReserve }: BoundsDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const dropped = store.trim(journalBounds, time.moment());
      if (dropped > 0) log.warn({ dropped }, "the journal reached its bound; older rows were dropped and the drop written down");
      keepReserve();
    } catch (error) {
      log.error({ err: String(error) }, "housekeeping of the journal failed; it is tried again");
    }
    await clock.sleep(trimEveryMs, signal);
  }
}
