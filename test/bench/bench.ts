/**
 * `npm run bench`: one table, ratios first, and `bench.json`.
 * What it takes: `usage`, below.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { joinedLine } from "../../agent/core/text.ts";
import { repository } from "../lib/cameras.ts";
import { commit, machine, writeResults } from "../proof/results.ts";
import { costOf } from "./cost.ts";
import { drainFigures, eventsTogether } from "./drain.ts";
import { exportFigures } from "./export.ts";
import { type Figure, rowOf, tell } from "./figures.ts";
import { sitesFigures } from "./herd.ts";
import { indexFigures, leastSegments } from "./index.ts";
import { lineFigures } from "./line.ts";
import { motion } from "./motion.ts";
import { figuresBeside } from "./others.ts";
import { pictureFigures } from "./picture.ts";
import { wireFigures } from "./wire.ts";
import { zoneminder } from "./zoneminder.ts";

type Options = {
  readonly cameras: readonly number[];
  readonly segments: readonly number[];
  readonly sites: readonly number[];
  readonly events: number;
  readonly turns: number;
  readonly windowMs: number;
};
/** One measurement, or why it cannot be made here. */
type Job = { readonly what: string; readonly measure: () => Promise<readonly Figure[] | string> };

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function indexOf(size: number): Promise<readonly Figure[]> {
  const figures = await indexFigures({ segments: size, gaps: Math.ceil(size / 10), isBare: false, say });
  return figures.map((figure) => ({ ...figure, name: `${figure.name}, ${size} segments` }));
}

/** The parts in their order, each with its measurements. */
const parts: Readonly<Record<string, (options: Options) => readonly Job[]>> = {
  cost: ({ cameras, turns, windowMs }) =>
    cameras.map((count) => ({ what: `cost of ${count} cameras`, measure: () => costOf(count, turns, windowMs, say) })),
  line: () => [
    { what: "line", measure: () => lineFigures(8) },
    { what: "wire", measure: () => wireFigures(4) },
  ],
  index: ({ segments }) => segments.map((size) => ({ what: `index of ${size} segments`, measure: () => indexOf(size) })),
  sites: ({ sites }) => sites.map((count) => ({ what: `${count} sites`, measure: () => sitesFigures(count, say) })),
  picture: ({ turns }) => [{ what: "picture", measure: () => pictureFigures(turns) }],
  drain: ({ events }) => [{ what: "drain", measure: () => drainFigures(events, say) }],
  export: ({ turns }) => [{ what: "export", measure: () => exportFigures(turns, say) }],
  // Other recorders are compared where they are installed. None is quoted that was not run.
  others: ({ turns, windowMs }) =>
    Object.entries({ motion, ZoneMinder: zoneminder }).map(([what, other]) => ({
      what,
      measure: () => figuresBeside(other, turns, windowMs, say),
    })),
};
const defaults = {
  ...{ cameras: "1,4,8,16", turns: "5", window: "60", segments: "1000,10000,100000,1000000", sites: "10,100,300,1000", events: "10000" },
  ...{ only: Object.keys(parts).join(","), out: join(repository, ".cache") },
};
const { only: all, out: _, ...rest } = defaults;
const usage = [
  `usage: npm run bench -- [--only ${all}]`,
  ...Object.entries(rest).map(([name, value]) => `[--${name} ${value}]`),
  "[--out FOLDER]",
].join(" ");

/** What the command line asks for; throws where it cannot be. */
function readOptions(): Options & { readonly only: readonly string[]; readonly out: string } {
  const asked = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: "string" as const }]));
  const values = { ...defaults, ...parseArgs({ options: asked }).values };
  const numbers = (name: "cameras" | "segments" | "sites", least = 1) => {
    const list = values[name].split(",").map(Number);
    if (!list.every((value) => Number.isInteger(value) && value >= least))
      throw new Error(`--${name} ${values[name]}: whole numbers from ${least}`);
    return list;
  };
  const multiple = (name: "turns" | "window" | "events", of = 1) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < of || value % of !== 0)
      throw new Error(`--${name} ${values[name]}: ${of === 1 ? "a whole number from 1" : `a multiple of ${of}`}`);
    return value;
  };
  const only = values.only.split(",");
  const strange = only.find((part) => !Object.hasOwn(parts, part));
  if (strange !== undefined) throw new Error(`there is no part ${strange}`);
  const [cameras, segments, sites] = [numbers("cameras"), numbers("segments", leastSegments), numbers("sites")];
  const [turns, windowMs, events] = [multiple("turns"), multiple("window") * 1_000, multiple("events", eventsTogether)];
  // Known before anything is measured: an hour's figures would have no place.
  mkdirSync(values.out, { recursive: true });
  return { only, out: values.out, cameras, segments, sites, events, turns, windowMs };
}

type Found = { readonly figures: readonly Figure[]; readonly missing: readonly string[]; readonly broken: readonly string[] };

/** One after the other. What broke costs the others nothing. */
async function measureAll(jobs: readonly Job[]): Promise<Found> {
  const [figures, missing, broken]: [Figure[], string[], string[]] = [[], [], []];
  for (const { what, measure } of jobs) {
    say(`  ${what}`);
    try {
      const found = await measure();
      if (typeof found === "string") missing.push(`${what}: ${found}`);
      else figures.push(...found);
    } catch (error) {
      broken.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { figures, missing, broken };
}

/** 1 where a bound is missed or a measurement broke; what is not installed here is no failure. */
async function main(options: ReturnType<typeof readOptions>): Promise<number> {
  say(`bench: ${machine()}, load ${loadavg()[0]?.toFixed(2)}, ${commit()}`);
  const { figures, missing, broken } = await measureAll(options.only.flatMap((part) => parts[part]?.(options) ?? []));
  const told = figures.map(tell);
  const rows = [...told.filter(({ unit }) => unit === "×"), ...told.filter(({ unit }) => unit !== "×")].map(rowOf);
  say("\n| what | median | min–max | runs |\n|---|---|---|---|");
  for (const row of rows) say(`| ${row.join(" | ")} |`);
  for (const what of [...broken, ...missing]) say(`NOT MEASURED: ${what}`);
  const file = join(options.out, "bench.json");
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), machine: machine(), commit: commit(), figures: told, missing, broken }, null, 1)}\n`,
  );
  say(`\nbench: ${file}`);
  writeResults("bench", rows);
  return broken.length === 0 && told.every(({ holds }) => holds !== false) ? 0 : 1;
}

function optionsOrUsage(): ReturnType<typeof readOptions> | null {
  try {
    return readOptions();
  } catch (error) {
    process.stderr.write(`bench: ${joinedLine(error instanceof Error ? error.message : String(error))}; ${usage}\n`);
    return null;
  }
}

const options = optionsOrUsage();
// What a broken measurement left running ends with this process.
process.exit(options === null ? 2 : await main(options));
