/** The box's own link, rung by rung: interface, address, gateway. The first broken rung is the finding. Reads /proc and /sys; asks the gateway only. */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { LinkValue, Probe, Reading, Witness } from "./ports.ts";

export type LadderOptions = {
  /** Interface towards the station; without it that of the default route. */
  readonly interface?: string | undefined;
  /** dBm: a wireless signal below this is weak. */
  readonly weakBelow: number;
};
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
/** A signal must rise by this much above the limit, so that it does not flap at it. */
const hysteresisDb = 3;
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
  weak: boolean;
  reading: Promise<Reading<LinkValue>> | null;
};

/** `down` only where the box's own network is gone; what is beyond the gateway is the station's to tell. A box that never had a default route is `unknown`. */
export function makeLadder(
  options: LadderOptions,
  ask: Witness["ask"],
  monoMs: () => number,
  roots: LadderRoots = system,
): Probe<LinkValue> {
  const state: State = { name: options.interface ?? null, gateway: null, asking: false, weak: false, reading: null };
  return {
    driver: "ladder",
    read: (signal) => {
      if (signal.aborted) return Promise.resolve(unknown("stopped"));
      state.reading ??= climb(options, state, { ask, monoMs, roots, signal })
        .catch((error: NodeJS.ErrnoException) => unknown(`ladder ${error.code ?? "unreadable"}`))
        .finally(() => {
          state.reading = null;
        });
      return within(state.reading);
    },
  };
}

type Means = {
  readonly ask: Witness["ask"];
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
  const wifi = signalOf((await textOf(join(roots.proc, "net/wireless"))) ?? "", name);
  if (wifi === null) return { value: "up", evidence: [name] };
  state.weak = wifi < options.weakBelow + (state.weak ? hysteresisDb : 0);
  return { value: state.weak ? "weak" : "up", evidence: [name, `signal ${wifi} dBm`] };
}

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

/** null where it is not there or cannot be read now. */
const textOf = (path: string) =>
  readFile(path, "utf8").then(
    (text) => text.trim(),
    () => null,
  );
