/** The station's systemd units, each line with its reason. Pure. */
import { firewallTable } from "./firewall.ts";
import { filesOf, type Place } from "./place.ts";

/** `tools`: the command line of the station's tools, up to the command's name. */
export function unitsOf(place: Place, tools: string): Readonly<Record<string, string>> {
  const files = filesOf(place);
  return {
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

/** What is switched on; the refresh itself is the timer's affair. */
export const enabledUnits = [
  "matghi-station-firewall.service",
  "matghi-broker.service",
  "matghi-web.service",
  "matghi-station-refresh.timer",
] as const;
