/** The report on paper: the monthly sheet with its two tables; in columns of plain text here, as a page in sheetpage.ts. Pure. */
import { type Grade, gradeLimits, grades } from "./grade.ts";
import { countText, durationText, hoursText, limitText, lostHoursText, numberText, percentText, tableText } from "./print.ts";
import type { CameraRow, Report, SumRow } from "./report.ts";
import { type BlockFacts, lowerFirst, outcomeTexts, pictureCounts, type Section, sectionsOf } from "./sheetblock.ts";
import { causesOf, gradeText, mostLost } from "./sheettables.ts";
import { type Suspicion, suspicionText } from "./suspicion.ts";
import { lostMs, mostUnknown, noteUnknown, type Tally } from "./tally.ts";
import { dateText, dateTime, vietnamTime } from "./time.ts";
import { fill, type Language, wordsIn } from "./words.ts";

/** What the sheet says beside the report's figures; all free text, printed and never sent. */
export type SheetFacts = BlockFacts & {
  readonly version: string;
  /** The recorder's place; null: a whole commune. */
  readonly site: string | null;
  readonly unit: string | null;
  readonly rule: string | null;
  readonly recipients: readonly string[];
  readonly dutyPhone: string | null;
  readonly keepRule: string;
};

/** A sheet names this many cameras that need work; the rest is counted. */
const mostTodo = 15;

/** What the sheet says, in the order in which it says it. */
export type Sheet = {
  readonly title: string;
  readonly head: readonly string[];
  readonly figures: readonly string[];
  /** The text for an officer's own report, with its tables. */
  readonly sections: readonly Section[];
  readonly foot: readonly string[];
};

export function sheetOf(report: Report, facts: SheetFacts): Sheet {
  return {
    title: wordsIn(facts.language).report.title,
    head: headLines(report, facts),
    figures: [...figureLines(report, facts), ...todoLines(report, facts.language)],
    sections: sectionsOf(report, facts),
    foot: footLines(facts),
  };
}

export function sheetText(report: Report, facts: SheetFacts): string {
  const { title, head, figures, sections, foot } = sheetOf(report, facts);
  return [title, ...head, "", ...figures, "", ...sections.flatMap(sectionLines), ...foot].join("\n");
}

function sectionLines({ heading, lines, tables }: Section): readonly string[] {
  const tableLines = tables.flatMap(({ title, rows, toTheRight, note }) => [
    ...["", title, ...(rows.length > 1 ? tableText(rows, toTheRight) : [])],
    ...(note === undefined ? [] : [note]),
  ]);
  return [heading, ...lines.map((line) => `- ${line}`), ...tableLines, ""];
}

function headLines({ period, untilAt }: Report, facts: SheetFacts): string[] {
  const words = wordsIn(facts.language).report;
  const { fromAt, toAt } = period.span;
  const wholeDays = [fromAt, toAt].every((at) => vietnamTime(at).startsWith("00:00:00"));
  // A period of whole days ends with its last day, not with the midnight after it.
  const [from, to] = wholeDays ? [dateText(fromAt), dateText(toAt - 1)] : [dateTime(fromAt), dateTime(toAt)];
  return [
    ...(facts.unit === null ? [] : [fill(words.unit, { unit: facts.unit })]),
    ...(facts.site === null ? [] : [fill(words.site, { site: facts.site })]),
    ...(facts.rule === null ? [] : [fill(words.rule, { rule: facts.rule })]),
    fill(words.period, { from, to }),
    fill(words.taken, { at: dateTime(facts.takenAt), version: facts.version }),
    ...(untilAt < toAt ? [fill(words.unfinished, { until: dateTime(untilAt) })] : []),
    ...facts.missing,
  ];
}

function figureLines(report: Report, facts: SheetFacts): string[] {
  const { language } = facts;
  const words = wordsIn(language).report;
  const { total, cameras } = report;
  const count = (value: number) => countText(value, language);
  const ofKind = (kind: number) => count(cameras.filter(({ camera }) => camera.kind === kind).length);
  return [
    fill(words.count, { all: count(cameras.length), kind1: ofKind(1), kind2: ofKind(2) }),
    ...grades.filter((grade) => grade !== "manual" && total.grades[grade] > 0).map((grade) => gradeLine(grade, total, language)),
    ...pictureLines(report, facts),
    ...(total.grades.manual === 0 ? [] : [fill(words.manual, { count: count(total.grades.manual) })]),
    fill(words.ratio, { ...hoursOf(total, language), ratio: ratioText(total, language) }),
    ...(total.worstRatio === null || total.ratio === null ? [] : [fill(words.worst, { ratio: percentText(total.worstRatio, language) })]),
    ...gapLines(report, language),
    keptLine(report, facts),
    ...(total.byHandMs === 0 ? [] : [fill(wordsIn(language).erasing.inReport, { hours: lostHoursText(total.byHandMs, language) })]),
    clockLine(report, language),
    facts.extractions === null
      ? words.extractions
      : fill(wordsIn(language).sheet.extractionsFigure, outcomeTexts(facts.extractions, language)),
  ];
}

/** A sheet names this many suspicions. */
const mostSuspicions = 10;

function pictureLines({ cameras }: Report, { pictures, language }: SheetFacts): string[] {
  const words = wordsIn(language);
  if (pictures === null) return [words.sheet.pictureFigure];
  const names = new Map(cameras.map(({ camera }) => [camera.id, camera.name]));
  const line = (one: Suspicion) => fill(words.pictures.line, { text: suspicionText(one, names.get(one.camera) ?? one.camera, language) });
  const rest = pictures.suspected.length - mostSuspicions;
  return [
    fill(words.pictures.figure, pictureCounts(pictures, language)),
    ...pictures.suspected.slice(0, mostSuspicions).map(line),
    ...(rest > 0 ? [fill(words.pictures.more, { count: countText(rest, language) })] : []),
  ];
}

const gradeLine = (grade: Grade, total: SumRow, language: Language): string =>
  `   - ${gradeText(grade, language)}: ${countText(total.grades[grade], language)}`;

/** The ratio, or why there is none. */
function ratioText(row: Pick<SumRow, "ratio" | "withheld">, language: Language): string {
  if (row.withheld === null) return percentText(row.ratio, language);
  return fill(wordsIn(language).report.withheld[row.withheld], { limit: limitText(mostUnknown) });
}

const hoursOf = (row: Tally, language: Language) => ({
  recorded: hoursText(row.recordedMs, language),
  due: hoursText(row.dueMs, language),
  unknown: lostHoursText(row.unknownMs, language),
  planned: lostHoursText(row.plannedMs, language),
});

function gapLines({ cameras, total, faults }: Report, language: Language): string[] {
  const words = wordsIn(language).report;
  const count = (value: number) => countText(value, language);
  const longest = cameras.find((row) => row.longestGapMs > 0 && row.longestGapMs === total.longestGapMs);
  const causes = causesOf(total.byCause).map(({ key, count: times, ms }) =>
    fill(words.cause, { name: lowerFirst(words.causeRows[key]), count: count(times), hours: lostHoursText(ms, language) }),
  );
  const length = durationText(total.longestGapMs, language);
  return [
    fill(words.gaps, { gaps: count(total.gaps), flaps: count(total.flaps), faults: count(faults.length) }),
    ...(longest === undefined ? [] : [fill(words.longest, { length, name: longest.camera.name })]),
    ...(causes.length === 0 ? [] : [fill(words.causes, { causes: causes.join("; ") })]),
  ];
}

function keptLine({ cameras, total }: Report, { language, keepRule }: SheetFacts): string {
  const words = wordsIn(language).report;
  const least = cameras.find(({ daysKept }) => daysKept !== null && daysKept === total.daysKept);
  const facts = { set: setText(cameras, language), rule: keepRule === "" ? words.noRule : keepRule };
  if (least?.daysKept == null) return fill(words.keptNothing, facts);
  return fill(words.kept, { ...facts, days: numberText(Math.floor(least.daysKept), 0, language), name: least.camera.name });
}

/** The days that are set, where they are the same everywhere. */
function setText(cameras: readonly CameraRow[], language: Language): string {
  const words = wordsIn(language).sheet;
  const known = new Set(cameras.flatMap(({ camera }) => (camera.manual || camera.keepDays === null ? [] : [camera.keepDays])));
  const [days] = known;
  if (days === undefined) return words.setUnknown;
  return known.size > 1 ? words.setDifferent : fill(words.set, { days: numberText(days, 0, language) });
}

function clockLine({ cameras, total }: Report, language: Language): string {
  const words = wordsIn(language).report;
  const worst = cameras.find(({ clockOffsetMs }) => clockOffsetMs !== null && clockOffsetMs === total.clockOffsetMs);
  if (worst?.clockOffsetMs == null) return words.clockNothing;
  const seconds = numberText(Math.round(Math.abs(worst.clockOffsetMs) / 1_000), 0, language);
  return fill(words.clock, { seconds, name: worst.camera.name });
}

/** What is to be done; where the period is past, what was to be done at its end: it may be done since. */
function todoLines({ cameras, isPast }: Report, language: Language): string[] {
  const words = todoWords(isPast, language);
  const todo = cameras.flatMap((row) => todoOf(row, isPast, language) ?? []);
  const shown = todo.slice(0, mostTodo).map((text, i) => `   ${i + 1}) ${text}`);
  const more = todo.length > mostTodo ? [`   ${fill(words.todoMore, { count: countText(todo.length - mostTodo, language) })}`] : [];
  return [words.todo, ...(todo.length === 0 ? [words.todoNothing] : [...shown, ...more])];
}

function todoWords(isPast: boolean, language: Language) {
  const { past, ...now } = wordsIn(language).report;
  return isPast ? { ...now, ...past } : now;
}

/** What a person should do about one camera, or should have done then; null: nothing. */
function todoOf(row: CameraRow, isPast: boolean, language: Language): string | null {
  const words = todoWords(isPast, language);
  const { name } = row.camera;
  if (row.losing !== null) {
    const { cause, fromAt } = row.losing;
    return fill(words.todoLosing, { name, since: dateTime(fromAt), cause: wordsIn(language).causes[cause], advice: words.advice[cause] });
  }
  if (row.grade === "dead" || row.grade === "connected") return fill(words.todoDead, { name, grade: gradeText(row.grade, language) });
  if (row.withheld === "not-told") return fill(wordsIn(language).sheet.todoNotTold, { name });
  if (row.grade === "unknown") return fill(words.todoUnknown, { name, hours: lostHoursText(row.unknownMs, language) });
  if (row.grade !== "poor" && row.grade !== "watch") return null;
  const cause = mostLost(row.byCause);
  const facts = { ratio: percentText(row.ratio, language), hours: lostHoursText(lostMs(row.byCause), language) };
  return fill(words.todoPoor, { name, ...facts, cause: wordsIn(language).causes[cause], advice: words.advice[cause] });
}

function footLines({ language, recipients, dutyPhone }: SheetFacts): string[] {
  const words = wordsIn(language).report;
  const limits = {
    ...{ good: limitText(gradeLimits.good), watch: limitText(gradeLimits.watch) },
    ...{ note: limitText(noteUnknown), most: limitText(mostUnknown) },
  };
  return [
    words.note,
    `- ${fill(words.definitions, limits)}`,
    ...(recipients.length === 0 ? [] : [fill(words.recipients, { list: recipients.join("; ") })]),
    ...(dutyPhone === null ? [] : [fill(words.duty, { phone: dutyPhone })]),
  ];
}
