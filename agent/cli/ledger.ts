/** `matghi footage`, `matghi gaps`, `matghi events`: what there is, what there is not and why, what happened. */

import { answerText } from "../core/answer.ts";
import { makeDating, redate } from "../core/dating.ts";
import { type Answer, answerOf, type LedgerSpan, spansOf, sumsOf } from "../core/ledger.ts";
import { envelopeOf } from "../core/message.ts";
import { inVietnam, iso, isoOrNull, vietnamTime } from "../core/time.ts";
import { eventTypes, type Gap, type Span } from "../core/types.ts";
import { evidenceText, type Language, wordOf, wordsIn } from "../core/words.ts";
import { boxClockOf, gapsOf, historyOf } from "../query.ts";
import { openReads } from "../store/store.ts";
import { type Context, exit, nowUtc, Refusal, reading, type Session, settingsOf } from "./context.ts";
import { knownCamera, ordered, timeOf } from "./fields.ts";

function spanOf(options: { from?: string; to?: string }, nowAt: number): Span {
  return ordered({
    fromAt: timeOf(options.from, "from", nowAt, 0),
    toAt: timeOf(options.to, "to", nowAt, Math.max(nowAt, Date.now()) + 1),
  });
}

function checkCamera({ reads, settings }: Session, camera: string): void {
  knownCamera(camera, [...new Set([...reads.cameras(), ...settings.cameras].map(({ id }) => id))]);
}

export type FootageOptions = { readonly camera: string; readonly from: string; readonly to: string };

export function footage(context: Context, options: FootageOptions): number {
  const ask = (session: Session) => {
    checkCamera(session, options.camera);
    const asked = spanOf(options, session.nowAt);
    const { settings } = session;
    const spans = spansOf(historyOf(session, options.camera, asked), asked);
    const answer = answerOf(spans, asked);
    const { dueMs, recordedMs, unknownMs, deletedMs } = sumsOf(spans);
    const body = {
      ...{ camera: options.camera, from: iso(asked.fromAt), to: iso(asked.toAt), answer, dueMs, recordedMs, unknownMs, deletedMs },
      clock: boxClockOf(session),
      spans: spans.map(spanJson),
    };
    context.out(context.json ? JSON.stringify(body) : footageText(spans, answer, asked, settings.site.language));
    return { yes: exit.fine, partial: exit.needsPerson, no: exit.notFound, unknown: exit.needsPerson }[answer];
  };
  return reading(context, ask, (nowAt) => spanOf(options, nowAt));
}

/** Without the fault's number, which belongs to `gaps`. */
function spanJson({ fromAt, toAt, kind, ...all }: LedgerSpan) {
  const { fault: _, ...rest } = { fault: null, ...all };
  return { kind, from: iso(fromAt), to: iso(toAt), ...rest };
}

function footageText(spans: readonly LedgerSpan[], answer: Answer, asked: Span, language: Language): string {
  const words = wordsIn(language);
  const smaller = `: ${words.streams.fallback}`;
  const why = (span: LedgerSpan) => {
    if (span.kind === "gap") return `: ${words.causes[span.cause]}`;
    return span.kind === "footage" ? (span.stream === "fallback" ? smaller : "") : `: ${wordOf(words.whys, span.why)}`;
  };
  return [
    answerText(answer, spans, asked, language),
    ...spans.map((span) => `  ${vietnamTime(span.fromAt)} – ${vietnamTime(span.toAt)}  ${words.kinds[span.kind]}${why(span)}`),
  ].join("\n");
}

export type GapsOptions = { readonly camera?: string; readonly from?: string; readonly to?: string };

export function gaps(context: Context, options: GapsOptions): number {
  const ask = (session: Session) => {
    if (options.camera !== undefined) checkCamera(session, options.camera);
    const found = gapsOf(session, options.camera ?? null, spanOf(options, session.nowAt));
    const words = wordsIn(session.settings.site.language);
    const { language } = session.settings.site;
    const line = (gap: Gap) =>
      `${vietnamTime(gap.fromAt)} – ${gap.toAt === null ? "…" : vietnamTime(gap.toAt)}  ${gap.camera}  ${words.causes[gap.blame.cause]}  [${gap.blame.evidence.map((code) => evidenceText(code, language)).join("; ")}]`;
    const text = found.length === 0 ? words.noGaps : found.map(line).join("\n");
    context.out(context.json ? JSON.stringify({ gaps: found.map(gapJson) }) : text);
    return exit.fine;
  };
  return reading(context, ask, (nowAt) => spanOf(options, nowAt));
}

function gapJson({ id, camera, fromAt, toAt, blame, fault }: Gap) {
  return { id, camera, from: iso(fromAt), to: isoOrNull(toAt), ...blame, fault };
}

export type EventsOptions = GapsOptions & { readonly type?: string; readonly follow?: boolean };

const pageSize = 1_000;
const followEveryMs = 500;

/** The journal page by page, so that a long one never stands in memory whole. */
export async function events(context: Context, options: EventsOptions, signal: AbortSignal): Promise<number> {
  const settings = settingsOf(context);
  if (options.type !== undefined && !(eventTypes as readonly string[]).includes(options.type))
    throw new Refusal(exit.wrongUse, `--type ${options.type}: no such type; one of ${eventTypes.join(", ")}`);
  const span = spanOf(options, nowUtc(settings));
  const toAt = options.follow && options.to === undefined ? Number.MAX_SAFE_INTEGER : span.toAt;
  const wrap = context.json && !options.follow;
  let afterG = 0;
  let first = true;
  const next = () => readPage(context, settings.site.state, { ...span, toAt, type: options.type ?? null, afterG, limit: pageSize });
  // Read before anything is printed: where there is no journal, nothing is.
  let page = next();
  if (wrap) context.out('{"events":[');
  for (;;) {
    for (const { text, g } of page) {
      context.out(wrap && !first ? `,${text}` : text);
      first = false;
      afterG = g;
    }
    if (page.length < pageSize) {
      if (!options.follow || signal.aborted) break;
      await new Promise((resolve) => setTimeout(resolve, followEveryMs));
    }
    page = next();
  }
  if (wrap) context.out("]}");
  return exit.fine;
}

type Filter = Span & { readonly type: string | null; readonly afterG: number; readonly limit: number };

function readPage(context: Context, state: string, filter: Filter): readonly { readonly text: string; readonly g: number }[] {
  const store = openReads(state);
  if (store === null) throw new Refusal(exit.notFound, `nothing has been recorded in ${state} yet; start the agent: matghi run`);
  try {
    const settings = settingsOf(context);
    const db = store.meta("db") ?? "";
    const dating = makeDating(store.boots());
    const stored = { ...filter, fromAt: dating.fromUtc(filter.fromAt), toAt: dating.fromUtc(filter.toAt) };
    const line = (row: Parameters<typeof envelopeOf>[2]) =>
      `${vietnamTime(dating.toUtc(row.at))}  ${row.level.padEnd(5)}  ${row.type}  ${inVietnam(JSON.stringify(redate(row.data, dating)))}`;
    return store.events(stored).map((row) => ({
      g: row.g,
      text: context.json ? JSON.stringify(envelopeOf(settings.site.id, db, row, null, dating)) : line(row),
    }));
  } finally {
    store.close();
  }
}
