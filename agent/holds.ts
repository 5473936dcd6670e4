/** Holds under a clock that was wrong. */
import type { Change } from "./core/change.ts";
import type { Dating } from "./core/dating.ts";
import type { WallMs } from "./core/types.ts";
import type { Store } from "./store/store.ts";

/** Footage is held by the time that was meant; where times read otherwise now, what was held before stays so too. */
export function widenHolds(store: Pick<Store, "holds" | "commit">, dating: Dating): void {
  const change: Change = store.holds().flatMap(({ id, fromUtc, toUtc, fromAt, toAt }) => {
    const now = { fromAt: dating.fromUtc(fromUtc), toAt: dating.fromUtc(toUtc) };
    return now.fromAt < fromAt || now.toAt > toAt ? [{ put: "hold-widened", hold: id, ...now } as const] : [];
  });
  if (change.length > 0) store.commit(change);
}

/** How the request of a hold begins that an export keeps for as long as it lasts. */
export const exportMark = "export: ";

/** Lifts what exports hold of which none runs: their end was written into a database that was left. */
export function liftExports(store: Pick<Store, "holds" | "commit">, at: WallMs): void {
  const left = store.holds().filter(({ request }) => request.startsWith(exportMark));
  if (left.length > 0) store.commit(left.map(({ id }) => ({ put: "hold-lifted", hold: id, at }) as const));
}
