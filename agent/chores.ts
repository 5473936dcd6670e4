/** What is due once a day: the ledger forgets what is older than any report, and what officers had made and did not fetch goes. On a calendar that is made anew after each step of the clock. */
import type { Calendar, Clock } from "../hal/ports.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Store } from "./store/store.ts";

export type ChoresDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Pick<Store, "prune">;
  readonly log: Log;
  readonly calendar: Calendar;
  /** Signs the chain of the audit. */
  readonly sign: () => void;
  /** Takes away what officers' keys had made and nobody fetched (`clearShelves`). */
  readonly clearShelves: (nowUtc: number) => Promise<number>;
};

const lookEveryMs = 10_000;
/** Reports reach back five years (contract §4). */
const ledgerKeptMs = 5 * 366 * 86_400_000;
/** In the small hours, when nobody asks. */
const [pruneHour, pruneMinute] = [3, 20];

/** Keeps the calendar until `signal` aborts: made once the clock is trusted, thrown away and made anew when it stepped. */
export async function keepChores(deps: ChoresDeps, signal: AbortSignal): Promise<void> {
  let known = deps.time.dating();
  let calendar: AbortController | null = null;
  while (!signal.aborted) {
    if (calendar !== null && deps.time.dating() !== known) {
      calendar.abort();
      calendar = null;
    }
    if (calendar === null && deps.clock.trust() !== "unset") {
      known = deps.time.dating();
      calendar = new AbortController();
      deps.calendar.daily(pruneHour, pruneMinute, () => nightly(deps), calendar.signal);
      // A box that is switched off at night has its shelves cleared all the same.
      void clear(deps);
    }
    await deps.clock.sleep(lookEveryMs, signal);
  }
  calendar?.abort();
}

function nightly(deps: ChoresDeps): void {
  prune(deps);
  try {
    deps.sign();
  } catch (error) {
    deps.log.error({ err: String(error) }, "the audit could not be signed; the next night tries again");
  }
  void clear(deps);
}

async function clear(deps: ChoresDeps): Promise<void> {
  try {
    const gone = await deps.clearShelves(deps.time.nowUtc());
    if (gone > 0) deps.log.info({ gone }, "what officers had made and did not fetch within a week is gone");
  } catch (error) {
    deps.log.error({ err: String(error) }, "what officers did not fetch could not be taken away; the next night tries again");
  }
}

function prune(deps: ChoresDeps): void {
  try {
    const rows = deps.store.prune(deps.time.dating().fromUtc(deps.time.nowUtc() - ledgerKeptMs));
    if (rows > 0) deps.log.info({ rows }, "the ledger forgot what is older than five years");
  } catch (error) {
    deps.log.error({ err: String(error) }, "the ledger could not be pruned; the next night tries again");
  }
}
