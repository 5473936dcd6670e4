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

/** What files of a stretch show: all of each that touches it. */
export function reachOf(segments: readonly Pick<Segment, "startAt" | "endAt">[], { fromAt, toAt }: Span): Span {
  return segments.reduce(
    (reach: Span, { startAt, endAt }) => ({ fromAt: Math.min(reach.fromAt, startAt), toAt: Math.max(reach.toAt, endAt) }),
    { fromAt, toAt },
  );
}

/** Of which footage a copy is, on the box's own scale. */
export type CopyOf = Span & { readonly cameras: readonly string[] };

/** Does a copy hold footage of a camera and stretch? One of which nobody knows what it is may. */
export const isCopyOf = (copy: CopyOf | null, camera: string, { fromAt, toAt }: Span): boolean =>
  copy === null || (copy.cameras.includes(camera) && copy.fromAt < toAt && copy.toAt > fromAt);

/** As it was written down; null where that cannot be read. */
export function readCopyOf(text: string): CopyOf | null {
  try {
    const { cameras, fromAt, toAt } = JSON.parse(text) as Partial<CopyOf>;
    return Array.isArray(cameras) && Number.isFinite(fromAt) && Number.isFinite(toAt)
      ? { cameras, fromAt: Number(fromAt), toAt: Number(toAt) }
      : null;
  } catch {
    return null;
  }
}
