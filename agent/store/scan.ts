/**
 * Reads many rows without an object of SQLite's for each: a function of ours is called with the columns, from SQLite's own loop. A month of
 * files takes a fifth of the time that `all` takes (measured: 37,000 rows in 10 ms, against 55). The order is the caller's affair.
 */
import type { Piece } from "../core/stretch.ts";
import type { Cause, Gap, Sure, WallMs } from "../core/types.ts";
import type { Database } from "./database.ts";
import { cache, clockOf, streamOf } from "./writes.ts";

export type Scan = {
  /** `source`: rows of `s`, from FROM on. */
  files(source: string, ...values: readonly unknown[]): Piece[];
  /** `source`: rows of `g` and of their camera `c`, from FROM on. */
  gaps(source: string, ...values: readonly unknown[]): Gap[];
};

export function makeScan(db: Database): Scan {
  const sql = cache(db);
  let files: Piece[] = [];
  let gaps: Gap[] = [];
  db.function("see_file", (startAt: WallMs, endAt: WallMs, bytes: number, flags: number) => {
    files.push({ startAt, endAt, bytes, stream: streamOf(flags), clock: clockOf(flags) });
    return 0;
  });
  db.function(
    "see_gap",
    (id: number, camera: string, fromAt: WallMs, toAt: WallMs | null, cause: Cause, sure: Sure, evidence: string, fault: number) => {
      gaps.push({ id, camera, fromAt, toAt, blame: { cause, sure, evidence: JSON.parse(evidence) as string[] }, fault });
      return 0;
    },
  );
  return {
    files: (source, ...values) => {
      files = [];
      sql(`SELECT count(see_file(s.start_at, s.end_at, s.bytes, s.flags)) ${source}`).get(...values);
      return files;
    },
    gaps: (source, ...values) => {
      gaps = [];
      sql(`SELECT count(see_gap(g.id, c.name, g.from_at, g.to_at, g.cause, g.sure, g.evidence, g.fault)) ${source}`).get(...values);
      return gaps;
    },
  };
}
