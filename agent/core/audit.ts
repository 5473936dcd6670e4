/** The chain of the audit: each entry carries the hash of the one before. Pure; `hash` is SHA-256 in hex. */

/** What is written down of people's doings (contract §3): who asked, who did it, what. */
export const auditKinds = [
  "service.started",
  "config.changed",
  "clock.set",
  "hold.added",
  "hold.lifted",
  "export.made",
  "look.made",
  "footage.deleted",
  "request.refused",
  "file.received",
  "viewer.added",
  "viewer.removed",
  "subject.asked",
  "subject.answered",
  "camera.found",
  "picture.accepted",
  "update.begun",
  "update.good",
  "update.undone",
  "key.added",
  "key.removed",
  "footage.fetched",
  "errand.refused",
  "signed",
] as const;
export type AuditKind = (typeof auditKinds)[number];
export type AuditData = { readonly [key: string]: string | number | boolean | null | readonly string[] };

export type AuditEntry = {
  readonly n: number;
  /** UTC as the box had it. */
  readonly at: string;
  readonly clock: string;
  readonly what: AuditKind;
  readonly data: AuditData;
  /** Hash of the entry before; of the first, 64 zeros. */
  readonly prev: string;
  readonly hash: string;
};
export type AuditHead = { readonly n: number; readonly hash: string };
export const beginning: AuditHead = { n: 0, hash: "0".repeat(64) };

type Hash = (text: string) => string;

/** One line of the file, and the head that it makes. */
export function auditLine(
  head: AuditHead,
  entry: Pick<AuditEntry, "at" | "clock" | "what" | "data">,
  hash: Hash,
): { readonly line: string; readonly head: AuditHead } {
  const { at, clock, what, data } = entry;
  const body = { n: head.n + 1, at, clock, what, data, prev: head.hash };
  const sum = hash(JSON.stringify(body));
  return { line: `${JSON.stringify({ ...body, hash: sum })}\n`, head: { n: body.n, hash: sum } };
}

/** An entry as it stands in the file; null where the line is none. */
export function auditEntry(line: string): AuditEntry | null {
  try {
    const entry = JSON.parse(line) as Partial<AuditEntry>;
    const isEntry = typeof entry.n === "number" && typeof entry.hash === "string" && typeof entry.prev === "string";
    return isEntry && typeof entry.data === "object" && entry.data !== null ? (entry as AuditEntry) : null;
  } catch {
    return null;
  }
}

export type AuditProblem = {
  readonly line: number;
  readonly what: "altered" | "not in its place" | "unreadable" | "entries are missing at the end";
};

/**
 * Walks the chain. `noted`: the head as it was noted elsewhere, null where it was not: what is missing at the end is seen by that only. The
 * file may be one entry ahead of it, where the power went between the two.
 */
export function checkAudit(
  text: string,
  noted: AuditHead | null,
  hash: Hash,
): { readonly entries: number; readonly head: AuditHead; readonly problems: readonly AuditProblem[] } {
  const problems: AuditProblem[] = [];
  let head = beginning;
  const seen = new Map<number, string>();
  const lines = text.split("\n");
  const isTorn = lines.at(-1) !== "";
  for (const [index, line] of lines.slice(0, isTorn ? undefined : -1).entries()) {
    const entry = auditEntry(line);
    const say = (what: AuditProblem["what"]) => problems.push({ line: index + 1, what });
    if (entry === null) {
      say("unreadable");
      continue;
    }
    const { hash: told, ...body } = entry;
    if (hash(JSON.stringify(body)) !== told || JSON.stringify(entry) !== line) say("altered");
    else if (entry.n !== head.n + 1 || entry.prev !== head.hash) say("not in its place");
    head = { n: entry.n, hash: told };
    seen.set(entry.n, told);
  }
  const isCut = noted !== null && noted.n > 0 && seen.get(noted.n) !== noted.hash;
  if (isCut) problems.push({ line: seen.size + 1, what: "entries are missing at the end" });
  return { entries: seen.size, head, problems };
}
