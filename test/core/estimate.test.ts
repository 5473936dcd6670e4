/** What an officer is told of how long it takes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { leftMs, wholeMs } from "../../agent/core/estimate.ts";

const bytes = fc.integer({ min: 1, max: 1e12 });
const share = fc.double({ min: 0, max: 1, noNaN: true });

test("before the start: never under five seconds, longer for more and for a slower medium", () => {
  fc.assert(
    fc.property(bytes, bytes, fc.integer({ min: 1, max: 1e9 }), (a, b, speed) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)];
      expect(wholeMs(less, speed)).toBeGreaterThanOrEqual(5_000);
      expect(wholeMs(more, speed)).toBeGreaterThanOrEqual(wholeMs(less, speed));
      expect(wholeMs(less, speed)).toBeGreaterThanOrEqual(wholeMs(less, speed * 2));
    }),
  );
});

test("while it runs: never negative nor without end, whatever was done", () => {
  fc.assert(
    fc.property(bytes, share, share, fc.double({ min: 0, max: 1e9, noNaN: true }), (all, copied, viewed, elapsedMs) => {
      const left = leftMs({ bytes: copied * all, viewedBytes: viewed * copied * all }, all, elapsedMs);
      if (left === null) return;
      expect(Number.isNaN(left)).toBe(false);
      expect(left).toBeGreaterThanOrEqual(0);
    }),
  );
  expect(leftMs({ bytes: 0, viewedBytes: 0 }, 100, 1_000)).toBeNull();
  expect(leftMs({ bytes: 0, viewedBytes: 0 }, 0, 1_000)).toBeNull();
});

test("at an even pace it is right from the first file on, and draws nearer to the end with each", () => {
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1_000, max: 1e8 }), fc.integer({ min: 2, max: 50 }), (all, takesMs, steps) => {
      const at = (n: number) => {
        // Copies first, then viewing copies, as one camera does.
        const work = ((2 * n) / steps) * all;
        const done = { bytes: Math.min(all, work), viewedBytes: Math.max(0, work - all) };
        const elapsedMs = (takesMs * work) / (2.5 * all);
        return { left: leftMs(done, all, elapsedMs) ?? Number.NaN, truth: takesMs - elapsedMs };
      };
      for (let n = 1; n <= steps; n += 1) {
        const { left, truth } = at(n);
        expect(Math.abs(left - truth)).toBeLessThanOrEqual(takesMs * 1e-6);
        if (n > 1) expect(left).toBeLessThan(at(n - 1).left);
      }
    }),
  );
});
