/** Times of wrong clocks, read right afterwards: order holds, nothing overlaps, durations stay. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DatedBoot, makeDating, plainDating, redate } from "../../agent/core/dating.ts";

const hour = 3_600_000;
const boot = (fromAt: number, toAt: number, offsetMs = 0, synced = true): DatedBoot => ({ fromAt, toAt, offsetMs, synced });

test("without a step the stored scale is UTC", () => {
  expect(makeDating([boot(0, 10), boot(20, 30)])).toBe(plainDating);
});

test("a step dates the whole of its boot and no other", () => {
  const dating = makeDating([boot(0, 10 * hour), boot(11 * hour, 13 * hour, 2 * hour)]);
  expect(dating.toUtc(5 * hour)).toBe(5 * hour);
  expect(dating.toUtc(11 * hour)).toBe(13 * hour);
  expect(dating.fromUtc(13 * hour)).toBe(11 * hour);
});

test("a time in the down-time of the box is the edge of what was written", () => {
  const dating = makeDating([boot(0, 10 * hour), boot(11 * hour, 13 * hour, 2 * hour)]);
  expect(dating.fromUtc(12 * hour)).toBe(11 * hour);
  expect(dating.toUtc(10.5 * hour)).toBe(10.5 * hour);
});

test("of two boots that would overlap the one that was never synchronised yields", () => {
  const before = makeDating([boot(0, 10 * hour, 0, false), boot(10 * hour, 12 * hour, -hour, true)]);
  expect(before.toUtc(10 * hour)).toBe(9 * hour);
  expect(before.toUtc(9 * hour)).toBe(8 * hour);
  const after = makeDating([boot(0, 10 * hour, 0, true), boot(10 * hour, 12 * hour, -hour, false)]);
  expect(after.toUtc(9 * hour)).toBe(9 * hour);
  expect(after.toUtc(11 * hour)).toBe(11 * hour);
});

test("events and evidence are read through it, whatever holds them", () => {
  const dating = makeDating([boot(0, hour, hour)]);
  const facts = { from: "1970-01-01T00:00:00.000Z", evidence: ["last-beat 1970-01-01T00:30:00.000Z", "boot-changed"], n: 3, to: null };
  expect(redate(facts, dating)).toEqual({
    from: "1970-01-01T01:00:00.000Z",
    evidence: ["last-beat 1970-01-01T01:30:00.000Z", "boot-changed"],
    n: 3,
    to: null,
  });
});

describe("for every history of boots and steps", () => {
  const day = 24 * hour;
  const histories = fc
    .array(
      fc.record({
        downMs: fc.integer({ min: 1, max: day }),
        upMs: fc.integer({ min: 1_000, max: day }),
        offsetMs: fc.oneof(fc.constant(0), fc.integer({ min: -60 * day, max: 60 * day })),
        synced: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    )
    .map((list) => {
      let at = 1_000_000;
      return list.map(({ downMs, upMs, offsetMs, synced }) => {
        const fromAt = at + downMs;
        at = fromAt + upMs;
        return boot(fromAt, at, offsetMs, synced);
      });
    });

  test("order holds, a boot's durations stay, and what was written is found again", () => {
    fc.assert(
      fc.property(histories, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 20 }), (boots, shares) => {
        const dating = makeDating(boots);
        const [first, last] = [boots[0]?.fromAt ?? 0, boots.at(-1)?.toAt ?? 0];
        const times = shares.map((share) => Math.round(first + share * (last - first))).sort((a, b) => a - b);
        const dated = times.map(dating.toUtc);
        expect(dated).toEqual([...dated].sort((a, b) => a - b));
        for (const { fromAt, toAt } of boots) {
          expect(dating.toUtc(toAt) - dating.toUtc(fromAt)).toBe(toAt - fromAt);
          for (const at of [fromAt, Math.round((fromAt + toAt) / 2)])
            expect(dating.toUtc(dating.fromUtc(dating.toUtc(at)))).toBe(dating.toUtc(at));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
