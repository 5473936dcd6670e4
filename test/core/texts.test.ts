/** Times, names, messages and words. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDuration, parseInstant, parseSize } from "../../agent/config/units.ts";
import { plainDating } from "../../agent/core/dating.ts";
import { commandOf, envelopeOf, eventMessage, stateMessage } from "../../agent/core/message.ts";
import { segmentPath, startOfPath } from "../../agent/core/path.ts";
import { breaksLine, joinedLine, onOneLine } from "../../agent/core/text.ts";
import { parseSpokenTime, parseTime, vietnamTime } from "../../agent/core/time.ts";
import type { EventRow } from "../../agent/core/types.ts";
import { bytesText, fill, wordsIn } from "../../agent/core/words.ts";

const nowAt = Date.parse("2026-11-24T10:00:00Z");

test("what a system says on several lines is joined, what people wrote keeps its place, and no sign breaks the line", () => {
  const said = "Command failed: nft -f -\n  Error: syntax error\r\n\nadd rule\u001b[2J\n";
  expect(joinedLine(said)).toBe("Command failed: nft -f -; Error: syntax error; add rule\ufffd[2J");
  expect(onOneLine("an\ndai")).toBe("an\ufffddai");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !breaksLine(joinedLine(text)) && !breaksLine(onOneLine(text))));
});

describe("times", () => {
  test("people read Vietnamese time", () => {
    expect(vietnamTime(Date.parse("2026-01-04T18:05:07Z"))).toBe("01:05:07 05/01/2026");
  });

  test.each([
    ["2026-11-24T14:05", "2026-11-24T07:05:00Z"],
    ["2026-11-24T14:05:06", "2026-11-24T07:05:06Z"],
    ["14:05", "2026-11-24T07:05:00Z"],
    ["00:00", "2026-11-23T17:00:00Z"],
    ["2026-11-24", "2026-11-23T17:00:00Z"],
    ["2026-11-24T07:05:00.500Z", "2026-11-24T07:05:00.500Z"],
    ["2026-11-24T14:05:00+07:00", "2026-11-24T07:05:00Z"],
  ])("%s is a time", (text, iso) => {
    expect(parseTime(text, nowAt)).toBe(Date.parse(iso));
  });

  test.each(["", "now", "25:00", "14:60", "2026-13-01", "2026-11-24 14:05", "24/11/2026", "1", "2026-11-24T14:05:00+7"])(
    "%s is none",
    (text) => {
      expect(parseTime(text, nowAt)).toBeNull();
    },
  );

  test.each([
    ["20:05 24/11/2026", "2026-11-24T13:05:00Z"],
    ["24/11/2026 20:05:30", "2026-11-24T13:05:30Z"],
    ["20h05 ngày 24/11", "2026-11-24T13:05:00Z"],
    ["lúc 8 giờ 5 phút 3/1/2026", null],
    ["8 giờ 05 phút 3/1/2026", "2026-01-03T01:05:00Z"],
    ["8g 24/11/2026", "2026-11-24T01:00:00Z"],
    ["14:05", "2026-11-24T07:05:00Z"],
    ["2026-11-24T14:05", "2026-11-24T07:05:00Z"],
    ["14:05 31/02/2026", null],
    ["25:05 24/11/2026", null],
    ["hôm qua 20:05", null],
    ["24/11/2026", null],
  ])("a person who types %s means it", (text, iso) => {
    expect(parseSpokenTime(text, nowAt)).toBe(iso === null ? null : Date.parse(iso));
  });

  test("no text makes the parsers throw", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [
          parseDuration,
          parseSize,
          parseInstant,
          (t: string) => parseTime(t, nowAt),
          (t: string) => parseSpokenTime(t, nowAt),
        ]) {
          const value = parse(text);
          expect(value === null || Number.isFinite(value)).toBe(true);
        }
      }),
    );
  });
});

describe("units", () => {
  test.each([
    ["60s", 60_000],
    ["500ms", 500],
    ["10min", 600_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
    ["1.5s", 1_500],
    ["60", null],
    ["60 s", null],
    ["-1s", null],
    ["1e3s", null],
    ["s", null],
  ])("duration %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
  test.each([
    ["400GB", 400e9],
    ["5 GB", 5e9],
    ["64KiB", 65_536],
    ["0B", 0],
    ["1.5TB", 1.5e12],
    ["400", null],
    ["400gb", null],
    ["GB", null],
  ])("size %s", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
  test.each([
    ["2026-01-05", "2026-01-04T17:00:00Z"],
    ["2026-02-01T06:00+07:00", "2026-01-31T23:00:00Z"],
    ["2026-02-30", null],
    ["2026-02-01T06:00", null],
  ])("instant %s", (text, iso) => {
    expect(parseInstant(text)).toBe(iso === null ? null : Date.parse(iso));
  });
});

describe("names of files", () => {
  test("the start stands in the name, to the second, whatever the camera", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.nat(1e6), fc.nat(1e6), (startAt, run, number) => {
        expect(startOfPath(segmentPath({ camera: "ql1a-01", startAt, run, number, namedMs: 0 }))).toBe(Math.floor(startAt / 1000) * 1000);
      }),
    );
    expect(segmentPath({ camera: "ql1a-01", startAt: nowAt, run: 3, number: 14, namedMs: 0 })).toBe("ql1a-01/2026-11-24/100000-3-14.mkv");
    const behind = { camera: "ql1a-01", startAt: nowAt - 7_200_000, run: 3, number: 14, namedMs: 7_200_000 };
    expect(segmentPath(behind)).toBe("ql1a-01/2026-11-24/100000-3-14.mkv");
  });
  test.each(["", "a/b.mkv", "c/2026-11-24/x-1-1.mkv", "c/2026-11-24/100000-1-1.mkv.part"])("%s is no footage", (path) => {
    expect(startOfPath(path)).toBeNull();
  });
});

describe("messages", () => {
  const address = { commune: "nghia-phuong", site: "an-dai-1" };
  const row: EventRow = {
    ...{ g: 7, boot: "b.1", seq: 3, at: nowAt, clock: "synced", monoMs: 5, type: "gap.closed", level: "info", data: { camera: "c" } },
  };

  test("an event's envelope has every field of the contract and says when it is late", () => {
    expect(envelopeOf("an-dai-1", "db1", row, nowAt, plainDating)).toEqual({
      ...{ v: 1, id: "b.1-3", site: "an-dai-1", db: "db1", g: 7, boot: "b.1", seq: 3, at: "2026-11-24T10:00:00.000Z" },
      ...{ clock: "synced", monoMs: 5, type: "gap.closed", level: "info", late: false, data: { camera: "c" } },
    });
    expect(envelopeOf("an-dai-1", "db1", row, nowAt + 60_001, plainDating).late).toBe(true);
    expect(eventMessage(address, "db1", row, nowAt, plainDating).topic).toBe("matghi/v1/nghia-phuong/from/an-dai-1/event");
  });

  test("the will has no expiry, other states have", () => {
    expect(stateMessage(address, "lost", "b.1", 1, nowAt).expirySeconds).toBeNull();
    expect(stateMessage(address, "online", "b.1", 1, nowAt).expirySeconds).toBe(180);
  });

  test.each([
    ["matghi/v1/nghia-phuong/to/an-dai-1/command/ping", "ping"],
    ["matghi/v1/nghia-phuong/to/an-dai-2/command/ping", null],
    ["matghi/v1/nghia-phuong/to/an-dai-1/ack", null],
  ])("%s", (topic, command) => {
    expect(commandOf(address, topic)).toBe(command);
  });
});

describe("words", () => {
  const flatten = (value: object, path = ""): [string, string][] =>
    Object.entries(value).flatMap(([key, inner]) =>
      typeof inner === "string" ? [[`${path}${key}`, inner] as [string, string]] : flatten(inner as object, `${path}${key}.`),
    );
  const vi = flatten(wordsIn("vi"));
  const en = new Map(flatten(wordsIn("en")));

  test("both languages say the same things with the same facts", () => {
    expect(vi.map(([key]) => key)).toEqual([...en.keys()]);
    const facts = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
    for (const [key, text] of vi) expect(facts(en.get(key) ?? ""), key).toEqual(facts(text));
  });

  test("nobody is asked with a phrase of advertising, and nothing is left in the other language", () => {
    for (const [key, text] of vi) expect(text, key).not.toMatch(/vui lòng/i);
    for (const [key, text] of en) expect(text, key).not.toMatch(/[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]/);
  });

  test("facts fill sentences; sizes have the language's comma", () => {
    expect(fill("{a} và {b}{c}", { a: 1, b: "hai" })).toBe("1 và hai");
    expect(bytesText(1_234_000_000, "vi")).toBe("1,2 GB");
    expect(bytesText(1_234_000_000, "en")).toBe("1.2 GB");
    expect(bytesText(5_000_000, "en")).toBe("5 MB");
    expect([1, 28_400, 999_999].map((bytes) => bytesText(bytes, "vi"))).toEqual(["1 kB", "29 kB", "1000 kB"]);
    expect(bytesText(0, "vi")).toBe("0 MB");
  });
});
