/**
 * Debian's ZoneMinder 1.36, told to record all the time by passing the stream through, without decoding it: one `zmc` a camera, and the
 * MariaDB that they write their events to, on folders and a socket of their own. Web server and watchers, which record nothing, are left
 * out.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../lib/agent.ts";
import type { Other, Place } from "./others.ts";

const programs = {
  record: "/usr/bin/zmc",
  client: "/usr/bin/mariadb",
  install: "/usr/bin/mariadb-install-db",
  serve: "/usr/sbin/mariadbd",
};
const schema = "/usr/share/zoneminder/db/zm_create.sql";

/** Video writer 2 is the passthrough. Films are Matroska as the agent's are; left alone they would be mp4. */
const monitorOf = ({ name, url }: Place["cameras"][number], i: number) => `INSERT INTO Monitors SET Id = ${i + 1}, Name = '${name}',
  StorageId = 1, Type = 'Ffmpeg', \`Function\` = 'Record', DecodingEnabled = 0, Method = 'rtpRtsp', Path = '${url}', Width = 1920, Height = 1080,
  Colours = 4, SaveJPEGs = 0, VideoWriter = 2, OutputContainer = 'mkv', SectionLength = 60;`;

/** Its configuration as a folder: zmc reads no other than /etc/zm. */
function configure({ folder, target }: Place, socket: string): string {
  const etc = join(folder, "zm");
  mkdirSync(join(etc, "conf.d"), { recursive: true });
  const lines = [
    ...["ZM_DB_TYPE=mysql", `ZM_DB_HOST=localhost:${socket}`, "ZM_DB_NAME=zm", "ZM_DB_USER=root", "ZM_DB_PASS="],
    ...[`ZM_DIR_EVENTS=${join(target, "events")}`, "ZM_PATH_MAP=/dev/shm", "ZM_WEB_USER=root", "ZM_WEB_GROUP=root"],
    ...["SOCKS", "LOGS", "SWAP"].map((what) => `ZM_PATH_${what}=${folder}`),
  ];
  writeFileSync(join(etc, "zm.conf"), `${lines.join("\n")}\n`);
  return etc;
}

/** Starts a MariaDB with ZoneMinder's tables and the cameras in them; gives its process. */
async function startDatabase({ target, cameras, run }: Place, socket: string): Promise<number> {
  const data = join(target, "mariadb");
  const where = ["--no-defaults", "--user=root", `--datadir=${data}`];
  execFileSync(programs.install, [...where, "--auth-root-authentication-method=normal", "--skip-test-db"], { stdio: "pipe" });
  const pid = run(programs.serve, [...where, `--socket=${socket}`, "--skip-networking"]);
  await until("MariaDB listens", 60_000, () => existsSync(socket));
  const rows = [`UPDATE Storage SET Path = '${join(target, "events")}';`, ...cameras.map(monitorOf)];
  const input = [readFileSync(schema, "utf8"), ...rows].join("\n");
  execFileSync(programs.client, ["--no-defaults", "--user=root", `--socket=${socket}`], { input, stdio: "pipe" });
  return pid;
}

/** In a mount namespace of its own, which ends with it and where nothing of the machine's ZoneMinder is seen or touched. */
const inside = 'mount --bind "$0" /etc/zm && mount -t tmpfs tmpfs /dev/shm && exec "$@"';

export const zoneminder: Other = {
  programs: Object.values(programs),
  // Of MariaDB only the programs: the package with its service is not needed.
  packages: "zoneminder mariadb-server-core",
  label: () => `ZoneMinder ${execFileSync(programs.record, ["--version"], { encoding: "utf8" }).trim()}`,
  start: async (place) => {
    const events = join(place.target, "events");
    mkdirSync(events, { recursive: true });
    const socket = join(place.folder, "mariadb.sock");
    const etc = configure(place, socket);
    const beside = [await startDatabase(place, socket)];
    const record = () =>
      place.cameras.map((_, i) => place.run("unshare", ["--mount", "sh", "-c", inside, etc, programs.record, "-m", String(i + 1)]));
    let pids = record();
    const again = () => {
      pids = record();
    };
    return { folders: place.cameras.map((_, i) => join(events, String(i + 1))), beside, recorders: () => pids, again };
  },
};
