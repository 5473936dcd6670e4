/**
 * systemd's notify socket (sd_notify(3)), through a Perl that stays beside us: Node has no unix datagrams, and perl-base is on every Debian.
 * A `systemd-notify` for each word would fork the agent just when memory is short; it speaks only where Perl cannot: who tells nothing is ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Service, ServiceNews } from "./ports.ts";

const debian = { perl: "/usr/bin/perl", notify: "/usr/bin/systemd-notify" };
/** Reads words that end with NUL, sends each as one datagram; ends with its input. */
const mouth = `use Socket; my $to = $ENV{NOTIFY_SOCKET}; $to =~ s/^@/\\0/; $/ = "\\0";
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or exit 1;
while (<STDIN>) { chomp; send($s, $_, 0, pack_sockaddr_un($to)) or warn "notify: $!\\n" }`;
/** Longer than any step of the start in which nothing is told. */
const extendUsec = 120_000_000;
const endMs = 1_000;
const mostStatus = 200;

/** Passes words on; gone with its process. */
type Teller = { say(words: string): void; end(): Promise<void> };
type Way = (socket: string, warn: (line: string) => void, gone: (works: boolean) => void) => Teller;

/**
 * `env`: what systemd gave us, which is taken out of it: programs that we start, timedatectl among them, would tell systemd of their own ends.
 * Without NOTIFY_SOCKET nothing is told. `warn` takes what went wrong, one line each.
 */
export function makeService(env: NodeJS.ProcessEnv, warn: (line: string) => void, programs: Partial<typeof debian> = {}): Service {
  const socket = env.NOTIFY_SOCKET;
  if (socket === undefined || socket === "") return { watchdogMs: null, tell: () => undefined, end: async () => undefined };
  const watchdogMs = watchdogOf(env);
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
  const { perl, notify } = { ...debian, ...programs };
  const complain = (detail: string) => warn(`the service manager could not be told: ${detail.trim().slice(0, mostStatus)}`);
  let way = byPerl(perl);
  let teller: Teller | null = null;
  let isReady = false;
  const gone = (works: boolean) => {
    teller = null;
    if (!works) way = byNotify(notify);
  };
  return {
    watchdogMs,
    tell: (news) => {
      // Whoever was to pass it on may have died with it, and who is never ready is ended.
      const words = wordsOf(teller === null && isReady ? { phase: "ready", ...news } : news);
      if (news.phase !== undefined) isReady = news.phase === "ready";
      try {
        teller ??= way(socket, complain, gone);
        teller.say(words);
      } catch (error) {
        complain(String(error));
        gone(false);
      }
    },
    end: async () => teller?.end(),
  };
}

/** WATCHDOG_PID, where it is given, must be ours: what is inherited from somebody else's service is not for us. */
function watchdogOf({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | null {
  const ms = Number(WATCHDOG_USEC ?? "0") / 1_000;
  const isOurs = (WATCHDOG_PID ?? "") === "" || WATCHDOG_PID === String(process.pid);
  return ms > 0 && isOurs ? ms : null;
}

function wordsOf({ phase, alive, status }: ServiceNews): string {
  const phases = {
    starting: `EXTEND_TIMEOUT_USEC=${extendUsec}`,
    ...{ ready: "READY=1", reloading: "RELOADING=1", stopping: "STOPPING=1" },
  };
  const line = status?.replace(/[\n\0]/g, " ").slice(0, mostStatus);
  return [
    ...(phase === undefined ? [] : [phases[phase]]),
    ...(alive === true ? ["WATCHDOG=1"] : []),
    ...(line === undefined ? [] : [`STATUS=${line}`]),
  ].join("\n");
}

function byPerl(perl: string): Way {
  return (socket, warn, gone) => {
    const child = start(perl, ["-e", mouth], socket, warn);
    child.once("error", () => gone(false));
    // By a signal, or with its input: another one may live. By itself: it cannot do it.
    child.once("exit", (code) => gone(code === 0 || code === null));
    return { say: (words) => void child.stdin?.write(`${words}\0`), end: () => closed(child) };
  };
}

/** One process a word, each after the one before: systemd must see them in order. */
function byNotify(notify: string): Way {
  return (socket, warn) => {
    let said = Promise.resolve();
    const say = (words: string) => closed(start(notify, words.split("\n"), socket, warn));
    return {
      say: (words) => {
        said = said.then(() => say(words)).catch((error) => warn(String(error)));
      },
      end: () => said,
    };
  };
}

/** All its streams are pipes: what is ignored is /dev/null, and one that cannot be opened must not silence us. */
function start(program: string, args: readonly string[], socket: string, warn: (line: string) => void): ChildProcess {
  const child = spawn(program, args, { env: { NOTIFY_SOCKET: socket }, stdio: "pipe" });
  child.once("error", (error) => warn(error.message));
  child.stdin?.on("error", (error) => warn(error.message));
  child.stdout?.resume();
  child.stderr?.on("data", (data: Buffer) => warn(String(data)));
  return child;
}

/** Ends its input, and waits for its end. */
async function closed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  await new Promise<void>((resolve) => {
    // Later than that it ends by itself, with its input.
    const late = setTimeout(resolve, endMs);
    const done = () => {
      clearTimeout(late);
      resolve();
    };
    child.once("close", done);
    child.once("error", done);
    child.stdin?.end();
  });
}
