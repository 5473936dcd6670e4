/** Footage that an officer wants deleted: may it go, and what goes. Pure; agent/erase.ts does it. */
import { type Toll, tollOf } from "./toll.ts";
import type { Segment, Span } from "./types.ts";

/** What a wish to delete comes to. `held`: nothing goes, not even what no hold covers: half a deletion is none that anybody asked for. */
export type Erasure<S, H> =
  | { readonly kind: "nothing" }
  | { readonly kind: "held"; readonly holds: readonly H[] }
  | { readonly kind: "erase"; readonly segments: readonly S[]; readonly toll: Toll };

/** `segments`: all files that touch the stretch; `holds`: those of the same camera that are not lifted. */
export function planErasure<S extends Pick<Segment, "camera" | "bytes" | "startAt" | "endAt">, H extends Span>(
  segments: readonly S[],
  holds: readonly H[],
): Erasure<S, H> {
  const holding = holds.filter((hold) => segments.some(({ startAt, endAt }) => hold.fromAt < endAt && hold.toAt > startAt));
  if (holding.length > 0) return { kind: "held", holds: holding };
  const toll = tollOf(segments);
  return toll === null ? { kind: "nothing" } : { kind: "erase", segments, toll };
}
