/** The answer to "is there footage of it?" as a sentence: how much there is, and why the rest is not there. Pure. */
import type { Answer, LedgerSpan } from "./ledger.ts";
import type { Cause, Span, Sure } from "./types.ts";
import { fill, type Language, lengthText, wordOf, wordsIn } from "./words.ts";

/** One sentence for a person. */
export function answerText(answer: Answer, spans: readonly LedgerSpan[], asked: Span, language: Language): string {
  const words = wordsIn(language);
  const missing = missingOf(spans, asked, language);
  const facts = {
    there: lengthText(lengthOf(spans.filter((span) => span.kind === "footage")), language),
    asked: lengthText(asked.toAt - asked.fromAt, language),
    why: missing.length === 0 ? "" : `${words.because}${missing.join("; ")}`,
  };
  return fill(words.answerSentences[answer], facts);
}

const lengthOf = (spans: readonly Span[]) => spans.reduce((ms, span) => ms + span.toAt - span.fromAt, 0);

/** What is missing, longest first: cause or rule, how long, and how sure. */
export function missingOf(spans: readonly LedgerSpan[], asked: Span, language: Language): readonly string[] {
  const words = wordsIn(language);
  const sums = new Map<string, number>();
  for (const span of spans) {
    if (span.kind === "footage") continue;
    const why =
      span.kind === "gap"
        ? causeText(span.cause, span.sure, language)
        : span.kind === "deleted"
          ? `${words.kinds.deleted}: ${wordOf(words.whys, span.why)}`
          : words.kinds.unknown;
    sums.set(why, (sums.get(why) ?? 0) + span.toAt - span.fromAt);
  }
  const notDueMs = asked.toAt - asked.fromAt - lengthOf(spans);
  if (notDueMs > 0) sums.set(words.notDue, notDueMs);
  return [...sums.entries()].sort((a, b) => b[1] - a[1]).map(([why, ms]) => `${why} (${lengthText(ms, language)})`);
}

function causeText(cause: Cause, sure: Sure, language: Language): string {
  const words = wordsIn(language);
  return sure === "inferred" && cause !== "planned" ? `${words.causes[cause]} – ${words.inferred}` : words.causes[cause];
}
