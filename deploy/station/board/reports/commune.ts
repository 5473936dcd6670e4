/**
 * The report of a commune from what its boxes told the station: the same figures as `matghi report --json` of each box, added up. What is
 * missing is named, and never counted as nothing. Pure.
 */
import { renewMonthsMs } from "../../../../agent/core/digest.ts";
import { endingOf, type Grade, gradeOfRatio } from "../../../../agent/core/grade.ts";
import { monthsOf, type Period, periodBefore, spanOfMonth } from "../../../../agent/core/period.ts";
import { assembled, type CameraRow, type Report } from "../../../../agent/core/report.ts";
import { mended } from "../../../../agent/core/seam.ts";
import { isWhole as isJudged } from "../../../../agent/core/sheetblock.ts";
import type { Extractions } from "../../../../agent/core/sheettables.ts";
import { add, nothing, type Share, shareOf, type Tally } from "../../../../agent/core/tally.ts";
import type { Span, WallMs } from "../../../../agent/core/types.ts";
import { type FaultPart, judge, partsOf } from "./faults.ts";
import { type Answered, answeredIn, type Retained, sitesOf, type ToldCamera, type ToldDay, type ToldMonth, type ToldSite } from "./told.ts";

/** What the station lacks of the period. */
export type Missing =
  /** The box never introduced itself: names and groups of its cameras are not known, nor whether these are all. */
  | { readonly kind: "site"; readonly site: string }
  /** Months of which the station has nothing. */
  | { readonly kind: "months"; readonly site: string; readonly months: readonly string[]; readonly cameras: readonly string[] }
  /** Figures that end before they should. */
  | { readonly kind: "end"; readonly site: string; readonly untilAt: WallMs; readonly cameras: readonly string[] }
  /** Short faults that the box did not list: their time is counted, their number is not. */
  | { readonly kind: "faults"; readonly site: string; readonly count: number };

export type CommuneReport = {
  /** Cameras are named `<site>/<id>` in it. */
  readonly report: Report;
  readonly missing: readonly Missing[];
  /** Nothing is missing, and every camera can be judged. */
  readonly isWhole: boolean;
  /** Null: the period cuts a month, and extractions are counted by months. */
  readonly extractions: Extractions | null;
  /** Versions of the boxes. */
  readonly versions: readonly string[];
};

/** A running month is renewed in its rhythm, and a box with many cameras takes its time. */
const lateMs = renewMonthsMs + 20 * 60_000;
const dayMs = 86_400_000;

/** Topics, after `matghi/v1/<commune>/`, that must be subscribed to for a period: its months, and those of the period before for the comparison. */
export function wantedTopics(period: Period): readonly string[] {
  const before = periodBefore(period);
  const months = [...(before === null ? [] : monthsOf(before.span)), ...monthsOf(period.span)];
  return [...[...new Set(months)].map((month) => `from/+/month/${month}/+`), "station/answered/+"];
}

export function communeReportOf(retained: Retained, period: Period, nowAt: WallMs): CommuneReport {
  const sites = sitesOf(retained);
  const members = sites.flatMap((site) => site.cameras.flatMap((camera) => memberOf(site, camera, period, nowAt) ?? []));
  const reached = members.map(({ untilAt }) => untilAt).filter((at) => at > 0);
  const untilAt = Math.min(period.span.toAt, reached.length === 0 ? nowAt : Math.max(...reached));
  const past = { fromAt: period.span.fromAt, toAt: untilAt };
  const report = assembled(period, { untilAt, nowAt }, members, (some) =>
    judge(
      some.flatMap(({ faults }) => faults),
      past,
    ),
  );
  const missing = sites.flatMap((site) =>
    missingOf(
      site,
      members.filter((member) => member.site === site.id),
    ),
  );
  const versions = [...new Set(sites.flatMap(({ version }) => version ?? []))].sort();
  return {
    report,
    missing,
    isWhole: missing.length === 0 && isJudged(report),
    extractions: extractionsOf(sites, answeredIn(retained, period.span), period),
    versions,
  };
}

type Member = {
  readonly row: CameraRow;
  readonly site: string;
  readonly faults: readonly FaultPart[];
  readonly untilAt: WallMs;
  readonly missingMonths: readonly string[];
  /** Its figures end here, and should not. */
  readonly endsAt: WallMs | null;
  readonly faultsLeftOut: number;
};

/** Null: a camera that is gone and had nothing due in the period. */
function memberOf(site: ToldSite, camera: ToldSite["cameras"][number], period: Period, nowAt: WallMs): Member | null {
  const { span } = period;
  const months = camera.months.filter((month) => month.span.fromAt < span.toAt && month.span.toAt > span.fromAt);
  const days = months.flatMap((month) => month.days.filter(({ fromAt }) => fromAt >= span.fromAt && fromAt < span.toAt));
  const tally = tallyOf(days);
  if (!camera.isConfigured && tally.dueMs === 0 && tally.plannedMs === 0) return null;
  const missingMonths = missingMonthsOf(camera, span, nowAt);
  const key = `${site.id}/${camera.id}`;
  return {
    row: rowOf(site, camera, months, days, tally, span, missingMonths.length > 0 && months.length === 0),
    ...{ site: site.id, faults: months.flatMap((month) => partsOf(site.id, key, month, span)), missingMonths },
    ...{ untilAt: months.at(-1)?.untilAt ?? 0, endsAt: endOf(site, camera, months, span, nowAt) },
    faultsLeftOut: months.reduce((sum, { faultsLeftOut }) => sum + faultsLeftOut, 0),
  };
}

/** Days as if the time had not been cut at midnight. */
function tallyOf(days: readonly ToldDay[]): Tally {
  const sum = days.reduce<Tally>((tally, day) => add(tally, day.tally), nothing);
  return { ...sum, ...mended(sum, days) };
}

function rowOf(
  site: ToldSite,
  { id, months: _months, isConfigured: _is, sinceAt, daysKept, clockOffsetMs, manual, isPriority, ...camera }: ToldSite["cameras"][number],
  months: readonly ToldMonth[],
  days: readonly ToldDay[],
  tally: Tally,
  span: Span,
  isNotTold: boolean,
): CameraRow {
  const share: Share = isNotTold ? { ratio: null, worstRatio: null, withheld: "not-told" } : shareOf(tally);
  return {
    camera: {
      ...{ ...camera, id: `${site.id}/${id}`, site: site.name, priority: isPriority, manual: manual !== null },
      ...{ sinceAt: sinceAt ?? firstDueOf(_months), keepDays: site.keepDays },
    },
    ...{ ...tally, ...share, daysKept, clockOffsetMs, repairMs: null, betweenMs: null },
    ...{ grade: gradeOf(manual !== null, share, months, days, span), losing: losingOf(days) },
  };
}

/** The first moment that any known month has as due, to the day. */
const firstDueOf = (months: readonly ToldMonth[]): WallMs | null =>
  months.flatMap(({ days }) => days).find(({ tally }) => tally.dueMs > 0)?.fromAt ?? null;

/** As core/grade.ts has it: the last 24 hours come first. */
function gradeOf(manual: boolean, { ratio, withheld }: Share, months: readonly ToldMonth[], days: readonly ToldDay[], span: Span): Grade {
  if (manual) return "manual";
  if (withheld === "nothing-due") return "idle";
  return endingGrade(months, days, span) ?? gradeOfRatio(ratio);
}

function endingGrade(months: readonly ToldMonth[], days: readonly ToldDay[], span: Span): Grade | null {
  const month = months.at(-1);
  const last = days.at(-1);
  if (month === undefined || last === undefined) return null;
  if (month.untilAt > span.toAt) return endingOf(last.tally);
  // A month that has just begun knows less than a day; the day before it counts too, as far as it is part of the period.
  const isYoung = month.untilAt - month.span.fromAt < dayMs;
  const before = days.findLast(({ fromAt }) => fromAt < month.span.fromAt);
  return isYoung && before !== undefined && before.tally.recordedMs > 0 ? null : month.grade;
}

/** The loss with which its figures end. */
function losingOf(days: readonly ToldDay[]): CameraRow["losing"] {
  const last = days.at(-1);
  if (last === undefined || last.edges === null || last.edges.lastMs === 0) return null;
  const atEnd = last.edges.interruptions.filter(({ toMs }) => toMs === last.toAt - last.fromAt);
  let fromAt = last.toAt;
  for (const day of days.toReversed()) {
    const lastMs = day.edges?.lastMs ?? 0;
    if (day.toAt !== fromAt || lastMs === 0) break;
    fromAt = day.toAt - lastMs;
    if (fromAt > day.fromAt) break;
  }
  const cause = atEnd.reduce(
    (newest, one) => (one.fromMs > newest.fromMs ? one : newest),
    atEnd[0] ?? { cause: "unknown" as const, fromMs: 0 },
  );
  return { fromAt, toAt: last.toAt, cause: cause.cause };
}

/** Months in which it had something due, and of which the station has nothing. */
function missingMonthsOf(camera: ToldSite["cameras"][number], span: Span, nowAt: WallMs): readonly string[] {
  if (camera.manual !== null || !camera.isConfigured) return [];
  // A box that introduced itself before the first footage says that nothing was due; its months say more.
  if (camera.sinceAt === null && camera.months.length === 0) return [];
  const sinceAt = camera.sinceAt ?? guessedSince(camera.months);
  const has = new Set(camera.months.map(({ month }) => month));
  return monthsOf(span).filter((month) => {
    const { fromAt, toAt } = spanOfMonth(month) ?? span;
    return !has.has(month) && toAt > sinceAt && fromAt < nowAt - lateMs;
  });
}

/** Where its box did not say when it was handed over: in its first month, unless that was due from its first moment on. */
function guessedSince(months: readonly ToldMonth[]): WallMs {
  const first = months[0];
  const day = first?.days.find(({ tally }) => tally.dueMs > 0);
  if (first === undefined || day === undefined) return 0;
  return day.fromAt === first.span.fromAt && day.tally.dueMs === day.toAt - day.fromAt ? 0 : day.fromAt;
}

/** Where its figures end too early; null: they do not. A camera that is no longer configured ends when it left. */
function endOf(site: ToldSite, camera: ToldCamera, months: readonly ToldMonth[], span: Span, nowAt: WallMs): WallMs | null {
  if (camera.manual !== null || (site.isIntroduced && !camera.isConfigured)) return null;
  return months.find((month) => month.untilAt < Math.min(month.span.toAt, span.toAt, nowAt - lateMs))?.untilAt ?? null;
}

function missingOf(site: ToldSite, members: readonly Member[]): readonly Missing[] {
  const name = site.name;
  const ends = members.flatMap(({ row, endsAt }) => (endsAt === null ? [] : [{ camera: row.camera.name, endsAt }]));
  const leftOut = members.reduce((sum, { faultsLeftOut }) => sum + faultsLeftOut, 0);
  return [
    ...(site.isIntroduced ? [] : [{ kind: "site", site: name } as const]),
    ...monthsMissing(name, members),
    ...(ends.length === 0
      ? []
      : [
          {
            kind: "end",
            site: name,
            untilAt: Math.min(...ends.map(({ endsAt }) => endsAt)),
            cameras: ends.map(({ camera }) => camera),
          } as const,
        ]),
    ...(leftOut === 0 ? [] : [{ kind: "faults", site: name, count: leftOut } as const]),
  ];
}

/** Cameras that lack the same months stand in one line. */
function monthsMissing(site: string, members: readonly Member[]): readonly Missing[] {
  const found = new Map<string, { readonly months: readonly string[]; readonly cameras: string[] }>();
  for (const { row, missingMonths } of members) {
    if (missingMonths.length === 0) continue;
    const key = missingMonths.join();
    const line = found.get(key) ?? { months: missingMonths, cameras: [] };
    line.cameras.push(row.camera.name);
    found.set(key, line);
  }
  return [...found.values()].map(({ months, cameras }) => ({ kind: "months", site, months, cameras }));
}

/** Sums over the months of the period, with what was answered at the station; null where the period cuts a month. */
function extractionsOf(sites: readonly ToldSite[], answered: readonly Answered[], { span }: Period): Extractions | null {
  const months = new Set(monthsOf(span));
  const isCut = [...months].some((month) => {
    const whole = spanOfMonth(month);
    return whole === null || whole.fromAt < span.fromAt || whole.toAt > span.toAt;
  });
  if (isCut) return null;
  const told = sites.flatMap(({ cameras }) => cameras.flatMap((camera) => camera.months.filter(({ month }) => months.has(month))));
  const counts = told.flatMap(({ extractions }) =>
    Object.entries(extractions).flatMap(([kind, by]) => Object.entries(by).map(([outcome, count]) => ({ kind, outcome, count }))),
  );
  const found: Record<string, Record<string, number>> = {};
  for (const { kind, outcome, count } of [...counts, ...answered.map(({ answer }) => ({ kind: "", outcome: answer, count: 1 }))]) {
    const sums = found[kind] ?? {};
    found[kind] = { ...sums, [outcome]: (sums[outcome] ?? 0) + count };
  }
  return found;
}
