/** Who the site is and which station it belongs to: by the station's enrolment file, by options, or as a person says. */
import { wallOf } from "../../../hal/clock.ts";
import { mostIdChars, slugOf } from "../../core/found.ts";
import type { Told } from "../../core/setup.ts";
import { good } from "../../core/told.ts";
import { fill, wordsIn } from "../../core/words.ts";
import type { Enrolment } from "../../enrolment.ts";
import { exit, Refusal } from "../context.ts";
import { accepted, codeIn, judgeEnrolment, openEnvelope, placesOf, readEnvelope } from "../envelope.ts";
import { askUntil, type Talk } from "../prompt.ts";
import { asked, type Desk, readId, readText, wordsAt } from "./desk.ts";

/** What the station handed out; null: the box works alone, or was told its station by options. */
export async function enrolmentOf(desk: Desk): Promise<Enrolment | null> {
  const { enroll, station } = desk.options;
  if (enroll !== undefined && station !== undefined)
    throw new Refusal(exit.wrongUse, "--enroll beside --station: the enrolment file says all of the station; leave --station away");
  if (enroll !== undefined) return enrolmentIn(desk, enroll);
  return station !== undefined || desk.talk === null ? null : askEnrolment(desk, desk.talk);
}

async function enrolmentIn(desk: Desk, file: string): Promise<Enrolment> {
  const sealed = accepted(file, readEnvelope(file));
  const { enrollCodeFile } = desk.options;
  const opened =
    enrollCodeFile === undefined
      ? await askCode(desk, asked(desk, "--enroll without --enroll-code-file"), sealed)
      : accepted(file, openEnvelope(sealed, codeIn(enrollCodeFile)));
  return accepted(file, judgeEnrolment(opened, nowAt()));
}

const nowAt = () => wallOf({ driver: "none" });

function askCode(desk: Desk, talk: Talk, sealed: string): Promise<Enrolment> {
  const words = wordsIn(desk.language).enroll;
  return askUntil(talk, words.ask, (given) => {
    const opened = openEnvelope(sealed, given);
    return opened.kind === "good" ? opened : { ...opened, why: words.faults[opened.why] };
  });
}

async function askEnrolment(desk: Desk, talk: Talk): Promise<Enrolment | null> {
  const words = wordsAt(desk);
  const { faults } = wordsIn(desk.language).enroll;
  const enrolment = await askUntil<Enrolment | null>(talk, words.enrolment, async (given) => {
    if (given.trim() === "") return good(null);
    const sealed = readEnvelope(given.trim());
    if (sealed.kind === "bad") return { ...sealed, why: faults[sealed.why] };
    const judged = judgeEnrolment(await askCode(desk, talk, sealed.value), nowAt());
    return judged.kind === "good" ? judged : { ...judged, why: faults[judged.why] };
  });
  talk.say(
    enrolment === null ? words.notEnrolled : fill(words.enrolled, { site: enrolment.site, commune: enrolment.commune, url: enrolment.url }),
  );
  return enrolment;
}

/** Name and ids; those of an enrolment are not asked for, and no option may say another. */
export async function siteOf(desk: Desk, enrolment: Enrolment | null): Promise<Told["site"]> {
  const { options } = desk;
  for (const [key, theirs] of [["id", enrolment?.site] as const, ["commune", enrolment?.commune] as const])
    if (theirs !== undefined && options[key] !== undefined && options[key] !== theirs)
      throw new Refusal(exit.wrongUse, `--${key} ${options[key]}: the enrolment file is for ${theirs}; take the file made for this box`);
  const words = wordsAt(desk);
  const name = options.name ?? (await askUntil(asked(desk, "--name is missing"), words.name, (given) => readText(desk, given)));
  const guess = slugOf(name).slice(0, mostIdChars);
  const id =
    options.id ??
    enrolment?.site ??
    (await askUntil(asked(desk, "--id is missing"), fill(words.id, { id: guess }), (given) => readId(desk, given, guess)));
  const commune =
    options.commune ??
    enrolment?.commune ??
    (await askUntil(asked(desk, "--commune is missing"), words.commune, (given) => readId(desk, given)));
  const { language, state } = options;
  return { id, commune, name, ...(language === undefined ? {} : { language }), ...(state === undefined ? {} : { state }) };
}

/** Keys of `station`; `passwordFile` is where its password will stand. */
export function stationOf({ options, file }: Desk, enrolment: Enrolment | null, passwordFile: string): Told["station"] {
  if (enrolment !== null) return { url: enrolment.url, ...placesOf(file) };
  if (options.station === undefined || options.station === false) return null;
  const keys = {
    ...{ url: options.station, ca: options.stationCa, cert: options.stationCert, key: options.stationKey },
    username: options.stationUsername,
    passwordFile: options.stationPasswordFile === undefined ? undefined : passwordFile,
  };
  return Object.fromEntries(Object.entries(keys).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])));
}
