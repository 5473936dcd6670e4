/** What people write into a command: free text on one line, times, cameras. Refused with the option's name and the cure. */
import { breaksLine } from "../core/text.ts";
import { parseTime } from "../core/time.ts";
import type { Span } from "../core/types.ts";
import { exit, Refusal } from "./context.ts";

const mostChars = 500;

/** Free text as it was given, without the blanks around it. Quotes, slashes and dots are text like any other. */
export function textOf(name: string, text: string | undefined): string {
  const given = text?.trim() ?? "";
  if (given === "") throw new Refusal(exit.wrongUse, `--${name} is empty; write it in quotes, for instance --${name} "…"`);
  if (breaksLine(given)) throw new Refusal(exit.wrongUse, `--${name} holds a line break or control character; write it on one line`);
  if (given.length > mostChars) throw new Refusal(exit.wrongUse, `--${name} is longer than ${mostChars} characters; shorten it`);
  return given;
}

/** A bound of a question in UTC; a wrong one names the right forms. */
export function timeOf(text: string | undefined, name: string, nowAt: number, fallback: number): number {
  if (text === undefined) return fallback;
  const at = parseTime(text, nowAt);
  if (at === null)
    throw new Refusal(exit.wrongUse, `--${name} ${text}: not a time; write 2026-11-24T14:05, 14:05 (today) or an ISO time with its offset`);
  return at;
}

/** A stretch that must be given whole. */
export function stretchOf(options: { readonly from: string; readonly to: string }, nowAt: number): Span {
  const span = { fromAt: timeOf(options.from, "from", nowAt, 0), toAt: timeOf(options.to, "to", nowAt, 0) };
  return ordered(span);
}

/** Throws a Refusal where nothing lies between the two. */
export function ordered(span: Span): Span {
  if (span.fromAt === span.toAt) throw new Refusal(exit.wrongUse, "--from and --to are one moment; give a later --to");
  if (span.fromAt > span.toAt) throw new Refusal(exit.wrongUse, "--from is not before --to; swap them");
  return span;
}

/** One of a closed list. */
export function oneOf<T extends string>(name: string, text: string, list: readonly T[]): T {
  const found = list.find((entry) => entry === text);
  if (found !== undefined) return found;
  throw new Refusal(exit.wrongUse, `--${name} ${JSON.stringify(text.slice(0, 40)).slice(1, -1)}: not one of ${list.join(", ")}`);
}

/** Is there such a camera, in the configuration or on disk? */
export function knownCamera(camera: string, known: readonly string[]): string {
  if (known.includes(camera)) return camera;
  throw new Refusal(exit.notFound, `no camera ${camera}; there are: ${known.join(", ")}`);
}
