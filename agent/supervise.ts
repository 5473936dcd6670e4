/** Runs work until aborted: it fails, the reason is said once, a wait, again. The only retry loop of the agent. */
import type { Clock } from "../hal/ports.ts";
import type { MonoMs } from "./core/types.ts";
import type { Log } from "./log.ts";

/** How one go of the work ended. Failure is a value; `again: "at once"` where the next go will be different. */
export type Outcome =
  | { readonly kind: "stopped" }
  /** It made way for another kind of go, of its own accord: that begins at once. */
  | { readonly kind: "turned" }
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly detail: string;
      readonly goodForMs: number;
      /** When it failed, where that was not just now: clearing away since then is part of the wait. */
      readonly endedMonoMs?: MonoMs;
      readonly again: "wait" | "at once";
    };

export type Supervised = {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly work: (signal: AbortSignal) => Promise<Outcome>;
  /** How long to wait after the `failures`-th failure in a row. */
  readonly waitMs: (failures: number) => number;
  /** Work that was good for this long starts the count over. */
  readonly wellAfterMs: number;
  /** Is told each wait, in milliseconds, before it begins. */
  readonly onWait?: (ms: number) => void;
  /** Looks around before a wait's length is chosen. */
  readonly before?: (signal: AbortSignal) => Promise<void>;
  /** May end a wait early by resolving with true. */
  readonly hurry?: (signal: AbortSignal) => Promise<boolean>;
  readonly signal: AbortSignal;
};

/** Resolves once `signal` has aborted. */
export const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));

/** Resolves when `signal` has aborted and the work has ended. Never rejects: an exception of the work is a failure like any other. */
export async function supervise(task: Supervised): Promise<void> {
  let failures = 0;
  let said = "";
  while (!task.signal.aborted) {
    const outcome = await attempt(task);
    if (outcome.kind === "stopped") {
      if (task.signal.aborted) return;
      task.onWait?.(task.waitMs(1));
      await task.clock.sleep(task.waitMs(1), task.signal);
      continue;
    }
    if (outcome.kind === "turned") {
      failures = 0;
      continue;
    }
    if (outcome.goodForMs >= task.wellAfterMs) {
      if (failures > 1) task.log.info({ task: task.name, failures }, "was well again in between");
      failures = 0;
      said = "";
    }
    failures += 1;
    if (outcome.reason !== said)
      task.log.warn({ task: task.name, reason: outcome.reason, detail: outcome.detail, failures }, "failed; trying again");
    said = outcome.reason;
    if (outcome.again === "at once") continue;
    await task.before?.(task.signal);
    const now = task.clock.monoMs();
    // Whoever was heard to return is met with the short waits again: it may still be starting up.
    if (await pause(task, Math.max(0, task.waitMs(failures) - (now - (outcome.endedMonoMs ?? now))))) failures = 0;
  }
}

async function attempt(task: Supervised): Promise<Outcome> {
  const began = task.clock.monoMs();
  try {
    return await task.work(task.signal);
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: "failed", reason: "exception", detail, goodForMs: task.clock.monoMs() - began, again: "wait" };
  }
}

/** The wait, which `hurry` may cut short; did it? Ends both before it returns. */
async function pause(task: Supervised, ms: number): Promise<boolean> {
  task.onWait?.(ms);
  const over = new AbortController();
  const end = () => over.abort();
  task.signal.addEventListener("abort", end, { once: true });
  if (task.signal.aborted) end();
  const hurried = task
    .hurry?.(over.signal)
    .then((early) => {
      if (early) end();
      return early;
    })
    .catch(() => false);
  await task.clock.sleep(ms, over.signal);
  end();
  const early = await hurried;
  task.signal.removeEventListener("abort", end);
  return early ?? false;
}
