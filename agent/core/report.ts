/** The report of a period (contract §4): per camera, per group, in total, and the faults in clock time. Pure. */
import { type Fault, faultsOf, type Means, meansOf, type Trace, traceOf } from "./faults.ts";
import type { Loss } from "./flaps.ts";
import { type Grade, gradeOf, grades } from "./grade.ts";
import type { LedgerSpan } from "./ledger.ts";
import type { Period } from "./period.ts";
import { add, isLoss, nothing, type Share, shareOf, type Tally, tallyOf } from "./tally.ts";
import { iso, isoOrNull } from "./time.ts";
import type { Gap, Span, WallMs } from "./types.ts";

/** A camera as the report names it. */
export type ReportCamera = {
  readonly id: string;
  readonly name: string;
  /** Route, area or hamlet in the commune's own spelling. */
  readonly group: string | null;
  readonly kind: 1 | 2;
  readonly priority: boolean;
  readonly household: string | null;
  /** No stream that we could reach: listed, never due. */
  readonly manual: boolean;
  /** Name of the recorder's place; null in the report of one box, which is all at one. */
  readonly site: string | null;
  /** When its due time began; null: not yet, or not known. */
  readonly sinceAt: WallMs | null;
  /** Days after which its footage is deleted, as set; null: not known. */
  readonly keepDays: number | null;
};

/** What the ledger has of one camera in the period. */
export type CameraLedger = {
  readonly camera: ReportCamera;
  /** Its due time in the period and its planned stops, in order and without overlap; see `spansOf`. */
  readonly spans: readonly LedgerSpan[];
  /** Its gap rows that touch the period, in order: they carry the faults' numbers. */
  readonly rows: readonly Gap[];
  /** Days back to its oldest footage, now; null: it has none. */
  readonly daysKept: number | null;
  /** By how much its own clock is wrong, at most; null: not measured. */
  readonly clockOffsetMs: number | null;
};

/** What cameras, groups and the total have in common. */
export type Row = Tally & Share & Means & Pick<CameraLedger, "daysKept" | "clockOffsetMs">;
export type CameraRow = Row & {
  readonly camera: ReportCamera;
  readonly grade: Grade;
  /** The loss that lasted when the ledger ended; null where it ended with footage. */
  readonly losing: Loss | null;
};
export type SumRow = Row & { readonly cameraCount: number; readonly grades: Readonly<Record<Grade, number>> };
export type GroupRow = SumRow & { readonly group: string | null };

export type Report = {
  readonly period: Period;
  /** Nothing is due after this: the period's end, or now. */
  readonly untilAt: WallMs;
  /** It had ended when the figures were taken: what stood at its end may be over since, and is no longer told as what is. */
  readonly isPast: boolean;
  /** The worst first. */
  readonly cameras: readonly CameraRow[];
  /** In the order in which the configuration names them; cameras without a group last. */
  readonly groups: readonly GroupRow[];
  readonly total: SumRow;
  readonly faults: readonly Fault[];
};

/** Makes the report. `daysKept` of a sum is its least, `clockOffsetMs` the one furthest from nought. */
export function reportOf(period: Period, ledgers: readonly CameraLedger[], nowAt: WallMs): Report {
  const untilAt = Math.min(period.span.toAt, nowAt);
  const span = { fromAt: period.span.fromAt, toAt: untilAt };
  return assembled(
    period,
    { untilAt, nowAt },
    ledgers.map((ledger) => memberOf(ledger, span)),
    (members) => {
      const faults = faultsIn(members, span);
      const traces = members.map(({ trace }) => trace);
      return { faults, means: meansOf(traces, faults, span) };
    },
  );
}

/** Faults of some cameras, and their mean times. */
export type Judged = { readonly faults: readonly Fault[]; readonly means: Means };

/** A report from its cameras, whoever added them up: one box from its ledger, or the station from what the boxes told. */
export function assembled<M extends { readonly row: CameraRow }>(
  period: Period,
  { untilAt, nowAt }: { readonly untilAt: WallMs; readonly nowAt: WallMs },
  members: readonly M[],
  judge: (members: readonly M[]) => Judged,
): Report {
  const all = judge(members);
  const total = sumRow(members, all.means);
  const names = new Map(members.map(({ row }) => [groupKey(row.camera), row.camera.group?.normalize("NFC") ?? null]));
  const ungroupedLast = [...names].sort(([, a], [, b]) => Number(a === null) - Number(b === null));
  const groups = ungroupedLast.map(([key, group]) => {
    const own = members.filter(({ row }) => groupKey(row.camera) === key);
    return { group, ...(own.length === members.length ? total : sumRow(own, judge(own).means)) };
  });
  const cameras = members.map(({ row }) => row).sort((a, b) => rank(a) - rank(b));
  return { period, untilAt, isPast: period.span.toAt < nowAt, cameras, groups, total, faults: all.faults };
}

/** One spelling, however its letters were composed. */
const groupKey = ({ group }: ReportCamera): string => (group === null ? "" : group.normalize("NFC").trim());

/** As if nothing had been recorded in unknown time: what is not known to be well is looked at first. Only an order, no judgement. */
function rank({ grade, dueMs, recordedMs, camera }: CameraRow): number {
  if (grade === "manual") return 4;
  if (grade === "idle") return 3;
  if (dueMs === 0) return 1;
  const down = grade === "dead" || grade === "connected" ? 0 : 1;
  return down + recordedMs / dueMs - (camera.priority ? 1e-9 : 0);
}

type Member = { readonly row: CameraRow; readonly trace: Trace };

const faultsIn = (members: readonly Member[], period: Span): readonly Fault[] =>
  faultsOf(
    members.map(({ trace }) => trace),
    period.toAt,
  );

function memberOf(ledger: CameraLedger, period: Span): Member {
  const { camera, daysKept, clockOffsetMs } = ledger;
  const spans = camera.manual ? [] : ledger.spans;
  const trace = traceOf({ id: camera.id, spans, rows: ledger.rows }, period.toAt);
  const tally = tallyOf(spans);
  const share = shareOf(tally);
  const last = spans.at(-1);
  const losing = last !== undefined && isLoss(last) ? { fromAt: beginOfLoss(spans), toAt: last.toAt, cause: last.cause } : null;
  const means = meansOf([trace], faultsOf([trace], period.toAt), period);
  const row = { camera, grade: gradeOf(camera.manual, spans, share), losing, ...tally, ...share, ...means, daysKept, clockOffsetMs };
  return { row, trace };
}

/** Where the loss at the end began, though its cause may have changed since. */
function beginOfLoss(spans: readonly LedgerSpan[]): WallMs {
  let at = spans.at(-1)?.toAt ?? 0;
  for (let i = spans.length - 1; i >= 0; i -= 1) {
    const span = spans[i];
    if (span === undefined || !isLoss(span) || span.toAt !== at) break;
    at = span.fromAt;
  }
  return at;
}

function sumRow(members: readonly { readonly row: CameraRow }[], means: Means): SumRow {
  const tally = members.reduce<Tally>((sum, { row }) => add(sum, row), nothing);
  const known = (values: readonly (number | null)[]) => values.filter((value) => value !== null);
  const days = known(members.map(({ row }) => row.daysKept));
  const offsets = known(members.map(({ row }) => row.clockOffsetMs));
  const counted = Object.fromEntries(grades.map((grade) => [grade, members.filter(({ row }) => row.grade === grade).length]));
  return {
    ...{ cameraCount: members.length, grades: counted as Record<Grade, number> },
    ...{ ...tally, ...shareOf(tally), ...means },
    daysKept: days.length === 0 ? null : Math.min(...days),
    clockOffsetMs: offsets.length === 0 ? null : offsets.reduce((worst, ms) => (Math.abs(ms) > Math.abs(worst) ? ms : worst)),
  };
}

/** The JSON of contract §4. */
export function reportJson({ period, untilAt, cameras, groups, total, faults }: Report) {
  return {
    ...{ period: period.name, from: iso(period.span.fromAt), to: iso(period.span.toAt), until: iso(untilAt) },
    cameras: cameras.map(({ camera: { site: _site, sinceAt, ...camera }, losing, ...row }) => ({
      ...{ ...camera, since: isoOrNull(sinceAt) },
      ...row,
      notRecording: losing === null ? null : { since: iso(losing.fromAt), until: iso(losing.toAt), cause: losing.cause },
    })),
    groups,
    total: { ...total, manualCameras: total.grades.manual },
    ...faultsJson(faults),
  };
}

/** The longest stay; a year of flaps is no list to read. */
const mostFaults = 2_000;

function faultsJson(faults: readonly Fault[]) {
  const kept = faults.length <= mostFaults ? faults : [...faults].sort((a, b) => b.durationMs - a.durationMs).slice(0, mostFaults);
  const inOrder = [...kept].sort((a, b) => a.fromAt - b.fromAt);
  return {
    faults: inOrder.map(({ fromAt, toAt, ...fault }) => ({ ...fault, from: iso(fromAt), to: isoOrNull(toAt) })),
    faultsLeftOut: faults.length - kept.length,
  };
}
