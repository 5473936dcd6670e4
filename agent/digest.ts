/**
 * Tells the station each camera's days and months: the running ones again and again, past ones once.
 *
 * The publisher asks `next` at its own pace while it is connected, publishes what it is given, and says with `done` whether
 * the broker took it. A look at a page reads the ledger; there is at most one for each call.
 */
import { createHash } from "node:crypto";
import {
  compare,
  type DigestCamera,
  isRunning,
  isWorthSending,
  nameOf,
  type Page,
  pageSpacingMs,
  pagesOf,
  renewDaysMs,
  renewMonthsMs,
  type Sent,
} from "./core/digest.ts";
import { type Address, type Draft, dayMessage, monthMessage } from "./core/message.ts";
import { dayOf } from "./core/period.ts";
import { type DayFacts, daySummary, type MonthFacts, monthSummary } from "./core/summary.ts";
import type { MonoMs, Span, WallMs } from "./core/types.ts";

export type DigestDeps = {
  readonly address: Address;
  /** Null while the clock cannot be trusted: a day of 1970 would stay at the station for its 40 days. */
  readonly nowAt: () => WallMs | null;
  readonly monoMs: () => MonoMs;
  /** Cameras with a stream, also those that have left the configuration. */
  readonly cameras: () => readonly DigestCamera[];
  readonly factsOfDay: (camera: string, day: string) => DayFacts;
  readonly factsOfMonth: (camera: string, month: string) => MonthFacts;
  /** What was sent of pages that are over, by their name; outlives the agent. */
  readonly sent: {
    readonly all: () => ReadonlyMap<string, Sent>;
    readonly put: (name: string, sent: Sent) => void;
    readonly drop: (names: readonly string[]) => void;
  };
};

/** A message that is due. Without `done(true)` it is due again a little later. */
export type Due = { readonly draft: Draft; readonly done: (taken: boolean) => void };

export type Digest = {
  /** The next message that is due; null: not now. Ask again. */
  readonly next: () => Due | null;
  /** What the camera (null: any of them) has in this span has changed: the pages that it touches are due. */
  readonly touch: (camera: string | null, span: Span) => void;
  /** The station may have lost what it had (another broker, an empty one): every page is due. */
  readonly startOver: () => void;
};

type State = {
  readonly pending: Map<string, Page>;
  /** When a page was last tried, so that a storm of gaps or a refusing broker does not make one of messages. */
  readonly tried: Map<string, MonoMs>;
  readonly sent: Map<string, Sent>;
  /** Cameras whose due time had begun when they were looked at. */
  readonly known: Set<string>;
  /** Null: nothing was looked at in this run. */
  seenAt: WallMs | null;
  daysRenewedMonoMs: MonoMs;
  monthsRenewedMonoMs: MonoMs;
};

/** Makes the digest; the first call of `next` finds all pages due that the station may lack. */
export function makeDigest(deps: DigestDeps): Digest {
  const state: State = {
    pending: new Map(),
    tried: new Map(),
    sent: new Map(deps.sent.all()),
    known: new Set(),
    seenAt: null,
    ...{ daysRenewedMonoMs: 0, monthsRenewedMonoMs: 0 },
  };
  return {
    next: () => {
      const nowAt = deps.nowAt();
      if (nowAt === null) return null;
      refill(deps, state, nowAt);
      const page = pick(deps, state, nowAt);
      return page === null ? null : look(deps, state, page, nowAt);
    },
    touch: (camera, span) => {
      const nowAt = deps.nowAt();
      const known = deps.cameras().filter(({ id }) => camera === null || id === camera);
      if (nowAt !== null) want(state, pagesOf(known, span, nowAt));
    },
    startOver: () => {
      forget(deps, state, [...state.sent.keys()]);
      state.seenAt = null;
    },
  };
}

function want({ pending }: State, pages: readonly Page[]): void {
  for (const page of pages) pending.set(nameOf(page), page);
}

/** All pages at first; then the running ones in their rhythm, and those that were running when the day turned. */
function refill(deps: DigestDeps, state: State, nowAt: WallMs): void {
  const monoMs = deps.monoMs();
  const cameras = deps.cameras();
  welcome(state, cameras, nowAt);
  const turned = state.seenAt === null || dayOf(state.seenAt) !== dayOf(nowAt);
  const isDay = turned || monoMs - state.daysRenewedMonoMs >= renewDaysMs;
  const isMonth = turned || monoMs - state.monthsRenewedMonoMs >= renewMonthsMs;
  if (!isDay && !isMonth) return;
  const fromAt = state.seenAt === null ? Number.NEGATIVE_INFINITY : Math.min(state.seenAt, nowAt);
  const pages = pagesOf(cameras, { fromAt, toAt: nowAt + 1 }, nowAt);
  want(
    state,
    pages.filter(({ kind }) => (kind === "day" ? isDay : isMonth)),
  );
  if (turned) forgetOld(deps, state, cameras, nowAt);
  state.seenAt = nowAt;
  if (isDay) state.daysRenewedMonoMs = monoMs;
  if (isMonth) state.monthsRenewedMonoMs = monoMs;
}

/** A camera whose due time has just begun has pages now; they do not wait for the next round. */
function welcome(state: State, cameras: readonly DigestCamera[], nowAt: WallMs): void {
  const due = cameras.filter(({ id, sinceAt }) => sinceAt !== null && !state.known.has(id));
  for (const { id } of due) state.known.add(id);
  want(state, pagesOf(due, { fromAt: Number.NEGATIVE_INFINITY, toAt: nowAt + 1 }, nowAt));
}

/** Pages that the station no longer keeps need no note. */
function forgetOld(deps: DigestDeps, state: State, cameras: readonly DigestCamera[], nowAt: WallMs): void {
  const kept = new Set(pagesOf(cameras, { fromAt: Number.NEGATIVE_INFINITY, toAt: nowAt + 1 }, nowAt).map(nameOf));
  forget(
    deps,
    state,
    [...state.sent.keys()].filter((name) => !kept.has(name)),
  );
  for (const name of state.tried.keys()) if (!kept.has(name)) state.tried.delete(name);
}

function forget(deps: DigestDeps, state: State, names: readonly string[]): void {
  if (names.length === 0) return;
  for (const name of names) state.sent.delete(name);
  deps.sent.drop(names);
}

/** The first page whose turn it is. */
function pick(deps: DigestDeps, { pending, tried }: State, nowAt: WallMs): Page | null {
  const monoMs = deps.monoMs();
  const order = compare(nowAt);
  let first: Page | null = null;
  for (const [name, page] of pending) {
    if (monoMs - (tried.get(name) ?? Number.NEGATIVE_INFINITY) < pageSpacingMs) continue;
    if (first === null || order(page, first) < 0) first = page;
  }
  return first;
}

/** Reads one page; what the station has already is put away. */
function look(deps: DigestDeps, state: State, page: Page, nowAt: WallMs): Due | null {
  const name = nameOf(page);
  const made = madeOrPutBack(deps, state, page);
  if (made === null || !isWorthSending(page, made.hash, state.sent.get(name) ?? null, made.draft.expirySeconds, nowAt)) {
    state.pending.delete(name);
    return null;
  }
  state.tried.set(name, deps.monoMs());
  return { draft: made.draft, done: (taken) => settle(deps, state, page, taken, { hash: made.hash, sentAt: nowAt }) };
}

/** A page that cannot be read waits a little, so that it does not hold up the others. Throws what the reading throws. */
function madeOrPutBack(deps: DigestDeps, state: State, page: Page): Made | null {
  try {
    return make(deps, page);
  } catch (error) {
    state.tried.set(nameOf(page), deps.monoMs());
    throw error;
  }
}

function settle(deps: DigestDeps, state: State, page: Page, taken: boolean, sent: Sent): void {
  if (!taken) return;
  const name = nameOf(page);
  // A gap that closed while the broker had the page made it due again: then it is another page that waits.
  if (state.pending.get(name) === page) state.pending.delete(name);
  if (isRunning(page, sent.sentAt)) return;
  state.sent.set(name, sent);
  deps.sent.put(name, sent);
}

type Made = { readonly draft: Draft; readonly hash: string };

function make(deps: DigestDeps, { kind, key, camera }: Page): Made | null {
  if (kind === "month") {
    const summary = monthSummary(deps.factsOfMonth(camera, key));
    return summary === null ? null : { draft: monthMessage(deps.address, summary), hash: hashOf(summary) };
  }
  const summary = daySummary(deps.factsOfDay(camera, key));
  if (summary === null) return null;
  // The journal is trimmed: a day that was told with its events is not told again without them.
  const { events: _events, eventsLeftOut: _left, ...ledger } = summary;
  return { draft: dayMessage(deps.address, summary), hash: hashOf(ledger) };
}

const hashOf = (value: object): string => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
