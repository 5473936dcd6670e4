/** What the station is told of days and months: content, bounds, and when. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DigestCamera, nameOf, type Page, pagesOf, type Sent } from "../../agent/core/digest.ts";
import type { LedgerSpan } from "../../agent/core/ledger.ts";
import { dayMessage, monthMessage } from "../../agent/core/message.ts";
import { spanOfDay, spanOfMonth } from "../../agent/core/period.ts";
import { type DayFacts, daySummary, type MonthFacts, monthSummary, mostBytes } from "../../agent/core/summary.ts";
import type { EventRow, Gap, Span } from "../../agent/core/types.ts";
import { type DigestDeps, type Due, makeDigest } from "../../agent/digest.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const address = { commune: "nghia-phuong", site: "an-dai-1" };
const day = "2026-11-24";
const begin = Date.parse("2026-11-24T00:00:00+07:00");
const at = (hours: number) => begin + hours * hourMs;

const footage = (fromAt: number, toAt: number): LedgerSpan => ({
  ...{ kind: "footage", fromAt, toAt, segments: 1, bytes: 1, stream: "main", clock: "synced" },
});
const loss = ({ fromAt, toAt }: Span): LedgerSpan => ({
  ...{ kind: "gap", fromAt, toAt, cause: "house-power", sure: "inferred", evidence: ["router-silent"] },
});
const row = (id: number, fromAt: number, toAt: number | null, fault: number | null = 7): Gap => ({
  ...{ id, camera: "c", fromAt, toAt, fault, blame: { cause: "house-power", sure: "inferred", evidence: ["router-silent"] } },
});
const event = (g: number, more: Partial<EventRow> = {}): EventRow => ({
  ...{ g, boot: "b.1", seq: g, at: at(1), clock: "synced", monoMs: 1, type: "run.started", level: "info", data: {}, ...more },
});

/** Nine in the morning: the house was without power from half past two to four. */
const cut = { fromAt: at(2.5), toAt: at(4) };
const morning: DayFacts = {
  ...{ camera: "c", day, untilAt: at(9), rows: [row(1, cut.fromAt, cut.toAt)], events: [] },
  spans: [footage(at(-5), cut.fromAt), loss(cut), footage(cut.toAt, at(9))],
};

describe("a day", () => {
  test("at nine in the morning the small hours are there", () => {
    expect(daySummary(morning)).toMatchObject({
      ...{ v: 1, camera: "c", day, from: "2026-11-23T17:00:00.000Z", to: "2026-11-24T17:00:00.000Z", until: "2026-11-24T02:00:00.000Z" },
      ...{ dueMs: 9 * hourMs, recordedMs: 7.5 * hourMs, unknownMs: 0, plannedMs: 0 },
      byCause: { "house-power": { count: 1, ms: 1.5 * hourMs } },
      recordedMinutesByHour: [60, 60, 30, 0, 60, 60, 60, 60, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      gaps: [
        {
          ...{ id: 1, from: "2026-11-23T19:30:00.000Z", to: "2026-11-23T21:00:00.000Z", cause: "house-power", sure: "inferred" },
          ...{ evidence: ["router-silent"], fault: 7 },
        },
      ],
      ...{ gapsLeftOut: 0, events: [], eventsLeftOut: 0 },
    });
  });

  test("an hour with a hole is not a whole one, and a gap that lasts has no end", () => {
    const facts = {
      ...morning,
      spans: [footage(at(0), at(1) - 1), loss({ fromAt: at(1) - 1, toAt: at(9) })],
      rows: [row(1, at(1) - 1, null)],
    };
    expect(daySummary(facts)).toMatchObject({ recordedMinutesByHour: expect.arrayContaining([59.9]), gaps: [{ to: null }] });
  });

  test("of the journal only what is of note stands in it, and nothing of another camera", () => {
    const events = [
      event(1),
      event(2, { type: "footage.deleted", data: { camera: "c" } }),
      event(3, { type: "gap.closed", data: { camera: "c" } }),
      event(4, { type: "picture.suspect", level: "warn", data: { camera: "other" } }),
      event(5, { type: "picture.suspect", level: "warn", data: { camera: "c" } }),
    ];
    expect(daySummary({ ...morning, events })?.events.map(({ g }) => g)).toEqual([1, 5]);
  });

  test("has its topic, is retained, and is forgotten after 40 days", () => {
    const summary = daySummary(morning);
    if (summary === null) throw new Error("no such day");
    expect(dayMessage(address, summary)).toMatchObject({
      ...{ topic: "matghi/v1/nghia-phuong/from/an-dai-1/day/2026-11-24/c", qos: 1, retain: true, expirySeconds: 40 * 86_400 },
    });
    expect(daySummary({ ...morning, day: "2026-02-30" })).toBeNull();
  });
});

const monthFacts: MonthFacts = {
  camera: "c",
  month: "2026-11",
  untilAt: at(9),
  rows: morning.rows,
  spans: morning.spans,
  extractions: {},
  lineBytes: 0,
};

describe("a month", () => {
  test("has the report's numbers day by day up to now, and in all, and its faults by number", () => {
    const summary = monthSummary(monthFacts);
    expect(summary?.days).toHaveLength(24);
    expect(summary?.days.at(-1)).toMatchObject({ day, dueMs: 9 * hourMs, recordedMs: 7.5 * hourMs, gaps: 1 });
    expect(summary).toMatchObject({
      ...{ v: 1, camera: "c", month: "2026-11", until: "2026-11-24T02:00:00.000Z", extractions: {}, faultsLeftOut: 0 },
      total: { dueMs: 14 * hourMs, recordedMs: 12.5 * hourMs, ratio: 12.5 / 14, gaps: 1, flaps: 0 },
      faults: [
        { fault: 7, cause: "house-power", from: "2026-11-23T19:30:00.000Z", to: "2026-11-23T21:00:00.000Z", durationMs: 1.5 * hourMs },
      ],
    });
    for (const key of ["dueMs", "recordedMs", "unknownMs", "plannedMs"] as const)
      expect(summary?.days.reduce((sum, one) => sum + (one[key] ?? 0), 0)).toBe(summary?.total[key]);
  });

  test("has its topic, is retained, and is forgotten after 26 months", () => {
    const summary = monthSummary(monthFacts);
    if (summary === null) throw new Error("no such month");
    expect(monthMessage(address, summary)).toMatchObject({
      ...{ topic: "matghi/v1/nghia-phuong/from/an-dai-1/month/2026-11/c", qos: 1, retain: true, expirySeconds: 26 * 31 * 86_400 },
    });
    expect(monthSummary({ ...monthFacts, month: "2026-13" })).toBeNull();
  });
});

test("whatever happened, a payload is bounded, keeps what weighs most, and says how much was left out", () => {
  const flaps = Array.from({ length: 4_000 }, (_, i) => ({ fromAt: at(0) + i * 20_000, toAt: at(0) + i * 20_000 + 1_000 + i }));
  const spans = flaps.map(loss);
  const code = "Đ".repeat(5_000);
  const rows = flaps.map(({ fromAt, toAt }, i) => ({
    ...row(i, fromAt, toAt, i),
    blame: { ...row(i, 0, 1).blame, evidence: Array(50).fill(code) },
  }));
  const events = Array.from({ length: 2_000 }, (_, g) =>
    event(g, { level: g === 5 ? "alarm" : "info", data: { text: "ế".repeat(g === 5 ? 10 : 900) } }),
  );
  const told = daySummary({ ...morning, untilAt: at(24), spans, rows, events });
  const month = monthSummary({ ...monthFacts, untilAt: at(24), spans, rows: rows.map((one, i) => ({ ...one, fault: i * 2 })) });
  for (const summary of [told, month]) expect(Buffer.byteLength(JSON.stringify(summary))).toBeLessThanOrEqual(mostBytes);
  expect((told?.gaps.length ?? 0) + (told?.gapsLeftOut ?? 0)).toBe(4_000);
  expect((told?.events.length ?? 0) + (told?.eventsLeftOut ?? 0)).toBe(2_000);
  expect(told?.gaps.length).toBeGreaterThan(0);
  expect(told?.gaps.at(-1)?.id, "the longest").toBe(3_999);
  expect(
    told?.events.map(({ g }) => g),
    "the alarm",
  ).toContain(5);
  const huge = daySummary({ ...morning, events: [event(1, { data: { text: "x".repeat(100_000) } })] });
  expect(huge).toMatchObject({ events: [], eventsLeftOut: 1 });
});

describe("pages", () => {
  const since = (startAt: number, leftAt: number | null = null): DigestCamera[] => [{ id: "c", sinceAt: startAt, leftAt }];
  const names = (cameras: readonly DigestCamera[], span: Span, nowAt: number) => pagesOf(cameras, span, nowAt).map(nameOf);
  const ever = { fromAt: Number.NEGATIVE_INFINITY, toAt: Number.POSITIVE_INFINITY };

  test("are today and 40 days, this month and 26, where the camera had anything due", () => {
    const all = names(since(0), ever, at(9));
    expect(all.filter((name) => name.startsWith("day/"))).toHaveLength(41);
    expect(all.filter((name) => name.startsWith("month/"))).toHaveLength(27);
    expect([all.at(40), all.at(0), all.at(-1), all.at(41)]).toEqual([
      ...["day/2026-11-24/c", "day/2026-10-15/c", "month/2026-11/c", "month/2024-09/c"],
    ]);
    expect(names(since(at(-30)), ever, at(9))).toEqual(["day/2026-11-22/c", "day/2026-11-23/c", "day/2026-11-24/c", "month/2026-11/c"]);
    expect(names(since(at(-100), at(-50)), ever, at(9)).at(-2)).toBe("day/2026-11-21/c");
    expect(names([{ id: "c", sinceAt: null, leftAt: null }], ever, at(9))).toEqual([]);
    expect(names(since(at(10)), ever, at(9))).toEqual([]);
  });

  test("that a gap over midnight touches are both days", () => {
    expect(names(since(0), { fromAt: at(-1), toAt: at(1) }, at(9))).toEqual(["day/2026-11-23/c", "day/2026-11-24/c", "month/2026-11/c"]);
  });
});

/** A station and a ledger of which only a number is known: when it changes, so does the page. */
function world(cameras: readonly DigestCamera[], start: number) {
  const now = { at: start, monoMs: 0, trusted: true, takes: true };
  const content = new Map<string, number>();
  const stored = new Map<string, Sent>();
  const station: string[] = [];
  const looks: string[] = [];
  const facts = (kind: Page["kind"], camera: string, key: string, span: Span | null) => {
    const name = nameOf({ kind, key, camera });
    looks.push(name);
    const fromAt = span?.fromAt ?? 0;
    const ms = 1 + (content.get(name) ?? 0);
    return { camera, untilAt: now.at, rows: [], spans: [footage(fromAt, fromAt + ms)] };
  };
  const deps: DigestDeps = {
    ...{ address, nowAt: () => (now.trusted ? now.at : null), monoMs: () => now.monoMs, cameras: () => cameras },
    factsOfDay: (camera, key) => ({ ...facts("day", camera, key, spanOfDay(key)), day: key, events: [event(station.length)] }),
    factsOfMonth: (camera, key) => ({ ...facts("month", camera, key, spanOfMonth(key)), month: key, extractions: {}, lineBytes: 0 }),
    sent: {
      all: () => stored,
      put: (name, sent) => stored.set(name, sent),
      drop: (names) => void names.map((name) => stored.delete(name)),
    },
  };
  let digest = makeDigest(deps);
  const tick = (ms: number) => {
    now.at += ms;
    now.monoMs += ms;
  };
  const publish = (due: Due) => {
    station.push(due.draft.topic.split("/from/an-dai-1/")[1] ?? "");
    due.done(now.takes);
  };
  return {
    ...{ now, content, stored, station, looks, tick },
    touch: (camera: string, span: Span) => digest.touch(camera, span),
    startOver: () => digest.startOver(),
    next: () => digest.next(),
    restart: () => {
      digest = makeDigest(deps);
    },
    /** The publisher's loop for so long, four rounds a second; what it sent. */
    run: (ms: number) => {
      const before = station.length;
      for (let passed = 0; passed < ms; passed += 250) {
        const due = digest.next();
        if (due !== null) publish(due);
        tick(250);
      }
      return station.slice(before);
    },
  };
}

describe("the digest", () => {
  const one: DigestCamera[] = [{ id: "c", sinceAt: at(-40), leftAt: null }];
  const pages = ["day/2026-11-24/c", "month/2026-11/c", "day/2026-11-23/c", "day/2026-11-22/c"];

  test("tells all that the station may lack, the running pages first, each once", () => {
    const w = world(one, at(9));
    expect(w.run(20_000)).toEqual(pages);
    expect([...w.stored.keys()].sort()).toEqual(["day/2026-11-22/c", "day/2026-11-23/c"]);
    expect(w.run(60_000)).toEqual([]);
  });

  test("after a restart tells past pages only where they have changed", () => {
    const w = world(one, at(9));
    w.run(20_000);
    w.restart();
    expect(w.run(20_000)).toEqual(["day/2026-11-24/c", "month/2026-11/c"]);
    w.content.set("day/2026-11-22/c", 5);
    w.restart();
    expect(w.run(20_000)).toEqual(["day/2026-11-24/c", "month/2026-11/c", "day/2026-11-22/c"]);
  });

  test("renews the running day within every 15 minutes, the month every three hours, reading nothing in between", () => {
    const w = world(one, at(9));
    w.run(20_000);
    const looked = w.looks.length;
    expect(w.run(13 * 60_000)).toEqual([]);
    expect(w.looks).toHaveLength(looked);
    expect(w.run(2 * 60_000)).toEqual(["day/2026-11-24/c"]);
    const later = w.run(2.8 * 3_600_000);
    expect(later.filter((name) => name.startsWith("month/"))).toEqual(["month/2026-11/c"]);
    expect(later.filter((name) => name.startsWith("day/"))).toHaveLength(12);
  });

  test("tells a page again when a gap in it has closed, however many close", () => {
    const w = world(one, at(9));
    w.run(20_000);
    w.touch("c", { fromAt: at(8), toAt: at(8.5) });
    expect(w.run(1_000)).toEqual(["day/2026-11-24/c", "month/2026-11/c"]);
    for (let i = 0; i < 100; i += 1) w.touch("c", { fromAt: at(8), toAt: at(8.5) });
    expect(w.run(60_000)).toEqual(["day/2026-11-24/c", "month/2026-11/c"]);
    w.touch("other", { fromAt: at(8), toAt: at(8.5) });
    expect(w.run(60_000)).toEqual([]);
  });

  test("a gap that closes while the broker has the page makes it due again", () => {
    const w = world(one, at(9));
    w.run(20_000);
    w.touch("c", { fromAt: at(8), toAt: at(8.5) });
    const due = w.next();
    w.touch("c", { fromAt: at(8.5), toAt: at(9) });
    due?.done(true);
    expect(w.run(20_000)).toEqual(["month/2026-11/c", "day/2026-11-24/c"]);
  });

  test("tells yesterday too when a gap that began there closes, if that changed it", () => {
    const w = world(one, at(9));
    w.run(20_000);
    w.content.set("day/2026-11-23/c", 1);
    w.touch("c", { fromAt: at(-40), toAt: at(8.5) });
    expect(w.run(20_000)).toEqual(["day/2026-11-24/c", "month/2026-11/c", "day/2026-11-23/c"]);
  });

  test("tells the day that ended once more when the day turns, and the month with it", () => {
    const w = world(one, Date.parse("2026-11-30T23:59:30+07:00"));
    w.run(20_000);
    expect(w.run(60_000)).toEqual(["day/2026-12-01/c", "month/2026-12/c", "day/2026-11-30/c", "month/2026-11/c"]);
    expect(w.run(60_000)).toEqual([]);
  });

  test("what the broker does not take is due again, without a storm", () => {
    const w = world(one, at(9));
    w.now.takes = false;
    expect(w.run(30_000).filter((name) => name === "day/2026-11-24/c").length).toBeLessThanOrEqual(3);
    expect(w.stored.size).toBe(0);
    w.now.takes = true;
    expect(new Set(w.run(30_000))).toEqual(new Set(pages));
  });

  test("starts over where the station may have lost everything", () => {
    const w = world(one, at(9));
    w.run(20_000);
    w.startOver();
    expect(w.run(20_000)).toEqual(pages);
  });

  test("says nothing while the clock cannot be trusted", () => {
    const w = world(one, at(9));
    w.now.trusted = false;
    w.touch("c", { fromAt: at(8), toAt: at(9) });
    expect(w.run(60_000)).toEqual([]);
    w.now.trusted = true;
    expect(w.run(20_000)).toEqual(pages);
  });

  test("reads at most one page for each call, and forgets what the station no longer keeps", () => {
    const w = world([{ id: "c", sinceAt: 0, leftAt: null }], at(9));
    w.run(60_000);
    expect(w.station).toHaveLength(41 + 27);
    w.now.at += 100 * dayMs;
    w.run(60_000);
    const kept = new Set(pagesOf([{ id: "c", sinceAt: 0, leftAt: null }], { fromAt: 0, toAt: w.now.at }, w.now.at).map(nameOf));
    expect([...w.stored.keys()].filter((name) => !kept.has(name))).toEqual([]);
  });

  test("whatever closes and however often it restarts, the station ends with the latest of every page", () => {
    const deed = fc.oneof(
      fc.record({ do: fc.constant("close" as const), back: fc.integer({ min: 0, max: 70 }), ms: fc.integer({ min: 1, max: 30 * hourMs }) }),
      fc.record({ do: fc.constant("restart" as const) }),
      fc.record({ do: fc.constant("refuse" as const), refuse: fc.boolean() }),
      fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 250, max: 600_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 12 }), (deeds) => {
        const w = world(one, at(9));
        const told = new Map<string, number>();
        const run = (ms: number) => {
          for (const name of w.run(ms)) if (w.now.takes) told.set(name, w.content.get(name) ?? 0);
        };
        for (const it of deeds) {
          if (it.do === "restart") w.restart();
          if (it.do === "refuse") w.now.takes = !it.refuse;
          if (it.do === "wait") run(it.ms);
          if (it.do === "close") {
            const toAt = w.now.at - it.back * hourMs;
            const span = { fromAt: toAt - it.ms, toAt };
            for (const page of pagesOf(one, span, w.now.at)) w.content.set(nameOf(page), (w.content.get(nameOf(page)) ?? 0) + 1);
            w.touch("c", span);
          }
        }
        w.now.takes = true;
        run(60_000);
        for (const [name, version] of w.content) expect(told.get(name), name).toBe(version);
      }),
      { numRuns: 60 },
    );
  });
});
