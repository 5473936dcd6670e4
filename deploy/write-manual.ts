/** Writes matghi.1 and the completion into a folder, from the built command line. usage: write-manual.js FOLDER */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../agent/version.ts";
import { type CommandHelp, completion, manPage, namesIn, readHelp } from "./manual.ts";

const program = join(import.meta.dirname, "../agent/cli.js");
const helpOf = (...words: readonly string[]): CommandHelp =>
  readHelp(words.join(" "), execFileSync(process.execPath, [program, ...words, "--help"], { encoding: "utf8" }));

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("usage: write-manual.js FOLDER");
const top = helpOf();
const commands = namesIn(top).flatMap((name) => {
  const help = helpOf(name);
  return [help, ...namesIn(help).map((inner) => helpOf(name, inner))];
});
// The date of the sources, where it is known, so that the same sources make the same page.
const at = process.env.SOURCE_DATE_EPOCH === undefined ? Date.now() : Number(process.env.SOURCE_DATE_EPOCH) * 1_000;
writeFileSync(join(folder, "matghi.1"), manPage(top, commands, version, new Date(at).toISOString().slice(0, 10)));
writeFileSync(join(folder, "completion"), completion(top, commands));
