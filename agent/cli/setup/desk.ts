/** What a setup was told by options, and whom it may ask for the rest. */
import { idPattern } from "../../config/schema.ts";
import { bad, good, type Read } from "../../core/told.ts";
import { type Language, wordsIn } from "../../core/words.ts";
import { exit, Refusal } from "../context.ts";
import { textOf } from "../fields.ts";
import type { Talk } from "../prompt.ts";

export type SetupOptions = {
  readonly enroll?: string;
  readonly enrollCodeFile?: string;
  readonly tunnelFile: string;
  readonly id?: string;
  readonly commune?: string;
  readonly name?: string;
  readonly language?: string;
  readonly state?: string;
  readonly folder?: string;
  readonly allowSystemDisk?: boolean;
  readonly segment?: string;
  readonly keepMax?: string;
  readonly size?: string;
  readonly camera?: readonly string[];
  readonly table?: string;
  readonly discover?: boolean;
  readonly interface?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  /** false: the box works alone, and nobody is asked. */
  readonly station?: string | false;
  readonly stationCa?: string;
  readonly stationCert?: string;
  readonly stationKey?: string;
  readonly stationUsername?: string;
  readonly stationPasswordFile?: string;
  readonly replace?: boolean;
  readonly yes?: boolean;
  readonly sheet?: boolean;
  readonly start: boolean;
  readonly trial: string;
  readonly wait: string;
};

export type Desk = {
  readonly options: SetupOptions;
  /** The configuration that will be written. */
  readonly file: string;
  /** Folder for the password files. */
  readonly secrets: string;
  readonly language: Language;
  /** null: nobody is there to be asked. */
  readonly talk: Talk | null;
  readonly signal: AbortSignal;
};

export const wordsAt = ({ language }: Pick<Desk, "language">): ReturnType<typeof wordsIn>["setup"] => wordsIn(language).setup;

/** Whoever can be asked; where nobody can, the Refusal that names the option. */
export function asked({ talk }: Desk, missing: string): Talk {
  if (talk !== null) return talk;
  throw new Refusal(exit.wrongUse, `${missing}; matghi setup --help shows an example`);
}

/** Free text on one line; an empty answer is `fallback`. */
export function readText(desk: Desk, given: string, fallback = ""): Read<string, string> {
  try {
    return good(textOf("text", given.trim() === "" ? fallback : given));
  } catch {
    return bad(wordsAt(desk).wrong.empty);
  }
}

/** An id that is none of `taken`; an empty answer is `fallback`. */
export function readId(desk: Desk, given: string, fallback = "", taken: ReadonlySet<string> = new Set()): Read<string, string> {
  const id = given.trim() === "" ? fallback : given.trim();
  if (!idPattern.test(id)) return bad(wordsAt(desk).wrong.id);
  return taken.has(id) ? bad(wordsAt(desk).wrong.taken) : good(id);
}
