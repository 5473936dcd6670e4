/** How each kind of write reaches the tables. Statements only; agent/core decides what is written. */
import type { CameraFinding, Change, DeletionReason, Write } from "../core/change.ts";
import { importance } from "../core/journal.ts";
import type { Claim, Segment, StreamName, Trust } from "../core/types.ts";
import type { Database, Statement } from "./database.ts";

/** Bits of segment.flags. */
export const flag = { fallback: 1, torn: 2, holdover: 4, unset: 8, doomed: 16 } as const;

export function flagsOf(segment: Segment): number {
  const clock = { synced: 0, holdover: flag.holdover, unset: flag.unset }[segment.clock];
  return clock | (segment.stream === "fallback" ? flag.fallback : 0) | (segment.torn ? flag.torn : 0);
}

export const clockOf = (flags: number): Trust => (flags & flag.unset ? "unset" : flags & flag.holdover ? "holdover" : "synced");
export const streamOf = (flags: number): StreamName => (flags & flag.fallback ? "fallback" : "main");

const hourMs = 3_600_000;

type Writer = { readonly [K in Write["put"]]: (write: Extract<Write, { put: K }>) => void };

/** A function that writes a Change; the caller wraps it in a transaction. `run` is the run that writes. */
export function makeWriter(db: Database, run: () => number): (change: Change) => void {
  const sql = cache(db);
  const camera = (name: string) => cameraId(sql, name);
  const writer: Writer = {
    event: ({ moment, type, level, data }) => {
      const { seq } = sql("UPDATE run SET seq = seq + 1 WHERE id = ? RETURNING seq").get(run()) as { seq: number };
      sql("INSERT INTO event (run, seq, at, mono_ms, clock, type, level, keep, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)").run(
        ...[
          run(),
          seq,
          Math.round(moment.at),
          Math.round(moment.monoMs),
          moment.clock,
          type,
          level,
          importance[type],
          JSON.stringify(data),
        ],
      );
    },
    segment: ({ segment }) => {
      sql(
        "INSERT INTO segment (camera, run, number, start_at, end_at, bytes, sha256, flags, named_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ).run(
        ...[camera(segment.camera), segment.run, segment.number, segment.startAt, segment.endAt],
        ...[segment.bytes, Buffer.from(segment.sha256, "hex"), flagsOf(segment), segment.namedMs],
      );
      sql("INSERT INTO drawn VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET ms = ms + excluded.ms, bytes = bytes + excluded.bytes").run(
        ...[camera(segment.camera), Math.floor(segment.startAt / hourMs) * hourMs, segment.endAt - segment.startAt, segment.bytes],
      );
    },
    page: (w) => {
      sql("UPDATE camera SET since_at = ?, covered_at = ? WHERE id = ?").run(w.sinceAt, w.coveredAt, camera(w.camera));
    },
    "gap-opened": ({ camera: name, fromAt, claim, fault }) => {
      const { cause } = claim.blame;
      keepFault(sql, fault);
      sql("INSERT INTO gap (camera, run, from_at, cause, sure, evidence, scope, told, fault) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)").run(
        ...[camera(name), run(), fromAt, cause, claim.blame.sure, JSON.stringify(claim.blame.evidence), claim.scope, cause, fault],
      );
    },
    "gap-blamed": (w) => blameOpenGap(sql, camera(w.camera), w.claim, w.fault),
    "gap-closed": ({ camera: name, toAt, claim, fault }) => {
      const id = camera(name);
      blameOpenGap(sql, id, claim, fault);
      sql("UPDATE gap SET to_at = ? WHERE camera = ? AND to_at IS NULL").run(toAt, id);
      sql("DELETE FROM gap WHERE camera = ? AND to_at = ? AND from_at = to_at").run(id, toAt);
    },
    unknown: ({ camera: name, fromAt, toAt, why }) => {
      sql("INSERT INTO unknown (camera, from_at, to_at, why) VALUES (?, ?, ?, ?)").run(camera(name), fromAt, toAt, why);
    },
    doom: ({ segments, why }) => doom(sql, segments, why),
    forget: ({ segments }) => {
      for (const id of segments) sql("DELETE FROM segment WHERE id = ?").run(id);
    },
    condition: ({ subject, condition }) => {
      sql(
        "INSERT INTO condition VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, since_at = excluded.since_at, evidence = excluded.evidence",
      ).run(...[subject, condition.value, condition.sinceAt, JSON.stringify(condition.evidence)]);
    },
    "camera-condition": ({ camera: name, condition }) => {
      sql("UPDATE camera SET state = ?, why = ?, state_since = ?, stream = ? WHERE id = ?").run(
        ...[condition.state, condition.why, Math.round(condition.sinceAt), condition.stream, camera(name)],
      );
    },
    "camera-finding": ({ camera: name, finding }) => {
      const column: Record<CameraFinding, string> = { "arrival-times": "arrival_times", udp: "udp" };
      sql(`UPDATE camera SET ${column[finding]} = 1 WHERE id = ?`).run(camera(name));
    },
    "camera-left": ({ camera: name, leftAt }) => {
      sql("UPDATE camera SET left_at = ? WHERE id = ?").run(leftAt, camera(name));
    },
    "hold-added": ({ hold }) => {
      sql(
        "INSERT INTO hold (camera, from_at, to_at, from_utc, to_utc, request, officer, since_at, until_utc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ).run(
        ...[camera(hold.camera), Math.floor(hold.fromAt), Math.ceil(hold.toAt), hold.fromUtc, hold.toUtc],
        ...[hold.request, hold.officer, Math.round(hold.sinceAt), hold.untilUtc],
      );
    },
    "hold-lifted": ({ hold, at }) => {
      sql("UPDATE hold SET lifted_at = ? WHERE id = ? AND lifted_at IS NULL").run(Math.round(at), hold);
    },
    "hold-widened": ({ hold, fromAt, toAt }) => {
      sql("UPDATE hold SET from_at = min(from_at, ?), to_at = max(to_at, ?) WHERE id = ?").run(
        ...[Math.floor(fromAt), Math.ceil(toAt), hold],
      );
    },
    register: ({ entry: { at, request, officer, facts } }) => {
      sql("INSERT INTO register (at_utc, kind, request, officer, facts) VALUES (?, ?, ?, ?, ?)").run(
        ...[Math.round(at), facts.kind, request, officer, JSON.stringify(facts)],
      );
    },
    "register-answered": ({ entry, at, answer }) => {
      sql(
        "UPDATE register SET facts = json_set(facts, '$.answeredAt', ?, '$.answer', ?) WHERE id = ? AND kind = 'subject' AND json_extract(facts, '$.answeredAt') IS NULL",
      ).run(Math.round(at), answer, entry);
    },
    "viewer-added": ({ viewer: { who, role, cameras, request, officer, fromAt } }) => {
      sql("INSERT INTO viewer (who, role, cameras, request, officer, from_utc) VALUES (?, ?, ?, ?, ?, ?)").run(
        ...[who, role, JSON.stringify(cameras), request, officer, Math.round(fromAt)],
      );
    },
    "viewer-removed": ({ viewer, at }) => {
      sql("UPDATE viewer SET to_utc = max(from_utc, ?) WHERE id = ? AND to_utc IS NULL").run(Math.round(at), viewer);
    },
    beat: ({ at }) => {
      sql("UPDATE run SET beat_at = max(beat_at, ?) WHERE id = ?").run(Math.round(at), run());
    },
    "clock-step": ({ at, offsetMs, clock }) => {
      sql("INSERT INTO clock_step (boot, at, offset_ms, clock) VALUES ((SELECT boot FROM run WHERE id = ?), ?, ?, ?)").run(
        ...[run(), Math.round(at), Math.round(offsetMs), clock],
      );
    },
    "run-ended": ({ run: id, end, at }) => {
      sql("UPDATE run SET ended = ?, ended_at = ? WHERE id = ?").run(end, Math.round(at), id);
    },
    note: ({ note, text }) => {
      if (text === null) sql("DELETE FROM meta WHERE key = ?").run(note);
      else sql("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(note, text);
    },
    folder: ({ folder }) => {
      sql("INSERT INTO meta VALUES ('folder', ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(folder);
    },
  };
  return (change) => {
    for (const write of change) (writer[write.put] as (write: Write) => void)(write);
  };
}

type Cache = (text: string) => Statement;

/** The highest number of a fault ever told: gaps without length leave no row, and their number must not be told again. */
function keepFault(sql: Cache, fault: number): void {
  sql(
    "INSERT INTO meta VALUES ('fault', ?) ON CONFLICT DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))",
  ).run(String(fault));
}

function blameOpenGap(sql: Cache, camera: number, { blame, scope }: Claim, fault: number): void {
  keepFault(sql, fault);
  sql("UPDATE gap SET cause = ?, sure = ?, evidence = ?, scope = ?, fault = ? WHERE camera = ? AND to_at IS NULL").run(
    ...[blame.cause, blame.sure, JSON.stringify(blame.evidence), scope, fault, camera],
  );
}

/** Prepared statements by their text. */
export function cache(db: Database): Cache {
  const known = new Map<string, Statement>();
  return (text) => {
    const found = known.get(text) ?? db.prepare(text);
    known.set(text, found);
    return found;
  };
}

function cameraId(sql: Cache, name: string): number {
  const found = sql("SELECT id FROM camera WHERE name = ?").get(name) as { id: number } | undefined;
  if (found !== undefined) return found.id;
  return Number(sql("INSERT INTO camera (name) VALUES (?)").run(name).lastInsertRowid);
}

type Doomed = { camera: number; start_at: number; end_at: number; bytes: number };

/** Marks segments for deletion and keeps their stretch as deleted, joined to its neighbour of the same reason. */
/** Of segments `s` that no hold covers. */
export const free =
  "NOT EXISTS (SELECT 1 FROM hold h WHERE h.camera = s.camera AND h.lifted_at IS NULL AND h.from_at < s.end_at AND h.to_at > s.start_at)";

/** What a hold that came meanwhile covers is passed over, but where the file is gone already. */
function doom(sql: Cache, segments: readonly number[], why: DeletionReason): void {
  for (const id of segments) {
    const row = sql(
      `UPDATE segment AS s SET flags = flags | ${flag.doomed} WHERE id = ? AND flags & ${flag.doomed} = 0 ${why === "disk replaced" || why === "file missing" ? "" : `AND ${free}`} RETURNING camera, start_at, end_at, bytes`,
    ).get(id) as Doomed | undefined;
    if (row === undefined) continue;
    const joined = sql(
      "UPDATE deletion SET to_at = max(to_at, ?), bytes = bytes + ?, segments = segments + 1 WHERE id = (SELECT id FROM deletion WHERE camera = ? AND to_at >= ? AND from_at <= ? AND why = ? LIMIT 1)",
    ).run(row.end_at, row.bytes, row.camera, row.start_at, row.start_at, why);
    if (joined.changes === 0)
      sql("INSERT INTO deletion (camera, from_at, to_at, why, bytes, segments) VALUES (?, ?, ?, ?, ?, 1)").run(
        row.camera,
        row.start_at,
        row.end_at,
        why,
        row.bytes,
      );
  }
}
