/** The tables of last results in test/README.md, between two marks: each row with its day and commit, since a run may be of one part only. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { repository } from "../lib/cameras.ts";

export const readme = join(repository, "test/README.md");

/** What ran where, in one line without any name of a machine. */
export function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? "?"}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, node ${process.version}`;
}

export function commit(): string {
  try {
    const run = (...args: readonly string[]) => execFileSync("git", ["-C", repository, ...args], { encoding: "utf8" }).trim();
    // Results that another run wrote down change nothing of what is measured.
    const changed = run("status", "--porcelain", "--untracked-files=no", "--", ".", ":!test/README.md");
    return `${run("rev-parse", "--short", "HEAD")}${changed === "" ? "" : " with changes"}`;
  } catch {
    return "no commit";
  }
}

const heads = {
  faults: ["fault", "what must hold", "result", "figures", "on"],
  bench: ["what", "median", "min–max", "runs", "on"],
} as const;
type Row = readonly string[];

const cellsOf = (line: string): Row =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
const lineOf = (row: Row): string => `| ${row.join(" | ")} |`;

/** What stands between the marks with the new rows in it: each in the place of the one of its name, new names at the end. */
export function mergedRows(text: string, rows: readonly Row[]): readonly Row[] {
  const [, , ...old] = text.split("\n").filter((line) => line.startsWith("|"));
  const fresh = new Map(rows.map((row) => [row[0], row]));
  const kept = old.map(cellsOf).map((row) => fresh.get(row[0]) ?? row);
  const names = new Set(kept.map(([name]) => name));
  return [...kept, ...rows.filter(([name]) => !names.has(name))];
}

/** Puts the rows between `<!-- faults -->` and `<!-- /faults -->` (or the like) of test/README.md, each with its day and commit. */
export function writeResults(mark: keyof typeof heads, rows: readonly Row[]): void {
  const text = readFileSync(readme, "utf8");
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`test/README.md has no place for ${mark}: put ${begin} and ${end} where the table belongs`);
  const on = `${new Date().toISOString().slice(0, 10)}, ${commit()}`;
  const dated = rows.map((row) => [...row.map((cell) => cell.replaceAll("|", "/").trim()), on]);
  const [head, rule] = [heads[mark], heads[mark].map(() => "---")];
  const table = [head, rule, ...mergedRows(text.slice(from, to), dated)].map(lineOf);
  writeFileSync(readme, `${text.slice(0, from + begin.length)}\nLast on ${machine()}:\n\n${table.join("\n")}\n${text.slice(to)}`);
}
