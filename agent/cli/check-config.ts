/** `matghi check-config`: the configuration, nothing else. */
import { formatProblem, loadConfig, type Problem } from "../config.ts";
import { fill, wordsIn } from "../core/words.ts";
import { type Context, exit } from "./context.ts";

export function checkConfig(context: Context): number {
  const loaded = loadConfig(context.configFile);
  const problems = loaded.kind === "bad" ? loaded.problems : loaded.warnings;
  const ok = loaded.kind === "good";
  if (context.json) context.out(JSON.stringify({ ok, problems: problems.map(problemJson) }));
  else for (const problem of problems) context.err(formatProblem(context.configFile, problem));
  if (loaded.kind === "bad") return exit.wrongUse;
  const { site, cameras } = loaded.settings;
  if (!context.json) context.out(fill(wordsIn(site.language).configGood, { site: site.id, cameras: cameras.length }));
  return exit.fine;
}

const problemJson = ({ line, column, path, message, cure }: Problem) => ({ line, column, path, message, cure });
