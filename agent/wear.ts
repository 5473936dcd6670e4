/** Once a minute: how the disks under footage and state age, by the kernel's counters and by the last look as root. */
import type { Clock, DiskFacts, Disks, Inspection, Inspections, Smart } from "../hal/ports.ts";
import type { MonoMs } from "./core/types.ts";
import { type Burden, judgeWear, type Wear, type WearReading, wearOf } from "./core/wear.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Store } from "./store/store.ts";

export type WearDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Pick<Store, "commit" | "meta">;
  readonly log: Log;
  readonly disks: Disks;
  readonly inspections: Inspections;
  readonly bootId: () => string;
  readonly folders: Readonly<Record<Burden, string>>;
};

const lookEveryMs = 60_000;
/** The timer's three rounds (systemd/matghi-inspect.timer), and a little. */
export const inspectionHoldsMs = 35 * 60_000;
/** A disk's question about itself costs a few failed commands on a USB bridge; so many within a minute are the disk's own. */
const manyErrors = 10;
const errorsHoldMs = 86_400_000;

/** Errors counted at the last look, and when they last came in great numbers. */
type Counted = { readonly ioErrors: number; readonly manyMonoMs: MonoMs };

/** Looks until `signal` aborts. What it finds stands in the store (`wear`), renewed when it changed. */
export async function watchWear(deps: WearDeps, signal: AbortSignal): Promise<void> {
  const counted = new Map<string, Counted>();
  while (!signal.aborted) {
    try {
      await lookAt(deps, counted);
    } catch (error) {
      deps.log.error({ err: String(error) }, "the disks' health could not be written down; they are looked at again");
    }
    await deps.clock.sleep(lookEveryMs, signal);
  }
}

async function lookAt(deps: WearDeps, counted: Map<string, Counted>): Promise<void> {
  const { store, time, clock } = deps;
  const told = await deps.inspections.read();
  const inspection = isFresh(told, deps.bootId(), clock.monoMs()) ? told : null;
  const supply = inspection?.throttled == null ? null : String(inspection.throttled);
  if (supply !== store.meta("supply")) store.commit([{ put: "note", note: "supply", text: supply }]);
  const known = store.meta("wear");
  const before = wearOf(known);
  const after: Wear[] = [];
  for (const [facts, holds] of await burdened(deps)) {
    const was = before.find(({ device }) => device === facts.device) ?? null;
    const smart = inspection?.disks.find(({ device }) => device === facts.device)?.smart;
    const isFailingCommands = countErrors(counted, facts, clock.monoMs());
    after.push(judgeWear({ ...readingOf(facts, smart), holds, isFailingCommands }, was, time.now()));
  }
  for (const { device, trouble } of after) {
    const was = before.find((disk) => disk.device === device)?.trouble ?? null;
    if (trouble !== was) deps.log[trouble === null ? "info" : "error"]({ device, trouble, was }, "the disk's own health changed");
  }
  const text = JSON.stringify(after);
  if (text !== known) store.commit([{ put: "note", note: "wear", text }]);
}

/** Each disk once, with all that lies on it. */
async function burdened({ disks, folders }: WearDeps): Promise<readonly (readonly [DiskFacts, readonly Burden[]])[]> {
  const found = new Map<string, { facts: DiskFacts; holds: Burden[] }>();
  for (const burden of ["footage", "state"] as const)
    for (const facts of await disks.under(folders[burden])) {
      const disk = found.get(facts.device);
      if (disk === undefined) found.set(facts.device, { facts, holds: [burden] });
      else {
        disk.holds.push(burden);
        // Each folder's own file system counts.
        disk.facts = { ...disk.facts, fileSystemErrors: most(disk.facts.fileSystemErrors, facts.fileSystemErrors) };
      }
    }
  return [...found.values()].map(({ facts, holds }) => [facts, holds] as const);
}

const most = (one: number | null, other: number | null) => (one === null || other === null ? (one ?? other) : Math.max(one, other));

/** Of this boot, and not older than a few rounds of the timer. */
export function isFresh(inspection: Inspection | null, boot: string, monoMs: MonoMs): boolean {
  return inspection !== null && inspection.boot === boot && monoMs - inspection.monoMs < inspectionHoldsMs;
}

function readingOf(facts: DiskFacts, smart: Smart | undefined): Omit<WearReading, "holds" | "isFailingCommands"> {
  const { device, spares, fileSystemErrors } = facts;
  const told = smart?.kind === "told" ? smart : null;
  return {
    ...{
      device,
      spares,
      fileSystemErrors,
      badSectors: told?.badSectors ?? null,
      wornPercent: facts.wornPercent ?? told?.wornPercent ?? null,
    },
    smart: told === null ? (smart?.kind === "unsupported" ? "unsupported" : "unknown") : told.passed ? "good" : "failing",
  };
}

/** Have commands failed in great numbers lately? The number itself says little: harmless ones are counted too. */
function countErrors(counted: Map<string, Counted>, { device, ioErrors }: DiskFacts, monoMs: MonoMs): boolean {
  if (ioErrors === null) return false;
  const last = counted.get(device) ?? { ioErrors, manyMonoMs: Number.NEGATIVE_INFINITY };
  const manyMonoMs = ioErrors - last.ioErrors >= manyErrors ? monoMs : last.manyMonoMs;
  counted.set(device, { ioErrors, manyMonoMs });
  return monoMs - manyMonoMs < errorsHoldMs;
}
