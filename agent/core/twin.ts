/** Two boxes with one identity (a copied memory card) end each other's sessions again and again. Pure. */
import type { WallMs } from "./types.ts";

/** Once may be the station's own doing, when it ends a session. */
const takeoversOfTwins = 3;
const withinMs = 3_600_000;

/** Moments at which another client came with our name, with one more; only as many as are needed to judge. */
export const withTakeover = (before: readonly WallMs[], at: WallMs): readonly WallMs[] => [...before, at].slice(-takeoversOfTwins);

/** When the other one was felt last; null: there is none, or it has been quiet for an hour. */
export function twinFeltAt(takeovers: readonly WallMs[], nowAt: WallMs): WallMs | null {
  const [first, last] = [takeovers.at(-takeoversOfTwins), takeovers.at(-1)];
  return first === undefined || last === undefined || nowAt - first > withinMs ? null : last;
}
