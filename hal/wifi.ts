/**
 * How a wifi card does: signal, retries, rate, as the kernel tells them by nl80211. Through Debian's `iw` (package iw), `station dump`: in a
 * client's case that is the access point, with all that `link` says and the retries. It asks the kernel only; nothing goes on the air.
 */
import { execFile } from "node:child_process";
import type { Wifi, WifiCount } from "./ports.ts";

const deadlineMs = 800;
const mostBytes = 65_536;

export function makeWifi(iw = "/usr/sbin/iw"): Wifi {
  return {
    count: (name, signal) => {
      if (signal.aborted || !/^[\w.-]{1,15}$/.test(name) || name.startsWith("-")) return Promise.resolve(null);
      const own = new AbortController();
      const stop = () => own.abort();
      signal.addEventListener("abort", stop, { once: true });
      const bounds = { timeout: deadlineMs, killSignal: "SIGKILL", maxBuffer: mostBytes, signal: own.signal } as const;
      return new Promise((resolve) => {
        execFile(iw, ["dev", name, "station", "dump"], { ...bounds, env: { ...process.env, LC_ALL: "C" } }, (error, stdout) => {
          signal.removeEventListener("abort", stop);
          resolve(error === null ? countOf(stdout) : null);
        });
      });
    },
  };
}

/** Whoever serves several stations is no client: none of them is the way out. */
function countOf(text: string): WifiCount | null {
  const stations = text.split(/^Station /m).slice(1);
  if (stations.length !== 1) return null;
  const facts = new Map(
    stations[0]?.split("\n").map((line) => [line.split(":")[0]?.trim() ?? "", line.split(":").slice(1).join(":").trim()]),
  );
  const number = (key: string) => {
    const value = Number.parseFloat(facts.get(key) ?? "");
    return Number.isFinite(value) ? value : null;
  };
  const signalDbm = number("signal");
  return {
    ...{ signalDbm: signalDbm !== null && signalDbm < 0 ? Math.round(signalDbm) : null, bitrateMbps: number("tx bitrate") },
    ...{ packets: number("tx packets"), retries: number("tx retries") },
  };
}
