/** Takes out of texts what must not leave the box: secrets, credentials, keys, phone numbers, names of persons. */

/** Shorter than this a secret is part of common words: taking it out would spoil the text and tell what it is. Addresses lose it all the same. */
const shortestMasked = 4;
/** What stands where something was taken out. */
export const masked = "***";

/** Takes user information out of addresses and every known secret out of the rest, as they stand and as JSON or an address would write them. */
export function redact(text: string, secrets: readonly string[]): string {
  const bare = text.replace(/:\/\/[^\s/@"']*@/g, "://");
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  return forms.reduce((rest, secret) => (secret.length < shortestMasked ? rest : rest.replaceAll(secret, masked)), bare);
}

/** Long hexadecimal words are hashes and ids: digits in them are nobody's number. */
const hash = String.raw`\b(?=[0-9a-f-]*[a-f])[0-9a-f]{8}[0-9a-f-]{8,}\b`;
/** Vietnamese numbers: 0, 84, +84, 0084 or (0…) and nine digits, ten of a fixed line; between two of them one or two blanks, dots, dashes, brackets. */
const phone = String.raw`(?<!\d)(?:(?:\+|00)84[\s.()-]{0,2}0?|\(?84[\s.()-]{0,2}|\(?0)(?:2(?:[\s.()-]{0,2}\d){8,9}|[35789](?:[\s.()-]{0,2}\d){8})(?!\d)`;
/** The zero set apart: 0 912 345 678. */
const apart = String.raw`(?<![\d.])0[ .-][235789]\d{2}[ .-]\d{3}[ .-]\d{3}(?!\d)`;
/** Calls without the long way round: 1800 1234, 1900 1234. */
const hotline = String.raw`(?<![\w.])1[89]00[ .-]?\d{2}[ .-]?\d{2,4}(?![\d-])`;
const numbers = new RegExp(`${hash}|${phone}|${apart}|${hotline}`, "g");
const keyBlock = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const login = /\b(Basic|Bearer|Digest)\s+[\w+/=.~-]{8,}/gi;
/** A mark within a value ends it only where another name with its value follows at once: `password=ab_cd` and `password=ab_channel=1`. */
const assigned =
  /(?<![a-z])(pass(?:word|wd|phrase)?|pwd|token|secret|mat_?khau)("?\s*[=:]\s*"?)(?!\s|\*\*\*|null\b)(?:[^\s&_/;,"']|[&_/;,](?![a-z\d-]{0,40}[=:]|\s|$))+/gim;

/** As `redact`, and whatever looks like a key, a login or a phone number, known to us or not. */
export function scrub(text: string, secrets: readonly string[]): string {
  return redact(text.replace(keyBlock, masked), secrets)
    .replace(login, `$1 ${masked}`)
    .replace(assigned, `$1$2${masked}`)
    .replace(numbers, (found) => (/[a-f]/.test(found) ? found : masked));
}

/** Facts that people write freely: persons, papers and reasons may stand in them. */
const privateFacts = new Set(
  "group unit rule recipients dutyPhone username password hostname request officer agency purpose witness reason phone".split(" "),
);

/** A value with every text in it scrubbed, and without what people write freely. Numbers and names of facts are ours. */
export function scrubFacts(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === "string") return scrub(value, secrets);
  if (Array.isArray(value)) return value.map((entry) => scrubFacts(entry, secrets));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([fact, entry]) => [fact, privateFacts.has(fact) && entry !== null ? masked : scrubFacts(entry, secrets)]),
  );
}

/** A log: a key reaches over its lines, everything else stands on one. */
export const scrubLog = (text: string, secrets: readonly string[]): string =>
  text
    .replace(keyBlock, masked)
    .split("\n")
    .map((line) => scrubLine(line, secrets))
    .join("\n");

/** A line of a log: JSON is taken apart, so that its numbers stay numbers; anything else is text. */
function scrubLine(line: string, secrets: readonly string[]): string {
  const at = line.indexOf("{");
  if (at < 0 || !line.endsWith("}")) return scrub(line, secrets);
  try {
    const facts: unknown = JSON.parse(line.slice(at));
    return `${scrub(line.slice(0, at), secrets)}${JSON.stringify(scrubFacts(facts, secrets))}`;
  } catch {
    return scrub(line, secrets);
  }
}
