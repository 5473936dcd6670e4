/**
 * `<state>/audit.log`: who did what, one line an entry, only ever appended to. A file of its own, so that a database which is set aside takes
 * nothing of it along; the database keeps the head, so that a file cut short is noticed.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  type AuditData,
  type AuditEntry,
  type AuditHead,
  type AuditKind,
  auditEntry,
  auditLine,
  beginning,
  checkAudit,
} from "../core/audit.ts";
import type { Database } from "./database.ts";
import { giveToOwner, syncFolder } from "./key.ts";

const auditName = "audit.log";
const hash = (text: string) => createHash("sha256").update(text).digest("hex");

export type AuditNote = { readonly at: string; readonly clock: string; readonly what: AuditKind; readonly data: AuditData };

/** Appends one entry, durably, and returns the new head. Two who append at once take turns at the database. Throws the system's error. */
export function appendAudit(db: Database, state: string, note: AuditNote): AuditHead {
  return db
    .transaction(() => {
      const { line, head } = auditLine(lastHead(state), note, hash);
      append(state, line);
      db.prepare("INSERT INTO meta VALUES ('audit', ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(JSON.stringify(head));
      return head;
    })
    .immediate();
}

function append(state: string, line: string): void {
  const file = join(state, auditName);
  const isNew = !existsSync(file);
  const fd = openSync(file, "a", 0o640);
  try {
    // A line that a power cut tore is closed first: it stays, and the check names it.
    writeSync(fd, endsTorn(file) ? `\n${line}` : line);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (!isNew) return;
  giveToOwner(state, file);
  syncFolder(state);
}

function endsTorn(file: string): boolean {
  const bytes = readFileSync(file);
  return bytes.length > 0 && bytes.at(-1) !== 10;
}

const readLog = (state: string): string => (existsSync(join(state, auditName)) ? readFileSync(join(state, auditName), "utf8") : "");

function lastHead(state: string): AuditHead {
  const last = readLog(state)
    .split("\n")
    .findLast((line) => auditEntry(line) !== null);
  const entry = last === undefined ? null : auditEntry(last);
  return entry === null ? beginning : { n: entry.n, hash: entry.hash };
}

/** All entries that can be read, oldest first. */
export const readAudit = (state: string): readonly AuditEntry[] =>
  readLog(state)
    .split("\n")
    .flatMap((line) => auditEntry(line) ?? []);

/** Walks the chain; `noted` is the head as the database has it. */
export const checkAuditOf = (state: string, noted: string | null) =>
  checkAudit(readLog(state), noted === null ? null : (JSON.parse(noted) as AuditHead), hash);
