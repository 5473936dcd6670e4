/** Steps from an older schema to schema.sql, oldest first; a database's user_version counts the steps it has plus one. */

/** SQL that leads from version `index + 1` to `index + 2`. Each runs in one transaction; never edited after it was released. */
export const migrations: readonly string[] = [];

/** The version that schema.sql describes. */
export const schemaVersion = migrations.length + 1;
