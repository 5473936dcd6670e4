/** What the page holds: the retained messages as they come in, the link, what was asked for. Tells its listeners a few times a second. */
import { type Broker, type Link, type Login, openBroker } from "./broker.ts";
import { type Arrival, isOutdated, type Kept, keptOf } from "./model/kept.ts";
import { bodyOf } from "./model/read.ts";

export type Snapshot = {
  readonly retained: ReadonlyMap<string, Kept>;
  readonly link: Link;
  /** Everything that stands at the broker has arrived once. */
  readonly isWhole: boolean;
  /** And in this connection too: until then what is shown may be from the one before. */
  readonly isCurrent: boolean;
  readonly heardAt: number | null;
  /** When each site was last heard. */
  readonly memory: ReadonlyMap<string, number>;
  /** This computer's clock minus the recorders'; null: not known yet. */
  readonly skewMs: number | null;
};

export type Store = {
  readonly snapshot: () => Snapshot;
  /** Called after something changed, no more than a few times a second. Returns how to stop it. */
  readonly listen: (heard: () => void) => () => void;
  /** Asks for more than the first screen needs, as long as it is looked at. Returns how to stop it. */
  readonly want: (filters: readonly string[]) => () => void;
  readonly publish: (topic: string, body: object | null, expirySeconds: number | null) => Promise<boolean>;
  readonly close: () => void;
};

/** While everything comes in at once a picture in between costs more than it shows. */
const tellEveryMs = { loading: 400, whole: 200 } as const;
/** What comes within this time is told at once: a frame of the screen. */
const togetherMs = 16;
/** The broker hands out what it keeps without a pause; after one of this length it has done so. */
const quietMs = 1_000;
/** More topics than any commune has; what comes beyond is left out. */
const mostTopics = 200_000;
const mostSkews = 101;

/** What the first screen needs of a commune. */
const firstFilters = [
  ...["state", "birth", "power", "disk", "camera/+", "alarm/+", "alarm/+/+", "result/+"].map((name) => `from/+/${name}`),
  ...["station/note/+/+", "to/+/officer/hold/+"],
];

export function openStore(url: string, commune: string, login: Login | null, remembered: ReadonlyMap<string, number>): Store {
  const root = `matghi/v1/${commune}/`;
  const retained = new Map<string, Kept>();
  const wanted = new Map<string, number>();
  const listeners = new Set<() => void>();
  const memory = new Map(remembered);
  const skews: number[] = [];
  /** Topics that were heard in this connection: what is not among them when all has arrived stands no more. */
  let fresh = new Set<string>();
  let now: Snapshot = { retained, link: { kind: "connecting" }, isWhole: false, isCurrent: false, heardAt: null, memory, skewMs: null };
  let telling: ReturnType<typeof setTimeout> | null = null;
  let toldMs = Number.NEGATIVE_INFINITY;
  let settling: ReturnType<typeof setTimeout> | null = null;

  const tell = () => {
    telling = null;
    toldMs = performance.now();
    now = { ...now, retained: new Map(retained), memory: new Map(memory), skewMs: medianOf(skews) };
    for (const heard of listeners) heard();
  };
  const change = (part: Partial<Snapshot>) => {
    now = { ...now, ...part };
    const dueMs = toldMs + tellEveryMs[now.isWhole ? "whole" : "loading"];
    telling ??= setTimeout(tell, Math.max(togetherMs, dueMs - performance.now()));
  };
  const unsettle = () => {
    if (settling !== null) clearTimeout(settling);
    settling = null;
  };
  const settle = () => {
    unsettle();
    settling = setTimeout(() => {
      settling = null;
      for (const topic of retained.keys()) if (!fresh.has(topic) && !topic.includes("/result/")) retained.delete(topic);
      change({ isWhole: true, isCurrent: true });
    }, quietMs);
  };
  const take = (arrival: Arrival) => {
    const topic = arrival.topic.startsWith(root) ? arrival.topic.slice(root.length) : "";
    const taken = topic === "" ? null : keptOf({ ...arrival, topic });
    if (taken === null || (!retained.has(topic) && retained.size >= mostTopics)) return;
    if (taken.kept !== null && isOutdated(retained.get(topic), taken.kept)) return;
    fresh.add(topic);
    if (taken.kept === null) retained.delete(topic);
    else retained.set(topic, taken.kept);
    if (taken.kept !== null) noteTime(topic, taken.kept, arrival.isRetained, memory, skews);
    if (settling !== null && arrival.isRetained) settle();
    change({ heardAt: arrival.arrivedAt });
  };
  const open = async () => {
    const ours = new Set<string>();
    fresh = ours;
    const all = [...firstFilters, ...wanted.keys()].map((filter) => root + filter);
    await broker.subscribe(all);
    // The connection may have dropped meanwhile, and be another by now: what was not heard in it is not gone.
    if (fresh === ours && now.link.kind === "connected") settle();
  };
  /** Filters wanted in one breath go in one packet. */
  const asking: string[] = [];
  const ask = (filters: readonly string[]) => {
    if (asking.length === 0 && filters.length > 0)
      queueMicrotask(() => {
        const still = asking.splice(0).filter((filter) => wanted.has(filter));
        if (now.link.kind === "connected" && still.length > 0) void broker.subscribe(still.map((filter) => root + filter));
      });
    asking.push(...filters);
  };
  const turn = (link: Link) => {
    if (link.kind !== "connected") unsettle();
    change(link.kind === "connected" ? { link } : { link, isCurrent: false });
  };
  const broker: Broker = openBroker(url, login, { onLink: turn, onOpen: () => void open(), onMessage: take });
  return {
    snapshot: () => now,
    listen: (heard) => {
      listeners.add(heard);
      return () => void listeners.delete(heard);
    },
    want: (filters) => {
      const first = filters.filter((filter) => !wanted.has(filter));
      for (const filter of filters) wanted.set(filter, (wanted.get(filter) ?? 0) + 1);
      ask(first);
      return () => {
        const last = filters.filter((filter) => wanted.get(filter) === 1);
        for (const filter of filters) wanted.set(filter, (wanted.get(filter) ?? 1) - 1);
        for (const filter of last) wanted.delete(filter);
        if (last.length > 0) broker.unsubscribe(last.map((filter) => root + filter));
      };
    },
    publish: (topic, body, expirySeconds) => broker.publish(root + topic, body === null ? "" : JSON.stringify(body), expirySeconds),
    close: () => {
      broker.end();
      for (const timer of [telling, settling]) if (timer !== null) clearTimeout(timer);
      listeners.clear();
    },
  };
}

/** A site's own word tells when it was last there, and how this computer's clock stands beside its. */
function noteTime(topic: string, kept: Kept, isRetained: boolean, memory: Map<string, number>, skews: number[]): void {
  const site = /^from\/([^/]+)\/state$/.exec(topic)?.[1];
  const body = bodyOf(kept.value);
  if (site === undefined || body?.state !== "online" || kept.saidAt === null) return;
  memory.set(site, kept.saidAt);
  const said = typeof body.at === "string" ? Date.parse(body.at) : Number.NaN;
  if (isRetained || Number.isNaN(said)) return;
  skews.push(kept.saidAt - said);
  if (skews.length > mostSkews) skews.shift();
}

function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
