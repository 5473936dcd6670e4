/** The text that an officer takes over into a report of their own (requirements, 6.B), with its tables. What only people know stays `[…]`. Pure. */

import { gradeLimits } from "./grade.ts";
import { countText, hoursText, limitText, lostHoursText, numberText, percentText, shareTexts } from "./print.ts";
import { longBrokenDays } from "./proposal.ts";
import { type RegisterSums, roles } from "./register.ts";
import type { CameraRow, Report, SumRow } from "./report.ts";
import {
  areaTable,
  caseText,
  causesOf,
  causeTable,
  type Extractions,
  extractionTable,
  outcomesOf,
  proposalTable,
  repeatTable,
  requestTable,
  type SheetTable,
  troubleTable,
} from "./sheettables.ts";
import type { PictureFacts } from "./suspicion.ts";
import { add, type ByCause, nothing, shareOf, type Tally } from "./tally.ts";
import { dateText } from "./time.ts";
import type { WallMs } from "./types.ts";
import { fill, type Language, wordsIn } from "./words.ts";

/** A heading, what stands under it, and its tables. */
export type Section = { readonly heading: string; readonly lines: readonly string[]; readonly tables: readonly SheetTable[] };

/** The period before, or why there is no comparing with it; null: nothing is said about it. */
export type Comparison =
  | { readonly kind: "with"; readonly before: Report }
  | { readonly kind: "without"; readonly why: "unfinished" | "here" | "before" }
  | null;

/** A report, and whether nothing of it is missing. */
export type Judged = { readonly report: Report; readonly isWhole: boolean };

/** Can every camera of it be judged, over the whole period? */
export const isWhole = ({ cameras, total }: Report): boolean =>
  total.ratio !== null && cameras.every(({ withheld }) => withheld === null || withheld === "nothing-due");

/** Two periods are compared only when both are over and whole. `before` null: there is none to compare with. */
export function comparisonOf(here: Judged, before: Judged | null): Comparison {
  if (before === null) return null;
  if (here.report.untilAt < here.report.period.span.toAt) return { kind: "without", why: "unfinished" };
  if (!here.isWhole) return { kind: "without", why: "here" };
  return before.isWhole ? { kind: "with", before: before.report } : { kind: "without", why: "before" };
}

/** What the text says beside the report's figures. */
export type BlockFacts = {
  readonly language: Language;
  readonly site: string | null;
  readonly takenAt: WallMs;
  /** What the report lacks, in sentences. */
  readonly missing: readonly string[];
  readonly comparison: Comparison;
  /** Null: nobody looked at the cameras' pictures, or it is not known here. */
  readonly pictures: PictureFacts | null;
  /** Null: not known. */
  readonly extractions: Extractions | null;
  /** The box's own register; the station has none. */
  readonly register?: RegisterSums;
};

export function sectionsOf(report: Report, facts: BlockFacts): readonly Section[] {
  const { language } = facts;
  const { parts, extractedResult, otherShortcomings } = wordsIn(language).sheet;
  const repeats = repeatTable(report, language);
  const asked = facts.extractions;
  return [
    { heading: parts.results, lines: [], tables: [] },
    { heading: parts.installed, lines: installedLines(report, facts), tables: [] },
    {
      ...{ heading: parts.state, lines: stateLines(report, facts) },
      tables: [areaTable(report, language), causeTable(report, language), troubleTable(report, language)],
    },
    {
      ...{ heading: parts.extractions, lines: [extractedText(asked, language), extractedResult] },
      tables: [
        ...(asked === null || Object.keys(asked).length === 0 ? [] : [extractionTable(asked, language)]),
        ...(facts.register === undefined || facts.register.entries.length === 0 ? [] : [requestTable(facts.register.entries, language)]),
      ],
    },
    { heading: parts.shortcomings, lines: [...shortcomingLines(report, facts), otherShortcomings], tables: [] },
    {
      ...{ heading: parts.proposals, lines: [] },
      tables: [proposalTable(report, facts.site, language), ...(repeats === null ? [] : [repeats])],
    },
  ];
}

function installedLines(report: Report, { language, comparison, register }: BlockFacts): readonly string[] {
  const { sheet: words } = wordsIn(language);
  const { cameras, groups, period, untilAt } = report;
  const count = (value: number) => countText(value, language);
  const ofKind = (kind: number) => count(cameras.filter(({ camera }) => camera.kind === kind).length);
  const named = groups.filter(({ group }) => group !== null).length;
  const facts = { date: dateText(Math.min(untilAt, period.span.toAt) - 1), count: count(cameras.length), groups: count(named) };
  return [
    fill(words.installed, { ...facts, kind1: ofKind(1), kind2: ofKind(2), change: changeText(report, comparison, language) }),
    fill(words.signs, { count: count(cameras.length) }),
    register === undefined || !register.viewers.isKept ? words.viewers : viewersText(register.viewers, language),
  ];
}

function viewersText({ byRole, added, removed }: RegisterSums["viewers"], language: Language): string {
  const words = wordsIn(language).register;
  const count = (value: number) => countText(value, language);
  const people = roles.map((role) => `${words.roles[role]} ${count(byRole[role])}`).join(", ");
  return fill(words.viewersInReport, { people, added: count(added), removed: count(removed) });
}

/** Cameras that had anything due: what is configured now tells nothing of the period before. */
const dueCount = ({ total }: Report): number => total.cameraCount - total.grades.idle - total.grades.manual;

function changeText(report: Report, comparison: Comparison, language: Language): string {
  if (comparison?.kind !== "with") return "";
  const { more, fewer, same } = wordsIn(language).sheet;
  const by = dueCount(report) - dueCount(comparison.before);
  return by === 0 ? same : fill(by > 0 ? more : fewer, { count: countText(Math.abs(by), language) });
}

function stateLines(report: Report, facts: BlockFacts): readonly string[] {
  const { language } = facts;
  return [
    sentenceOf(report, language),
    ...facts.missing,
    ...comparedLines(report, facts),
    picturesText(facts),
    keptText(report, facts),
    clocksText(report, language),
  ];
}

function picturesText({ pictures, language }: BlockFacts): string {
  const words = wordsIn(language);
  if (pictures === null) return words.sheet.picture;
  return fill(words.pictures.inReport, pictureCounts(pictures, language));
}

/** How many cameras' pictures were looked at, and of how many something was suspected. */
export function pictureCounts(
  { looked, suspected }: PictureFacts,
  language: Language,
): { readonly count: string; readonly looked: string } {
  const cameras = new Set(suspected.map(({ camera }) => camera)).size;
  return { count: countText(cameras, language), looked: countText(looked, language) };
}

/** The period in a sentence or three. */
export function sentenceOf({ cameras, total }: Report, language: Language): string {
  const words = wordsIn(language).report.sentences;
  const unclear = cameras.filter((row) => row.withheld === "too-much-unknown" || row.withheld === "not-told");
  if (total.withheld === "nothing-due" && unclear.length === 0) return words.idle;
  const share = total.ratio === null ? "" : mainSentence(total, language);
  const rest = unclear.length === 0 ? "" : restSentence(cameras, unclear.length, language);
  return [share, rest, causeSentence(total.byCause, language)].filter((text) => text !== "").join(" ");
}

function mainSentence(total: SumRow, language: Language): string {
  const words = wordsIn(language).report.sentences;
  const bad = total.grades.poor + total.grades.connected + total.grades.dead;
  const key = bad > 0 ? "poor" : (total.ratio ?? 0) >= gradeLimits.good ? "good" : "fair";
  return fill(words[key], {
    ...{
      ratio: percentText(total.ratio, language),
      recorded: hoursText(total.recordedMs, language),
      due: hoursText(total.dueMs, language),
    },
    ...{ count: countText(bad, language), limit: limitText(gradeLimits.watch) },
  });
}

function restSentence(cameras: readonly CameraRow[], count: number, language: Language): string {
  const words = wordsIn(language).report.sentences;
  const { ratio } = shareOf(cameras.filter((row) => row.ratio !== null).reduce<Tally>(add, nothing));
  return fill(ratio === null ? words.restNothing : words.rest, {
    count: countText(count, language),
    ratio: percentText(ratio, language),
  });
}

export const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function causeSentence(byCause: ByCause, language: Language): string {
  const words = wordsIn(language).report;
  const lost = causesOf(byCause).toSorted((a, b) => b.ms - a.ms);
  const shares = shareTexts(
    lost.map(({ ms }) => ms),
    language,
  );
  const causes = lost.map(({ key }, i) => fill(words.sentences.cause, { name: lowerFirst(words.causeRows[key]), share: `${shares[i]}%` }));
  return causes.length === 0 ? "" : fill(words.sentences.causes, { causes: causes.join(", ") });
}

/** Only what is whole is compared; where it is not, that is said. */
function comparedLines({ total }: Report, { comparison, language }: BlockFacts): readonly string[] {
  const words = wordsIn(language).sheet;
  if (comparison === null) return [];
  if (comparison.kind === "without") return [fill(words.notCompared, { why: words.notComparedWhy[comparison.why] })];
  const { total: before } = comparison.before;
  const tenths = Math.round(((total.ratio ?? 0) - (before.ratio ?? 0)) * 1_000);
  const ratio = changed(tenths, `${numberText(Math.abs(tenths) / 10, 1, language)} ${words.points}`, language);
  const times = fill(words.times, { count: countText(Math.abs(total.gaps - before.gaps), language) });
  return [fill(words.compared, { ratio, gaps: changed(total.gaps - before.gaps, times, language) })];
}

function changed(by: number, value: string, language: Language): string {
  const words = wordsIn(language).sheet;
  return by === 0 ? words.unchanged : fill(by > 0 ? words.up : words.down, { value });
}

const dayMs = 86_400_000;

/** Does it keep less than is set, though it has been there long enough? A day's grace: rotation deletes at that age. */
const isKeptShort = ({ camera, daysKept }: CameraRow, takenAt: WallMs): boolean =>
  camera.keepDays !== null &&
  camera.sinceAt !== null &&
  daysKept !== null &&
  takenAt - camera.sinceAt >= camera.keepDays * dayMs &&
  daysKept < camera.keepDays - 1;

function keptText({ cameras }: Report, { takenAt, language }: BlockFacts): string {
  const words = wordsIn(language).sheet;
  const days = cameras.flatMap(({ daysKept }) => daysKept ?? []).map(Math.floor);
  if (days.length === 0) return words.keptUnknown;
  const count = cameras.filter((row) => isKeptShort(row, takenAt)).length;
  const short = count === 0 ? "" : fill(words.keptShort, { count: countText(count, language) });
  const [least, most] = [Math.min(...days), Math.max(...days)];
  return fill(least === most ? words.keptAlike : words.kept, { least, most, short });
}

/** A camera's clock is right up to here (the form's “không quá 05 giây”). */
const clockLimitMs = 5_000;

function clocksText({ cameras, total }: Report, language: Language): string {
  const words = wordsIn(language).sheet;
  const measured = cameras.filter(({ clockOffsetMs }) => clockOffsetMs !== null);
  if (measured.length === 0) return words.clocksUnknown;
  const good = measured.filter(({ clockOffsetMs }) => Math.abs(clockOffsetMs ?? 0) <= clockLimitMs).length;
  const worst = measured.find(({ clockOffsetMs }) => clockOffsetMs === total.clockOffsetMs);
  const seconds = numberText(Math.round(Math.abs(worst?.clockOffsetMs ?? 0) / 1_000), 0, language);
  const said = good === measured.length || worst === undefined ? "" : fill(words.clocksWorst, { name: worst.camera.name, seconds });
  const counts = {
    good: countText(good, language),
    count: countText(measured.length, language),
    limit: countText(clockLimitMs / 1_000, language),
  };
  return fill(words.clocks, { ...counts, worst: said });
}

function extractedText(extractions: Extractions | null, language: Language): string {
  const { sheet: words, report } = wordsIn(language);
  if (extractions === null) return report.extractions.replace(/^\d+\. */, "");
  const sums = outcomesOf(extractions);
  if (sums.all === 0) return words.extractedNone;
  const cases = Object.entries(extractions).map(([kind, byOutcome]) =>
    fill(words.extractedCase, { count: countText(outcomesOf({ [kind]: byOutcome }).all, language), name: caseText(kind, language) }),
  );
  return fill(words.extracted, { ...outcomeTexts(extractions, language), cases: cases.join(", ") });
}

/** Counts by outcome as the sentences want them; what was not decided is said only where there is any. */
export function outcomeTexts(extractions: Extractions, language: Language): Readonly<Record<string, string>> {
  const sums = outcomesOf(extractions);
  const texts = Object.fromEntries(Object.entries(sums).map(([outcome, count]) => [outcome, countText(count, language)]));
  const unclear =
    sums.unknown === 0 ? "" : fill(wordsIn(language).sheet.extractionsUnclear, { unknown: countText(sums.unknown, language) });
  return { ...texts, unclear };
}

function shortcomingLines(report: Report, facts: BlockFacts): readonly string[] {
  const { language, takenAt, extractions } = facts;
  const words = wordsIn(language).sheet;
  const { cameras, untilAt, isPast } = report;
  const long = cameras.filter(({ losing }) => losing !== null && untilAt - losing.fromAt > longBrokenDays * dayMs).length;
  const short = cameras.filter((row) => isKeptShort(row, takenAt)).length;
  const unanswered = extractions === null ? 0 : outcomesOf(extractions).no;
  const line = (text: string, count: number, more = {}) =>
    count === 0 ? [] : [fill(text, { count: countText(count, language), ...more })];
  const found = [
    ...householdLine(report, language),
    ...line(words.unanswered, unanswered),
    ...line(isPast ? words.past.brokenLong : words.brokenLong, long, { days: longBrokenDays }),
    ...line(words.keptShortLine, short),
  ];
  const isWhole = report.total.gaps === 0 && report.total.ratio !== null && facts.missing.length === 0;
  return found.length === 0 && isWhole ? [words.noShortcoming] : found;
}

function householdLine({ total }: Report, language: Language): readonly string[] {
  const words = wordsIn(language).sheet;
  const sums = new Map(causesOf(total.byCause).map((sum) => [sum.key, sum]));
  const [power, house, network] = (["power", "house", "network"] as const).map((key) => sums.get(key) ?? { count: 0, ms: 0 });
  const lostMs = (power?.ms ?? 0) + (house?.ms ?? 0) + (network?.ms ?? 0);
  if (lostMs === 0) return [];
  const count = (sum: { readonly count: number } | undefined) => countText(sum?.count ?? 0, language);
  const undecided = (house?.ms ?? 0) === 0 ? "" : fill(words.householdUndecided, { count: count(house) });
  return [
    fill(words.household, { power: count(power), network: count(network), house: undecided, hours: lostHoursText(lostMs, language) }),
  ];
}
