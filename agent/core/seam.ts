/**
 * Time is cut at midnight, an interruption is not: one that lies over the cut stands on both sides. Each part tells what lies at its edges, so
 * that parts put together count as if the time had never been cut. Pure.
 */
import { flapMs, interruptionsOf, type Loss, returnMs } from "./flaps.ts";
import type { Count, Tally } from "./tally.ts";
import type { Cause, Span, WallMs } from "./types.ts";

/** What lies at the edges of a part; all lengths in milliseconds, places since the part's begin. */
export type Edges = {
  /** The loss with which the part begins, whatever its causes; 0: it begins with footage. */
  readonly firstMs: number;
  /** The loss with which it ends. */
  readonly lastMs: number;
  /** Interruptions that may go on beyond the part: they lie within 60 s of an edge. */
  readonly interruptions: readonly { readonly cause: Cause; readonly fromMs: number; readonly toMs: number; readonly lostMs: number }[];
};

/** The edges of a part, from its losses in order; null where nothing lies there. */
export function edgesOf(losses: readonly Loss[], part: Span): Edges | null {
  const reaches = ({ fromAt, toAt }: Span) => fromAt - part.fromAt < returnMs || part.toAt - toAt < returnMs;
  const interruptions = interruptionsOf(losses)
    .filter(reaches)
    .map(({ cause, fromAt, toAt, lostMs }) => ({ cause, fromMs: fromAt - part.fromAt, toMs: toAt - part.fromAt, lostMs }));
  const firstMs = runFrom(losses, part.fromAt, 1);
  const lastMs = runFrom(losses, part.toAt, -1);
  return interruptions.length === 0 ? null : { firstMs, lastMs, interruptions };
}

/** How long the losses adjoin from an edge on, forwards (1) or backwards (-1). */
function runFrom(losses: readonly Loss[], edgeAt: WallMs, way: 1 | -1): number {
  const [near, far] = way === 1 ? (["fromAt", "toAt"] as const) : (["toAt", "fromAt"] as const);
  let at = edgeAt;
  for (const loss of way === 1 ? losses : losses.toReversed()) {
    if (loss[near] !== at) break;
    at = loss[far];
  }
  return Math.abs(at - edgeAt);
}

/** The counts that a cut changes. */
export type Counted = Pick<Tally, "gaps" | "flaps" | "longestGapMs" | "byCause">;
export type Part = Span & { readonly edges: Edges | null };

/** `sum`: the counts of the parts added up. Gives them as if the time had never been cut. The parts are one camera's, in order. */
export function mended(sum: Counted, parts: readonly Part[]): Counted {
  const byCause: Partial<Record<Cause, Count>> = { ...sum.byCause };
  let { gaps, longestGapMs } = sum;
  for (const chain of chainsOf(parts)) {
    const [first] = chain;
    if (first === undefined || chain.length < 2) continue;
    const lostMs = chain.reduce((ms, one) => ms + one.lostMs, 0);
    const more = (lostMs >= flapMs ? 1 : 0) - chain.filter((one) => one.lostMs >= flapMs).length;
    const counted = byCause[first.cause] ?? { count: 0, ms: 0 };
    byCause[first.cause] = { ...counted, count: counted.count + more };
    gaps += more;
    longestGapMs = Math.max(longestGapMs, lostMs);
  }
  return { gaps, longestGapMs, byCause, flaps: sum.flaps + flapsOver(parts) };
}

type Edge = Loss & { readonly lostMs: number };

/** Interruptions at the edges, joined as core/flaps.ts joins losses. */
function chainsOf(parts: readonly Part[]): readonly (readonly Edge[])[] {
  const edges = parts.flatMap(({ fromAt, edges: found }) =>
    (found?.interruptions ?? []).map(({ cause, fromMs, toMs, lostMs }) => ({
      cause,
      lostMs,
      fromAt: fromAt + fromMs,
      toAt: fromAt + toMs,
    })),
  );
  const chains: Edge[][] = [];
  const lastOf = new Map<Cause, Edge[]>();
  for (const edge of edges.toSorted((a, b) => a.fromAt - b.fromAt)) {
    const chain = lastOf.get(edge.cause);
    const before = chain?.at(-1);
    if (chain !== undefined && before !== undefined && edge.fromAt - before.toAt < returnMs) chain.push(edge);
    else {
      const begun = [edge];
      lastOf.set(edge.cause, begun);
      chains.push(begun);
    }
  }
  return chains;
}

/** How many flaps more (or, below nought, fewer) there are than the parts have. */
function flapsOver(parts: readonly Part[]): number {
  const isFlap = (ms: number) => (ms > 0 && ms < flapMs ? 1 : 0);
  return runsOf(parts).reduce((more, run) => more + isFlap(run.reduce((a, b) => a + b, 0)) - run.reduce((a, ms) => a + isFlap(ms), 0), 0);
}

/** Losses that go on over at least one cut: the pieces of each. */
function runsOf(parts: readonly Part[]): readonly (readonly number[])[] {
  const runs: number[][] = [];
  let open: number[] | null = null;
  for (const [i, { fromAt, toAt, edges }] of parts.entries()) {
    const before = parts[i - 1];
    const [firstMs, lastMs] = [edges?.firstMs ?? 0, edges?.lastMs ?? 0];
    const goesOn = open !== null && before?.toAt === fromAt && firstMs > 0;
    if (goesOn) open?.push(firstMs);
    if (goesOn && firstMs === toAt - fromAt) continue;
    open = lastMs > 0 ? [lastMs] : null;
    if (open !== null) runs.push(open);
  }
  return runs.filter((run) => run.length > 1);
}
