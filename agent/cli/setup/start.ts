/** The first minutes of a site: the trial of its cameras, the start, the wait for footage and station, the acceptance sheet. */
import { join } from "node:path";
import { makeCameraPort } from "../../../hal/camera.ts";
import { makeClock } from "../../../hal/clock.ts";
import { makeMachine } from "../../../hal/machine.ts";
import type { CameraPort, Clock } from "../../../hal/ports.ts";
import { findTools, killRecorders, makeRecorder } from "../../../hal/recorder.ts";
import { makeRemux } from "../../../hal/remux.ts";
import { acceptance, hasFootage, recordable, sheetText } from "../../acceptance.ts";
import { waysTo } from "../../config/block.ts";
import { usualFile } from "../../config/place.ts";
import { readSecret } from "../../config/rules.ts";
import type { CameraSettings, Settings } from "../../config/schema.ts";
import { makeDating } from "../../core/dating.ts";
import type { Accepted, Trial } from "../../core/setup.ts";
import { fill, wordsIn } from "../../core/words.ts";
import { type TrialCamera, tryCameras } from "../../killtrial.ts";
import { type Asking, readStatus } from "../../query.ts";
import { isLocked } from "../../store/database.ts";
import { openReads } from "../../store/store.ts";
import { version } from "../../version.ts";
import { type Context, exit, nowUtc, Refusal } from "../context.ts";

/** The site that was set up, and how long a person waits for it. */
export type Begun = {
  readonly file: string;
  readonly settings: Settings;
  /** Interface of the tunnel to the station; null: none. */
  readonly tunnel: string | null;
  readonly trialMs: number;
  readonly waitMs: number;
};
export type Trials = ReadonlyMap<string, Trial>;

const unit = "matghi.service";
const tunnelTimer = "matghi-tunnel.timer";
const lookEveryMs = 1_000;
/** Beside the mark; the agent passes over what begins with a dot. */
const trialFolder = ".trial";

/** Records every camera, kills the recorders and reads again; nothing where the agent has the cameras already. */
export async function runTrial(context: Context, { settings, trialMs }: Begun, signal: AbortSignal): Promise<Trials> {
  const words = wordsIn(settings.site.language).setup;
  if (trialMs === 0) return new Map();
  if (isLocked(settings.site.state)) {
    context.err(words.noTrial);
    return new Map();
  }
  context.err(fill(words.trial, { seconds: trialMs / 1_000 }));
  const folder = join(settings.recording.folder, trialFolder);
  const clock = makeClock({ driver: "none" });
  const port = makeCameraPort({ clock });
  const cameras = await Promise.all(recordable(settings).map((camera) => trialOf(port, camera, signal)));
  const means = { clock, recorder: makeRecorder(findTools(folder), clock), kill: () => killRecorders(folder) };
  return tryCameras(means, cameras, folder, trialMs, signal);
}

async function trialOf(port: CameraPort, camera: CameraSettings, signal: AbortSignal): Promise<TrialCamera> {
  const { id, username, passwordFile, transport } = camera;
  const credential = username === undefined || passwordFile === undefined ? null : { username, password: readSecret(passwordFile) };
  if (camera.url !== undefined || camera.onvif === undefined) return { id, url: camera.url ?? null, credential, transport };
  const facts = await port.describe({ xaddr: camera.onvif, credential }, signal);
  const url = facts.kind === "ok" ? waysTo({ profiles: facts.profiles, xaddr: camera.onvif }).main : null;
  return { id, url, credential, transport };
}

/** Starts tunnel and service where this is the box's own configuration; otherwise says how. */
export async function startAgent(context: Context, { file, settings, tunnel }: Begun): Promise<void> {
  const words = wordsIn(settings.site.language);
  const isBox = file === usualFile;
  if (tunnel !== null && !(isBox && (await startTunnel(tunnel)))) context.err(fill(words.enroll.tunnelNew, { name: tunnel }));
  if (!isBox) return context.err(fill(words.setup.startYourself, { file }));
  const why = await makeMachine().start(unit);
  if (why !== null) throw new Refusal(exit.needsPerson, `systemctl could not start ${unit}: ${why}; see journalctl -u matghi -n 20`);
}

/** false: WireGuard's tools are not there, or systemd refuses. */
async function startTunnel(name: string): Promise<boolean> {
  const machine = makeMachine();
  for (const service of [`wg-quick@${name}.service`, tunnelTimer]) if ((await machine.start(service)) !== null) return false;
  return true;
}

/** Waits until every camera has footage and the station has answered, then says how it went. */
export async function showSheet(context: Context, { file, settings, waitMs }: Begun, trials: Trials, signal: AbortSignal): Promise<number> {
  const words = wordsIn(settings.site.language).setup;
  context.err(fill(words.starting, { seconds: waitMs / 1_000 }));
  await waitFor(makeClock({ driver: "none" }), settings, waitMs, signal);
  const remux = makeRemux(findTools(settings.site.state));
  // Who is no longer waited for is told what there is.
  const never = new AbortController().signal;
  const seen = await asking(settings, async (question) => ({
    cameras: await acceptance(question, remux, trials, never),
    station: readStatus(question, version).station.value,
  }));
  if (seen === null)
    throw new Refusal(exit.needsPerson, `nothing was recorded within ${waitMs / 1_000} s: the agent does not run; look at matghi doctor`);
  const heard = seen.station === "connected" ? "connected" : settings.station === undefined ? "none" : "waiting";
  const missing = seen.cameras.filter(({ bitsPerSecond }) => bitsPerSecond === null).length;
  if (context.json) context.out(JSON.stringify({ config: file, cameras: seen.cameras, station: seen.station }));
  else context.out([...verdictOf(seen.cameras, missing, settings), words.stations[heard]].join("\n"));
  return missing === 0 && heard !== "waiting" ? exit.fine : exit.needsPerson;
}

function verdictOf(cameras: readonly Accepted[], missing: number, settings: Settings): readonly string[] {
  const words = wordsIn(settings.site.language).setup;
  return [sheetText(cameras, settings), missing === 0 ? words.allGood : fill(words.missing, { count: missing })];
}

async function waitFor(clock: Clock, settings: Settings, waitMs: number, signal: AbortSignal): Promise<void> {
  const untilMonoMs = clock.monoMs() + waitMs;
  const due = recordable(settings).map(({ id }) => id);
  while (!signal.aborted && clock.monoMs() < untilMonoMs) {
    const all = await asking(settings, async (question) => due.every((id) => hasFootage(question, id)) && isHeard(question));
    if (all === true) return;
    await clock.sleep(lookEveryMs, signal);
  }
}

const isHeard = (question: Asking) =>
  question.settings.station === undefined || readStatus(question, version).station.value === "connected";

/** Asks the store, where there is one yet. */
async function asking<T>(settings: Settings, question: (asking: Asking) => Promise<T>): Promise<T | null> {
  const reads = openReads(settings.site.state);
  if (reads === null) return null;
  try {
    return await question({
      settings,
      reads,
      dating: makeDating(reads.boots()),
      running: isLocked(settings.site.state),
      nowAt: nowUtc(settings),
    });
  } finally {
    reads.close();
  }
}
