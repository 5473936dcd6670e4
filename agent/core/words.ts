/** All sentences for people, in Vietnamese and English. Plain, no blame; each says what it is and what to do next. */

import { askWords } from "./askwords.ts";
import { backupWords } from "./backupwords.ts";
import { discoverWords } from "./discoverwords.ts";
import { doctorWords } from "./doctorwords.ts";
import { enrollWords } from "./enrollwords.ts";
import { eraseWords } from "./erasewords.ts";
import { evidenceWords } from "./evidencewords.ts";
import { ledgerWords } from "./ledgerwords.ts";
import { noticeWords } from "./noticewords.ts";
import { registerWords } from "./registerwords.ts";
import { reportWords } from "./reportwords.ts";
import { senseWords } from "./sensewords.ts";
import { serviceWords } from "./servicewords.ts";
import { setupWords } from "./setupwords.ts";
import { sheetWords } from "./sheetwords.ts";
import { statusWords } from "./statuswords.ts";
import { supportWords } from "./supportwords.ts";
import { vietnamTime } from "./time.ts";
import { updateWords } from "./updatewords.ts";

export type Language = "vi" | "en";

const vi = {
  ...askWords.vi,
  ...backupWords.vi,
  ...discoverWords.vi,
  ...doctorWords.vi,
  ...enrollWords.vi,
  ...eraseWords.vi,
  ...evidenceWords.vi,
  ...ledgerWords.vi,
  ...noticeWords.vi,
  ...registerWords.vi,
  ...reportWords.vi,
  ...senseWords.vi,
  ...serviceWords.vi,
  ...setupWords.vi,
  ...sheetWords.vi,
  ...statusWords.vi,
  ...supportWords.vi,
  ...updateWords.vi,
};

const en: typeof vi = {
  ...askWords.en,
  ...backupWords.en,
  ...discoverWords.en,
  ...doctorWords.en,
  ...enrollWords.en,
  ...eraseWords.en,
  ...evidenceWords.en,
  ...ledgerWords.en,
  ...noticeWords.en,
  ...registerWords.en,
  ...reportWords.en,
  ...senseWords.en,
  ...serviceWords.en,
  ...setupWords.en,
  ...sheetWords.en,
  ...statusWords.en,
  ...supportWords.en,
  ...updateWords.en,
};

const catalogue = { vi, en };

/** The catalogue of one language. */
export const wordsIn = (language: Language) => catalogue[language];

/** The words for a code; a code without words says itself. */
export const wordOf = (words: Readonly<Record<string, string>>, code: string): string => words[code] ?? code;

/** An evidence code in words; what follows the code (a number, a time) stays. A planned stop's evidence is its reason, in somebody's own words. */
export function evidenceText(code: string, language: Language): string {
  const known: Readonly<Record<string, string>> = catalogue[language].evidence;
  if (known[code] !== undefined) return known[code];
  const [name = "", ...rest] = code.split(" ");
  const words = known[name];
  const facts = rest.map((fact) => (Number.isNaN(Date.parse(fact)) || !fact.endsWith("Z") ? fact : vietnamTime(Date.parse(fact))));
  return words === undefined ? code : [words, ...facts].join(" ");
}

/** Puts facts into a sentence: `{name}` becomes its fact. */
export function fill(sentence: string, facts: Readonly<Record<string, string | number>>): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? ""));
}

/** Sizes for people: 1 GB is 10⁹ bytes; decimal comma in Vietnamese. */
export function bytesText(bytes: number, language: Language): string {
  const small = bytes >= 1e6 || bytes === 0 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
  const text = bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : small;
  return language === "vi" ? text.replace(".", ",") : text;
}

/** Lengths of time for people: `45 giây`, `14 phút 05 giây`, `31 giờ 20 phút`. Rounded down: what is missing is never rounded away. */
export function lengthText(ms: number, language: Language): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const unit = language === "vi" ? { h: "giờ", min: "phút", s: "giây", ms: "mili giây" } : { h: "h", min: "min", s: "s", ms: "ms" };
  if (ms < 1000) return `${Math.floor(ms)} ${unit.ms}`;
  if (seconds < 60) return `${seconds} ${unit.s}`;
  if (seconds < 3600)
    return seconds % 60 === 0 ? `${seconds / 60} ${unit.min}` : `${Math.floor(seconds / 60)} ${unit.min} ${two(seconds % 60)} ${unit.s}`;
  const minutes = Math.floor((seconds % 3600) / 60);
  return minutes === 0 ? `${Math.floor(seconds / 3600)} ${unit.h}` : `${Math.floor(seconds / 3600)} ${unit.h} ${two(minutes)} ${unit.min}`;
}

/** How far a clock is off, for people: measured to a second or so, hence rounded to the nearest second, beyond an hour to the minute. */
export function offsetText(offsetMs: number, language: Language): string {
  const ms = Math.abs(offsetMs);
  const grainMs = ms >= 3_599_500 ? 60_000 : ms >= 1_000 ? 1_000 : 1;
  return lengthText(Math.round(ms / grainMs) * grainMs, language);
}
