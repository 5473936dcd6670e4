/** A visit: one camera is asked who it is, what it streams and what its clock says; its clock is set where that is asked for. */
import type { CameraFacts, CameraFailure, CameraTarget, CameraTime } from "../../hal/ports.ts";
import type { CameraSettings } from "../config/schema.ts";
import { atHost, clockTrouble, hostOf, loginPauseMs, streamAt } from "../core/acquaintance.ts";
import { streamsOf } from "../core/found.ts";
import { isAnothers, knockMs, loginOf, type Mind, type MindOf, type PatrolDeps, remember, say, setForeign } from "./mind.ts";

const everyMs = 60_000;
/** Who it is, and its streams, are asked for again after this long; a failure or a return asks sooner. */
const describeEveryMs = 6 * 3_600_000;
const rtspClockEveryMs = 600_000;
const setAgainMs = 3_600_000;
/** Set when it is further off than the network and whole seconds explain. */
const setAboveMs = 2_000;

export async function visit(deps: PatrolDeps, mindOf: MindOf, camera: CameraSettings, signal: AbortSignal): Promise<void> {
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
