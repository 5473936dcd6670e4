/** The search for cameras that moved to another address. */
import type { CameraSettings } from "../config/schema.ts";
import { seekPauseMs, streamAt } from "../core/acquaintance.ts";
import { hostNow, knockMs, loginOf, type Mind, type MindOf, type PatrolDeps, remember, say } from "./mind.ts";

/** A camera is silent for this long before it is looked for. */
const missedMs = 8_000;
const searchMs = 2_500;

/** Is it silent, known by a MAC or serial number, and its next search due? */
export function isMissed({ eyes, clock }: PatrolDeps, mind: Mind, { id }: CameraSettings): boolean {
  const eye = eyes.get(id);
  if (eye === undefined || (mind.known.mac === null && mind.known.serial === null)) return false;
  const isGone = mind.isForeign || (eye.answers === false && clock.monoMs() - (eye.reachedMonoMs ?? Number.NEGATIVE_INFINITY) > missedMs);
  return isGone && clock.monoMs() >= mind.nextSearchMonoMs;
}

type Candidate = { readonly host: string; readonly xaddr: string | null; readonly mac: string | null };

/** Looks on the lines on which the missed cameras were met: a wifi router gives addresses of its own network only. */
export async function seek(deps: PatrolDeps, mindOf: MindOf, missed: readonly CameraSettings[], signal: AbortSignal): Promise<void> {
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
