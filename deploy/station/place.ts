/** Where a station keeps its things: on a machine of its own, or all in one folder for try and tests. Pure. */
import { interfaces } from "./tunnel.ts";

export type Ports = {
  /** For the boxes: MQTT over TLS, known by their certificates. */
  readonly mqtts: number;
  /** For people: the page and `/mqtt`. */
  readonly https: number;
  /** Between nginx and the broker; nobody else may reach it. */
  readonly websocket: number;
};

export type Place = {
  /** Register, certificates, what Mosquitto and nginx are told. */
  readonly etc: string;
  /** The broker's database. */
  readonly data: string;
  /** The page that nginx serves. */
  readonly page: string;
  /** The broker's process id; nginx's, and what it holds for a moment. */
  readonly run: string;
  readonly webRun: string;
  /** Where wg-quick(8) looks. */
  readonly tunnels: string;
  /** Accounts of the two processes; null: whoever starts them. */
  readonly accounts: { readonly broker: string; readonly web: string } | null;
};

export const usualPorts: Ports = { mqtts: 8883, https: 443, websocket: 9001 };

export const installedPlace: Place = {
  ...{
    etc: "/etc/matghi-station",
    data: "/var/lib/matghi-station",
    page: "/usr/local/share/matghi-station/page",
    tunnels: "/etc/wireguard",
  },
  ...{ run: "/run/matghi-station", webRun: "/run/matghi-station-web", accounts: { broker: "mosquitto", web: "www-data" } },
};

export const folderPlace = (folder: string): Place => ({
  ...{
    etc: `${folder}/etc`,
    data: `${folder}/data`,
    page: `${folder}/page`,
    tunnels: `${folder}/wireguard`,
    run: `${folder}/run`,
    webRun: `${folder}/run-web`,
    accounts: null,
  },
});

/** Files of a place, each named once. */
export const filesOf = ({ etc, data, page, run, webRun, tunnels }: Place) => ({
  register: `${etc}/station.json`,
  authority: `${etc}/ca`,
  ca: `${etc}/ca.crt`,
  revoked: `${etc}/revoked.crl`,
  brokerCertificate: `${etc}/broker.crt`,
  brokerKey: `${etc}/broker.key`,
  brokerConfiguration: `${etc}/mosquitto.conf`,
  rights: `${etc}/rights.acl`,
  passwords: `${etc}/passwords`,
  ownPassword: `${etc}/own-password`,
  webConfiguration: `${etc}/nginx.conf`,
  firewall: `${etc}/firewall.nft`,
  /** The keys of the station's ends and of the server between; no peer's. */
  tunnelKeys: `${etc}/tunnel-keys.json`,
  tunnel: `${tunnels}/${interfaces.station}.conf`,
  uplink: `${tunnels}/${interfaces.uplink}.conf`,
  /** To be copied to the server that is the hub. */
  hub: `${etc}/hub`,
  hubTunnel: `${etc}/hub/${interfaces.server}.conf`,
  hubFirewall: `${etc}/hub/${interfaces.server}.nft`,
  lock: `${etc}/lock`,
  brokerProcess: `${run}/mosquitto.pid`,
  webProcess: `${webRun}/nginx.pid`,
  database: `${data}/mosquitto.db`,
  about: `${page}/station.json`,
  /** The authority's certificate for everybody: nginx's worker may not enter `etc`. */
  publicCa: `${page}/ca.crt`,
  /** Packages that came with the station: their own services are not wanted. */
  broughtAlong: `${etc}/packages.json`,
});
