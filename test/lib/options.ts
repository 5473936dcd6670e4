/** Options of a command line, as a table of cases wants them. */

/** `args` with `more` behind them: an option of `more` takes the place of its own in `args`, but for `--camera`, which may come again. */
export function withOptions(args: readonly string[], more: readonly string[]): readonly string[] {
  const nameOf = (word: string) => word.replace(/^--no-/, "--");
  const said = new Set(more.filter((word) => word.startsWith("--") && word !== "--camera").map(nameOf));
  const isReplaced = (word: string, i: number) => said.has(nameOf(word)) || (!word.startsWith("--") && said.has(nameOf(args[i - 1] ?? "")));
  return [...args.filter((word, i) => !isReplaced(word, i)), ...more];
}
