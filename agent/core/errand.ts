/**
 * What an officer's key may ask of a box over ssh, as one line: a verb and its facts in the form of an address's query. Everything that is not
 * just that is no errand. Pure.
 */

import type { AuditEntry } from "./audit.ts";
import type { UtcMs } from "./dating.ts";
import { breaksLine } from "./text.ts";

/** Facts that must be said, and that may be. Several cameras stand in one fact, with commas. */
const forms = {
  export: { must: ["camera", "from", "to", "request", "agency", "officer", "purpose"], may: ["case", "witness"] },
  look: { must: ["camera", "from", "to", "request", "officer"], may: ["every"] },
  /** Files of what was made, with bytes and SHA-256. */
  list: { must: [], may: [] },
  /** One of them from a byte on, at so many bytes a second. */
  send: { must: ["file", "at", "rate"], may: [] },
  /** It has arrived: the box may put its copy away. */
  done: { must: [], may: [] },
} as const;

type Forms = typeof forms;
export type Verb = keyof Forms;
export type Errand = {
  [V in Verb]: {
    readonly verb: V;
    /** The box that is meant. */
    readonly site: string;
    /** Chosen by whoever asks, so that asking again is the same errand: 16 hex digits. */
    readonly id: string;
  } & { readonly [F in Forms[V]["must"][number]]: string } & { readonly [F in Forms[V]["may"][number]]?: string };
}[Verb];

const mostChars = 8_000;
const line = /^([a-z]{4,6}) ([\w.~*+%=&-]+)$/;
const shapes: Readonly<Record<string, RegExp>> = {
  ...{ site: /^[a-z0-9-]{2,32}$/, id: /^[0-9a-f]{16}$/, camera: /^[a-z0-9-]{2,32}(,[a-z0-9-]{2,32}){0,31}$/ },
  // No step up, no hidden file, no way from the root.
  ...{ file: /^(?!.*(^|\/)[.-])[\w.-]+(\/[\w.-]+){0,3}$/, at: /^\d{1,15}$/, rate: /^[1-9]\d{3,11}$/ },
  ...{ case: /^[a-z-]{2,16}$/, every: /^\d{1,6}[a-z]{1,3}$/, from: /^[\w:+.-]{4,40}$/, to: /^[\w:+.-]{4,40}$/ },
};
const mostTextChars = 500;
const isText = (text: string) => text !== "" && [...text].length <= mostTextChars && !breaksLine(text);

/** null: no errand, and nothing is done. */
export function readErrand(said: string): Errand | null {
  const [, verb = "", query = ""] = (said.length <= mostChars && line.exec(said)) || [];
  const form = Object.entries(forms).find(([name]) => name === verb)?.[1];
  if (form === undefined) return null;
  const given = [...new URLSearchParams(query)];
  const facts = Object.fromEntries(given);
  if (Object.keys(facts).length < given.length || flawOf(form, facts) !== null) return null;
  return { verb, ...facts } as Errand;
}

export type Flaw = { readonly fact: string; readonly why: "missing" | "foreign" | "malformed" };

/** The first fact for which this is no errand; what is undefined was not said. */
export const flawIn = (verb: Verb, facts: Readonly<Record<string, string | undefined>>): Flaw | null => flawOf(forms[verb], facts);

function flawOf(form: Forms[Verb], facts: Readonly<Record<string, string | undefined>>): Flaw | null {
  const must: readonly string[] = ["site", "id", ...form.must];
  const known: readonly string[] = [...must, ...form.may];
  const given = Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
  const missing = must.find((name) => !given.some((fact) => fact.name === name));
  if (missing !== undefined) return { fact: missing, why: "missing" };
  const foreign = given.find(({ name }) => !known.includes(name));
  if (foreign !== undefined) return { fact: foreign.name, why: "foreign" };
  const malformed = given.find(({ name, value }) => !(shapes[name]?.test(value) ?? isText(value)));
  return malformed === undefined ? null : { fact: malformed.name, why: "malformed" };
}

/** Facts in the form of an address's query; what was not said is left out. */
export const queryOf = (facts: Readonly<Record<string, string | undefined>>): string =>
  new URLSearchParams(
    Object.entries(facts).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])),
  ).toString();

/** The line that says it. */
export const errandText = ({ verb, ...facts }: Errand): string => `${verb} ${queryOf(facts)}`;

const dayMs = 86_400_000;
/** Of what a key may not ask so many stand in the audit within a day: enough to see what it is about, too few to fill the chain. */
export const mostRefusals = 10;
const mostQuoted = 200;

/** Which of the day's refusals of a key comes next, counted from 1; null: no more of them stand in the audit today. */
export function nextRefusal(entries: readonly Pick<AuditEntry, "at" | "what" | "data">[], key: string, nowUtc: UtcMs): number | null {
  const isToday = (at: string) => Math.abs(nowUtc - Date.parse(at)) < dayMs;
  const before = entries.filter(({ what, data, at }) => what === "errand.refused" && data.key === key && isToday(at)).length;
  return before < mostRefusals ? before + 1 : null;
}

/** How something that was asked is written down: its begin, on one line. */
export const quoteOf = (said: string): string => said.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").slice(0, mostQuoted);
