/** Questions to a person at a terminal, on standard error so that the answer of a command stays clean. */
import { createInterface } from "node:readline/promises";

/** Is there a person who can answer? */
export const isInteractive = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Asks one question; null where the terminal was closed (Ctrl-D, Ctrl-C). */
export async function ask(question: string): Promise<string | null> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = new Promise<null>((resolve) => lines.once("close", () => resolve(null)));
    return await Promise.race([lines.question(question).catch(() => null), closed]);
  } finally {
    lines.close();
  }
}
