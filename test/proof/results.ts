/** The table of last results in test/README.md, between two marks, with the day, the commit and the machine. */
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
    return `${run("rev-parse", "--short", "HEAD")}${run("status", "--porcelain", "--untracked-files=no") === "" ? "" : " with changes"}`;
  } catch {
    return "no commit";
  }
}

/** Puts the rows between `<!-- faults -->` and `<!-- /faults -->` (or the like) of test/README.md. */
export function writeResults(mark: "faults" | "bench", rows: readonly (readonly string[])[]): void {
  const text = readFileSync(readme, "utf8");
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`test/README.md has no place for ${mark}: put ${begin} and ${end} where the table belongs`);
  const head = mark === "faults" ? ["fault", "what must hold", "result", "figures"] : ["what", "median", "min–max", "runs"];
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, ${commit()}, ${machine()}:`,
    "",
    ...[head, head.map(() => "---"), ...rows].map((row) => `| ${row.map((cell) => cell.replaceAll("|", "/")).join(" | ")} |`),
  ];
  writeFileSync(readme, `${text.slice(0, from + begin.length)}\n${lines.join("\n")}\n${text.slice(to)}`);
}
