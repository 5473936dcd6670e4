/**
 * When the database takes nothing for so long that memory's bound is reached: what goes, what must outlive it, and the record of it. Pure.
 *
 * The least important change goes first, the oldest of its like. What only the latest value counts of (conditions, pages) moves on to the
 * change after it, so that order holds and nothing true is forgotten. A gap that opened and closed in it becomes a stretch of unknown
 * state, and so does a lost segment: its file is still in the folder, and the next start finds it.
 */
import type { Change, Moment, Write } from "./change.ts";
import { importance } from "./journal.ts";
import type { Span } from "./types.ts";

/** What went, until the database has it written down: writes by their kind, events by their type. */
export type Lost = {
  readonly changes: number;
  readonly byWrite: Readonly<Record<string, number>>;
  readonly byType: Readonly<Record<string, number>>;
};
export const nothingLost: Lost = { changes: 0, byWrite: {}, byType: {} };

/** Why nobody knows what was in such a stretch. */
export const lostWhy = "database took nothing";

/** At most `most` changes, and what is lost by it. The newest always stays. */
export function makeRoom(waiting: readonly Change[], most: number, lost: Lost): { readonly waiting: Change[]; readonly lost: Lost } {
  const kept = [...waiting];
  let sum = lost;
  while (kept.length > Math.max(1, most)) {
    const at = leastOf(kept);
    const [going = [], next = []] = kept.slice(at, at + 2);
    const remains = fold(going.flatMap(remainsOf));
    kept.splice(at, 2, [...remains, ...next]);
    sum = added(sum, going, remains);
  }
  return { waiting: kept, lost: sum };
}

/** The event that tells of it, with the first that the database takes again. Its rows never had a number. */
export function lossEvent({ changes, byWrite, byType }: Lost, moment: Moment): Write {
  const count = Object.values(byType).reduce((sum, n) => sum + n, 0);
  const data = { from: null, to: null, count, byType, changes, byWrite, reason: "the state disk took nothing" };
  return { put: "event", moment, type: "journal.dropped", level: "alarm", data };
}

/** Events lie between what is merely current and what the ledger rests on. */
const weights: Readonly<Record<Exclude<Write["put"], "event">, number>> = {
  ...{ beat: 0, condition: 0, "camera-condition": 0, "camera-finding": 0, note: 0, page: 0, unknown: 0 },
  ...{ segment: 4, doom: 4, forget: 4 },
  ...{ "gap-opened": 5, "gap-blamed": 5, "gap-closed": 5, "camera-left": 5, "clock-step": 5, "run-ended": 5, folder: 5 },
  ...{ "hold-added": 5, "hold-lifted": 5, "hold-widened": 5, register: 5, "register-answered": 5, "viewer-added": 5, "viewer-removed": 5 },
};
const weightOf = (write: Write): number => (write.put === "event" ? 1 + importance[write.type] : weights[write.put]);

/** The first of the lightest, the newest left out. */
function leastOf(changes: readonly Change[]): number {
  const heaviest = changes.slice(0, -1).map((change) => change.reduce((most, write) => Math.max(most, weightOf(write)), 0));
  return heaviest.indexOf(Math.min(...heaviest));
}

/** What of a change may not go with it. Deletions are found again by the folder. */
function remainsOf(write: Write): readonly Write[] {
  if (write.put === "event" || write.put === "doom" || write.put === "forget") return [];
  if (write.put !== "segment") return [write];
  const { camera, startAt, endAt } = write.segment;
  return [{ put: "unknown", camera, fromAt: startAt, toAt: endAt, why: lostWhy }];
}

/** Of what replaces itself the latest, of gaps what is open before and after, of stretches that are lost one a camera. In order. */
function fold(change: Change): Change {
  let folded: Write[] = [];
  for (const write of change) folded = foldIn(folded, write);
  return folded;
}

function foldIn(before: readonly Write[], write: Write): Write[] {
  if (write.put === "gap-closed") return foldGap(before, write);
  if (write.put === "unknown") return foldStretch(before, write);
  const key = keyOf(write);
  return [...(key === null ? before : before.filter((other) => keyOf(other) !== key)), write];
}

/** The table has no row yet of a gap that also opened here: it comes and goes, and the stretch is lost. */
function foldGap(before: readonly Write[], closed: Extract<Write, { put: "gap-closed" }>): Write[] {
  const opened = before.find((other) => other.put === "gap-opened" && other.camera === closed.camera);
  const rest = before.filter((other) => (other.put !== "gap-opened" && other.put !== "gap-blamed") || other.camera !== closed.camera);
  if (opened?.put !== "gap-opened") return [...rest, closed];
  if (closed.toAt <= opened.fromAt) return rest;
  return foldStretch(rest, { put: "unknown", camera: closed.camera, fromAt: opened.fromAt, toAt: closed.toAt, why: lostWhy });
}

/** One stretch a camera: footage and gaps that are known lie over it when it is read. */
function foldStretch(before: readonly Write[], unknown: Extract<Write, { put: "unknown" }>): Write[] {
  const isSame = (other: Write) => other.put === "unknown" && other.camera === unknown.camera && other.why === unknown.why;
  const known = before.find(isSame);
  const span: Span =
    known?.put === "unknown" ? { fromAt: Math.min(known.fromAt, unknown.fromAt), toAt: Math.max(known.toAt, unknown.toAt) } : unknown;
  return [...before.filter((other) => !isSame(other)), { ...unknown, fromAt: span.fromAt, toAt: span.toAt }];
}

/** Writes of one key replace each other; null: each stands for itself. */
function keyOf(write: Write): string | null {
  switch (write.put) {
    case "beat":
    case "folder":
      return write.put;
    case "condition":
      return `${write.put} ${write.subject}`;
    case "note":
      return `${write.put} ${write.note}`;
    case "run-ended":
      return `${write.put} ${write.run}`;
    case "clock-step":
      return `${write.put} ${write.clock}`;
    case "camera-finding":
      return `${write.put} ${write.camera} ${write.finding}`;
    case "page":
    case "camera-condition":
    case "camera-left":
    case "gap-blamed":
      return `${write.put} ${write.camera}`;
    default:
      return null;
  }
}

function added(lost: Lost, going: Change, remains: Change): Lost {
  const byWrite = { ...lost.byWrite };
  const byType = { ...lost.byType };
  for (const { put } of going) byWrite[put] = (byWrite[put] ?? 0) + 1;
  for (const { put } of remains) byWrite[put] = (byWrite[put] ?? 0) - 1;
  for (const write of going) if (write.put === "event") byType[write.type] = (byType[write.type] ?? 0) + 1;
  // Stretches of unknown state are made here; they are not lost.
  const counted = Object.entries(byWrite).filter(([put, n]) => put !== "unknown" && n > 0);
  return { changes: lost.changes + 1, byWrite: Object.fromEntries(counted), byType };
}
