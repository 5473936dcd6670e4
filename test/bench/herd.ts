/**
 * `npm run bench:herd [boxes]`: 300 boxes come back to the station's own Mosquitto, each with its certificate and the agent's own
 * publisher: after a power cut of the district (every box boots at once), and after the broker was away for two minutes. How long until
 * the last is heard (asked: 3 min), and how much of a processor the broker takes meanwhile (one). Exit 1 where a bound is missed.
 * `npm run bench -- --only sites` takes the power cut, and what the broker holds and takes in an idle minute before it, by number of boxes.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { plainDating } from "../../agent/core/dating.ts";
import { type Address, healthMessage } from "../../agent/core/message.ts";
import type { Log } from "../../agent/log.ts";
import { publishStation, type Station } from "../../agent/publish.ts";
import { asOurselves, connectAs, type Talker } from "../../deploy/station/client.ts";
import { authorityOf, put, runningPid } from "../../deploy/station/keep.ts";
import { filesOf } from "../../deploy/station/place.ts";
import { withSite } from "../../deploy/station/register.ts";
import { type Services, startServices } from "../../deploy/station/services.ts";
import { makeBroker } from "../../hal/broker.ts";
import { makeClock } from "../../hal/clock.ts";
import { figure, sleep, until } from "../lib/agent.ts";
import { makeStation, type Station as Police } from "../lib/station.ts";
import type { Figure } from "./figures.ts";
import { cpuSeconds, residentBytes } from "./processes.ts";
import { birthDraft, cameraDraft, cameraIds, conditionDrafts, dayDrafts } from "./site.ts";

const camerasEach = 4;
const awayMs = 120_000;
const most = { backMs: 180_000, share: 1 };
/** So many boxes must be back within the bounds; of more the figures are told. */
const mostBoundSites = 300;
/** After it the boxes have told their days. */
const settleMs = 15_000;
/** A word that a box lives goes each minute: what the broker takes is looked at over a whole one. */
const idle = { stretches: 6, stretchMs: 10_000 };
const patienceMs = 400_000;
const commune = "xa-lon";
const say = (text: string) => void process.stdout.write(`${text}\n`);

/** What the boxes' process is told. */
type Herd = {
  readonly folder: string;
  readonly url: string;
  readonly boot: string;
  readonly hasJustBooted: boolean;
  readonly sites: readonly string[];
};

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A box without cameras and disk: its publisher is the agent's. */
function boxOf({ folder, url, boot, hasJustBooted }: Herd, address: Address): Station {
  const clock = makeClock({ driver: "none" });
  const read = (file: string) => readFileSync(join(folder, file), "utf8");
  const [ca, cert, key] = [read("ca.crt"), read(`${address.site}.crt`), read(`${address.site}.key`)];
  const ids = cameraIds(camerasEach);
  const drafts = [...conditionDrafts(address), ...ids.map((id) => cameraDraft(address, id))];
  const pages = [...dayDrafts(address, ids)];
  return {
    ...{ clock, broker: makeBroker(), log: silent, random: Math.random, address, boot, hasJustBooted },
    login: () => ({ url, ca, cert, key, credential: null }),
    journal: {
      ...{ dbId: () => "db", cursor: () => 0, moveCursor: () => undefined, after: () => [], lastG: () => 0, firstG: () => 0 },
      ...{ unsent: () => ({ count: 0, oldestAt: null }), setAside: () => true, noteAck: () => undefined },
    },
    ...{ nowAt: clock.wallMs, dating: () => plainDating, config: () => "x" },
    moment: () => ({ at: clock.wallMs(), monoMs: clock.monoMs(), clock: "synced" }),
    pages: {
      next: () => {
        const [draft] = pages;
        return draft === undefined ? null : { draft, done: (taken) => void pages.splice(0, taken ? 1 : 0) };
      },
      touch: () => undefined,
      startOver: () => void pages.splice(0, pages.length, ...dayDrafts(address, ids)),
    },
    birth: async () => birthDraft(address, boot, ids),
    health: (lastError) => healthOf(address, clock.wallMs(), lastError),
    conditions: () => drafts,
    retained: { all: () => drafts.map(({ topic }) => topic), put: () => undefined, isSettled: () => true },
    ...{ hold: () => ({ ok: false }), onStation: () => undefined, isOurs: () => true, onTakeover: () => undefined },
  };
}

const healthOf = (address: Address, at: number, lastError: string | null) =>
  healthMessage(address, {
    ...{ at, lastError, load1: 0.4, temperatureC: 51, memoryUsedBytes: 1e9, memoryTotalBytes: 4e9, agentRssBytes: 9e7, uptimeMs: 1e6 },
    ...{
      eventLoopP99Ms: 21,
      runs24h: 1,
      supply: null,
      wifi: null,
      traffic: null,
      disk: { value: "ok", freeBytes: 1e11, usedBytes: 4e11, health: [] },
    },
    ...{ journal: { depth: 0, oldestUnsentAt: null, waiting: 0 }, certificateDays: 1_000, audit: null },
    watchdog: { fed: true, everyMs: 60_000, lagMs: 3, journal: "written", hangs: [] },
  });

/** The boxes' own process: killed, all of them lose their power at once. */
async function live(herd: Herd): Promise<void> {
  await Promise.all(herd.sites.map((site) => publishStation(boxOf(herd, { commune, site }), new AbortController().signal)));
}

function boot(herd: Herd): ChildProcess {
  const child = fork(import.meta.filename, [], { env: { ...process.env, MATGHI_HERD: JSON.stringify(herd) } });
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

const died = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });

/** A certificate for each site; returns the folder in which the boxes find them. */
function enlistAll({ place, register }: Police, sites: readonly string[]): string {
  const folder = join(place.run, "boxes");
  mkdirSync(folder, { recursive: true });
  const authority = authorityOf(place, commune);
  let known = register();
  for (const site of sites) {
    const { cert, key, serial, endsAt } = authority.site(site);
    writeFileSync(join(folder, `${site}.crt`), cert);
    writeFileSync(join(folder, `${site}.key`), key, { mode: 0o600 });
    const changed = withSite(known, site, { serial, endsAt });
    if (changed.kind === "changed") known = changed.register;
  }
  writeFileSync(join(folder, "ca.crt"), authority.ca());
  put(place, known);
  return folder;
}

async function listen(station: Police): Promise<Talker> {
  const result = await connectAs(station.place, asOurselves(station.place, station.register()), [`${station.root}/from/+/state`]);
  if (result.kind === "failed") throw new Error(result.detail);
  return result.talker;
}

type Return = { readonly backMs: readonly number[]; readonly share: number; readonly worst: number };

/** From now until every site has said `online` in a connection that is `isNew`. */
async function watchReturn(station: Police, talker: Talker, sites: readonly string[], isNew: (body: Said) => boolean): Promise<Return> {
  const pid = runningPid(filesOf(station.place).brokerProcess, "mosquitto") ?? 0;
  const began = performance.now();
  const back = new Map<string, number>();
  const loads: { readonly atMs: number; readonly seconds: number }[] = [{ atMs: began, seconds: cpuSeconds(pid) }];
  let read = talker.heard.length;
  await until(
    "all are back",
    patienceMs,
    () => {
      const at = performance.now();
      if (at - (loads.at(-1)?.atMs ?? 0) >= 1_000) loads.push({ atMs: at, seconds: cpuSeconds(pid) });
      for (const { topic, payload } of talker.heard.slice(read)) {
        const [, , , , site = ""] = topic.split("/");
        if (!back.has(site) && payload !== "" && isNew(JSON.parse(payload) as Said)) back.set(site, at - began);
      }
      read = talker.heard.length;
      return back.size === sites.length;
    },
    50,
  );
  loads.push({ atMs: performance.now(), seconds: cpuSeconds(pid) });
  const shares = loads
    .slice(1)
    .map(({ atMs, seconds }, i) => ((seconds - (loads[i]?.seconds ?? 0)) * 1_000) / (atMs - (loads[i]?.atMs ?? 0)));
  const [first, last] = [loads[0], loads.at(-1)];
  const share = (((last?.seconds ?? Number.NaN) - (first?.seconds ?? 0)) * 1_000) / ((last?.atMs ?? 0) - (first?.atMs ?? 0));
  return { backMs: [...back.values()], share, worst: Math.max(...shares.slice(0, -1), 0) };
}

type Said = { readonly state: string; readonly boot: string; readonly conn: number };

function tell(what: string, { backMs, share, worst }: Return): boolean {
  say(
    figure(
      `${what}: a box is heard again after`,
      backMs.map((ms) => ms / 1_000),
      "s",
    ),
  );
  say(
    `figure: ${what}: the broker took ${share.toFixed(2)} of a core, ${worst.toFixed(2)} in its worst second; load ${loadavg()[0]?.toFixed(2)}`,
  );
  return Math.max(...backMs) <= most.backMs && share <= most.share;
}

const isOnline = (bootId: string, conn: number) => (body: Said) => body.state === "online" && body.boot === bootId && body.conn >= conn;

/** A station with its broker, and boxes that are enlisted there and have no power yet. */
type District = {
  readonly station: Police;
  readonly services: Services;
  readonly sites: readonly string[];
  readonly herd: Omit<Herd, "boot" | "hasJustBooted">;
};

async function makeDistrict(count: number): Promise<District> {
  const sites = Array.from({ length: count }, (_, i) => `vi-tri-${i + 1}`);
  const station = await makeStation(commune);
  const folder = enlistAll(station, sites);
  const services = await startServices(station.place);
  return { station, services, sites, herd: { folder, sites, url: `mqtts://127.0.0.1:${station.register().ports.mqtts}` } };
}

type Idle = { readonly shares: readonly number[]; readonly residentMiB: readonly number[] };

/** What the broker takes while nothing happens at any site. */
async function watchIdle(station: Police): Promise<Idle> {
  const pid = runningPid(filesOf(station.place).brokerProcess, "mosquitto") ?? 0;
  const [shares, residentMiB]: [number[], number[]] = [[], []];
  for (let stretch = 0; stretch < idle.stretches; stretch += 1) {
    const before = { atMs: performance.now(), seconds: cpuSeconds(pid) };
    await sleep(idle.stretchMs);
    shares.push(((cpuSeconds(pid) - before.seconds) * 1_000) / (performance.now() - before.atMs));
    residentMiB.push(residentBytes(pid) / 2 ** 20);
  }
  return { shares, residentMiB };
}

/** What `count` sites cost their station: in an idle minute, and when all of them come back after a power cut. */
export async function sitesFigures(count: number, say: (line: string) => void): Promise<readonly Figure[]> {
  const { station, services, sites, herd } = await makeDistrict(count);
  const talker = await listen(station);
  let boxes = boot({ ...herd, boot: "boot-1.1", hasJustBooted: false });
  try {
    await watchReturn(station, talker, sites, isOnline("boot-1.1", 1));
    say(`  ${count} sites are connected`);
    await sleep(settleMs);
    const { shares, residentMiB } = await watchIdle(station);
    await died(boxes);
    boxes = boot({ ...herd, boot: "boot-2.2", hasJustBooted: true });
    const { backMs, share } = await watchReturn(station, talker, sites, isOnline("boot-2.2", 1));
    const of = (name: string, unit: string, values: readonly number[], bound: number | null = null): Figure => ({
      ...{ name: `${name}, ${count} sites`, unit, values, most: count > mostBoundSites ? null : bound },
    });
    const percent = (value: number) => value * 100;
    return [
      of("the station's broker in an idle minute, ten seconds each: processor", "% of one", shares.map(percent)),
      of("the station's broker in an idle minute: memory", "MiB", residentMiB),
      of(
        "power cut of a district: a box is heard again after",
        "s",
        backMs.map((ms) => ms / 1_000),
      ),
      of("power cut of a district: the last box is heard again after", "s", [Math.max(...backMs) / 1_000], most.backMs / 1_000),
      of("power cut of a district: processor of the broker until then", "% of one", [percent(share)], percent(most.share)),
    ];
  } finally {
    await died(boxes);
    await talker.end();
    await services.stop();
  }
}

async function main(): Promise<number> {
  const { station, services, sites, herd } = await makeDistrict(Number(process.argv[2] ?? 300));
  say(`${sites.length} boxes with their certificates; load ${loadavg()[0]?.toFixed(2)}`);
  let talker = await listen(station);
  let boxes = boot({ ...herd, boot: "boot-1.1", hasJustBooted: false });
  tell("all at once, without a wait", await watchReturn(station, talker, sites, isOnline("boot-1.1", 1)));
  await sleep(5_000);
  await died(boxes);
  boxes = boot({ ...herd, boot: "boot-2.2", hasJustBooted: true });
  const cut = tell("power cut of a district", await watchReturn(station, talker, sites, isOnline("boot-2.2", 1)));
  await sleep(5_000);
  await talker.end();
  await services.killBroker();
  await sleep(awayMs);
  await services.startBroker();
  talker = await listen(station);
  const away = tell(`broker away for ${awayMs / 1_000} s`, await watchReturn(station, talker, sites, isOnline("boot-2.2", 2)));
  await died(boxes);
  await talker.end();
  await services.stop();
  return cut && away ? 0 : 1;
}

const told = process.env.MATGHI_HERD;
if (process.argv[1] === import.meta.filename) {
  if (told === undefined) process.exitCode = await main();
  else await live(JSON.parse(told) as Herd);
}
