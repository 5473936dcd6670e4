/** The publisher: connects, says what is, then follows the journal with a cursor. Recording never waits for it. */

import type { Broker, BrokerOptions, BrokerSession, Clock, PublishResult } from "../hal/ports.ts";
import { stationBackoffMs, stationFirstWaitMs } from "./core/backoff.ts";
import type { Dating, UtcMs } from "./core/dating.ts";
import {
  type Address,
  ackTopic,
  commandOf,
  type Draft,
  eventMessage,
  heartbeatMs,
  renewMs,
  resultMessage,
  stateMessage,
  subscriptionsOf,
  willDelaySeconds,
} from "./core/message.ts";
import type { EventRow } from "./core/types.ts";
import type { Log } from "./log.ts";
import type { Journal } from "./store/store.ts";
import { type Outcome, supervise } from "./supervise.ts";

/** What the publisher needs from the rest, so that it knows neither settings nor tables. */
export type Station = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly log: Log;
  readonly random: () => number;
  readonly address: Address;
  readonly boot: string;
  /** Read at each attempt, so that renewed certificates are taken in. Throws where a file cannot be read. */
  readonly login: () => Pick<BrokerOptions, "url" | "ca" | "cert" | "key" | "credential">;
  readonly journal: Journal;
  /** UTC now, and how stored times are read as UTC. */
  readonly nowAt: () => UtcMs;
  readonly dating: () => Dating;
  readonly birth: () => Promise<Draft>;
  readonly health: (lastError: string | null) => Draft;
  /** All retained conditions: cameras, disk and the like. */
  readonly conditions: () => readonly Draft[];
  readonly onStation: (value: "connected" | "unreachable" | "refused", detail: string) => void;
};

const lookEveryMs = 250;
/** Events in flight at once, and a page of the journal. */
const windowSize = 8;
const pageSize = 64;
/** Pause between windows: about 100 events a second at most, so that a returning box does not drown the station. */
const paceMs = 80;
const saveEveryMs = 1_000;
const deniedPauseMs = 300_000;
const rejectionsToSetAside = 3;
const stableMs = 300_000;
const farewellMs = 1_500;
/** A replay is bounded like everything else. */
const mostReplayed = 10_000;

/** Follows the journal to the station until `signal` aborts; then says *leaving*, within three seconds. */
export async function publishStation(station: Station, signal: AbortSignal): Promise<void> {
  let conn = 0;
  await station.clock.sleep(stationFirstWaitMs(station.random()), signal);
  await supervise({
    ...{ name: "station", clock: station.clock, log: station.log, signal, wellAfterMs: stableMs },
    work: (stop) => {
      conn += 1;
      return oneSession(station, conn, stop);
    },
    waitMs: (failures) => stationBackoffMs(failures, station.random()),
  });
}

async function oneSession(station: Station, conn: number, signal: AbortSignal): Promise<Outcome> {
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
  const reason = await talk(station, result.session, conn, signal);
  if (signal.aborted) return { kind: "stopped" };
  station.onStation("unreachable", reason);
  return { kind: "failed", reason: "disconnected", detail: reason, goodForMs: station.clock.monoMs() - began, again: "wait" };
}

/** What one session remembers. */
type Talk = {
  readonly sent: Map<string, { payload: string; monoMs: number }>;
  readonly rejected: Map<number, number>;
  position: number;
  savedMonoMs: number;
  pausedUntilMonoMs: number;
  lastError: string | null;
  reborn: boolean;
  readonly replay: EventRow[];
};

/** The session from birth to end; resolves with why it ended. */
async function talk(station: Station, session: BrokerSession, conn: number, signal: AbortSignal): Promise<string> {
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener("abort", end, { once: true });
  let reason = "stopped";
  void session.ended.then((why) => {
    reason = why;
    end();
  });
  const now: Talk = {
    ...{ sent: new Map(), rejected: new Map(), position: station.journal.cursor(), savedMonoMs: 0, pausedUntilMonoMs: 0 },
    ...{ lastError: null, reborn: false, replay: [] },
  };
  session.onMessage((topic, payload, correlation) => hear(station, session, now, topic, payload, correlation));
  await session.publish(await station.birth());
  await session.publish(stateMessage(station.address, "online", station.boot, conn, station.nowAt()));
  await sayConditions(station, session, now);
  if (!over.signal.aborted) station.onStation("connected", "");
  while (!over.signal.aborted) {
    await renew(station, session, now, conn);
    const drained = await drainWindow(station, session, now);
    await station.clock.sleep(drained ? lookEveryMs : paceMs, over.signal);
  }
  save(station, now);
  if (signal.aborted) await farewell(station, session, now, conn);
  signal.removeEventListener("abort", end);
  return reason;
}

async function renew(station: Station, session: BrokerSession, now: Talk, conn: number): Promise<void> {
  if (now.reborn) {
    now.reborn = false;
    now.sent.clear();
    await session.publish(await station.birth());
  }
  if (isDue(station, now, "state", heartbeatMs))
    await session.publish(stateMessage(station.address, "online", station.boot, conn, station.nowAt()));
  if (isDue(station, now, "health", heartbeatMs)) await session.publish(station.health(now.lastError));
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
  for (const draft of station.conditions()) {
    const before = now.sent.get(draft.topic);
    const fresh = before !== undefined && before.payload === essence(draft.payload) && station.clock.monoMs() - before.monoMs < renewMs;
    if (fresh) continue;
    now.sent.set(draft.topic, { payload: essence(draft.payload), monoMs: station.clock.monoMs() });
    const result = await session.publish(draft);
    if (result === "denied") now.lastError = `not allowed to publish ${draft.topic}`;
    if (result === "lost") return;
  }
}

/** Readings that change by themselves every second are no change. */
const essence = (payload: string) => payload.replace(/"(lastFrameAt|recorded24h|daysKept)":("[^"]*"|[\d.]+|null)/g, "");

/** One window of the journal; true when nothing is left to send. Confirmed numbers move the position only while they are contiguous. */
async function drainWindow(station: Station, session: BrokerSession, now: Talk): Promise<boolean> {
  if (station.clock.monoMs() < now.pausedUntilMonoMs) return true;
  if (now.replay.length > 0) {
    await Promise.all(now.replay.splice(0, windowSize).map((row) => sendRow(station, session, row)));
    return false;
  }
  const rows = station.journal.after(now.position, Math.min(windowSize, pageSize));
  if (rows.length === 0) {
    save(station, now);
    return true;
  }
  const results = await Promise.all(rows.map((row) => sendRow(station, session, row)));
  for (const [i, row] of rows.entries()) {
    if (!takeResult(station, now, row, results[i] ?? "lost")) break;
    now.position = row.g;
  }
  if (station.clock.monoMs() - now.savedMonoMs > saveEveryMs) save(station, now);
  return false;
}

const sendRow = (station: Station, session: BrokerSession, row: EventRow): Promise<PublishResult> =>
  session.publish(eventMessage(station.address, station.journal.dbId(), row, station.nowAt(), station.dating()));

/** May the cursor pass this row? What the broker refuses is held back, or set aside when it is the row's own fault. */
function takeResult(station: Station, now: Talk, row: EventRow, result: PublishResult): boolean {
  if (result === "ok") return true;
  if (result === "denied") {
    now.lastError = "not allowed to publish events: the station must allow this site's own topic";
    now.pausedUntilMonoMs = station.clock.monoMs() + deniedPauseMs;
    return false;
  }
  if (result !== "rejected") return false;
  const times = (now.rejected.get(row.g) ?? 0) + 1;
  now.rejected.set(row.g, times);
  if (times < rejectionsToSetAside) return false;
  now.rejected.delete(row.g);
  station.journal.setAside(row.g, "the broker rejected it three times");
  station.log.error({ g: row.g, type: row.type }, "an event was set aside: the broker rejects it");
  return true;
}

function save(station: Station, now: Talk): void {
  now.savedMonoMs = station.clock.monoMs();
  station.journal.moveCursor(now.position);
}

async function farewell(station: Station, session: BrokerSession, now: Talk, conn: number): Promise<void> {
  const over = new AbortController();
  const deadline = station.clock.sleep(farewellMs, over.signal);
  const words = async () => {
    while (!(await drainWindow(station, session, now)));
    await session.publish(stateMessage(station.address, "leaving", station.boot, conn, station.nowAt()));
  };
  await Promise.race([words(), deadline]);
  over.abort();
  save(station, now);
  await session.end(1_000);
}

function hear(station: Station, session: BrokerSession, now: Talk, topic: string, payload: string, correlation: string | null): void {
  const body = parse(payload);
  if (topic === ackTopic(station.address)) {
    if (body?.db === station.journal.dbId() && Number.isSafeInteger(body.g)) station.journal.noteAck(Number(body.g));
    return;
  }
  const command = commandOf(station.address, topic);
  if (command === null) return;
  const answer = obey(station, now, command, body ?? {});
  const id = (correlation ?? String(body?.correlation ?? "")).replace(/[^a-zA-Z0-9-]/g, "").slice(0, 64);
  if (!answer.ok) station.log.warn({ command: command.slice(0, 40) }, "a command of the station was refused");
  if (id !== "") void session.publish(resultMessage(station.address, id, { command: command.slice(0, 40), ...answer }));
}

type Body = Readonly<Record<string, unknown>>;

function parse(payload: string): Body | null {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Body) : null;
  } catch {
    return null;
  }
}

function obey(station: Station, now: Talk, command: string, body: Body): { readonly ok: boolean; readonly [fact: string]: unknown } {
  if (command === "ping") return { ok: true, at: new Date(station.nowAt()).toISOString() };
  if (command === "rebirth") {
    now.reborn = true;
    return { ok: true };
  }
  if (command === "replay") return replay(station, now, body);
  return { ok: false, reason: "unknown command" };
}

/** Rows that the station lacks go out again; the cursor stays where it is. */
function replay(station: Station, now: Talk, { db, from, to }: Body): { ok: boolean; [fact: string]: unknown } {
  if (db !== station.journal.dbId()) return { ok: false, reason: "another journal", db: station.journal.dbId() };
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return { ok: false, reason: "from and to are event numbers" };
  const room = mostReplayed - now.replay.length;
  const rows = station.journal.after(Number(from) - 1, room).filter((row) => row.g <= Number(to) && row.g <= now.position);
  now.replay.push(...rows);
  return { ok: true, count: rows.length, firstG: station.journal.firstG() };
}
