/** The box's own link, rung by rung: interface, address, gateway, wifi. The first broken rung is the finding. Reads /proc and /sys; sends to the gateway only. */
import { access, readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { WifiFacts } from "../agent/core/wifi.ts";
import type { LinkValue, Probe, Reading, Wifi, WifiCount, Witness } from "./ports.ts";

export type LadderOptions = {
  /** Interface towards the station; without it that of the default route. */
  readonly interface?: string | undefined;
  /** dBm: a wireless signal below this is weak. */
  readonly weakBelow: number;
  /** So many retries for each hundred packets are weak. */
  readonly retriesAbove: number;
  /** Mbit/s: a wifi that sends slower is weak. */
  readonly bitrateBelow: number;
};
/** Whom it asks: the gateway by ping, the wifi card by the kernel. */
export type LadderAsks = { readonly ask: Witness["ask"]; readonly wifi: Wifi["count"] };
/** Where the kernel and the system tell; tests put trees and addresses of their own here. */
export type LadderRoots = {
  readonly proc: string;
  readonly sys: string;
  readonly addresses: (name: string) => readonly string[];
};

/** The gateway is asked this often, this often while it does not answer: a ping is 84 bytes, so well under 1 KB a minute in peace. */
const askEveryMs = 30_000;
const askAgainMs = 2_000;
const askForMs = 1_000;
/** One lost ping is no silence. */
const missesOfSilence = 3;
/** What was weak must be better than the limit by this much, so that it does not flap at it. */
const hysteresis = { db: 3, share: 1.25 } as const;
/** The wifi card is asked this often; its retries and its best rate are those of the last so many answers: a minute. */
const countEveryMs = 10_000;
const countsKept = 7;
/** Of fewer packets a share tells nothing. */
const enoughPackets = 50;
/** Readings of the files that hang are not waited for. */
const deadlineMs = 900;

const system: LadderRoots = {
  proc: "/proc",
  sys: "/sys",
  addresses: (name) => (networkInterfaces()[name] ?? []).filter(({ family }) => family === "IPv4").map(({ address }) => address),
};

type State = {
  /** The interface that the default route had last: when the cable is pulled, its route goes with it. */
  name: string | null;
  /** null: it has not answered or been asked yet. */
  gateway: { readonly address: string; misses: number; answered: boolean | null; askedMonoMs: number } | null;
  asking: boolean;
  /** The wifi card's answers, oldest first. */
  counts: readonly WifiCount[];
  counting: boolean;
  countedMonoMs: number;
  weak: boolean;
  reading: Promise<Reading<LinkValue>> | null;
};

/** `down` only where the box's own network is gone; what is beyond the gateway is the station's to tell. A box that never had a default route is `unknown`. */
export function makeLadder(options: LadderOptions, asks: LadderAsks, monoMs: () => number, roots: LadderRoots = system): Probe<LinkValue> {
  const state: State = {
    ...{ name: options.interface ?? null, gateway: null, asking: false, weak: false, reading: null },
    ...{ counts: [], counting: false, countedMonoMs: Number.NEGATIVE_INFINITY },
  };
  return {
    driver: "ladder",
    read: (signal) => {
      if (signal.aborted) return Promise.resolve(unknown("stopped"));
      state.reading ??= climb(options, state, { ...asks, monoMs, roots, signal })
        .catch((error: NodeJS.ErrnoException) => unknown(`ladder ${error.code ?? "unreadable"}`))
        .finally(() => {
          state.reading = null;
        });
      return within(state.reading);
    },
  };
}

type Means = LadderAsks & {
  readonly monoMs: () => number;
  readonly roots: LadderRoots;
  readonly signal: AbortSignal;
};

const unknown = (...evidence: readonly string[]): Reading<LinkValue> => ({ value: "unknown", evidence });
const broken = (rung: string, detail: string): Reading<LinkValue> => ({ value: "down", evidence: [`rung ${rung}`, detail] });

async function within(reading: Promise<Reading<LinkValue>>): Promise<Reading<LinkValue>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Reading<LinkValue>>((resolve) => {
    timer = setTimeout(() => resolve(unknown("ladder late")), deadlineMs);
  });
  const first = await Promise.race([reading, late]);
  clearTimeout(timer);
  return first;
}

async function climb(options: LadderOptions, state: State, means: Means): Promise<Reading<LinkValue>> {
  const { roots } = means;
  const routes = routesOf((await textOf(join(roots.proc, "net/route"))) ?? "");
  const route = routes.find(({ name }) => options.interface === undefined || name === options.interface);
  if (options.interface === undefined && route !== undefined) state.name = route.name;
  const { name } = state;
  if (name === null) return unknown("no-default-route");
  const folder = join(roots.sys, "class/net", name);
  // An interface that is down has no carrier to tell of: reading it fails.
  if ((await textOf(join(folder, "carrier"))) !== "1")
    return broken("interface", `${name} ${(await textOf(join(folder, "operstate"))) ?? "gone"}`);
  if (!roots.addresses(name).some((address) => !address.startsWith("169.254."))) return broken("address", name);
  if (route === undefined) return broken("gateway", `${name} no-route`);
  knockOnGateway(state, route.gateway, means);
  const isSilent = state.gateway !== null && state.gateway.misses >= missesOfSilence && !(await isNeighbour(roots, route.gateway));
  if (isSilent) return broken("gateway", `${route.gateway} silent`);
  const signalDbm = signalOf((await textOf(join(roots.proc, "net/wireless"))) ?? "", name);
  if (await isThere(join(folder, "phy80211"))) countWifi(state, name, means);
  else if (signalDbm === null) return { value: "up", evidence: [name] };
  const wifi = wifiOf(state.counts, signalDbm);
  state.weak = isWeak(wifi, options, state.weak);
  return { value: state.weak ? "weak" : "up", evidence: [name, ...wifiEvidence(wifi)], wifi };
}

/** Asks the wifi card in its rhythm, beside the reading: a child process takes its time. */
function countWifi(state: State, name: string, { wifi, monoMs, signal }: Means): void {
  if (state.counting || monoMs() - state.countedMonoMs < countEveryMs) return;
  state.countedMonoMs = monoMs();
  state.counting = true;
  void wifi(name, signal).then((count) => {
    state.counting = false;
    // A card that joined anew counts from zero.
    const isAnew = count === null || (count.packets ?? 0) < (state.counts.at(-1)?.packets ?? 0);
    state.counts = count === null ? [] : [...(isAnew ? [] : state.counts), count].slice(-countsKept);
  });
}

function wifiOf(counts: readonly WifiCount[], signalDbm: number | null): WifiFacts {
  const [first, last] = [counts[0], counts.at(-1)];
  const grown = (what: "packets" | "retries") => (first?.[what] == null || last?.[what] == null ? Number.NaN : last[what] - first[what]);
  const rates = counts.flatMap(({ bitrateMbps }) => bitrateMbps ?? []);
  return {
    signalDbm: signalDbm ?? last?.signalDbm ?? null,
    retriesPercent:
      grown("packets") >= enoughPackets && grown("retries") >= 0 ? Math.round((grown("retries") / grown("packets")) * 100) : null,
    bitrateMbps: rates.length === 0 ? null : Math.max(...rates),
  };
}

function isWeak({ signalDbm, retriesPercent, bitrateMbps }: WifiFacts, limits: LadderOptions, was: boolean): boolean {
  const share = was ? hysteresis.share : 1;
  if (signalDbm !== null && signalDbm < limits.weakBelow + (was ? hysteresis.db : 0)) return true;
  if (retriesPercent !== null && retriesPercent > limits.retriesAbove / share) return true;
  return bitrateMbps !== null && bitrateMbps < limits.bitrateBelow * share;
}

const wifiEvidence = ({ signalDbm, retriesPercent, bitrateMbps }: WifiFacts): readonly string[] => [
  ...(signalDbm === null ? [] : [`signal ${signalDbm} dBm`]),
  ...(retriesPercent === null ? [] : [`retries ${retriesPercent}/100`]),
  ...(bitrateMbps === null ? [] : [`bitrate ${bitrateMbps} Mbit/s`]),
];

/** Asks the gateway in its rhythm, beside the reading: it is no one's wait. */
function knockOnGateway(state: State, address: string, { ask, monoMs, signal }: Means): void {
  if (state.gateway?.address !== address) state.gateway = { address, misses: 0, answered: null, askedMonoMs: Number.NEGATIVE_INFINITY };
  const { gateway } = state;
  const everyMs = gateway.misses > 0 ? askAgainMs : askEveryMs;
  if (state.asking || monoMs() - gateway.askedMonoMs < everyMs) return;
  gateway.askedMonoMs = monoMs();
  state.asking = true;
  void ask(address, askForMs, signal).then((answered) => {
    state.asking = false;
    // That it could not be asked is no silence.
    if (answered === null) return;
    gateway.answered = answered;
    gateway.misses = answered ? 0 : gateway.misses + 1;
  });
}

/** A gateway that answers no ping but is known on the wire is there (kernel: net/if_arp.h, ATF_COM = 2). */
async function isNeighbour(roots: LadderRoots, address: string): Promise<boolean> {
  const lines = ((await textOf(join(roots.proc, "net/arp"))) ?? "").split("\n").map((line) => line.split(/\s+/));
  return lines.some(([ip, , flags]) => ip === address && (Number(flags) & 2) !== 0);
}

type Route = { readonly name: string; readonly gateway: string; readonly metric: number };

/** Default routes by their metric. The kernel writes addresses as hexadecimal numbers of the machine's byte order: little-endian on all boxes. */
function routesOf(table: string): readonly Route[] {
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/))
    .filter(([, destination, gateway, , , , , mask]) => destination === "00000000" && mask === "00000000" && gateway !== "00000000")
    .map(([name = "", , gateway = "", , , , metric]) => ({ name, gateway: addressOf(gateway), metric: Number(metric) }))
    .sort((a, b) => a.metric - b.metric);
}

const addressOf = (hex: string) => [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");

/** dBm of a wireless interface; null where it is none (wireless extensions, linux/wireless.h: level in dBm below 0). */
function signalOf(table: string, name: string): number | null {
  const line = table.split("\n").find((text) => text.trim().startsWith(`${name}:`));
  const level = Number(line?.trim().split(/\s+/)[3] ?? Number.NaN);
  return Number.isFinite(level) && level < 0 ? Math.round(level) : null;
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
/** null where it is not there or cannot be read now. */
const textOf = (path: string) =>
  readFile(path, "utf8").then(
    (text) => text.trim(),
    () => null,
  );
