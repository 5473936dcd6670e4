/** Questions to a person at a terminal, on standard error so that the answer of a command stays clean. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { Read } from "../core/told.ts";
import { exit, Refusal } from "./context.ts";

/** Is there a person who can answer? */
export const isInteractive = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Asks one question; null where the terminal was closed (Ctrl-D, Ctrl-C). `hidden`: what is typed is not shown. */
export type Ask = (question: string, as?: "hidden") => Promise<string | null>;

/** A conversation of one or more questions. What was typed ahead is not lost. `closed` is aborted when the terminal is. */
export async function converse<T>(talk: (ask: Ask, closed: AbortSignal) => Promise<T>): Promise<T> {
  const screen = makeScreen();
  // No history: an earlier answer may be a password.
  const lines = createInterface({ input: process.stdin, output: screen.stream, terminal: isInteractive(), historySize: 0 });
  const typed: string[] = [];
  const closed = new AbortController();
  let wake = () => {};
  lines.on("line", (line) => {
    typed.push(line);
    wake();
  });
  lines.on("close", () => {
    closed.abort();
    wake();
  });
  const answer = async () => {
    while (typed.length === 0 && !closed.signal.aborted)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return typed.shift() ?? null;
  };
  const prompt = (question: string) => {
    lines.setPrompt(question);
    if (!closed.signal.aborted) lines.prompt();
  };
  const askHidden = async (question: string) => {
    process.stderr.write(question);
    screen.dark(true);
    prompt("");
    const said = await answer();
    screen.dark(false);
    process.stderr.write("\n");
    return said;
  };
  try {
    return await talk(async (question, as) => {
      if (as === "hidden") return askHidden(question);
      prompt(question);
      return answer();
    }, closed.signal);
  } finally {
    lines.close();
  }
}

/** Standard error, which can be darkened while a password is typed. */
function makeScreen() {
  let isDark = false;
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!isDark) process.stderr.write(chunk);
      done();
    },
  });
  // By this readline wraps long lines.
  Object.defineProperty(stream, "columns", { get: () => process.stderr.columns });
  const dark = (on: boolean) => {
    isDark = on;
  };
  return { stream, dark };
}

/** A conversation of one question. */
export const ask: Ask = (question, as) => converse((askOne) => askOne(question, as));

/** What a conversation needs beside its questions. */
export type Talk = {
  readonly ask: Ask;
  readonly say: (line: string) => void;
  /** Said where the person stops, or gives no answer that can be taken. */
  readonly stopped: string;
};

/** So often a question is asked before we give up. */
const mostTries = 5;

/** Asks until `read` takes the answer, and says each time why not. Throws a Refusal where the person stops. */
export async function askUntil<T>(
  talk: Talk,
  question: string,
  read: (given: string) => Read<T, string> | Promise<Read<T, string>>,
  as?: "hidden",
): Promise<T> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const given = await talk.ask(question, as);
    if (given === null) break;
    const found = await read(given);
    if (found.kind === "good") return found.value;
    talk.say(found.why);
  }
  throw new Refusal(exit.needsPerson, talk.stopped);
}
