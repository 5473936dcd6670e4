/** The commune's report against the boxes' own: every figure the same, whatever the ledgers hold, and what is missing is said. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LedgerSpan } from "../../agent/core/ledger.ts";
import { daysOf, type Period, parsePeriod } from "../../agent/core/period.ts";
import { type CameraLedger, type Report, type Row, reportOf } from "../../agent/core/report.ts";
import { cutTo } from "../../agent/core/summary.ts";
import { causes, type Gap } from "../../agent/core/types.ts";
import { communeReportOf, wantedTopics } from "../../deploy/station/board/reports/commune.ts";
import { makeLedger, toldOf } from "../lib/told.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const begin = Date.parse("2026-09-01T00:00:00+07:00");
const untilAt = Date.parse("2026-11-20T09:30:00+07:00");

const periodOf = (name: string): Period => {
  const period = parsePeriod(name, untilAt);
  if (period === null) throw new Error(name);
  return period;
};

/** A camera's autumn: stretches back to back, many of them about midnight; each loss is a fault of its own, or one that cameras share. */
const stretch = fc.record({
  ms: fc.oneof(
    fc.integer({ min: 1, max: 100_000 }),
    fc.integer({ min: 1, max: 30 * hourMs }),
    fc.constantFrom(dayMs, dayMs - 30_000, dayMs + 20_000),
  ),
  kind: fc.constantFrom("footage", "footage", "gap", "gap", "deleted", "unknown"),
  cause: fc.constantFrom(...causes),
});
const cameraOf = fc.record({
  startMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 70 * dayMs })),
  stretches: fc.array(stretch, { minLength: 1, maxLength: 60 }),
  group: fc.constantFrom(null, "Quốc lộ 1A", "Thôn An Đại"),
});
type Autumn = typeof cameraOf extends fc.Arbitrary<infer T> ? T : never;

const ledgerOf = ({ startMs, stretches, group }: Autumn, id: string): CameraLedger =>
  makeLedger({ id, name: `Camera ${id}`, group }, { fromAt: begin + startMs, toAt: untilAt }, stretches);

/** What the report of a period has of the ledgers. */
function boxReport(ledgers: readonly CameraLedger[], period: Period): Report {
  const { span } = period;
  const cut = ledgers.map((one) => ({
    ...{ ...one, spans: cutTo(one.spans, span), rows: one.rows.filter((row) => row.fromAt < span.toAt && (row.toAt ?? 0) > span.fromAt) },
  }));
  return reportOf(period, cut, untilAt);
}

const retainedOf = (sites: Readonly<Record<string, readonly CameraLedger[]>>) => toldOf(sites, untilAt);

const compared = [
  ...(["dueMs", "recordedMs", "unknownMs", "plannedMs", "ratio", "worstRatio", "withheld", "reachableMs"] as const),
  ...(["gaps", "flaps", "longestGapMs", "byCause", "daysKept", "clockOffsetMs"] as const),
];
const figures = (row: Row) => Object.fromEntries(compared.map((key) => [key, row[key]]));

const periods = [
  "2026-09",
  "2026-10",
  "2026-11",
  "2026-Q3",
  "2026-Q4",
  "2026-H2",
  "2026",
  "2026-09-11..2026-09-13",
  "2026-09-29..2026-11-04",
];

describe("figures", () => {
  test("are those of the boxes to the millisecond, in every period, camera, group and in total", () => {
    fc.assert(
      fc.property(fc.array(cameraOf, { minLength: 1, maxLength: 4 }), fc.constantFrom(...periods), (autumns, name) => {
        const ledgers = autumns.map((autumn, i) => ledgerOf(autumn, `c${i}`));
        const period = periodOf(name);
        const box = boxReport(ledgers, period);
        const { report, missing } = communeReportOf(retainedOf({ a: ledgers }), period, untilAt);
        expect(missing.filter(({ kind }) => kind !== "faults")).toEqual([]);
        expect(report.untilAt).toBe(box.untilAt);
        const own = new Map(report.cameras.map((row) => [row.camera.id, row]));
        for (const row of box.cameras) {
          const told = own.get(`a/${row.camera.id}`);
          expect(told === undefined ? null : figures(told), row.camera.id).toEqual(figures(row));
          expect(told?.losing, `${row.camera.id} not recording`).toEqual(row.losing);
        }
        for (const group of box.groups) {
          const told = report.groups.find((one) => one.group === group.group);
          expect(told === undefined ? null : figures(told)).toEqual(figures(group));
        }
        expect(figures(report.total)).toEqual(figures(box.total));
        if (name.length === 7 && !name.includes("Q") && !name.includes("H"))
          expect(report.total.grades, "grades of a month").toEqual(box.total.grades);
      }),
      { numRuns: 60 },
    );
  });

  test("of several boxes are added up", () => {
    const daysWithLoss = Array.from(
      { length: 200 },
      (_, i) => ({ ms: 5 * hourMs, kind: i % 2 === 0 ? "footage" : "gap", cause: "weak-link" }) as const,
    );
    const one = (id: string, startMs: number) => ledgerOf({ startMs, group: "Quốc lộ 1A", stretches: daysWithLoss }, id);
    const sites = { a: [one("c1", 0), one("c2", dayMs)], b: [one("c1", 3 * dayMs)] };
    const period = periodOf("2026-10");
    const { report } = communeReportOf(retainedOf(sites), period, untilAt);
    const boxes = Object.values(sites).map((ledgers) => boxReport(ledgers, period).total);
    for (const key of ["dueMs", "recordedMs", "unknownMs", "plannedMs", "gaps", "flaps"] as const)
      expect(report.total[key], key).toBe(boxes.reduce((sum, total) => sum + total[key], 0));
    expect(report.groups).toMatchObject([{ group: "Quốc lộ 1A", cameraCount: 3 }]);
    expect(report.cameras.map(({ camera }) => camera.id).sort()).toEqual(["a/c1", "a/c2", "b/c1"]);
    expect(report.cameras.map(({ camera }) => camera.site)).toContain("Vị trí b");
  });
});

const steady = (id: string, more: Partial<Autumn> = {}) =>
  ledgerOf({ startMs: 0, group: null, stretches: [{ ms: 90 * dayMs, kind: "footage", cause: "camera" }], ...more }, id);

describe("faults", () => {
  const cut = (id: string, fromMs: number, toMs: number): CameraLedger => {
    const whole = steady(id);
    const [from, to] = [begin + fromMs, begin + toMs];
    const made = (fromAt: number, toAt: number): LedgerSpan => ({
      kind: "footage",
      fromAt,
      toAt,
      segments: 1,
      bytes: 1,
      stream: "main",
      clock: "synced",
    });
    const loss: LedgerSpan = { kind: "gap", fromAt: from, toAt: to, cause: "box-power", sure: "inferred", evidence: [] };
    const row: Gap = { id: 1, camera: id, fromAt: from, toAt: to, fault: 7, blame: { cause: "box-power", sure: "inferred", evidence: [] } };
    return { ...whole, spans: [made(begin, from), loss, made(to, untilAt)], rows: [row] };
  };

  test("one power cut over the end of a month, of all cameras of a box, is one fault and one interruption each", () => {
    const month = 30 * dayMs;
    const ledgers = [cut("c1", month - 2 * hourMs, month + hourMs), cut("c2", month - 2 * hourMs - 5_000, month + hourMs + 2_000)];
    for (const name of ["2026-09", "2026-H2", "2026-09-30..2026-10-01", "2026-10"]) {
      const box = boxReport(ledgers, periodOf(name));
      const { report } = communeReportOf(retainedOf({ a: ledgers }), periodOf(name), untilAt);
      const plain = ({ faults }: Report) => faults.map(({ cameras: _cameras, ...fault }) => fault);
      expect(plain(report), name).toEqual(plain(box));
      expect(report.total.gaps, name).toBe(2);
    }
  });

  test("two boxes, or a box before and after it lost its books, may give the same number", () => {
    const { report } = communeReportOf(
      retainedOf({ a: [cut("c1", dayMs, 2 * dayMs)], b: [cut("c1", dayMs, 2 * dayMs)] }),
      periodOf("2026-09"),
      untilAt,
    );
    expect(report.faults).toHaveLength(2);
    const early = cut("c1", dayMs, 2 * dayMs);
    const late = cut("c2", 5 * dayMs, 6 * dayMs);
    expect(communeReportOf(retainedOf({ a: [early, late] }), periodOf("2026-09"), untilAt).report.faults).toHaveLength(2);
  });
});

describe("what is missing", () => {
  const retained = () => retainedOf({ a: [steady("c1"), steady("c2")], b: [steady("c1")] });

  test("nothing, where everything is there", () => {
    expect(communeReportOf(retained(), periodOf("2026-10"), untilAt)).toMatchObject({ missing: [], isWhole: true, versions: ["0.1.0"] });
    expect(communeReportOf(retained(), periodOf("2026-11"), untilAt)).toMatchObject({ missing: [], isWhole: true });
  });

  test("a month that never came is named, its camera has no ratio, and the sums hold only the others", () => {
    const told = retained();
    told.delete("from/b/month/2026-10/c1");
    const { report, missing, isWhole } = communeReportOf(told, periodOf("2026-10"), untilAt);
    expect(missing).toEqual([{ kind: "months", site: "Vị trí b", months: ["2026-10"], cameras: ["Camera c1"] }]);
    expect(isWhole).toBe(false);
    expect(report.cameras.find(({ camera }) => camera.id === "b/c1")).toMatchObject({
      ratio: null,
      withheld: "not-told",
      grade: "unknown",
      dueMs: 0,
    });
    expect(report.total).toMatchObject({ cameraCount: 3, dueMs: 2 * 31 * dayMs, ratio: 1 });
    expect(report.total.grades).toMatchObject({ good: 2, unknown: 1, idle: 0 });
  });

  test("figures of a silent site end where it fell silent", () => {
    const told = retained();
    const page = told.get("from/b/month/2026-11/c1") as { days: unknown[] };
    told.set("from/b/month/2026-11/c1", { ...page, until: "2026-11-11T17:00:00.000Z", days: page.days.slice(0, 11) });
    const { report, missing } = communeReportOf(told, periodOf("2026-11"), untilAt);
    expect(missing).toEqual([{ kind: "end", site: "Vị trí b", untilAt: Date.parse("2026-11-11T17:00:00.000Z"), cameras: ["Camera c1"] }]);
    expect(report.cameras.find(({ camera }) => camera.id === "b/c1")?.dueMs).toBe(11 * dayMs);
  });

  test("months before hand-over are not missing, and one who never spoke is", () => {
    const late = retainedOf({ a: [steady("c1", { startMs: 40 * dayMs })] });
    expect(communeReportOf(late, periodOf("2026-09"), untilAt)).toMatchObject({ missing: [], report: { total: { grades: { idle: 1 } } } });
    late.delete("from/a/birth");
    expect(communeReportOf(late, periodOf("2026-H2"), untilAt).missing).toEqual([{ kind: "site", site: "a" }]);
  });

  test("a page that does not add up, or is none, is not counted", () => {
    const told = retained();
    const page = told.get("from/b/month/2026-10/c1") as { days: { recordedMs: number }[] };
    for (const bad of [
      null,
      "x",
      [],
      { ...page, days: page.days.map((day) => ({ ...day, recordedMs: day.recordedMs - 1 })) },
      { ...page, until: "soon" },
    ]) {
      told.set("from/b/month/2026-10/c1", bad);
      expect(communeReportOf(told, periodOf("2026-10"), untilAt).missing, JSON.stringify(bad)?.slice(0, 60)).toMatchObject([
        { kind: "months" },
      ]);
    }
  });

  test("cameras without a stream are counted apart and lack nothing", () => {
    const told = retained();
    const birth = told.get("from/a/birth") as { cameras: object[] };
    const shop = {
      id: "ho-kd",
      name: "Cửa hàng",
      group: null,
      kind: 1,
      priority: false,
      household: null,
      manual: { checked: "2026-01-10", keepsMs: 1 },
    };
    told.set("from/a/birth", { ...birth, cameras: [...birth.cameras, shop] });
    const { report, missing } = communeReportOf(told, periodOf("2026-10"), untilAt);
    expect(missing).toEqual([]);
    expect(report.total.grades).toMatchObject({ good: 3, manual: 1 });
  });
});

test("requests are added up over boxes and months; what was answered at the station counts too; a cut month has no count", () => {
  const told = toldOf({ a: [steady("c1"), steady("c2")], b: [steady("c1")] }, untilAt, { tngt: { yes: 1, no: 2 } });
  told.set("station/answered/1", {
    v: 1,
    at: "2026-10-20T00:00:00.000Z",
    site: "a",
    camera: "c1",
    answer: "no",
    why: "camera",
    request: "CV 1",
  });
  told.set("station/answered/2", { v: 1, at: "2026-11-20T00:00:00.000Z", answer: "no" });
  told.set("station/answered/3", { v: 1, at: "2026-10-20T00:00:00.000Z", answer: "<b>" });
  const of = (name: string) => communeReportOf(told, periodOf(name), untilAt).extractions;
  expect(of("2026-10")).toEqual({ tngt: { yes: 2, no: 4 }, "": { no: 1 } });
  expect(of("2026-Q3")).toEqual({ tngt: { yes: 2, no: 4 } });
  expect(of("2026-10-01..2026-11-05")).toBeNull();
});

test("a period asks for its months and for those before it, to compare", () => {
  expect(wantedTopics(periodOf("2026-10"))).toEqual(["from/+/month/2026-09/+", "from/+/month/2026-10/+", "station/answered/+"]);
  expect(wantedTopics(periodOf("2026"))).toHaveLength(24 + 1);
  expect(wantedTopics(periodOf("2026-11-10..2026-11-12"))).toEqual(["from/+/month/2026-11/+", "station/answered/+"]);
  expect(daysOf(periodOf("2026-10").span)).toHaveLength(31);
});
