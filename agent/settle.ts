/** Settles a `.part` whose writer is gone: the seconds that can be read become a segment; what cannot be read is set aside. Loses nothing playable. */

import type { Footage, FootageFile, Recorder } from "../hal/ports.ts";
import type { Books } from "./books.ts";
import { segmentPath } from "./core/path.ts";
import type { Claim, Segment, Trust, WallMs } from "./core/types.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";

export type SettleDeps = {
  readonly recorder: Pick<Recorder, "measure">;
  readonly footage: Footage;
  readonly books: Books;
  readonly log: Log;
  readonly folder: string;
  readonly time: Pick<Time, "namedMs">;
};

/** What is known of the file besides itself. Times are on the scale of its run's boot. */
export type Torn = {
  readonly file: FootageFile;
  readonly bornAt: WallMs;
  readonly modifiedAt: WallMs;
  /** End of the file before it in the same try, where that is known. */
  readonly startAt: WallMs | null;
  /** The camera's own times are wrong: the file's times count alone. */
  readonly arrivalTimes: boolean;
  readonly clock: Trust;
  /** Its writer is known to have been gone by then; null: it ended just now. */
  readonly goneAt: WallMs | null;
  /** It was closed and named already, and only its row is missing: the time that its name tells. Null: a `.part`. */
  readonly namedAt: number | null;
};

/** The beat that dates a writer's end is at most this old when it ends. */
const beatSlackMs = 10_000;

/** Below this a file holds a header and no frame. */
const headerBytes = 4_096;

/** Resolves with the segment; null where nothing could be made of the file. A closed file stays as it is, whatever can be read of it. */
export async function settleTorn(deps: SettleDeps, torn: Torn, claim: Claim, signal: AbortSignal): Promise<Segment | null> {
  const { file } = torn;
  const measure = await deps.recorder.measure(`${deps.folder}/${file.path}`, signal);
  if (measure.kind === "failed") {
    deps.log.error(
      { file: file.path, detail: measure.detail },
      "cannot examine an unfinished file; it stays as it is until the next start",
    );
    return null;
  }
  if (measure.kind === "unreadable" && torn.namedAt !== null) return null;
  if (measure.kind === "unreadable") {
    if (file.bytes <= headerBytes) await deps.footage.remove(file.path);
    else await deps.footage.setAside(file.path);
    deps.log.warn({ file: file.path, bytes: file.bytes, detail: measure.detail }, "an unfinished file holds nothing that can be read");
    return null;
  }
  const coveredAt = deps.books.page(file.camera).coveredAt;
  const span = placeTorn(torn, measure.durationMs, coveredAt);
  const namedMs = torn.namedAt === null ? deps.time.namedMs(span.startAt) : nameShift(deps, span.startAt, torn.namedAt);
  const base = { camera: file.camera, run: file.run, number: file.number, ...span, namedMs };
  const sealed =
    torn.namedAt === null
      ? await deps.footage.seal(file.camera, file.run, file.number, segmentPath(base))
      : await deps.footage.hash(file.path);
  if (sealed === null) return null;
  const segment: Segment = { ...base, ...sealed, stream: measure.stream, clock: torn.clock, torn: torn.namedAt === null };
  deps.books.segment(segment, claim);
  return segment;
}

/** Names tell seconds: where the usual shift leads to the same name, that is it. */
export function nameShift(deps: Pick<SettleDeps, "time">, startAt: WallMs, namedAt: number): number {
  const usual = deps.time.namedMs(startAt);
  return Math.floor((startAt + usual) / 1000) * 1000 === namedAt ? usual : namedAt - startAt;
}

/** From its start for as long as it plays, and never beyond its last write. A file whose own times cannot be right ends with its writer. */
function placeTorn(torn: Torn, durationMs: number, coveredAt: WallMs | null): { startAt: WallMs; endAt: WallMs } {
  const { modifiedAt, goneAt } = torn;
  const isCredible = goneAt === null || (modifiedAt <= goneAt + beatSlackMs && modifiedAt >= (coveredAt ?? modifiedAt));
  const lastAt = isCredible ? modifiedAt : goneAt;
  const bornAt = isCredible ? torn.bornAt : lastAt - durationMs;
  const begun = (isCredible ? torn.startAt : null) ?? Math.min(bornAt, lastAt - (torn.arrivalTimes ? 0 : durationMs));
  const playsUntil = torn.arrivalTimes ? lastAt : Math.min(lastAt, begun + durationMs);
  const endAt = Math.max(playsUntil, begun + 1);
  const startAt = coveredAt !== null && coveredAt < endAt ? Math.max(begun, coveredAt) : begun;
  return { startAt: Math.round(startAt), endAt: Math.round(Math.max(endAt, startAt + 1)) };
}
