/** What the schema cannot say: rules between settings, and what the machine must hold for them. */
import { accessSync, constants, existsSync, readFileSync, type Stats, statfsSync, statSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { usualFile } from "./place.ts";
import { type Finding, isLoopback, type Settings } from "./schema.ts";

type Path = Finding["path"];
const finding = (path: Path, key: string, facts: Finding["facts"] = {}): Finding => ({ path, key, facts });

/** Rules between settings. Pure. */
export function relations(settings: Settings): readonly Finding[] {
  const { recording, site, station } = settings;
  const nested = inside(site.state, recording.folder) || inside(recording.folder, site.state);
  return [
    ...duplicates("cameras", settings.cameras),
    ...duplicates("households", settings.households),
    ...settings.cameras.flatMap((camera, i) => cameraRules(settings, camera, ["cameras", i])),
    ...(recording.keep.min > recording.keep.max ? [finding(["recording", "keep", "min"], "keep-order")] : []),
    ...(nested ? [finding(["recording", "folder"], "nested")] : []),
    ...(site.household === undefined ? [] : listed(settings, site.household, ["site", "household"])),
    ...(station === undefined ? [] : stationRules(station)),
    ...driverRules("power", settings.power, { file: "path", script: "path" }),
    ...gaugeRules(settings.power),
    ...driverRules("link", settings.link, { file: "path", script: "path" }),
    ...driverRules("clock", settings.clock, { file: "path", script: "offset" }),
  ];
}

const inside = (inner: string, outer: string) => `${resolve(inner)}${sep}`.startsWith(`${resolve(outer).replace(/\/+$/, "")}${sep}`);

function duplicates(list: "cameras" | "households", entries: readonly { id: string }[]): Finding[] {
  const seen = new Set<string>();
  return entries.flatMap(({ id }, i) => {
    if (!seen.has(id)) return seen.add(id) && [];
    return [finding([list, i, "id"], "duplicate", { id })];
  });
}

function listed(settings: Settings, id: string, path: Path): Finding[] {
  return settings.households.some((household) => household.id === id) ? [] : [finding(path, "no-household", { id })];
}

function cameraRules(settings: Settings, camera: Settings["cameras"][number], at: Path): Finding[] {
  const hasStream = camera.url !== undefined || camera.onvif !== undefined;
  const halfLogin = (camera.username === undefined) !== (camera.passwordFile === undefined);
  const { url, fallback } = camera;
  const isSame = url !== undefined && fallback !== undefined && streamKey(url) === streamKey(fallback);
  return [
    ...(isSame ? [finding([...at, "fallback"], "same-stream")] : []),
    ...(!hasStream && camera.manual === undefined ? [finding(at, "no-source")] : []),
    ...((hasStream || fallback !== undefined) && camera.manual !== undefined ? [finding([...at, "manual"], "manual-and-url")] : []),
    ...(halfLogin ? [finding([...at, camera.username === undefined ? "passwordFile" : "username"], "login-pair")] : []),
    ...(camera.household === undefined ? [] : listed(settings, camera.household, [...at, "household"])),
    ...camera.planned.flatMap((stop, i) => (stop.from < stop.to ? [] : [finding([...at, "planned", i, "to"], "planned-order")])),
  ];
}

/** What an address leads to, however it is spelled. */
function streamKey(url: string): string {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  return JSON.stringify([hostname.toLowerCase(), port || (protocol === "rtsps:" ? "322" : "554"), pathname, search]);
}

function stationRules(station: NonNullable<Settings["station"]>): Finding[] {
  const plain = station.url.toLowerCase().startsWith("mqtt:") && !isLoopback(station.url) && !station.allowPlain;
  const halfCertificate = (station.cert === undefined) !== (station.key === undefined);
  const halfLogin = (station.username === undefined) !== (station.passwordFile === undefined);
  return [
    ...(plain ? [finding(["station", "url"], "plain")] : []),
    ...(halfCertificate ? [finding(["station", station.cert === undefined ? "key" : "cert"], "certificate-pair")] : []),
    ...(halfLogin ? [finding(["station", station.username === undefined ? "passwordFile" : "username"], "login-pair")] : []),
  ];
}

type Sense = { readonly driver: string; readonly path?: string | undefined; readonly offset?: string | undefined };

/** A driver that reads a file must be told which one. */
function driverRules(sense: string, settings: Sense, needs: Readonly<Record<"file" | "script", "path" | "offset">>): Finding[] {
  const { driver } = settings;
  if ((driver !== "file" && driver !== "script") || settings[needs[driver]] !== undefined) return [];
  return [finding([sense, "driver"], "driver-file", { driver, key: needs[driver], sense })];
}

/** A mains-sense input has a line; a sense of its own on I²C tells which way the current flows. */
function gaugeRules({ driver, line, gauge }: Settings["power"]): Finding[] {
  return [
    ...(driver === "gpio" && line === undefined ? [finding(["power", "driver"], "gpio-line")] : []),
    ...(driver === "i2c" && gauge !== "ina219" ? [finding(["power", "driver"], "gauge")] : []),
  ];
}

/**
 * What the machine must hold: files that are there, secrets that are secret, footage on its own disk. `file`: the configuration itself, which
 * the agent's user need not read where it is not the one that the agent is started with: a draft.
 */
export function surroundings(
  settings: Settings,
  file: string,
  usual = usualFile,
): { readonly findings: readonly Finding[]; readonly warnings: readonly Finding[] } {
  const secrets = settings.cameras.flatMap((camera, i) => secretRules(settings, camera.passwordFile, ["cameras", i, "passwordFile"]));
  const { station, recording } = settings;
  const files = (["ca", "cert", "key"] as const).flatMap((name) => fileRules(settings, station?.[name], ["station", name]));
  const stationSecret = secretRules(settings, station?.passwordFile, ["station", "passwordFile"]);
  const onSystem = !recording.allowSystemDisk && isOnSystemDisk(recording.folder);
  const disk = onSystem ? [finding(["recording", "folder"], "system-disk")] : [];
  const folders = [...folderRules(recording.folder, ["recording", "folder"]), ...folderRules(settings.site.state, ["site", "state"])];
  const found = statSync(file, { throwIfNoEntry: false });
  const itself = found === undefined ? [] : ownerRules(settings, file, found, []);
  const draft = resolve(file) === usual ? itself : itself.map(({ facts }) => finding([], doubtful, { ...facts, file }));
  const all = [...draft, ...secrets, ...files, ...stationSecret, ...disk, ...folders];
  return {
    findings: all.filter(({ key }) => key !== doubtful),
    warnings: [...all.filter(({ key }) => key === doubtful), ...sizeWarnings(recording)],
  };
}

function statOf(path: string): Stats | string {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "?";
  }
}

/** What stands where a folder should be must be one; what is not there yet is made. */
function folderRules(folder: string, at: Path): Finding[] {
  const existing = nearestExisting(folder);
  return statSync(existing).isDirectory() ? [] : [finding(at, "not-folder", { file: existing })];
}

function fileRules(settings: Settings, file: string | undefined, at: Path): Finding[] {
  if (file === undefined) return [];
  const found = statOf(file);
  if (typeof found === "string") return [finding(at, "no-file", { why: found })];
  return found.isFile() ? ownerRules(settings, file, found, at) : [finding(at, "not-file")];
}

function secretRules(settings: Settings, file: string | undefined, at: Path): Finding[] {
  if (file === undefined) return [];
  const found = statOf(file);
  if (typeof found === "string") return [finding(at, "no-file", { why: found })];
  if (!found.isFile()) return [finding(at, "not-file")];
  const mode = found.mode & 0o777;
  if ((mode & 0o177) !== 0) return [finding(at, "secret-mode", { mode: `0${mode.toString(8)}`, file })];
  const secret = readSecret(file);
  if (secret === "" || /[\r\n\0]/.test(secret)) return [finding(at, "secret-empty")];
  return ownerRules(settings, file, found, at);
}

/** What cannot be told for certain, and is a warning. */
const doubtful = "doubtful";

/** Checked by root on behalf of the daemon's user, the owner of the state folder: the file, and each folder that leads to it. */
function ownerRules(settings: Settings, file: string, found: Stats, at: Path): Finding[] {
  if (process.getuid?.() !== 0 || !existsSync(settings.site.state)) return [];
  const owner = statSync(settings.site.state);
  if (owner.uid === 0) return [];
  const reader = { uid: owner.uid, gids: new Set([owner.gid, ...groupsOf(owner.uid, linesOf("/etc/passwd"), linesOf("/etc/group"))]) };
  const user = String(owner.uid);
  const steps = foldersTo(file).map((folder) => ({ folder, lets: lets(statSync(folder), reader, 0o1) }));
  const closed = steps.find((step) => step.lets === "no");
  if (closed !== undefined) return [finding(at, "closed-folder", { user, folder: closed.folder, group: String(owner.gid) })];
  const itself = lets(found, reader, 0o4);
  if (itself === "no") return [finding(at, "secret-owner", { user, file })];
  return [itself, ...steps.map((step) => step.lets)].includes("perhaps") ? [finding(at, doubtful, { user, file })] : [];
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

/** Numbers of a user's groups, by the lines of /etc/passwd and /etc/group. Pure. */
export function groupsOf(uid: number, passwd: readonly string[], group: readonly string[]): readonly number[] {
  const users = passwd.map((line) => line.split(":")).filter(([, , id]) => id === String(uid));
  const names = users.map(([name]) => name);
  const joined = group
    .map((line) => line.split(":"))
    .filter(([, , , members = ""]) => members.split(",").some((name) => names.includes(name)));
  return [...users.map(([, , , gid]) => Number(gid)), ...joined.map(([, , gid]) => Number(gid))];
}

/** From the root down. */
function foldersTo(file: string): readonly string[] {
  const folder = dirname(resolve(file));
  return folder === dirname(folder) ? [folder] : [...foldersTo(folder), folder];
}

/**
 * Do the mode's bits let this user and these groups read (4) or pass (1)? `perhaps`: they let a group of others, and where there is an access
 * list, which the mode does not tell, that bit is the most that the list gives anybody.
 */
function lets(
  { uid, gid, mode }: Stats,
  reader: { readonly uid: number; readonly gids: ReadonlySet<number> },
  bit: number,
): "yes" | "no" | "perhaps" {
  const may = (of: 6 | 3 | 0) => (mode & (bit << of)) !== 0;
  if (uid === reader.uid) return may(6) ? "yes" : "no";
  if (reader.gids.has(gid)) return may(3) ? "yes" : "no";
  if (may(0)) return "yes";
  return may(3) ? "perhaps" : "no";
}

/** The secret of a password file, without its closing newline. Throws the system's error. */
export function readSecret(file: string): string {
  return readFileSync(file, "utf8").replace(/\r?\n$/, "");
}

function nearestExisting(path: string): string {
  let at = path;
  while (!existsSync(at) && at !== dirname(at)) at = dirname(at);
  return at;
}

/** Is `folder`, or what of its path is there, on the disk of `/`? */
export function isOnSystemDisk(folder: string): boolean {
  return statSync(nearestExisting(folder)).dev === statSync("/").dev;
}

function sizeWarnings(recording: Settings["recording"]): Finding[] {
  if (recording.limit.size === null) return [];
  const room = statfsSync(nearestExisting(recording.folder));
  const totalBytes = room.blocks * room.bsize;
  if (recording.limit.size <= totalBytes) return [];
  return [finding(["recording", "limit", "size"], "limit-size", { disk: `${Math.round(totalBytes / 1e9)} GB` })];
}
