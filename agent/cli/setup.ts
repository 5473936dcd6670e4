/**
 * `matghi setup`: from nothing to recording. Asks for what its options leave open, shows what it will write, writes it, tries the cameras,
 * starts the agent, waits for footage and station, prints the acceptance sheet. Formats nothing.
 */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Settings } from "../config/schema.ts";
import { formatProblem, loadConfig } from "../config.ts";
import { fill } from "../core/words.ts";
import { isLocked } from "../store/database.ts";
import { type Context, exit, Refusal, settingsOf } from "./context.ts";
import { converse, isInteractive } from "./prompt.ts";
import { type Desk, type SetupOptions, wordsAt } from "./setup/desk.ts";
import { checkWritable, writeAll } from "./setup/files.ts";
import { type Plan, planOf } from "./setup/plan.ts";
import { type Begun, runTrial, showSheet, startAgent } from "./setup/start.ts";

export async function setup(context: Context, options: SetupOptions, signal: AbortSignal): Promise<number> {
  const file = resolve(context.configFile);
  const [trialMs, waitMs] = [secondsOf("trial", options.trial, "60"), secondsOf("wait", options.wait, "180")];
  if (options.sheet === true) return sheetOf(context, file, waitMs, signal);
  if (existsSync(file) && options.replace !== true)
    throw new Refusal(
      exit.wrongUse,
      `${file} is there already; change it by hand and run matghi check-config, print its sheet with --sheet, or say --replace (the old one is kept beside it)`,
    );
  checkWritable(file);
  const plan = await agreed(context, file, options, signal);
  const settings = write(context, file, plan);
  const begun: Begun = { file, settings, tunnel: plan.tunnel, trialMs: waitMs === 0 ? 0 : trialMs, waitMs };
  const trials = await runTrial(context, begun, signal);
  if (options.start) await startAgent(context, begun);
  if (waitMs > 0) return showSheet(context, begun, trials, signal);
  if (context.json) context.out(JSON.stringify({ config: file, cameras: [], station: null }));
  return exit.fine;
}

function secondsOf(name: string, text: string, example: string): number {
  const seconds = Number(text);
  if (!Number.isSafeInteger(seconds) || seconds < 0 || text.trim() === "")
    throw new Refusal(exit.wrongUse, `--${name} ${text}: a number of seconds, for instance ${example}`);
  return seconds * 1_000;
}

/** The sheet of a site that is set up. */
function sheetOf(context: Context, file: string, waitMs: number, signal: AbortSignal): Promise<number> {
  const settings = settingsOf(context);
  if (!isLocked(settings.site.state)) throw new Refusal(exit.needsPerson, "the agent does not run; start it: systemctl start matghi");
  return showSheet(context, { file, settings, tunnel: null, trialMs: 0, waitMs }, new Map(), signal);
}

/** The plan, once a person or `--yes` has agreed to it. */
async function agreed(context: Context, file: string, options: SetupOptions, signal: AbortSignal): Promise<Plan> {
  const language = options.language === "en" ? "en" : "vi";
  const desk: Desk = { options, file, secrets: join(dirname(file), "secrets"), language, talk: null, signal };
  if (options.yes === true || !isInteractive() || context.json) {
    const plan = await planOf(desk);
    if (options.yes !== true)
      throw new Refusal(exit.wrongUse, `${plan.shown.join("\n")}\nnobody is at a terminal to agree; say --yes to write it`.split("\n"));
    context.err(plan.shown.join("\n"));
    return plan;
  }
  const words = wordsAt(desk);
  return converse(async (ask, closed) => {
    context.err(words.welcome);
    const talk = { ask, say: context.err, stopped: words.stopped };
    const plan = await planOf({ ...desk, talk, signal: AbortSignal.any([signal, closed]) });
    context.err(plan.shown.join("\n"));
    if ((await ask(words.ask))?.trim().toUpperCase() !== words.word) throw new Refusal(exit.needsPerson, words.notDone);
    return plan;
  });
}

/** Writes, and checks what stands there now as the agent will. */
function write(context: Context, file: string, { text, pieces, settings }: Plan): Settings {
  const words = wordsAt({ language: settings.site.language });
  const { isNew, kept } = writeAll(file, text, pieces, settings);
  context.err(fill(isNew ? words.written : words.same, { file }));
  if (kept !== null) context.err(fill(words.kept, { file: kept }));
  const loaded = loadConfig(file);
  if (loaded.kind === "bad")
    throw new Refusal(
      exit.needsPerson,
      loaded.problems.map((problem) => formatProblem(file, problem)),
    );
  for (const warning of loaded.warnings) context.err(formatProblem(file, warning));
  return loaded.settings;
}
