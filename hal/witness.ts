/** Witnesses: a household's router answers Debian's ping while the house has power and network. Unprivileged, no shell. */
import { execFile } from "node:child_process";
import { isIP } from "node:net";
import type { Witness } from "./ports.ts";

/** Beyond ping's own patience: starting the child, and a name that has to be looked up. */
const graceMs = 1_000;
const mostBytes = 16_384;

export function makeWitness(ping = "/usr/bin/ping"): Witness {
  return {
    ask: (address, timeoutMs, signal) => {
      if (signal.aborted || !isAddress(address)) return Promise.resolve(null);
      const args = ["-n", "-q", "-c", "1", "-W", (Math.max(timeoutMs, 100) / 1000).toFixed(1), "--", address];
      // execFile leaves its listener on the signal where the program is missing: it gets one of its own.
      const own = new AbortController();
      const stop = () => own.abort();
      signal.addEventListener("abort", stop, { once: true });
      const bounds = { timeout: timeoutMs + graceMs, killSignal: "SIGKILL", maxBuffer: mostBytes, signal: own.signal } as const;
      return new Promise((resolve) => {
        execFile(ping, args, { ...bounds, env: { ...process.env, LC_ALL: "C" } }, (error) => {
          signal.removeEventListener("abort", stop);
          resolve(answerOf(error));
        });
      });
    },
  };
}

/** An IP address or a host name; never an option. */
const isAddress = (text: string) => isIP(text) !== 0 || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text);

/** ping ends with 1 when nobody answered, and with 2 when it could not ask: not permitted, no route, no such name. */
function answerOf(error: { readonly code?: unknown } | null): boolean | null {
  if (error === null) return true;
  return error.code === 1 ? false : null;
}
