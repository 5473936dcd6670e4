/** The laws that hold at any moment, of any agent: what its ledger, its index and its journal say of each other and of the disk. */
import { graceMs, spansOf, sumsOf } from "../../agent/core/ledger.ts";
import { segmentPath } from "../../agent/core/path.ts";
import { type Asking, endOfDue, historyOf } from "../../agent/query.ts";

export type Question = {
  readonly names: readonly string[];
  /** What lies in the footage folder, relative to it. */
  readonly files: readonly string[];
  /** May there be stretches of which nothing is known? Only where a database was lost. */
  readonly mayForget: boolean;
};

/** Every law that is broken, as a sentence; empty where all hold. */
export function lawsOf(asking: Asking, { names, files, mayForget }: Question): readonly string[] {
  return [...names.flatMap((name) => [...ledgerOf(asking, name, mayForget), ...indexOf(asking, name, files)]), ...journalOf(asking)];
}

/** How much of what is due is missing, in milliseconds. */
export function gapMsOf(asking: Asking, name: string): number {
  const span = { fromAt: 0, toAt: endOfDue(asking) };
  return sumsOf(spansOf(historyOf(asking, name, span), span)).gapMs;
}

const all = { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER };

/** The sum law: footage, gaps, deletions and stretches of unknown state cover what is due, without overlap and without a hole. */
function ledgerOf(asking: Asking, name: string, mayForget: boolean): readonly string[] {
  const first = asking.reads.cameras().find(({ id }) => id === name)?.sinceAt;
  if (first === undefined || first === null) return [`${name}: nothing is known of when it was handed over`];
  const asked = { fromAt: asking.dating.toUtc(first), toAt: endOfDue(asking) };
  if (asked.toAt <= asked.fromAt) return [`${name}: its ledger ends before it begins`];
  const spans = spansOf(historyOf(asking, name, asked), asked);
  const broken: string[] = [];
  let at = asked.fromAt;
  for (const span of spans) {
    if (span.fromAt !== at)
      broken.push(
        `${name}: ${span.fromAt > at ? "a hole" : "an overlap"} of ${Math.abs(span.fromAt - at)} ms at ${new Date(at).toISOString()}`,
      );
    at = span.toAt;
  }
  if (asked.toAt - at > graceMs) broken.push(`${name}: the ledger ends ${asked.toAt - at} ms too soon`);
  const sums = sumsOf(spans);
  const told = sums.recordedMs + sums.deletedMs + sums.gapMs + sums.unknownMs;
  if (told !== sums.dueMs) broken.push(`${name}: ${sums.dueMs} ms are due, ${told} ms are accounted for`);
  if (!mayForget && sums.unknownMs > 0) broken.push(`${name}: nothing is known of ${sums.unknownMs} ms`);
  return broken;
}

/** Every closed file has its row, every row its file. */
function indexOf({ reads }: Asking, name: string, files: readonly string[]): readonly string[] {
  const rows = new Set(reads.segmentsTouching(name, all).map(segmentPath));
  const closed = new Set(files.filter((file) => file.startsWith(`${name}/`) && file.endsWith(".mkv")));
  return [
    ...[...closed].filter((file) => !rows.has(file)).map((file) => `${file}: no row`),
    ...[...rows].filter((file) => !closed.has(file)).map((file) => `${file}: no file`),
  ];
}

/** Numbers of events rise, and a run's own count has no hole. */
function journalOf({ reads }: Asking): readonly string[] {
  const events = reads.events({ ...all, type: null, afterG: 0, limit: 1_000_000 });
  const broken = events.flatMap(({ g }, i) => (g > (events[i - 1]?.g ?? 0) ? [] : [`event ${g} stands after ${events[i - 1]?.g}`]));
  for (const run of new Set(events.map((event) => event.boot))) {
    const seqs = events.flatMap((event) => (event.boot === run ? [event.seq] : []));
    for (const [i, seq] of seqs.entries())
      if (i > 0 && seq !== (seqs[i - 1] ?? 0) + 1) broken.push(`run ${run}: event ${seq} follows ${seqs[i - 1]}`);
  }
  return broken;
}
