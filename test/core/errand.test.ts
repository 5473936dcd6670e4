/** What an officer's key may ask, and how fast it is given. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Errand, errandText, mostRefusals, nextRefusal, quoteOf, readErrand } from "../../agent/core/errand.ts";
import { parseRate, waitMs } from "../../agent/core/rate.ts";

const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((text) => /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u.test(text));
const asked: fc.Arbitrary<Errand> = fc.record({
  ...{ verb: fc.constant("export" as const), site: fc.constant("an-dai-1"), id: fc.constant("0123456789abcdef") },
  ...{
    camera: fc.constantFrom("cho", "cho,truong"),
    from: fc.constantFrom("14:05", "2026-11-24T14:05:00+07:00"),
    to: fc.constant("14:10"),
  },
  ...{ request: word, agency: word, officer: word, purpose: word },
});

test("what is asked is what is read, whatever a person's text holds, and it is one line of harmless letters", () => {
  fc.assert(
    fc.property(asked, (errand) => {
      const line = errandText(errand);
      expect(line).toMatch(/^[\w.~*+%=& -]+$/);
      expect(readErrand(line)).toEqual(errand);
    }),
  );
});

test("no other text is an errand: one mark more, and it asks for nothing", () => {
  fc.assert(
    fc.property(asked, fc.nat(), fc.constantFrom(";", "|", "$", "`", "\n", "'", "\\", "<", "/", " "), (errand, at, mark) => {
      const line = errandText(errand);
      const place = at % (line.length + 1);
      expect(readErrand(line.slice(0, place) + mark + line.slice(place))).toBeNull();
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(readErrand(text)).toBeNull();
    }),
  );
});

test.each([
  ["2Mbit", 250_000],
  ["512kbit", 64_000],
  ["0.5Mbit", 62_500],
  ["8kbit", 1_000],
  ["7kbit", null],
  ["2", null],
  ["2MB", null],
  ["-1Mbit", null],
])("%s is a rate of %s bytes a second", (text, rate) => expect(parseRate(text)).toBe(rate));

test("whatever pieces it goes in, it is never ahead of its rate after a wait, and never waits when it is behind", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 65_536 }), { maxLength: 50 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1_000, max: 10_000_000 }), fc.integer({ min: 0, max: 50 }), (pieces, rate, eachMs) => {
      let [sent, elapsedMs] = [0, 0];
      for (const bytes of pieces) {
        sent += bytes;
        elapsedMs += eachMs;
        const wait = waitMs(sent, elapsedMs, rate);
        expect(wait).toBeGreaterThanOrEqual(0);
        elapsedMs += wait;
        expect(sent).toBeLessThanOrEqual((elapsedMs / 1_000) * rate + 1);
      }
    }),
  );
});

const nowUtc = Date.parse("2026-11-24T03:20:00Z");
const refused = (count: number, key: string, agoMs: number) =>
  Array.from({ length: count }, () => ({ at: new Date(nowUtc - agoMs).toISOString(), what: "errand.refused" as const, data: { key } }));
test.each([
  ["the first", [], 1],
  ["the next", refused(3, "a1", 60_000), 4],
  ["the last", refused(mostRefusals - 1, "a1", 60_000), mostRefusals],
  ["one too many", refused(mostRefusals, "a1", 60_000), null],
  ["many of another key", refused(1_000, "b1", 60_000), 1],
  ["many of the day before", refused(1_000, "a1", 25 * 3_600_000), 1],
  ["many of a clock that was ahead", refused(1_000, "a1", -3_600_000), null],
] as const)("of a key's refusals %s stands in the audit as number %s", (_, entries, expected) => {
  expect(nextRefusal(entries, "a1", nowUtc)).toBe(expected);
});

test("what was asked is written down on one line, and never the whole of something long", () => {
  expect(quoteOf("cat /etc/passwd\n\u001b[31mx\u2028y")).toBe("cat /etc/passwd [31mx y");
  expect(quoteOf("x".repeat(100_000))).toHaveLength(200);
});
