/** A stretch of time as a strip: each piece told apart by colour, pattern, letter and words. */
import { durationText } from "../../../../agent/core/print.ts";
import { causes, type Span } from "../../../../agent/core/types.ts";
import { fill } from "../../../../agent/core/words.ts";
import { type Piece, sumsOf } from "../model/day.ts";
import { timeText, type View } from "./view.ts";

/** A letter needs this share of the strip. */
const letterShare = 0.02;

export function Strip({ pieces, span, view }: { readonly pieces: readonly Piece[]; readonly span: Span; readonly view: View }) {
  const length = span.toAt - span.fromAt;
  return (
    <span class="strip" role="img" aria-label={stripText(pieces, span, view)}>
      {pieces.map((piece) => {
        const share = (piece.toAt - piece.fromAt) / length;
        const place = { left: `${((piece.fromAt - span.fromAt) / length) * 100}%`, width: `max(${share * 100}%, 1px)` };
        return (
          <span key={piece.fromAt} class={`piece ${classOf(piece)}`} style={place} title={pieceText(piece, view)}>
            {piece.kind === "gap" && share >= letterShare ? <b>{view.words.letters[piece.cause]}</b> : null}
          </span>
        );
      })}
    </span>
  );
}

const classOf = (piece: Piece) => (piece.kind === "gap" ? `gap-${piece.cause}` : piece.kind);

function pieceText(piece: Piece, { words, said, nowAt }: View): string {
  const what = piece.kind === "gap" ? said.causes[piece.cause] : words.strip[piece.kind];
  return `${timeText(piece.fromAt, nowAt)} – ${timeText(piece.toAt, nowAt)}: ${what}`;
}

/** The strip in words, for those who do not see it. */
function stripText(pieces: readonly Piece[], span: Span, { words, said, language, nowAt }: View): string {
  const { footageMs, unknownMs, untoldMs, undueMs, lost } = sumsOf(pieces);
  const parts = [
    ...[[words.strip.footage, footageMs] as const, ...lost.map(([cause, ms]) => [said.causes[cause], ms] as const)],
    ...([
      [words.strip.unknown, unknownMs],
      [words.strip.untold, untoldMs],
      [words.strip.undue, undueMs],
    ] as const),
  ].filter(([, ms]) => ms > 0);
  const list = parts.map(([what, ms]) => `${what} ${durationText(ms, language)}`).join("; ");
  return fill(words.strip.label, { from: timeText(span.fromAt, nowAt), to: timeText(span.toAt, nowAt), parts: list });
}

/** What the colours, patterns and letters mean. */
export function Legend({ view }: { readonly view: View }) {
  const { words, said } = view;
  const kinds = ["footage", "some", "unknown", "undue", "untold"] as const;
  return (
    <details class="legend">
      <summary>{words.strip.legend}</summary>
      <ul>
        {kinds.map((kind) => (
          <li key={kind}>
            <span class={`sample ${kind}`} /> {words.strip[kind]}
          </li>
        ))}
        {causes.map((cause) => (
          <li key={cause}>
            <span class={`sample gap-${cause}`}>
              <b>{words.letters[cause]}</b>
            </span>{" "}
            {said.causes[cause]}
          </li>
        ))}
      </ul>
    </details>
  );
}
