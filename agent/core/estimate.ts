/** How long an export will take, before it starts and while it runs. Pure. */

/** Originals are written once, their viewing copies once, and the half that was not hashed while it was copied is read again to sign it. */
const effort = 2.5;
/** Starting and signing take this long, however little there is. */
const leastMs = 5_000;

/** Before the start: `speed` in bytes a second that reach the medium, as it was measured there. */
export const wholeMs = (bytes: number, speed: number): number => Math.max(leastMs, ((effort * bytes) / speed) * 1_000);

/** Bytes of originals whose copies, and whose viewing copies, are made. */
export type Progress = { readonly bytes: number; readonly viewedBytes: number };

/** Work that is done of all, 0 to 1; signing is the rest. */
const shareOf = ({ bytes, viewedBytes }: Progress, allBytes: number): number =>
  allBytes <= 0 ? 0 : Math.min(1, Math.max(0, (bytes + viewedBytes) / (effort * allBytes)));

/** While it runs: what is left at the pace so far; null before anything is done, when nobody can tell. */
export function leftMs(done: Progress, allBytes: number, elapsedMs: number): number | null {
  const share = shareOf(done, allBytes);
  return share === 0 ? null : Math.max(0, (elapsedMs * (1 - share)) / share);
}
