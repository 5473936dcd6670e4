/** Which days and months the station is told, and when again. Pure. */
import { overlap } from "./ledger.ts";
import { dayOf, daysOf, monthOf, monthsOf, spanOfDay, spanOfMonth } from "./period.ts";
import type { Span, WallMs } from "./types.ts";

/** A day or a month of one camera, as a topic names it. */
export type Page = { readonly kind: "day" | "month"; readonly key: string; readonly camera: string };

/** A camera and the time in which it had anything due; `leftAt` null while it stands in the configuration. */
export type DigestCamera = { readonly id: string; readonly sinceAt: WallMs | null; readonly leftAt: WallMs | null };

/** Kept at the station this long (contract §7): today and 40 days before it, this month and 26 before it. */
export const keptDays = 40;
export const keptMonths = 26;
/** Running days go again after this long: the contract says 15 minutes, and a queue of cameras takes its time. */
export const renewDaysMs = 14 * 60_000;
/** Running months, which are the most of what a quiet site says: a gap that closes sends them at once. */
export const renewMonthsMs = 3 * 3_600_000;
/** A page goes no more often, however many gaps close in it. */
export const pageSpacingMs = 10_000;

/** The end of its topic. */
export const nameOf = ({ kind, key, camera }: Page): string => `${kind}/${key}/${camera}`;

const spanOf = ({ kind, key }: Page): Span => (kind === "day" ? spanOfDay(key) : spanOfMonth(key)) ?? { fromAt: 0, toAt: 0 };

/** Is more to come in it? */
export const isRunning = (page: Page, nowAt: WallMs): boolean => spanOf(page).toAt > nowAt;

/** The pages that a span touches, where the cameras had anything due in it, and that the station keeps. Nothing beyond now. */
export function pagesOf(cameras: readonly DigestCamera[], span: Span, nowAt: WallMs): readonly Page[] {
  return cameras.flatMap(({ id, sinceAt, leftAt }) => {
    const due = sinceAt === null ? null : overlap({ fromAt: sinceAt, toAt: Math.min(leftAt ?? Number.POSITIVE_INFINITY, nowAt + 1) }, span);
    if (due === null) return [];
    const page = (kind: Page["kind"]) => (key: string) => ({ kind, key, camera: id });
    const days = overlap(due, { fromAt: firstDayAt(nowAt), toAt: due.toAt });
    const months = overlap(due, { fromAt: firstMonthAt(nowAt), toAt: due.toAt });
    return [
      ...(days === null ? [] : daysOf(days).map(({ day }) => page("day")(day))),
      ...(months === null ? [] : monthsOf(months).map(page("month"))),
    ];
  });
}

const dayMs = 86_400_000;
const firstDayAt = (nowAt: WallMs): WallMs => spanOfDay(dayOf(nowAt - keptDays * dayMs))?.fromAt ?? nowAt;

function firstMonthAt(nowAt: WallMs): WallMs {
  const [year = 1970, month = 1] = monthOf(nowAt).split("-").map(Number);
  const first = year * 12 + month - 1 - keptMonths;
  return spanOfMonth(`${Math.floor(first / 12)}-${String((first % 12) + 1).padStart(2, "0")}`)?.fromAt ?? nowAt;
}

/** What goes first: running pages, days before months, later before earlier. */
export function compare(nowAt: WallMs): (a: Page, b: Page) => number {
  const running = (page: Page) => (isRunning(page, nowAt) ? 0 : 1);
  return (a, b) => running(a) - running(b) || a.kind.localeCompare(b.kind) || b.key.localeCompare(a.key);
}

/** What the station was last told of a page that was over: a hash of it, and when. */
export type Sent = { readonly hash: string; readonly sentAt: WallMs };

/** A running page always goes; one that is over where the station has another or, as far as can be known, none. */
export function isWorthSending(page: Page, hash: string, sent: Sent | null, expirySeconds: number | null, nowAt: WallMs): boolean {
  if (isRunning(page, nowAt) || sent === null || sent.hash !== hash) return true;
  return expirySeconds !== null && nowAt - sent.sentAt >= expirySeconds * 1_000;
}
