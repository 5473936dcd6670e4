/** The daemon: configuration, store, recovery, drivers, loops, stop. Imports everything; only the command line and the suites of the whole agent import it. */
import { setMaxListeners } from "node:events";
import { occupy } from "../hal/occupancy.ts";
import { makeAuditor } from "./auditor.ts";
import { keepBooks } from "./books.ts";
import { keepChores } from "./chores.ts";
import { checkUser, stopOnSignals, surroundingRules } from "./cli/context.ts";
import type { Settings } from "./config/schema.ts";
import { formatProblem, loadConfig } from "./config.ts";
import { makeDating } from "./core/dating.ts";
import { brokerPlace } from "./core/reach.ts";
import type { Limits } from "./core/retention.ts";
import type { Trial, Undone } from "./core/trial.ts";
import { clearShelves } from "./errands.ts";
import type { Eye } from "./eye.ts";
import { type Gate, makeGate } from "./gate.ts";
import { liftExports, widenHolds } from "./holds.ts";
import { type Fate, fateOf } from "./home.ts";
import { keepBeat, keepBounds } from "./housekeep.ts";
import { watchLines } from "./lines.ts";
import { type Log, makeLog } from "./log.ts";
import { makeLowBattery } from "./lowbattery.ts";
import { makeTime } from "./moment.ts";
import { makePatrol } from "./patrol.ts";
import { watchPictures } from "./pictures.ts";
import { makeSpeech } from "./publish.ts";
import { makePulse } from "./pulse.ts";
import { watchReach } from "./reach.ts";
import { closePrevious, lookBack, lostPast, recover } from "./recover.ts";
import { reindex } from "./reindex.ts";
import { holdConfig, secretsOf } from "./reload.ts";
import { credentialOf, makeRoster } from "./roster.ts";
import { makeSenses } from "./sense.ts";
import { claimFor, isSuspected, placeIn, type SightDeps } from "./sight.ts";
import { stationOf } from "./station.ts";
import { readBeat, writeBeat } from "./store/beat.ts";
import { isExporting, lockState } from "./store/database.ts";
import { type BoxKey, openKey } from "./store/key.ts";
import { keepReserve } from "./store/reserve.ts";
import { underOwnName } from "./store/rollback.ts";
import type { Store } from "./store/store.ts";
import { openOwn } from "./store/undo.ts";
import { aborted } from "./supervise.ts";
import { countingStore, makeUsage, sweep } from "./sweep.ts";
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
  const store = await named(opened, first.site.state, err);
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

/** Under its own name; where that was given to it just now, or cannot be, a line says so. */
async function named(opened: Store, state: string, err: (line: string) => void): Promise<Store> {
  const { store, renamed, failed } = await underOwnName(opened, state);
  if (renamed !== null)
    err(`the database lacks its newest rows, or is an older copy; what is kept is told again as the journal ${renamed}: matghi doctor`);
  if (failed !== null)
    err(`the database may be an older copy, and its journal cannot be named anew (${failed}); the station may miss events: matghi doctor`);
  return store;
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

/** Recorders, and all that serves them alone, end with `stop`; the last files still need disk, books and station, which end with `after`. */
type Ends = { readonly stop: AbortSignal; readonly after: AbortSignal };

/** One run from begin to end: recovers, records, stops in order when `stop` aborts. */
export async function live(world: World, life: Life, stop: AbortSignal): Promise<void> {
  // Every camera waits for the same few signals; Node's warning at eleven listeners is about leaks.
  setMaxListeners(0);
  // It is older than that setting, which counts for new ones.
  setMaxListeners(0, stop);
  const after = new AbortController();
  const ends = { stop, after: after.signal };
  const base = await begin(world, life, ends);
  sayBegin(base, life.fate?.undone ?? null);
  await recover({ ...base, store: base.counted, inTurn: makeTurnstile(4) }, base.past.previous, new Set(camerasOf(base)), stop);
  const parts = makeParts(base, ends);
  const loops = startLoops({ ...base, ...parts }, life.fate?.trial ?? null, ends);
  life.onReload(() => void parts.inTurn(() => takeIn({ ...base, ...parts }, stop)));
  await aborted(stop);
  base.pulse.say("stopping");
  sayStopping(base, "info", "asked to stop");
  await parts.inTurn(parts.roster.stop);
  base.store.commit([{ put: "run-ended", run: base.run, end: "stopped", at: base.time.now() }]);
  after.abort();
  await Promise.all([...loops, parts.speech.ended()]);
  parts.traffic.save();
  await world.service.end();
}

/** What every part of a run shares, and the drivers; what of it a part uses stands in the type of its dependencies. */
type Base = Awaited<ReturnType<typeof begin>>;

/** The run has its number, its scale of time, its books and its gate; nothing is recovered yet and nothing said. */
async function begin(world: World, life: Life, { stop, after }: Ends) {
  const { store } = life;
  const { site, recording } = life.settings;
  const { clock, footage } = world;
  const config = holdConfig(life.configFile, life);
  const log = makeLog({ secrets: () => secretsOf(config.settings()), ...(life.write === undefined ? {} : { write: life.write }) });
  const brokenAs = store.meta("broken");
  if (brokenAs !== null) log.error({ brokenAs }, "the database was beyond repair and is set aside; a new one is built from the footage");
  const eyes = new Map<string, Eye>();
  const conditions: Conditions = new Map();
  let disk: Gate | null = null;
  const isDiskGood = () => disk === null || disk.value() === "ok";
  const pulse = makePulse({ clock, service: world.service, log, language: site.language, eyes, conditions, isDiskGood });
  const pulsing = pulse.run(after);
  // A first word of the clock's trust where it comes at once; recording does not wait for it.
  await Promise.race([clock.look(stop), clock.sleep(firstLookMs, stop)]);
  const lastBeat = await readBeat(site.state);
  const past = await lookBack(world.box, store, lastBeat);
  // A database whose newest rows a failing disk has lost would use the numbers of its newest runs again; a new one, any number.
  const days = store.meta("folder") === null ? Number.POSITIVE_INFINITY : daysLookedAt;
  const above = Math.max(await footage.highestRun(days).catch(() => 0), lastBeat?.run ?? 0);
  const { run, epochAt, offsetMs } = store.begin({
    ...{ bootId: world.box.bootId(), wallMs: clock.wallMs(), monoMs: clock.monoMs(), clock: clock.trust() },
    ...{ version, above },
  });
  let dating = makeDating(store.boots());
  const redate = () => {
    dating = makeDating(store.boots());
  };
  const time = makeTime(clock, epochAt, () => dating);
  const startedMonoMs = clock.monoMs();
  const usage = makeUsage(store, eyes);
  const counted = countingStore(store, usage.add, pulse.committed);
  const books = keepBooks(counted, time);
  const { gate, watch: watchDisk } = makeGate({ site: site.id, clock, time, footage, store, log });
  disk = gate;
  keepReserve(site.state);
  const auditor = makeAuditor(store, keyOf(site.state, log), time, log);
  return {
    ...{ ...world, ...config, config, store, counted, log, eyes, conditions, pulse, pulsing, past, brokenAs, run, epochAt, offsetMs },
    ...{ version, time, redate, startedMonoMs, usage, books, gate, watchDisk, auditor },
    ...{ site: site.id, state: site.state, folder: recording.folder },
  };
}

const camerasOf = ({ settings }: Pick<Base, "settings">) => settings().cameras.map(({ id }) => id);

/** How earlier runs ended, and that this one has begun. */
function sayBegin(base: Base, undone: Undone | null): void {
  const { store, log, auditor, brokenAs, past } = base;
  const facts = { config: base.hash(), previous: past.previous?.end ?? "none" };
  auditor.say("service.started", { version, ...facts });
  tellUndone({ store, log, auditor }, undone);
  closePrevious({ store: base.counted, time: base.time }, past.unended);
  const moment = base.time.moment();
  store.commit([
    ...(brokenAs === null
      ? []
      : ([
          { put: "event", moment, type: "journal.reset", level: "alarm", data: { brokenAs, db: store.journal.dbId() } },
          { put: "note", note: "broken", text: null },
        ] as const)),
    { put: "event", moment, type: "run.started", level: "info", data: { version, ...facts } },
  ]);
}

function sayStopping({ store, time }: Pick<Base, "store" | "time">, level: "info" | "warn", reason: string): void {
  store.commit([{ put: "event", moment: time.moment(), type: "run.stopping", level, data: { reason } }]);
}

/** Who senses, who is blamed, who goes round, who records, who speaks to the station, who keeps the time. */
function makeParts(base: Base, { stop, after }: Ends) {
  const { clock, time, store, log, eyes, settings } = base;
  const inTurn = makeTurnstile(1);
  const placeOf = (camera: string) => placeIn(settings(), camera);
  const { senses, run: sense } = makeSenses({
    ...base,
    houses: () => settings().households.map(({ id, router }) => ({ id, router: router ?? null })),
    suspected: (household) => isSuspected({ clock, eyes, placeOf }, household),
  });
  const sight: SightDeps = { ...base, senses, placeOf, households: () => settings().households.map(({ id }) => id) };
  const battery = makeLowBattery({
    ...{ clock, log, power: senses.power, shutdown: base.shutdown, isAllowed: () => settings().power.shutdown === "poweroff" },
    rest: async () => {
      await inTurn(roster.stop);
      // Nobody waits for a loop that was ended on purpose.
      for (const eye of eyes.values()) [eye.reason, eye.dueMonoMs] = ["stopped", null];
      sayStopping(base, "warn", "the battery is nearly empty");
      await speech.hush();
    },
    resume: async () => {
      speech.begin();
      await inTurn(async () => (stop.aborted ? undefined : roster.apply(settings())));
    },
  });
  const claim = (eye: Eye) => battery.claim() ?? claimFor(sight, eye);
  const patrol = makePatrol({ ...base, credentialOf });
  const pastIs = store.meta("reset") === null ? firstPast : lostPast;
  const recording = { store: base.counted, inTurn: makeTurnstile(2), claim, patrol, pastIs, isUrgent: battery.isUrgent };
  const roster = makeRoster({ ...base, ...recording }, eyes, time.at(base.startedMonoMs));
  const traffic = countTraffic(base);
  const station = settings().station === undefined ? null : stationOf({ ...base, previous: base.past.previous, broker: traffic.broker });
  const speech = makeSpeech(station, after);
  widenHolds(store, time.dating());
  const timekeeper = makeTimekeeper({
    ...base,
    leapMs: base.past.previous === null ? 0 : time.nowUtc() - time.dating().toUtc(base.past.previous.lastAliveAt),
    onDating: () => {
      base.redate();
      widenHolds(store, time.dating());
      base.auditor.say("clock.set", { to: new Date(time.nowUtc()).toISOString() });
    },
  });
  return { inTurn, senses, sense, battery, claim, patrol, roster, traffic, station, speech, timekeeper };
}

type Parts = ReturnType<typeof makeParts>;

/** All that goes on at its own pace until the run ends. */
function startLoops(all: Base & Parts, trial: Trial | null, { stop, after }: Ends): readonly Promise<unknown>[] {
  const { counted, settings, state, past } = all;
  const hadPowerCut = past.previous?.end === "power";
  const early = [
    all.pulsing,
    all.watchDisk(after),
    all.sense(after),
    all.timekeeper.run(after),
    all.traffic.run(after),
    watchLines(all, stop),
    watchPictures(all, stop),
    all.patrol.run(stop),
    watch(
      { ...all, store: counted, usedBytes: all.usage.bytes, startUpMs: hadPowerCut ? startUpAfterCutMs : startUpMs },
      all.conditions,
      after,
    ),
    keepBeat({ ...all, writeBeat: (beat, turn) => writeBeat(state, beat, turn) }, after),
    sweep({ ...all, store: counted, limits: () => limitsOf(settings()), isDoubtful: all.timekeeper.isDoubtful }, all.usage, stop),
    keepBounds({ ...all, keepReserve: () => keepReserve(state) }, stop),
    watchWear({ ...all, bootId: all.box.bootId, folders: { footage: all.folder, state } }, stop),
    keepChores({ ...all, sign: all.auditor.sign, clearShelves: (at) => clearShelves(state, at) }, stop),
    compareFolder(all, stop),
  ];
  all.speech.begin();
  void all.inTurn(() => all.roster.apply(settings()).then(() => all.pulse.say("ready")));
  return [
    ...early,
    all.battery.run(stop),
    ...(trial === null
      ? []
      : [standTrial({ ...all, configured: () => camerasOf(all), isExporting: () => isExporting(state) }, trial, stop)]),
    watchReach({ ...all, link: all.senses.link, station: () => brokerOf(settings()) }, stop),
  ];
}

const brokerOf = ({ station }: Settings) => (station === undefined ? null : brokerPlace(station.url));

const limitsOf = ({ recording: { keep, limit } }: Settings): Limits => ({
  ...{ maxAgeMs: keep.max, sizeBytes: limit.size, freeBytes: limit.free },
});

/** The folder against the index, once; what was found is kept for `status`. */
async function compareFolder(all: Base & Parts, stop: AbortSignal): Promise<void> {
  const { store, time } = all;
  try {
    const found = await reindex({ ...all, store: all.counted, dating: time.dating, nowAt: time.now, below: all.run, dry: false }, stop);
    const foreign = [...found.foreign, ...found.unreadable];
    store.commit([{ put: "note", note: "foreign", text: foreign.length === 0 ? null : JSON.stringify(foreign) }]);
    all.usage.recount();
    // Days that came back were told without this footage.
    if (found.returned + found.missing > 0) all.station?.pages.touch(null, always);
  } catch (error) {
    all.log.error({ err: String(error) }, "the footage folder could not be compared with the index");
  }
}

/** The configuration file as it stands now. */
async function takeIn({ pulse, config, auditor, battery, roster, ...all }: Base & Parts, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return;
  pulse.say("reloading");
  if (config.reload(all)) {
    auditor.say("config.changed", { config: config.hash() });
    // What rests takes the new settings in when it is woken.
    if (battery.claim() === null) await roster.apply(config.settings());
  }
  pulse.say("ready");
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
