/**
 * TCP connections on which streams come in, as the kernel counts them (TCP_INFO), through Debian's `ss` (package iproute2). A camera's loss
 * and round trip are read where the stream passes anyway: not a byte is sent to find them out.
 */
import { execFile } from "node:child_process";
import type { Wire, Wires } from "./ports.ts";

const deadlineMs = 900;
const mostBytes = 1 << 20;

export function makeWires(ss = "/usr/bin/ss"): Wires {
  return {
    read: (ports, signal) => {
      if (signal.aborted) return Promise.resolve(null);
      if (ports.length === 0) return Promise.resolve([]);
      const filter = ["(", ...ports.flatMap((port, i) => [...(i === 0 ? [] : ["or"]), "dport", "=", `:${port}`]), ")"];
      const own = new AbortController();
      const stop = () => own.abort();
      signal.addEventListener("abort", stop, { once: true });
      const bounds = { timeout: deadlineMs, killSignal: "SIGKILL", maxBuffer: mostBytes, signal: own.signal } as const;
      return new Promise((resolve) => {
        execFile(
          ss,
          ["-tinOH", "state", "established", ...filter],
          { ...bounds, env: { ...process.env, LC_ALL: "C" } },
          (error, stdout) => {
            signal.removeEventListener("abort", stop);
            resolve(error === null ? stdout.split("\n").flatMap((line) => wireOf(line) ?? []) : null);
          },
        );
      });
    },
  };
}

/** `0 0 192.168.1.2:40112 192.168.1.20:554 cubic … rtt:1.2/0.4 … bytes_received:81237 … data_segs_in:712 … rcv_ooopack:3`; what is zero is left out. */
function wireOf(line: string): Wire | null {
  const [, , local = "", peer = "", ...facts] = line.trim().split(/\s+/);
  const [, address = "", port = ""] = /^\[?(?:::ffff:)?([^\]%]+?)(?:%[^\]]*)?\]?:(\d+)$/.exec(peer) ?? [];
  const localPort = /:(\d+)$/.exec(local)?.[1];
  if (address === "" || localPort === undefined) return null;
  const known = new Map(facts.map((fact) => [fact.split(":")[0] ?? "", fact.split(":")[1] ?? ""]));
  const number = (key: string) => Number.parseFloat(known.get(key) ?? "0") || 0;
  return {
    ...{ address, port: Number(port), localPort: Number(localPort), rttMs: known.has("rtt") ? number("rtt") : null },
    ...{ receivedBytes: number("bytes_received"), segments: number("data_segs_in"), outOfOrder: number("rcv_ooopack") },
  };
}
