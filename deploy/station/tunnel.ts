/**
 * The tunnels' files, for wg-quick(8) and nft(8), from the register. Every peer's tunnel ends at the station, also where a server stands in
 * between: that one only passes packets on which it cannot read, knows no peer, and never hears of a site that comes or goes. Pure.
 */
import { isIPv4 } from "node:net";
import { keepaliveSeconds, type Tunnel, tunnelMtuBytes } from "../../agent/core/tunnel.ts";
import type { KeyPair } from "./keys.ts";
import type { Hub, Peer, PeerKind, Register } from "./register.ts";

/** The one range: few households use it, and a peer takes two addresses of it only. */
const network = "10.203";
export const tunnels = {
  station: `${network}.0.1`,
  /** Each kind's part of the range, as the firewall names it. */
  parts: { site: `${network}.0.0/17`, phone: `${network}.128.0/18`, router: `${network}.192.0/18` },
  /** Between station and server. */
  uplink: { station: `${network}.255.2`, server: `${network}.255.1` },
} as const;
export const interfaces = { station: "matghi-station", uplink: "matghi-uplink", server: "matghi-hub" } as const;
export const usualTunnelPort = 51_820;
/** The one port of a box that the station reaches (firewall.ts). */
export const sshPort = 22;
export const serverTable = "matghi_hub";

/** A router has the first address of a network of its own; the cameras behind it have the others, at most 13. */
const routerBits = 28;
const perRouter = 2 ** (32 - routerBits);
/** Each kind's third octet to begin with, how many peers share one, and how many addresses each takes. */
const layouts = {
  site: { octet: 1, peers: 250, each: 1 },
  phone: { octet: 128, peers: 250, each: 1 },
  router: { octet: 192, peers: 256 / perRouter, each: perRouter },
} as const;
const octets = 63;
export const mostPeers = (kind: PeerKind): number => octets * layouts[kind].peers;

/** `number` counts from 1 to `mostPeers` within its kind. */
export function addressOf(kind: PeerKind, { number }: Pick<Peer, "number">): string {
  const { octet, peers, each } = layouts[kind];
  return `${network}.${octet + Math.floor((number - 1) / peers)}.${1 + each * ((number - 1) % peers)}`;
}

/** Is that a box's address within the tunnel? */
export function isInTunnel(host: string): boolean {
  const octet = Number(host.split(".")[2]);
  return isIPv4(host) && host.startsWith(`${network}.`) && octet >= layouts.site.octet && octet < layouts.phone.octet;
}

/** The network of a router's cameras: what it gives out at home. */
export const networkOf = (peer: Pick<Peer, "number">): string =>
  `${addressOf("router", peer).replace(/\d+$/, (last) => String(Number(last) - 1))}/${routerBits}`;

/** What a new peer is given. */
export const givenTo = (kind: PeerKind, peer: Peer, own: KeyPair, hub: Reached, station: KeyPair): Tunnel => ({
  key: own.privateKey,
  address: addressOf(kind, peer),
  hub: { key: station.publicKey, address: tunnels.station, endpoint: `${hub.host}:${hub.port}` },
});

export type Reached = Exclude<Hub, { kind: "none" }>;
export type TunnelKeys = { readonly station: KeyPair; readonly uplink: KeyPair; readonly server: KeyPair };

type Named = { readonly name: string; readonly reaches: string; readonly key: string };

/** Every peer of the register, by its file, its phone or its household, and the addresses that it may have. */
const peersOf = ({ sites, people, routers }: Register): readonly Named[] => [
  ...sites.flatMap(({ id, certificates }) =>
    certificates.flatMap(({ tunnel }) =>
      tunnel === undefined ? [] : [{ name: id, reaches: `${addressOf("site", tunnel)}/32`, key: tunnel.key }],
    ),
  ),
  ...people.flatMap(({ name, tunnel }) =>
    tunnel === undefined ? [] : [{ name, reaches: `${addressOf("phone", tunnel)}/32`, key: tunnel.key }],
  ),
  ...routers.map(({ household, tunnel }) => ({ name: household, reaches: networkOf(tunnel), key: tunnel.key })),
];

/** The station's own end, with all peers. */
export const stationText = (
  register: Register,
  { port }: Reached,
  { station }: TunnelKeys,
): string => `# Made from station.json; what is written here by hand is lost.
[Interface]
PrivateKey = ${station.privateKey}
ListenPort = ${port}
Address = ${tunnels.station}/16
MTU = ${tunnelMtuBytes}
${peersOf(register)
  .map(({ name, reaches, key }) => `\n# ${name}\n[Peer]\nPublicKey = ${key}\nAllowedIPs = ${reaches}\n`)
  .join("")}`;

/** As `wg-quick strip` has it: what wg(8) itself understands. */
export const strippedText = (text: string): string => text.replace(/^(Address|MTU) = .*\n/gm, "");

/** The outer tunnel carries the inner one: 60 bytes more, and 60 around itself, still fit through PPPoE's 1492. */
const uplinkMtuBytes = 1_380;
const serverPort = ({ port }: Reached) => port + 1;

/** The station's way to the server that stands for it. */
export const uplinkText = (
  hub: Reached,
  { uplink, server }: TunnelKeys,
): string => `# Made from station.json; what is written here by hand is lost.
[Interface]
PrivateKey = ${uplink.privateKey}
Address = ${tunnels.uplink.station}/32
MTU = ${uplinkMtuBytes}

[Peer]
PublicKey = ${server.publicKey}
Endpoint = ${hub.host}:${serverPort(hub)}
AllowedIPs = ${tunnels.uplink.server}/32
PersistentKeepalive = ${keepaliveSeconds}
`;

/** What the server gets, once: it stays the same whoever comes and goes. `firewall`: where the rules lie there. */
export const serverText = (
  hub: Reached,
  { uplink, server }: TunnelKeys,
  firewall: string,
): string => `# matghi's hub: the station is its only peer. Copied from the station once; sites that come and go change nothing here.
[Interface]
PrivateKey = ${server.privateKey}
ListenPort = ${serverPort(hub)}
Address = ${tunnels.uplink.server}/32
MTU = ${uplinkMtuBytes}
PostUp = sysctl -q -w net.ipv4.ip_forward=1
PostUp = nft -f ${firewall}
PostDown = nft delete table ip ${serverTable}

[Peer]
PublicKey = ${uplink.publicKey}
AllowedIPs = ${tunnels.uplink.station}/32
`;

export const serverFirewallText = ({ port }: Reached): string => `#!/usr/sbin/nft -f
# Peers' packets go on to the station as they are; nothing else goes through, and the station reaches nothing here.
table ip ${serverTable}
delete table ip ${serverTable}
table ip ${serverTable} {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    iifname != "${interfaces.server}" fib daddr type local udp dport ${port} dnat to ${tunnels.uplink.station}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    # The station answers through here, not over its own line.
    oifname "${interfaces.server}" masquerade
  }
  chain forward {
    type filter hook forward priority -5; policy accept;
    iifname "${interfaces.server}" ct state established accept
    oifname "${interfaces.server}" ip daddr ${tunnels.uplink.station} udp dport ${port} accept
    iifname "${interfaces.server}" drop
    oifname "${interfaces.server}" drop
  }
  chain input {
    type filter hook input priority -5; policy accept;
    iifname "${interfaces.server}" ct state new drop
  }
}
`;
