/** The report on paper: the monthly sheet with its two tables; in columns of plain text here, as a page in sheetpage.ts. Pure. */
import { repairOf } from "./faults.ts";
import { type Grade, gradeLimits, grades } from "./grade.ts";
import {
  countText,
  durationText,
  hoursText,
  limitText,
  lostHoursText,
  numberText,
  percentText,
  shareText,
  shareTexts,
  tableText,
} from "./print.ts";
import type { CameraRow, GroupRow, Report, SumRow } from "./report.ts";
import { add, type ByCause, lostMs, mostUnknown, noteUnknown, nothing, shareOf, type Tally } from "./tally.ts";
import { vietnamTime } from "./time.ts";
import type { Cause, WallMs } from "./types.ts";
import { fill, type Language, wordsIn } from "./words.ts";

/** What the sheet says beside the report's figures; all free text, printed and never sent. */
export type SheetFacts = {
  readonly language: Language;
  readonly version: string;
  readonly site: string;
  readonly takenAt: WallMs;
  readonly unit: string | null;
  readonly rule: string | null;
  readonly recipients: readonly string[];
  readonly dutyPhone: string | null;
  readonly keepMaxDays: number;
  readonly keepRule: string;
};

/** Lines of the cause table, as the papers group them: the recorder's own power stands with power, the undecided household apart. */
export const causeRows = [
  ["power", ["box-power", "house-power"]],
  ["house", ["house"]],
  ["network", ["house-network", "weak-link"]],
  ["camera", ["camera"]],
  ["recorder", ["disk", "box"]],
  ["unknown", ["unknown"]],
] as const satisfies readonly (readonly [string, readonly Cause[]])[];

/** A sheet names this many cameras that need work; the rest is counted. */
const mostTodo = 15;

/** A table of the sheet. Its first row is its head; columns of figures stand to the right. */
export type SheetTable = { readonly title: string; readonly rows: readonly (readonly string[])[]; readonly toTheRight: readonly number[] };

/** What the sheet says, in the order in which it says it. */
export type Sheet = {
  readonly title: string;
  readonly head: readonly string[];
  readonly figures: readonly string[];
  /** The period in a sentence or three, to be pasted into a report. */
  readonly sentence: string;
  readonly tables: readonly SheetTable[];
  readonly foot: readonly string[];
};

export function sheetOf(report: Report, facts: SheetFacts): Sheet {
  return {
    title: wordsIn(facts.language).report.title,
    head: headLines(report, facts),
    figures: [...figureLines(report, facts), ...todoLines(report, facts.language)],
    sentence: sentenceOf(report, facts.language),
    tables: [areaTable(report, facts.language), causeTable(report, facts.language)],
    foot: footLines(facts),
  };
}

export function sheetText(report: Report, facts: SheetFacts): string {
  const { title, head, figures, sentence, tables, foot } = sheetOf(report, facts);
  const tableLines = tables.flatMap((table) => [table.title, ...tableText(table.rows, table.toTheRight), ""]);
  return [title, ...head, "", ...figures, "", sentence, "", ...tableLines, ...foot].join("\n");
}

function headLines({ period, untilAt }: Report, facts: SheetFacts): string[] {
  const words = wordsIn(facts.language).report;
  const { fromAt, toAt } = period.span;
  const wholeDays = [fromAt, toAt].every((at) => vietnamTime(at).startsWith("00:00:00"));
  // A period of whole days ends with its last day, not with the midnight after it.
  const [from, to] = wholeDays ? [dateOf(fromAt), dateOf(toAt - 1)] : [shortTime(fromAt), shortTime(toAt)];
  return [
    ...(facts.unit === null ? [] : [fill(words.unit, { unit: facts.unit })]),
    fill(words.site, { site: facts.site }),
    ...(facts.rule === null ? [] : [fill(words.rule, { rule: facts.rule })]),
    fill(words.period, { from, to }),
    fill(words.taken, { at: shortTime(facts.takenAt), version: facts.version }),
    ...(untilAt < toAt ? [fill(words.unfinished, { until: shortTime(untilAt) })] : []),
  ];
}

/** `14:05 05/01/2026` and `05/01/2026`. */
const shortTime = (at: WallMs): string => vietnamTime(at).replace(/^(\d\d:\d\d):\d\d/, "$1");
const dateOf = (at: WallMs): string => vietnamTime(at).slice(9);

function figureLines(report: Report, facts: SheetFacts): string[] {
  const { language } = facts;
  const words = wordsIn(language).report;
  const { total, cameras } = report;
  const count = (value: number) => countText(value, language);
  const ofKind = (kind: number) => count(cameras.filter(({ camera }) => camera.kind === kind).length);
  return [
    fill(words.count, { all: count(cameras.length), kind1: ofKind(1), kind2: ofKind(2) }),
    ...grades.filter((grade) => grade !== "manual" && total.grades[grade] > 0).map((grade) => gradeLine(grade, total, language)),
    ...(total.grades.manual === 0 ? [] : [fill(words.manual, { count: count(total.grades.manual) })]),
    fill(words.ratio, { ...hoursOf(total, language), ratio: ratioText(total, language) }),
    ...(total.worstRatio === null || total.ratio === null ? [] : [fill(words.worst, { ratio: percentText(total.worstRatio, language) })]),
    ...gapLines(report, language),
    keptLine(report, facts),
    ...(total.byHandMs === 0 ? [] : [fill(wordsIn(language).erasing.inReport, { hours: lostHoursText(total.byHandMs, language) })]),
    clockLine(report, language),
    words.extractions,
  ];
}

const gradeLine = (grade: Grade, total: SumRow, language: Language): string =>
  `   - ${gradeText(grade, language)}: ${countText(total.grades[grade], language)}`;

/** The grade in words, with its limits. */
export const gradeText = (grade: Grade, language: Language): string =>
  fill(wordsIn(language).report.grades[grade], { good: limitText(gradeLimits.good), watch: limitText(gradeLimits.watch) });

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

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** The sums of each line of the cause table that lost time. */
function causesOf(byCause: ByCause) {
  return causeRows
    .map(([key, causes]) => ({
      ...{ key, causes: causes as readonly Cause[] },
      count: causes.reduce((sum, cause) => sum + (byCause[cause]?.count ?? 0), 0),
      ms: causes.reduce((sum, cause) => sum + (byCause[cause]?.ms ?? 0), 0),
    }))
    .filter(({ ms }) => ms > 0);
}

function keptLine({ cameras, total }: Report, { language, keepMaxDays, keepRule }: SheetFacts): string {
  const words = wordsIn(language).report;
  const least = cameras.find(({ daysKept }) => daysKept !== null && daysKept === total.daysKept);
  const set = { max: numberText(keepMaxDays, 0, language), rule: keepRule === "" ? words.noRule : keepRule };
  if (least?.daysKept == null) return fill(words.keptNothing, set);
  return fill(words.kept, { ...set, days: numberText(Math.floor(least.daysKept), 0, language), name: least.camera.name });
}

function clockLine({ cameras, total }: Report, language: Language): string {
  const words = wordsIn(language).report;
  const worst = cameras.find(({ clockOffsetMs }) => clockOffsetMs !== null && clockOffsetMs === total.clockOffsetMs);
  if (worst?.clockOffsetMs == null) return words.clockNothing;
  const seconds = numberText(Math.round(Math.abs(worst.clockOffsetMs) / 1_000), 0, language);
  return fill(words.clock, { seconds, name: worst.camera.name });
}

function todoLines({ cameras }: Report, language: Language): string[] {
  const words = wordsIn(language).report;
  const todo = cameras.flatMap((row) => todoOf(row, language) ?? []);
  const shown = todo.slice(0, mostTodo).map((text, i) => `   ${i + 1}) ${text}`);
  const more = todo.length > mostTodo ? [`   ${fill(words.todoMore, { count: countText(todo.length - mostTodo, language) })}`] : [];
  return [words.todo, ...(todo.length === 0 ? [words.todoNothing] : [...shown, ...more])];
}

/** What a person should do about one camera; null: nothing. */
function todoOf(row: CameraRow, language: Language): string | null {
  const words = wordsIn(language).report;
  const { name } = row.camera;
  if (row.losing !== null) {
    const { cause, fromAt } = row.losing;
    return fill(words.todoLosing, { name, since: shortTime(fromAt), cause: wordsIn(language).causes[cause], advice: words.advice[cause] });
  }
  if (row.grade === "dead" || row.grade === "connected") return fill(words.todoDead, { name, grade: gradeText(row.grade, language) });
  if (row.grade === "unknown") return fill(words.todoUnknown, { name, hours: lostHoursText(row.unknownMs, language) });
  if (row.grade !== "poor" && row.grade !== "watch") return null;
  const cause = mostLost(row.byCause);
  const facts = { ratio: percentText(row.ratio, language), hours: lostHoursText(lostMs(row.byCause), language) };
  return fill(words.todoPoor, { name, ...facts, cause: wordsIn(language).causes[cause], advice: words.advice[cause] });
}

function mostLost(byCause: ByCause): Cause {
  const entries = Object.entries(byCause) as [Cause, { ms: number }][];
  return entries.reduce((best, entry) => (entry[1].ms > best[1].ms ? entry : best), ["unknown", { ms: 0 }] as [Cause, { ms: number }])[0];
}

/** The period in a sentence or three, to be pasted into a report. */
export function sentenceOf({ cameras, total }: Report, language: Language): string {
  const words = wordsIn(language).report.sentences;
  if (total.withheld === "nothing-due") return words.idle;
  const unclear = cameras.filter((row) => row.withheld === "too-much-unknown");
  const share = total.ratio === null ? "" : mainSentence(total, language);
  const rest = unclear.length === 0 ? "" : restSentence(cameras, unclear.length, language);
  return [share, rest, causeSentence(total.byCause, language)].filter((text) => text !== "").join(" ");
}

function mainSentence(total: SumRow, language: Language): string {
  const words = wordsIn(language).report.sentences;
  const bad = total.grades.poor + total.grades.connected + total.grades.dead;
  const key = bad > 0 ? "poor" : (total.ratio ?? 0) >= gradeLimits.good ? "good" : "fair";
  return fill(words[key], {
    ...{ ratio: percentText(total.ratio, language), ...hoursOf(total, language) },
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

function causeSentence(byCause: ByCause, language: Language): string {
  const words = wordsIn(language).report;
  const lost = causesOf(byCause).sort((a, b) => b.ms - a.ms);
  const shares = shareTexts(
    lost.map(({ ms }) => ms),
    language,
  );
  const causes = lost.map(({ key }, i) => fill(words.sentences.cause, { name: lowerFirst(words.causeRows[key]), share: `${shares[i]}%` }));
  return causes.length === 0 ? "" : fill(words.sentences.causes, { causes: causes.join(", ") });
}

const gradeColumns = ["good", "watch", "poor", "connected", "dead", "unknown"] as const;

function areaTable({ groups, total }: Report, language: Language): SheetTable {
  const words = wordsIn(language).report;
  const { columns } = words;
  const cells = (row: SumRow) => [
    ...[row.cameraCount, ...gradeColumns.map((grade) => row.grades[grade])].map((count) => countText(count, language)),
    ...[hoursText(row.dueMs, language), hoursText(row.recordedMs, language), shareText(row.ratio, language)],
    row.daysKept === null ? "–" : numberText(Math.floor(row.daysKept), 0, language),
  ];
  const head = [columns.count, ...gradeColumns.map((grade) => columns[grade]), columns.due, columns.recorded, columns.ratio, columns.kept];
  const rows = [
    [words.number, words.area, ...head],
    ...groups.map((row, i) => [String(i + 1), groupName(row, language), ...cells(row)]),
    ["", words.total, ...cells(total)],
  ];
  return { title: words.areaTable, rows, toTheRight: [0, ...head.map((_, i) => i + 2)] };
}

/** The group as the commune spells it. */
export const groupName = ({ group }: Pick<GroupRow, "group">, language: Language): string => group ?? wordsIn(language).report.noGroup;

function causeTable({ cameras, total, faults, period }: Report, language: Language): SheetTable {
  const words = wordsIn(language).report;
  const { causeColumns: columns } = words;
  const rows = causesOf(total.byCause);
  const shares = shareTexts(
    rows.map(({ ms }) => ms),
    language,
  );
  const affected = (causes: readonly Cause[]) =>
    cameras.filter(({ byCause }) => causes.some((cause) => byCause[cause] !== undefined)).length;
  const lines = rows.map(({ key, causes, count, ms }, i) => {
    const repairMs = repairOf(
      faults.filter(({ cause }) => causes.includes(cause)),
      period.span,
    );
    return [
      ...[String(i + 1), words.causeRows[key], countText(count, language), lostHoursText(ms, language)],
      ...[shares[i] ?? "", countText(affected(causes), language)],
      repairMs === null ? "–" : durationText(repairMs, language),
    ];
  });
  const head = [words.number, columns.name, columns.count, columns.hours, columns.share, columns.cameras, columns.repair];
  return {
    title: words.causeTable,
    rows: [head, ...lines, causeTotal(total, cameras, language), plannedLine(total, cameras, language)],
    toTheRight: [0, 2, 3, 4, 5, 6],
  };
}

function causeTotal(total: SumRow, cameras: readonly CameraRow[], language: Language): string[] {
  const ms = lostMs(total.byCause);
  const affected = cameras.filter(({ byCause }) => lostMs(byCause) > 0).length;
  return [
    ...["", wordsIn(language).report.total, countText(total.gaps, language), lostHoursText(ms, language)],
    ...[ms === 0 ? "–" : shareText(1, language), countText(affected, language)],
    total.repairMs === null ? "–" : durationText(total.repairMs, language),
  ];
}

function plannedLine(total: SumRow, cameras: readonly CameraRow[], language: Language): string[] {
  const affected = cameras.filter(({ plannedMs }) => plannedMs > 0).length;
  const { plannedRow } = wordsIn(language).report;
  return ["", plannedRow, "–", lostHoursText(total.plannedMs, language), "–", countText(affected, language), "–"];
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
