/** The gate to the footage disk: open while the right disk takes data. Closed, nobody writes; it opens by itself when the disk is cured. */

import type { Clock, DiskReading, Footage } from "../hal/ports.ts";
import { settle } from "./core/condition.ts";
import type { Condition, DiskValue } from "./core/types.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Store } from "./store/store.ts";

export type Gate = {
  value(): DiskValue;
  /** Was the disk looked at yet? Before that its value is no finding. */
  isKnown(): boolean;
  reading(): DiskReading;
  /** Resolves when the disk takes data, or when `signal` aborts. */
  open(signal: AbortSignal): Promise<void>;
  /** Aborts when the gate closes. */
  closing(): AbortSignal;
  /** A writer met trouble: look now. */
  suspect(): void;
};

const lookEveryMs = 2_000;
const probeEveryMs = 60_000;
/** A disk that wakes up takes ten seconds; one that has not answered by now hangs. */
const answerMs = 30_000;
const hung: DiskReading = { value: "failing", freeBytes: 0, totalBytes: 0, detail: "does not answer" };
/** A disk that was full must have this much room before it is written to again. */
const roomAgainBytes = 16 << 20;

type Deps = {
  readonly site: string;
  readonly clock: Clock;
  readonly time: Time;
  readonly footage: Footage;
  readonly store: Pick<Store, "commit" | "conditions" | "meta">;
  readonly log: Log;
};

/** Makes the gate and its loop. The loop ends with `signal`. */
export function makeGate(deps: Deps): { readonly gate: Gate; readonly watch: (signal: AbortSignal) => Promise<void> } {
  let reading: DiskReading = { value: "missing", freeBytes: 0, totalBytes: 0, detail: "not looked at yet" };
  let closing = new AbortController();
  closing.abort();
  let opened = makeBell();
  let nudge = new AbortController();
  let probedMonoMs = Number.NEGATIVE_INFINITY;
  const known = deps.store.conditions().find((row) => row.subject === "disk");
  let condition: Condition | null = known ?? null;
  let isKnown = false;
  const patiently = makePatience(deps.clock);

  const look = async () => {
    const due = nudge.signal.aborted || reading.value !== "ok" || deps.clock.monoMs() - probedMonoMs >= probeEveryMs;
    nudge = new AbortController();
    const next = await patiently(() => examine(deps, reading.value, due));
    if (due) probedMonoMs = deps.clock.monoMs();
    const changed = next.value !== reading.value;
    reading = next;
    isKnown = true;
    const settled = settle("disk", condition, next.value, next.detail === "" ? [] : [next.detail], deps.time.moment(), ["ok"]);
    condition = settled.condition;
    if (settled.change.length > 0) {
      deps.store.commit(settled.change);
      deps.log[next.value === "ok" ? "info" : "error"]({ disk: next.value, detail: next.detail }, adviceFor(next.value));
    }
    if (!changed) return;
    if (next.value !== "ok") return closing.abort();
    closing = new AbortController();
    opened.ring();
    opened = makeBell();
  };

  return {
    gate: {
      value: () => reading.value,
      isKnown: () => isKnown,
      reading: () => reading,
      open: async (signal) => {
        while (reading.value !== "ok" && !signal.aborted) await opened.heard(signal);
      },
      closing: () => closing.signal,
      suspect: () => nudge.abort(),
    },
    watch: async (signal) => {
      while (!signal.aborted) {
        await look();
        await waitNudged(deps.clock, lookEveryMs, nudge.signal, signal);
      }
      closing.abort();
    },
  };
}

/** A question to a disk that hangs would hang too. While it does none is asked beside it: each would hold a thread. */
function makePatience(clock: Clock): (ask: () => Promise<DiskReading>) => Promise<DiskReading> {
  let asked: Promise<DiskReading> | null = null;
  return async (ask) => {
    asked ??= ask().finally(() => {
      asked = null;
    });
    const answered = new AbortController();
    try {
      return await Promise.race([asked, clock.sleep(answerMs, answered.signal).then(() => hung)]);
    } finally {
      answered.abort();
    }
  };
}

async function examine(deps: Deps, before: DiskValue, probe: boolean): Promise<DiskReading> {
  const folder = deps.store.meta("folder");
  const inspected = await deps.footage.inspect(folder);
  // A folder that was never ours and carries another site's mark is that site's.
  const mark = folder === null && inspected.value === "ok" ? await deps.footage.readMark().catch(() => null) : null;
  const seen: DiskReading =
    mark === null || mark.site === deps.site ? inspected : { ...inspected, value: "other-disk", detail: `marked for ${mark.site}` };
  if (seen.value !== "ok" && seen.value !== "full") return seen;
  if (before === "full" && seen.freeBytes < roomAgainBytes) return { ...seen, value: "full" };
  if (seen.value === "full" || !probe) return seen;
  const value = await deps.footage.probe();
  return value === "ok" ? seen : { ...seen, value, detail: "a test write failed" };
}

/** What the log says beside the value; English, for the technician. */
function adviceFor(value: DiskValue): string {
  const advice: Record<DiskValue, string> = {
    ok: "the footage disk takes data",
    unmounted: "the footage folder carries no mark: mount its disk, or take a new one into service with `matghi adopt-disk`",
    "other-disk": "the footage folder is another disk's: mount the right one, or run `matghi adopt-disk`",
    "read-only": "the footage disk is read-only: check it, then remount it",
    full: "the footage disk is full: make room on it",
    failing: "the footage disk does not take data: check cable and disk",
    missing: "the footage folder is not there: mount its disk",
  };
  return advice[value];
}

/** Waits for `ms`, for a nudge or for the end, whichever is first. */
async function waitNudged(clock: Clock, ms: number, nudge: AbortSignal, signal: AbortSignal): Promise<void> {
  const either = new AbortController();
  const ring = () => either.abort();
  signal.addEventListener("abort", ring, { once: true });
  nudge.addEventListener("abort", ring, { once: true });
  if (signal.aborted || nudge.aborted) ring();
  await clock.sleep(ms, either.signal);
  signal.removeEventListener("abort", ring);
  nudge.removeEventListener("abort", ring);
}

/** Something many can wait for and that happens once. */
function makeBell(): { ring(): void; heard(signal: AbortSignal): Promise<void> } {
  const rung = new AbortController();
  return {
    ring: () => rung.abort(),
    heard: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted || rung.signal.aborted) return resolve();
        const done = () => {
          signal.removeEventListener("abort", done);
          rung.signal.removeEventListener("abort", done);
          resolve();
        };
        signal.addEventListener("abort", done);
        rung.signal.addEventListener("abort", done);
      }),
  };
}
