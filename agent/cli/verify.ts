/** `matghi verify DIR`: needs no configuration, no network, no box. */
import { onOneLine } from "../core/text.ts";
import { fill, type Language, wordOf, wordsIn } from "../core/words.ts";
import { verifyFolder } from "../verify.ts";
import { type Context, exit } from "./context.ts";

/** Whoever checks may be anybody: Vietnamese unless the environment speaks English. */
const languageOf = (env: NodeJS.ProcessEnv): Language => (/^en/i.test(env.LC_ALL || env.LC_MESSAGES || env.LANG || "") ? "en" : "vi");

export async function verify(context: Context, folder: string): Promise<number> {
  const { result, problems, fingerprint } = await verifyFolder(folder);
  const words = wordsIn(languageOf(process.env)).handover;
  const text = [
    fill(words.results[result], { key: fingerprint ?? "" }),
    ...problems.map(({ file, what }) => `  ${onOneLine(file)}: ${wordOf(words.what, what)}`),
  ];
  context.out(context.json ? JSON.stringify({ result, problems, key: fingerprint }) : text.join("\n"));
  if (result === "unaltered") return exit.fine;
  return problems.some(({ what }) => what === "no such folder") ? exit.notFound : exit.needsPerson;
}
