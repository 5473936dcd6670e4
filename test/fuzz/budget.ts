/**
 * A law that is tried on drawn cases for its share of the time. MATGHI_FUZZ_SECONDS: for all laws together (15 in the suite);
 * MATGHI_FUZZ_SEED: the seed that a failure printed; MATGHI_FUZZ_ONLY: part of a law's name. The seed and the number of cases are printed, also where all went well.
 */
import fc from "fast-check";

/** The laws, each with its weight; `npm run fuzz -- --only NAME` picks by their names. */
const laws = {
  ...{ "configuration text": 2, "configuration tree": 2, "lines of ffmpeg": 3, "answers of ffprobe": 1, "replies of ONVIF": 3 },
  ...{
    "messages of the station": 2,
    "holds of an officer": 2,
    "database with flipped bits": 4,
    "evidence folder": 2,
    "signed nonsense": 1,
  },
} as const;
export type Law = keyof typeof laws;

const only = process.env.MATGHI_FUZZ_ONLY ?? "";
const isWanted = (name: string) => name.includes(only);
const whole = Object.entries(laws).reduce((sum, [name, weight]) => sum + (isWanted(name) ? weight : 0), 0);
const seconds = Number(process.env.MATGHI_FUZZ_SECONDS ?? 15);
const seed = process.env.MATGHI_FUZZ_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.MATGHI_FUZZ_SEED);
/** A slow machine tries less, and never nothing. */
const fewestCases = 3;

/**
 * Tries `law` on the cases that broke it once (`known`), then on drawn ones until its time is over. Throws at the first that breaks it, made
 * as small as the time allows.
 */
export async function fuzz<T>(
  name: Law,
  cases: fc.Arbitrary<T>,
  law: (value: T) => void | Promise<void>,
  known: readonly T[] = [],
): Promise<void> {
  if (!isWanted(name)) return;
  for (const value of known) await law(value);
  const shareMs = (seconds * 1_000 * laws[name]) / whole;
  const began = performance.now();
  let tried = 0;
  const property = fc.asyncProperty(cases, async (value) => {
    tried += 1;
    await law(value);
  });
  const limits = { seed, numRuns: 1_000_000_000, interruptAfterTimeLimit: shareMs, markInterruptAsFailure: false };
  const found = await fc.check(property, limits);
  const failed = found.counterexample !== null;
  for (let i = 0; !failed && tried < fewestCases; i += 1) await fc.assert(property, { seed: seed + 1 + i, numRuns: 1 });
  const took = ((performance.now() - began) / 1_000).toFixed(1);
  process.stdout.write(`fuzz: ${name}: ${tried} cases in ${took} s, seed ${seed}\n`);
  const why = found.errorInstance instanceof Error ? found.errorInstance.message : String(found.errorInstance);
  if (failed) throw new Error(`npm run fuzz -- --seed ${seed} --only "${name}"\n${why}\n${await fc.asyncDefaultReportMessage(found)}`);
}

/** One change of a text or of bytes, at a place between its begin (0) and its end (1). */
export type Mutation = {
  readonly kind: "cut" | "insert" | "repeat" | "swap";
  readonly at: number;
  readonly length: number;
  readonly text: string;
};

/** Any UTF-16, halves of pairs too. fast-check's own `unit: "binary"` takes a second to build. */
export const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ maxLength, unit: fc.oneof(fc.nat(0xff), fc.nat(0xffff)).map((code) => String.fromCharCode(code)) });

/** Changes of a text in which the pieces of its grammar come often. */
export function mutationsOf(pieces: readonly string[]): fc.Arbitrary<readonly Mutation[]> {
  const one = fc.record<Mutation>({
    kind: fc.constantFrom("cut", "insert", "repeat", "swap"),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(60),
    text: fc.oneof(fc.constantFrom(...pieces), anyText(20)),
  });
  return fc.array(one, { minLength: 1, maxLength: 5 });
}

export function mutated(text: string, { kind, at, length, text: piece }: Mutation): string {
  const from = Math.floor(at * text.length);
  const [head, cut, tail] = [text.slice(0, from), text.slice(from, from + length), text.slice(from + length)];
  if (kind === "cut") return head + tail;
  if (kind === "insert") return head + piece + cut + tail;
  return kind === "repeat" ? head + cut + cut + tail : head + piece + tail;
}
