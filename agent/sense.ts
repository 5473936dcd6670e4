/** The senses: power, link and the households' routers, each at its own pace. Readings become conditions here and evidence in agent/sight.ts. */
import type { Clock, LinkValue, PowerValue, Probe, Reading, Witness } from "../hal/ports.ts";
import { settle } from "./core/condition.ts";
import type { Condition } from "./core/types.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Store } from "./store/store.ts";

/** What the senses feel now. */
export type Senses = {
  power(): Reading;
  link(): Reading;
  /** Does this household's router answer? null: it has none, or nobody could ask yet. */
  router(household: string): boolean | null;
};

export type House = { readonly id: string; readonly router: string | null };

export type SenseDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Pick<Store, "commit" | "conditions">;
  readonly log: Log;
  readonly power: Probe<PowerValue>;
  readonly link: Probe<LinkValue>;
  readonly witness: Witness;
  readonly houses: () => readonly House[];
  /** A camera of this household is silent now: its router is asked more often. */
  readonly suspected: (household: string) => boolean;
};

const lookEveryMs = 1_000;
/** A router is asked this often, this often while one of its cameras is silent, and at once after it did not answer. */
const askEveryMs = 15_000;
const askSuspectEveryMs = 3_000;
const askAgainMs = 1_000;
const askForMs = 1_000;
/** One lost ping is no silence. */
const missesOfSilence = 2;

/** Makes the senses and their loop. The loop ends with `signal`. */
export function makeSenses(deps: SenseDeps): { readonly senses: Senses; readonly run: (signal: AbortSignal) => Promise<void> } {
  const none: Reading = { value: "unknown", evidence: [] };
  const now = { power: none, link: none };
  const routers = new Map<string, Asked>();
  const senses: Senses = {
    power: () => now.power,
    link: () => now.link,
    router: (household) => stateOf(routers.get(household)),
  };
  return {
    senses,
    run: async (signal) => {
      await Promise.all([
        feel(deps, "power", ["mains"], deps.power, (reading) => (now.power = reading), signal),
        feel(deps, "link", ["up"], deps.link, (reading) => (now.link = reading), signal),
        askRouters(deps, routers, signal),
      ]);
    },
  };
}

/** One probe into one condition. What cannot be felt here is no condition; not knowing for a while is. */
async function feel(
  deps: SenseDeps,
  subject: "power" | "link",
  good: readonly string[],
  probe: Probe,
  take: (reading: Reading) => void,
  signal: AbortSignal,
): Promise<void> {
  let condition: Condition | null = deps.store.conditions().find((row) => row.subject === subject) ?? null;
  while (!signal.aborted) {
    try {
      const reading = await probe.read(signal);
      if (signal.aborted) return;
      take(reading);
      const settled = settle(subject, condition, reading.value, reading.evidence, deps.time.moment(), [...good, "unsupported", "unknown"]);
      condition = settled.condition;
      if (settled.change.length > 0) deps.store.commit(settled.change);
    } catch (error) {
      deps.log.error({ subject, err: String(error) }, "a sense could not be written down; it is felt again");
    }
    await deps.clock.sleep(lookEveryMs, signal);
  }
}

type Asked = { readonly address: string; misses: number; answered: boolean | null; monoMs: number; asking: boolean };

function stateOf(asked: Asked | undefined): boolean | null {
  if (asked === undefined || asked.answered === null) return null;
  return asked.answered || asked.misses < missesOfSilence;
}

/** All routers side by side: a silent one costs its own second only. */
async function askRouters(deps: SenseDeps, routers: Map<string, Asked>, signal: AbortSignal): Promise<void> {
  const asks = new Set<Promise<void>>();
  while (!signal.aborted) {
    for (const { id, router } of deps.houses()) {
      if (router === null) continue;
      if (routers.get(id)?.address !== router)
        routers.set(id, { address: router, misses: 0, answered: null, monoMs: Number.NEGATIVE_INFINITY, asking: false });
      const asked = routers.get(id);
      if (asked === undefined || asked.asking || deps.clock.monoMs() - asked.monoMs < paceOf(deps, id, asked)) continue;
      const ask = askOne(deps, asked, signal).finally(() => asks.delete(ask));
      asks.add(ask);
    }
    await deps.clock.sleep(lookEveryMs, signal);
  }
  await Promise.all(asks);
}

function paceOf(deps: SenseDeps, household: string, asked: Asked): number {
  if (asked.misses > 0 && asked.misses < missesOfSilence) return askAgainMs;
  return asked.misses > 0 || deps.suspected(household) ? askSuspectEveryMs : askEveryMs;
}

async function askOne(deps: SenseDeps, asked: Asked, signal: AbortSignal): Promise<void> {
  asked.asking = true;
  asked.monoMs = deps.clock.monoMs();
  const answered = await deps.witness.ask(asked.address, askForMs, signal);
  asked.asking = false;
  if (signal.aborted) return;
  asked.answered = answered;
  asked.misses = answered === false ? asked.misses + 1 : 0;
}
