/**
 * systemd's notify socket (sd_notify(3)), through a Perl that stays beside us: Node has no unix datagrams, and perl-base is on every Debian.
 * A `systemd-notify` for each word would fork the agent just when memory is short, and its word is lost where systemd looks for it too late.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Service, ServiceNews } from "./ports.ts";

const perl = "/usr/bin/perl";
/** Reads words that end with NUL, sends each as one datagram; ends with its input. */
const mouth = `use Socket; my $to = $ENV{NOTIFY_SOCKET}; $to =~ s/^@/\\0/; $/ = "\\0";
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or exit 1;
while (<STDIN>) { chomp; send($s, $_, 0, pack_sockaddr_un($to)) or warn "notify: $!\\n" }`;
/** Longer than any step of the start in which nothing is told. */
const extendUsec = 120_000_000;
const endMs = 1_000;
const mostStatus = 200;

/** `env`: what systemd gave us; without NOTIFY_SOCKET nothing is told. `warn` takes what went wrong, one line each. */
export function makeService(env: NodeJS.ProcessEnv, warn: (line: string) => void): Service {
  const socket = env.NOTIFY_SOCKET;
  if (socket === undefined || socket === "") return { watchdogMs: null, tell: () => undefined, end: async () => undefined };
  let child: ChildProcess | null = null;
  return {
    watchdogMs: watchdogOf(env),
    tell: (news) => {
      child ??= open(socket, warn, () => {
        child = null;
      });
      child.stdin?.write(`${wordsOf(news)}\0`);
    },
    end: () => finish(child),
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

function open(socket: string, warn: (line: string) => void, gone: () => void): ChildProcess {
  const child = spawn(perl, ["-e", mouth], { env: { NOTIFY_SOCKET: socket }, stdio: ["pipe", "ignore", "pipe"] });
  const complain = (detail: string) => warn(`the service manager could not be told: ${detail.trim().slice(0, mostStatus)}`);
  child.stderr.on("data", (data: Buffer) => complain(String(data)));
  child.stdin.on("error", (error) => complain(error.message));
  child.once("error", (error) => {
    complain(error.message);
    gone();
  });
  child.once("exit", gone);
  return child;
}

async function finish(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null) return;
  await new Promise<void>((resolve) => {
    // Later than that it ends by itself, with its input.
    const late = setTimeout(resolve, endMs);
    child.once("close", () => {
      clearTimeout(late);
      resolve();
    });
    child.stdin?.end();
  });
}
