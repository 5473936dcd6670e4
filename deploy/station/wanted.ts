/** What `install` was asked for: its options, held against what a station may be. */
import { networkInterfaces } from "node:os";
import { breaksLine } from "../../agent/core/text.ts";
import type { Wanted } from "./keep.ts";
import { usualPorts } from "./place.ts";
import { type Hub, isAddress, isHost, isId, type Register } from "./register.ts";
import { usualTunnelPort } from "./tunnel.ts";

/** Wrong use: exit 2. */
export class Misuse extends Error {}

/** As parseArgs leaves them. */
export type Options = {
  readonly commune?: string | undefined;
  readonly name?: string | undefined;
  readonly host?: readonly string[] | undefined;
  readonly language?: string | undefined;
  readonly port?: string | undefined;
  readonly https?: string | undefined;
  readonly websocket?: string | undefined;
  readonly public?: string | undefined;
  readonly hub?: string | undefined;
  readonly "no-vpn"?: boolean | undefined;
};

/** `before`: the station that is there; it keeps what is not said. */
export function wantedOf(options: Options, before: Register | null, usage: string): Wanted {
  const { commune = before?.commune ?? "", name = before?.name ?? "", language = before?.language ?? "vi" } = options;
  const hosts = options.host ?? before?.hosts ?? [];
  const [first] = hosts;
  if (commune === "" || name === "" || first === undefined) throw new Misuse(usage);
  if (breaksLine(name)) throw new Misuse("--name holds a line break or control character; write it on one line");
  if (!isId(commune)) throw new Misuse(`--commune ${commune}: 2 to 32 of a-z, 0-9 and -, as site.commune of the boxes`);
  const strange = hosts.find((host) => !isHost(host));
  if (strange !== undefined) throw new Misuse(`--host ${strange}: a name or an IPv4 address, without a port`);
  if (language !== "vi" && language !== "en") throw new Misuse(`--language ${language}: vi or en`);
  const ports = {
    mqtts: portOf("port", options.port, before?.ports.mqtts ?? usualPorts.mqtts),
    https: portOf("https", options.https, before?.ports.https ?? usualPorts.https),
    websocket: portOf("websocket", options.websocket, before?.ports.websocket ?? usualPorts.websocket),
  };
  if (new Set(Object.values(ports)).size < 3) throw new Misuse("--port, --https and the inner port must differ");
  const hub = hubOf(options, first, ownAddresses().some(isPublic), before?.hub);
  return { commune, name, language, hosts: [...new Set([...hosts, "localhost", "127.0.0.1"])], ports, hub };
}

/** `isOnInternet`: this machine has a public address itself, so that boxes reach it without anybody's doing. `before`: boxes that are there dial it. */
export function hubOf(options: Pick<Options, "public" | "hub" | "no-vpn">, host: string, isOnInternet: boolean, before?: Hub): Hub {
  const said = [options.public, options.hub, options["no-vpn"]].filter((value) => value !== undefined);
  if (said.length > 1) throw new Misuse("one of --public, --hub and --no-vpn, not several");
  if (options["no-vpn"] === true) return { kind: "none" };
  if (options.hub !== undefined) {
    const server = endpointOf("hub", options.hub);
    // The station comes in at the next one.
    if (server.port === 65_535) throw new Misuse(`--hub ${options.hub}: a port below 65535, the next one is needed too`);
    return { kind: "server", ...server };
  }
  if (options.public !== undefined) return { kind: "station", ...endpointOf("public", options.public) };
  if (before !== undefined) return before;
  if (isOnInternet) return { kind: "station", host, port: usualTunnelPort };
  throw new Misuse(
    "this machine has no public address, so say how boxes reach it: --public HOST[:PORT], a name or address whose UDP port is forwarded to this machine; --hub HOST[:PORT], any small server between; or --no-vpn, then nobody can ssh to a box through the station",
  );
}

function endpointOf(option: string, text: string): { readonly host: string; readonly port: number } {
  const [host = "", port, ...more] = text.split(":");
  if (!isHost(host) || more.length > 0) throw new Misuse(`--${option} ${text}: HOST or HOST:PORT, a name or an IPv4 address`);
  return { host, port: portOf(option, port, usualTunnelPort) };
}

/** Not for private use, shared by a provider's NAT, this machine's own, or a cable's (RFC 6890). */
export const isPublic = (address: string): boolean =>
  isAddress(address) &&
  !/^(0|10|127|169\.254|172\.(1[6-9]|2\d|3[01])|192\.168|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])|198\.1[89]|22[4-9]|2[3-5]\d)\./.test(
    address,
  );

const ownAddresses = () => Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));

function portOf(name: string, text: string | undefined, usual: number): number {
  const port = text === undefined ? usual : Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Misuse(`--${name} ${text}: 1 to 65535`);
  return port;
}
