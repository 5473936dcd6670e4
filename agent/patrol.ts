/**
 * The round of the cameras: each is asked once a minute who it is and what its clock says; one that is silent is looked for at other
 * addresses. Never more than two at once, and never in the way of recording, which goes on whatever comes of it.
 */
import type { CameraFailure } from "../hal/ports.ts";
import type { CameraSettings } from "./config/schema.ts";
import { type ClockReading, fallbackAt, hostOf, streamAt } from "./core/acquaintance.ts";
import type { EndReason, StreamName } from "./core/types.ts";
import { isAnothers, knockMs, type Mind, type MindOf, newMind, type PatrolDeps, setForeign } from "./patrol/mind.ts";
import { isMissed, seek } from "./patrol/search.ts";
import { tend } from "./patrol/signs.ts";
import { visit } from "./patrol/visit.ts";

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
const atOnce = 2;

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
      const visiting = guarded(deps, camera.id, () => visit(deps, mindOf, camera, signal)).finally(() => visits.delete(camera.id));
      visits.set(camera.id, visiting);
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
