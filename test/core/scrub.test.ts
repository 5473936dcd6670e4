/** What must not leave the box goes out of texts, and what a developer needs stays. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scrub, scrubFacts, scrubLog } from "../../agent/core/scrub.ts";
import { tarEnd, tarHeader, tarPadding } from "../../agent/core/tar.ts";

describe("goes out", () => {
  test.each([
    ["gọi 0912 345 678 nhé", "gọi *** nhé"],
    ["+84 912345678", "***"],
    ["+84912345678", "***"],
    ["(+84) 912.345.678", "(***"],
    ["84912345678", "***"],
    ["0084 912 345 678", "***"],
    ["02363.123.456", "***"],
    ["(0236) 3123 456", "***"],
    ["0236-3-123-456", "***"],
    ["024 3825 7863", "***"],
    ["ĐT:0912345678,", "ĐT:***,"],
    ["sdt0912345678", "sdt***"],
    ["đt.0912.345.678.", "đt.***."],
    ["1900 1234", "***"],
    ["0 912 345 678", "***"],
    ["1.0912345678 2:0912 345 678", "1.*** 2:***"],
    ["rtsp://admin:hunter2@10.0.0.5:554/x", "rtsp://10.0.0.5:554/x"],
    ["GET /?user=a&password=hunter2&x=1", "GET /?user=a&password=***&x=1"],
    ["rtsp://10.0.0.2/user=admin_password=tlJwpbo6_channel=1", "rtsp://10.0.0.2/user=admin_password=***_channel=1"],
    ["login passwd=ab_cd refused", "login passwd=*** refused"],
    ["passwd=ab_cd", "passwd=***"],
    ["password=a/b;c,d&e_f, then", "password=***, then"],
    ["rtsp://10.0.0.2/user=admin_password=tl_Jwp_channel=1_stream=0", "rtsp://10.0.0.2/user=admin_password=***_channel=1_stream=0"],
    ['{"password":"hunter2"}', '{"password":"***"}'],
    ["Authorization: Basic YWRtaW46aHVudGVyMg==", "Authorization: Basic ***"],
    ["a -----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY----- b", "a *** b"],
    ["cut -----BEGIN EC PRIVATE KEY-----\nMC4CAQ", "cut ***"],
  ])("%s", (text, clean) => expect(scrub(text, [])).toBe(clean));

  test("any number, however it is written and wherever it stands", () => {
    const digit = fc.integer({ min: 0, max: 9 }).map(String);
    const gap = fc.constantFrom("", " ", ".", "-");
    const number = fc
      .tuple(
        fc.constantFrom("0", "+84", "+84 ", "84", "0084 "),
        fc.constantFrom("3", "5", "7", "8", "9"),
        fc.array(fc.tuple(gap, digit), { minLength: 8, maxLength: 8 }),
      )
      .map(([lead, first, rest]) => lead + first + rest.flat().join(""));
    const around = fc.constantFrom("", " ", ": ", "\n", '"', "(", "đt ", "số ");
    fc.assert(
      fc.property(around, number, around, (before, phone, after) => {
        const digits = phone.replace(/\D/g, "");
        expect(scrub(before + phone + after, []).replace(/\D/g, "")).not.toContain(digits.slice(-8));
      }),
    );
  });

  test("known secrets, as they stand, in JSON and in addresses; the longest first or last alike", () => {
    const secret = 'mật"khẩu/1';
    const forms = [secret, JSON.stringify(secret), encodeURIComponent(secret)];
    for (const form of forms) expect(scrub(`x ${form} y`, [secret])).not.toMatch(/khẩu|kh%E1/);
  });

  test("facts that people write, at any depth", () => {
    const facts = {
      hold: { camera: "a1", officer: "Nguyễn Văn A", request: "12/CV", bytes: 912_345_678 },
      list: [{ reason: "xong" }],
      name: null,
    };
    expect(scrubFacts(facts, [])).toEqual({
      hold: { camera: "a1", officer: "***", request: "***", bytes: 912_345_678 },
      list: [{ reason: "***" }],
      name: null,
    });
  });
});

describe("stays", () => {
  test.each([
    "2026-11-24T14:05:07.000Z",
    "0.312345 s",
    "load 0.52 0.58 0.59",
    "1764028800000",
    "an-dai-1 ho-03 ql1a-01",
    "192.168.1.20:554",
    "10.78.0.9",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "a0912345678bcdef0123",
    "3f2c0912-3456-78ab-9cde-0912345678ab",
    "MemTotal: 8024620 kB",
    "/etc/matghi/secrets/ql1a-01",
    "20261124-140507-17-3.mkv",
  ])("%s", (text) => expect(scrub(text, [])).toBe(text));
});

test("lines of a log: JSON keeps its numbers, everything else is text", () => {
  expect(scrubLog('{"bytes":84912345678,"msg":"gọi 0912345678"}', [])).toBe('{"bytes":84912345678,"msg":"gọi ***"}');
  expect(scrubLog('2026-11-24T14:05:07+0700 matghi[7]: {"officer":"A","n":1}', [])).toBe(
    '2026-11-24T14:05:07+0700 matghi[7]: {"officer":"***","n":1}',
  );
  expect(scrubLog("{ torn 0912345678", [])).toBe("{ torn ***");
  expect(scrubLog("a\n-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\nb", [])).toBe("a\n***\nb");
});

test("an archive's blocks: headers of 512 bytes with their sum, names that stay inside", () => {
  const header = tarHeader("a/b.txt", 5, 1_000);
  expect(header).toHaveLength(512);
  const sum = Number.parseInt(new TextDecoder().decode(header.slice(148, 154)), 8);
  expect(header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)).toBe(sum);
  expect([0, 5, 512, 513].map((bytes) => tarPadding(bytes).length)).toEqual([0, 507, 0, 511]);
  expect(tarEnd()).toHaveLength(1_024);
  for (const name of ["", "/etc/passwd", "a/../../b", "..", "a b", "ảnh", "x".repeat(101)]) expect(() => tarHeader(name, 0, 0)).toThrow();
});
