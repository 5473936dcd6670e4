/** Steps from an older schema to schema.sql, oldest first; a database's user_version counts the steps it has plus one. */

/** SQL that leads from version `index + 1` to `index + 2`. Each runs in one transaction; never edited after it was released. */
export const migrations: readonly string[] = [
  // Nothing was ever held before this step.
  `DROP TABLE hold;
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
     lifted_at INTEGER
   ) STRICT;
   CREATE INDEX hold_active ON hold (camera, from_at) WHERE lifted_at IS NULL;`,
  `CREATE TABLE register (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at_utc INTEGER NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('export', 'refusal', 'intake', 'subject')),
     request TEXT NOT NULL,
     officer TEXT NOT NULL,
     facts TEXT NOT NULL CHECK (json_valid(facts))
   ) STRICT;
   CREATE INDEX register_time ON register (at_utc);
   CREATE TABLE viewer (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     who TEXT NOT NULL,
     role TEXT NOT NULL CHECK (role IN ('cong-an', 'to-bao-ve', 'ho-dan', 'khac')),
     cameras TEXT NOT NULL CHECK (json_valid(cameras)),
     request TEXT,
     officer TEXT NOT NULL,
     from_utc INTEGER NOT NULL,
     to_utc INTEGER
   ) STRICT;`,
  "ALTER TABLE hold ADD COLUMN until_utc INTEGER",
  // What was deleted before this step is not known any more by hours.
  `CREATE TABLE drawn (
     camera INTEGER NOT NULL REFERENCES camera,
     hour_at INTEGER NOT NULL,
     ms INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     PRIMARY KEY (camera, hour_at)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO drawn SELECT camera, start_at / 3600000 * 3600000, sum(end_at - start_at), sum(bytes) FROM segment GROUP BY 1, 2;`,
];

/** The version that schema.sql describes. */
export const schemaVersion = migrations.length + 1;
