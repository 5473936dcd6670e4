/** The daemon: configuration, store, recovery, drivers, loops, stop. Imports everything; only the command line and the suites of the whole agent import it. */
import { setMaxListeners } from "node:events";
import { occupy } from "../hal/occupancy.ts";
import type { Clock } from "../hal/ports.ts";
import { makeAuditor } from "./auditor.ts";
import { keepBooks } from "./books.ts";
import { keepChores } from "./chores.ts";
import { checkUser, surroundingRules } from "./cli/context.ts";
import type { Settings } from "./config/schema.ts";
import { formatProblem, loadConfig } from "./config.ts";
import { makeDating } from "./core/dating.ts";
import { journalBounds } from "./core/journal.ts";
import { clearShelves } from "./errands.ts";
import type { Eye } from "./eye.ts";
import { type Gate, makeGate } from "./gate.ts";
import { liftExports, widenHolds } from "./holds.ts";
import { type Fate, fateOf } from "./home.ts";
import { watchLines } from "./lines.ts";
import { type Log, makeLog } from "./log.ts";
import { makeLowBattery } from "./lowbattery.ts";
import { makeTime, type Time } from "./moment.ts";
import { makePatrol } from "./patrol.ts";
import { publishStation, type Station } from "./publish.ts";
import { makePulse } from "./pulse.ts";
import { watchReach } from "./reach.ts";
import { closePrevious, lookBack, lostPast, type RecoverDeps, recover } from "./recover.ts";
import { reindex } from "./reindex.ts";
import { reloadConfig, secretsOf } from "./reload.ts";
import { credentialOf, makeRoster } from "./roster.ts";
import { makeSenses } from "./sense.ts";
import { claimFor, type Place, type SightDeps } from "./sight.ts";
import { stationOf } from "./station.ts";
import { isRolledBack, readBeat, writeBeat } from "./store/beat.ts";
import { renameJournal } from "./store/copy.ts";
import { isExporting, lockState } from "./store/database.ts";
import { type BoxKey, openKey } from "./store/key.ts";
import { keepReserve } from "./store/reserve.ts";
import { openStore, type Store } from "./store/store.ts";
import { openOwn } from "./store/undo.ts";
import { makeUsage, sweep } from "./sweep.ts";
import { makeTimekeeper } from "./timekeep.ts";
import { countTraffic } from "./traffic.ts";
import { standTrial, tellUndone } from "./trial.ts";
import { makeTurnstile } from "./turnstile.ts";
import { version } from "./version.ts";
import { type Conditions, watch } from "./watch.ts";
import { watchWear } from "./wear.ts";
import { realWorld, type World } from "./world.ts";

const firstLookMs = 300;
const always = { fromAt: Number.NEGATIVE_INFINITY, toAt: Number.POSITIVE_INFINITY };
/** What is said of the time between a camera's hand-over and our first look at it. */
const firstPast = "before the first run";
const suspectMs = 2_500;
const trimEveryMs = 10_000;
/** A power cut is dated by the beat: five seconds at most, and a little for a slow disk. */
const beatEveryMs = 4_000;
/** A clock may be set back by this much and was right before. */
const setBackMs = 60_000;
/** Cameras that lost power with the box boot longer than it does. */
const startUpMs = 30_000;
/** Day folders of each camera in which a start looks for runs that the database does not know. */
const daysLookedAt = 2;
const startUpAfterCutMs = 120_000;

/** Runs the agent until SIGTERM or SIGINT. Resolves with the exit code; everything that must be said is said on the log or `err`. */
export async function runAgent(configFile: string, err: (line: string) => void): Promise<number> {
  const allowed = loadConfig(configFile, surroundingRules);
  if (allowed.kind === "good") {
    try {
      checkUser(allowed.settings);
    } catch (error) {
      err(error instanceof Error ? error.message : String(error));
      return 2;
    }
  }
  const loaded = loadConfig(configFile, ["system-disk"]);
  if (loaded.kind === "bad") {
    for (const problem of loaded.problems) err(formatProblem(configFile, problem));
    return 2;
  }
  const { settings } = loaded;
  // Asked to reload before there is anything to reload: not to die of it.
  process.on("SIGHUP", () => undefined);
  const unlock = lockState(settings.site.state);
  if (unlock === null) {
    err(`another matghi runs on ${settings.site.state}; stop it first: systemctl stop matghi`);
    return 1;
  }
  try {
    return await inFolder(settings.recording.folder, err, () => withStore(configFile, settings, loaded.hash, err));
  } finally {
    unlock();
  }
}

async function inFolder(folder: string, err: (line: string) => void, work: () => Promise<number>): Promise<number> {
  const leave = await occupy(folder);
  if (leave === null) {
    err(`another matghi records into ${folder}; give this one a recording.folder of its own, or stop the other: systemctl stop matghi`);
    return 1;
  }
  try {
    return await work();
  } finally {
    leave();
  }
}

async function withStore(configFile: string, first: Settings, hash: string, err: (line: string) => void): Promise<number> {
  const { store: opened, restored, failed } = openOwn(first.site.state, version, Date.now());
  const store = await withOwnJournal(opened, first.site.state, err);
  if (restored !== null)
    err(
      `the database is ${version}'s own again, with the journal ${restored.db}; not taken over: ${restored.lost.join(", ") || "nothing"}`,
    );
  if (failed !== null) err(`the database of before the update cannot be put back (${failed}); a new one is built from the footage`);
  try {
    if (restored !== null && !isExporting(first.site.state)) liftExports(store, makeDating(store.boots()).fromUtc(Date.now()));
    const refused = store.meta("folder") === null ? loadConfig(configFile) : null;
    if (refused?.kind === "bad") {
      for (const problem of refused.problems) err(formatProblem(configFile, problem));
      return 2;
    }
    const onReload = (reload: () => void) => void process.on("SIGHUP", reload);
    const life = { configFile, settings: first, hash, store, onReload, fate: fateOf(import.meta.dirname, err) };
    await live(realWorld(first, latestUtc(store), err), life, stopOnSignals());
    return 0;
  } finally {
    store.close();
  }
}

/** A journal that was rolled back goes by another name: its next numbers were given before (contract §7). */
async function withOwnJournal(store: Store, state: string, err: (line: string) => void): Promise<Store> {
  const { journal } = store;
  if (!isRolledBack(await readBeat(state), { db: journal.dbId(), lastG: journal.lastG() })) return store;
  store.close();
  const db = renameJournal(state, "older than its last beat");
  err(`the database lacks its newest rows, or is an older copy; what is kept is told again as the journal ${db}: matghi doctor`);
  return openStore(state);
}

/** What the store knows to have passed; a little less, since clocks may be set back by that. */
const latestUtc = (store: Store) => makeDating(store.boots()).toUtc(store.latestAt()) - setBackMs;

/** What one run is given besides the world. */
export type Life = {
  readonly configFile: string;
  readonly settings: Settings;
  readonly hash: string;
  readonly store: Store;
  /** Has its argument called when the configuration may have changed. */
  readonly onReload: (reload: () => void) => void;
  /** Takes the lines of the log instead of standard output. */
  readonly write?: (line: string) => void;
  /** Whether this version is on trial, or has taken over again. */
  readonly fate?: Fate;
};

/** One run from begin to end: recovers, records, stops in order when `stop` aborts. */
export async function live(world: World, life: Life, stop: AbortSignal): Promise<void> {
  const { configFile, settings: first, hash, store, onReload, write, fate } = life;
  let settings = first;
  let config = hash;
  const log = makeLog({ secrets: () => secretsOf(settings), ...(write === undefined ? {} : { write }) });
  const brokenAs = store.meta("broken");
  if (brokenAs !== null) log.error({ brokenAs }, "the database was beyond repair and is set aside; a new one is built from the footage");
  // Every camera waits for the same few signals; Node's warning at eleven listeners is about leaks.
  setMaxListeners(0);
  const { clock, footage, recorder, knock: knocker } = world;
  const { folder } = settings.recording;
  const eyes = new Map<string, Eye>();
  const conditions: Conditions = new Map();
  let disk: Gate | null = null;
  const pulse = makePulse({
    ...{ clock, service: world.service, log, language: first.site.language, eyes, conditions },
    isDiskGood: () => disk === null || disk.value() === "ok",
  });
  // Loops that must outlive the recorders have a signal of their own: the last files still need disk and books.
  const after = new AbortController();
  const pulsing = pulse.run(after.signal);
  // A first word of the clock's trust where it comes at once; recording does not wait for it.
  await Promise.race([clock.look(stop), clock.sleep(firstLookMs, stop)]);
  const lastBeat = await readBeat(first.site.state);
  const { previous, unended } = await lookBack(world.box, store, lastBeat);
  // A database whose newest rows a failing disk has lost would use the numbers of its newest runs again; a new one, any number.
  const days = store.meta("folder") === null ? Number.POSITIVE_INFINITY : daysLookedAt;
  const above = Math.max(await footage.highestRun(days).catch(() => 0), lastBeat?.run ?? 0);
  const begun = store.begin({
    ...{ bootId: world.box.bootId(), wallMs: clock.wallMs(), monoMs: clock.monoMs(), clock: clock.trust() },
    ...{ version, above },
  });
  let dating = makeDating(store.boots());
  const time = makeTime(clock, begun.epochAt, () => dating);
  const startedMonoMs = clock.monoMs();
  const usage = makeUsage(store, eyes);
  const counted = countingStore(store, usage.add, pulse.committed);
  const books = keepBooks(counted, time);
  const { gate, watch: watchDisk } = makeGate({ site: first.site.id, clock, time, footage, store, log });
  disk = gate;
  const pastIs = store.meta("reset") === null ? firstPast : lostPast;
  const recovery: RecoverDeps = {
    clock,
    time,
    store: counted,
    footage,
    recorder,
    books,
    log,
    folder,
    site: first.site.id,
    run: begun.run,
    inTurn: makeTurnstile(4),
  };
  keepReserve(settings.site.state);
  const auditor = makeAuditor(store, keyOf(settings.site.state, log), time, log);
  auditor.say("service.started", { version, config: hash, previous: previous?.end ?? "none" });
  tellUndone({ store, log, auditor }, fate?.undone ?? null);
  closePrevious(recovery, unended);
  sayBegin(store, time, { config: hash, previous: previous?.end ?? "none", brokenAs });
  await recover(recovery, previous, new Set(settings.cameras.map(({ id }) => id)), stop);
  const { senses, run: sense } = makeSenses({
    ...{ clock, time, store, log, power: world.power, link: world.link, witness: world.witness },
    houses: () => settings.households.map(({ id, router }) => ({ id, router: router ?? null })),
    suspected: (household) =>
      [...eyes.values()].some((eye) => placeIn(settings, eye.camera).household === household && isSilent(eye, clock.monoMs())),
  });
  const sight: SightDeps = {
    ...{ clock, gate, eyes, senses, placeOf: (camera) => placeIn(settings, camera) },
    households: () => settings.households.map(({ id }) => id),
  };
  const battery = makeLowBattery({
    ...{ clock, log, power: senses.power, shutdown: world.shutdown, isAllowed: () => settings.power.shutdown === "poweroff" },
    rest: async () => {
      await inTurn(roster.stop);
      // Nobody waits for a loop that was ended on purpose.
      for (const eye of eyes.values()) [eye.reason, eye.dueMonoMs] = ["stopped", null];
      store.commit([
        { put: "event", moment: time.moment(), type: "run.stopping", level: "warn", data: { reason: "the battery is nearly empty" } },
      ]);
      await speaking.hush();
    },
    resume: async () => {
      speaking.begin();
      await inTurn(() => roster.apply(settings));
    },
  });
  const claim = (eye: Eye) => battery.claim() ?? claimFor(sight, eye);
  const patrol = makePatrol({
    ...{ clock, time, store, log, eyes, knock: knocker, cameras: world.cameras, discovery: world.discovery },
    ...{ settings: () => settings, credentialOf, random: world.random },
  });
  const roster = makeRoster(
    {
      ...{ clock, time, recorder, knock: knocker, footage, folder, books, store: counted, gate, log, claim, pastIs },
      ...{ random: world.random, run: begun.run, inTurn: makeTurnstile(2), patrol, isUrgent: battery.isUrgent },
    },
    eyes,
    time.at(startedMonoMs),
  );
  const limits = () => ({
    maxAgeMs: settings.recording.keep.max,
    sizeBytes: settings.recording.limit.size,
    freeBytes: settings.recording.limit.free,
  });
  const traffic = countTraffic({ broker: world.broker, clock, time, store, log });
  const station =
    settings.station === undefined
      ? null
      : stationOf({
          ...{ settings: () => settings, hash: () => config, store, clock, time, log, box: world.box, broker: traffic.broker },
          ...{ random: world.random, conditions, previous, version, auditor, pulse },
        });
  const onDating = () => {
    dating = makeDating(store.boots());
    widenHolds(store, dating);
    auditor.say("clock.set", { to: new Date(time.nowUtc()).toISOString() });
  };
  widenHolds(store, dating);
  const leapMs = previous === null ? 0 : time.nowUtc() - dating.toUtc(previous.lastAliveAt);
  const timekeeper = makeTimekeeper({ clock, time, store, log, epochAt: begun.epochAt, offsetMs: begun.offsetMs, leapMs, onDating });
  const startUp = previous?.end === "power" ? startUpAfterCutMs : startUpMs;
  const loops = [
    pulsing,
    watchDisk(after.signal),
    sense(after.signal),
    timekeeper.run(after.signal),
    traffic.run(after.signal),
    watchLines({ clock, store, log, wires: world.wires, eyes, patrol }, stop),
    patrol.run(stop),
    watch(
      {
        clock,
        time,
        store: counted,
        books,
        gate,
        log,
        eyes,
        startedMonoMs,
        usedBytes: usage.bytes,
        claim,
        startUpMs: startUp,
        power: world.power,
        link: world.link,
        senses,
        patrol,
        pulse,
      },
      conditions,
      after.signal,
    ),
    beat({ state: first.site.state, run: begun.run, journal: store.journal, clock, time, log }, after.signal),
    sweep({ clock, time, store: counted, footage, gate, log, eyes, limits, isDoubtful: timekeeper.isDoubtful }, usage, stop),
    housekeep(clock, time, store, settings, log, stop),
    watchWear(
      {
        ...{ clock, time, store, log, disks: world.disks, inspections: world.inspections, bootId: world.box.bootId },
        folders: { footage: folder, state: first.site.state },
      },
      stop,
    ),
    keepChores(
      { clock, time, store, log, calendar: world.calendar, sign: auditor.sign, clearShelves: (at) => clearShelves(first.site.state, at) },
      stop,
    ),
    reindex(
      {
        clock,
        store: counted,
        footage,
        recorder,
        dating: () => dating,
        nowAt: time.now,
        log,
        folder,
        below: begun.run,
        dry: false,
      },
      stop,
    ).then(
      (found) => {
        const foreign = [...found.foreign, ...found.unreadable];
        store.commit([{ put: "note", note: "foreign", text: foreign.length === 0 ? null : JSON.stringify(foreign) }]);
        usage.recount();
        // Days that came back were told without this footage.
        if (found.returned + found.missing > 0) station?.pages.touch(null, always);
      },
      (error: unknown) => log.error({ err: String(error) }, "the footage folder could not be compared with the index"),
    ),
  ];
  const speaking = makeSpeaking(station, after.signal);
  speaking.begin();
  let applied = roster.apply(settings).then(() => pulse.say("ready"));
  const inTurn = (deed: () => Promise<void>) => {
    applied = applied.then(() => (stop.aborted ? undefined : deed()));
    return applied;
  };
  onReload(() => {
    void inTurn(async () => {
      pulse.say("reloading");
      const next = reloadConfig(configFile, settings, store, time, log);
      if (next !== null) {
        ({ settings, hash: config } = next);
        auditor.say("config.changed", { config });
        // What rests takes the new settings in when it is woken.
        if (battery.claim() === null) await roster.apply(settings);
      }
      pulse.say("ready");
    });
  });
  loops.push(battery.run(stop));
  const configured = () => settings.cameras.map(({ id }) => id);
  const handingOut = () => isExporting(first.site.state);
  if (fate?.trial != null)
    loops.push(standTrial({ clock, store, log, auditor, conditions, configured, isExporting: handingOut }, fate.trial, stop));
  const wayTo = { clock, store, log, machine: world.machine, link: senses.link };
  loops.push(watchReach({ ...wayTo, station: () => (settings.station === undefined ? null : placeOf(settings.station.url)) }, stop));
  await new Promise<void>((resolve) => (stop.aborted ? resolve() : stop.addEventListener("abort", () => resolve(), { once: true })));
  pulse.say("stopping");
  store.commit([{ put: "event", moment: time.moment(), type: "run.stopping", level: "info", data: { reason: "asked to stop" } }]);
  await applied;
  await roster.stop();
  store.commit([{ put: "run-ended", run: begun.run, end: "stopped", at: time.now() }]);
  after.abort();
  await Promise.all([...loops, speaking.ended()]);
  traffic.save();
  await world.service.end();
}

/** Host and port of a broker's address. */
function placeOf(address: string): { readonly host: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(address);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (protocol === "mqtts:" ? 8883 : 1883)) };
}

/** The talk with the station: begun, hushed while the box rests, begun again. */
function makeSpeaking(station: Station | null, signal: AbortSignal): { begin(): void; hush(): Promise<void>; ended(): Promise<void> } {
  const connections = { count: 0 };
  let [quiet, told] = [new AbortController(), Promise.resolve()];
  return {
    begin: () => {
      quiet = new AbortController();
      if (station !== null) told = publishStation(station, AbortSignal.any([signal, quiet.signal]), connections);
    },
    hush: () => {
      quiet.abort();
      return told;
    },
    ended: () => told,
  };
}

function sayBegin(store: Store, time: Time, facts: { config: string; previous: string; brokenAs: string | null }): void {
  const { brokenAs, ...known } = facts;
  const moment = time.moment();
  store.commit([
    ...(brokenAs === null
      ? []
      : ([
          { put: "event", moment, type: "journal.reset", level: "alarm", data: { brokenAs, db: store.journal.dbId() } },
          { put: "note", note: "broken", text: null },
        ] as const)),
    { put: "event", moment, type: "run.started", level: "info", data: { version, ...known } },
  ]);
}

/** No frame for a moment: who lives with the camera is asked before it is given up. */
const isSilent = (eye: Eye, monoMs: number) =>
  eye.reason !== null || (eye.lastFrameMonoMs !== null && monoMs - eye.lastFrameMonoMs > suspectMs);

/** Where a camera stands, from the configuration: a site without households is one house, and the box stands in it. */
function placeIn(settings: Settings, camera: string): Place {
  const household = settings.cameras.find((entry) => entry.id === camera)?.household ?? null;
  const reach = settings.households.find((entry) => entry.id === household)?.reach ?? "lan";
  return { household, reach, holdsBox: household !== null && household === settings.site.household };
}

/** null: nothing can be signed, which is said; the recording goes on. */
function keyOf(state: string, log: Log): BoxKey | null {
  try {
    return openKey(state);
  } catch (error) {
    log.error({ err: error instanceof Error ? error.message : String(error) }, "the box's key cannot be used: nothing can be exported");
    return null;
  }
}

type BeatDeps = {
  readonly state: string;
  readonly run: number;
  readonly journal: Store["journal"];
  readonly clock: Clock;
  readonly time: Time;
  readonly log: Log;
};

/** Alive, every few seconds, for certain. A state disk that does not take it costs a little precision and nothing else. */
async function beat({ state, run, journal, clock, time, log }: BeatDeps, signal: AbortSignal): Promise<void> {
  const write = async (turn: number) => writeBeat(state, { run, at: time.now(), db: journal.dbId(), g: journal.lastG() }, turn);
  for (let turn = 0; !signal.aborted; turn += 1) {
    await write(turn).catch((error: unknown) => {
      if (turn === 0) log.warn({ err: String(error) }, "the beat cannot be written; a power cut is dated by the database alone");
    });
    await clock.sleep(beatEveryMs, signal);
  }
}

/** Counts the bytes of each segment that reaches the index, and tells whether the disk takes what is written. */
function countingStore(store: Store, add: (bytes: number) => void, committed: (taken: boolean) => void): Store {
  return {
    ...store,
    commit: (change) => {
      for (const write of change) if (write.put === "segment") add(write.segment.bytes);
      const result = store.commit(change);
      committed(result.kind === "written");
      return result;
    },
  };
}

function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

async function housekeep(clock: Clock, time: Time, store: Store, settings: Settings, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const dropped = store.trim(journalBounds, time.moment());
      if (dropped > 0) log.warn({ dropped }, "the journal reached its bound; older rows were dropped and the drop written down");
      keepReserve(settings.site.state);
    } catch (error) {
      log.error({ err: String(error) }, "housekeeping of the journal failed; it is tried again");
    }
    await clock.sleep(trimEveryMs, signal);
  }
}
