/** Which cameras record: starts and stops their loops, and writes down who joined and who left. */
import type { Credential } from "../hal/ports.ts";
import { readSecret } from "./config/rules.ts";
import type { CameraSettings, Settings } from "./config/schema.ts";
import type { Change } from "./core/change.ts";
import type { WallMs } from "./core/types.ts";
import { type Eye, newEye } from "./eye.ts";
import { type CameraJob, type RecordDeps, recordCamera } from "./record.ts";
import type { Store } from "./store/store.ts";

/** A run's file numbers of cameras that left: one that comes back goes on from there. */
type Numbers = Map<string, number>;
type Loop = { readonly fingerprint: string; readonly stop: AbortController; readonly done: Promise<void> };
export type RosterDeps = RecordDeps & {
  readonly store: Store;
  /** What is said of the time between a camera's hand-over and our first look at it. */
  readonly pastIs: string;
};
export type Roster = { apply(settings: Settings): Promise<void>; stop(): Promise<void> };

/** `eyes` is filled and emptied with the roster. */
export function makeRoster(deps: RosterDeps, eyes: Map<string, Eye>, startedAt: WallMs): Roster {
  const loops = new Map<string, Loop>();
  const numbers: Numbers = new Map();
  const halt = async (id: string) => {
    const loop = loops.get(id);
    loop?.stop.abort();
    await loop?.done;
    loops.delete(id);
  };
  const leave = async (id: string) => {
    await halt(id);
    numbers.set(id, eyes.get(id)?.nextNumber ?? 1);
    eyes.delete(id);
    deps.store.commit(leaving(deps, id));
  };
  let begun = false;
  const join = (settings: Settings, camera: CameraSettings, fingerprint: string) => {
    enrol(deps, camera, begun ? deps.time.now() : startedAt);
    const eye = eyes.get(camera.id) ?? newEye(camera.id, numbers.get(camera.id) ?? 1);
    eyes.set(camera.id, eye);
    const stop = new AbortController();
    const done = recordCamera(deps, jobOf(settings, camera), eye, stop.signal);
    loops.set(camera.id, { fingerprint, stop, done });
  };
  return {
    apply: async (settings) => {
      const wanted = settings.cameras.filter((camera) => camera.url !== undefined || camera.onvif !== undefined);
      const gone = deps.store.cameras().filter((row) => row.leftAt === null && !wanted.some((camera) => camera.id === row.id));
      await Promise.all(gone.map((row) => leave(row.id)));
      for (const camera of wanted) {
        const fingerprint = fingerprintOf(settings, camera);
        if (loops.get(camera.id)?.fingerprint === fingerprint) continue;
        await halt(camera.id);
        join(settings, camera, fingerprint);
      }
      begun = true;
    },
    stop: async () => {
      await Promise.all([...loops.keys()].map(halt));
    },
  };
}

/** A new camera's page begins at its hand-over; what lies before our first look is unknown, not a gap. One that came back was not due meanwhile. */
function enrol(deps: RosterDeps, camera: CameraSettings, fromAt: WallMs): void {
  const page = deps.books.page(camera.id);
  const row = deps.store.camera(camera.id);
  if (row === null) deps.store.commit([{ put: "camera-left", camera: camera.id, leftAt: null }]);
  if (row?.leftAt != null) {
    comeBack(deps, camera.id, Math.max(row.leftAt, page.coveredAt ?? 0));
    return;
  }
  if (camera.since === undefined || page.coveredAt !== null) return;
  // Before hand-over nothing is due, which the questions know; the books begin with the first look all the same.
  const sinceAt = Math.min(deps.time.dating().fromUtc(camera.since), fromAt);
  const coveredAt = fromAt;
  const change: Change = [
    { put: "page", camera: camera.id, sinceAt, coveredAt },
    ...(sinceAt < fromAt ? ([{ put: "unknown", camera: camera.id, fromAt: sinceAt, toAt: fromAt, why: deps.pastIs }] as const) : []),
  ];
  deps.books.turn({ ...page, sinceAt, coveredAt }, change);
}

function comeBack(deps: RosterDeps, camera: string, leftAt: WallMs): void {
  const page = deps.books.page(camera);
  const nowAt = deps.time.now();
  const scope = `plan ${camera}`;
  const claim = { scope, blame: { cause: "planned", sure: "sensed", evidence: ["not-configured"] } } as const;
  const fault = deps.books.newFault(scope, leftAt, nowAt);
  const change: Change = [
    { put: "camera-left", camera, leftAt: null },
    ...(page.sinceAt === null || nowAt <= leftAt
      ? []
      : ([
          { put: "gap-opened", camera, fromAt: leftAt, claim, fault },
          { put: "gap-closed", camera, toAt: nowAt, claim, fault },
          { put: "page", camera, sinceAt: page.sinceAt, coveredAt: nowAt },
        ] as const)),
  ];
  deps.books.turn({ ...page, coveredAt: page.sinceAt === null ? null : nowAt, gap: null }, change);
}

function leaving(deps: RecordDeps, camera: string): Change {
  const page = deps.books.page(camera);
  // Its last file is closed by now: due time ends with it, or with the hole that is open.
  const leftAt = page.gap === null ? (page.coveredAt ?? deps.time.now()) : deps.time.now();
  const open =
    page.gap === null
      ? []
      : ([{ put: "gap-closed", camera, toAt: Math.max(leftAt, page.gap.fromAt), claim: page.gap.claim, fault: page.gap.fault }] as const);
  return [...open, { put: "camera-left", camera, leftAt }];
}

/** What a running loop was started with; where nothing of it changed, nothing is restarted. */
function fingerprintOf(settings: Settings, camera: CameraSettings): string {
  const { url, fallback, onvif, transport, username, passwordFile } = camera;
  const { folder, segment, sync, audio, retryMain } = settings.recording;
  return JSON.stringify([url, fallback, onvif, transport, username, passwordFile, folder, segment, sync, audio, retryMain]);
}

function jobOf(settings: Settings, camera: CameraSettings): CameraJob {
  const { recording } = settings;
  const index = settings.cameras.findIndex((entry) => entry.id === camera.id);
  return {
    ...{
      id: camera.id,
      transport: camera.transport,
      audio: recording.audio,
      segmentMs: recording.segment,
      syncMs: recording.sync,
      retryMainMs: recording.retryMain,
    },
    // Cameras cut their files at different moments, so that flushing and hashing spread over the segment's length.
    cutOffsetMs: Math.floor((index * recording.segment) / settings.cameras.length),
    credential: () => credentialOf(camera),
  };
}

/** The login of a camera, read anew each time. Throws where its file cannot be read. */
export function credentialOf({ username, passwordFile }: CameraSettings): Credential | null {
  return username === undefined || passwordFile === undefined ? null : { username, password: readSecret(passwordFile) };
}
