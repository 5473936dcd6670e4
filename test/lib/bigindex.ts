/** An index as a site has it after weeks, made in seconds: rows through the real schema, and files of footage as links to a few small ones. */
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importance, journalBounds } from "../../agent/core/journal.ts";
import { segmentPath } from "../../agent/core/path.ts";
import type { WallMs } from "../../agent/core/types.ts";
import { type Database, openWriter } from "../../agent/store/database.ts";
import { openStore } from "../../agent/store/store.ts";

export type BigIndex = {
  readonly segments: number;
  /** Spread evenly over all cameras. */
  readonly gaps: number;
  readonly cameras: readonly string[];
  /** End of the last file; the first one follows from the numbers. */
  readonly untilAt: WallMs;
};

const segmentMs = 60_000;
/** What a camera of 4 Mbit/s writes in a file. */
const segmentBytes = 30_000_000;
const longestGapMs = 180_000;
const shortestGapMs = 5_000;
const runMs = 86_400_000;
/** ext4 lets 65,000 names share a file. */
const mostLinks = 60_000;

/** Lengths of the gaps come round again, so that two generations of one description are the same. */
const gapMs = (number: number) => shortestGapMs + ((number * 7_919) % (longestGapMs - shortestGapMs));
const evidence = JSON.stringify(["no-frames", "port-silent", "others-recording 15"]);

/** Fills the state folder in one transaction; resolves with the time at which the first file begins. */
export function fillIndex(state: string, big: BigIndex): WallMs {
  // The store makes what every database has; the mass goes in beneath it.
  openStore(state).close();
  const db = openWriter(state);
  try {
    const perCamera = Math.floor(big.segments / big.cameras.length);
    const every = Math.max(1, Math.floor((perCamera * big.cameras.length) / big.gaps));
    const gapsMs = Array.from({ length: Math.floor((perCamera - 1) / every) }, (_, i) => gapMs(i)).reduce((a, b) => a + b, 0);
    const fromAt = big.untilAt - perCamera * segmentMs - gapsMs;
    db.transaction(() => insert(db, big, { perCamera, every, fromAt })).immediate();
    db.pragma("wal_checkpoint(TRUNCATE)");
    return fromAt;
  } finally {
    db.close();
  }
}

/** In the order in which an agent would have written them: all cameras, minute by minute. */
function insert(db: Database, big: BigIndex, plan: { readonly perCamera: number; readonly every: number; readonly fromAt: WallMs }): void {
  const sql = (text: string) => db.prepare(text);
  const segment = sql("INSERT INTO segment (camera, run, number, start_at, end_at, bytes, sha256, flags) VALUES (?, ?, ?, ?, ?, ?, ?, 0)");
  const gap = sql(
    "INSERT INTO gap (camera, run, from_at, to_at, cause, sure, evidence, scope, told, fault) VALUES (?, ?, ?, ?, 'camera', 'inferred', ?, ?, 'camera', ?)",
  );
  const tell = journal(db, big.gaps * 2);
  const run = beginRuns(db, plan.fromAt);
  const ids = big.cameras.map((name) =>
    sql("INSERT INTO camera (name, since_at) VALUES (?, ?) RETURNING id").pluck().get(name, plan.fromAt),
  );
  let at = plan.fromAt;
  let numberInRun = 0;
  let fault = 0;
  let current = run(at);
  for (let i = 0; i < plan.perCamera; i += 1) {
    if (i > 0 && i % plan.every === 0) {
      const toAt = at + gapMs(i / plan.every - 1);
      for (const [c, id] of ids.entries()) {
        const name = big.cameras[c] ?? "";
        fault += 1;
        gap.run(id, current, at, toAt, evidence, `camera ${name}`, fault);
        tell(current, toAt, name);
      }
      at = toAt;
    }
    const next = run(at);
    numberInRun = next === current ? numberInRun + 1 : 1;
    current = next;
    for (const id of ids) segment.run(id, current, numberInRun, at, at + segmentMs, segmentBytes, randomBytes(32));
    at += segmentMs;
  }
  sql("UPDATE camera SET covered_at = ?").run(at);
  sql("INSERT INTO meta VALUES ('fault', ?)").run(String(fault));
  sql("UPDATE run SET beat_at = ? WHERE id = ?").run(at, current);
}

/** A run a day. The last one has no end, as after a power cut. */
function beginRuns(db: Database, fromAt: WallMs): (at: WallMs) => number {
  const boot = db.prepare("INSERT INTO boot (boot_id, epoch_at) VALUES (?, ?) RETURNING id").pluck();
  const begin = db.prepare("INSERT INTO run (boot, started_at, beat_at, version) VALUES (?, ?, ?, 'big') RETURNING id").pluck();
  const end = db.prepare("UPDATE run SET ended = 'stopped', ended_at = ?, beat_at = ? WHERE id = ?");
  let current = 0;
  let startedAt = fromAt;
  return (at) => {
    if (current !== 0 && at - startedAt < runMs) return current;
    if (current !== 0) end.run(at, at, current);
    startedAt = at;
    current = Number(begin.get(boot.get(`big-${at}`, at), at, at));
    return current;
  };
}

/** Two events for each gap, up to the journal's bound, all of them sent. */
function journal(db: Database, expected: number): (run: number, at: WallMs, camera: string) => void {
  const told = db.prepare(
    `INSERT INTO event (run, seq, at, mono_ms, clock, type, level, keep, data) VALUES (?, ?, ?, 0, 'synced', 'gap.closed', 'info', ${importance["gap.closed"]}, ?)`,
  );
  const first = Math.max(0, expected - journalBounds.maxEvents);
  let count = 0;
  let seq = 0;
  const cursor = db.prepare("INSERT INTO meta VALUES ('cursor', ?) ON CONFLICT DO UPDATE SET value = excluded.value");
  return (run, at, camera) => {
    for (let i = 0; i < 2; i += 1) {
      count += 1;
      if (count <= first) continue;
      seq += 1;
      const [from, to] = [new Date(at - shortestGapMs).toISOString(), new Date(at).toISOString()];
      const data = { camera, from, to, durationMs: shortestGapMs, cause: "camera", sure: "inferred", evidence: JSON.parse(evidence) };
      told.run(run, seq, at, JSON.stringify(data));
    }
    if (count === expected) cursor.run(String(seq));
  };
}

/** A file for each row that ends before `untilAt`; resolves with their number. Takes some 15 µs each. */
export function linkFiles(state: string, folder: string, untilAt: WallMs = Number.MAX_SAFE_INTEGER): number {
  const db = openWriter(state);
  const seeds = join(folder, ".seeds");
  mkdirSync(seeds, { recursive: true });
  let made = 0;
  let seed = "";
  let day = "";
  try {
    // By camera and time, so that each folder is made once.
    const rows = db.prepare(
      "SELECT c.name AS camera, s.run, s.number, s.start_at AS startAt, s.named_ms AS namedMs FROM camera c JOIN segment s ON s.camera = c.id AND s.end_at <= ? ORDER BY c.id, s.end_at",
    );
    for (const row of rows.iterate(untilAt) as IterableIterator<Parameters<typeof segmentPath>[0]>) {
      if (made % mostLinks === 0) {
        seed = join(seeds, String(made));
        writeFileSync(seed, Buffer.alloc(1_000, 7));
      }
      const path = segmentPath(row);
      const folderOf = path.slice(0, path.lastIndexOf("/"));
      if (folderOf !== day) mkdirSync(join(folder, folderOf), { recursive: true });
      day = folderOf;
      linkSync(seed, join(folder, path));
      made += 1;
    }
    return made;
  } finally {
    db.close();
  }
}
