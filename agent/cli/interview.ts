/** The conversation of `matghi export` without arguments: an officer who has never used it is asked for each thing, in plain words. */

import { statfs } from "node:fs/promises";
import { resolve } from "node:path";
import { makeSticks } from "../../hal/sticks.ts";
import { wholeMs } from "../core/estimate.ts";
import { durationText } from "../core/print.ts";
import { cases } from "../core/register.ts";
import { iso, parseSpokenTime } from "../core/time.ts";
import type { Span } from "../core/types.ts";
import { bytesText, fill, type Language, wordsIn } from "../core/words.ts";
import { exit, Refusal } from "./context.ts";
import type { ExportOptions } from "./export.ts";
import { textOf } from "./fields.ts";
import { type Ask, askUntil, converse } from "./prompt.ts";

/** What the conversation is about. */
export type Subject = {
  readonly language: Language;
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  readonly nowAt: number;
  /** What there is of a camera's stretch, in a sentence, and its bytes. */
  readonly look: (camera: string, asked: Span) => { readonly text: string; readonly bytes: number };
  /** Folders on whose disk nothing is handed out. */
  readonly own: readonly string[];
};
/** As the command's options would have said it. */
export type Answers = ExportOptions & { readonly case: string; readonly out: string };

/** So often a question is asked before we give up. */
const mostTries = 5;
/** Originals and viewing copies. */
const copies = 2;

type Talk = { readonly ask: Ask; readonly say: (line: string) => void; readonly words: ReturnType<typeof wordsIn>["asking"] };

/** Rejects with a Refusal where the person stops. */
export function interview(subject: Subject, say: (line: string) => void): Promise<Answers> {
  const words = wordsIn(subject.language).asking;
  return converse(async (ask) => {
    const talk = { ask, say, words };
    say(words.welcome);
    const camera = await askCameras(talk, subject);
    const { asked, bytes } = await askStretch(talk, subject, camera);
    const text = (question: string) => untilGood(talk, question, words.badText, plainText);
    const [request, agency] = [await text(words.request), await text(words.agency)];
    const [officer, purpose] = [await text(words.officer), await text(words.purpose)];
    const kind = await askCase(talk, subject.language);
    const witness = await untilGood(talk, words.witness, words.badText, (given) => (given.trim() === "" ? "" : plainText(given)));
    const out = await askPlace(talk, subject, bytes);
    const seal = await untilGood(talk, words.seal, words.badSeal, (given) => sealing(given, words.yes));
    await agree(talk, subject.language, out, bytes);
    const span = { from: iso(asked.fromAt), to: iso(asked.toAt) };
    return { camera, ...span, request, agency, officer, purpose, case: kind, ...(witness === "" ? {} : { witness }), out, seal };
  });
}

/** Asks until `read` gives something. */
function untilGood<T>(talk: Talk, question: string, bad: string, read: (given: string) => T | null): Promise<T> {
  return askUntil({ ...talk, stopped: talk.words.stopped }, question, (given) => {
    const found = read(given);
    return found === null ? { kind: "bad", why: bad, facts: {} } : { kind: "good", value: found };
  });
}

function sealing(given: string, yes: string): boolean | null {
  const said = given.trim().toLowerCase();
  return said === yes ? true : said === "" ? false : null;
}

function plainText(given: string): string | null {
  try {
    return textOf("text", given);
  } catch {
    return null;
  }
}

function askCameras(talk: Talk, { cameras }: Subject): Promise<readonly string[]> {
  talk.say(talk.words.cameras);
  for (const [i, { id, name }] of cameras.entries()) talk.say(`  ${i + 1}. ${name}${name === id ? "" : ` (${id})`}`);
  return untilGood(talk, talk.words.camera, talk.words.badCamera, (given) => {
    const wanted = given.split(/[,;\s]+/).filter((part) => part !== "");
    const found = wanted.flatMap((part) => cameras.filter(({ id }, i) => part === id || part === String(i + 1)).map(({ id }) => id));
    return wanted.length > 0 && found.length === wanted.length ? [...new Set(found)] : null;
  });
}

/** Asks until there is something to hand out. */
async function askStretch(talk: Talk, subject: Subject, cameras: readonly string[]): Promise<{ asked: Span; bytes: number }> {
  const { words, say } = talk;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const fromAt = await untilGood(talk, words.from, words.badTime, (given) => parseSpokenTime(given, subject.nowAt));
    const toAt = await untilGood(talk, words.to, words.badTime, (given) => parseSpokenTime(given, subject.nowAt));
    if (fromAt >= toAt) {
      say(words.badOrder);
      continue;
    }
    const asked = { fromAt, toAt };
    const bytes = show(talk, subject, cameras, asked);
    if (bytes > 0) return { asked, bytes };
    say(words.nothing);
  }
  throw new Refusal(exit.needsPerson, words.stopped);
}

function show({ say, words }: Talk, { look, cameras, language }: Subject, wanted: readonly string[], asked: Span): number {
  say(words.there);
  return wanted.reduce((sum, id) => {
    const { text, bytes } = look(id, asked);
    const name = cameras.find((camera) => camera.id === id)?.name ?? id;
    say(fill(words.line, { name, text, size: bytesText(bytes, language) }));
    return sum + bytes;
  }, 0);
}

function askCase(talk: Talk, language: Language): Promise<string> {
  const names = wordsIn(language).handover.cases;
  const list = cases.map((kind, i) => `${i + 1} ${names[kind]}`).join(", ");
  return untilGood(talk, fill(talk.words.case, { list }), talk.words.badCase, (given) => cases[Number(given.trim()) - 1] ?? null);
}

/** A stick by its number, or a folder by its path; there must be room. */
async function askPlace(talk: Talk, { language, own }: Subject, bytes: number): Promise<string> {
  const { say, words } = talk;
  const found = (await makeSticks().find()).filter(({ folder }) => folder === null || !own.some((path) => isUnder(path, folder)));
  const mounted = found.flatMap(({ folder, label, freeBytes }) => (folder === null ? [] : [{ folder, label, freeBytes }]));
  say(mounted.length === 0 ? words.noStick : words.sticks);
  for (const [i, { folder, label, freeBytes }] of mounted.entries())
    say(
      fill(words.stick, {
        n: i + 1,
        label: `${label ?? ""} ${folder}`.trim(),
        free: freeBytes === null ? "?" : bytesText(freeBytes, language),
      }),
    );
  for (const { folder, device } of found) if (folder === null) say(fill(words.unmounted, { device }));
  for (let tries = 0; tries < mostTries; tries += 1) {
    const given = (await talk.ask(words.where))?.trim();
    if (given === undefined) break;
    const place = mounted[Number(given) - 1]?.folder ?? (given === "" ? null : resolve(given));
    const free = place === null ? null : await freeOf(place);
    if (place !== null && free !== null && free >= copies * bytes) return place;
    say(free === null ? words.noFolder : fill(words.lacks, { need: bytesText(copies * bytes, language), free: bytesText(free, language) }));
  }
  throw new Refusal(exit.needsPerson, words.stopped);
}

const isUnder = (path: string, folder: string) => folder === "/" || path === folder || path.startsWith(`${folder}/`);

const freeOf = (folder: string) =>
  statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );

/** Says how long it will take, measured at the place itself. */
async function agree({ ask, say, words }: Talk, language: Language, folder: string, bytes: number): Promise<void> {
  const speed = await makeSticks().speed(folder);
  if (speed === null) throw new Refusal(exit.needsPerson, `${folder}: ${words.noFolder}`);
  const length = durationText(wholeMs(bytes, speed), language);
  say(fill(words.summary, { size: bytesText(copies * bytes, language), folder, length }));
  const given = await ask(words.start);
  if (given === null || given.trim() !== "") throw new Refusal(exit.needsPerson, words.stopped);
}
