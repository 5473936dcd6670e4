/** A command at a real terminal (util-linux `script` makes the pty), answered as by a person who waits for each question. */
import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { program } from "./agent.ts";

/** What is waited for on the screen, and what is typed then. */
export type Answering = readonly [question: RegExp, typed: string];

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Runs `matghi`; resolves with its exit code and all that stood on the screen. Ends it after `ms`. */
export function atTerminal(
  args: readonly string[],
  answers: readonly Answering[],
  { ms = 60_000, env = {} }: { readonly ms?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<{ readonly code: number | null; readonly screen: string }> {
  const command = [process.execPath, program, ...args].map(quoted).join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
  let raw = "";
  const shown = () => stripVTControlCharacters(raw).replaceAll("\r", "");
  let seenTo = 0;
  const left = [...answers];
  child.stdout.on("data", (data: Buffer) => {
    raw += data.toString();
    const screen = shown();
    const [question, typed] = left[0] ?? [];
    const found = question?.exec(screen.slice(seenTo));
    if (found == null || typed === undefined) return;
    seenTo += found.index + found[0].length;
    left.shift();
    child.stdin.write(typed);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), ms);
  return new Promise((resolve) =>
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, screen: shown() });
    }),
  );
}
