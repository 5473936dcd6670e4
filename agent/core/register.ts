/**
 * The register: who asked for footage and what came of it, what households handed in, who may view what, what people ask about themselves.
 * Names stay in it on the box; only counts leave it. Pure.
 */
import type { UtcMs } from "./dating.ts";
import { dayOf, spanOfDay } from "./period.ts";
import { iso, isoOrNull } from "./time.ts";
import type { Span } from "./types.ts";

/** Kinds of cases, as the papers count them (contract §3). */
export const cases = ["tngt", "trom-cap", "xo-xat", "ma-tuy", "khac"] as const;
export type Case = (typeof cases)[number];
/** As `footage` answers (contract §3). */
export const outcomes = ["yes", "partial", "no", "unknown"] as const;
export type Outcome = (typeof outcomes)[number];
/** Who is given leave to view: the commune's police, the local security team, a household, others. */
export const roles = ["cong-an", "to-bao-ve", "ho-dan", "khac"] as const;
export type Role = (typeof roles)[number];

/** A request for footage, and what was answered. */
export type Extraction = {
  readonly kind: "export" | "refusal";
  readonly agency: string | null;
  readonly case: Case;
  readonly cameras: readonly string[];
  /** The stretch that was asked for; null: the officer named none. */
  readonly from: UtcMs | null;
  readonly to: UtcMs | null;
  readonly outcome: Outcome;
  /** Why not all of it; null: all of it was handed out. */
  readonly why: string | null;
  /** SHA-256 of the manifest that was handed out. */
  readonly manifestSha256: string | null;
};
/** A file that somebody handed in, as it was received. */
export type Intake = {
  readonly kind: "intake";
  readonly source: string;
  readonly device: string | null;
  /** As the household said. */
  readonly clockError: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
};
/** What a person wants to know, or wants done, about pictures of himself. */
export type SubjectRequest = {
  readonly kind: "subject";
  readonly dueAt: UtcMs;
  readonly answeredAt: UtcMs | null;
  readonly answer: string | null;
};
export type EntryFacts = Extraction | Intake | SubjectRequest;
export type NewEntry = { readonly at: UtcMs; readonly request: string; readonly officer: string; readonly facts: EntryFacts };
export type Entry = NewEntry & { readonly id: number };

export type NewViewer = {
  readonly who: string;
  readonly role: Role;
  /** Empty: all cameras. */
  readonly cameras: readonly string[];
  readonly request: string | null;
  readonly officer: string;
  readonly fromAt: UtcMs;
};
export type Viewer = NewViewer & { readonly id: number; readonly toAt: UtcMs | null };

export type ExtractionEntry = Entry & { readonly facts: Extraction };
export const isExtraction = (entry: Entry): entry is ExtractionEntry => entry.facts.kind === "export" || entry.facts.kind === "refusal";

/** One paper is one request, however many commands it took. */
export type Request = { readonly case: Case; readonly outcome: Outcome };

/** Entries by the paper they belong to, in order. */
function papersOf(entries: readonly Entry[]): readonly (readonly ExtractionEntry[])[] {
  const byPaper = new Map<string, ExtractionEntry[]>();
  for (const entry of entries.filter(isExtraction)) {
    const key = entry.request.normalize("NFC").trim().toLowerCase();
    byPaper.set(key, [...(byPaper.get(key) ?? []), entry]);
  }
  return [...byPaper.values()];
}

/** Entries of one paper taken together: whole only where every part was, none only where no part was. */
function requestOf(parts: readonly ExtractionEntry[]): Request {
  const [first = "no", ...rest] = parts.map(({ facts }) => facts.outcome);
  const named = parts.map(({ facts }) => facts.case).findLast((kind) => kind !== "khac");
  return { case: named ?? "khac", outcome: rest.every((outcome) => outcome === first) ? first : "partial" };
}

export const requestsOf = (entries: readonly Entry[]): readonly Request[] => papersOf(entries).map(requestOf);

/**
 * Requests told on a camera's page: each on one page alone, so that the station may add up pages. That is the page of the camera named first
 * among those that have one (`paged`, in order); where none is named, of the first of all.
 */
export const requestsOn = (entries: readonly Entry[], camera: string, paged: readonly string[]): readonly Request[] =>
  papersOf(entries)
    .filter((parts) => (parts.flatMap(({ facts }) => facts.cameras).find((id) => paged.includes(id)) ?? paged[0]) === camera)
    .map(requestOf);

/** Requests by case, then by outcome; what did not occur is left out. */
export function countsOf(requests: readonly Request[]): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const counts: Record<string, Record<string, number>> = {};
  for (const { case: kind, outcome } of requests) {
    const of = counts[kind] ?? {};
    counts[kind] = { ...of, [outcome]: (of[outcome] ?? 0) + 1 };
  }
  return counts;
}

const dayMs = 86_400_000;
const vietnamMs = 7 * 3_600_000;
/** A person is answered within two working days (requirements, PR-05). */
export const answerWithinDays = 2;

/** End of the so-manieth working day after the day of `at`, in Vietnam. Monday to Friday; public holidays are not known here. */
export function dueOf(at: UtcMs, workingDays: number): UtcMs {
  let dayAt = spanOfDay(dayOf(at))?.fromAt ?? at;
  for (let left = workingDays; left > 0; ) {
    dayAt += dayMs;
    const weekday = new Date(dayAt + vietnamMs).getUTCDay();
    if (weekday !== 0 && weekday !== 6) left -= 1;
  }
  return dayAt + dayMs;
}

/** How many may view by role at the end of a period, and how many were added and removed in it. */
export function viewersIn(viewers: readonly Viewer[], { fromAt, toAt }: Span) {
  const within = (at: UtcMs | null) => at !== null && at >= fromAt && at < toAt;
  const standing = viewers.filter((viewer) => viewer.fromAt < toAt && (viewer.toAt === null || viewer.toAt >= toAt));
  return {
    byRole: Object.fromEntries(roles.map((role) => [role, standing.filter((viewer) => viewer.role === role).length])) as Record<
      Role,
      number
    >,
    /** Has anybody ever been registered? */
    isKept: viewers.length > 0,
    added: viewers.filter((viewer) => within(viewer.fromAt)).length,
    removed: viewers.filter((viewer) => within(viewer.toAt)).length,
  };
}

/** What the report says of it. */
export type RegisterSums = {
  readonly requests: readonly Request[];
  readonly entries: readonly ExtractionEntry[];
  readonly viewers: ReturnType<typeof viewersIn>;
};
export const registerSums = (entries: readonly Entry[], viewers: readonly Viewer[], span: Span): RegisterSums => ({
  ...{ requests: requestsOf(entries), entries: entries.filter(isExtraction), viewers: viewersIn(viewers, span) },
});

/** `extractions` of `report --json`. */
export const registerJson = ({ requests, entries, viewers: { isKept: _, ...viewers } }: RegisterSums) => ({
  requests: requests.length,
  byCase: countsOf(requests),
  entries: entries.map(({ id, at, request, officer, facts: { from, to, ...facts } }) => ({
    ...{ id, at: iso(at), request, officer, ...facts, from: isoOrNull(from), to: isoOrNull(to) },
  })),
  viewers,
});
