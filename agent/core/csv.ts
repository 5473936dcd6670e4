/**
 * The report as a table for Excel, which takes the separator and the decimal mark from the machine's region: where the
 * decimal mark is a comma, as in Vietnam, fields are told apart by `;`. A byte order mark makes it read UTF-8; a `sep=`
 * line would undo that in older versions, so there is none. Pure.
 */
import { tenthsOf } from "./print.ts";
import type { CameraRow, Report, Row, SumRow } from "./report.ts";
import { gradeText, groupName } from "./sheettables.ts";
import { mostUnknown } from "./tally.ts";
import { causes } from "./types.ts";
import { fill, type Language, wordsIn } from "./words.ts";

const marks = { vi: { separator: ";", point: "," }, en: { separator: ",", point: "." } } as const;
const byteOrderMark = "\uFEFF";
const hourMs = 3_600_000;

/** One row for each camera, each group and the total, then one for each thing that is missing; lines end as RFC 4180 has it. */
export function csvText({ cameras, groups, total }: Report, language: Language, missing: readonly string[] = []): string {
  const words = wordsIn(language).report.csv;
  const rows = [
    headRow(language),
    ...cameras.map((row) => [...cameraCells(row, language), ...figures(row, language)]),
    ...groups.map((row) => [...sumCells(words.group, groupName(row, language), row), ...figures(row, language)]),
    [...sumCells(words.total, "", total), ...figures(total, language)],
    ...missing.map((line) => [text(wordsIn(language).sheet.missingRow), text(""), text(line), ...empty(headRow(language).length - 3)]),
  ];
  return `${byteOrderMark}${rows.map((row) => `${row.join(marks[language].separator)}\r\n`).join("")}`;
}

const lossCauses = causes.filter((cause) => cause !== "planned");

function headRow(language: Language): string[] {
  const { report, causes: names } = wordsIn(language);
  const { csv: words } = report;
  return [
    ...[words.row, words.id, words.name, words.area, words.kind, words.priority, words.grade, report.columns.count],
    ...[words.due, words.recorded, words.unknown, words.planned, words.ratio, words.worst, words.withheld],
    ...[words.gaps, words.flaps, words.longest],
    ...lossCauses.flatMap((cause) => [fill(words.times, { cause: names[cause] }), fill(words.lost, { cause: names[cause] })]),
    ...[words.kept, words.clock],
  ].map(text);
}

function cameraCells({ camera, grade }: CameraRow, language: Language): string[] {
  const words = wordsIn(language).report.csv;
  const named = [words.camera, camera.id, camera.name, camera.group ?? ""].map(text);
  return [...named, String(camera.kind), text(camera.priority ? words.yes : ""), text(gradeText(grade, language)), "1"];
}

const sumCells = (kind: string, area: string, { cameraCount }: SumRow): string[] => [
  ...[text(kind), text(""), text(""), text(area), "", text(""), text(""), String(cameraCount)],
];

const empty = (count: number): string[] => Array.from({ length: count }, () => "");

function figures(row: Row, language: Language): string[] {
  const { withheld } = wordsIn(language).report;
  // What the station was not told is not nought.
  if (row.withheld === "not-told") return [...empty(6), text(withheld["not-told"]), ...empty(3 + 2 * lossCauses.length + 2)];
  const number = (value: number, decimals: number) => value.toFixed(decimals).replace(".", marks[language].point);
  const hours = (ms: number) => number(ms / hourMs, 3);
  const percent = (share: number | null) => (share === null ? "" : number((tenthsOf(share) ?? 0) / 10, 1));
  const why = row.withheld === null ? "" : fill(withheld[row.withheld], { limit: `${mostUnknown * 100}%` });
  return [
    ...[row.dueMs, row.recordedMs, row.unknownMs, row.plannedMs].map(hours),
    ...[percent(row.ratio), percent(row.worstRatio), text(why), String(row.gaps), String(row.flaps), hours(row.longestGapMs)],
    ...lossCauses.flatMap((cause) => [String(row.byCause[cause]?.count ?? 0), hours(row.byCause[cause]?.ms ?? 0)]),
    row.daysKept === null ? "" : number(row.daysKept, 1),
    row.clockOffsetMs === null ? "" : number(row.clockOffsetMs / 1_000, 1),
  ];
}

/** A quoted field. What Excel would run as a formula is marked as text. */
export function text(value: string): string {
  const safe = /^[\s]*[=+\-@]/.test(value) ? `'${value}` : value;
  return `"${safe.replaceAll('"', '""').replace(/[\r\n]+/g, " ")}"`;
}
