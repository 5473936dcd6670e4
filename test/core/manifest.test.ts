/** Which files become one viewing copy. */
import { describe, expect, test } from "vitest";
import { runsOf } from "../../agent/core/manifest.ts";

const file = (startAt: number, more: { readonly codec?: string | null; readonly stream?: "main" | "fallback" } = {}) => ({
  ...{ startAt, endAt: startAt + 10_000, codec: "h264", stream: "main" as const, ...more },
});

describe("viewing copies", () => {
  test.each([
    ["files that adjoin are one", [file(0), file(10_000), file(20_400)], [3]],
    ["a hole parts them", [file(0), file(10_501)], [1, 1]],
    ["another codec parts them", [file(0), file(10_000, { codec: "hevc" })], [1, 1]],
    ["another stream has another size", [file(0), file(10_000, { stream: "fallback" }), file(20_000, { stream: "fallback" })], [1, 2]],
  ] as const)("%s", (_, files, lengths) => {
    expect(runsOf(files).map((run) => run.length)).toEqual(lengths);
  });
});
