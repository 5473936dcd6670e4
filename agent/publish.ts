/** The publisher: connects, says what is, then follows the journal with a cursor. Recording never waits for it. */

import type { Broker, BrokerOptions, BrokerSession, Clock, PublishResult } from "../hal/ports.ts";
import { stationBackoffMs, stationBootWaitMs } from "./core/backoff.ts";
import type { Moment } from "./core/change.ts";
import type { Dating } from "./core/dating.ts";
import {
  clearMessage,
  type Draft,
  eventMessage,
  healthMs,
  heartbeatMs,
  renewMs,
  stateMessage,
  subscriptionsOf,
  willDelaySeconds,
} from "./core/message.ts";
import { isRenewalDue } from "./core/renewal.ts";
import { isOutOfRule } from "./core/toll.ts";
import type { EventRow, MonoMs } from "./core/types.ts";
import type { Due } from "./digest.ts";
import { type Asked, type Hearing, hear } from "./hear.ts";
import { aborted, type Outcome, supervise } from "./supervise.ts";

/** What the publisher needs from the rest, so that it knows neither settings nor tables. */
export type Station = Hearing & {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly random: () => number;
  readonly boot: string;
  /** Is this the first run since the box booted? Others may have booted with it. */
  readonly hasJustBooted: boolean;
  /** Read at each attempt, so that renewed certificates are taken in. Throws where a file cannot be read. */
  readonly login: () => Pick<BrokerOptions, "url" | "ca" | "cert" | "key" | "credential">;
  /** How stored times are read as UTC. */
  readonly dating: () => Dating;
  readonly moment: () => Moment;
  /** Hash of the configuration in use: a new one is told with a new birth. */
  readonly config: () => string;
  readonly birth: () => Promise<Draft>;
  readonly health: (lastError: string | null) => Draft;
  /** All retained conditions: cameras, disk and the like. */
  readonly conditions: () => readonly Draft[];
  /** Topics that the broker holds of us, over restarts, so that what is true no more is taken back. */
  readonly retained: {
    readonly all: () => readonly string[];
    readonly put: (topics: readonly string[]) => void;
    /** Is what is not said no longer true, and not merely not known yet? */
    readonly isSettled: () => boolean;
  };
  readonly onStation: (value: "connected" | "unreachable" | "refused", detail: string) => void;
};

const lookEveryMs = 250;
/** Events in flight at once. */
const windowSize = 8;
/** Pause between windows: about 100 events a second at most, so that a returning box does not drown the station. */
const paceMs = 80;
const saveEveryMs = 1_000;
const deniedPauseMs = 300_000;
/** Quota is the broker's affair: it is asked again a little later. */
const busyPauseMs = 5_000;
/** A row is set aside when the broker rejected it so often, so far apart, while it took others: else the trouble is the broker's. */
const rejectionsToSetAside = 3;
const rejectedPauseMs = 120_000;
const stableMs = 300_000;
/** A stop sends what it can for so long, then says *leaving*, and waits for that no longer than the second. */
const drainMs = 1_000;
const farewellMs = 2_000;
const endMs = 1_000;

/** Follows the journal to the station until `signal` aborts; then says *leaving*, within three seconds. `connections` counts on where a run speaks again after it left. */
export async function publishStation(station: Station, signal: AbortSignal, connections = { count: 0 }): Promise<void> {
  const rejections: Rejections = new Map();
  if (station.hasJustBooted && connections.count === 0) await station.clock.sleep(stationBootWaitMs(station.random()), signal);
  await supervise({
    ...{ name: "station", clock: station.clock, log: station.log, signal, wellAfterMs: stableMs },
    work: (stop) => {
      connections.count += 1;
      return oneSession(station, rejections, connections.count, stop);
    },
    waitMs: (failures) => stationBackoffMs(failures, station.random()),
  });
}

/** The talk with the station: begun, hushed while the box rests, begun again. */
export type Speech = {
  begin(): void;
  hush(): Promise<void>;
  ended(): Promise<void>;
};

/** `station` null: there is nobody to talk to. */
export function makeSpeech(station: Station | null, signal: AbortSignal): Speech {
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

/** Rows that the broker rejected while it took others: how often, and when last. Outlives a session: a poor line must not start the count over. */
type Rejections = Map<number, { readonly times: number; readonly monoMs: MonoMs }>;

async function oneSession(station: Station, rejections: Rejections, conn: number, signal: AbortSignal): Promise<Outcome> {
  const options: BrokerOptions = {
    ...{ ...station.login(), clientId: station.address.site, willDelaySeconds, subscriptions: subscriptionsOf(station.address) },
    will: stateMessage(station.address, "lost", station.boot, conn, station.nowAt()),
  };
  const result = await station.broker.connect(options, signal);
  if (result.kind === "failed") {
    if (result.reason === "stopped") return { kind: "stopped" };
    station.onStation(result.reason === "refused" || result.reason === "certificate" ? "refused" : "unreachable", result.detail);
    return { kind: "failed", reason: result.reason, detail: result.detail, goodForMs: 0, again: "wait" };
  }
  const began = station.clock.monoMs();
  const reason = await talk(station, result.session, rejections, conn, signal);
  if (signal.aborted) return { kind: "stopped" };
  if (reason === "taken over") station.onTakeover();
  station.onStation("unreachable", reason);
  return { kind: "failed", reason: "disconnected", detail: reason, goodForMs: station.clock.monoMs() - began, again: "wait" };
}

/** What one session remembers. */
type Talk = Asked & {
  readonly sent: Map<string, { payload: string; monoMs: number }>;
  readonly rejections: Rejections;
  readonly beganMonoMs: MonoMs;
  savedMonoMs: number;
  pausedUntilMonoMs: number;
  pagesPausedUntilMonoMs: number;
  lastError: string | null;
  config: string;
  /** Aborts with the session or the agent. */
  readonly over: AbortSignal;
};

/** The session from birth to end; resolves with why it ended. Whatever a step waits for, a stop or the session's end ends it. */
async function talk(station: Station, session: BrokerSession, rejections: Rejections, conn: number, signal: AbortSignal): Promise<string> {
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  let reason = "stopped";
  void session.ended.then((why) => {
    reason = why;
    end();
  });
  const now: Talk = {
    ...{ sent: new Map(), rejections, position: station.journal.cursor(), savedMonoMs: 0 },
    ...{ beganMonoMs: station.clock.monoMs(), pausedUntilMonoMs: 0, pagesPausedUntilMonoMs: 0 },
    ...{ lastError: null, reborn: false, config: station.config(), replay: [], over: over.signal },
  };
  const full = () =>
    station.log.warn({ mostEarly }, "the station said more before the greeting than is kept; what came later is passed over");
  const greeted = listen(session, full, (...heard) => {
    try {
      hear(station, session, now, ...heard);
    } catch (error) {
      station.log.error({ err: String(error) }, "a message of the station could not be dealt with");
    }
  });
  const speaking = speak(station, session, now, conn, greeted);
  try {
    await Promise.race([speaking, aborted(over.signal)]);
    if (!over.signal.aborted) await speaking;
  } finally {
    signal.removeEventListener("abort", end);
    if (signal.aborted) await farewell(station, session, now, conn, speaking);
    await session.end(endMs);
    save(station, now);
  }
  return reason;
}

type Heard = readonly [topic: string, payload: string, correlation: string | null];
/** What stands at the broker for a site comes with its connection: requests to hold footage, an acknowledgement. Far more than stations keep. */
const mostEarly = 1_000;

/**
 * Nothing is answered before birth, state and conditions are said; what comes earlier waits for the function that is returned, which may be
 * called again. `full` is called once, where it is more than is kept.
 */
function listen(session: BrokerSession, full: () => void, act: (...heard: Heard) => void): () => void {
  let early: Heard[] | null = [];
  let isFull = false;
  session.onMessage((...heard) => {
    if (early === null) return act(...heard);
    if (early.length < mostEarly) return void early.push(heard);
    if (!isFull) full();
    isFull = true;
  });
  return () => {
    const waiting = early ?? [];
    early = null;
    for (const heard of waiting) act(...heard);
  };
}

/** Who speaks, then that we live beside all else, until the session or the agent ends. */
async function speak(station: Station, session: BrokerSession, now: Talk, conn: number, greeted: () => void): Promise<void> {
  try {
    if (!session.resumed) station.pages.startOver();
    await sayBirth(station, session, now);
    await Promise.all([beat(station, session, now, conn), tell(station, session, now, greeted)]);
  } finally {
    // Where the greeting fails, what came meanwhile is taken all the same: the broker has it confirmed and says it no more.
    greeted();
  }
}

/** One that the broker does not take leaves the station without names and versions: said once a session, and in each `health`. */
async function sayBirth(station: Station, session: BrokerSession, now: Talk): Promise<void> {
  const birth = await station.birth();
  const result = await session.publish(birth);
  if (result === "ok" || result === "lost") return;
  const error = result === "denied" ? `not allowed to publish ${birth.topic}` : `the broker does not take the birth (${result})`;
  if (now.lastError !== error) station.log.warn({ result, bytes: Buffer.byteLength(birth.payload) }, "the broker does not take the birth");
  now.lastError = error;
}

/**
 * That we live, at its own pace: behind conditions and a journal that a poor line carries slowly it would be renewed too late. It waits for no
 * answer: one that is not confirmed ends the session before the next is due.
 */
async function beat(station: Station, session: BrokerSession, now: Talk, conn: number): Promise<void> {
  while (!now.over.aborted) {
    if (isDue(station, now, "state", heartbeatMs)) {
      void session.publish(stateMessage(station.address, "online", station.boot, conn, station.nowAt()));
      // A look may come a second late: half a beat decides which one it goes with.
      if (isDue(station, now, "health", healthMs - heartbeatMs / 2)) void session.publish(station.health(now.lastError));
    }
    await station.clock.sleep(lookEveryMs, now.over);
  }
}

/** What is, then what happened, again and again. */
async function tell(station: Station, session: BrokerSession, now: Talk, greeted: () => void): Promise<void> {
  await sayConditions(station, session, now);
  if (!now.over.aborted) station.onStation("connected", "");
  greeted();
  while (!now.over.aborted) {
    await renew(station, session, now);
    const drained = await drainWindow(station, session, now);
    const told = drained === "idle" && (await tellPage(station, session, now));
    await station.clock.sleep(drained === "more" || told ? paceMs : lookEveryMs, now.over);
  }
}

/** One day or month that is due, once what happened is told; true where there was one. */
async function tellPage(station: Station, session: BrokerSession, now: Talk): Promise<boolean> {
  if (station.clock.monoMs() < now.pagesPausedUntilMonoMs) return false;
  const due = nextPage(station);
  if (due === null) return false;
  const result = await session.publish(due.draft);
  due.done(result === "ok");
  if (result === "ok") return true;
  if (result === "denied") now.lastError = `not allowed to publish ${due.draft.topic}`;
  now.pagesPausedUntilMonoMs = station.clock.monoMs() + (result === "denied" ? deniedPauseMs : busyPauseMs);
  return false;
}

/** A page that cannot be read costs nobody the connection: the others go, and it is tried again. */
function nextPage(station: Station): Due | null {
  try {
    return station.pages.next();
  } catch (error) {
    station.log.error({ err: String(error) }, "a day or month could not be read for the station");
    return null;
  }
}

async function renew(station: Station, session: BrokerSession, now: Talk): Promise<void> {
  if (now.reborn || now.config !== station.config()) {
    now.reborn = false;
    now.config = station.config();
    await sayBirth(station, session, now);
    now.sent.clear();
  }
  await sayConditions(station, session, now);
}

function isDue(station: Station, now: Talk, key: string, everyMs: number): boolean {
  const last = now.sent.get(key)?.monoMs;
  if (last !== undefined && station.clock.monoMs() - last < everyMs) return false;
  now.sent.set(key, { payload: "", monoMs: station.clock.monoMs() });
  return true;
}

/** Retained truths go out when they change and before they expire. */
async function sayConditions(station: Station, session: BrokerSession, now: Talk): Promise<void> {
  const drafts = station.conditions();
  for (const draft of dueOf(drafts, now, station.clock.monoMs())) {
    now.sent.set(draft.topic, { payload: essence(draft.payload), monoMs: station.clock.monoMs() });
    const result = await session.publish(draft);
    if (result === "denied") now.lastError = `not allowed to publish ${draft.topic}`;
    if (result === "lost") return;
  }
  await takeBack(
    station,
    session,
    now,
    drafts.map(({ topic }) => topic),
  );
}

/** What changed and what is due again; first what was never said, then what expires first. */
function dueOf(drafts: readonly Draft[], { sent, beganMonoMs }: Talk, monoMs: MonoMs): readonly Draft[] {
  const saidMonoMs = ({ topic }: Draft) => sent.get(topic)?.monoMs ?? Number.NEGATIVE_INFINITY;
  const isDue = (draft: Draft, place: number) =>
    sent.get(draft.topic)?.payload !== essence(draft.payload) || isRenewalDue(place, beganMonoMs, saidMonoMs(draft), monoMs);
  return drafts.filter(isDue).sort((a, b) => (saidMonoMs(a) < saidMonoMs(b) ? -1 : Number(saidMonoMs(a) > saidMonoMs(b))));
}

/** What is said no longer (an alarm that is over, a camera that left the configuration) goes from the broker too. */
async function takeBack(station: Station, session: BrokerSession, now: Talk, topics: readonly string[]): Promise<void> {
  const known = station.retained.all();
  const gone = station.retained.isSettled() ? known.filter((topic) => !topics.includes(topic)) : [];
  const remains = new Set([...known, ...topics]);
  for (const topic of gone) {
    now.sent.delete(topic);
    if (!isDue(station, now, `take back ${topic}`, renewMs)) continue;
    if ((await session.publish(clearMessage(topic))) === "ok") remains.delete(topic);
  }
  if (remains.size !== known.length || known.some((topic) => !remains.has(topic))) station.retained.put([...remains]);
}

/** Readings that change by themselves every second are no change. */
const essence = (payload: string) => payload.replace(/"(lastFrameAt|recorded24h|daysKept)":("[^"]*"|[\d.]+|null)/g, "");

/** `idle`: nothing is left, or nothing may be sent now. `lost`: the session is over, whether it says so already or not. */
type Drained = "more" | "idle" | "lost";

/** One window of the journal. Confirmed numbers move the position only while they are contiguous. */
async function drainWindow(station: Station, session: BrokerSession, now: Talk): Promise<Drained> {
  if (station.clock.monoMs() < now.pausedUntilMonoMs) return "idle";
  if (now.replay.length > 0) {
    const again = await Promise.all(now.replay.splice(0, windowSize).map((row) => sendRow(station, session, row)));
    return again.includes("lost") ? "lost" : "more";
  }
  const rows = station.journal.after(now.position, windowSize);
  if (rows.length === 0) {
    save(station, now);
    return "idle";
  }
  const results = await Promise.all(rows.map((row) => sendRow(station, session, row)));
  const isTaking = results.includes("ok");
  for (const [i, row] of rows.entries()) {
    if (!takeResult(station, now, row, results[i] ?? "lost", isTaking)) break;
    now.position = row.g;
    touchPages(station, row);
  }
  if (station.clock.monoMs() - now.savedMonoMs > saveEveryMs) save(station, now);
  return results.includes("lost") ? "lost" : "more";
}

/** A gap that is told, or a deletion that no rule explains, changes the days and months it lies in; a step of the clock may change all. */
function touchPages(station: Station, { type, data }: EventRow): void {
  if (type === "clock.step") station.pages.touch(null, { fromAt: Number.NEGATIVE_INFINITY, toAt: Number.POSITIVE_INFINITY });
  const cameras = type === "gap.closed" || type === "gap.opened" ? [data.camera] : type === "footage.deleted" ? outOfRule(data) : [];
  if (cameras.length === 0) return;
  const dating = station.dating();
  const at = (time: unknown) => (typeof time === "string" ? dating.toUtc(Date.parse(time)) : station.nowAt());
  const fromAt = at(data.from);
  for (const camera of cameras) station.pages.touch(String(camera), { fromAt, toAt: Math.max(at(data.to), fromAt + 1) });
}

const outOfRule = ({ why, cameras }: EventRow["data"]): readonly unknown[] =>
  isOutOfRule(String(why)) && Array.isArray(cameras) ? cameras : [];

const sendRow = (station: Station, session: BrokerSession, row: EventRow): Promise<PublishResult> =>
  session.publish(eventMessage(station.address, station.journal.dbId(), row, station.nowAt(), station.dating()));

/** May the cursor pass this row? What the broker refuses is held back, or set aside when it is the row's own fault. */
function takeResult(station: Station, now: Talk, row: EventRow, result: PublishResult, isTaking: boolean): boolean {
  if (result === "ok") return true;
  const pause = (ms: number) => {
    now.pausedUntilMonoMs = station.clock.monoMs() + ms;
    return false;
  };
  if (result === "denied") {
    now.lastError = "not allowed to publish events: the station must allow this site's own topic";
    return pause(deniedPauseMs);
  }
  if (result === "busy") return pause(busyPauseMs);
  if (result !== "rejected") return false;
  if (countRejection(station, now, row, isTaking) < rejectionsToSetAside) return pause(rejectedPauseMs);
  if (!station.journal.setAside(row, "the broker rejected it three times", station.moment())) return pause(rejectedPauseMs);
  now.rejections.delete(row.g);
  station.log.error({ g: row.g, type: row.type }, "an event was set aside: the broker rejects it");
  return true;
}

/** Only a rejection among rows that were taken speaks against the row, and one a while. */
function countRejection(station: Station, now: Talk, { g, type }: EventRow, isTaking: boolean): number {
  now.lastError = `the broker rejects event ${g} (${type})`;
  const before = now.rejections.get(g) ?? { times: 0, monoMs: Number.NEGATIVE_INFINITY };
  const monoMs = station.clock.monoMs();
  if (!isTaking || monoMs - before.monoMs < rejectedPauseMs) return before.times;
  now.rejections.set(g, { times: before.times + 1, monoMs });
  return before.times + 1;
}

function save(station: Station, now: Talk): void {
  now.savedMonoMs = station.clock.monoMs();
  station.journal.moveCursor(now.position);
}

/** Sends what it can for a moment and says *leaving*, in time whatever the broker does. */
async function farewell(station: Station, session: BrokerSession, now: Talk, conn: number, speaking: Promise<void>): Promise<void> {
  const over = new AbortController();
  const untilMonoMs = station.clock.monoMs() + drainMs;
  const words = async () => {
    await speaking.catch(() => undefined);
    while (station.clock.monoMs() < untilMonoMs && (await drainWindow(station, session, now)) === "more");
    await session.publish(stateMessage(station.address, "leaving", station.boot, conn, station.nowAt()));
  };
  const said = words().catch((error: unknown) => station.log.error({ err: String(error) }, "the farewell to the station was cut short"));
  await Promise.race([said, session.ended, station.clock.sleep(farewellMs, over.signal)]);
  over.abort();
}
