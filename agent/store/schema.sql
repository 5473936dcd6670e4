-- The truth about the database (user_version 5). Times are UTC milliseconds on the scale of the boot in which they were taken:
-- the boot's epoch plus the monotonic clock; a boot's epoch lies after all that earlier boots wrote. A row is never re-dated: core/dating.ts
-- reads times as UTC by the newest clock_step of their boot.

-- db: id of this journal, new with every new database · cursor: highest contiguous event confirmed by the broker ·
-- acked: highest event an archive has stored · folder: id of the footage disk's mark
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE boot (
  id INTEGER PRIMARY KEY,
  boot_id TEXT NOT NULL UNIQUE,
  epoch_at INTEGER NOT NULL            -- stored time at monotonic zero
) STRICT;

-- What must be added to a boot's times to read them as UTC, as it was found out; the newest of a boot counts for all of it.
CREATE TABLE clock_step (
  id INTEGER PRIMARY KEY,
  boot INTEGER NOT NULL REFERENCES boot,
  at INTEGER NOT NULL,
  offset_ms INTEGER NOT NULL,
  clock TEXT NOT NULL CHECK (clock IN ('synced', 'holdover', 'unset'))
) STRICT;
CREATE INDEX clock_step_boot ON clock_step (boot);

-- One start-to-stop of the agent. beat_at: alive then, for certain.
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  boot INTEGER NOT NULL REFERENCES boot,
  started_at INTEGER NOT NULL,
  beat_at INTEGER NOT NULL CHECK (beat_at >= started_at),
  version TEXT NOT NULL,
  seq INTEGER NOT NULL DEFAULT 0,      -- events written in this run
  ended TEXT CHECK (ended IN ('stopped', 'crashed', 'rebooted', 'power')),
  ended_at INTEGER
) STRICT;

-- A camera that was ever configured, and its page of the ledger: complete up to covered_at.
CREATE TABLE camera (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,           -- the configuration's id
  since_at INTEGER,
  covered_at INTEGER,
  left_at INTEGER,                     -- taken out of the configuration then
  state TEXT NOT NULL DEFAULT 'unknown' CHECK (state IN ('recording', 'degraded', 'not-recording', 'unknown')),
  why TEXT,
  state_since INTEGER,
  stream TEXT NOT NULL DEFAULT 'main' CHECK (stream IN ('main', 'fallback')),
  arrival_times INTEGER NOT NULL DEFAULT 0 CHECK (arrival_times IN (0, 1)),
  udp INTEGER NOT NULL DEFAULT 0 CHECK (udp IN (0, 1))
) STRICT;

-- The index. A row follows its file: closed, fsynced and hashed before. Deleted as doomed -> unlink -> row gone.
CREATE TABLE segment (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  camera INTEGER NOT NULL REFERENCES camera,
  run INTEGER NOT NULL REFERENCES run,
  number INTEGER NOT NULL CHECK (number >= 0),
  start_at INTEGER NOT NULL,
  end_at INTEGER NOT NULL CHECK (end_at > start_at),
  bytes INTEGER NOT NULL CHECK (bytes > 0),
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  flags INTEGER NOT NULL DEFAULT 0,    -- 1 fallback stream · 2 torn · 4 clock holdover · 8 clock unset · 16 doomed
  named_ms INTEGER NOT NULL DEFAULT 0, -- start_at plus this is the time that the file's name tells
  UNIQUE (camera, run, number)
) STRICT;
-- Covers what the ledger and the reports read: a month of footage without a look at the table.
CREATE INDEX segment_time ON segment (camera, end_at, start_at, bytes, flags);
CREATE INDEX segment_shifted ON segment (camera) WHERE named_ms != 0;
CREATE INDEX segment_doomed ON segment (id) WHERE flags & 16;

-- The ledger. At most one gap of a camera is open.
CREATE TABLE gap (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  camera INTEGER NOT NULL REFERENCES camera,
  run INTEGER NOT NULL REFERENCES run, -- the run that opened it
  from_at INTEGER NOT NULL,
  to_at INTEGER CHECK (to_at >= from_at),
  cause TEXT NOT NULL CHECK (cause IN ('box-power', 'house-power', 'house-network', 'house', 'weak-link', 'camera', 'disk', 'box', 'planned', 'unknown')),
  sure TEXT NOT NULL CHECK (sure IN ('sensed', 'inferred', 'unknown')),
  evidence TEXT NOT NULL CHECK (json_valid(evidence)),
  scope TEXT NOT NULL,                 -- how far the cause reaches: camera ID, house ID, site, box, disk
  told TEXT NOT NULL,                  -- the cause that the event of its opening named
  fault INTEGER NOT NULL               -- gaps of one fault share its number
) STRICT;
CREATE INDEX gap_time ON gap (camera, from_at);
CREATE UNIQUE INDEX gap_open ON gap (camera) WHERE to_at IS NULL;

-- Footage that was deleted, and why (under a rule, by hand, with its disk); neighbours joined.
CREATE TABLE deletion (
  id INTEGER PRIMARY KEY,
  camera INTEGER NOT NULL REFERENCES camera,
  from_at INTEGER NOT NULL,
  to_at INTEGER NOT NULL CHECK (to_at > from_at),
  why TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  segments INTEGER NOT NULL
) STRICT;
CREATE INDEX deletion_time ON deletion (camera, to_at);

-- What each camera sent, by hours of stored time, a file counted in the hour in which it begins: stays when the footage goes. Two months.
CREATE TABLE drawn (
  camera INTEGER NOT NULL REFERENCES camera,
  hour_at INTEGER NOT NULL,
  ms INTEGER NOT NULL,                 -- how long the footage plays
  bytes INTEGER NOT NULL,
  PRIMARY KEY (camera, hour_at)
) STRICT, WITHOUT ROWID;

-- Stretches about which nothing is known.
CREATE TABLE unknown (
  id INTEGER PRIMARY KEY,
  camera INTEGER NOT NULL REFERENCES camera,
  from_at INTEGER NOT NULL,
  to_at INTEGER NOT NULL CHECK (to_at > from_at),
  why TEXT NOT NULL
) STRICT;
CREATE INDEX unknown_time ON unknown (camera, from_at);

-- Footage that may not be deleted. from_utc and to_utc are what was asked for; from_at and to_at cover all that they ever read as.
CREATE TABLE hold (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  camera INTEGER NOT NULL REFERENCES camera,
  from_at INTEGER NOT NULL,
  to_at INTEGER NOT NULL CHECK (to_at > from_at),
  from_utc INTEGER NOT NULL,
  to_utc INTEGER NOT NULL CHECK (to_utc > from_utc),
  request TEXT NOT NULL,
  officer TEXT NOT NULL,
  since_at INTEGER NOT NULL,
  lifted_at INTEGER,
  until_utc INTEGER                    -- when somebody wants to be reminded of it; nothing is deleted then
) STRICT;
CREATE INDEX hold_active ON hold (camera, from_at) WHERE lifted_at IS NULL;

-- The register (core/register.ts): requests and what came of them, files that were handed in, what people ask about themselves. UTC.
CREATE TABLE register (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_utc INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('export', 'refusal', 'intake', 'subject')),
  request TEXT NOT NULL,
  officer TEXT NOT NULL,
  facts TEXT NOT NULL CHECK (json_valid(facts))
) STRICT;
CREATE INDEX register_time ON register (at_utc);

-- Who may view what, and since when; cameras: a JSON list, empty for all. UTC.
CREATE TABLE viewer (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  who TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('cong-an', 'to-bao-ve', 'ho-dan', 'khac')),
  cameras TEXT NOT NULL CHECK (json_valid(cameras)),
  request TEXT,
  officer TEXT NOT NULL,
  from_utc INTEGER NOT NULL,
  to_utc INTEGER
) STRICT;

-- The journal, append only: the event log is the outbox. keep: 0 is dropped first, 3 last.
CREATE TABLE event (
  g INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES run,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  mono_ms INTEGER NOT NULL,
  clock TEXT NOT NULL CHECK (clock IN ('synced', 'holdover', 'unset')),
  type TEXT NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('info', 'warn', 'alarm')),
  keep INTEGER NOT NULL CHECK (keep BETWEEN 0 AND 3),
  data TEXT NOT NULL CHECK (json_valid(data)),
  aside TEXT,                          -- why the broker will never take it
  UNIQUE (run, seq)
) STRICT;
CREATE INDEX event_time ON event (at);

-- What is true now, of the box's own subjects.
CREATE TABLE condition (
  subject TEXT PRIMARY KEY CHECK (subject IN ('power', 'link', 'disk', 'clock', 'station')),
  value TEXT NOT NULL,
  since_at INTEGER,
  evidence TEXT NOT NULL CHECK (json_valid(evidence))
) STRICT, WITHOUT ROWID;

-- The running agent's last frames and readings, renewed without a full sync.
CREATE TABLE live (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  at INTEGER NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
