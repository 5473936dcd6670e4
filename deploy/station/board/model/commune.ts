/** The commune as it stands: its sites, what can be vouched for, each camera. From retained messages and now. Pure. */
import type { CameraState, Span, StreamName } from "../../../../agent/core/types.ts";
import type { Language } from "../../../../agent/core/words.ts";
import { bySite, type Entry, entriesIn, type Introduced, introducedOf } from "./introduced.ts";
import type { Kept, Retained } from "./kept.ts";
import { type Body, bodyOf, listOf, numberOf, oneOf, textOf, timeOf } from "./read.ts";

/** A site is silent after this long without a word (contract §7: its state is renewed every 60 s). */
export const silentAfterMs = 180_000;
/** The broker waits so long before it says *lost* (core/message.ts, the will's delay). */
const willDelayMs = 45_000;
/** A camera's own message holds for 15 minutes. */
const cameraHoldsMs = 900_000;

/**
 * heard: it speaks. silent: it does not; `sinceAt` is when it was heard last, `isExact` false where that is only the last known trace of it,
 * in its messages or in what this browser remembers.
 * stopped: it said goodbye.
 */
export type Contact =
  | { readonly kind: "heard"; readonly heardAt: number }
  | { readonly kind: "silent"; readonly sinceAt: number | null; readonly isExact: boolean }
  | { readonly kind: "stopped"; readonly sinceAt: number | null };

/** good: records, and the picture is not known to be bad. picture: records, not well. connected: answers, records nothing. dead: does not answer. */
export const standings = ["good", "picture", "connected", "dead", "unknown", "manual"] as const;
export type Standing = (typeof standings)[number];
export type Picture = "good" | "bad" | "unchecked";

export type Camera = Introduced & {
  readonly site: string;
  readonly standing: Standing;
  readonly picture: Picture;
  readonly state: CameraState;
  /** Its own message stands and its site is heard: what it says of its footage is as of now. */
  readonly isHeard: boolean;
  /** What is recorded of it: its main stream, or the smaller one while that does not hold. */
  readonly stream: StreamName;
  readonly why: string | null;
  readonly sinceAt: number | null;
  readonly lastFrameAt: number | null;
  readonly recorded24h: number | null;
  readonly daysKept: number | null;
  /** Stretches of which the box holds footage; older than `daysKept`, it is there all the same. */
  readonly held: readonly Span[];
  /** So many more, newer than those, had no room in the message. */
  readonly heldLeftOut: number;
  readonly clockOffsetMs: number | null;
};

export type Alarm = {
  readonly type: string;
  readonly camera: string | null;
  readonly level: "broken" | "attention";
  readonly sinceAt: number | null;
  /** The box's own sentence, in its own language. */
  readonly text: string;
  /** The same in others; null: it is not told in that. */
  readonly texts: Readonly<Record<Language, string | null>>;
};

/** Its sentence in the reader's language, where the box tells it in that. */
export const alarmText = ({ text, texts }: Pick<Alarm, "text" | "texts">, language: Language): string => texts[language] ?? text;

export type Site = {
  readonly id: string;
  readonly name: string;
  readonly contact: Contact;
  readonly cameras: readonly Camera[];
  readonly alarms: readonly Alarm[];
  readonly power: string | null;
  /** Footage is deleted at this age at the latest; null: the box has not said. */
  readonly keepMaxMs: number | null;
};

export type Commune = { readonly sites: readonly Site[]; readonly cameras: readonly Camera[] };

/** When each site was last heard, as this browser remembers it over a reload. */
export type Memory = ReadonlyMap<string, number>;

export const communeOf = (retained: Retained, nowAt: number, memory: Memory = new Map()): Commune =>
  communeTeller()(retained, nowAt, memory);

/**
 * Tells the commune again and again. A site of which nothing has changed is the same object as before, and so is a commune: who draws
 * hundreds of them sees at once what to draw anew.
 */
export function communeTeller(): (retained: Retained, nowAt: number, memory: Memory) => Commune {
  let before: ReadonlyMap<string, Told> = new Map();
  let commune: Commune = { sites: [], cameras: [] };
  return (retained, nowAt, memory) => {
    const told = bySite(retained).map(([id, messages]) =>
      retold(before.get(id), { id, messages, nowAt, rememberedAt: memory.get(id) ?? null }),
    );
    before = new Map(told.map((entry) => [entry.site.id, entry]));
    const sites = told.map(({ site }) => site);
    const isSame = sites.length === commune.sites.length && sites.every((site, i) => site === commune.sites[i]);
    if (!isSame) commune = { sites, cameras: sites.flatMap(({ cameras }) => cameras) };
    return commune;
  };
}

type Messages = ReadonlyMap<string, Kept>;

type Telling = { readonly id: string; readonly messages: Messages; readonly nowAt: number; readonly rememberedAt: number | null };
/** A site as it was told, and the span in which time alone changes nothing of it. */
type Told = Pick<Telling, "messages" | "rememberedAt"> & { readonly site: Site; readonly fromAt: number; readonly untilAt: number };

function retold(before: Told | undefined, { id, messages, nowAt, rememberedAt }: Telling): Told {
  if (before !== undefined && before.fromAt <= nowAt && nowAt < before.untilAt && before.rememberedAt === rememberedAt)
    if (isAlike(before.messages, messages)) return before;
  const site = siteOf(id, messages, nowAt, rememberedAt);
  return { site, messages, rememberedAt, fromAt: nowAt, untilAt: turnAt(messages, nowAt) };
}

const isAlike = (a: Messages, b: Messages): boolean => a.size === b.size && [...b].every(([topic, kept]) => a.get(topic) === kept);

/** What rests on the last trace of a site is looked at this often. */
const retellMs = 60_000;

/** When a message will be too old to be believed: the next of them. */
function turnAt(messages: Messages, nowAt: number): number {
  const ends = [...messages].flatMap(([topic, { saidAt }]) => {
    const holdsMs = topic === "state" ? silentAfterMs : cameraHoldsMs;
    return saidAt !== null && saidAt + holdsMs > nowAt ? [saidAt + holdsMs] : [];
  });
  return Math.min(nowAt + retellMs, ...ends);
}

function siteOf(id: string, messages: Messages, nowAt: number, rememberedAt: number | null): Site {
  const birth = bodyOf(messages.get("birth")?.value);
  const contact = contactOf(messages, nowAt, rememberedAt);
  return {
    ...{ id, contact, name: textOf(birth?.name) ?? id },
    cameras: entriesOf(birth, messages).map((entry) => cameraOf(id, entry, messages.get(`camera/${entry.id}`) ?? null, contact, nowAt)),
    alarms: [...messages].flatMap(([topic, kept]) => alarmOf(topic, kept)),
    power: textOf(bodyOf(messages.get("power")?.value)?.value),
    keepMaxMs: numberOf(bodyOf(birth?.keep)?.maxMs),
  };
}

/** Is the site there? Its own clock may be wrong, so only the time of arrival tells. */
export function contactOf(messages: Messages, nowAt: number, rememberedAt: number | null): Contact {
  const said = messages.get("state");
  const state = textOf(bodyOf(said?.value)?.state);
  if (state === "online" && said?.saidAt != null && nowAt - said.saidAt < silentAfterMs) return { kind: "heard", heardAt: said.saidAt };
  if (state === "leaving") return { kind: "stopped", sinceAt: said?.saidAt ?? timeOf(bodyOf(said?.value)?.at) };
  const exactAt = state === "online" ? (said?.saidAt ?? null) : state === "lost" && said?.saidAt != null ? said.saidAt - willDelayMs : null;
  if (exactAt !== null) return { kind: "silent", sinceAt: exactAt, isExact: true };
  const knownAt = Math.max(rememberedAt ?? 0, lastTraceAt(messages, nowAt) ?? 0);
  return { kind: "silent", sinceAt: knownAt === 0 ? null : knownAt, isExact: false };
}

/** Is the time of a contact known, not only the last trace? */
export const isExact = (contact: Contact): boolean => contact.kind !== "silent" || contact.isExact;

/** The newest time that anything of a silent site speaks of. */
function lastTraceAt(messages: Messages, nowAt: number): number | null {
  const traces = [...messages].flatMap(([topic, { value, saidAt }]) => {
    const body = bodyOf(value);
    const told = topic.startsWith("day/") ? [body?.until] : topic === "state" ? [] : [body?.at, body?.lastFrameAt];
    return [saidAt, ...told.map(timeOf)].flatMap((at) => (at !== null && at <= nowAt ? [at] : []));
  });
  return traces.length === 0 ? null : Math.max(...traces);
}

/** The cameras of the configuration, in its order; who may not read it has those that speak, with what they say of themselves. */
function entriesOf(birth: Body | null, messages: Messages): readonly Entry[] {
  const named = entriesIn(birth);
  if (named.length > 0) return named;
  // A camera's own message holds for minutes, its days for months: it is still there when the first has run out.
  const ids = new Set([...messages.keys()].flatMap((topic) => /^(?:camera|day\/[^/]+)\/([^/]+)$/.exec(topic)?.[1] ?? []));
  return [...ids].map((id) => ({ id, body: bodyOf(messages.get(`camera/${id}`)?.value) ?? {} }));
}

function cameraOf(site: string, { id, body }: Entry, kept: Kept | null, contact: Contact, nowAt: number): Camera {
  const now = bodyOf(kept?.value);
  const isHeard = contact.kind === "heard" && kept !== null && (kept.saidAt === null || nowAt - kept.saidAt < cameraHoldsMs);
  const state = (isHeard ? oneOf(now?.state, ["recording", "degraded", "not-recording", "unknown"]) : null) ?? "unknown";
  const introduced = introducedOf(id, body);
  const facts = {
    ...{ ...introduced, site, household: introduced.household ?? textOf(now?.household) },
    ...{ manual: introduced.manual ?? guessedManual(body, kept), picture: pictureOf(now?.picture), state, isHeard, why: textOf(now?.why) },
    stream: (isHeard ? oneOf(now?.stream, ["main", "fallback"]) : null) ?? "main",
    ...{ sinceAt: timeOf(now?.since), lastFrameAt: timeOf(now?.lastFrameAt), recorded24h: numberOf(now?.recorded24h) },
    ...{
      daysKept: numberOf(now?.daysKept),
      held: spansIn(now?.held),
      heldLeftOut: numberOf(now?.heldLeftOut) ?? 0,
      clockOffsetMs: numberOf(now?.clockOffsetMs),
    },
  };
  return { ...facts, standing: standingOf(facts) };
}

const spansIn = (value: unknown): readonly Span[] =>
  listOf(value).flatMap((entry) => {
    const [fromAt, toAt] = [timeOf(entry.from), timeOf(entry.to)];
    return fromAt === null || toAt === null ? [] : [{ fromAt, toAt }];
  });

/** A household's own camera of which no box has ever said anything is one that somebody looks at. */
const guessedManual = (body: Body, kept: Kept | null): Camera["manual"] =>
  body.manual === undefined && body.kind === 1 && kept === null ? { checkedAt: null, keepsMs: null } : null;

/** Not looked at is not good: it is said so. */
function pictureOf(value: unknown): Picture {
  const word = textOf(bodyOf(value)?.value) ?? textOf(bodyOf(value)?.state);
  if (word === null || word === "unknown" || word === "unsupported") return "unchecked";
  return word === "ok" || word === "good" ? "good" : "bad";
}

/** End reasons of a camera that does not answer at all; with every other one it does (core/types.ts). */
const silentWhys: readonly string[] = ["silent", "no-address", "other-camera"];

function standingOf({ manual, state, picture, why }: Pick<Camera, "manual" | "state" | "picture" | "why">): Standing {
  if (manual !== null) return "manual";
  if (state === "unknown") return "unknown";
  if (state === "not-recording") return silentWhys.includes(why ?? "silent") ? "dead" : "connected";
  return state === "degraded" || picture === "bad" ? "picture" : "good";
}

function alarmOf(topic: string, { value }: Kept): readonly Alarm[] {
  const [, type] = /^alarm\/([^/]+)(?:\/[^/]+)?$/.exec(topic) ?? [];
  const body = bodyOf(value);
  const text = textOf(body?.text);
  if (type === undefined || body === null || text === null) return [];
  const level = body.level === "attention" ? "attention" : "broken";
  const others = bodyOf(body.texts);
  const texts = { vi: textOf(others?.vi), en: textOf(others?.en) };
  return [{ type, level, text, texts, camera: textOf(body.camera), sinceAt: timeOf(body.since) }];
}

export type Counts = Readonly<Record<Standing, number>> & { readonly unchecked: number; readonly all: number };

/** How many cameras stand how; those checked by hand are in no other count. `unchecked`: recording, and nobody looks at the picture. */
export function countsOf(cameras: readonly Camera[]): Counts {
  const count = (keep: (camera: Camera) => boolean) => cameras.filter(keep).length;
  const by = (standing: Standing) => count((camera) => camera.standing === standing);
  return {
    ...{ good: by("good"), picture: by("picture"), connected: by("connected"), dead: by("dead"), unknown: by("unknown") },
    ...{ manual: by("manual"), all: cameras.length - by("manual") },
    unchecked: count(({ standing, picture }) => standing === "good" && picture === "unchecked"),
  };
}

export type Group = { readonly name: string | null; readonly cameras: readonly Camera[] };

/** Routes, areas, hamlets in the commune's own spelling and order; what has none comes last. */
export function groupsOf(cameras: readonly Camera[]): readonly Group[] {
  const found = new Map<string | null, Camera[]>();
  for (const camera of cameras) {
    const members = found.get(camera.group) ?? [];
    members.push(camera);
    found.set(camera.group, members);
  }
  return [...found]
    .map(([name, members]) => ({ name, cameras: members }))
    .sort((a, b) => Number(a.name === null) - Number(b.name === null));
}
