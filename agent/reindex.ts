/**
 * Every closed file of the folder has its row, and every row its file. Files that lost their row come back with it; rows that lost their
 * file become a deletion. Foreign files are left alone and named. In the background at every start, and by hand with `matghi repair`.
 */

import type { Clock, Footage, FootageFile, Recorder } from "../hal/ports.ts";
import type { Dating } from "./core/dating.ts";
import { dayOfPath, segmentPath, startOfPath } from "./core/path.ts";
import { tellToll, tollOf } from "./core/toll.ts";
import type { Segment, WallMs } from "./core/types.ts";
import type { Log } from "./log.ts";
import type { Reads } from "./store/reads.ts";
import type { Store } from "./store/store.ts";

export type ReindexDeps = {
  readonly clock: Clock;
  readonly store: Reads & Pick<Store, "commit" | "adoptRun">;
  readonly footage: Footage;
  readonly recorder: Pick<Recorder, "measure">;
  readonly dating: () => Dating;
  readonly nowAt: () => WallMs;
  readonly log: Log;
  readonly folder: string;
  /** Files and rows from this run on belong to a running agent and are left alone. */
  readonly below: number;
  /** Looks and counts, and writes nothing. */
  readonly dry: boolean;
};
export type Reindexed = {
  readonly foreign: readonly string[];
  readonly returned: number;
  readonly missing: number;
  readonly unreadable: readonly string[];
};

const dayMs = 86_400_000;
const mostNamed = 100;
/** Between two folders, so that recording has the disk and the event loop. */
const pauseMs = 5;

export async function reindex(deps: ReindexDeps, signal: AbortSignal): Promise<Reindexed> {
  const foreign: string[] = [];
  const unreadable: string[] = [];
  const seen = new Set<string>();
  const counts = { returned: 0, missing: 0 };
  for await (const folder of deps.footage.closed()) {
    if (signal.aborted) break;
    for (const file of folder.files) {
      if (signal.aborted) break;
      const back = await takeIn(deps, file, signal);
      if (back === "returned") counts.returned += 1;
      if (back === "unreadable" && unreadable.length < mostNamed) unreadable.push(file.path);
    }
    const [first] = folder.files;
    if (first !== undefined) {
      seen.add(`${first.camera}/${dayOfPath(first.path)}`);
      counts.missing += await forgetMissing(deps, first.camera, dayOfPath(first.path), folder.files);
    }
    foreign.push(...folder.foreign.slice(0, mostNamed - foreign.length));
    await deps.clock.sleep(pauseMs, signal);
  }
  if (!signal.aborted) counts.missing += await forgetDays(deps, seen, signal);
  return { foreign, unreadable, ...counts };
}

/** A file without a row, measured and hashed. Its name tells its start to the second. */
async function takeIn(deps: ReindexDeps, file: FootageFile, signal: AbortSignal): Promise<"known" | "returned" | "unreadable"> {
  if (file.run >= deps.below || deps.store.hasSegment(file.camera, file.run, file.number)) return "known";
  const measure = await deps.recorder.measure(`${deps.folder}/${file.path}`, signal);
  const namedAt = startOfPath(file.path);
  if (measure.kind === "failed") return "known";
  if (measure.kind !== "readable" || namedAt === null) {
    deps.log.warn({ file: file.path }, "a footage file without a row cannot be read; it stays as it is");
    return "unreadable";
  }
  if (deps.dry) return "returned";
  const sealed = await deps.footage.hash(file.path);
  deps.store.adoptRun(file.run);
  const startAt = deps.dating().fromUtc(namedAt);
  const segment: Segment = {
    ...{ camera: file.camera, run: file.run, number: file.number, startAt, endAt: startAt + measure.durationMs },
    ...{ ...sealed, stream: measure.stream, clock: "holdover", torn: false, namedMs: namedAt - startAt },
  };
  deps.store.commit([{ put: "segment", segment }]);
  return "returned";
}

/** A row whose file is gone is no footage: it becomes a deletion, so that nobody is promised what is not there. Only a disk in service proves an absence. */
async function forgetMissing(deps: ReindexDeps, camera: string, day: WallMs, files: readonly FootageFile[]): Promise<number> {
  const there = new Set(files.map((file) => `${file.run}-${file.number}`));
  const rows = deps.store.segmentsNamed(camera, { fromAt: day, toAt: day + dayMs }).filter((row) => row.run < deps.below);
  const suspects = rows.filter((row) => !there.has(`${row.run}-${row.number}`));
  const missing = [];
  for (const row of suspects) if (!(await deps.footage.has(segmentPath(row)))) missing.push(row);
  if (missing.length === 0 || (await deps.footage.inspect(deps.store.meta("folder"))).value !== "ok") return 0;
  deps.log.error({ camera, files: missing.slice(0, 5).map(segmentPath), count: missing.length }, "footage files are gone without us");
  if (deps.dry) return missing.length;
  const segments = missing.map((row) => row.id);
  const moment = { at: deps.nowAt(), monoMs: Math.round(deps.clock.monoMs()), clock: deps.clock.trust() };
  deps.store.commit([
    { put: "doom", segments, why: "file missing", at: moment.at },
    { put: "forget", segments },
    ...tellToll(moment, "file missing", tollOf(missing)),
  ]);
  return missing.length;
}

/** Days of which the index knows and the folder shows nothing. */
async function forgetDays(deps: ReindexDeps, seen: ReadonlySet<string>, signal: AbortSignal): Promise<number> {
  let missing = 0;
  for (const { camera, day } of deps.store.namedDays()) {
    if (signal.aborted) return missing;
    if (seen.has(`${camera}/${day}`)) continue;
    missing += await forgetMissing(deps, camera, day, []);
    await deps.clock.sleep(pauseMs, signal);
  }
  return missing;
}
