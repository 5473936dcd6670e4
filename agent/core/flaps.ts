/**
 * What counts as one interruption. Rows of the ledger stay as they are; only counts and alarms are made by this rule:
 *
 * 1. *Loss*: time without footage; stretches that adjoin are one loss, whatever their causes.
 * 2. *Flap*: a loss shorter than 60 s. Each is counted, always.
 * 3. *Interruption*: losses of one cause that follow each other with less than 60 s in between. A return shorter than
 *    60 s is no return, as a loss shorter than 60 s is no interruption.
 * 4. An interruption *counts* when the time lost in it adds up to 60 s or more, so that no count stands for less than
 *    a minute of missing footage. Flaps that never add up to that stand in the count of flaps and in the milliseconds.
 *
 * So 200 flaps of 2 s in an hour are one interruption and 200 flaps; one flap of 2 s is one flap.
 */
import type { Cause, Span } from "./types.ts";

/** A loss shorter than this is a flap; an interruption counts from here (requirement G-02). */
export const flapMs = 60_000;
/** A return shorter than this does not end an interruption. */
export const returnMs = 60_000;

/** A stretch without footage, of one camera. */
export type Loss = Span & { readonly cause: Cause };

/** Losses that belong together. `toAt − fromAt` holds the short returns too, `lostMs` does not. */
export type Interruption<L extends Loss = Loss> = Loss & { readonly lostMs: number; readonly losses: readonly L[] };

/** Merges one camera's losses, which are in order and do not overlap. In order of their begins; no millisecond is added or left out. */
export function interruptionsOf<L extends Loss>(losses: readonly L[]): readonly Interruption<L>[] {
  const found: Interruption<L>[] = [];
  const lastOf = new Map<Cause, number>();
  for (const loss of losses) {
    const place = lastOf.get(loss.cause);
    const before = place === undefined ? undefined : found[place];
    if (place !== undefined && before !== undefined && loss.fromAt - before.toAt < returnMs) found[place] = join(before, loss);
    else lastOf.set(loss.cause, found.push(begin(loss)) - 1);
  }
  return found;
}

const begin = <L extends Loss>(loss: L): Interruption<L> => {
  const { fromAt, toAt, cause } = loss;
  return { fromAt, toAt, cause, lostMs: toAt - fromAt, losses: [loss] };
};

/** Appends in place: an hour of flaps would copy its list two hundred times. */
function join<L extends Loss>(before: Interruption<L>, loss: L): Interruption<L> {
  (before.losses as L[]).push(loss);
  const { fromAt, cause, lostMs, losses } = before;
  return { fromAt, toAt: loss.toAt, cause, lostMs: lostMs + loss.toAt - loss.fromAt, losses };
}

/** Does it stand in `gaps`? */
export const counts = (interruption: Interruption): boolean => interruption.lostMs >= flapMs;

/** How many flaps there are among one camera's losses, which are in order and do not overlap. */
export function flapsOf(losses: readonly Span[]): number {
  let flaps = 0;
  let begunAt = Number.NaN;
  for (const [i, loss] of losses.entries()) {
    if (losses[i - 1]?.toAt !== loss.fromAt) begunAt = loss.fromAt;
    if (losses[i + 1]?.fromAt !== loss.toAt && loss.toAt - begunAt < flapMs) flaps += 1;
  }
  return flaps;
}
