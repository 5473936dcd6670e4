/** What cameras say by themselves over ONVIF: one subscription a camera. */
import type { CameraSign } from "../../hal/ports.ts";
import type { CameraSettings } from "../config/schema.ts";
import { atHost } from "../core/acquaintance.ts";
import { loginOf, type Mind, type PatrolDeps, say } from "./mind.ts";

const followAgainMs = 600_000;
const unsupportedAgainMs = 24 * 3_600_000;
/** A sign that repeats within this is not written down again. */
const signEveryMs = 60_000;

/** Follows it where it offers signs; a changed login or address begins a new one. */
export function tend(deps: PatrolDeps, mind: Mind, camera: CameraSettings, follows: Set<Promise<void>>, signal: AbortSignal): void {
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
