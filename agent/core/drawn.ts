/** What cameras draw from a line: the bytes of their footage, and what carries them. Pure. */

/** So long the hours are kept: this month and the one before it. */
export const drawnKeptMs = 62 * 86_400_000;

/** Footage that came in a stretch: how long it plays, and its bytes on disk. */
export type Drawn = { readonly ms: number; readonly bytes: number };

/**
 * What RTSP, RTP, TCP and IP add to the footage's own bytes on the way to the box: measured at a main stream of 4 Mbit/s over TCP, in packets
 * of 1,500 bytes. A substream of 0.4 Mbit/s adds 10 %, a tunnel its own.
 */
const carriedShare = 0.05;

/** Bytes on the line for so many bytes of footage. */
export const lineBytes = (footageBytes: number): number => Math.ceil(footageBytes * (1 + carriedShare));

/** Bytes a second on the line while footage came; null: none did. */
export const lineRate = ({ ms, bytes }: Drawn): number | null => (ms === 0 ? null : (lineBytes(bytes) / ms) * 1_000);

/** Fewer days tell nothing of what is usual, nor does an hour in which hardly anything came. */
const fewestHours = 3;
const shortestMs = 600_000;

/** Bytes of footage a second in the middle one of such hours; null: too few of them are known. */
export function usualRate(hours: readonly Drawn[]): number | null {
  const rates = hours.filter(({ ms }) => ms >= shortestMs).map(({ ms, bytes }) => Math.round((bytes / ms) * 1_000));
  return rates.length < fewestHours ? null : (rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)] ?? null);
}
