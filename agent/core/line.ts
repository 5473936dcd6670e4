/** A camera's line as the recorder's own connection tells it, and when it is weak (contract §5). The box's wifi says nothing of it. Pure. */

export type CameraLine = {
  /** Round trip of the recorder's connection; null: it has none by TCP, or nobody tells. */
  readonly rttMs: number | null;
  /** Of a hundred packets, those that others had to be waited for: lost on the way, or overtaken. null: too few came, or nobody tells. */
  readonly outOfOrderPercent: number | null;
  /** Of its last file; null: it has closed none yet. */
  readonly bytesPerSecond: number | null;
  /** In the same hour of the days before; null: too few of them are known. */
  readonly usualBytesPerSecond: number | null;
};

/** What a connection has counted since it was opened. */
export type WireCount = { readonly rttMs: number | null; readonly segments: number; readonly outOfOrder: number };

/** Of fewer packets a share tells nothing. */
const enoughSegments = 50;

/** What a connection tells, by what has come since it was looked at before. */
export function wireSigns(before: WireCount | null, now: WireCount | null): Pick<CameraLine, "rttMs" | "outOfOrderPercent"> {
  const segments = (now?.segments ?? 0) - (before?.segments ?? 0);
  const outOfOrder = (now?.outOfOrder ?? 0) - (before?.outOfOrder ?? 0);
  return {
    rttMs: now?.rttMs ?? null,
    outOfOrderPercent: segments >= enoughSegments ? Math.round((outOfOrder / segments) * 1_000) / 10 : null,
  };
}

/**
 * Beyond these a stream has no room left. A wifi in power save answers in some 130 ms (reference: edge.md §4 row 6), a line whose queue is
 * full in 300 and more (test/faults/weak-line.test.ts). Each lost packet holds up one behind it within a house, several where the way is
 * longer (test/hal/wires.test.ts). Scenes change a camera's rate, and seldom halve it at its own hour.
 */
const limits = { rttMs: 300, outOfOrderPercent: 2, share: 0.5 } as const;

/** What speaks for a weak line, as evidence; empty: nothing does. */
export function weakSigns({ rttMs, outOfOrderPercent, bytesPerSecond, usualBytesPerSecond }: CameraLine): readonly string[] {
  const share = bytesPerSecond === null || usualBytesPerSecond === null ? 1 : bytesPerSecond / usualBytesPerSecond;
  return [
    ...(rttMs !== null && rttMs > limits.rttMs ? [`round-trip ${Math.round(rttMs)} ms`] : []),
    ...(outOfOrderPercent !== null && outOfOrderPercent > limits.outOfOrderPercent ? [`out-of-order ${outOfOrderPercent}%`] : []),
    ...(share < limits.share ? [`low-bitrate ${Math.round(share * 100)}%`] : []),
  ];
}
