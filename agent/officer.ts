/** Holds that an officer asks for at the station. The box decides within its limits, and answers the same request alike however often it comes. */
import type { Settings } from "./config/schema.ts";
import type { AuditData, AuditKind } from "./core/audit.ts";
import { breaksLine } from "./core/text.ts";
import { iso, parseFullTime } from "./core/time.ts";
import type { HoldRefusal } from "./core/types.ts";
import type { Time } from "./moment.ts";
import type { Store } from "./store/store.ts";

export type OfficerDeps = {
  readonly settings: () => Settings;
  readonly store: Pick<Store, "cameras" | "holds" | "bytesHeldBy" | "commit" | "meta">;
  readonly time: Pick<Time, "moment" | "dating">;
  /** What cannot be written down is not done: throws then. */
  readonly audit: (what: AuditKind, data: AuditData) => void;
};

export type HoldAnswer =
  | {
      readonly ok: true;
      readonly hold: number;
      readonly camera: string;
      readonly from: string;
      readonly to: string;
      readonly bytes: number;
    }
  | { readonly ok: false; readonly reason: HoldRefusal };

const dayMs = 86_400_000;
/** Answers that are remembered; a request stands at the broker for 30 days at most. */
const mostRemembered = 500;
const mostRequestChars = 200;
/** A code, never a name. */
const officerForm = /^[A-Za-z0-9-]{1,32}$/;

/** Throws where the audit or the database does not take it: it is asked again then. */
export function answerHold(deps: OfficerDeps, id: string, body: Readonly<Record<string, unknown>>): HoldAnswer {
  const remembered = JSON.parse(deps.store.meta("officer-holds") ?? "[]") as readonly (readonly [string, HoldAnswer])[];
  const before = remembered.find(([known]) => known === id);
  if (before !== undefined) return before[1];
  const answer = place(
    deps,
    remembered.flatMap(([, known]) => (known.ok ? [known.hold] : [])),
    id,
    body,
  );
  const text = JSON.stringify([...remembered, [id, answer]].slice(-mostRemembered));
  deps.store.commit([{ put: "note", note: "officer-holds", text }]);
  return answer;
}

type Wanted = {
  readonly camera: string;
  readonly fromAt: number;
  readonly toAt: number;
  readonly request: string;
  readonly officer: string;
};

function place(deps: OfficerDeps, ours: readonly number[], id: string, body: Readonly<Record<string, unknown>>): HoldAnswer {
  const wanted = wantedOf(deps, body);
  if (typeof wanted === "string") return { ok: false, reason: wanted };
  const { store, time } = deps;
  const limits = deps.settings().station?.holds;
  if (limits === undefined) return { ok: false, reason: "no-station" };
  if (wanted.toAt - wanted.fromAt > limits.days * dayMs) return { ok: false, reason: "too-long" };
  const dating = time.dating();
  const stored = { fromAt: dating.fromUtc(wanted.fromAt), toAt: dating.fromUtc(wanted.toAt) };
  const heldBytes = store.holds().reduce((sum, hold) => sum + (ours.includes(hold.id) ? hold.bytes : 0), 0);
  if (heldBytes + store.bytesHeldBy(wanted.camera, stored) > limits.size) return { ok: false, reason: "too-much" };
  const { camera, request, officer } = wanted;
  const data = { camera, from: iso(wanted.fromAt), to: iso(wanted.toAt), request };
  deps.audit("hold.added", { ...data, officer, station: id });
  const moment = time.moment();
  store.commit([
    {
      put: "hold-added",
      hold: { camera, request, officer, fromUtc: wanted.fromAt, toUtc: wanted.toAt, sinceAt: moment.at, untilUtc: null, ...stored },
    },
    { put: "event", moment, type: "hold.added", level: "info", data: { ...data, station: id } },
  ]);
  const row = store.holds().at(-1);
  if (row === undefined) throw new Error("the hold is not there after it was written");
  return { ok: true, hold: row.id, camera, from: iso(row.fromUtc), to: iso(row.toUtc), bytes: row.bytes };
}

function wantedOf({ settings, store }: OfficerDeps, body: Readonly<Record<string, unknown>>): Wanted | HoldRefusal {
  const { camera, from, to, request, officer } = body;
  const known = new Set([...settings().cameras, ...store.cameras()].map((entry) => entry.id));
  if (typeof camera !== "string" || !known.has(camera)) return "unknown-camera";
  const [fromAt, toAt] = [from, to].map((at) => (typeof at === "string" ? parseFullTime(at) : null));
  if (fromAt == null || toAt == null || fromAt >= toAt) return "bad-time";
  if (typeof request !== "string" || !isRequest(request.trim())) return "bad-request";
  if (typeof officer !== "string" || !officerForm.test(officer)) return "bad-officer";
  return { camera, fromAt, toAt, request: request.trim(), officer };
}

const isRequest = (text: string) => text !== "" && [...text].length <= mostRequestChars && !breaksLine(text);
