/** The store: one connection, one way to write (`commit`), many ways to read. */
import { randomUUID } from "node:crypto";
import type { AuditHead } from "../core/audit.ts";
import type { Change, Moment } from "../core/change.ts";
import type { Sent } from "../core/digest.ts";
import { drawnKeptMs } from "../core/drawn.ts";
import { type JournalBounds, planDrop } from "../core/journal.ts";
import { lossEvent, makeRoom, nothingLost } from "../core/overflow.ts";
import type { EventRow, MonoMs, Trust, WallMs } from "../core/types.ts";
import { type AuditNote, appendAudit } from "./audit.ts";
import { BrokenDatabase, codeOf, type Database, openReader, openWriter, setAside } from "./database.ts";
import { type Live, makeReads, type Reads } from "./reads.ts";
import { giveUpReserve } from "./reserve.ts";
import { cache, makeWriter } from "./writes.ts";

/** `waiting`: the disk does not take it; it is kept in memory, in order, and written with the next commit that succeeds. */
export type Committed = { readonly kind: "written" } | { readonly kind: "waiting"; readonly changes: number; readonly why: string };

/** How many changes memory keeps while the state disk takes nothing (reference: edge.md §3.2). */
const mostWaiting = 500;

export type Store = Reads & {
  /** Begins a run; all that is committed from now on belongs to it. */
  begin(start: Start): Begun;
  commit(change: Change): Committed;
  /** Renews the live row; not synced, a power cut may lose it. */
  renew(live: Live): void;
  journal: Journal;
  /** What the station was last told of days and months that are over, by their name. */
  pagesSent: PagesSent;
  /** Drops what the bounds demand and writes down what it was; resolves with the number of rows. */
  trim(bounds: JournalBounds, moment: Moment): number;
  /** Forgets what the ledger holds of the time before: gaps, deletions, stretches of unknown state. Resolves with the number of rows. */
  prune(beforeAt: WallMs): number;
  /** Writes down who did what, for ever. Throws where it cannot: what cannot be written down is not done. */
  audit(note: AuditNote): AuditHead;
  /** Makes a row for a run that only the footage folder knows. */
  adoptRun(run: number): void;
  /** Has another writer changed anything since this was asked last? */
  changedOutside(): boolean;
  close(): void;
};

/** What a run begins with. */
export type Start = {
  readonly bootId: string;
  /** Both clocks now, and how far the wall can be trusted. */
  readonly wallMs: number;
  readonly monoMs: MonoMs;
  readonly clock: Trust;
  readonly version: string;
  /** Highest run that the footage folder knows of: a new database must not use its numbers again. */
  readonly above: number;
};
/** `offsetMs`: what must be added to this boot's times to read them as UTC. */
export type Begun = { readonly run: number; readonly epochAt: WallMs; readonly offsetMs: number };

/** The event log as the publisher follows it. */
export type Journal = {
  dbId(): string;
  cursor(): number;
  moveCursor(g: number): void;
  after(g: number, limit: number): readonly EventRow[];
  lastG(): number;
  firstG(): number;
  unsent(): { readonly count: number; readonly oldestAt: WallMs | null };
  /** The broker will never take this row: it is passed over, and a numbered record says so. False: the disk did not take that. */
  setAside(row: EventRow, reason: string, moment: Moment): boolean;
  noteAck(g: number): void;
};

export type PagesSent = {
  all(): ReadonlyMap<string, Sent>;
  put(name: string, sent: Sent): void;
  drop(names: readonly string[]): void;
};

/** Opens the store for reading; null where no agent ever wrote here. */
export function openReads(state: string): (Reads & { close(): void }) | null {
  const db = openReader(state);
  return db === null ? null : { ...makeReads(db), close: () => db.close() };
}

/** The daemon's store: a database beyond repair is set aside, and a new one stands in its place. `brokenAs`: what the old one is called now. */
export function openOrReplace(state: string, nowMs: number): { readonly store: Store; readonly brokenAs: string | null } {
  try {
    return { store: openStore(state), brokenAs: null };
  } catch (error) {
    if (!(error instanceof BrokenDatabase)) throw error;
    return openAnew(state, nowMs);
  }
}

/** A new database in the place of one that is of no use, which is set aside under the name that is returned too. Throws SQLite's or the system's error. */
export function openAnew(state: string, nowMs: number): { readonly store: Store; readonly brokenAs: string } {
  const brokenAs = setAside(state, nowMs);
  const store = openStore(state);
  store.commit([
    { put: "note", note: "broken", text: brokenAs },
    { put: "note", note: "reset", text: brokenAs },
  ]);
  return { store, brokenAs };
}

/** Opens the store for writing: the daemon's one connection, or a command's for one short transaction. */
export function openStore(state: string): Store {
  const db = openWriter(state);
  const reads = makeReads(db);
  const sql = cache(db);
  let run = reads.lastRun()?.id ?? 0;
  const write = makeWriter(db, () => run);
  const setMeta = (key: string, value: string) => {
    sql("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(key, value);
  };
  if (reads.meta("db") === null) setMeta("db", randomUUID().slice(0, 8));
  const commit = makeCommit(db, write, state);
  const dataVersion = () => Number(db.pragma("data_version", { simple: true }));
  let seenVersion = dataVersion();
  return {
    ...reads,
    begin: (start) => {
      const begun = db.transaction(() => begin(db, reads, start)).immediate();
      run = begun.run;
      return begun;
    },
    commit,
    renew: (live) =>
      unsynced(db, () =>
        sql("INSERT INTO live VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at, body = excluded.body").run(
          Math.round(live.at),
          JSON.stringify(live),
        ),
      ),
    journal: makeJournal(db, reads, write, setMeta),
    pagesSent: makePagesSent(db, setMeta),
    trim: (bounds, moment) => db.transaction(() => trim(db, write, bounds, moment)).immediate(),
    audit: (note) => appendAudit(db, state, note),
    adoptRun: (id) => {
      sql("INSERT OR IGNORE INTO boot (boot_id, epoch_at) VALUES ('lost', 0)").run();
      sql(
        "INSERT OR IGNORE INTO run (id, boot, started_at, beat_at, version, ended, ended_at) SELECT ?, id, 0, 0, 'lost', 'crashed', 0 FROM boot WHERE boot_id = 'lost'",
      ).run(id);
    },
    prune: (beforeAt) => db.transaction(() => prune(sql, beforeAt)).immediate(),
    changedOutside: () => {
      const before = seenVersion;
      seenVersion = dataVersion();
      return seenVersion !== before;
    },
    close: () => db.close(),
  };
}

/** A boot whose clock stands before what was written already begins this long after it: room for what the last beat did not see. */
const afterLatestMs = 10_000;

/** All runs of one boot share its epoch, so that their rows stand on one scale whatever the wall clock did in between. */
function begin(db: Database, reads: Reads, start: Start): Begun {
  const { id, epochAt, offsetMs } = reads.boot(start.bootId) ?? beginBoot(db, reads.latestAt(), start);
  const startedAt = Math.round(epochAt + start.monoMs);
  const row = db
    .prepare(
      "INSERT INTO run (id, boot, started_at, beat_at, version) VALUES (max(?, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'run'), 0)) + 1, ?, ?, ?, ?)",
    )
    .run(start.above, id, startedAt, startedAt, start.version);
  return { run: Number(row.lastInsertRowid), epochAt, offsetMs };
}

/** Stored times never run backwards: a boot whose wall clock is behind begins after the latest row, and its offset says what the clock said. */
function beginBoot(db: Database, latestAt: WallMs, start: Start): { id: number; epochAt: WallMs; offsetMs: number } {
  const wallAt = Math.round(start.wallMs);
  const startAt = wallAt > latestAt ? wallAt : latestAt + afterLatestMs;
  const epochAt = startAt - Math.round(start.monoMs);
  const id = Number(db.prepare("INSERT INTO boot (boot_id, epoch_at) VALUES (?, ?)").run(start.bootId, epochAt).lastInsertRowid);
  const offsetMs = wallAt - startAt;
  if (offsetMs !== 0)
    db.prepare("INSERT INTO clock_step (boot, at, offset_ms, clock) VALUES (?, ?, ?, ?)").run(id, startAt, offsetMs, start.clock);
  return { id, epochAt, offsetMs };
}

/**
 * One transaction a change. A full or failing state disk loses nothing until memory's bound is reached, and costs the recording nothing;
 * what was lost then is written down with the first that the disk takes again.
 */
function makeCommit(db: Database, write: (change: Change) => void, state: string): (change: Change) => Committed {
  let waiting: Change[] = [];
  let lost = nothingLost;
  let latest: Moment | null = null;
  const attempt = () => {
    while (waiting.length > 0) {
      const record = lost.changes === 0 || latest === null ? [] : [lossEvent(lost, latest)];
      const next = [...record, ...(waiting[0] ?? [])];
      db.transaction(() => write(next)).immediate();
      waiting.shift();
      if (record.length > 0) lost = nothingLost;
    }
  };
  return (change) => {
    if (change.length > 0) waiting.push(change);
    latest = change.findLast((entry) => entry.put === "event")?.moment ?? latest;
    try {
      attempt();
    } catch (error) {
      if (!isDiskTrouble(error)) {
        waiting.shift();
        throw error;
      }
      if (codeOf(error) === "SQLITE_FULL" && giveUpReserve(state)) return retry(attempt, waiting, error);
      ({ waiting, lost } = makeRoom(waiting, mostWaiting, lost));
      return { kind: "waiting", changes: waiting.length, why: codeOf(error) };
    }
    return { kind: "written" };
  };
}

function retry(attempt: () => void, waiting: readonly Change[], first: unknown): Committed {
  try {
    attempt();
    return { kind: "written" };
  } catch {
    return { kind: "waiting", changes: waiting.length, why: codeOf(first) };
  }
}

/** Trouble that passes: the disk is full, read-only or failing, or a short writer holds the database. */
function isDiskTrouble(error: unknown): boolean {
  return /^SQLITE_(FULL|IOERR|READONLY|BUSY|CANTOPEN)/.test(codeOf(error));
}

/** A note that a full or failing disk does not take is no reason to stop. False: it was not written. */
function tolerate(deed: () => void): boolean {
  try {
    deed();
    return true;
  } catch (error) {
    if (!isDiskTrouble(error)) throw error;
    return false;
  }
}

/** Runs one small write without the sync that all others have. A write that fails is no loss: the next one follows in a second. */
function unsynced(db: Database, deed: () => void): void {
  db.pragma("synchronous = NORMAL");
  try {
    deed();
  } catch (error) {
    if (!isDiskTrouble(error)) throw error;
  } finally {
    db.pragma("synchronous = FULL");
  }
}

/** The publisher's own notes never stop it: what a full disk does not take stays in memory and is written with the next. */
function makeJournal(db: Database, reads: Reads, write: (change: Change) => void, setMeta: (key: string, value: string) => void): Journal {
  const sql = cache(db);
  let position = Number(reads.meta("cursor") ?? 0);
  return {
    dbId: () => reads.meta("db") ?? "",
    cursor: () => position,
    moveCursor: (g) => {
      position = Math.max(position, g);
      tolerate(() => {
        if (Number(reads.meta("cursor") ?? 0) < position) setMeta("cursor", String(position));
      });
    },
    after: reads.eventsAfter,
    lastG: reads.lastG,
    firstG: reads.firstG,
    unsent: () => reads.unsent(position),
    setAside: ({ g, type }, reason, moment) =>
      tolerate(() =>
        db
          .transaction(() => {
            sql("UPDATE event SET aside = ? WHERE g = ?").run(reason, g);
            write([{ put: "event", moment, type: "journal.dropped", level: "alarm", data: { ...dropRecord([{ g, type }]), reason } }]);
          })
          .immediate(),
      ),
    noteAck: (g) => void tolerate(() => setMeta("acked", String(g))),
  };
}

const pageKey = "page:";

/** Notes of what was sent; what a full disk does not take is sent once more. */
function makePagesSent(db: Database, setMeta: (key: string, value: string) => void): PagesSent {
  const sql = cache(db);
  return {
    all: () => {
      const rows = sql("SELECT key, value FROM meta WHERE key >= ? AND key < ?").all(pageKey, `${pageKey}~`) as {
        key: string;
        value: string;
      }[];
      return new Map(rows.map(({ key, value }) => [key.slice(pageKey.length), JSON.parse(value) as Sent]));
    },
    put: (name, sent) => void tolerate(() => setMeta(pageKey + name, JSON.stringify(sent))),
    drop: (names) =>
      void tolerate(() =>
        db
          .transaction(() => {
            for (const name of names) sql("DELETE FROM meta WHERE key = ?").run(pageKey + name);
          })
          .immediate(),
      ),
  };
}

function prune(sql: ReturnType<typeof cache>, beforeAt: WallMs): number {
  sql("DELETE FROM register WHERE at_utc < ?").run(beforeAt);
  sql("DELETE FROM viewer WHERE to_utc < ?").run(beforeAt);
  sql("DELETE FROM drawn WHERE hour_at < (SELECT max(hour_at) FROM drawn) - ?").run(drawnKeptMs);
  const tables = ["gap", "deletion", "unknown"];
  return tables.reduce((rows, table) => rows + sql(`DELETE FROM ${table} WHERE to_at < ?`).run(beforeAt).changes, 0);
}

/** Confirmed rows first; then unconfirmed ones, least important and oldest first, with a record of what they were. */
function trim(db: Database, write: (change: Change) => void, bounds: JournalBounds, moment: Moment): number {
  const sql = cache(db);
  const cursor = Number((sql("SELECT value FROM meta WHERE key = 'cursor'").get() as { value: string } | undefined)?.value ?? 0);
  const count = (sql("SELECT count(*) AS n FROM event").get() as { n: number }).n;
  if (count <= bounds.maxEvents) return 0;
  const sent = (sql("SELECT count(*) AS n FROM event WHERE g <= ?").get(cursor) as { n: number }).n;
  const plan = planDrop(bounds, count, sent);
  if (plan === null) return 0;
  sql("DELETE FROM event WHERE g IN (SELECT g FROM event WHERE g <= ? ORDER BY g LIMIT ?)").run(cursor, plan.sent);
  const dropped = sql("DELETE FROM event WHERE g IN (SELECT g FROM event WHERE g > ? ORDER BY keep, g LIMIT ?) RETURNING g, type").all(
    cursor,
    plan.unsent,
  ) as {
    g: number;
    type: string;
  }[];
  if (dropped.length > 0) write([{ put: "event", moment, type: "journal.dropped", level: "alarm", data: dropRecord(dropped) }]);
  return plan.sent + dropped.length;
}

function dropRecord(dropped: readonly { g: number; type: string }[]) {
  const byType: Record<string, number> = {};
  for (const { type } of dropped) byType[type] = (byType[type] ?? 0) + 1;
  const numbers = dropped.map((row) => row.g);
  const from = numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const to = numbers.reduce((a, b) => Math.max(a, b), 0);
  return { from, to, count: dropped.length, byType };
}
