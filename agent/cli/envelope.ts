/** The station's enrolment file on its way in: read, opened with its one-time code, judged; and the files that it becomes. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { unsealText } from "../age.ts";
import type { UtcMs } from "../core/dating.ts";
import type { EnvelopeFault } from "../core/enrollwords.ts";
import { bad, good, type Read } from "../core/told.ts";
import { wordsIn } from "../core/words.ts";
import { type Enrolment, flawOf, readEnrolment } from "../enrolment.ts";
import { exit, Refusal } from "./context.ts";

/** An enrolment file has some kilobytes. */
const mostBytes = 100_000;

/** The text of a sealed file, unopened. */
export function readEnvelope(file: string): Read<string, EnvelopeFault> {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return bad("no-file");
  return found.isFile() && found.size <= mostBytes ? good(readFileSync(file, "utf8")) : bad("not-file");
}

/** As it was printed, however it was typed. */
const tidyCode = (typed: string) =>
  (
    typed
      .toLowerCase()
      .replace(/[^a-z0-9]/g, "")
      .match(/.{1,4}/g) ?? []
  ).join("-");

/** What the code opens. */
export function openEnvelope(sealed: string, typed: string): Read<Enrolment, EnvelopeFault> {
  const code = tidyCode(typed);
  if (code === "") return bad("no-code");
  const opened = unsealText(sealed, code);
  if (opened.kind === "refused" && opened.why === "code") return bad("code");
  const enrolment = opened.kind === "open" ? readEnrolment(opened.text) : null;
  return enrolment === null ? bad("damaged") : good(enrolment);
}

/** The enrolment, unless something keeps the station from knowing the box by it. */
export function judgeEnrolment(enrolment: Enrolment, nowAt: UtcMs): Read<Enrolment, EnvelopeFault> {
  const flaw = flawOf(enrolment, nowAt);
  return flaw === null ? good(enrolment) : bad(flaw);
}

/** The value, or the Refusal of a command line. */
export function accepted<T>(file: string, read: Read<T, EnvelopeFault>): T {
  if (read.kind === "good") return read.value;
  const code = read.why === "no-file" ? exit.notFound : read.why === "over" ? exit.needsPerson : exit.wrongUse;
  throw new Refusal(code, `${file}: ${wordsIn("en").enroll.faults[read.why]}`);
}

/** The code that stands in a file. */
export function codeIn(file: string): string {
  if (!existsSync(file)) throw new Refusal(exit.notFound, `${file}: no such file; leave it away to be asked for the code`);
  return readFileSync(file, "utf8");
}

/** Where an enrolment's parts stand: beside the configuration. */
export function placesOf(configFile: string): { readonly ca: string; readonly cert: string; readonly key: string } {
  const folder = join(dirname(resolve(configFile)), "station");
  return { ca: join(folder, "ca.crt"), cert: join(folder, "site.crt"), key: join(folder, "site.key") };
}

/** Modes of its parts; the key is the agent's alone. */
export const modes = { ca: 0o644, cert: 0o644, key: 0o600 } as const;
