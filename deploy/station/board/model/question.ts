/** *Có lấy được hình không?*: what the station knows of a stretch, and what it does not. Pure. */
import { answerText } from "../../../../agent/core/answer.ts";
import { type Answer, answerOf, type LedgerSpan, overlap } from "../../../../agent/core/ledger.ts";
import { vietnamTime } from "../../../../agent/core/time.ts";
import type { Span } from "../../../../agent/core/types.ts";
import type { Language } from "../../../../agent/core/words.ts";
import { type Camera, type Commune, isExact, type Site } from "./commune.ts";
import { deletedBeyond, deletedIn, type Piece, piecesOf, type Vouched } from "./day.ts";
import type { Retained } from "./kept.ts";
import { holdsOf } from "./station.ts";

const dayMs = 86_400_000;

export type Finding = {
  readonly camera: Camera;
  readonly site: Site;
  readonly asked: Span;
  readonly answer: Answer;
  readonly spans: readonly LedgerSpan[];
  /** Why something is not known, or not for certain: the box does not speak, since when; the stretch is not over; the station has no such day. */
  readonly doubt:
    | { readonly kind: "silent"; readonly sinceAt: number | null; readonly isExact: boolean }
    | { readonly kind: "future" }
    | { readonly kind: "no-day" }
    | null;
  readonly stay: Stay;
};

/**
 * How long what is there stays. held: until somebody lifts the hold. age: deleted at `untilAt` at the latest, and before when the disk is full.
 * unknown: the box has not said, or that time is past.
 */
export type Stay = { readonly kind: "held" | "unknown" } | { readonly kind: "age"; readonly untilAt: number };

/** What the box was heard to be: nothing of one that is silent. */
export const vouchedOf = (site: Site | undefined, camera: Camera): Vouched | null =>
  site?.contact.kind === "heard" && camera.state !== "unknown"
    ? { untilAt: site.contact.heardAt, state: camera.state, sinceAt: camera.sinceAt }
    : null;

export function findingOf(retained: Retained, site: Site, camera: Camera, asked: Span, nowAt: number): Finding {
  const past = { fromAt: asked.fromAt, toAt: Math.max(asked.fromAt, Math.min(asked.toAt, nowAt)) };
  const pieces = camera.manual === null ? piecesOf(retained, camera, past, vouchedOf(site, camera)) : [];
  const oldest = oldestOf(site, camera, nowAt);
  // A hold that an officer asked for, or that had no room in the message, may keep what is over age: the box has not said.
  const perhapsHeld = [...wantedOf(retained, camera), ...heldBeyond(camera)];
  const [deleted, perhapsDeleted] = [deletedIn(retained, camera, past), deletedBeyond(retained, camera, past)];
  const spans = [
    ...pieces
      .flatMap((piece) => spansOf(piece, oldest, camera.held))
      .flatMap((span) => recut(span, span.kind === "deleted" ? perhapsHeld : [], atEdge))
      .flatMap((span) => recut(span, span.kind === "footage" ? perhapsDeleted : [], atEdge))
      .flatMap((span) => recut(span, span.kind === "gap" ? [] : deleted, (part, { why }) => ({ ...part, kind: "deleted", why }))),
    ...future(asked, nowAt, camera),
  ];
  return {
    ...{ camera, site, asked, answer: answerOf(spans, asked), spans },
    ...{ doubt: doubtOf(pieces, site, asked, nowAt), stay: stayOf(spans, site, camera, nowAt) },
  };
}

/** Of a stretch of which a part is not held, that part goes first. */
function stayOf(spans: readonly LedgerSpan[], { keepMaxMs }: Site, { held }: Camera, nowAt: number): Stay {
  const [first] = spans.filter(mayBeThere).flatMap((span) => without(span, held));
  if (first === undefined && spans.some(({ kind }) => kind === "footage")) return { kind: "held" };
  const untilAt = first === undefined || keepMaxMs === null ? nowAt : first.fromAt + keepMaxMs;
  return untilAt > nowAt ? { kind: "age", untilAt } : { kind: "unknown" };
}

/** Of what is looked at by hand the box's own rule says nothing. */
const mayBeThere = (span: LedgerSpan): boolean =>
  span.kind === "footage" || (span.kind === "unknown" && span.why !== "manual" && span.why !== "future");

/** What a span has outside of the windows, in order. */
const without = (span: Span, windows: readonly Span[]): readonly Span[] =>
  windows.reduce<readonly Span[]>(
    (parts, { fromAt, toAt }) => {
      const around = [
        { fromAt: Number.NEGATIVE_INFINITY, toAt: fromAt },
        { fromAt: toAt, toAt: Number.POSITIVE_INFINITY },
      ];
      return parts.flatMap((part) => around.flatMap((side) => overlap(part, side) ?? []));
    },
    [span],
  );

/** What is not over, or is looked at by hand, nobody can know. */
function future(asked: Span, nowAt: number, camera: Camera): readonly LedgerSpan[] {
  if (camera.manual !== null) return [{ ...asked, kind: "unknown", why: "manual" }];
  const fromAt = Math.max(asked.fromAt, nowAt);
  return asked.toAt > fromAt ? [{ kind: "unknown", fromAt, toAt: asked.toAt, why: "future" }] : [];
}

/** Footage from before `goneAt` is deleted, that from `thereAt` on is there; in between nobody at the station can tell. */
type Oldest = { readonly goneAt: number; readonly thereAt: number };

/** Days kept are told to a hundredth, rounded down (14.4 min), counted once a minute, and hold for 15 min: 30.4 min, so 0.02 d (28.8 min) are too few. */
const keptGrainMs = 0.03 * dayMs;

/** What a box rotated since it was heard, or held over age before, nobody at the station knows: of a silent one nothing is surely gone. */
function oldestOf({ keepMaxMs }: Site, { daysKept, isHeard }: Camera, nowAt: number): Oldest {
  const byAgeAt = nowAt - (keepMaxMs ?? Number.POSITIVE_INFINITY);
  const byStateAt = nowAt - (daysKept ?? Number.POSITIVE_INFINITY) * dayMs;
  // A box that has not said how far back it reaches is trusted with a day.
  const surelyAt = daysKept === null ? nowAt - dayMs : byStateAt;
  const goneAt = isHeard ? Math.max(byAgeAt, byStateAt - keptGrainMs) : Number.NEGATIVE_INFINITY;
  return { goneAt, thereAt: Math.max(byAgeAt, surelyAt) };
}

/** The same in the ledger's words. `held`: what the box says that it holds, however old. */
function spansOf(piece: Piece, { goneAt, thereAt }: Oldest, held: readonly Span[]): readonly LedgerSpan[] {
  const { fromAt, toAt } = piece;
  if (piece.kind === "gap") return [{ kind: "gap", fromAt, toAt, cause: piece.cause, sure: piece.sure, evidence: piece.evidence }];
  if (piece.kind === "undue") return [];
  if (piece.kind !== "footage") return [{ kind: "unknown", fromAt, toAt, why: piece.kind }];
  const within = (at: number) => Math.min(toAt, Math.max(fromAt, at));
  const spans: readonly LedgerSpan[] = [
    { kind: "deleted", fromAt, toAt: within(goneAt), why: "age" },
    { kind: "unknown", fromAt: within(goneAt), toAt: within(thereAt), why: "edge" },
    there({ fromAt: within(thereAt), toAt }),
  ];
  return spans.filter((span) => span.toAt > span.fromAt).flatMap((span) => (span.kind === "footage" ? [span] : recut(span, held, there)));
}

const there = ({ fromAt, toAt }: Span): LedgerSpan => ({
  ...{ kind: "footage", fromAt, toAt, segments: 0, bytes: 0, stream: "main", clock: "synced" },
});

const atEdge = ({ fromAt, toAt }: Span): LedgerSpan => ({ kind: "unknown", fromAt, toAt, why: "edge" });

/** Where more may be held than the message had room for: after the last that it tells. */
const heldBeyond = ({ held, heldLeftOut }: Camera): readonly Span[] =>
  heldLeftOut === 0 ? [] : [{ fromAt: held.at(-1)?.toAt ?? Number.NEGATIVE_INFINITY, toAt: Number.POSITIVE_INFINITY }];

/** What officers asked the box to hold, unless it refused. */
const wantedOf = (retained: Retained, camera: Camera): readonly Span[] =>
  holdsOf(retained).flatMap(({ site, camera: id, from, to, state }) =>
    site === camera.site && id === camera.id && state.kind !== "refused" && from !== null && to !== null
      ? [{ fromAt: from, toAt: to }]
      : [],
  );

/** A span cut at the windows that it meets; what lies in one becomes what `inside` makes of it. */
function recut<W extends Span>(
  span: LedgerSpan,
  windows: readonly W[],
  inside: (part: Span, window: W) => LedgerSpan,
): readonly LedgerSpan[] {
  const edges = windows.flatMap((window) => overlap(span, window) ?? []).flatMap(({ fromAt, toAt }) => [fromAt, toAt]);
  if (edges.length === 0) return [span];
  const cuts = [...new Set([span.fromAt, ...edges, span.toAt])].sort((a, b) => a - b);
  return cuts.slice(1).map((toAt, i) => {
    const part = { fromAt: cuts[i] ?? toAt, toAt };
    const window = windows.find((entry) => overlap(entry, part) !== null);
    return window === undefined ? { ...span, ...part } : inside(part, window);
  });
}

function doubtOf(pieces: readonly Piece[], site: Site, asked: Span, nowAt: number): Finding["doubt"] {
  const untold = pieces.filter(({ kind }) => kind === "untold");
  if (site.contact.kind !== "heard") return { kind: "silent", sinceAt: site.contact.sinceAt, isExact: isExact(site.contact) };
  if (asked.toAt > nowAt) return { kind: "future" };
  return untold.length > 0 ? { kind: "no-day" } : null;
}

export const findingText = ({ answer, spans, asked }: Finding, language: Language): string => answerText(answer, spans, asked, language);

/** The other cameras of the group, those first that have most. */
export function othersOf(retained: Retained, { sites }: Commune, { camera, asked }: Finding, nowAt: number): readonly Finding[] {
  const order: readonly Answer[] = ["yes", "partial", "unknown", "no"];
  return sites
    .flatMap((site) => site.cameras.map((other) => ({ site, other })))
    .filter(({ other }) => camera.group !== null && other.group === camera.group && other.manual === null)
    .filter(({ other }) => other.site !== camera.site || other.id !== camera.id)
    .map(({ site, other }) => findingOf(retained, site, other, asked, nowAt))
    .filter(({ answer }) => answer !== "no")
    .sort((a, b) => order.indexOf(a.answer) - order.indexOf(b.answer));
}

/** `2026-11-25T14:05:00` in Vietnamese time, as the command line takes it. */
export function localTime(at: number): string {
  const [clock = "", day = ""] = vietnamTime(at).split(" ");
  return `${day.split("/").reverse().join("-")}T${clock}`;
}

/** The line for the person at the recorder; what only they know stands in it as a place to fill. */
export function exportLine(
  { camera, asked }: Finding,
  request: string,
  blanks: Readonly<Record<"request" | "agency" | "officer" | "purpose", string>>,
): string {
  const quoted = (text: string) => `"${text.replace(/["$`\\]/g, "")}"`;
  return [
    `sudo matghi export --camera ${camera.id} --from ${localTime(asked.fromAt)} --to ${localTime(asked.toAt)}`,
    `--request ${quoted(request === "" ? blanks.request : request)} --agency ${quoted(blanks.agency)}`,
    `--officer ${quoted(blanks.officer)} --purpose ${quoted(blanks.purpose)}`,
  ].join(" ");
}
