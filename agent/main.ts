/** The daemon: configuration, store, recovery, drivers, loops, stop. Imports everything; only the command line imports it. */
import { setMaxListeners } from "node:events";
import { realpathSync } from "node:fs";
import { makeBox } from "../hal/box.ts";
import { makeBroker } from "../hal/broker.ts";
import { makeClock } from "../hal/clock.ts";
import { makeFootage } from "../hal/footage.ts";
import { knock } from "../hal/knock.ts";
import type { Clock } from "../hal/ports.ts";
import { findTools, makeRecorder } from "../hal/recorder.ts";
import { keepBooks } from "./books.ts";
import { readSecret } from "./config/rules.ts";
import type { Settings } from "./config/schema.ts";
import { formatProblem, loadConfig } from "./config.ts";
import { journalBounds } from "./core/journal.ts";
import { claimFolder } from "./disk.ts";
import type { Eye } from "./eye.ts";
import { makeGate } from "./gate.ts";
import { type Log, makeLog } from "./log.ts";
import { makeTime, type Time } from "./moment.ts";
import { publishStation } from "./publish.ts";
import { blameDowntime, closePrevious, judgePrevious, type RecoverDeps, settleIndex, settleParts } from "./recover.ts";
import { makeRoster } from "./roster.ts";
import { stationOf } from "./station.ts";
import { lockState } from "./store/database.ts";
import { keepReserve } from "./store/reserve.ts";
import { openStore, type Store } from "./store/store.ts";
import { makeUsage, sweep } from "./sweep.ts";
import { version } from "./version.ts";
import { blameFor, type Conditions, watch } from "./watch.ts";

const trimEveryMs = 10_000;

/** Runs the agent until SIGTERM or SIGINT. Resolves with the exit code; everything that must be said is said on the log or `err`. */
export async function runAgent(configFile: string, err: (line: string) => void): Promise<number> {
  const loaded = loadConfig(configFile, ["system-disk"]);
  if (loaded.kind === "bad") {
    for (const problem of loaded.problems) err(formatProblem(configFile, problem));
    return 2;
  }
  const { settings } = loaded;
  const unlock = lockState(settings.site.state);
  if (unlock === null) {
    err(`another matghi runs on ${settings.site.state}; stop it first: systemctl stop matghi`);
    return 1;
  }
  try {
    return await withStore(configFile, settings, loaded.hash, err);
  } finally {
    unlock();
  }
}

async function withStore(configFile: string, settings: Settings, hash: string, err: (line: string) => void): Promise<number> {
  const store = openStore(settings.site.state);
  try {
    const refused = store.meta("folder") === null ? loadConfig(configFile) : null;
    if (refused?.kind === "bad") {
      for (const problem of refused.problems) err(formatProblem(configFile, problem));
      return 2;
    }
    await live(configFile, settings, hash, store);
    return 0;
  } finally {
    store.close();
  }
}

/** One run from begin to end. */
async function live(configFile: string, first: Settings, hash: string, store: Store): Promise<void> {
  let settings = first;
  // Every camera waits for the same few signals; Node's warning at eleven listeners is about leaks.
  setMaxListeners(0);
  const stop = stopOnSignals();
  const log = makeLog({ secrets: () => secretsOf(settings) });
  const clock = makeClock({ driver: "auto" });
  const box = makeBox();
  const previous = judgePrevious(store.lastRun(), store.live(), box.bootId());
  const epochAt = clock.wallMs() - clock.monoMs();
  const footage = makeFootage(settings.recording.folder);
  const above = store.meta("folder") === null ? await footage.highestRun() : 0;
  const begun = store.begin({ bootId: box.bootId(), epochAt, startedAt: clock.wallMs(), version, above });
  const time = makeTime(clock, begun.epochAt);
  const startedMonoMs = clock.monoMs();
  const eyes = new Map<string, Eye>();
  const usage = makeUsage(store, eyes);
  const counted = countingStore(store, usage.add);
  const books = keepBooks(counted, time);
  const recorder = makeRecorder(findTools(realpathSync(settings.site.state)), clock);
  const { gate, watch: watchDisk } = makeGate({ clock, time, footage, store, log });
  const recovery: RecoverDeps = {
    clock,
    time,
    store: counted,
    footage,
    recorder,
    books,
    log,
    folder: settings.recording.folder,
    run: begun.run,
  };
  keepReserve(settings.site.state);
  store.commit([
    {
      put: "event",
      moment: time.moment(),
      type: "run.started",
      level: "info",
      data: { version, config: hash, previous: previous?.end ?? "none" },
    },
  ]);
  closePrevious(recovery, previous);
  const orphans = await recorder.reap();
  if (orphans > 0) log.warn({ orphans }, "ended recorders that an earlier agent left behind");
  await claimFolder(settings.recording.folder, settings.site.id, footage, store).catch((error: unknown) =>
    log.error({ err: String(error) }, "the footage folder cannot be taken into service"),
  );
  await settleParts(recovery, previous, stop);
  const conditions: Conditions = new Map();
  openPages(books, store, previous);
  const inTurn = makeTurnstile(2);
  const roster = makeRoster(
    {
      ...{ clock, time, recorder, knock, footage, folder: settings.recording.folder, books, store: counted, gate, log },
      ...{ random: Math.random, run: begun.run, inTurn, blame: (eye) => blameFor({ clock, gate, eyes, startedMonoMs }, eye) },
    },
    eyes,
    time.at(startedMonoMs),
  );
  const limits = () => ({
    maxAgeMs: settings.recording.keep.max,
    sizeBytes: settings.recording.limit.size,
    freeBytes: settings.recording.limit.free,
  });
  // Loops that must outlive the recorders have a signal of their own: the last files still need disk and books.
  const after = new AbortController();
  const loops = [
    watchDisk(after.signal),
    watch({ clock, time, store: counted, books, gate, log, eyes, startedMonoMs, usedBytes: usage.bytes }, conditions, after.signal),
    sweep({ clock, time, store: counted, footage, gate, log, eyes, limits }, usage, stop),
    housekeep(clock, time, store, settings, log, stop),
    settleIndex(recovery, stop).then(
      (foreign) => {
        store.commit([{ put: "note", note: "foreign", text: foreign.length === 0 ? null : JSON.stringify(foreign) }]);
        usage.recount();
      },
      (error: unknown) => log.error({ err: String(error) }, "the footage folder could not be compared with the index"),
    ),
  ];
  const station =
    settings.station === undefined
      ? Promise.resolve()
      : publishStation(
          stationOf({ settings: () => settings, hash, store, clock, time, log, box, broker: makeBroker(), conditions, previous, version }),
          after.signal,
        );
  await roster.apply(settings);
  const reload = () =>
    void reloadConfig(configFile, settings, store, time, log).then((next) => {
      if (next === null) return;
      settings = next;
      return roster.apply(next);
    });
  process.on("SIGHUP", reload);
  await new Promise<void>((resolve) => (stop.aborted ? resolve() : stop.addEventListener("abort", () => resolve(), { once: true })));
  process.off("SIGHUP", reload);
  store.commit([{ put: "event", moment: time.moment(), type: "run.stopping", level: "info", data: { reason: "asked to stop" } }]);
  await roster.stop();
  store.commit([{ put: "run-ended", run: begun.run, end: "stopped", at: time.now() }]);
  after.abort();
  await Promise.all([...loops, station]);
}

/** The time between two runs belongs to the box; a camera that left is not due. */
function openPages(books: ReturnType<typeof keepBooks>, store: Store, previous: ReturnType<typeof judgePrevious>): void {
  if (previous === null) return;
  for (const row of store.cameras()) if (row.leftAt === null && row.coveredAt !== null) books.open(row.id, blameDowntime(previous));
}

/** Counts the bytes of each segment that reaches the index. */
function countingStore(store: Store, add: (bytes: number) => void): Store {
  return {
    ...store,
    commit: (change) => {
      for (const write of change) if (write.put === "segment") add(write.segment.bytes);
      return store.commit(change);
    },
  };
}

/** At most `width` deeds at a time, in order of asking: hashing must not take the machine from recording. */
function makeTurnstile(width: number): <T>(deed: () => Promise<T>) => Promise<T> {
  let busy = 0;
  const queue: (() => void)[] = [];
  return async (deed) => {
    if (busy >= width) await new Promise<void>((resolve) => queue.push(resolve));
    busy += 1;
    try {
      return await deed();
    } finally {
      busy -= 1;
      queue.shift()?.();
    }
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

/** A changed file is taken in; a bad one changes nothing and is said. What needs a new start is said too. */
async function reloadConfig(file: string, before: Settings, store: Store, time: Time, log: Log): Promise<Settings | null> {
  const loaded = loadConfig(file, ["system-disk"]);
  const refuse = (detail: string) => {
    log.error({ detail }, "the changed configuration was refused; the old one stays in use");
    store.commit([{ put: "note", note: "config-problem", text: detail }]);
    return null;
  };
  if (loaded.kind === "bad") return refuse(loaded.problems.map((problem) => formatProblem(file, problem))[0] ?? "");
  const next = loaded.settings;
  const fixed = (settings: Settings) => JSON.stringify([settings.site, settings.recording.folder, settings.station]);
  if (fixed(before) !== fixed(next)) return refuse("site, station and recording.folder change with a restart: systemctl restart matghi");
  store.commit([
    { put: "note", note: "config-problem", text: null },
    { put: "event", moment: time.moment(), type: "config.changed", level: "info", data: { config: loaded.hash } },
  ]);
  return next;
}

function secretsOf(settings: Settings): readonly string[] {
  const files = [...settings.cameras.map((camera) => camera.passwordFile), settings.station?.passwordFile];
  return files.flatMap((file) => {
    try {
      return file === undefined ? [] : [readSecret(file)];
    } catch {
      return [];
    }
  });
}
