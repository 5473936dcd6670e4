/**
 * The round of the cameras: each is asked once a minute who it is and what its clock says; one that is silent is looked for at other
 * addresses. Never more than two at once, and never in the way of recording, which goes on whatever comes of it.
 */
import type {
  CameraClock,
  CameraFacts,
  CameraFailure,
  CameraPort,
  CameraSign,
  CameraTarget,
  CameraTime,
  Clock,
  Credential,
  Discovery,
  Knock,
} from "../hal/ports.ts";
import type { CameraSettings, Settings } from "./config/schema.ts";
import {
  type Acquaintance,
  acquaintanceOf,
  atHost,
  type ClockReading,
  type ClockTrouble,
  clockTrouble,
  compare,
  fallbackAt,
  hostOf,
  loginPauseMs,
  seekPauseMs,
  streamAt,
} from "./core/acquaintance.ts";
import { streamsOf } from "./core/found.ts";
import type { Data, EndReason, Level, MonoMs, StreamName } from "./core/types.ts";
import type { Eye } from "./eye.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Store } from "./store/store.ts";

export type PatrolDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Pick<Store, "commit" | "meta">;
  readonly cameras: CameraPort;
  readonly discovery: Discovery;
  readonly knock: Knock & CameraClock;
  readonly eyes: ReadonlyMap<string, Eye>;
  readonly settings: () => Settings;
  readonly credentialOf: (camera: CameraSettings) => Credential | null;
  readonly log: Log;
  readonly random: () => number;
};

/** Where a stream of a camera is now, or why it cannot be recorded. */
export type Where = { readonly kind: "at"; readonly url: string } | { readonly kind: "nowhere"; readonly reason: EndReason };
export type CameraNews = ClockReading & { readonly problem: CameraFailure["reason"] | null };
export type Patrol = {
  run(signal: AbortSignal): Promise<void>;
  /** As far as it is known without asking anybody. */
  where(camera: string, stream: StreamName): Where;
  /** The same, once it was looked up that nobody else of ours has taken the address. */
  lookUp(camera: string, stream: StreamName, signal: AbortSignal): Promise<Where>;
  /** Another camera of ours was met at its address: what comes from there is not its picture. */
  isForeign(camera: string): boolean;
  /** null: not asked yet. */
  news(camera: string): CameraNews | null;
};

const tickMs = 1_000;
const everyMs = 60_000;
const atOnce = 2;
/** Who it is, and its streams, are asked for again after this long; a failure or a return asks sooner. */
const describeEveryMs = 6 * 3_600_000;
const rtspClockEveryMs = 600_000;
/** A camera is silent for this long before it is looked for. */
const missedMs = 8_000;
const searchMs = 2_500;
const knockMs = 2_000;
const followAgainMs = 600_000;
const unsupportedAgainMs = 24 * 3_600_000;
const setAgainMs = 3_600_000;
const firstVisitMs = 3_000;
/** Set when it is further off than the network and whole seconds explain. */
const setAboveMs = 2_000;
/** A sign that repeats within this is not written down again. */
const signEveryMs = 60_000;

/** What the patrol has in mind of one camera. */
type Mind = {
  known: Acquaintance;
  reading: ClockReading | null;
  problem: CameraFailure["reason"] | null;
  /** The condition of its clock that was written down last. */
  toldTrouble: ClockTrouble | null;
  nextMonoMs: MonoMs;
  describedMonoMs: MonoMs | null;
  /** The login that it refused, how often in a row, and when that may be put again. */
  refused: string | null;
  refusals: number;
  loginMonoMs: MonoMs;
  wasSilent: boolean;
  searches: number;
  nextSearchMonoMs: MonoMs;
  setMonoMs: MonoMs | null;
  isForeign: boolean;
  follow: { readonly fingerprint: string; readonly stop: AbortController } | null;
  nextFollowMonoMs: MonoMs;
  readonly signs: Map<string, MonoMs>;
};

export function makePatrol(deps: PatrolDeps): Patrol {
  const minds = new Map<string, Mind>();
  const mindOf = (camera: string): Mind => {
    const mind = minds.get(camera) ?? newMind(deps, camera);
    minds.set(camera, mind);
    return mind;
  };
  const settingsOf = (camera: string) => deps.settings().cameras.find(({ id }) => id === camera);
  const where = (camera: string, stream: StreamName): Where => {
    const configured = settingsOf(camera);
    const mind = mindOf(camera);
    if (mind.isForeign) return { kind: "nowhere", reason: "other-camera" };
    const addressOf = stream === "main" ? streamAt : fallbackAt;
    const url = configured === undefined ? null : addressOf(configured, mind.known);
    if (url !== null) return { kind: "at", url };
    return { kind: "nowhere", reason: mind.problem === "password" ? "refused-password" : "no-address" };
  };
  return {
    where,
    lookUp: async (camera, stream, signal) => {
      const found = where(camera, stream);
      if (found.kind === "nowhere") return found;
      // An answer that came back proves that the neighbour table is not of yesterday.
      if (mindOf(camera).known.mac !== null) await deps.knock.knock(found.url, knockMs, signal);
      const mac = (await deps.discovery.neighbours()).get(hostOf(found.url)) ?? null;
      if (!isAnothers(deps, mindOf, camera, { mac, serial: null })) return found;
      setForeign(deps, camera, mindOf(camera), true);
      return { kind: "nowhere", reason: "other-camera" };
    },
    isForeign: (camera) => minds.get(camera)?.isForeign ?? false,
    news: (camera) => {
      const mind = minds.get(camera);
      if (mind === undefined || (mind.reading === null && mind.problem === null)) return null;
      return { offsetMs: mind.reading?.offsetMs ?? null, neverSet: mind.reading?.neverSet ?? false, problem: mind.problem };
    },
    run: (signal) => walk(deps, mindOf, signal),
  };
}

function newMind({ store, clock, random }: PatrolDeps, camera: string): Mind {
  return {
    known: acquaintanceOf(store.meta(`known ${camera}`)),
    ...{ reading: null, problem: null, toldTrouble: null, describedMonoMs: null, refused: null, refusals: 0, loginMonoMs: 0 },
    // The first round is spread over some seconds, and begins when the recorder has reached the camera: before that nobody knows its MAC.
    nextMonoMs: clock.monoMs() + firstVisitMs + Math.round(random() * 5_000),
    ...{ wasSilent: false, searches: 0, nextSearchMonoMs: Number.NEGATIVE_INFINITY, setMonoMs: null, isForeign: false },
    ...{ follow: null, nextFollowMonoMs: Number.NEGATIVE_INFINITY, signs: new Map() },
  };
}

type MindOf = (camera: string) => Mind;

async function walk(deps: PatrolDeps, mindOf: MindOf, signal: AbortSignal): Promise<void> {
  const visits = new Map<string, Promise<void>>();
  const follows = new Set<Promise<void>>();
  let seeking: Promise<void> | null = null;
  while (!signal.aborted) {
    await deps.clock.sleep(tickMs, signal);
    const cameras = deps.settings().cameras.filter(({ manual }) => manual === undefined);
    for (const camera of cameras) {
      const mind = mindOf(camera.id);
      hurryAfterSilence(deps, camera, mind);
      if (signal.aborted || visits.size >= atOnce || visits.has(camera.id) || deps.clock.monoMs() < mind.nextMonoMs) continue;
      const visit = guarded(deps, camera.id, () => call(deps, mindOf, camera, signal)).finally(() => visits.delete(camera.id));
      visits.set(camera.id, visit);
    }
    for (const camera of cameras) tend(deps, mindOf(camera.id), camera, follows, signal);
    const missed: readonly CameraSettings[] =
      signal.aborted || seeking !== null ? [] : cameras.filter((camera) => isMissed(deps, mindOf(camera.id), camera));
    if (missed.length > 0)
      seeking = guarded(deps, "search", () => seek(deps, mindOf, missed, signal)).finally(() => {
        seeking = null;
      });
  }
  await Promise.all([...visits.values(), ...follows, seeking]);
}

/** Nothing that a camera does ends the round. */
const guarded = (deps: PatrolDeps, what: string, act: () => Promise<void>): Promise<void> =>
  act().catch((error: unknown) => deps.log.error({ camera: what, err: String(error) }, "asking a camera failed; it is asked again"));

/** One that came back is asked at once who it is: another may have taken its address. */
function hurryAfterSilence({ eyes, clock }: PatrolDeps, { id }: CameraSettings, mind: Mind): void {
  const eye = eyes.get(id);
  const isSilent = eye !== undefined && eye.answers === false;
  if (mind.wasSilent && eye?.reason === null) {
    mind.nextMonoMs = Math.min(mind.nextMonoMs, clock.monoMs());
    mind.describedMonoMs = null;
    mind.searches = 0;
    mind.wasSilent = false;
  }
  if (isSilent) mind.wasSilent = true;
}

// A visit.

async function call(deps: PatrolDeps, mindOf: MindOf, camera: CameraSettings, signal: AbortSignal): Promise<void> {
  const { clock, random } = deps;
  const mind = mindOf(camera.id);
  mind.nextMonoMs = clock.monoMs() + Math.round(everyMs * (0.8 + 0.4 * random()));
  if (camera.onvif === undefined) return callRtsp(deps, mindOf, camera, mind, signal);
  const credential = loginOf(deps, camera);
  if (credential === undefined) return;
  const target: CameraTarget = { xaddr: mind.known.xaddr ?? atHost(camera.onvif, mind.known.host), credential };
  const login = JSON.stringify(credential);
  const isRefused = mind.refused === login && clock.monoMs() < mind.loginMonoMs;
  const isDescribed = mind.problem === null && mind.describedMonoMs !== null && clock.monoMs() - mind.describedMonoMs < describeEveryMs;
  if (isRefused || isDescribed) noteTime(deps, camera, mind, await deps.cameras.time(target, signal));
  else {
    const facts = await deps.cameras.describe(target, signal);
    if (facts.kind === "failed") return noteFailure(deps, camera, mind, facts, login);
    noteFacts(deps, mindOf, camera, mind, facts);
  }
  if (!isRefused && !mind.isForeign) await setClock(deps, camera, mind, target, signal);
}

/** undefined: it cannot be read now, which the recorder says too. */
function loginOf(deps: PatrolDeps, camera: CameraSettings): Credential | null | undefined {
  try {
    return deps.credentialOf(camera);
  } catch {
    return undefined;
  }
}

function noteFailure(deps: PatrolDeps, camera: CameraSettings, mind: Mind, { reason, detail }: CameraFailure, login: string): void {
  if (reason === "stopped") return;
  if (mind.problem !== reason) deps.log.warn({ camera: camera.id, reason, detail }, "the camera's ONVIF side does not answer as asked");
  mind.problem = reason;
  if (reason !== "password") return;
  // The login is left alone for a while; its clock is asked for all the same, which needs none.
  mind.refusals = mind.refused === login ? mind.refusals + 1 : 1;
  mind.refused = login;
  mind.loginMonoMs = deps.clock.monoMs() + loginPauseMs(mind.refusals);
}

function noteFacts(deps: PatrolDeps, mindOf: MindOf, camera: CameraSettings, mind: Mind, facts: CameraFacts): void {
  if (mind.problem !== null) deps.log.info({ camera: camera.id }, "the camera's ONVIF side answers");
  mind.problem = null;
  mind.refusals = 0;
  mind.refused = null;
  mind.describedMonoMs = deps.clock.monoMs();
  const isForeign = isAnothers(deps, mindOf, camera.id, facts);
  setForeign(deps, camera.id, mind, isForeign);
  if (isForeign) return;
  const streams = streamsOf(facts.profiles);
  const { make, model, serial, firmware } = facts;
  remember(deps, camera.id, mind, {
    ...{ ...mind.known, make, model, serial, firmware, mac: facts.mac ?? mind.known.mac },
    ...{ main: streams.main, sub: streams.fallback },
  });
  noteTime(deps, camera, mind, facts.time);
}

/** Is what was met at a camera's address known to be another one of ours? A camera that nobody knows is taken for its replacement. */
function isAnothers(
  deps: PatrolDeps,
  mindOf: MindOf,
  camera: string,
  seen: { readonly serial: string | null; readonly mac: string | null },
): boolean {
  if (compare(mindOf(camera).known, seen) !== "other") return false;
  return deps.settings().cameras.some(({ id }) => id !== camera && compare(mindOf(id).known, seen) === "same");
}

function setForeign(deps: PatrolDeps, id: string, mind: Mind, isForeign: boolean): void {
  if (mind.isForeign === isForeign) return;
  mind.isForeign = isForeign;
  if (isForeign) say(deps, id, "warn", { met: "another camera at its address" });
}

async function callRtsp(deps: PatrolDeps, mindOf: MindOf, camera: CameraSettings, mind: Mind, signal: AbortSignal): Promise<void> {
  const url = streamAt(camera, mind.known);
  const eye = deps.eyes.get(camera.id);
  if (url === null || eye === undefined) return;
  const mac = (await deps.discovery.neighbours()).get(hostOf(url)) ?? null;
  setForeign(deps, camera.id, mind, isAnothers(deps, mindOf, camera.id, { mac, serial: null }));
  // Only what delivers pictures is taken for the camera.
  if (mind.isForeign || eye.reason !== null || eye.lastFrameMonoMs === null) return;
  if (mac !== null) remember(deps, camera.id, mind, { ...mind.known, mac });
  if (mind.describedMonoMs !== null && deps.clock.monoMs() - mind.describedMonoMs < rtspClockEveryMs) return;
  mind.describedMonoMs = deps.clock.monoMs();
  const clockMs = await deps.knock.clock(url, knockMs, signal);
  if (clockMs === null || signal.aborted) return;
  const isUnset = clockMs < Date.UTC(2001, 0, 1);
  noteTime(deps, camera, mind, {
    ...{ kind: "ok", neverSet: isUnset, timeZone: null },
    // It tells whole seconds, which it has begun.
    offsetMs: isUnset ? null : Math.round(clockMs + 500 - deps.clock.wallMs()),
  });
}

function remember({ store }: PatrolDeps, camera: string, mind: Mind, known: Acquaintance): void {
  const text = JSON.stringify(known);
  if (text === JSON.stringify(mind.known)) return;
  mind.known = known;
  store.commit([{ put: "note", note: `known ${camera}`, text }]);
}

/** The journal keeps when a camera's clock went wrong and by how much, so that old footage can be explained. */
function noteTime(deps: PatrolDeps, camera: CameraSettings, mind: Mind, time: CameraTime | CameraFailure): void {
  if (time.kind === "failed") {
    // The next visit asks for everything again.
    if (time.reason !== "stopped" && mind.problem === null) mind.problem = time.reason;
    return;
  }
  // A box that does not know the time does not judge anybody's.
  if (deps.clock.trust() === "unset") return;
  const { offsetMs, neverSet } = time;
  mind.reading = { offsetMs, neverSet };
  const trouble = clockTrouble(mind.reading);
  if (trouble === mind.toldTrouble) return;
  mind.toldTrouble = trouble;
  say(deps, camera.id, trouble === null ? "info" : "warn", { cameraClock: trouble ?? "right", offsetMs });
}

async function setClock(deps: PatrolDeps, camera: CameraSettings, mind: Mind, target: CameraTarget, signal: AbortSignal): Promise<void> {
  const { clock } = deps;
  if (!camera.setClock || mind.reading === null || clock.trust() !== "synced") return;
  const { offsetMs, neverSet } = mind.reading;
  if (!neverSet && (offsetMs === null || Math.abs(offsetMs) < setAboveMs)) return;
  if (mind.setMonoMs !== null && clock.monoMs() - mind.setMonoMs < setAgainMs) return;
  mind.setMonoMs = clock.monoMs();
  const result = await deps.cameras.setTime(target, signal);
  if (result.kind === "failed") {
    deps.log.warn({ camera: camera.id, reason: result.reason, detail: result.detail }, "the camera's clock could not be set");
    return;
  }
  say(deps, camera.id, "info", { cameraClock: "set", offsetMs });
  noteTime(deps, camera, mind, await deps.cameras.time(target, signal));
}

function say({ store, time }: PatrolDeps, camera: string, level: Level, data: Data): void {
  store.commit([{ put: "event", moment: time.moment(), type: "camera.changed", level, data: { camera, ...data } }]);
}

// Its signs.

/** One subscription a camera, where it offers any; a changed login or address begins a new one. */
function tend(deps: PatrolDeps, mind: Mind, camera: CameraSettings, follows: Set<Promise<void>>, signal: AbortSignal): void {
  const credential =
    mind.problem === null && mind.describedMonoMs !== null && camera.onvif !== undefined ? loginOf(deps, camera) : undefined;
  const xaddr = camera.onvif === undefined ? "" : (mind.known.xaddr ?? atHost(camera.onvif, mind.known.host));
  const fingerprint = JSON.stringify([xaddr, credential]);
  if (mind.follow !== null) {
    if (credential !== undefined && mind.follow.fingerprint !== fingerprint) mind.follow.stop.abort();
    return;
  }
  if (signal.aborted || credential === undefined || mind.isForeign || deps.clock.monoMs() < mind.nextFollowMonoMs) return;
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  mind.follow = { fingerprint, stop };
  const following = deps.cameras
    .follow({ xaddr, credential }, (sign) => noteSign(deps, camera.id, mind, sign), stop.signal)
    .then(({ reason }) => {
      const pauseMs = reason === "unsupported" ? unsupportedAgainMs : reason === "stopped" ? 0 : followAgainMs;
      mind.nextFollowMonoMs = deps.clock.monoMs() + pauseMs;
    })
    .finally(() => {
      signal.removeEventListener("abort", onAbort);
      mind.follow = null;
      follows.delete(following);
    });
  follows.add(following);
}

function noteSign(deps: PatrolDeps, camera: string, mind: Mind, { kind, active }: CameraSign): void {
  if (kind === "other") return;
  const key = `${kind} ${active}`;
  const nowMs = deps.clock.monoMs();
  if (nowMs - (mind.signs.get(key) ?? Number.NEGATIVE_INFINITY) < signEveryMs) return;
  mind.signs.set(key, nowMs);
  say(deps, camera, kind === "reboot" || active === false ? "info" : "warn", { sign: kind, active });
}

// The search for one that moved.

function isMissed({ eyes, clock }: PatrolDeps, mind: Mind, { id }: CameraSettings): boolean {
  const eye = eyes.get(id);
  if (eye === undefined || (mind.known.mac === null && mind.known.serial === null)) return false;
  const isGone = mind.isForeign || (eye.answers === false && clock.monoMs() - (eye.reachedMonoMs ?? Number.NEGATIVE_INFINITY) > missedMs);
  return isGone && clock.monoMs() >= mind.nextSearchMonoMs;
}

type Candidate = { readonly host: string; readonly xaddr: string | null; readonly mac: string | null };

/** Looks on the lines on which the missed cameras were met: a wifi router gives addresses of its own network only. */
async function seek(deps: PatrolDeps, mindOf: MindOf, missed: readonly CameraSettings[], signal: AbortSignal): Promise<void> {
  const { discovery, clock } = deps;
  const lines = new Map<string, CameraSettings[]>();
  for (const camera of missed) {
    const mind = mindOf(camera.id);
    mind.searches += 1;
    mind.nextSearchMonoMs = clock.monoMs() + seekPauseMs(mind.searches);
    const line = discovery.interfaceOf(hostNow(mind, camera) ?? "");
    if (line !== null) lines.set(line, [...(lines.get(line) ?? []), camera]);
  }
  for (const [line, cameras] of lines) {
    const candidates = await candidatesOn(deps, mindOf, line, cameras, signal);
    for (const camera of cameras) {
      const found = signal.aborted ? null : await recognise(deps, camera, mindOf(camera.id), candidates, signal);
      if (found !== null) moved(deps, camera, mindOf(camera.id), found);
    }
  }
}

/** Who is on a line and is none of our cameras that are where they should be. */
async function candidatesOn(
  { discovery, settings }: PatrolDeps,
  mindOf: MindOf,
  line: string,
  missed: readonly CameraSettings[],
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  const { devices } = await discovery.search({ interface: line, timeoutMs: searchMs }, signal);
  const ports = [...new Set(missed.map((camera) => Number(portOf(streamAt(camera, mindOf(camera.id).known))) || 554))];
  // Whoever answers no search is made known to the neighbour table by a knock at where cameras stream.
  if (missed.some(({ id }) => mindOf(id).known.mac !== null)) await discovery.knockAll({ interface: line, ports }, signal);
  const neighbours = await discovery.neighbours();
  const others = settings().cameras.filter((camera) => !missed.includes(camera) && !mindOf(camera.id).isForeign);
  const taken = new Set(others.flatMap((camera) => hostNow(mindOf(camera.id), camera) ?? []));
  return [
    ...devices.map(({ address, xaddr }) => ({ host: address, xaddr, mac: neighbours.get(address) ?? null })),
    ...[...neighbours]
      .filter(([address]) => !devices.some((device) => device.address === address))
      .map(([host, mac]) => ({ host, xaddr: null, mac })),
  ].filter(({ host }) => !taken.has(host));
}

const portOf = (url: string | null) => (url === null ? "" : new URL(url).port);

function hostNow({ known }: Mind, camera: CameraSettings): string | null {
  const url = streamAt(camera, known) ?? camera.onvif;
  return url === undefined ? null : hostOf(url);
}

/** The candidate that is this camera: by MAC, or by the serial number that it tells. */
async function recognise(
  deps: PatrolDeps,
  camera: CameraSettings,
  mind: Mind,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<Candidate | null> {
  const here = hostNow(mind, camera);
  const elsewhere = candidates.filter(({ host }) => host !== here);
  const { mac } = mind.known;
  const byMac = mac === null ? [] : elsewhere.filter((candidate) => candidate.mac === mac);
  for (const candidate of byMac) {
    const url = streamAt(camera, { ...mind.known, host: candidate.host });
    // The neighbour table remembers for a while who has left.
    if (url !== null && (await deps.knock.knock(url, knockMs, signal))) return candidate;
  }
  const credential = mind.known.serial === null || mind.problem === "password" ? undefined : loginOf(deps, camera);
  if (credential === undefined) return null;
  for (const candidate of elsewhere) {
    // Another MAC is another camera: no login is shown to it.
    if (candidate.xaddr === null || (mac !== null && candidate.mac !== null)) continue;
    const identity = await deps.cameras.identify({ xaddr: candidate.xaddr, credential }, signal);
    if (identity.kind === "ok" && identity.serial === mind.known.serial) return candidate;
  }
  return null;
}

function moved(deps: PatrolDeps, camera: CameraSettings, mind: Mind, { host, xaddr }: Candidate): void {
  const from = hostNow(mind, camera);
  const configured = hostNow({ ...mind, known: { ...mind.known, host: null, main: null, xaddr: null } }, camera);
  remember(deps, camera.id, mind, { ...mind.known, host: host === configured ? null : host, xaddr: host === configured ? null : xaddr });
  mind.isForeign = false;
  mind.searches = 0;
  mind.describedMonoMs = null;
  mind.nextMonoMs = deps.clock.monoMs();
  deps.log.warn({ camera: camera.id, from, to: host }, "the camera has another address now and is recorded there");
  say(deps, camera.id, "warn", { moved: "another address", from, to: host });
}
