/** While the station is not reached: where the way to it is broken. While it is, the session proves the whole way and nothing is sent. */
import type { Clock, Machine, Reading } from "../hal/ports.ts";
import { doorRung, linkRung, type Reach } from "./core/reach.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store/store.ts";

export type ReachDeps = {
  readonly clock: Clock;
  readonly store: Pick<Store, "commit" | "conditions" | "meta">;
  readonly log: Log;
  readonly machine: Pick<Machine, "door">;
  readonly link: () => Reading;
  /** The broker's place; null: no station is configured. */
  readonly station: () => { readonly host: string; readonly port: number } | null;
};

const lookEveryMs = 2_000;
/** A name and a TCP connect are some 500 bytes: with the gateway's two pings under 1 KB a minute (measured: test/hal/ladder.test.ts). */
const askEveryMs = 60_000;
const askForMs = 5_000;

export async function watchReach(deps: ReachDeps, signal: AbortSignal): Promise<void> {
  let askedMonoMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      const told = deps.store.conditions().find(({ subject }) => subject === "station");
      const isOut = deps.station() !== null && told !== undefined && told.value !== "connected";
      const own = isOut ? linkRung(deps.link().value, deps.link().evidence) : null;
      if (!isOut || own !== null) {
        write(deps, own);
        askedMonoMs = Number.NEGATIVE_INFINITY;
      } else if (deps.clock.monoMs() - askedMonoMs >= askEveryMs) {
        askedMonoMs = deps.clock.monoMs();
        write(deps, await askStation(deps, told?.evidence ?? []));
      }
    } catch (error) {
      deps.log.error({ err: String(error) }, "the way to the station could not be looked at; it is tried again");
    }
    await deps.clock.sleep(lookEveryMs, signal);
  }
}

async function askStation(deps: ReachDeps, session: readonly string[]): Promise<Reach | null> {
  const place = deps.station();
  if (place === null) return null;
  const door = await deps.machine.door({ ...place, tls: null }, askForMs);
  return doorRung(door, `${place.host}:${place.port}`, session);
}

/** Written when it changed. */
function write({ store, log }: ReachDeps, reach: Reach | null): void {
  const text = reach === null ? null : JSON.stringify(reach);
  if (text === store.meta("reach")) return;
  store.commit([{ put: "note", note: "reach", text }]);
  if (reach !== null) log.warn({ rung: reach.rung, detail: reach.detail }, "the way to the station is broken");
}
