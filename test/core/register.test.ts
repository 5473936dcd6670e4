/** The register's rules: what counts as one request, when an answer is due, who may view. */
import { describe, expect, test } from "vitest";
import { receiptHtml } from "../../agent/core/receipt.ts";
import { countsOf, dueOf, type Entry, type Outcome, requestsOf, requestsOn, type Viewer, viewersIn } from "../../agent/core/register.ts";

const at = Date.parse("2026-11-24T03:00:00Z");
const asked = (id: number, request: string, outcome: Outcome, more: object = {}): Entry => ({
  ...{ id, at, request, officer: "A" },
  facts: {
    ...{ kind: outcome === "no" ? "refusal" : "export", agency: null, case: "khac", cameras: ["a"], from: null, to: null, outcome },
    ...{ why: null, manifestSha256: null, ...more },
  } as Entry["facts"],
});

describe("requests", () => {
  test("one paper is one request however it is typed and however many commands it took; in full only where all of it was", () => {
    const entries = [
      asked(1, "CV 12/2026", "yes", { case: "tngt" }),
      asked(2, " cv 12/2026", "yes", { cameras: ["b"] }),
      asked(3, "CV Đề nghị 13".normalize("NFD"), "yes"),
      asked(4, "CV Đề nghị 13".normalize("NFC"), "no", { case: "xo-xat" }),
      asked(5, "CV 14", "no", { case: "tngt" }),
    ];
    expect(requestsOf(entries)).toEqual([
      { case: "tngt", outcome: "yes" },
      { case: "xo-xat", outcome: "partial" },
      { case: "tngt", outcome: "no" },
    ]);
    expect(countsOf(requestsOf(entries))).toEqual({ tngt: { yes: 1, no: 1 }, "xo-xat": { partial: 1 } });
    expect(countsOf([])).toEqual({});
  });

  test("each stands on one camera's page alone, so that pages add up to all of them", () => {
    const entries = [
      asked(1, "CV 1", "yes", { case: "tngt", cameras: ["b", "a"] }),
      asked(2, "CV 1", "yes", { case: "tngt", cameras: ["a"] }),
      asked(3, "CV 2", "no", { cameras: ["gone", "b"] }),
      asked(4, "CV 3", "no", { cameras: [] }),
      asked(5, "CV 4", "no", { cameras: ["gone"] }),
    ];
    const on = (camera: string) => requestsOn(entries, camera, ["a", "b"]);
    expect(on("b")).toEqual([
      { case: "tngt", outcome: "yes" },
      { case: "khac", outcome: "no" },
    ]);
    expect(on("a")).toHaveLength(2);
    expect(on("gone")).toEqual([]);
    expect([...on("a"), ...on("b")]).toHaveLength(requestsOf(entries).length);
  });

  test("files that were handed in and people's own requests are no extractions", () => {
    const subject: Entry = { id: 1, at, request: "x", officer: "A", facts: { kind: "subject", dueAt: at, answeredAt: null, answer: null } };
    expect(requestsOf([subject])).toEqual([]);
    expect(requestsOn([subject], "a", ["a"])).toEqual([]);
  });
});

test.each([
  ["a Tuesday", "2026-11-24T08:00+07:00", "2026-11-27T00:00+07:00"],
  ["a Friday: Tuesday", "2026-11-27T16:59+07:00", "2026-12-02T00:00+07:00"],
  ["a Friday night, already Saturday in UTC+7", "2026-11-28T00:01+07:00", "2026-12-02T00:00+07:00"],
  ["a Sunday", "2026-11-29T10:00+07:00", "2026-12-02T00:00+07:00"],
  ["a Thursday: over the weekend", "2026-11-26T10:00+07:00", "2026-12-01T00:00+07:00"],
])("what comes on %s is due in two working days", (_, from, due) => {
  expect(new Date(dueOf(Date.parse(from), 2)).toISOString()).toBe(new Date(due).toISOString());
});

test("who may view at the end of a period, and who came and went in it", () => {
  const viewer = (id: number, role: Viewer["role"], fromAt: number, toAt: number | null): Viewer => ({
    ...{ id, who: `p${id}`, role, cameras: [], request: null, officer: "A", fromAt, toAt },
  });
  const all = [viewer(1, "cong-an", 0, null), viewer(2, "cong-an", 15, null), viewer(3, "to-bao-ve", 5, 15), viewer(4, "khac", 25, null)];
  expect(viewersIn(all, { fromAt: 10, toAt: 20 })).toEqual({
    ...{ isKept: true, byRole: { "cong-an": 2, "to-bao-ve": 0, "ho-dan": 0, khac: 0 }, added: 1, removed: 1 },
  });
});

test("the receipt holds every fact as text, in both languages", () => {
  const odd = `../x "'<b>&amp;</b>`;
  const intake = { kind: "intake", source: "ho-07", device: null, clockError: odd, file: odd, bytes: 7, sha256: "ab".repeat(32) } as const;
  for (const language of ["vi", "en"] as const) {
    const html = receiptHtml({ id: 3, at, request: odd, officer: odd, facts: intake }, intake, { unit: odd, site: odd }, language);
    expect(html).toContain("ab".repeat(32));
    expect(html).toContain("10:00:00 24/11/2026");
    expect(html).not.toMatch(/<b>|undefined|null|NaN|src=|href=|<script/);
  }
});
