/** The report's law for arbitrary ledgers, its definitions by hand, and how figures are printed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvText, text } from "../../agent/core/csv.ts";
import { faultsOf, traceOf } from "../../agent/core/faults.ts";
import { counts, flapsOf, interruptionsOf, type Loss } from "../../agent/core/flaps.ts";
import type { LedgerSpan } from "../../agent/core/ledger.ts";
import { monthsOf, type Period, parsePeriod, spanOfMonth } from "../../agent/core/period.ts";
import { hoursText, lostHoursText, numberText, percentText, shareTexts, tableText, tenthsOf, widthOf } from "../../agent/core/print.ts";
import { type CameraLedger, type Report, type Row, reportJson, reportOf } from "../../agent/core/report.ts";
import { sheetText } from "../../agent/core/sheet.ts";
import { sentenceOf } from "../../agent/core/sheetblock.ts";
import { cutTo } from "../../agent/core/summary.ts";
import { shareOf } from "../../agent/core/tally.ts";
import { type Cause, causes, type Gap, type Span } from "../../agent/core/types.ts";

const hourMs = 3_600_000;
const year: Period = parsePeriod("2026", 0) ?? { name: "", span: { fromAt: 0, toAt: 0 } };
const begin = year.span.fromAt;

const footage = (fromAt: number, toAt: number): LedgerSpan => ({
  ...{ kind: "footage", fromAt, toAt, segments: 1, bytes: 1, stream: "main", clock: "synced" },
});
const gap = (fromAt: number, toAt: number, cause: Cause = "camera", evidence: readonly string[] = []): LedgerSpan => ({
  ...{ kind: "gap", fromAt, toAt, cause, sure: "inferred", evidence },
});
const row = (id: number, span: Span & { cause?: Cause }, fault: number | null, open = false): Gap => ({
  ...{ id, camera: "", fromAt: span.fromAt, toAt: open ? null : span.toAt, fault },
  blame: { cause: span.cause ?? "camera", sure: "inferred", evidence: [] },
});
const ledger = (id: string, spans: readonly LedgerSpan[], rows: readonly Gap[] = [], more: object = {}): CameraLedger => ({
  camera: {
    ...{ id, name: `Camera ${id}`, group: null, kind: 2, priority: false, household: null, manual: false },
    ...{ site: null, sinceAt: null, keepDays: 30, ...more },
  },
  ...{ spans, rows, daysKept: null, clockOffsetMs: null },
});
const nowAt = year.span.toAt + 1;
const lostMs = ({ byCause }: Row) => Object.values(byCause).reduce((sum, { ms }) => sum + ms, 0);
const rowsOf = ({ cameras, groups, total }: Report): readonly Row[] => [...cameras, ...groups, total];

/** A camera's year: stretches of any kind, back to back from a first moment on. */
const stretch = fc.record({
  ms: fc.oneof(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 1, max: 40 * 86_400_000 })),
  kind: fc.constantFrom("footage", "footage", "gap", "gap", "deleted", "missing", "unknown", "nothing"),
  cause: fc.constantFrom(...causes),
  fault: fc.option(fc.integer({ min: 1, max: 5 })),
});
const camera = fc.record({
  startMs: fc.integer({ min: -40 * 86_400_000, max: 200 * 86_400_000 }),
  stretches: fc.array(stretch, { maxLength: 30 }),
  group: fc.constantFrom(null, "Quốc lộ 1A", "Quốc lộ 1A".normalize("NFD"), "Thôn An Đại"),
});
type Camera = typeof camera extends fc.Arbitrary<infer T> ? T : never;

function ledgerOf({ startMs, stretches, group }: Camera, id: string): CameraLedger {
  let at = begin + startMs;
  const rows: Gap[] = [];
  const spans = stretches.flatMap(({ ms, kind, cause, fault }, i): LedgerSpan[] => {
    const span = { fromAt: at, toAt: at + ms };
    at += ms;
    if (kind === "footage") return [footage(span.fromAt, span.toAt)];
    if (kind === "deleted" || kind === "missing") return [{ ...span, kind: "deleted", why: kind === "missing" ? "file missing" : "age" }];
    if (kind === "unknown") return [{ ...span, kind: "unknown", why: "journal reset" }];
    if (kind === "nothing") return [];
    if (cause !== "planned") rows.push(row(i, { ...span, cause }, fault));
    return [gap(span.fromAt, span.toAt, cause)];
  });
  return ledger(id, spans, rows, { group });
}

/** The report of a part of the year. */
function partOf(ledgers: readonly CameraLedger[], period: Period): Report {
  const { span } = period;
  const touches = (gapRow: Gap) => gapRow.fromAt < span.toAt && (gapRow.toAt ?? span.toAt) > span.fromAt;
  const cut = ledgers.map((one) => ({ ...one, spans: cutTo(one.spans, span), rows: one.rows.filter(touches) }));
  return reportOf(period, cut, nowAt);
}

describe("for every ledger", () => {
  test("recorded, lost and unknown time are the due time, in every row; groups and the total are sums", () => {
    fc.assert(
      fc.property(fc.array(camera, { maxLength: 6 }), (cameras) => {
        const report = partOf(
          cameras.map((one, i) => ledgerOf(one, `c${i}`)),
          year,
        );
        for (const one of rowsOf(report)) {
          expect(one.recordedMs + lostMs(one) + one.unknownMs).toBe(one.dueMs);
          expect(Object.values(one.byCause).reduce((sum, { count }) => sum + count, 0)).toBe(one.gaps);
          expect(Object.keys(one.byCause)).not.toContain("planned");
          expect(one.ratio === null || (one.ratio >= 0 && one.ratio <= 1)).toBe(true);
          expect(one.ratio === 1).toBe(one.withheld === null && lostMs(one) === 0);
          expect((one.ratio === null) === (one.withheld !== null)).toBe(true);
          expect(one.deletedMs <= one.recordedMs && one.missingMs <= one.deletedMs).toBe(true);
          expect((one.reachableMs ?? 0) <= one.dueMs - one.unknownMs).toBe(true);
          expect(one.longestGapMs <= lostMs(one)).toBe(true);
        }
        for (const rows of [report.cameras, report.groups])
          for (const key of ["dueMs", "recordedMs", "unknownMs", "plannedMs", "gaps", "flaps"] as const)
            expect(rows.reduce((sum, one) => sum + one[key], 0)).toBe(report.total[key]);
        expect(new Set(report.groups.map(({ group }) => group)).size).toBe(report.groups.length);
        expect(report.faults.reduce((sum, { cameraMs }) => sum + cameraMs, 0)).toBe(lostMs(report.total));
        for (const { durationMs, cameraMs, wholeMs } of report.faults) expect(durationMs <= cameraMs && durationMs <= wholeMs).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  test("months add up to quarters and the year, to the millisecond", () => {
    const keys = ["dueMs", "recordedMs", "deletedMs", "unknownMs", "plannedMs"] as const;
    const sumOf = (reports: readonly Report[], pick: (row: Row) => number) => reports.reduce((sum, { total }) => sum + pick(total), 0);
    fc.assert(
      fc.property(fc.array(camera, { maxLength: 4 }), (cameras) => {
        const ledgers = cameras.map((one, i) => ledgerOf(one, `c${i}`));
        const months = monthsOf(year.span).map((month) => partOf(ledgers, { name: month, span: spanOfMonth(month) ?? year.span }));
        const quarters = [1, 2, 3, 4].map((n) => partOf(ledgers, parsePeriod(`2026-Q${n}`, 0) ?? year));
        const whole = partOf(ledgers, year);
        expect(months).toHaveLength(12);
        for (const parts of [months, quarters, [whole]]) {
          for (const key of keys)
            expect(
              sumOf(parts, (one) => one[key]),
              key,
            ).toBe(whole.total[key]);
          for (const cause of causes)
            expect(
              sumOf(parts, (one) => one.byCause[cause]?.ms ?? 0),
              cause,
            ).toBe(whole.total.byCause[cause]?.ms ?? 0);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("every form of it can be written, without a hole in a sentence", () => {
    fc.assert(
      fc.property(fc.array(camera, { maxLength: 5 }), fc.constantFrom("vi" as const, "en" as const), (cameras, language) => {
        const report = partOf(
          cameras.map((one, i) => ledgerOf(one, `c${i}`)),
          year,
        );
        const facts = { ...sheet, language };
        for (const written of [sheetText(report, facts), csvText(report, language), JSON.stringify(reportJson(report))])
          expect(written).not.toMatch(/undefined|NaN|Infinity|\{\w+\}(?!:)/);
      }),
      { numRuns: 200 },
    );
  });
});

const sheet = {
  ...{ language: "vi" as const, version: "1.2.3", site: "Thôn An Đại 1", takenAt: nowAt, unit: null, rule: null, recipients: [] },
  ...{ dutyPhone: null, keepRule: "", missing: [], pictures: null, comparison: null, extractions: null },
};

describe("flaps", () => {
  const losses = (...parts: readonly (readonly [from: number, to: number, cause?: Cause])[]): Loss[] =>
    parts.map(([from, to, cause = "camera"]) => ({ fromAt: from * 1_000, toAt: to * 1_000, cause }));

  test("200 flaps of 2 s in an hour are one fault and 200 flaps, and 400 s of loss", () => {
    const spans = Array.from({ length: 200 }, (_, i) => begin + i * 18_000).flatMap((at) => [
      gap(at, at + 2_000),
      footage(at + 2_000, at + 18_000),
    ]);
    const rows = spans.filter(({ kind }) => kind === "gap").map((span, i) => row(i, span, null));
    const { total, faults } = reportOf(year, [ledger("c", spans, rows)], nowAt);
    expect(total).toMatchObject({ gaps: 1, flaps: 200, byCause: { camera: { count: 1, ms: 400_000 } } });
    expect(faults).toMatchObject([{ fault: null, durationMs: 400_000, cameraMs: 400_000 }]);
    const numbered = rows.map((one, i) => ({ ...one, fault: i + 1 }));
    expect(reportOf(year, [ledger("c", spans, numbered)], nowAt).faults).toMatchObject([{ fault: 1, durationMs: 400_000 }]);
  });

  test.each([
    ["a minute lost counts, and is no flap", losses([0, 60]), 1, 0],
    ["less is a flap, and no interruption", losses([0, 59]), 0, 1],
    ["a return of less than a minute is none", losses([0, 120], [179, 300]), 1, 0],
    ["a return of a minute is one", losses([0, 120], [180, 300]), 2, 0],
    ["flaps that add up to a minute", losses([0, 20], [50, 70], [100, 120]), 1, 3],
    ["flaps that do not", losses([0, 20], [50, 70]), 0, 2],
    ["another cause is another interruption", losses([0, 120], [130, 300, "house-power"]), 2, 0],
    ["a loss whose cause changed is one loss: no flap at its end", losses([0, 120], [120, 130, "disk"]), 1, 0],
    ["a cause that comes back soon goes on", losses([0, 120], [120, 130, "disk"], [130, 200]), 1, 0],
    ["nothing", losses(), 0, 0],
  ])("%s", (_, parts, gaps, flaps) => {
    expect([interruptionsOf(parts).filter(counts).length, flapsOf(parts)]).toEqual([gaps, flaps]);
  });

  test("merging loses no millisecond and changes no loss", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(120_000), fc.integer({ min: 1, max: 120_000 }), fc.constantFrom(...causes)), { maxLength: 50 }),
        (parts) => {
          let at = 0;
          const all = parts.map(([skip, ms, cause]): Loss => {
            const fromAt = at + skip;
            at = fromAt + ms;
            return { fromAt, toAt: at, cause };
          });
          const merged = interruptionsOf(all);
          expect(merged.flatMap((one) => one.losses).toSorted((a, b) => a.fromAt - b.fromAt)).toEqual(all);
          for (const { lostMs: ms, losses: members } of merged)
            expect(ms).toBe(members.reduce((sum, loss) => sum + loss.toAt - loss.fromAt, 0));
        },
      ),
    );
  });
});

describe("what may be said", () => {
  test.each([
    ["nothing due", 0, 0, 0, { ratio: null, worstRatio: null, withheld: "nothing-due" }],
    ["all of it", 100_000, 100_000, 0, { ratio: 1, worstRatio: null, withheld: null }],
    ["a little unknown", 100_000, 98_000, 1_000, { ratio: 98 / 99, worstRatio: null, withheld: null }],
    ["more than 1 % unknown", 100_000, 90_000, 2_000, { ratio: 90 / 98, worstRatio: 0.9, withheld: null }],
    ["5 % unknown is the limit", 100_000, 95_000, 5_000, { ratio: 1, worstRatio: 0.95, withheld: null }],
    ["more than 5 % unknown", 100_000, 94_999, 5_001, { ratio: null, worstRatio: 0.94999, withheld: "too-much-unknown" }],
    ["only unknown", 100_000, 0, 100_000, { ratio: null, worstRatio: 0, withheld: "too-much-unknown" }],
  ])("%s", (_, dueMs, recordedMs, unknownMs, share) => {
    expect(shareOf({ dueMs, recordedMs, unknownMs })).toEqual(share);
  });

  test("a ratio is rounded down, never to all while time was lost, never to nothing while some was recorded", () => {
    expect([0.9996, 0.99999999, 1, 0.982, 0.579, 0, 0.0004].map((share) => percentText(share, "vi"))).toEqual([
      ...["99,9%", "99,9%", "100,0%", "98,2%", "57,9%", "0,0%", "dưới 0,1%"],
    ]);
    expect([percentText(null, "vi"), percentText(0.5, "en"), percentText(0.0001, "en")]).toEqual(["–", "50.0%", "under 0.1%"]);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9e15 }), fc.integer({ min: 1, max: 1_000 }), (whole, some) => {
        const lost = Math.min(some, whole - 1);
        expect(tenthsOf((whole - lost) / whole) ?? 0).toBeLessThan(1_000);
        expect(tenthsOf(lost / whole)).not.toBe(0);
      }),
    );
  });

  test("footage deleted since was made; reachable is what the evidence says", () => {
    const spans: LedgerSpan[] = [
      footage(begin, begin + hourMs),
      { kind: "deleted", fromAt: begin + hourMs, toAt: begin + 2 * hourMs, why: "age" },
      { kind: "deleted", fromAt: begin + 2 * hourMs, toAt: begin + 3 * hourMs, why: "file missing" },
      gap(begin + 3 * hourMs, begin + 4 * hourMs, "camera", ["stalled", "port-answers"]),
      gap(begin + 4 * hourMs, begin + 5 * hourMs, "disk", ["disk-full"]),
      gap(begin + 5 * hourMs, begin + 6 * hourMs, "camera", ["silent", "port-silent", "others-recording 3"]),
      gap(begin + 6 * hourMs, begin + 7 * hourMs, "planned", ["thay nguồn"]),
    ];
    expect(reportOf(year, [ledger("c", spans)], nowAt).total).toMatchObject({
      ...{
        dueMs: 6 * hourMs,
        recordedMs: 3 * hourMs,
        deletedMs: 2 * hourMs,
        missingMs: hourMs,
        reachableMs: 5 * hourMs,
        plannedMs: hourMs,
      },
    });
  });

  test("cameras that cannot be reached at all are counted apart", () => {
    const manual = ledger("m", [gap(begin, begin + hourMs)], [], { manual: true, kind: 1 });
    const report = reportOf(year, [manual, ledger("c", [footage(begin, begin + hourMs)])], nowAt);
    expect(reportJson(report).total).toMatchObject({ dueMs: hourMs, ratio: 1, manualCameras: 1, cameraCount: 2 });
    expect(report.cameras.map(({ camera: { id }, grade }) => [id, grade])).toEqual([
      ["c", "good"],
      ["m", "manual"],
    ]);
  });

  test("the worst stands first, and a dead one is not hidden by a good month", () => {
    const day = 24 * hourMs;
    const reports = reportOf(
      year,
      [
        ledger("good", [footage(begin, begin + 30 * day)]),
        ledger("watch", [
          footage(begin, begin + 27.5 * day),
          gap(begin + 27.5 * day, begin + 29 * day),
          footage(begin + 29 * day, begin + 30 * day),
        ]),
        ledger("poor", [gap(begin, begin + 20 * day), footage(begin + 20 * day, begin + 30 * day)]),
        ledger("dead", [footage(begin, begin + 29 * day), gap(begin + 29 * day, begin + 30 * day)]),
        ledger("connected", [footage(begin, begin + 28 * day), gap(begin + 28 * day, begin + 30 * day, "disk")]),
        ledger("unclear", [
          footage(begin, begin + 27 * day),
          { kind: "unknown", fromAt: begin + 27 * day, toAt: begin + 30 * day, why: "reset" },
        ]),
        ledger("idle", []),
      ],
      nowAt,
    );
    expect(reports.cameras.map(({ camera: { id }, grade }) => [id, grade])).toEqual([
      ...[
        ["connected", "connected"],
        ["dead", "dead"],
        ["poor", "poor"],
        ["unclear", "unknown"],
        ["watch", "watch"],
        ["good", "good"],
      ],
      ["idle", "idle"],
    ]);
    expect(sentenceOf(reports, "vi")).toMatch(/có 03 camera dưới 90% hoặc không hoạt động\. Chưa đủ số liệu để đánh giá 01 camera/);
  });

  test("groups are the commune's own, in its order and spelling, and cameras without one come last", () => {
    const groups = [null, "Quốc lộ 1A", "Thôn An Đại".normalize("NFD"), "Thôn An Đại"].map((group, i) =>
      ledger(`c${i}`, [footage(begin, begin + hourMs)], [], { group }),
    );
    expect(reportOf(year, groups, nowAt).groups.map(({ group, cameraCount }) => [group, cameraCount])).toEqual([
      ["Quốc lộ 1A", 1],
      ["Thôn An Đại", 2],
      [null, 1],
    ]);
  });
});

describe("faults", () => {
  const at = (hours: number) => begin + hours * hourMs;

  test("a recorder that stops with 26 cameras is one fault, in clock time and camera time", () => {
    const stop = gap(at(1), at(2.2), "box-power");
    const ledgers = Array.from({ length: 26 }, (_, i) =>
      ledger(`c${i}`, [footage(at(0), at(1)), stop, footage(at(2.2), at(5))], [row(i, stop, 7)]),
    );
    const { faults, total } = reportOf(year, ledgers, nowAt);
    expect(faults).toMatchObject([{ fault: 7, cause: "box-power", durationMs: 1.2 * hourMs, cameraMs: 26 * 1.2 * hourMs }]);
    expect(faults[0]?.cameras).toHaveLength(26);
    expect(total).toMatchObject({ gaps: 26, repairMs: null, betweenMs: null });
  });

  test("one that lasts has no end and is cut at the period's; one that began before has its own begin", () => {
    const before = { fromAt: begin - 2 * hourMs, toAt: at(1) };
    const spans = [gap(begin, at(1)), footage(at(1), at(2)), gap(at(2), at(3), "disk")];
    const rows = [row(1, before, null), row(2, { fromAt: at(2), toAt: at(3) }, 9, true)];
    expect(faultsOf([traceOf({ id: "c", spans, rows }, at(3))], at(3))).toMatchObject([
      { fault: null, fromAt: before.fromAt, toAt: before.toAt, durationMs: hourMs, wholeMs: 3 * hourMs },
      { fault: 9, cause: "disk", fromAt: at(2), toAt: null, durationMs: hourMs },
    ]);
  });

  test("means are told from three faults on, in clock time", () => {
    const cut = (n: number) => gap(at(n * 10), at(n * 10 + n), "house-power");
    const spans = [1, 2, 3].flatMap((n) => [footage(at((n - 1) * 10 + (n - 1)), at(n * 10)), cut(n)]);
    const rows = [1, 2, 3].map((n) => row(n, cut(n), n));
    const both = ["a", "b"].map((id) => ledger(id, [...spans, footage(at(33), at(42))], rows));
    expect(reportOf(year, both, nowAt).total).toMatchObject({ repairMs: 2 * hourMs, betweenMs: 12 * hourMs });
    expect(reportOf(year, [ledger("a", spans.slice(0, 4), rows)], nowAt).total).toMatchObject({ repairMs: null, betweenMs: null });
  });

  test("a flap that stayed one is listed, but is no fault to take a mean of", () => {
    const flap = (hour: number) => [gap(at(hour), at(hour) + 5_000), footage(at(hour) + 5_000, at(hour + 1))];
    const { faults, total } = reportOf(year, [ledger("c", [...flap(0), ...flap(1), ...flap(2)])], nowAt);
    expect(faults).toHaveLength(3);
    expect(total).toMatchObject({ gaps: 0, flaps: 3, longestGapMs: 5_000, repairMs: null, betweenMs: null });
  });
});

describe("print", () => {
  test("numbers carry the language's marks", () => {
    expect([
      numberText(1_234_567.89, 1, "vi"),
      numberText(1_234_567.89, 1, "en"),
      numberText(128_690_000, 0, "vi"),
      numberText(12, 0, "vi"),
    ]).toEqual([...["1.234.567,9", "1,234,567.9", "128.690.000", "12"]]);
  });

  test("hours due and recorded are rounded down, hours lost to the nearest, and something is never nothing", () => {
    const ms = 720 * hourMs;
    expect([hoursText(ms, "vi"), hoursText(ms - 1, "vi"), lostHoursText(1, "vi"), lostHoursText(0, "vi")]).toEqual([
      ...["720,0", "719,9", "dưới 0,1", "0,0"],
    ]);
  });

  test("shares add up to 100,0 and hide nobody", () => {
    expect(shareTexts([300, 240, 95, 31, 11], "vi")).toEqual(["44,3", "35,5", "14,0", "4,6", "1,6"]);
    expect(shareTexts([1, 1, 1], "vi")).toEqual(["33,4", "33,3", "33,3"]);
    expect(shareTexts([1, 1_000_000], "vi")).toEqual(["dưới 0,1", "100,0"]);
    expect([shareTexts([], "vi"), shareTexts([0], "vi")]).toEqual([[], ["0,0"]]);
  });

  test("columns stand straight whatever the accents are made of", () => {
    const rows = [
      ["Tuyến", "Số"],
      ["Đường Nguyễn Huệ", "1"],
      ["Quốc lộ 1A".normalize("NFD"), "1.234"],
    ];
    const lines = tableText(rows, [1]);
    expect(lines[1]).toBe(`${"-".repeat(16)}  -----`);
    expect(new Set(lines.map(widthOf)).size).toBe(1);
  });

  test.each([
    ["=1+1", `"'=1+1"`],
    ["+84", `"'+84"`],
    ["-x", `"'-x"`],
    ["@SUM(A1)", `"'@SUM(A1)"`],
    ["\t=1", `"'\t=1"`],
    ['Ngã ba; chợ "Tre"', `"Ngã ba; chợ ""Tre"""`],
    ["hai\ndòng", `"hai dòng"`],
    ["", `""`],
  ])("the field %j is written %s", (value, field) => {
    expect(text(value)).toBe(field);
  });

  test("each language has the separator that goes with its decimal mark", () => {
    const report = reportOf(year, [ledger("c", [footage(begin, begin + 1.5 * hourMs)])], nowAt);
    expect(csvText(report, "vi")).toContain(";1,500;1,500;");
    expect(csvText(report, "en")).toContain(",1.500,1.500,");
    expect(csvText(report, "vi").startsWith("\uFEFF")).toBe(true);
  });
});

test("a period that is not over says so, with the time up to which figures reach", () => {
  const report = reportOf(year, [], begin + hourMs);
  expect(sheetText(report, sheet)).toContain("Kỳ này chưa hết: số liệu tính đến 01:00 01/01/2026.");
  expect(reportJson(report)).toMatchObject({ until: "2025-12-31T18:00:00.000Z", to: "2026-12-31T17:00:00.000Z" });
  expect(sheetText(report, sheet)).toContain("Trong kỳ chưa có camera nào phải ghi hình.");
});

test.each([
  [
    "vi",
    /không ghi hình từ|Đang không ghi|– kiểm tra|VIỆC CẦN LÀM \(/,
    /7\. TÌNH TRẠNG LÚC HẾT KỲ[\s\S]*lúc hết kỳ không ghi hình, từ[\s\S]*Không ghi lúc hết kỳ/,
  ],
  [
    "en",
    /not recording since|– check|TO DO/,
    /7\. AS IT STOOD AT[\s\S]*not recording at the period's end, since[\s\S]*Not recording at the end/,
  ],
] as const)("in %s a report of a past period tells what stood at its end, never as what is or is to be done", (language, now, then) => {
  const month = parsePeriod("2026-01", 0) ?? year;
  const lostAt = month.span.toAt - hourMs;
  const spans = [footage(begin, lostAt), gap(lostAt, month.span.toAt)];
  const textAt = (at: number) =>
    sheetText(reportOf(month, [ledger("c", spans), ledger("d", spans.slice(0, 1))], at), { ...sheet, language });

  expect(textAt(month.span.toAt)).toMatch(now);
  const past = textAt(month.span.toAt + 1);
  expect(past).toMatch(then);
  expect(past).not.toMatch(now);
  const { cameras } = reportJson(reportOf(month, [ledger("c", spans)], month.span.toAt + 1));
  expect(cameras[0]?.notRecording).toEqual({
    ...{ since: new Date(lostAt).toISOString(), until: new Date(month.span.toAt).toISOString(), cause: "camera" },
  });
});
