/** Tables 1 to 5 of the report (requirements, 6.B): the first row is the head. Pure. */
import { repairOf } from "./faults.ts";
import { type Grade, gradeLimits } from "./grade.ts";
import { countText, durationText, hoursText, limitText, lostHoursText, numberText, shareText, shareTexts } from "./print.ts";
import { type Need, needsOf, repeatFrom, repeatsOf } from "./proposal.ts";
import { type ExtractionEntry, type Outcome, outcomes } from "./register.ts";
import type { CameraRow, GroupRow, Report, ReportCamera, SumRow } from "./report.ts";
import { type ByCause, lostMs } from "./tally.ts";
import { dateTime } from "./time.ts";
import type { Cause } from "./types.ts";
import { fill, type Language, wordsIn } from "./words.ts";

/** A table of the sheet. Columns of figures stand to the right. `note`: what is said under it. */
export type SheetTable = {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
  readonly toTheRight: readonly number[];
  readonly note?: string;
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
export type CauseRow = (typeof causeRows)[number][0];

export type CauseSum = { readonly key: CauseRow; readonly causes: readonly Cause[]; readonly count: number; readonly ms: number };

/** The sums of each line of the cause table that lost time. */
export function causesOf(byCause: ByCause): readonly CauseSum[] {
  return causeRows
    .map(([key, causes]) => ({
      ...{ key, causes: causes as readonly Cause[] },
      count: causes.reduce((sum, cause) => sum + (byCause[cause]?.count ?? 0), 0),
      ms: causes.reduce((sum, cause) => sum + (byCause[cause]?.ms ?? 0), 0),
    }))
    .filter(({ ms }) => ms > 0);
}

/** The cause that took most of the time. */
export function mostLost(byCause: ByCause): Cause {
  const entries = Object.entries(byCause) as [Cause, { ms: number }][];
  return entries.reduce((best, entry) => (entry[1].ms > best[1].ms ? entry : best), ["unknown", { ms: 0 }] as [Cause, { ms: number }])[0];
}

/** The grade in words, with its limits. */
export const gradeText = (grade: Grade, language: Language): string =>
  fill(wordsIn(language).report.grades[grade], { good: limitText(gradeLimits.good), watch: limitText(gradeLimits.watch) });

/** The group as the commune spells it. */
export const groupName = ({ group }: Pick<GroupRow, "group">, language: Language): string => group ?? wordsIn(language).report.noGroup;

const gradeColumns = ["good", "watch", "poor", "connected", "dead", "unknown"] as const;

/** Table 1. */
export function areaTable({ groups, total }: Report, language: Language): SheetTable {
  const { report: words, sheet } = wordsIn(language);
  const { columns } = words;
  const cells = (row: SumRow) => [
    ...[row.cameraCount, ...gradeColumns.map((grade) => row.grades[grade])].map((count) => countText(count, language)),
    ...[hoursText(row.dueMs, language), hoursText(row.recordedMs, language), shareText(row.ratio, language)],
    ...[row.daysKept === null ? "–" : numberText(Math.floor(row.daysKept), 0, language), areaNote(row, language)],
  ];
  const head = [columns.count, ...gradeColumns.map((grade) => columns[grade]), columns.due, columns.recorded, columns.ratio, columns.kept];
  const rows = [
    [words.number, words.area, ...head, sheet.notes],
    ...groups.map((row, i) => [String(i + 1), groupName(row, language), ...cells(row)]),
    ["", words.total, ...cells(total)],
  ];
  return { title: words.areaTable, rows, toTheRight: [0, ...head.map((_, i) => i + 2)] };
}

/** Those that stand in the first column and in none of the others. */
function areaNote({ grades }: SumRow, language: Language): string {
  const words = wordsIn(language).sheet;
  const said = [
    [grades.manual, words.noteManual],
    [grades.idle, words.noteIdle],
  ] as const;
  return said.flatMap(([count, text]) => (count === 0 ? [] : [fill(text, { count: countText(count, language) })])).join("; ");
}

/** Table 2. */
export function causeTable(report: Report, language: Language): SheetTable {
  const { report: words, sheet } = wordsIn(language);
  const { cameras, total, faults, period } = report;
  const columns = words.causeColumns;
  const rows = causesOf(total.byCause);
  const shares = shareTexts(
    rows.map(({ ms }) => ms),
    language,
  );
  const affected = (causes: readonly Cause[]) =>
    cameras.filter(({ byCause }) => causes.some((cause) => byCause[cause] !== undefined)).length;
  const needs = needsOf(cameras);
  const lines = rows.map(({ key, causes, count, ms }, i) => {
    const repairMs = repairOf(
      faults.filter(({ cause }) => causes.includes(cause)),
      period.span,
    );
    return [
      ...[String(i + 1), words.causeRows[key], countText(count, language), lostHoursText(ms, language)],
      ...[shares[i] ?? "", countText(affected(causes), language)],
      ...[repairMs === null ? "–" : durationText(repairMs, language), measureText(key, needs, language)],
    ];
  });
  const head = [words.number, columns.name, columns.count, columns.hours, columns.share, columns.cameras, columns.repair, sheet.measure];
  return {
    title: words.causeTable,
    rows: [head, ...lines, causeTotal(total, cameras, language), plannedLine(total, cameras, language)],
    toTheRight: [0, 2, 3, 4, 5, 6],
  };
}

function measureText(key: CauseRow, needs: readonly Need[], language: Language): string {
  const { measures } = wordsIn(language).sheet;
  if (key !== "power" && key !== "network") return measures[key];
  const wanted = key === "power" ? "battery" : "line";
  const places = needs.filter(({ content }) => content === wanted).reduce((sum, need) => sum + need.places.length, 0);
  const text = places > 0 ? measures[key] : key === "power" ? measures.powerFew : measures.networkFew;
  return fill(text, { count: countText(places, language), limit: countText(repeatFrom, language) });
}

function causeTotal(total: SumRow, cameras: readonly CameraRow[], language: Language): string[] {
  const ms = lostMs(total.byCause);
  const affected = cameras.filter(({ byCause }) => lostMs(byCause) > 0).length;
  return [
    ...["", wordsIn(language).report.total, countText(total.gaps, language), lostHoursText(ms, language)],
    ...[ms === 0 ? "–" : shareText(1, language), countText(affected, language)],
    ...[total.repairMs === null ? "–" : durationText(total.repairMs, language), ""],
  ];
}

function plannedLine(total: SumRow, cameras: readonly CameraRow[], language: Language): string[] {
  const affected = cameras.filter(({ plannedMs }) => plannedMs > 0).length;
  const { plannedRow } = wordsIn(language).report;
  return ["", plannedRow, "–", lostHoursText(total.plannedMs, language), "–", countText(affected, language), "–", ""];
}

/** A table names this many cameras; the rest is counted. */
const mostTrouble = 40;
const dayMs = 86_400_000;

/** Does a person have to do something about it? */
export const isTrouble = ({ losing, grade }: CameraRow): boolean =>
  losing !== null || !(grade === "good" || grade === "idle" || grade === "manual");

/** Table 3. */
export function troubleTable(report: Report, language: Language): SheetTable {
  const { report: words, sheet } = wordsIn(language);
  const { title, none, more, ...columns } = report.isPast ? { ...sheet.trouble, ...sheet.past } : sheet.trouble;
  const all = report.cameras.filter(isTrouble);
  const { camera, place, priority, state, since, days, cause, ratio, next, who } = columns;
  const note = all.length === 0 ? none : fill(more, { count: countText(all.length - mostTrouble, language) });
  return {
    ...{ title, toTheRight: [0, 6, 8] },
    rows: [
      [words.number, camera, place, priority, state, since, days, cause, ratio, next, who],
      ...all.slice(0, mostTrouble).map((row, i) => [String(i + 1), ...troubleCells(row, report, language)]),
    ],
    ...(all.length === 0 || all.length > mostTrouble ? { note } : {}),
  };
}

function troubleCells(row: CameraRow, { untilAt, isPast }: Report, language: Language): readonly string[] {
  const { trouble } = wordsIn(language).sheet;
  const { camera, losing, ratio } = row;
  const days = losing === null ? "–" : numberText(Math.floor((untilAt - losing.fromAt) / dayMs), 0, language);
  return [
    ...[cameraText(camera), placeText(camera, language), camera.priority ? trouble.yes : ""],
    ...[stateText(row, isPast, language), losing === null ? "–" : dateTime(losing.fromAt), days],
    ...[causeText(row, language), shareText(ratio, language), nextText(row, language), ""],
  ];
}

/** `ql1a-01 – Ngã ba chợ Tre` */
export const cameraText = ({ id, name }: ReportCamera): string => (name === id || id.endsWith(`/${name}`) ? id : `${id} – ${name}`);

/** `Quốc lộ 1A (ho-07)` */
const placeText = ({ group, household }: ReportCamera, language: Language): string =>
  `${groupName({ group }, language)}${household === null ? "" : ` (${household})`}`;

function stateText({ losing, grade, withheld }: CameraRow, isPast: boolean, language: Language): string {
  const { states, notToldState, losingState, past } = wordsIn(language).sheet;
  if (withheld === "not-told") return notToldState;
  return losing !== null && grade !== "dead" && grade !== "connected" ? (isPast ? past.losingState : losingState) : states[grade];
}

function causeText(row: CameraRow, language: Language): string {
  const lost = row.losing?.cause ?? (lostMs(row.byCause) > 0 ? mostLost(row.byCause) : null);
  return lost === null ? "–" : wordsIn(language).causes[lost];
}

function nextText(row: CameraRow, language: Language): string {
  const { report: words, sheet } = wordsIn(language);
  if (row.withheld === "not-told") return sheet.notToldNext;
  if (row.losing !== null) return words.advice[row.losing.cause];
  if (row.grade === "unknown") return sheet.unknownNext;
  return lostMs(row.byCause) > 0 ? words.advice[mostLost(row.byCause)] : sheet.visit;
}

/** How many requests of each case ended how: `yes`, `partial`, `no` or `unknown`. */
export type Extractions = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Sums over cases; `all` too. */
export function outcomesOf(extractions: Extractions): Readonly<Record<Outcome | "all", number>> {
  const sum = (outcome: Outcome) => Object.values(extractions).reduce((count, byOutcome) => count + (byOutcome[outcome] ?? 0), 0);
  const by = { yes: sum("yes"), partial: sum("partial"), no: sum("no"), unknown: sum("unknown") };
  return { ...by, all: by.yes + by.partial + by.no + by.unknown };
}

/** The kind of case in words; what has none, or one that these words do not know, is not left out. */
export function caseText(kind: string, language: Language): string {
  const known: Readonly<Record<string, string>> = wordsIn(language).handover.cases;
  return known[kind] ?? wordsIn(language).sheet.noCase;
}

/** Table 4: counts only, never who asked. */
export function extractionTable(extractions: Extractions, language: Language): SheetTable {
  const { report: words, sheet } = wordsIn(language);
  const { title, case: kind, all, ...columns } = sheet.extractionTable;
  const cells = (counts: Readonly<Record<Outcome | "all", number>>) =>
    [counts.all, ...outcomes.map((outcome) => counts[outcome])].map((count) => countText(count, language));
  return {
    ...{ title, toTheRight: [0, 2, 3, 4, 5, 6] },
    rows: [
      [words.number, kind, all, ...outcomes.map((outcome) => columns[outcome])],
      ...Object.entries(extractions).map(([name, byOutcome], i) => [
        ...[String(i + 1), caseText(name, language)],
        ...cells(outcomesOf({ [name]: byOutcome })),
      ]),
      ["", words.total, ...cells(outcomesOf(extractions))],
    ],
  };
}

/** Table 4 as the papers have it, a line for each time footage was asked for: only where the register itself is. */
export function requestTable(entries: readonly ExtractionEntry[], language: Language): SheetTable {
  const { register: words } = wordsIn(language);
  const rows = entries.map(({ id, request, officer, facts }, i) => [
    ...[String(i + 1), request, facts.agency ?? "–", caseText(facts.case, language), facts.cameras.join(", ") || "–"],
    facts.from === null || facts.to === null ? "–" : `${dateTime(facts.from)} – ${dateTime(facts.to)}`,
    ...[words.outcomes[facts.outcome], facts.why ?? "", String(id), officer],
  ]);
  return { title: words.table.title, rows: [words.table.columns, ...rows], toTheRight: [0] };
}

/** A line names this many places; the rest is counted. */
const mostPlaces = 8;

/** Table 5. */
export function proposalTable({ cameras }: Report, site: string | null, language: Language): SheetTable {
  const { report: words, sheet } = wordsIn(language);
  const { title, what, place, quantity, price, sum, basis } = sheet.proposals;
  const needs = needsOf(cameras);
  return {
    ...{ title, toTheRight: [0, 3, 4, 5] },
    rows: [
      [words.number, what, place, quantity, price, sum, basis],
      ...needs.map((need, i) => [String(i + 1), ...needCells(need, site, language)]),
    ],
    ...(needs.length === 0 ? { note: sheet.noProposal } : {}),
  };
}

function needCells({ content, row, places, count, ms }: Need, site: string | null, language: Language): readonly string[] {
  const { report, sheet } = wordsIn(language);
  const words = sheet.proposals;
  const named = places.slice(0, mostPlaces).map(({ place, isRecorder, count: times }) => {
    const text = isRecorder ? fill(words.recorder, { site: place === "" ? (site ?? "") : place }).trim() : place;
    return fill(words.item, { place: text, count: countText(times, language) });
  });
  const rest = places.length - named.length;
  const facts = { cause: report.causeRows[row], limit: countText(repeatFrom, language), count: countText(count, language) };
  return [
    ...[words.contents[content], [...named, ...(rest > 0 ? [fill(words.more, { count: countText(rest, language) })] : [])].join("; ")],
    ...[countText(places.length, language), "", ""],
    fill(words.basisText, { ...facts, hours: lostHoursText(ms, language) }),
  ];
}

/** Table 5a: what fails again and again; null where nothing does. */
export function repeatTable({ cameras }: Report, language: Language): SheetTable | null {
  const { report: words, sheet } = wordsIn(language);
  const { title, count, hours, cause } = sheet.repeats;
  const rows = repeatsOf(cameras);
  if (rows.length === 0) return null;
  return {
    ...{ title, toTheRight: [0, 3, 4] },
    rows: [
      [words.number, sheet.trouble.camera, sheet.trouble.place, count, hours, cause, sheet.trouble.next],
      ...rows.map((row, i) => [
        ...[String(i + 1), cameraText(row.camera), placeText(row.camera, language), countText(row.gaps, language)],
        ...[lostHoursText(lostMs(row.byCause), language), wordsIn(language).causes[mostLost(row.byCause)]],
        words.advice[mostLost(row.byCause)],
      ]),
    ],
  };
}
