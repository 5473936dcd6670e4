/** What the tables answer. Every list is bounded by its question or by a limit. */
import type { NewHold } from "../core/change.ts";
import type { DatedBoot, UtcMs } from "../core/dating.ts";
import type { Drawn } from "../core/drawn.ts";
import type { OpenGap } from "../core/ledger.ts";
import type { CameraLine } from "../core/line.ts";
import type { PastRun } from "../core/previous.ts";
import type { Entry, EntryFacts, Viewer } from "../core/register.ts";
import type { See } from "../core/stretch.ts";
import type {
  Blame,
  CameraState,
  Cause,
  Condition,
  EventRow,
  EventType,
  Gap,
  Segment,
  Span,
  StreamName,
  Subject,
  Sure,
  Trust,
  WallMs,
} from "../core/types.ts";
import type { WifiFacts } from "../core/wifi.ts";
import type { Database } from "./database.ts";
import { makeScan } from "./scan.ts";
import { cache, clockOf, flag, free, streamOf } from "./writes.ts";

/** A camera as the store holds it. */
export type CameraRow = {
  readonly id: string;
  readonly sinceAt: WallMs | null;
  readonly coveredAt: WallMs | null;
  readonly leftAt: WallMs | null;
  readonly state: CameraState;
  readonly why: string | null;
  readonly stateSinceAt: WallMs | null;
  readonly stream: StreamName;
  readonly arrivalTimes: boolean;
  readonly udp: boolean;
};

/** One camera of the live row. What it says of itself is not there where it was never asked. */
export type LiveCamera = {
  readonly lastFrameAt: WallMs | null;
  readonly openFromAt: WallMs | null;
  /** Of the file being written; not there in a row that an older matghi wrote. */
  readonly stream?: StreamName | undefined;
  /** Its clock minus the box's; null: it does not tell, or was never set. */
  readonly clockOffsetMs?: number | null | undefined;
  readonly neverSet?: boolean | undefined;
  /** Why its ONVIF side does not answer; null: it does. */
  readonly problem?: string | null | undefined;
  /** Its line as it was seen last while it recorded; null: not yet. */
  readonly line?: CameraLine | null | undefined;
};

/** What the running agent renews about every second. */
export type Live = {
  readonly at: WallMs;
  readonly cameras: Readonly<Record<string, LiveCamera>>;
  readonly freeBytes: number | null;
  readonly usedBytes: number;
  readonly clock: Trust;
  /** How far the box's clock may be from UTC; null where nobody tells, not there in a row that an older matghi wrote. */
  readonly clockErrorMs?: number | null | undefined;
  /** The senses that were chosen; not there in a row that an older matghi wrote. */
  readonly drivers?: Readonly<Record<"power" | "link", string>> | undefined;
  /** Not there where the box's own link is no wifi. */
  readonly wifi?: WifiFacts | undefined;
};

/** A segment as the sweep and the export need it. */
export type SegmentRow = Segment & { readonly id: number };
/** A hold that is not lifted. */
export type HoldRow = NewHold & { readonly id: number; readonly bytes: number };
export type EventFilter = {
  readonly fromAt: WallMs;
  readonly toAt: WallMs;
  readonly type: string | null;
  readonly afterG: number;
  readonly limit: number;
};

export type Reads = ReturnType<typeof makeReads>;

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** No segment is longer: ten minutes by configuration, and a group of pictures. */
const longestMs = 3_600_000;

const cameraColumns =
  "name AS id, since_at AS sinceAt, covered_at AS coveredAt, left_at AS leftAt, state, why, state_since AS stateSinceAt, stream, arrival_times AS arrivalTimes, udp";
const segmentColumns = "s.id, c.name AS camera, s.run, s.number, s.start_at, s.end_at, s.bytes, s.sha256, s.flags, s.named_ms";
const kept = `s.flags & ${flag.doomed} = 0`;
const runColumns =
  "run.id, boot.boot_id || '.' || run.id AS boot, boot.boot_id AS bootId, started_at AS startedAt, beat_at AS beatAt, ended, ended_at AS endedAt";

type RawSegment = {
  id: number;
  camera: string;
  run: number;
  number: number;
  start_at: number;
  end_at: number;
  bytes: number;
  sha256: Buffer;
  flags: number;
  named_ms: number;
};
type RawGap = {
  id: number;
  camera: string;
  from_at: number;
  to_at: number | null;
  cause: Cause;
  sure: Sure;
  evidence: string;
  scope: string;
  told: Cause;
  fault: number;
};
type RawEvent = {
  g: number;
  boot: string;
  seq: number;
  at: number;
  clock: Trust;
  monoMs: number;
  type: EventType;
  level: EventRow["level"];
  data: string;
};

const toSegment = (row: RawSegment): SegmentRow => ({
  ...{ id: row.id, camera: row.camera, run: row.run, number: row.number, startAt: row.start_at, endAt: row.end_at, bytes: row.bytes },
  ...{ sha256: row.sha256.toString("hex"), stream: streamOf(row.flags), clock: clockOf(row.flags), torn: (row.flags & flag.torn) !== 0 },
  namedMs: row.named_ms,
});
const toGap = (row: RawGap): Gap => {
  const blame: Blame = { cause: row.cause, sure: row.sure, evidence: JSON.parse(row.evidence) as string[] };
  return { id: row.id, camera: row.camera, fromAt: row.from_at, toAt: row.to_at, blame, fault: row.fault };
};
const toEvent = (row: RawEvent): EventRow => ({ ...row, data: JSON.parse(row.data) });

export function makeReads(db: Database) {
  const sql = cache(db);
  const scan = makeScan(db);
  const all = <T>(text: string, ...values: unknown[]) => sql(text).all(...values) as T[];
  const one = <T>(text: string, ...values: unknown[]) => sql(text).get(...values) as T | undefined;
  const meta = (key: string) => one<{ value: string }>("SELECT value FROM meta WHERE key = ?", key)?.value ?? null;
  const cameraNumber = (camera: string) => one<{ id: number }>("SELECT id FROM camera WHERE name = ?", camera)?.id ?? -1;
  /** From day to day along the index; a file that reaches over midnight is its first day's. */
  const plainDays = (camera: number): readonly number[] => {
    const days = new Set<number>();
    for (let afterAt = 0; ; ) {
      const next = one<{ start_at: number; end_at: number }>(
        "SELECT start_at, end_at FROM segment WHERE camera = ? AND end_at > ? ORDER BY end_at LIMIT 1",
        ...[camera, afterAt],
      );
      if (next === undefined) return [...days];
      const day = Math.floor(next.start_at / dayMs);
      afterAt = days.has(day) ? next.end_at : (day + 1) * dayMs;
      days.add(day);
    }
  };
  /** Ids tell nothing of age: a rebuilt index has them camera by camera. Each camera's oldest stand together in the index of times. */
  const oldestUntil = (untilAt: WallMs, limit: number): readonly SegmentRow[] =>
    all<{ id: number }>("SELECT id FROM camera")
      .flatMap((camera) =>
        all<{ id: number; endAt: WallMs }>(
          `SELECT id, end_at AS endAt FROM segment s INDEXED BY segment_time WHERE camera = ? AND end_at <= ? AND ${kept} AND ${free} ORDER BY end_at LIMIT ?`,
          ...[camera.id, untilAt, limit],
        ),
      )
      .sort((a, b) => a.endAt - b.endAt || a.id - b.id)
      .slice(0, limit)
      .flatMap(({ id }) =>
        all<RawSegment>(`SELECT ${segmentColumns} FROM segment s JOIN camera c ON c.id = s.camera WHERE s.id = ?`, id).map(toSegment),
      );
  const touching = (table: "deletion" | "unknown", camera: string, span: Span) =>
    all<Span & { readonly why: string }>(
      `SELECT from_at AS fromAt, to_at AS toAt, why FROM ${table} WHERE camera = ? AND to_at > ? AND from_at < ? ORDER BY from_at`,
      ...[cameraNumber(camera), span.fromAt, span.toAt],
    );
  const heldBytes = (camera: string, span: Span) =>
    one<{ bytes: number }>(
      `SELECT coalesce(sum(bytes), 0) AS bytes FROM segment s WHERE camera = ? AND end_at > ? AND end_at <= ? + ${longestMs} AND start_at < ? AND ${kept}`,
      ...[cameraNumber(camera), span.fromAt, span.toAt, span.toAt],
    )?.bytes ?? 0;
  const cameraRow = (row: CameraRow): CameraRow => ({ ...row, arrivalTimes: Boolean(row.arrivalTimes), udp: Boolean(row.udp) });

  return {
    meta,
    cameras: () => all<CameraRow>(`SELECT ${cameraColumns} FROM camera ORDER BY id`).map(cameraRow),
    camera: (camera: string) => {
      const row = one<CameraRow>(`SELECT ${cameraColumns} FROM camera WHERE name = ?`, camera);
      return row === undefined ? null : cameraRow(row);
    },
    lastRun: () => one<PastRun>(`SELECT ${runColumns} FROM run JOIN boot ON boot.id = run.boot ORDER BY run.id DESC LIMIT 1`) ?? null,
    /** The last run that wrote here, and is not just known by its footage; null: none did. */
    lastOwnRun: () => one<{ id: number | null }>("SELECT max(id) AS id FROM run WHERE started_at > 0")?.id ?? null,
    /** Runs whose end nobody has written down, oldest first. */
    openRuns: () => all<PastRun>(`SELECT ${runColumns} FROM run JOIN boot ON boot.id = run.boot WHERE ended IS NULL ORDER BY run.id`),
    run: (id: number) => one<PastRun>(`SELECT ${runColumns} FROM run JOIN boot ON boot.id = run.boot WHERE run.id = ?`, id) ?? null,
    boot: (bootId: string) =>
      one<{ id: number; epochAt: WallMs; offsetMs: number }>(
        "SELECT id, epoch_at AS epochAt, coalesce((SELECT offset_ms FROM clock_step s WHERE s.boot = b.id ORDER BY s.id DESC LIMIT 1), 0) AS offsetMs FROM boot b WHERE boot_id = ?",
        bootId,
      ) ?? null,
    live: (): Live | null => {
      const row = one<{ body: string }>("SELECT body FROM live");
      return row === undefined ? null : (JSON.parse(row.body) as Live);
    },
    conditions: () =>
      all<{ subject: Subject; value: string; since_at: number | null; evidence: string }>("SELECT * FROM condition").map(
        (row): Condition & { subject: Subject } => ({
          ...{ subject: row.subject, value: row.value, sinceAt: row.since_at, evidence: JSON.parse(row.evidence) as string[] },
        }),
      ),
    openGap: (camera: string): OpenGap | null => {
      const row = one<RawGap>("SELECT *, '' AS camera FROM gap WHERE camera = ? AND to_at IS NULL", cameraNumber(camera));
      if (row === undefined) return null;
      return { fromAt: row.from_at, claim: { blame: toGap(row).blame, scope: row.scope }, told: row.told, fault: row.fault };
    },
    lastFault: () => Number(meta("fault") ?? 0),
    /** Boots and the steps of their clocks, to read stored times as UTC. */
    boots: () =>
      all<{ fromAt: WallMs; toAt: WallMs; offsetMs: number; synced: number }>(bootSelect).map(
        (row): DatedBoot => ({ ...row, synced: row.synced === 1 }),
      ),
    /** The latest moment that any row tells of. */
    latestAt: () =>
      one<{ at: number }>(
        "SELECT max(coalesce((SELECT max(max(beat_at, coalesce(ended_at, 0))) FROM run), 0), coalesce((SELECT max(covered_at) FROM camera), 0), coalesce((SELECT at FROM live), 0)) AS at",
      )?.at ?? 0,
    /** Gaps that touch the span; of one camera or of all, oldest first. Those of a camera do not overlap: one at most reaches over the begin. */
    gaps: (camera: string | null, span: Span): readonly Gap[] => {
      const one = camera === null ? [] : [camera];
      // CROSS JOIN, here and below: without statistics SQLite would rather read all of the right table than look each camera up in its index.
      const found = scan.gaps(
        `FROM camera c CROSS JOIN gap g ON g.camera = c.id AND g.from_at < ?
         AND g.from_at >= coalesce((SELECT from_at FROM gap WHERE camera = c.id AND from_at <= ? ORDER BY from_at DESC LIMIT 1), 0)
         WHERE coalesce(g.to_at, 9e15) > ? ${camera === null ? "" : "AND c.name = ?"}`,
        ...[span.toAt, span.fromAt, span.fromAt, ...one],
      );
      return found.sort((a, b) => a.fromAt - b.fromAt || a.id - b.id);
    },
    /** Hands over the files that touch the span, by their ends. They hardly overlap: the first that ends after it is among the last that touch it. */
    files: (camera: string, span: Span, see: See): void => {
      const id = cameraNumber(camera);
      scan.files(
        see,
        `FROM segment s WHERE s.camera = ? AND s.end_at > ? AND s.start_at < ? AND ${kept}
         AND s.end_at <= coalesce((SELECT end_at FROM segment WHERE camera = ? AND end_at >= ? ORDER BY end_at LIMIT 1) + ${longestMs}, 9e15)`,
        ...[id, span.fromAt, span.toAt, id, span.toAt],
      );
    },
    /** Stretches of the ledger that touch the span. */
    deletions: (camera: string, span: Span) => touching("deletion", camera, span),
    unknowns: (camera: string, span: Span) => touching("unknown", camera, span),
    oldestStartAt: (camera: string) =>
      one<{ at: number }>(`SELECT start_at AS at FROM segment s WHERE camera = ? AND ${kept} ORDER BY end_at LIMIT 1`, cameraNumber(camera))
        ?.at ?? null,
    /** Without what is held: that outlives its days, and tells nothing of how long others are kept. */
    oldestFreeStartAt: (camera: string) =>
      one<{ at: number }>(
        `SELECT start_at AS at FROM segment s WHERE camera = ? AND ${kept} AND ${free} ORDER BY end_at LIMIT 1`,
        cameraNumber(camera),
      )?.at ?? null,
    /** Holds of a camera that cover something, each from its oldest footage that is there: what went before somebody held it is gone. Oldest first. */
    heldSpans: (camera: string): readonly { readonly fromAt: WallMs; readonly toAt: WallMs }[] =>
      all<{ fromAt: WallMs; toAt: WallMs; firstAt: WallMs | null }>(
        `SELECT from_at AS fromAt, to_at AS toAt, (SELECT start_at FROM segment s WHERE s.camera = h.camera AND s.end_at > h.from_at
           AND s.end_at <= h.to_at + ${longestMs} AND s.start_at < h.to_at AND ${kept} ORDER BY s.end_at LIMIT 1) AS firstAt
         FROM hold h WHERE camera = ? AND lifted_at IS NULL ORDER BY from_at`,
        cameraNumber(camera),
      ).flatMap(({ fromAt, toAt, firstAt }) => (firstAt === null ? [] : [{ fromAt: Math.max(fromAt, firstAt), toAt }])),
    hasSegment: (camera: string, run: number, number: number) =>
      one("SELECT 1 FROM segment WHERE camera = ? AND run = ? AND number = ?", cameraNumber(camera), run, number) !== undefined,
    /** End of a camera's newest footage; null: there is none. */
    newestEnd: (camera: string): WallMs | null =>
      one<{ at: number | null }>("SELECT max(end_at) AS at FROM segment WHERE camera = ?", cameraNumber(camera))?.at ?? null,
    /** Segments whose names tell a time within the span. */
    segmentsNamed: (camera: string, span: Span) =>
      all<RawSegment>(
        `SELECT ${segmentColumns} FROM segment s JOIN camera c ON c.id = s.camera WHERE s.camera = ? AND named_ms = 0 AND end_at > ? AND start_at >= ? AND start_at < ? AND end_at < ? AND ${kept}
         UNION ALL SELECT ${segmentColumns} FROM segment s JOIN camera c ON c.id = s.camera WHERE s.camera = ? AND named_ms != 0 AND start_at + named_ms >= ? AND start_at + named_ms < ? AND ${kept}`,
        ...[cameraNumber(camera), span.fromAt, span.fromAt, span.toAt, span.toAt + longestMs],
        ...[cameraNumber(camera), span.fromAt, span.toAt],
      ).map(toSegment),
    segmentsBetween: (camera: string, span: Span) =>
      all<RawSegment>(
        `SELECT ${segmentColumns} FROM segment s JOIN camera c ON c.id = s.camera WHERE s.camera = ? AND start_at >= ? AND start_at < ? AND end_at > ? AND ${kept}`,
        ...[cameraNumber(camera), span.fromAt, span.toAt, span.fromAt],
      ).map(toSegment),
    /** Segments that touch the span, oldest first. */
    segmentsTouching: (camera: string, span: Span) =>
      all<RawSegment>(
        `SELECT ${segmentColumns} FROM segment s JOIN camera c ON c.id = s.camera
         WHERE s.camera = ? AND end_at > ? AND end_at <= ? + ${longestMs} AND start_at < ? AND ${kept} ORDER BY start_at, s.id`,
        ...[cameraNumber(camera), span.fromAt, span.toAt, span.toAt],
      ).map(toSegment),
    /** Days (UTC, by their names) of which each camera has segments. */
    namedDays: () => {
      const days: { camera: string; day: WallMs }[] = [];
      for (const camera of all<{ id: number; name: string }>("SELECT id, name FROM camera")) {
        const shifted = all<{ day: number }>(
          `SELECT DISTINCT (start_at + named_ms) / ${dayMs} AS day FROM segment WHERE camera = ? AND named_ms != 0`,
          camera.id,
        );
        days.push(...[...plainDays(camera.id), ...shifted.map((row) => row.day)].map((day) => ({ camera: camera.name, day: day * dayMs })));
      }
      return days;
    },
    totals: () =>
      one<{ bytes: number; segments: number }>("SELECT coalesce(sum(bytes), 0) AS bytes, count(*) AS segments FROM segment") ?? {
        bytes: 0,
        segments: 0,
      },
    /** Of one camera, or of all. */
    bytesSince: (at: WallMs, camera: string | null = null) =>
      one<{ bytes: number }>(
        "SELECT coalesce(sum(bytes), 0) AS bytes FROM camera c CROSS JOIN segment s ON s.camera = c.id AND s.end_at > ? WHERE ? IS NULL OR c.name = ?",
        ...[at, camera, camera],
      )?.bytes ?? 0,
    /** What a camera sent in the span, to the hour: hours whose middle lies in it. */
    drawn: (camera: string, { fromAt, toAt }: Span): Drawn =>
      one<Drawn>(
        `SELECT coalesce(sum(ms), 0) AS ms, coalesce(sum(bytes), 0) AS bytes FROM drawn WHERE camera = ? AND hour_at >= ? AND hour_at < ?`,
        ...[cameraNumber(camera), fromAt - hourMs / 2, toAt - hourMs / 2],
      ) ?? { ms: 0, bytes: 0 },
    /** What it sent in each of these hours of stored time, where it sent anything. */
    drawnHours: (camera: string, hours: readonly WallMs[]): readonly Drawn[] =>
      all<Drawn>(
        "SELECT ms, bytes FROM drawn WHERE camera = ? AND hour_at IN (SELECT value FROM json_each(?))",
        ...[cameraNumber(camera), JSON.stringify(hours)],
      ),
    /** The oldest footage that may go, over all cameras. */
    oldest: (limit: number) => oldestUntil(Number.MAX_SAFE_INTEGER, limit),
    /** As `oldest`, of what ended by then. */
    olderThan: (at: WallMs, limit: number) => oldestUntil(at, limit),
    oldestEndAt: () =>
      one<{ at: number | null }>(
        `SELECT min((SELECT s.end_at FROM segment s WHERE s.camera = c.id AND ${kept} AND ${free} ORDER BY s.end_at LIMIT 1)) AS at FROM camera c`,
      )?.at ?? null,
    /** Rows whose files must go, in the order of their ids, from the one after `afterId`. */
    doomed: (limit: number, afterId = 0) =>
      all<RawSegment>(
        `SELECT ${segmentColumns} FROM segment s JOIN camera c ON c.id = s.camera WHERE s.flags & ${flag.doomed} AND s.id > ? ORDER BY s.id LIMIT ?`,
        ...[afterId, limit],
      ).map(toSegment),
    /** Which of these rows are doomed. */
    doomedOf: (segments: readonly number[]): ReadonlySet<number> =>
      new Set(
        all<{ id: number }>(
          `SELECT id FROM segment WHERE flags & ${flag.doomed} AND id IN (SELECT value FROM json_each(?))`,
          JSON.stringify(segments),
        ).map(({ id }) => id),
      ),
    /** Holds that are not lifted, oldest first, with the bytes of what each covers now. */
    holds: () =>
      all<Omit<HoldRow, "bytes">>(
        `SELECT h.id, c.name AS camera, from_at AS fromAt, to_at AS toAt, from_utc AS fromUtc, to_utc AS toUtc, request, officer, h.since_at AS sinceAt, h.until_utc AS untilUtc
         FROM hold h JOIN camera c ON c.id = h.camera WHERE lifted_at IS NULL ORDER BY h.id`,
      ).map((hold): HoldRow => ({ ...hold, bytes: heldBytes(hold.camera, hold) })),
    /** The register's entries of a span (UTC), oldest first. */
    register: ({ fromAt, toAt }: Span): readonly Entry[] =>
      all<{ id: number; at: UtcMs; request: string; officer: string; facts: string }>(
        "SELECT id, at_utc AS at, request, officer, facts FROM register WHERE at_utc >= ? AND at_utc < ? ORDER BY id",
        ...[fromAt, toAt],
      ).map((row) => ({ ...row, facts: JSON.parse(row.facts) as EntryFacts })),
    /** What people asked about themselves and nobody has answered. */
    unanswered: () =>
      all<{ id: number; dueAt: UtcMs }>(
        "SELECT id, json_extract(facts, '$.dueAt') AS dueAt FROM register WHERE kind = 'subject' AND json_extract(facts, '$.answeredAt') IS NULL ORDER BY id",
      ),
    /** All who may view, or could once. */
    viewers: (): readonly Viewer[] =>
      all<Omit<Viewer, "cameras"> & { cameras: string }>(
        "SELECT id, who, role, cameras, request, officer, from_utc AS fromAt, to_utc AS toAt FROM viewer ORDER BY id",
      ).map((row) => ({ ...row, cameras: JSON.parse(row.cameras) as string[] })),
    /** Bytes of what a hold of that span would cover now. */
    bytesHeldBy: heldBytes,
    /** Bytes of all footage that is held, each file counted once. */
    heldBytes: () =>
      one<{ bytes: number }>(
        `SELECT coalesce(sum(bytes), 0) AS bytes FROM (SELECT DISTINCT s.id, s.bytes FROM hold h CROSS JOIN segment s ON s.camera = h.camera
         AND s.end_at > h.from_at AND s.end_at <= h.to_at + ${longestMs} AND s.start_at < h.to_at WHERE h.lifted_at IS NULL AND ${kept})`,
      )?.bytes ?? 0,
    /** Rows that are not doomed, held or not. */
    segments: (limit: number) =>
      all<RawSegment>(
        `SELECT ${segmentColumns} FROM segment s JOIN camera c ON c.id = s.camera WHERE ${kept} ORDER BY s.id LIMIT ?`,
        limit,
      ).map(toSegment),
    /** By number, so that one page follows another: without the plus signs SQLite would sort the whole rest for each. */
    events: (filter: EventFilter) =>
      all<RawEvent>(
        `${eventSelect} WHERE g > ? AND +at >= ? AND +at < ? AND (? IS NULL OR type = ?) ORDER BY g LIMIT ?`,
        ...[filter.afterG, filter.fromAt, filter.toAt, filter.type, filter.type, filter.limit],
      ).map(toEvent),
    /** Events of some types in a span that name the camera, or none, oldest first. */
    eventsOf: (camera: string, types: readonly EventType[], span: Span, limit: number) =>
      all<RawEvent>(
        `${eventSelect} WHERE at >= ? AND at < ? AND type IN (SELECT value FROM json_each(?)) AND coalesce(json_extract(data, '$.camera'), ?) = ? ORDER BY g LIMIT ?`,
        ...[span.fromAt, span.toAt, JSON.stringify(types), camera, camera, limit],
      ).map(toEvent),
    /** Journal rows above `g` for the station; what it will never take is left out. */
    eventsAfter: (g: number, limit: number) =>
      all<RawEvent>(`${eventSelect} WHERE g > ? AND aside IS NULL ORDER BY g LIMIT ?`, g, limit).map(toEvent),
    /** Numbers of the oldest and the newest event; 0: there is none. Each alone, since SQLite finds them by one step then and else by a whole scan. */
    firstG: () => one<{ g: number }>("SELECT coalesce(min(g), 0) AS g FROM event")?.g ?? 0,
    lastG: () => one<{ g: number }>("SELECT coalesce(max(g), 0) AS g FROM event")?.g ?? 0,
    eventRange: () =>
      one<{ first: number; last: number; count: number }>(
        "SELECT coalesce(min(g), 0) AS first, coalesce(max(g), 0) AS last, count(*) AS count FROM event",
      ) ?? { first: 0, last: 0, count: 0 },
    unsent: (cursor: number) =>
      one<{ count: number; oldestAt: number | null }>(
        "SELECT count(*) AS count, (SELECT at FROM event WHERE g > ? ORDER BY g LIMIT 1) AS oldestAt FROM event WHERE g > ?",
        cursor,
        cursor,
      ) ?? {
        count: 0,
        oldestAt: null,
      },
  };
}

const bootSelect = `SELECT min(r.started_at) AS fromAt, max(max(r.beat_at, coalesce(r.ended_at, 0))) AS toAt,
  coalesce((SELECT offset_ms FROM clock_step s WHERE s.boot = b.id ORDER BY s.id DESC LIMIT 1), 0) AS offsetMs,
  EXISTS (SELECT 1 FROM clock_step s WHERE s.boot = b.id AND s.clock = 'synced') AS synced
  FROM boot b JOIN run r ON r.boot = b.id GROUP BY b.id ORDER BY fromAt`;

const eventSelect =
  "SELECT g, b.boot_id || '.' || e.run AS boot, e.seq, at, clock, mono_ms AS monoMs, type, level, data FROM event e JOIN run r ON r.id = e.run JOIN boot b ON b.id = r.boot";
