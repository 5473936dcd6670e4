/** What every view needs to speak: the language, its words, the households' names, and now. */
import { shareText } from "../../../../agent/core/print.ts";
import { vietnamTime } from "../../../../agent/core/time.ts";
import { fill, type Language, lengthText, wordsIn } from "../../../../agent/core/words.ts";
import type { Households } from "../model/households.ts";
import { type BoardWords, boardWords } from "../words.ts";

export type View = {
  readonly language: Language;
  readonly words: BoardWords;
  readonly said: ReturnType<typeof wordsIn>;
  readonly households: Households;
  readonly nowAt: number;
};

export const viewOf = (language: Language, households: Households, nowAt: number): View => ({
  ...{ language, households, nowAt },
  ...{ words: boardWords(language), said: wordsIn(language) },
});

const dayMs = 86_400_000;

/** `14:05 25/11/2026`; without the day where it is less than half a day away. */
export function timeText(at: number | null, nowAt: number): string {
  if (at === null) return "?";
  const [clock = "", day = ""] = vietnamTime(at).split(" ");
  return Math.abs(nowAt - at) < dayMs / 2 ? clock.slice(0, 5) : `${clock.slice(0, 5)} ${day}`;
}

/** `14:05 25/11/2026`, whatever the computer's own way of writing dates is. */
export function fullTimeText(at: number): string {
  const [clock = "", day = ""] = vietnamTime(at).split(" ");
  return `${clock.slice(0, 5)} ${day}`;
}

/** Since when, with how long that is. */
export const sinceText = (at: number | null, { nowAt, language, words }: View): string =>
  at === null ? words.todo.sinceUnknown : `${fill(words.todo.since, { since: timeText(at, nowAt) })} (${agoText(at, nowAt, language)})`;

/** Since when a site is not reached, within a sentence: a last trace is said to be that. */
export const silentSince = (at: number | null, isExact: boolean, { nowAt, words }: View): string =>
  at === null
    ? words.todo.sinceUnknown
    : isExact
      ? fill(words.todo.since, { since: timeText(at, nowAt) })
      : `(${fill(words.todo.lastTrace, { since: timeText(at, nowAt) })})`;

/** How long ago, to the minute beyond the first one. */
export function agoText(at: number, nowAt: number, language: Language): string {
  const ms = Math.max(0, nowAt - at);
  if (ms >= 2 * dayMs)
    return fill(wordsIn(language).report.duration.days, { d: Math.floor(ms / dayMs), h: Math.floor((ms % dayMs) / 3_600_000) });
  return lengthText(ms < 60_000 ? Math.floor(ms / 1_000) * 1_000 : Math.floor(ms / 60_000) * 60_000, language);
}

/** A household by its code, with its name where this browser was given the list. */
export function householdText(code: string, { households, words }: View): string {
  const name = households.get(code);
  return fill(words.row.household, { household: name === undefined ? code : `${code} – ${name}` });
}

export const ratioText = (share: number | null, { language }: View): string => (share === null ? "–" : `${shareText(share, language)}%`);
