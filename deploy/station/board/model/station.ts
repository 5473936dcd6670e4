/** What officers write at the station: notes about faults, requests to hold footage, questions answered with no. Pure. */
import type { Answer } from "../../../../agent/core/ledger.ts";
import { iso } from "../../../../agent/core/time.ts";
import type { Span } from "../../../../agent/core/types.ts";
import type { Kept, Retained } from "./kept.ts";
import { bodyOf, oneOf, textOf, timeOf } from "./read.ts";

/** What is being done about a fault; a closed list, so that no person's name comes in. */
export const notes = ["told-household", "told-technician", "awaiting-money", "date-set", "awaiting-part", "power-company"] as const;
export type NoteCode = (typeof notes)[number];
export type Note = { readonly code: NoteCode; readonly at: number | null; readonly date: string | null };

export const noteTopic = (place: string): string => `station/note/${place}`;

/** A note that was put down so long before a fault is an earlier fault's; what is shorter may be two clocks that differ. */
const noteSlackMs = 15 * 60_000;

/** The note about a fault that lasts since `sinceAt`; null: since when is not known. */
export function noteOf(retained: Retained, place: string, sinceAt: number | null): Note | null {
  const body = bodyOf(retained.get(noteTopic(place))?.value);
  const code = oneOf(body?.note, notes);
  if (body === null || code === null) return null;
  const [date, at] = [textOf(body.date), timeOf(body.at)];
  if (at !== null && sinceAt !== null && at < sinceAt - noteSlackMs) return null;
  return { code, at, date: date !== null && /^\d{4}-\d{2}-\d{2}$/.test(date) ? date : null };
}

export const noteBody = (code: NoteCode, date: string | null, nowAt: number): object => ({ v: 1, note: code, date, at: iso(nowAt) });

/** An officer's request stands at the broker so long (contract §7). */
export const holdExpirySeconds = 30 * 86_400;

export type HoldRequest = {
  readonly camera: string;
  readonly from: string;
  readonly to: string;
  readonly request: string;
  readonly officer: string;
};

export const holdTopic = (site: string, id: string): string => `to/${site}/officer/hold/${id}`;
export const holdBody = (camera: string, asked: Span, request: string, officer: string): HoldRequest => ({
  ...{ camera, from: iso(asked.fromAt), to: iso(asked.toAt), request, officer },
});

export type HoldState =
  | { readonly kind: "waiting" }
  | { readonly kind: "granted"; readonly hold: number; readonly bytes: number }
  | { readonly kind: "refused"; readonly reason: string };
export type Hold = {
  readonly site: string;
  readonly id: string;
  readonly camera: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly request: string;
  readonly officer: string;
  readonly state: HoldState;
};

/** Requests that stand at the broker, and what their boxes have answered since this page is open. */
export function holdsOf(retained: Retained): readonly Hold[] {
  return [...retained].flatMap(([topic, kept]): readonly Hold[] => {
    const [, site, id] = /^to\/([^/]+)\/officer\/hold\/([^/]+)$/.exec(topic) ?? [];
    const body = bodyOf(kept.value);
    if (site === undefined || id === undefined || body === null) return [];
    const facts = { camera: textOf(body.camera) ?? "", from: timeOf(body.from), to: timeOf(body.to) };
    const [request, officer] = [textOf(body.request) ?? "", textOf(body.officer) ?? ""];
    return [{ site, id, ...facts, request, officer, state: holdState(retained.get(`from/${site}/result/${id}`)) }];
  });
}

/** The same request once more, for a box whose answer this page has not heard: it answers by the request's id, as it did before. */
export const holdAgainBody = ({ camera, from, to, request, officer }: Hold): HoldRequest | null =>
  from === null || to === null ? null : holdBody(camera, { fromAt: from, toAt: to }, request, officer);

function holdState(kept: Kept | undefined): HoldState {
  const body = bodyOf(kept?.value);
  if (body === null) return { kind: "waiting" };
  if (body.ok !== true) return { kind: "refused", reason: textOf(body.reason) ?? "" };
  return { kind: "granted", hold: Number(body.hold), bytes: Number(body.bytes) };
}

/** A question that was answered with no, for the month's sheet: codes and times only. */
export const answeredTopic = (id: string): string => `station/answered/${id}`;
export const answeredBody = (
  site: string,
  camera: string,
  asked: Span,
  answer: Answer,
  why: string,
  request: string,
  nowAt: number,
): object => ({
  ...{ v: 1, at: iso(nowAt), site, camera, from: iso(asked.fromAt), to: iso(asked.toAt), answer, why, request },
});
