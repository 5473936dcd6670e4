/** Once at start, before anything records: close the previous run, end its children, settle its files, open the ledger's pages again. */

import type { Clock, Footage, FootageFile, Recorder } from "../hal/ports.ts";
import type { Books } from "./books.ts";
import type { Change, RunEnd } from "./core/change.ts";
import { segmentPath, startOfPath } from "./core/path.ts";
import type { Blame, WallMs } from "./core/types.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import { settleTorn } from "./settle.ts";
import type { Live, RunRow } from "./store/reads.ts";
import type { Store } from "./store/store.ts";

/** How the previous run ended and until when it is known to have lived. Null for the first run. */
export type Previous = { readonly run: RunRow; readonly end: RunEnd; readonly lastAliveAt: WallMs } | null;

/** Judged from what it left: a stop is written down; a crash leaves the same boot, a power cut or reboot another one. */
export function judgePrevious(run: RunRow | null, live: Live | null, bootId: string): Previous {
  if (run === null) return null;
  const beatAt = live !== null && live.at > run.beatAt ? live.at : run.beatAt;
  if (run.ended !== null) return { run, end: run.ended, lastAliveAt: run.endedAt ?? beatAt };
  return { run, end: run.bootId === bootId ? "crashed" : "power-or-reboot", lastAliveAt: beatAt };
}

/** Who is to blame for the time between two runs. The cause of a reboot is not told here: unknown. */
export function blameDowntime(previous: NonNullable<Previous>): Blame {
  const lastBeat = `last-beat ${new Date(previous.lastAliveAt).toISOString()}`;
  if (previous.end === "stopped") return { cause: "box", sure: "sensed", evidence: ["clean-stop", lastBeat] };
  if (previous.end === "crashed") return { cause: "box", sure: "inferred", evidence: ["same-boot", "no-clean-stop", lastBeat] };
  return { cause: "unknown", sure: "unknown", evidence: ["boot-changed", "no-clean-stop", lastBeat] };
}

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
};

/** Writes down how the previous run ended, where it could not do so itself. */
export function closePrevious(deps: Pick<RecoverDeps, "store" | "time">, previous: Previous): void {
  if (previous === null || previous.run.ended !== null) return;
  const { run, end, lastAliveAt } = previous;
  const data = { boot: run.boot, end, lastAlive: new Date(lastAliveAt).toISOString() };
  const change: Change = [
    { put: "run-ended", run: run.id, end, at: lastAliveAt },
    { put: "event", moment: deps.time.moment(), type: "run.ended", level: "warn", data },
  ];
  deps.store.commit(change);
}

/** The files that earlier runs left open become segments. Files in the same folder that are not ours are left alone. */
export async function settleParts(deps: RecoverDeps, previous: Previous, signal: AbortSignal): Promise<number> {
  const parts = (await deps.footage.parts(null, null)).filter((file) => file.run < deps.run);
  const blame: Blame = previous === null ? { cause: "unknown", sure: "unknown", evidence: [] } : blameDowntime(previous);
  for (const file of parts) {
    try {
      await settlePart(deps, file, blame, signal);
    } catch (error) {
      deps.log.error({ file: file.path, err: String(error) }, "an unfinished file could not be settled; the next start tries again");
    }
  }
  return parts.length;
}

async function settlePart(deps: RecoverDeps, file: FootageFile, blame: Blame, signal: AbortSignal): Promise<void> {
  const sameBoot = deps.store.run(file.run)?.bootId === deps.store.run(deps.run)?.bootId;
  const onScale = (at: WallMs) => (sameBoot ? deps.time.at(deps.time.monoOfFile(at)) : at);
  const coveredAt = deps.books.page(file.camera).coveredAt;
  const bornAt = onScale(file.bornAt);
  // Files of one try adjoin: one born within a breath of the end of coverage continues it.
  const startAt = coveredAt !== null && Math.abs(bornAt - coveredAt) < 2_000 ? coveredAt : null;
  const arrivalTimes = deps.store.camera(file.camera)?.arrivalTimes ?? false;
  await settleTorn(deps, { file, bornAt, modifiedAt: onScale(file.modifiedAt), startAt, arrivalTimes, clock: "holdover" }, blame, signal);
}

/**
 * In the background: every closed file of the folder has its row, and every row its file. Files that lost their row come back with it;
 * rows that lost their file become a deletion. Foreign files are left alone and returned by name.
 */
export async function settleIndex(deps: RecoverDeps, signal: AbortSignal): Promise<readonly string[]> {
  const foreign: string[] = [];
  for await (const day of deps.footage.closed()) {
    if (signal.aborted) break;
    for (const file of day.files) await indexLost(deps, file, signal);
    forgetMissing(deps, day.files);
    foreign.push(...day.foreign.slice(0, 100 - foreign.length));
    await deps.clock.sleep(5, signal);
  }
  return foreign;
}

async function indexLost(deps: RecoverDeps, file: FootageFile, signal: AbortSignal): Promise<void> {
  if (file.run >= deps.run || deps.store.hasSegment(file.camera, file.run, file.number)) return;
  const measure = await deps.recorder.measure(`${deps.folder}/${file.path}`, signal);
  const startAt = startOfPath(file.path);
  if (measure.kind !== "readable" || startAt === null)
    return deps.log.warn({ file: file.path }, "a footage file without a row cannot be read; it stays as it is");
  const sealed = await deps.footage.hash(file.path);
  const times = { startAt, endAt: startAt + measure.durationMs };
  const segment = {
    camera: file.camera,
    run: file.run,
    number: file.number,
    ...times,
    ...sealed,
    stream: "main",
    clock: "holdover",
    torn: false,
  } as const;
  if (deps.store.run(file.run) === null)
    return deps.log.warn({ file: file.path }, "a footage file of a run this database never saw; `matghi repair` takes it in");
  deps.store.commit([{ put: "segment", segment }]);
}

/** A row whose file is gone is no footage: it becomes a deletion, so that nobody is promised what is not there. */
function forgetMissing(deps: RecoverDeps, files: readonly FootageFile[]): void {
  const [first] = files;
  const day = first === undefined ? null : startOfPath(first.path);
  if (first === undefined || day === null) return;
  const fromAt = Math.floor(day / 86_400_000) * 86_400_000;
  const there = new Set(files.map((file) => `${file.run}-${file.number}`));
  const rows = deps.store.segmentsBetween(first.camera, { fromAt, toAt: fromAt + 86_400_000 }).filter((row) => row.run < deps.run);
  const missing = rows.filter((row) => !there.has(`${row.run}-${row.number}`));
  if (missing.length === 0) return;
  deps.log.error(
    { camera: first.camera, files: missing.slice(0, 5).map(segmentPath), count: missing.length },
    "footage files are gone without us",
  );
  const segments = missing.map((row) => row.id);
  deps.store.commit([
    { put: "doom", segments, why: "file missing", at: deps.time.now() },
    { put: "forget", segments },
  ]);
}
