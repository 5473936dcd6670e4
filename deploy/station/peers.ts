/** The tunnel that runs: it is told of peers that come and go, and says when each was heard of. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { filesOf, type Place } from "./place.ts";
import { interfaces, strippedText, type TunnelKeys } from "./tunnel.ts";

/** null: no such interface, no WireGuard, or not ours to ask. */
const wg = (...args: readonly string[]): string | null => run("wg", args, "");

function run(command: string, args: readonly string[], input: string): string | null {
  try {
    return execFileSync(command, [...args], { encoding: "utf8", input, stdio: ["pipe", "pipe", "ignore"], timeout: 10_000 }).trim();
  } catch {
    return null;
  }
}

export const readKeys = (place: Place): TunnelKeys | null => {
  const { tunnelKeys } = filesOf(place);
  return existsSync(tunnelKeys) ? (JSON.parse(readFileSync(tunnelKeys, "utf8")) as TunnelKeys) : null;
};

const askKey = () => wg("show", interfaces.station, "public-key");

/** Is the tunnel that runs this station's, not one of another folder? */
const isOurs = (place: Place, key = askKey()): boolean => key !== null && key === readKeys(place)?.station.publicKey;

/** An installed station's own runs, whatever `wg` can say of it. One that does not run reads its file when it starts. */
const runs = (place: Place): boolean => place.accounts !== null && existsSync(`/sys/class/net/${interfaces.station}`);

/** Who left is out at once; the others notice nothing. Throws, with the next step, where a tunnel that runs was not told. */
export function tellTunnel(place: Place): void {
  const { tunnel } = filesOf(place);
  if (!existsSync(tunnel)) return;
  const key = askKey();
  if (key === null && runs(place))
    throw new Error("the tunnel runs, but wg does not tell whose it is; start it again: systemctl restart matghi-station-tunnel");
  if (!isOurs(place, key)) return;
  // wg opens a file, and what Node gives a program to read is a socket, which cannot be opened: hence the pipe.
  const pipe = ["-c", 'cat | wg syncconf "$0" /dev/stdin', interfaces.station];
  if (run("sh", pipe, strippedText(readFileSync(tunnel, "utf8"))) === null)
    throw new Error("the tunnel did not take the change in; start it again: systemctl restart matghi-station-tunnel");
}

/** When each peer's key was heard of last, in seconds since 1970; who never was is missing. */
export function handshakes(place: Place): ReadonlyMap<string, number> {
  const lines = isOurs(place) ? (wg("show", interfaces.station, "latest-handshakes") ?? "") : "";
  const pairs = lines.split("\n").map((line) => line.split("\t"));
  return new Map(pairs.flatMap(([key = "", at = "0"]) => (Number(at) > 0 ? [[key, Number(at)] as const] : [])));
}
