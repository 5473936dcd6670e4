/** The station's systemd units, each line with its reason. Pure. */
import { firewallTable } from "./firewall.ts";
import { filesOf, type Place } from "./place.ts";
import type { Hub } from "./register.ts";
import { interfaces } from "./tunnel.ts";

/** Command lines: of the station's tools, up to the command's name, and of what looks a hub up again. */
export type Programs = { readonly tools: string; readonly lookup: string };

/** The way to a server between. */
export const uplinkUnit = "matghi-station-uplink.service";

/** All that a station may have; `enabledUnits` are those that it has. */
export function unitsOf(place: Place, { tools, lookup }: Programs): Readonly<Record<string, string>> {
  const files = filesOf(place);
  return {
    "matghi-station-tunnel.service": tunnelUnit("the tunnels of boxes and phones", interfaces.station),
    [uplinkUnit]: tunnelUnit("tunnel to the server between", interfaces.uplink),
    "matghi-station-lookup.service": `[Unit]
Description=matghi station: looks the server between up again when it is silent
[Service]
Type=oneshot
ExecStart=${lookup} ${files.uplink}
`,
    "matghi-station-lookup.timer": `[Unit]
Description=matghi station: once a minute
[Timer]
OnBootSec=3min
OnUnitInactiveSec=1min
[Install]
WantedBy=timers.target
`,
    "matghi-station-firewall.service": `[Unit]
Description=matghi station: keeps the broker's inner port closed
# A reload of Debian's own rules throws every table away: ours comes back with it.
After=nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f ${files.firewall}
ExecReload=/usr/sbin/nft -f ${files.firewall}
ExecStop=-/usr/sbin/nft delete table inet ${firewallTable}
[Install]
WantedBy=multi-user.target
`,
    "matghi-broker.service": `[Unit]
Description=matghi station: broker
# Never open without its firewall.
Requires=matghi-station-firewall.service
After=network.target matghi-station-firewall.service
# It is tried for ever: the boxes wait.
StartLimitIntervalSec=0
[Service]
Type=notify
NotifyAccess=main
User=mosquitto
# As root: the tools may lie where mosquitto's account cannot read.
ExecStartPre=+${tools} guard
ExecStart=/usr/sbin/mosquitto -c ${files.brokerConfiguration}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=5
RuntimeDirectory=matghi-station
LimitNOFILE=65536
# It reads its files and the network, writes its database, and nothing else.
ReadWritePaths=${place.data}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
[Install]
WantedBy=multi-user.target
`,
    "matghi-web.service": `[Unit]
Description=matghi station: page
After=network.target matghi-broker.service
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/sbin/nginx -e stderr -c ${files.webConfiguration}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=5
RuntimeDirectory=matghi-station-web
# The first process opens port 443 and reads the key; those that talk to people are www-data.
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID CAP_CHOWN CAP_DAC_OVERRIDE
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
NoNewPrivileges=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
[Install]
WantedBy=multi-user.target
`,
    "matghi-station-refresh.service": `[Unit]
Description=matghi station: renews certificates, follows cameras that change their group
[Service]
Type=oneshot
ExecStart=${tools} refresh
`,
    "matghi-station-refresh.timer": `[Unit]
Description=matghi station: once an hour
[Timer]
OnCalendar=hourly
RandomizedDelaySec=10min
# Also for the hours that the station was off.
Persistent=yes
[Install]
WantedBy=timers.target
`,
  };
}

const tunnelUnit = (what: string, name: string) => `[Unit]
Description=matghi station: ${what}
# Never open without its firewall.
Requires=matghi-station-firewall.service
After=network-online.target nss-lookup.target matghi-station-firewall.service
Wants=network-online.target
# It is tried for ever: a name that is not found yet, a line that is not up yet.
StartLimitIntervalSec=0
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/wg-quick up ${name}
ExecStop=/usr/bin/wg-quick down ${name}
Restart=on-failure
RestartSec=30
[Install]
WantedBy=multi-user.target
`;

/** What is switched on; refresh and lookup themselves are their timers' affair. */
export const enabledUnits = ({ kind }: Hub): readonly string[] => [
  "matghi-station-firewall.service",
  ...(kind === "none" ? [] : ["matghi-station-tunnel.service"]),
  ...(kind === "server" ? [uplinkUnit, "matghi-station-lookup.timer"] : []),
  "matghi-broker.service",
  "matghi-web.service",
  "matghi-station-refresh.timer",
];
