/** Once at start, before anything records: close earlier runs, end their children, settle their files, open the ledger's pages again. */

import type { Box, Clock, Footage, FootageFile, Recorder } from "../hal/ports.ts";
import type { Books } from "./books.ts";
import { adjoiningStart } from "./core/arrival.ts";
import type { Change } from "./core/change.ts";
import type { OpenGap } from "./core/ledger.ts";
import { startOfPath } from "./core/path.ts";
import {
  blameDowntime,
  explainBy,
  explaining,
  judgePrevious,
  lastEnded,
  type PastRun,
  type Previous,
  type Traces,
} from "./core/previous.ts";
import type { Claim, WallMs } from "./core/types.ts";
import { claimFolder } from "./disk.ts";
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
  readonly site: string;
  readonly run: number;
  /** Bounds how many files are read at once. */
  readonly inTurn: <T>(deed: () => Promise<T>) => Promise<T>;
};

/** What is said of the time that a new database knows nothing of. */
export const lostPast = "journal reset";

/** How the runs before this one ended. */
export type Past = {
  /** The one whose end explains the down-time; null: this is the first run. */
  readonly previous: Previous | null;
  /** Those that could not say so themselves, oldest first. */
  readonly unended: readonly Previous[];
};

/** Looks at the runs before this one; before it writes anything. `beat`: the latest one of the state folder. */
export async function lookBack(box: Box, store: Store, beat: Traces["beat"]): Promise<Past> {
  const bootId = box.bootId();
  const power = store.conditions().find((row) => row.subject === "power")?.value ?? "unknown";
  const last = store.lastRun();
  const unended: Previous[] = [];
  for (const run of store.openRuns()) {
    const inOrder = run.bootId === bootId ? null : await box.shutDownInOrder(run.bootId);
    const live = run.id === last?.id ? store.live() : null;
    unended.push(judgePrevious({ run, live, beat, bootId, inOrder, power }));
  }
  return { previous: explaining(lastEnded(last, bootId, power), unended), unended };
}

/** Takes over what earlier runs left, in this order; recording begins when it is done. `cameras`: those that are configured. */
export async function recover(
  deps: RecoverDeps,
  previous: Previous | null,
  cameras: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const { store, books, log } = deps;
  const orphans = await deps.recorder.reap();
  if (orphans > 0) log.warn({ orphans }, "ended recorders that an earlier agent left behind");
  await claimFolder(deps.folder, deps.site, deps.footage, store).catch((error: unknown) =>
    log.error({ err: String(error) }, "the footage folder cannot be taken into service"),
  );
  if (store.meta("reset") !== null) await claimPast(deps, cameras);
  const isRestored = store.meta("restored") !== null;
  // A torn file begins where its camera's footage ended, not where the ledger of the copy did.
  if (isRestored) leaveOpen(books, store, (camera) => store.newestEnd(camera) ?? 0);
  await settleFiles(deps, previous, signal);
  if (isRestored) {
    leaveOpen(books, store, deps.time.now);
    store.commit([{ put: "note", note: "restored", text: null }]);
  } else openPages(books, store, previous);
}

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
async function settleFiles(deps: RecoverDeps, previous: Previous | null, signal: AbortSignal): Promise<void> {
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
async function claimPast({ footage, store, time, log }: RecoverDeps, configured: ReadonlySet<string>): Promise<void> {
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
        { put: "unknown", camera, fromAt, toAt: nowAt, why: lostPast },
      ]);
    }
  } catch (error) {
    log.error({ err: String(error) }, "the footage folder cannot be looked through now; its past is claimed at the next start");
  }
}

/** It was dead, started, and died of something else before it recorded: hours without power are not the restart's before them. */
const diedAnew = (gap: OpenGap, downtime: Claim) => gap.claim.scope === "box" && gap.claim.blame.cause !== downtime.blame.cause;

/** The time between two runs belongs to the box; a hole that was open when the box lost power may be explained by that now. */
function openPages(books: Books, store: Store, previous: Previous | null): void {
  if (previous === null) return;
  const downtime = blameDowntime(previous);
  for (const row of store.cameras()) {
    if (row.leftAt !== null || row.coveredAt === null) continue;
    const { gap } = books.page(row.id);
    const better = gap === null ? null : explainBy(previous, gap);
    if (better !== null) books.reblame(row.id, better);
    if (gap !== null && diedAnew(gap, downtime)) books.split(row.id, previous.lastAliveAt);
    books.open(row.id, downtime);
  }
}

/** A ledger that came back from a copy: nobody here knows what became of it since. Footage of that time, known or found, lies over it when read. */
function leaveOpen(books: Books, store: Store, toAtOf: (camera: string) => WallMs): void {
  for (const { id: camera, leftAt, sinceAt, coveredAt } of store.cameras()) {
    const toAt = toAtOf(camera);
    if (leftAt !== null || coveredAt === null || coveredAt >= toAt) continue;
    const page = books.page(camera);
    const closing = page.gap === null ? [] : [{ ...page.gap, toAt: Math.max(page.gap.fromAt, coveredAt) }];
    books.turn({ ...page, coveredAt: toAt, gap: null }, [
      ...closing.map(({ toAt: endAt, claim, fault }) => ({ put: "gap-closed", camera, toAt: endAt, claim, fault }) as const),
      { put: "unknown", camera, fromAt: coveredAt, toAt, why: lostPast },
      { put: "page", camera, sinceAt: sinceAt ?? coveredAt, coveredAt: toAt },
    ]);
  }
}
