/**
 * Reads many rows without an object of SQLite's for each: a function of ours is called with the columns, from SQLite's own loop. A month of
 * files takes a tenth of the time that `all` takes (measured: 37,000 rows in 6 ms, against 55). The order is the caller's affair.
 */
import type { See } from "../core/stretch.ts";
import type { Blame, Cause, Gap, Sure, WallMs } from "../core/types.ts";
import type { Database } from "./database.ts";
import { cache, clockOf, streamOf } from "./writes.ts";

export type Scan = {
  /** `source`: rows of `s`, from FROM on. */
  files(see: See, source: string, ...values: readonly unknown[]): void;
  /** `source`: rows of `g` and of their camera `c`, from FROM on. */
  gaps(source: string, ...values: readonly unknown[]): Gap[];
};

export function makeScan(db: Database): Scan {
  const sql = cache(db);
  let seeFile: See = () => undefined;
  db.function("see_file", (startAt: WallMs, endAt: WallMs, bytes: number, flags: number) => {
    seeFile(startAt, endAt, bytes, streamOf(flags), clockOf(flags));
    return 0;
  });
  let reading = { gaps: [] as Gap[], blames: makeBlames() };
  db.function(
    "see_gap",
    (id: number, camera: string, fromAt: WallMs, toAt: WallMs | null, cause: Cause, sure: Sure, evidence: string, fault: number) => {
      const { gaps, blames } = reading;
      const before = gaps.at(-1)?.camera;
      gaps.push({ id, camera: camera === before ? before : camera, fromAt, toAt, blame: blames(cause, sure, evidence), fault });
      return 0;
    },
  );
  return {
    files: (see, source, ...values) => {
      seeFile = see;
      sql(`SELECT count(see_file(s.start_at, s.end_at, s.bytes, s.flags)) ${source}`).get(...values);
    },
    gaps: (source, ...values) => {
      reading = { gaps: [], blames: makeBlames() };
      sql(`SELECT count(see_gap(g.id, c.name, g.from_at, g.to_at, g.cause, g.sure, g.evidence, g.fault)) ${source}`).get(...values);
      return reading.gaps;
    },
  };
}

/** Gaps of one reading with the same cause and evidence share one object: a hundred thousand of them are a few kinds. */
function makeBlames(): (cause: Cause, sure: Sure, evidence: string) => Blame {
  const known = new Map<string, Blame>();
  return (cause, sure, evidence) => {
    const alike = known.get(evidence);
    if (alike?.cause === cause && alike.sure === sure) return alike;
    const blame: Blame = { cause, sure, evidence: JSON.parse(evidence) as string[] };
    known.set(evidence, blame);
    return blame;
  };
}
