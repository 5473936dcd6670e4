/**
 * `npm run bench`: one table, ratios first, and `bench.json`.
 * usage: npm run bench -- [--only cost,line,index,export,others] [--cameras 1,4,8,16] [--turns 5] [--window 60] [--segments 1000,100000] [--out FOLDER]
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repository } from "../lib/cameras.ts";
import { commit, machine, writeResults } from "../proof/results.ts";
import { costOf } from "./cost.ts";
import { type Figure, rowOf, tell } from "./figures.ts";
import { lineFigures } from "./line.ts";
import { motion } from "./motion.ts";
import { figuresBeside } from "./others.ts";
import { wireFigures } from "./wire.ts";
import { zoneminder } from "./zoneminder.ts";

const parts = ["cost", "line", "index", "export", "others"] as const;
const usage = `usage: npm run bench -- [--only ${parts.join(",")}] [--cameras 1,4,8,16] [--turns 5] [--window 60] [--segments 1000,100000] [--out FOLDER]`;
const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Runs another benchmark as it is and takes the rows of its table: what, value with unit, bound. */
function tableOf(script: string, args: readonly string[], suffix: string): readonly Figure[] | string {
  const file = join(repository, "dist/test/bench", script);
  if (!existsSync(file)) return `${script} is not there`;
  const { stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: "utf8", maxBuffer: 64 << 20 });
  const figures = stdout.split("\n").flatMap((line): Figure[] => {
    const [what, found, bound] = line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1);
    const [, value, unit] = /^([\d.]+) (\S.*)$/.exec(found ?? "") ?? [];
    if (what === undefined || value === undefined || unit === undefined) return [];
    const most = /≤ ([\d.]+)/.exec(bound ?? "")?.[1];
    return [{ name: `${what}${suffix}`, unit, values: [Number(value)], most: most === undefined ? null : Number(most) }];
  });
  return figures.length > 0 ? figures : `${script} printed no table: ${stderr.trim().split("\n").at(-1) ?? ""}`;
}

/** Other recorders are compared where they are installed. None is quoted that was not run. */
const others = Object.entries({ motion, ZoneMinder: zoneminder });

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: parts.join(",") },
      cameras: { type: "string", default: "1,4,8,16" },
      turns: { type: "string", default: "5" },
      window: { type: "string", default: "60" },
      segments: { type: "string", default: "1000,10000,100000,1000000" },
      out: { type: "string", default: join(repository, ".cache") },
    },
  });
  const only = values.only.split(",");
  const [counts, sizes] = [values.cameras, values.segments].map((list) => list.split(",").map(Number));
  const [turns, windowS] = [Number(values.turns), Number(values.window)];
  const numbers = [...(counts ?? []), ...(sizes ?? []), turns, windowS];
  const strange = only.find((part) => !parts.some((known) => known === part));
  if (strange !== undefined || !numbers.every((value) => Number.isFinite(value) && value > 0))
    throw new Error(strange ?? "a number is none");
  say(`bench: ${machine()}, load ${loadavg()[0]?.toFixed(2)}, ${commit()}`);
  const figures: Figure[] = [];
  const missing: string[] = [];
  const take = (what: string, found: readonly Figure[] | string) => {
    if (typeof found === "string") missing.push(`${what}: ${found}`);
    else figures.push(...found);
  };
  for (const count of only.includes("cost") ? (counts ?? []) : []) take("cost", await costOf(count, turns, windowS * 1_000, say));
  if (only.includes("line")) take("line", [...(await lineFigures(8)), ...(await wireFigures(4))]);
  for (const size of only.includes("index") ? (sizes ?? []) : []) {
    say(`  an index of ${size} segments`);
    const args = ["--segments", String(size), "--gaps", String(Math.max(1_000, size / 10)), ...(size > 100_000 ? ["--bare"] : [])];
    take("index", tableOf("index.js", args, `, ${size} segments`));
  }
  if (only.includes("export")) take("export", tableOf("export.js", [], ""));
  for (const [name, other] of only.includes("others") ? others : []) take(name, await figuresBeside(other, turns, windowS * 1_000, say));
  const told = figures.map(tell);
  const rows = [...told.filter(({ unit }) => unit === "×"), ...told.filter(({ unit }) => unit !== "×")].map(rowOf);
  say("\n| what | median | min–max | runs |\n|---|---|---|---|");
  for (const row of rows) say(`| ${row.join(" | ")} |`);
  for (const what of missing) say(`NOT MEASURED: ${what}`);
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, "bench.json");
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), machine: machine(), commit: commit(), figures: told, missing }, null, 1)}\n`,
  );
  say(`\nbench: ${file}`);
  writeResults("bench", rows);
  return told.every(({ holds }) => holds !== false) ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}; ${usage}\n`);
    process.exitCode = 2;
  },
);
