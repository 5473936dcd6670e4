/** Once at start, before anything records: close the previous run, end its children, settle its files, open the ledger's pages again. */

import type { Clock, Footage, FootageFile, Recorder } from "../hal/ports.ts";
import type { Books } from "./books.ts";
import { adjoiningStart } from "./core/arrival.ts";
import type { Change } from "./core/change.ts";
import { startOfPath } from "./core/path.ts";
import type { PastRun, Previous } from "./core/previous.ts";
import type { Claim, WallMs } from "./core/types.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import { settleTorn, type Torn } from "./settle.ts";
import type { Store } from "./store/store.ts";

const dayMs = 86_400_000;

export type RecoverDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Store;
  readonly footage: Footage;
  readonly recorder: Recorder;
  readonly books: Books;
  readonly log: Log;
  readonly folder: string;
  readonly run: number;
  /** Bounds how many files are read at once. */
  readonly inTurn: <T>(deed: () => Promise<T>) => Promise<T>;
};

/** Writes down how earlier runs ended, where they could not do so themselves. */
export function closePrevious(deps: Pick<RecoverDeps, "store" | "time">, open: readonly Previous[]): void {
  for (const { run, end, lastAliveAt } of open) {
    const data = { boot: run.boot, end, lastAlive: new Date(lastAliveAt).toISOString() };
    const change: Change = [
      { put: "run-ended", run: run.id, end, at: lastAliveAt },
      { put: "event", moment: deps.time.moment(), type: "run.ended", level: "warn", data },
    ];
    deps.store.commit(change);
  }
}

/** Nobody saw what came before a file that was left behind; a hole that was open keeps what was known of it. */
const unwitnessed = (camera: string): Claim => ({
  scope: `camera ${camera}`,
  blame: { cause: "unknown", sure: "unknown", evidence: ["not-witnessed"] },
});

/** What earlier runs wrote and could not take into the index: files closed last, then those left open. Foreign files are left alone. */
export async function settleFiles(deps: RecoverDeps, previous: Previous | null, signal: AbortSignal): Promise<void> {
  try {
    // After a database has come back these may be days of footage: they come with the comparison in the background.
    const closed = previous === null || deps.store.meta("restored") !== null ? [] : await newestWithoutRow(deps, previous);
    const parts = (await deps.footage.parts(null, null)).filter((file) => file.run < deps.run);
    const files = [...closed, ...parts];
    // One camera's files in their order, the cameras side by side: recording waits for all of them.
    const cameras = [...new Set(files.map(({ camera }) => camera))];
    await Promise.all(
      cameras.map((camera) =>
        settleInTurn(
          deps,
          previous,
          files.filter((file) => file.camera === camera),
          signal,
        ),
      ),
    );
    if (!signal.aborted) deps.store.commit([{ put: "note", note: "settled", text: String(deps.run) }]);
  } catch (error) {
    deps.log.error({ err: String(error) }, "the footage folder cannot be looked through now; the next start settles what was left open");
  }
}

async function settleInTurn(
  deps: RecoverDeps,
  previous: Previous | null,
  files: readonly FootageFile[],
  signal: AbortSignal,
): Promise<void> {
  for (const file of files) await deps.inTurn(() => settleFile(deps, previous, file, signal));
}

/** A crash between a file's name and its row leaves it in one of the last days. */
async function newestWithoutRow({ footage, store, time }: RecoverDeps, previous: Previous): Promise<readonly FootageFile[]> {
  // A life that was cut short in this very place left the work of the one before it undone.
  const fromRun = Math.min(previous.run.id, Number(store.meta("settled") ?? previous.run.id));
  const lastUtc = time.dating().toUtc(previous.lastAliveAt);
  const days = [lastUtc - dayMs, lastUtc].map((at) => new Date(at).toISOString().slice(0, 10));
  const found: FootageFile[] = [];
  for (const camera of await footage.cameras())
    for (const day of days)
      for (const file of await footage.filesOf(camera, day, fromRun))
        if (!store.hasSegment(camera, file.run, file.number)) found.push(file);
  return found.sort((a, b) => a.run - b.run || a.number - b.number);
}

async function settleFile(deps: RecoverDeps, previous: Previous | null, file: FootageFile, signal: AbortSignal): Promise<void> {
  try {
    deps.store.adoptRun(file.run);
    await settleTorn(deps, tornOf(deps, previous, file), unwitnessed(file.camera), signal);
  } catch (error) {
    deps.log.error({ file: file.path, err: String(error) }, "a file that was left behind could not be settled; the next start tries again");
  }
}

function tornOf(deps: RecoverDeps, previous: Previous | null, file: FootageFile): Torn {
  const run = deps.store.run(file.run);
  const sameBoot = run?.bootId === deps.store.run(deps.run)?.bootId;
  const offsetMs = run === null ? 0 : (deps.store.boot(run.bootId)?.offsetMs ?? 0);
  const onScale = (fileAt: number) => (sameBoot ? deps.time.at(deps.time.monoOfFile(fileAt)) : fileAt - offsetMs);
  const coveredAt = deps.books.page(file.camera).coveredAt;
  const bornAt = onScale(file.bornAt);
  const isFirstOfRun = !deps.store.hasSegment(file.camera, file.run, file.number - 1);
  return {
    ...{ file, bornAt, modifiedAt: onScale(file.modifiedAt), clock: "holdover", namedAt: startOfPath(file.path) },
    startAt: adjoiningStart(bornAt, coveredAt, isFirstOfRun),
    arrivalTimes: deps.store.camera(file.camera)?.arrivalTimes ?? false,
    goneAt: previous !== null && previous.run.id === file.run ? previous.lastAliveAt : endOf(run),
  };
}

/** When a run that is over had ended; null where the database never saw it. */
const endOf = (run: PastRun | null): WallMs | null => (run === null || run.startedAt === 0 ? null : run.endedAt);

/**
 * A database that was begun anew knows nothing of the folder's past: each camera's due time begins with its oldest footage, and until now
 * nothing is known but the files that come back. Cameras that are configured no longer are found too.
 */
export async function claimPast({ footage, store, time, log }: RecoverDeps, configured: ReadonlySet<string>, why: string): Promise<void> {
  const nowAt = time.now();
  try {
    for (const camera of await footage.cameras()) {
      const [first] = await footage.days(camera);
      const page = store.camera(camera);
      const files = first === undefined ? [] : await footage.filesOf(camera, first, 0);
      const starts = files.flatMap(({ path }) => startOfPath(path) ?? []);
      if (starts.length === 0 || page?.coveredAt != null) continue;
      const fromAt = Math.min(time.dating().fromUtc(Math.min(...starts)), nowAt - 1);
      store.commit([
        { put: "camera-left", camera, leftAt: configured.has(camera) ? null : nowAt },
        { put: "page", camera, sinceAt: fromAt, coveredAt: nowAt },
        { put: "unknown", camera, fromAt, toAt: nowAt, why },
      ]);
    }
  } catch (error) {
    log.error({ err: String(error) }, "the footage folder cannot be looked through now; its past is claimed at the next start");
  }
}
