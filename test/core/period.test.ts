/** Periods and the Vietnamese calendar. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dayOf, daysOf, hoursOf, monthOf, monthsOf, parsePeriod, spanOfDay, spanOfMonth } from "../../agent/core/period.ts";

const nowAt = Date.parse("2026-11-24T10:00:00Z");
const iso = (at: number | undefined) => new Date(at ?? Number.NaN).toISOString();

describe("periods", () => {
  test.each([
    ["2026-11", "2026-10-31T17:00:00.000Z", "2026-11-30T17:00:00.000Z"],
    ["2026-12", "2026-11-30T17:00:00.000Z", "2026-12-31T17:00:00.000Z"],
    ["2024-02", "2024-01-31T17:00:00.000Z", "2024-02-29T17:00:00.000Z"],
    ["2026-Q1", "2025-12-31T17:00:00.000Z", "2026-03-31T17:00:00.000Z"],
    ["2026-Q4", "2026-09-30T17:00:00.000Z", "2026-12-31T17:00:00.000Z"],
    ["2026-H1", "2025-12-31T17:00:00.000Z", "2026-06-30T17:00:00.000Z"],
    ["2026-H2", "2026-06-30T17:00:00.000Z", "2026-12-31T17:00:00.000Z"],
    ["2026", "2025-12-31T17:00:00.000Z", "2026-12-31T17:00:00.000Z"],
    ["2026-11-01..2026-11-15", "2026-10-31T17:00:00.000Z", "2026-11-15T17:00:00.000Z"],
    ["2026-11-24..2026-11-24", "2026-11-23T17:00:00.000Z", "2026-11-24T17:00:00.000Z"],
    ["last-24h", "2026-11-23T10:00:00.000Z", "2026-11-24T10:00:00.000Z"],
  ])("%s", (text, from, to) => {
    const period = parsePeriod(text, nowAt);
    expect([period?.name, iso(period?.span.fromAt), iso(period?.span.toAt)]).toEqual([text, from, to]);
  });

  test.each([
    ...["", "2026-13", "2026-00", "2026-1", "2026-Q5", "2026-Q0", "2026-H3", "26", "1969", "2026-11-24", "last-48h", "now", " 2026"],
    ...["2026-11-15..2026-11-01", "2026-02-30..2026-03-01", "2026-11-01..", "2026-11-01...2026-11-15", "2026-11..2026-12", "2026-11\n"],
  ])("%j is none", (text) => {
    expect(parsePeriod(text, nowAt)).toBeNull();
  });

  test("no text makes it throw, and no period ends before it begins", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{4}-\d{2}-\d{2}\.\.\d{4}-\d{2}-\d{2}$/)), (text) => {
        const period = parsePeriod(text, nowAt);
        if (period !== null) expect(period.span.toAt).toBeGreaterThan(period.span.fromAt);
      }),
    );
  });

  test("months make quarters, quarters make halves, halves make years, without a seam", () => {
    for (const year of ["2024", "2026"]) {
      const months = Array.from({ length: 12 }, (_, i) => `${year}-${String(i + 1).padStart(2, "0")}`);
      for (const parts of [months, [`${year}-Q1`, `${year}-Q2`, `${year}-Q3`, `${year}-Q4`], [`${year}-H1`, `${year}-H2`]]) {
        const spans = parts.map((text) => parsePeriod(text, nowAt)?.span);
        for (const [i, span] of spans.entries()) if (i > 0) expect(span?.fromAt).toBe(spans[i - 1]?.toAt);
        expect({ fromAt: spans[0]?.fromAt, toAt: spans.at(-1)?.toAt }).toEqual(parsePeriod(year, nowAt)?.span);
      }
    }
  });
});

describe("days and months", () => {
  test("an instant belongs to the day that people in Vietnam call it", () => {
    expect([dayOf(Date.parse("2026-10-31T16:59:59.999Z")), dayOf(Date.parse("2026-10-31T17:00:00Z"))]).toEqual([
      "2026-10-31",
      "2026-11-01",
    ]);
    expect(monthOf(Date.parse("2026-12-31T17:00:00Z"))).toBe("2027-01");
  });

  test("a span falls into days and months that adjoin and cover it", () => {
    const moment = fc.integer({ min: Date.parse("2020-01-01T00:00:00Z"), max: Date.parse("2030-01-01T00:00:00Z") });
    fc.assert(
      fc.property(moment, fc.integer({ min: 1, max: 100 * 86_400_000 }), (fromAt, ms) => {
        const span = { fromAt, toAt: fromAt + ms };
        const days = daysOf(span);
        expect([days[0]?.fromAt, days.at(-1)?.toAt]).toEqual([span.fromAt, span.toAt]);
        for (const [i, day] of days.entries()) {
          if (i > 0) expect(day.fromAt).toBe(days[i - 1]?.toAt);
          expect(dayOf(day.fromAt)).toBe(day.day);
          expect(dayOf(day.toAt - 1)).toBe(day.day);
        }
        expect(monthsOf(span)).toEqual([...new Set(days.map(({ day }) => day.slice(0, 7)))]);
      }),
    );
    expect(daysOf({ fromAt: 5, toAt: 5 })).toEqual([]);
  });

  test("a day has 24 hours; what names no day has none", () => {
    const day = spanOfDay("2026-11-24") ?? { fromAt: 0, toAt: 0 };
    const hours = hoursOf(day);
    expect([hours.length, hours[0]?.fromAt, hours[23]?.toAt]).toEqual([24, day.fromAt, day.toAt]);
    expect([spanOfDay("2026-02-30"), spanOfDay("2026-11"), spanOfMonth("2026"), spanOfMonth("2026-13")]).toEqual([null, null, null, null]);
  });
});
