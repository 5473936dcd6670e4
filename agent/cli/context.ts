/** What every command is given: where to read, where to write, and how to fail with one line that names the next step. */
import { statSync } from "node:fs";
import { userInfo } from "node:os";
import { wallOf } from "../../hal/clock.ts";
import type { Settings } from "../config/schema.ts";
import { formatProblem, loadConfig } from "../config.ts";
import { makeDating, type UtcMs } from "../core/dating.ts";
import { onOneLine } from "../core/text.ts";
import type { Asking } from "../query.ts";
import { isLocked } from "../store/database.ts";
import { openReads } from "../store/store.ts";

export type Context = {
  readonly configFile: string;
  readonly json: boolean;
  /** On whose behalf, where it is not the account that runs the command. */
  readonly account?: string;
  readonly out: (text: string) => void;
  readonly err: (line: string) => void;
};

/** Exit codes of contract §3. */
export const exit = { fine: 0, needsPerson: 1, wrongUse: 2, notFound: 3 } as const;

/** A command that stops with one line and a code, whatever its arguments held; several lines only where they are given as such. */
export class Refusal extends Error {
  readonly code: number;
  constructor(code: number, said: string | readonly string[]) {
    super([said].flat().map(onOneLine).join("\n"));
    this.code = code;
  }
}

/** SIGTERM and SIGINT, as the one way to stop. */
export function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

/** Rules about what surrounds the agent: they are its own and `check-config`'s, and no reason not to answer a question. */
export const surroundingRules = ["system-disk", "no-file", "not-file", "secret-mode", "secret-empty", "secret-owner", "closed-folder"];

/** The settings, for whoever may read the state; or every problem on its line. `hold`: surrounding rules that hold here all the same. */
export function settingsOf(context: Context, hold: readonly string[] = []): Settings {
  const tolerate = surroundingRules.filter((rule) => !hold.includes(rule));
  const loaded = loadConfig(context.configFile, tolerate);
  if (loaded.kind === "good") {
    checkUser(loaded.settings);
    return loaded.settings;
  }
  throw new Refusal(
    exit.wrongUse,
    loaded.problems.map((problem) => formatProblem(context.configFile, problem)),
  );
}

/** Root, or the owner of the state folder: anyone else could only half read it. */
export function checkUser(settings: { readonly site: Pick<Settings["site"], "state"> }): void {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return;
  try {
    if (statSync(settings.site.state).uid === uid) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") return;
  }
  throw new Refusal(exit.wrongUse, "run this as root or as the agent's user: sudo matghi …");
}

/** Whom audit and sheet name as the one who ran the command. */
export const accountOf = ({ account }: Context): string => account ?? process.env.SUDO_USER ?? userInfo().username;

/** A question of the command line to the store. */
export type Session = Asking;

/** The agent's clock as the command line has it: a rehearsal shifts both alike. */
export const nowUtc = (settings: Settings): UtcMs => wallOf(settings.clock);

/** Opens the store for reading, asks, closes. `check`: throws where the question itself is wrong, which is said first where there is nobody to ask. */
export function reading<T>(context: Context, ask: (session: Session) => T, check?: (nowAt: UtcMs) => unknown): T {
  const settings = settingsOf(context);
  const store = openReads(settings.site.state);
  if (store === null) check?.(nowUtc(settings));
  if (store === null)
    throw new Refusal(exit.notFound, `nothing has been recorded in ${settings.site.state} yet; start the agent: matghi run`);
  try {
    const running = isLocked(settings.site.state);
    const dating = makeDating(store.boots());
    const live = store.live();
    const wallAt = nowUtc(settings);
    // The agent's own scale counts while it runs; its live row says what time it has.
    const liveAt = running && live !== null ? dating.toUtc(live.at) : null;
    const nowAt = liveAt === null ? wallAt : Math.max(liveAt, Math.min(wallAt, liveAt + 10_000));
    return ask({ settings, reads: store, dating, running, nowAt });
  } finally {
    store.close();
  }
}
