/** What goes to the station: each topic once, each payload's shape, how long it holds (contract §7). Pure. */
import { type Dating, redate, type UtcMs } from "./dating.ts";
import type { pictureJson } from "./picture.ts";
import type { Todo } from "./status.ts";
import type { daySummary, monthSummary } from "./summary.ts";
import type { Supply } from "./supply.ts";
import { iso, isoOrNull } from "./time.ts";
import type { Traffic } from "./traffic.ts";
import type { CameraCondition, Condition, EventRow } from "./types.ts";
import type { WearTrouble } from "./wear.ts";
import type { WifiFacts } from "./wifi.ts";

/** A message without its site. `expirySeconds` null: none. */
export type Draft = {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly expirySeconds: number | null;
};

export type Address = { readonly commune: string; readonly site: string };

/** Quality, retention and expiry of each topic after `from/<site>/`, and how often a retained one is sent again. */
export const topics = {
  state: { qos: 1, retain: true, expirySeconds: 180 },
  birth: { qos: 1, retain: true, expirySeconds: null },
  health: { qos: 0, retain: true, expirySeconds: 180 },
  camera: { qos: 1, retain: true, expirySeconds: 900 },
  power: { qos: 1, retain: true, expirySeconds: 900 },
  link: { qos: 1, retain: true, expirySeconds: 900 },
  disk: { qos: 1, retain: true, expirySeconds: 900 },
  clock: { qos: 1, retain: true, expirySeconds: 900 },
  alarm: { qos: 1, retain: true, expirySeconds: null },
  day: { qos: 1, retain: true, expirySeconds: 40 * 86_400 },
  month: { qos: 1, retain: true, expirySeconds: 26 * 31 * 86_400 },
  event: { qos: 1, retain: false, expirySeconds: null },
  result: { qos: 1, retain: false, expirySeconds: null },
} as const;
export type TopicName = keyof typeof topics;
export const topicNames = Object.keys(topics) as readonly TopicName[];
/** How long a message holds at the broker; null: for ever. */
export const expirySecondsOf = (name: TopicName): number | null => topics[name].expirySeconds;

/**
 * `state` is renewed this often; `health` and the rest before they expire, also where the next one comes as late as a session bears before it
 * ends (hal/broker.ts): a household's line carries every one of them (`npm run bench -- --only line`).
 */
export const heartbeatMs = 60_000;
/** With every second `state`, so that both go in one segment. */
export const healthMs = 2 * heartbeatMs;
export const renewMs = 840_000;
/** The broker says `lost` for us after this long without a word. */
export const willDelaySeconds = 45;

const root = ({ commune }: Address) => `matghi/v1/${commune}`;

/** What it says of itself last; read back, it tells of another box that goes by the same name. */
export const ownStateTopic = (address: Address): string => `${root(address)}/from/${address.site}/state`;

/** What a site listens to. */
export const subscriptionsOf = (address: Address): readonly string[] => [
  ownStateTopic(address),
  `${root(address)}/to/${address.site}/#`,
  `${root(address)}/station/state`,
];
export const ackTopic = (address: Address): string => `${root(address)}/to/${address.site}/ack`;

/** Name of a command that came in on `topic`; null where it is none. */
export function commandOf(address: Address, topic: string): string | null {
  const prefix = `${root(address)}/to/${address.site}/command/`;
  return topic.startsWith(prefix) ? topic.slice(prefix.length) : null;
}

/** What was said to the site beside what it knows: the end of the topic; null where it was not said to it. */
export function strayOf(address: Address, topic: string): string | null {
  const prefix = `${root(address)}/to/${address.site}/`;
  return topic.startsWith(prefix) ? topic.slice(prefix.length) : null;
}

/** Id of an officer's request to hold footage; null where the topic is none. */
export function officerHoldOf(address: Address, topic: string): string | null {
  const prefix = `${root(address)}/to/${address.site}/officer/hold/`;
  const id = topic.startsWith(prefix) ? topic.slice(prefix.length) : "";
  return /^[a-zA-Z0-9-]{1,64}$/.test(id) ? id : null;
}

function draft(address: Address, name: TopicName, detail: string | null, payload: object): Draft {
  const topic = `${root(address)}/from/${address.site}/${name}${detail === null ? "" : `/${detail}`}`;
  return { topic, payload: JSON.stringify(payload), ...topics[name] };
}

/** `conn` counts connections, so that a reader drops a `lost` that is older than what it knows. */
export const stateMessage = (address: Address, state: "online" | "leaving" | "lost", boot: string, conn: number, at: UtcMs): Draft => {
  const message = draft(address, "state", null, { v: 1, state, boot, conn, at: iso(at) });
  return state === "lost" ? { ...message, expirySeconds: null } : message;
};

export type Birth = {
  readonly versions: Readonly<Record<string, string>>;
  readonly config: string;
  readonly boot: string;
  readonly startedAt: UtcMs;
  readonly cameras: readonly {
    readonly id: string;
    readonly name: string;
    readonly group: string | null;
    readonly kind: number;
    readonly priority: boolean;
    readonly household: string | null;
    /** Looked at by hand; null where the box reaches its stream. */
    readonly manual: { readonly checkedAt: UtcMs; readonly keepsMs: number } | null;
    /** When its due time began; null: nothing was due yet. */
    readonly sinceAt: UtcMs | null;
  }[];
  /** Footage is warned of before it falls short of the first, and deleted at the age of the second. */
  readonly keep: { readonly minMs: number; readonly maxMs: number };
  readonly previous: { readonly boot: string; readonly end: string; readonly lastAliveAt: UtcMs } | null;
  readonly db: string;
  readonly firstG: number;
  readonly lastG: number;
  readonly name: string;
  /** Public half of the box's key, SPKI in PEM; null where the key cannot be read. */
  readonly key: string | null;
};
/** A broker of ours takes 65,536 bytes a message (deploy/station/broker.ts). */
const mostBirthBytes = 64_000;
/** The letters that are left of each name and group where a site has very many cameras; the last ones always fit. */
const nameLengths = [500, 100, 50, 25, 10, 0];

/** Every camera is in it, however many there are: names give way first. */
export function birthMessage(address: Address, birth: Birth): Draft {
  const fits = ({ payload }: Draft) => new TextEncoder().encode(payload).length <= mostBirthBytes;
  const most = nameLengths.find((length) => fits(birthWith(address, birth, length)));
  return birthWith(address, birth, most ?? 0);
}

function birthWith(address: Address, { startedAt, previous, cameras, db, firstG, lastG, ...rest }: Birth, most: number): Draft {
  return draft(address, "birth", null, {
    ...{ v: 1, site: address.site, ...rest, startedAt: iso(startedAt) },
    cameras: cameras.map(({ manual, sinceAt, name, group, ...camera }) => ({
      ...{ ...camera, name: shortened(name, most), group: group === null ? null : shortened(group, most), since: isoOrNull(sinceAt) },
      manual: manual === null ? null : { checked: iso(manual.checkedAt), keepsMs: manual.keepsMs },
    })),
    previous: previous === null ? null : { boot: previous.boot, end: previous.end, lastAlive: iso(previous.lastAliveAt) },
    journal: { db, firstG, lastG },
  });
}

function shortened(text: string, most: number): string {
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most).join("")}…`;
}

export type Health = {
  readonly at: UtcMs;
  readonly load1: number;
  readonly temperatureC: number | null;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  readonly agentRssBytes: number;
  readonly uptimeMs: number;
  /** Lateness of the agent's own turns, 99 of a hundred; null: not measured yet. */
  readonly eventLoopP99Ms: number | null;
  /** Runs that began within the last 24 hours, this one too. */
  readonly runs24h: number;
  /** A Raspberry Pi's word of its feed and heat; null elsewhere. */
  readonly supply: Supply | null;
  /** The box's own link, where that is wifi. */
  readonly wifi: WifiFacts | null;
  /** Told to and by the station on the last day on which anything was, in Vietnam. */
  readonly traffic: (Traffic & { readonly day: string }) | null;
  readonly disk: {
    readonly value: string;
    readonly freeBytes: number | null;
    readonly usedBytes: number;
    /** Each disk under footage and state with its trouble; null: none is known. */
    readonly health: readonly { readonly device: string; readonly trouble: WearTrouble | null }[];
  };
  readonly journal: { readonly depth: number; readonly oldestUnsentAt: UtcMs | null; readonly waiting: number };
  readonly lastError: string | null;
  readonly certificateDays: number | null;
  /** Why a hung agent is restarted, or is not: what holds the service manager's watchdog back. */
  readonly watchdog: {
    readonly fed: boolean;
    readonly everyMs: number | null;
    readonly lagMs: number;
    readonly journal: "written" | "waiting" | "silent";
    readonly hangs: readonly string[];
  };
  /** The head of the audit's chain: with it kept elsewhere, also a chain that was made anew is found. */
  readonly audit: { readonly n: number; readonly hash: string } | null;
};
export const healthMessage = (address: Address, { at, journal, ...rest }: Health): Draft =>
  draft(address, "health", null, {
    v: 1,
    at: iso(at),
    ...rest,
    journal: { ...journal, oldestUnsentAt: isoOrNull(journal.oldestUnsentAt) },
  });

/** What `birth` says of a camera too: who may see some cameras of a box only may not read the box's birth. */
export type CameraNow = CameraCondition & {
  readonly id: string;
  readonly name: string;
  readonly group: string | null;
  readonly kind: number;
  readonly priority: boolean;
  readonly household: string | null;
  readonly lastFrameAt: UtcMs | null;
  readonly recorded24h: number | null;
  readonly daysKept: number | null;
  /** Stretches of which footage is held: it outlives `daysKept`. Joined, the oldest first; beyond `mostHeld` they are counted only. */
  readonly held: readonly { readonly fromAt: UtcMs; readonly toAt: UtcMs }[];
  /** Its clock minus the box's; null: it does not tell, or was never set. */
  readonly clockOffsetMs: number | null;
  /** As `status` has it; null: nobody looks. */
  readonly picture: Pick<ReturnType<typeof pictureJson>, "value" | "since"> | null;
};

/** So many held stretches of a camera are told: only what is older than the rest needs to be. */
export const mostHeld = 20;

export const cameraMessage = (address: Address, { id, sinceAt, lastFrameAt, held, picture, ...rest }: CameraNow): Draft =>
  draft(address, "camera", id, {
    v: 1,
    ...rest,
    held: held.slice(0, mostHeld).map(({ fromAt, toAt }) => ({ from: iso(fromAt), to: iso(toAt) })),
    heldLeftOut: Math.max(0, held.length - mostHeld),
    since: iso(sinceAt),
    lastFrameAt: isoOrNull(lastFrameAt),
    picture: picture === null ? null : { value: picture.value, since: picture.since },
  });

export const conditionMessage = (
  address: Address,
  subject: "power" | "link" | "disk" | "clock",
  { value, sinceAt, evidence }: Condition,
): Draft => draft(address, subject, null, { v: 1, value, since: isoOrNull(sinceAt), evidence });

/** What needs a person; no name of one, no phone number. */
export const alarmMessage = (address: Address, name: string, { level, camera, since, text, texts }: Todo): Draft =>
  draft(address, "alarm", name, { v: 1, level, camera, since, text, texts });

/** Takes a retained message back from the broker. */
export const clearMessage = (topic: string): Draft => ({ topic, payload: "", qos: 1, retain: true, expirySeconds: null });

/** A camera's day and month, which replace what the station had of them (core/summary.ts bounds them). */
export const dayMessage = (address: Address, summary: NonNullable<ReturnType<typeof daySummary>>): Draft =>
  draft(address, "day", `${summary.day}/${summary.camera}`, summary);
export const monthMessage = (address: Address, summary: NonNullable<ReturnType<typeof monthSummary>>): Draft =>
  draft(address, "month", `${summary.month}/${summary.camera}`, summary);

/** Sent later than this after it happened, an event is marked `late`. */
const lateAfterMs = 60_000;

/** The envelope of contract §7, as events have it on the wire and in `events --json`. `nowAt` null: it is read on the box, not sent. */
export function envelopeOf(site: string, db: string, row: EventRow, nowAt: UtcMs | null, dating: Dating) {
  const at = dating.toUtc(row.at);
  return {
    ...{ v: 1, id: `${row.boot}-${row.seq}`, site, db, g: row.g, boot: row.boot, seq: row.seq, at: iso(at), clock: row.clock },
    ...{ monoMs: row.monoMs, type: row.type, level: row.level, late: nowAt !== null && nowAt - at > lateAfterMs },
    data: redate(row.data, dating),
  };
}
export const eventMessage = (address: Address, db: string, row: EventRow, nowAt: UtcMs, dating: Dating): Draft =>
  draft(address, "event", null, envelopeOf(address.site, db, row, nowAt, dating));

export const resultMessage = (address: Address, correlation: string, result: object): Draft =>
  draft(address, "result", correlation, { v: 1, ...result });
