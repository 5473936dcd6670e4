/** The only retry loop, on a scripted clock. */
import { expect, test } from "vitest";
import type { Log } from "../../agent/log.ts";
import { type Outcome, supervise } from "../../agent/supervise.ts";
import { scriptClock } from "../../hal/script.ts";

const failed = (reason: string, more: { goodForMs?: number; again?: "wait" | "at once" } = {}): Outcome => ({
  ...{ kind: "failed", reason, detail: "", goodForMs: more.goodForMs ?? 0, again: more.again ?? "wait" },
});

/** Runs the loop over some outcomes; `startedMs` are the times at which each go began. */
function run(outcomes: readonly (Outcome | Error)[], hurry?: () => Promise<boolean>) {
  const clock = scriptClock(0);
  const stop = new AbortController();
  const said: string[] = [];
  const startedMs: number[] = [];
  const note = (facts: object) => void said.push(String((facts as { reason?: string }).reason));
  const log: Log = { info: () => undefined, warn: note, error: note };
  const done = supervise({
    ...{ name: "test", clock, log, wellAfterMs: 5_000, signal: stop.signal, waitMs: (failures: number) => failures * 1_000 },
    ...(hurry === undefined ? {} : { hurry }),
    work: async (signal) => {
      startedMs.push(clock.monoMs());
      const outcome = outcomes[startedMs.length - 1];
      if (outcome instanceof Error) throw outcome;
      if (outcome !== undefined) return outcome;
      await clock.sleep(3_600_000, signal);
      return { kind: "stopped" };
    },
  });
  return { clock, stop, said, startedMs, done };
}

test("waits grow with failures in a row and start over after a good while", async () => {
  const { clock, stop, startedMs, done } = run([failed("a"), failed("a"), failed("a", { goodForMs: 5_000 }), failed("a")]);
  await clock.advance(20_000);
  expect(startedMs).toEqual([0, 1_000, 3_000, 4_000, 6_000]);
  stop.abort();
  await done;
});

test("a reason is said once until it changes or things were well in between", async () => {
  const { clock, stop, said, done } = run([failed("a"), failed("a"), failed("b"), failed("b", { goodForMs: 9_000 }), failed("b")]);
  await clock.advance(60_000);
  expect(said).toEqual(["a", "b", "b"]);
  stop.abort();
  await done;
});

test("an exception is a failure like any other", async () => {
  const { clock, stop, said, startedMs, done } = run([new Error("boom")]);
  await clock.advance(5_000);
  expect(said).toEqual(["exception"]);
  expect(startedMs).toEqual([0, 1_000]);
  stop.abort();
  await done;
});

test("what will be different next time is tried at once", async () => {
  const { clock, stop, startedMs, done } = run([failed("a", { again: "at once" })]);
  await clock.advance(10);
  expect(startedMs).toEqual([0, 0]);
  stop.abort();
  await done;
});

test("a wait may be cut short", async () => {
  const { clock, stop, startedMs, done } = run([failed("a")], async () => true);
  await clock.advance(10);
  expect(startedMs).toEqual([0, 0]);
  stop.abort();
  await done;
});

test.each([0, 500, 60_000])("a stop after %i ms ends it, at work as in a wait", async (ms) => {
  const { clock, stop, done } = run([failed("a")]);
  await clock.advance(ms);
  stop.abort();
  await done;
});
