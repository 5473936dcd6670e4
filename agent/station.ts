/** Fills the publisher's messages from settings, store and conditions. */
import { readFileSync } from "node:fs";
import type { Box, Broker, Clock } from "../hal/ports.ts";
import type { Auditor } from "./auditor.ts";
import { certificateDays } from "./certificate.ts";
import { readSecret } from "./config/rules.ts";
import type { Settings } from "./config/schema.ts";
import { type Alarms, watchAlarms } from "./core/alarm.ts";
import type { AuditHead } from "./core/audit.ts";
import { settle } from "./core/condition.ts";
import { redate } from "./core/dating.ts";
import { union } from "./core/ledger.ts";
import { alarmMessage, birthMessage, cameraMessage, conditionMessage, type Draft, healthMessage } from "./core/message.ts";
import type { Previous } from "./core/previous.ts";
import { supplyOf } from "./core/supply.ts";
import { type TrafficDays, trafficIn, trafficOf } from "./core/traffic.ts";
import { withTakeover } from "./core/twin.ts";
import type { Condition, Span } from "./core/types.ts";
import { wearOf } from "./core/wear.ts";
import { type Digest, makeDigest } from "./digest.ts";
import { dayFacts, monthFacts } from "./facts.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import { answerHold } from "./officer.ts";
import type { Station } from "./publish.ts";
import type { PulseKeeper } from "./pulse.ts";
import { type Asking, clockOf, numberOrNull, readStatus, takeoversIn } from "./query.ts";
import type { Committed, Store } from "./store/store.ts";
import type { Conditions } from "./watch.ts";

export type StationDeps = {
  readonly settings: () => Settings;
  readonly hash: () => string;
  readonly store: Store;
  readonly clock: Clock;
  readonly time: Time;
  readonly log: Log;
  readonly box: Box;
  readonly broker: Broker;
  readonly random: () => number;
  readonly conditions: Conditions;
  /** Null: this is the first run. */
  readonly previous: Previous | null;
  readonly version: string;
  readonly auditor: Pick<Auditor, "key" | "put">;
  readonly pulse: Pick<PulseKeeper, "report">;
};

/** The 24-hour figures are counted this often: they change slowly and the count reads a day of rows. */
const figuresEveryMs = 60_000;
/** A change is looked at no oftener than this. */
const alarmsEveryMs = 1_000;
/** By then every camera was seen, or is known not to answer. */
const findOutMs = 90_000;

export function stationOf(given: StationDeps): Station {
  const deps = { ...given, box: askedOnce(given.box) };
  const { settings, store, clock, time } = deps;
  const { site, station } = settings();
  const address = { commune: site.commune, site: site.id };
  const boot = store.lastRun()?.boot ?? "";
  const figures = makeFigures(deps);
  let condition: Condition | null = null;
  return {
    ...{
      ...{ clock, broker: deps.broker, log: deps.log, random: deps.random, address, boot, journal: store.journal },
      hasJustBooted: deps.previous !== null && deps.previous.run.bootId !== deps.box.bootId(),
      ...{ nowAt: time.nowUtc, dating: time.dating, moment: time.moment, config: deps.hash, pages: pagesOf(deps, address) },
    },
    login: () => ({
      ...{ url: station?.url ?? "", ca: readOrNull(station?.ca), cert: readOrNull(station?.cert), key: readOrNull(station?.key) },
      credential:
        station?.username === undefined || station.passwordFile === undefined
          ? null
          : { username: station.username, password: readSecret(station.passwordFile) },
    }),
    retained: retainedOf(deps),
    hold: (id, body) => answerHold({ settings, store, time, audit: deps.auditor.put }, id, body),
    birth: () => birth(deps, address, boot),
    health: (lastError) => health(deps, address, lastError),
    conditions: () => [...conditionDrafts(deps, address), ...figures(address)],
    onStation: (value, detail) => {
      const settled = settle("station", condition, value, detail === "" ? [] : [detail], time.moment(), ["connected"]);
      condition = settled.condition;
      if (settled.change.length > 0) store.commit(settled.change);
    },
    isOurs: (bootId) => store.boot(bootId) !== null,
    onTakeover: () => {
      const before = takeoversIn(store);
      store.commit([{ put: "note", note: "takeovers", text: JSON.stringify(withTakeover(before, time.moment().at)) }]);
    },
  };
}

/** The box's inventory is slow and does not change: it is asked for once a run, not at each connection. */
function askedOnce(box: Box): Box {
  let identity: ReturnType<Box["identity"]> | null = null;
  return {
    ...box,
    identity: () => {
      identity ??= box.identity().catch((error: unknown) => {
        identity = null;
        throw error;
      });
      return identity;
    },
  };
}

const readOrNull = (file: string | undefined) => (file === undefined ? null : readFileSync(file, "utf8"));

async function birth(deps: StationDeps, address: { commune: string; site: string }, boot: string): Promise<Draft> {
  const { store, previous } = deps;
  const settings = deps.settings();
  const { hostname: _host, ...identity } = await deps.box.identity();
  const row = store.lastRun();
  return birthMessage(address, {
    ...{
      versions: { agent: deps.version, ...identity },
      config: deps.hash(),
      boot,
      startedAt: deps.time.dating().toUtc(row?.startedAt ?? 0),
      name: settings.site.name,
      key: deps.auditor.key?.publicPem ?? null,
    },
    cameras: settings.cameras.map((camera) => ({
      ...{ id: camera.id, name: camera.name ?? camera.id, group: camera.group ?? null, kind: camera.kind },
      ...{ priority: camera.priority, household: camera.household ?? null },
      manual: camera.manual === undefined ? null : { checkedAt: camera.manual.checked, keepsMs: camera.manual.keeps },
      sinceAt: camera.since ?? utcOf(deps, store.camera(camera.id)?.sinceAt),
    })),
    keep: { minMs: settings.recording.keep.min, maxMs: settings.recording.keep.max },
    previous:
      previous === null
        ? null
        : { boot: previous.run.boot, end: previous.end, lastAliveAt: deps.time.dating().toUtc(previous.lastAliveAt) },
    ...{ db: store.journal.dbId(), firstG: store.journal.firstG(), lastG: store.journal.lastG() },
  });
}

function health(deps: StationDeps, address: { commune: string; site: string }, lastError: string | null): Draft {
  const { uptimeMs, ...vitals } = deps.box.vitals();
  const unsent = deps.store.journal.unsent();
  const live = deps.store.live();
  const { alive: fed, watchdogMs: everyMs, lagMs, journal, hangs } = deps.pulse.report();
  const disk = deps.store.conditions().find((row) => row.subject === "disk");
  return healthMessage(address, {
    ...{
      at: deps.time.nowUtc(),
      ...vitals,
      uptimeMs,
      lastError,
      certificateDays: certificateDays(deps.settings().station?.cert, deps.time.nowUtc()),
    },
    watchdog: { fed, everyMs, lagMs, journal, hangs },
    audit: JSON.parse(deps.store.meta("audit") ?? "null") as AuditHead | null,
    disk: {
      ...{ value: disk?.value ?? "unknown", freeBytes: live?.freeBytes ?? null, usedBytes: live?.usedBytes ?? 0 },
      health: wearOf(deps.store.meta("wear")).map(({ device, trouble }) => ({ device, trouble })),
    },
    supply: supplyOf(numberOrNull(deps.store.meta("supply"))),
    wifi: live?.wifi ?? null,
    traffic: lastDayOf(trafficOf(deps.store.meta("traffic"))),
    runs24h: runsOfDay(deps),
    journal: {
      depth: unsent.count,
      oldestUnsentAt: unsent.oldestAt === null ? null : deps.time.dating().toUtc(unsent.oldestAt),
      waiting: waitingOf(deps.store.commit([])),
    },
  });
}

function lastDayOf(days: TrafficDays) {
  const day = Object.keys(days).sort().at(-1);
  return day === undefined ? null : { day, ...trafficIn(days, day) };
}

const utcOf = ({ time }: StationDeps, at: number | null | undefined) => (at == null ? null : time.dating().toUtc(at));

const dayMs = 86_400_000;
/** More than a box that starts over every minute. */
const mostRuns = 2_000;

function runsOfDay({ store, time }: StationDeps): number {
  const filter = { afterG: 0, fromAt: time.dating().fromUtc(time.nowUtc() - dayMs), toAt: Number.MAX_SAFE_INTEGER };
  return store.events({ ...filter, type: "run.started", limit: mostRuns }).length;
}

/** Changes that the state disk does not take at this moment. */
const waitingOf = (committed: Committed) => (committed.kind === "waiting" ? committed.changes : 0);

/** Days and months of the cameras, as the digest keeps them up to date at the station. */
function pagesOf(deps: StationDeps, address: { commune: string; site: string }): Digest {
  const { store, clock, time } = deps;
  const asking = (): Asking => ({
    ...{ reads: store, settings: deps.settings(), dating: time.dating(), running: true, nowAt: time.nowUtc() },
  });
  const utc = (at: number | null) => (at === null ? null : time.dating().toUtc(at));
  return makeDigest({
    ...{ address, monoMs: clock.monoMs, sent: store.pagesSent },
    nowAt: () => (clock.trust() === "unset" ? null : time.nowUtc()),
    cameras: () => {
      const since = new Map(deps.settings().cameras.map((camera) => [camera.id, camera.since]));
      return store.cameras().map(({ id, sinceAt, leftAt }) => ({ id, sinceAt: since.get(id) ?? utc(sinceAt), leftAt: utc(leftAt) }));
    },
    factsOfDay: (camera, day) => dayFacts(asking(), camera, day),
    factsOfMonth: (camera, month) => monthFacts(asking(), camera, month),
  });
}

/** What the senses hold true; what cannot be felt here is not told. */
function conditionDrafts(deps: StationDeps, address: { commune: string; site: string }): Draft[] {
  const dating = deps.time.dating();
  return deps.store.conditions().flatMap(({ subject, ...condition }) => {
    if (subject === "station" || condition.value === "unsupported") return [];
    const sinceAt = condition.sinceAt === null ? null : dating.toUtc(condition.sinceAt);
    return [conditionMessage(address, subject, { ...condition, sinceAt, evidence: redate(condition.evidence, dating) })];
  });
}

type Address = { readonly commune: string; readonly site: string };

/** The cameras as they are, with the slow figures counted once a minute, and the alarms, looked at anew whenever something changed. */
function makeFigures(deps: StationDeps): (address: Address) => Draft[] {
  let status: ReturnType<typeof readStatus> | null = null;
  let held: Held = new Map();
  let [readMonoMs, signature, alarms] = [Number.NEGATIVE_INFINITY, "", new Map() as Alarms];
  const look = () => {
    const monoMs = deps.clock.monoMs();
    const age = monoMs - readMonoMs;
    const seen = signatureOf(deps);
    if (status === null || age > figuresEveryMs || (seen !== signature && age > alarmsEveryMs)) {
      const asking = { reads: deps.store, settings: deps.settings(), dating: deps.time.dating(), running: true, nowAt: deps.time.nowUtc() };
      status = readStatus(asking, deps.version);
      held = heldNow(deps);
      [readMonoMs, signature] = [monoMs, seen];
    }
    alarms = watchAlarms(alarms, status.todo, monoMs);
    return status;
  };
  return (address) => {
    const { cameras } = look();
    const raised = [...alarms].flatMap(([name, alarm]) => (alarm.raised ? [alarmMessage(address, name, alarm)] : []));
    return [...deps.settings().cameras.flatMap((camera) => cameraDraft(deps, address, camera, cameras, held)), ...raised];
  };
}

/** What is held of each camera, in UTC, joined. */
type Held = ReadonlyMap<string, readonly Span[]>;

function heldNow({ settings, store, time }: StationDeps): Held {
  const dating = time.dating();
  const spansOf = (id: string) =>
    union(store.heldSpans(id).map(({ fromAt, toAt }) => ({ fromAt: dating.toUtc(fromAt), toAt: dating.toUtc(toAt) })));
  return new Map(settings().cameras.map(({ id }) => [id, spansOf(id)]));
}

/** What the todo rests on, as far as it changes by itself. */
const signatureOf = ({ store, conditions }: StationDeps): string =>
  JSON.stringify([
    store.conditions().map(({ subject, value }) => [subject, value]),
    [...conditions].map(([id, { state, why }]) => [id, state, why]),
    store.meta("config-problem"),
    store.meta("wear"),
    store.meta("takeovers"),
  ]);

function cameraDraft(
  deps: StationDeps,
  address: Address,
  { id, name, group, kind, priority, household }: Settings["cameras"][number],
  counted: ReturnType<typeof readStatus>["cameras"],
  held: Held,
): Draft[] {
  const now = deps.conditions.get(id);
  if (now === undefined) return [];
  const slow = counted.find((entry) => entry.id === id);
  const utc = (at: number | null | undefined) => (at == null ? null : deps.time.dating().toUtc(at));
  const lastFrameAt = utc(deps.store.live()?.cameras[id]?.lastFrameAt);
  return [
    cameraMessage(address, {
      ...{ ...now, id, name: name ?? id, group: group ?? null, kind, priority, household: household ?? null },
      ...{ lastFrameAt, sinceAt: deps.time.dating().toUtc(now.sinceAt) },
      clockOffsetMs: clockOf(deps.store, id)?.offsetMs ?? null,
      ...{ recorded24h: slow?.recorded24h ?? null, daysKept: slow?.daysKept ?? null },
      held: held.get(id) ?? [],
      picture: slow === undefined ? { value: "unknown", since: null } : slow.picture,
    }),
  ];
}

/** Which retained topics the broker holds of us, over restarts. Nothing is taken back while the cameras' states are still being found out. */
function retainedOf({ store, clock, conditions, settings }: StationDeps): Station["retained"] {
  const untilMonoMs = clock.monoMs() + findOutMs;
  return {
    all: () => JSON.parse(store.meta("retained") ?? "[]") as readonly string[],
    put: (topics) => void store.commit([{ put: "note", note: "retained", text: JSON.stringify(topics) }]),
    isSettled: () =>
      clock.monoMs() > untilMonoMs ||
      settings().cameras.every(({ id, manual }) => manual !== undefined || (conditions.get(id)?.state ?? "unknown") !== "unknown"),
  };
}
