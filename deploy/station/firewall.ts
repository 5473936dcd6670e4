/** A table of its own for nft, beside whatever the machine has: nobody but this machine reaches the broker without nginx, and a peer reaches its one port. Pure. */
import type { Ports } from "./place.ts";
import type { Hub } from "./register.ts";
import { interfaces, type Reached, sshPort, tunnels } from "./tunnel.ts";

export const firewallTable = "matghi_station";

export const firewallText = (ports: Ports, hub: Hub): string => `#!/usr/sbin/nft -f
# Made from station.json. Debian 12's Mosquitto listens for websockets on every address, whatever it is told.
table inet ${firewallTable}
delete table inet ${firewallTable}
table inet ${firewallTable} {
  chain input {
    type filter hook input priority -5; policy accept;
    iif != "lo" tcp dport ${ports.websocket} drop
${hub.kind === "none" ? "" : jumps(hub)}  }
${hub.kind === "none" ? "" : tunnelChains(ports, hub)}}
`;

const jumps = ({ kind, port }: Reached): string =>
  [
    `iifname "${interfaces.station}" jump from_peers`,
    ...(kind === "station"
      ? []
      : [
          `iifname "${interfaces.uplink}" udp dport ${port} accept`,
          `iifname "${interfaces.uplink}" ct state new drop`,
          `iifname != "${interfaces.uplink}" udp dport ${port} drop`,
        ]),
  ]
    .map((rule) => `    ${rule}\n`)
    .join("");

/** A box reaches the broker, a phone the page, the station a box's ssh and a household's cameras; nothing passes from peer to peer or to another network. */
const tunnelChains = ({ mqtts, https }: Ports, { kind }: Reached): string => {
  const ends = [interfaces.station, ...(kind === "server" ? [interfaces.uplink] : [])];
  const closed = ends.flatMap((name) => [`iifname "${name}" reject`, `oifname "${name}" reject`]);
  return `  chain from_peers {
    ct state established,related accept
    ip saddr ${tunnels.parts.site} tcp dport ${mqtts} accept
    ip saddr ${tunnels.parts.phone} tcp dport ${https} accept
    reject
  }
  chain forward {
    type filter hook forward priority -5; policy accept;
${closed.map((rule) => `    ${rule}\n`).join("")}  }
  chain output {
    type filter hook output priority -5; policy accept;
    oifname != "${interfaces.station}" accept
    ct state established,related accept
    ip daddr ${tunnels.parts.site} tcp dport ${sshPort} accept
    ip daddr ${tunnels.parts.router} accept
    reject
  }
`;
};
