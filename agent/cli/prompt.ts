/** Questions to a person at a terminal, on standard error so that the answer of a command stays clean. */
import { createInterface } from "node:readline";

/** Is there a person who can answer? */
export const isInteractive = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Asks one question; null where the terminal was closed (Ctrl-D, Ctrl-C). */
export type Ask = (question: string) => Promise<string | null>;

/** A conversation of one or more questions. What was typed ahead is not lost. */
export async function converse<T>(talk: (ask: Ask) => Promise<T>): Promise<T> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const typed: string[] = [];
  let isClosed = false;
  let wake = () => {};
  lines.on("line", (line) => {
    typed.push(line);
    wake();
  });
  lines.on("close", () => {
    isClosed = true;
    wake();
  });
  try {
    return await talk(async (question) => {
      lines.setPrompt(question);
      if (!isClosed) lines.prompt();
      while (typed.length === 0 && !isClosed)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return typed.shift() ?? null;
    });
  } finally {
    lines.close();
  }
}

/** A conversation of one question. */
export const ask: Ask = (question) => converse((askOne) => askOne(question));
