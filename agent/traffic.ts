/** Counts what box and station tell each other, at the connection itself, and keeps it by days over restarts. */
import type { Broker, BrokerSession, Clock } from "../hal/ports.ts";
import { dayOf } from "./core/period.ts";
import { addTraffic, noTraffic, sumTraffic, type Traffic, trafficOf } from "./core/traffic.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Store } from "./store/store.ts";

export type TrafficDeps = {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly time: Pick<Time, "nowUtc">;
  readonly store: Pick<Store, "commit" | "meta">;
  readonly log: Log;
};
export type TrafficCounter = {
  /** The same broker, its sessions counted. */
  readonly broker: Broker;
  /** Writes down what was not yet. */
  save(): void;
  run(signal: AbortSignal): Promise<void>;
};

/** A power cut costs the count so much at most; oftener would wear the disk for nothing. */
const saveEveryMs = 600_000;

export function countTraffic({ broker, clock, time, store, log }: TrafficDeps): TrafficCounter {
  /** Open sessions, with what of each was counted. */
  const counted = new Map<BrokerSession, Traffic>();
  let waiting = noTraffic;
  const count = (session: BrokerSession) => {
    const before = counted.get(session) ?? noTraffic;
    const now = session.traffic();
    counted.set(session, now);
    const more = { sentBytes: now.sentBytes - before.sentBytes, receivedBytes: now.receivedBytes - before.receivedBytes };
    waiting = sumTraffic(waiting, more);
  };
  const save = () => {
    for (const session of counted.keys()) count(session);
    // A box that does not know the day lets it wait.
    if (waiting.sentBytes + waiting.receivedBytes === 0 || clock.trust() === "unset") return;
    const days = addTraffic(trafficOf(store.meta("traffic")), dayOf(time.nowUtc()), waiting);
    store.commit([{ put: "note", note: "traffic", text: JSON.stringify(days) }]);
    waiting = noTraffic;
  };
  return {
    save,
    broker: {
      connect: async (options, signal) => {
        const result = await broker.connect(options, signal);
        if (result.kind === "failed") return result;
        const { session } = result;
        counted.set(session, noTraffic);
        void session.ended.then(() => {
          count(session);
          counted.delete(session);
        });
        return result;
      },
    },
    run: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(saveEveryMs, signal);
        try {
          save();
        } catch (error) {
          log.error({ err: String(error) }, "what was told to the station could not be counted; it is tried again");
        }
      }
    },
  };
}
