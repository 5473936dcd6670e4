/** A table of its own for nft, beside whatever the machine has: nobody but this machine reaches the broker without nginx. Pure. */
import type { Ports } from "./place.ts";

export const firewallTable = "matghi_station";

export const firewallText = ({ websocket }: Ports): string => `#!/usr/sbin/nft -f
# Made from station.json. Debian 12's Mosquitto listens for websockets on every address, whatever it is told.
table inet ${firewallTable}
delete table inet ${firewallTable}
table inet ${firewallTable} {
  chain input {
    type filter hook input priority -5; policy accept;
    iif != "lo" tcp dport ${websocket} drop
  }
}
`;
