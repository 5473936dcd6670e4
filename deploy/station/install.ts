/** Makes a Debian machine a station: packages, authority, services, firewall; then proves what it promises. Idempotent. */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkRights } from "./check.ts";
import { Undoable } from "./deeds.ts";
import { fill } from "./fill.ts";
import { found, readRegister, type Wanted } from "./keep.ts";
import { portsOpenOutside } from "./outside.ts";
import { filesOf, type Place } from "./place.ts";
import type { Hub, Register } from "./register.ts";
import { opened } from "./services.ts";
import { enabledUnits, type Programs, unitsOf, uplinkUnit } from "./units.ts";
import { wordsOf } from "./words.ts";

const packages = ["mosquitto", "nginx-light", "openssl", "nftables", "iproute2", "ca-certificates"] as const;
/** `qrencode` draws a phone's tunnel. */
const tunnelPackages = ["wireguard-tools", "qrencode"] as const;
/** Debian starts them as soon as they are installed; ours are others. */
const debianServices = [
  ["mosquitto", "mosquitto.service"],
  ["nginx-light", "nginx.service"],
] as const;
const trusted = {
  system: "/usr/local/share/ca-certificates/matghi-station.crt",
  firefox: "/etc/firefox/policies/policies.json",
  chromium: "/etc/chromium/policies/managed/matghi-station.json",
};

export type Say = (text: string, facts?: Readonly<Record<string, string>>) => void;

/** Installs or brings up to date. Throws an Undoable with the next step. */
export async function install(place: Place, wanted: Wanted, programs: Programs, say: Say): Promise<void> {
  const words = wordsOf(wanted.language);
  installPackages(place, packagesFor(wanted.hub), say, words.packages);
  say(words.files, { name: wanted.name, commune: wanted.commune, folder: place.etc });
  const enabled = enabledUnits(wanted.hub);
  // The hub may be another than before; a tunnel is brought down by the file that goes with it.
  const over = everEnabled.filter((name) => !enabled.includes(name) && existsSync(`/etc/systemd/system/${name}`));
  if (over.length > 0) systemctl("disable", "--now", ...over);
  const register = found(place, wanted);
  putPage(place);
  trustAuthority(place);
  say(words.services);
  for (const [name, text] of Object.entries(unitsOf(place, programs))) writeFileSync(`/etc/systemd/system/${name}`, text, { mode: 0o644 });
  systemctl("daemon-reload");
  systemctl("enable", ...enabled);
  // Ports and names may be others than before: what only a start takes in is started anew.
  // A server between whose name is not known yet is tried again by its own unit; the rest does not wait for it.
  systemctl("restart", ...enabled.filter((name) => name !== uplinkUnit));
  if (enabled.includes(uplinkUnit)) systemctl("restart", "--no-block", uplinkUnit);
  await Promise.all(Object.values(register.ports).map(opened));
  await provePromises(place, register, say);
}

/** The two promises of an installed station; throws where one does not hold. */
export async function provePromises(place: Place, register: Register, say: Say): Promise<void> {
  const words = wordsOf(register.language);
  const { mqtts, https, websocket } = register.ports;
  const outside = portsOpenOutside([mqtts, https, websocket]);
  if (outside.kind === "blind")
    throw new Undoable(
      `port ${websocket} is not proved closed: no network namespace here (${outside.why}); run the installer as root on the machine itself`,
    );
  if (outside.open.includes(websocket))
    throw new Undoable(
      `port ${websocket} is open from outside although it must not be; look at: nft list table inet matghi_station, systemctl status matghi-station-firewall`,
    );
  for (const port of [mqtts, https])
    if (!outside.open.includes(port))
      throw new Undoable(
        `port ${port} is closed from outside by another firewall of this machine; open it there (nft list ruleset, ufw status) and run the installer again`,
      );
  say(words.closed, { port: String(websocket) });
  const proved = await checkRights(place, register);
  const wrong = proved.find(({ held }) => !held);
  if (wrong !== undefined) throw new Undoable(fill(words.unproved, { who: wrong.who, does: wrong.does, topic: wrong.topic }));
  say(words.proved, { count: String(proved.length) });
}

/** Debian's kernels have WireGuard; another one gets it as a program, which wg-quick then takes by itself. */
function packagesFor({ kind }: Hub): readonly string[] {
  if (kind === "none") return packages;
  const probe = "matghi-probe";
  try {
    execFileSync("ip", ["link", "add", probe, "type", "wireguard"], { stdio: "ignore" });
    execFileSync("ip", ["link", "delete", probe], { stdio: "ignore" });
    return [...packages, ...tunnelPackages];
  } catch {
    return [...packages, ...tunnelPackages, "wireguard-go"];
  }
}

/** Whatever hub it has or had. */
const everEnabled = enabledUnits({ kind: "server", host: "", port: 0 });

function installPackages(place: Place, wanted: readonly string[], say: Say, text: string): void {
  const missing = wanted.filter((name) => !isInstalled(name));
  // Noted before they come: an installer that is cut off must know it when it is run again.
  const ours = [...new Set([...broughtAlong(place), ...missing])];
  put(filesOf(place).broughtAlong, `${JSON.stringify(ours)}\n`);
  if (missing.length > 0) {
    say(text, { list: missing.join(" ") });
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const apt = (...args: readonly string[]) =>
      void execFileSync("apt-get", ["-qq", ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
    try {
      apt("update");
      apt("install", "-y", "--no-install-recommends", ...missing);
    } catch (error) {
      throw new Undoable(`apt-get could not install ${missing.join(" ")}: ${lastLine(error)}; set that right and run the installer again`);
    }
  }
  // What was there before us is somebody's; what came with us would only stand open.
  for (const [name, service] of debianServices) if (ours.includes(name)) systemctl("disable", "--now", service);
}

const broughtAlong = (place: Place): readonly string[] => {
  const { broughtAlong: file } = filesOf(place);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as readonly string[]) : [];
};

function isInstalled(name: string): boolean {
  try {
    return execFileSync("dpkg", ["-s", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).includes("ok installed");
  } catch {
    return false;
  }
}

function systemctl(...args: readonly string[]): void {
  try {
    execFileSync("systemctl", [...args], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    throw new Undoable(`systemctl ${args.join(" ")}: ${lastLine(error)}; look at: journalctl -u 'matghi-*' -n 50`);
  }
}

const lastLine = (error: unknown) =>
  String((error as { stderr?: unknown }).stderr ?? error)
    .trim()
    .split("\n")
    .at(-1) ?? "";

/** The board as it was built (`npm run build:board`), beside what is built of this file. */
const board = join(import.meta.dirname, "../../board/index.html");

/** The page; until it is built, one that says so. */
function putPage(place: Place): void {
  const page = `${place.page}/index.html`;
  if (existsSync(board)) copyFileSync(board, page);
  else if (!existsSync(page))
    writeFileSync(
      page,
      '<!doctype html><meta charset="utf-8"><title>matghi</title><p>Trang xem chưa được cài. The board is not installed yet.\n',
    );
}

/** This machine's own programs and browsers believe the page; a policy that somebody wrote stays theirs. */
function trustAuthority(place: Place): void {
  const pem = readFileSync(filesOf(place).ca, "utf8");
  put(trusted.system, pem);
  execFileSync("update-ca-certificates", [], { stdio: "ignore" });
  if (!existsSync(trusted.firefox))
    put(trusted.firefox, `${JSON.stringify({ policies: { Certificates: { Install: [trusted.system] } } })}\n`);
  put(trusted.chromium, `${JSON.stringify({ CACertificates: [new X509Certificate(pem).raw.toString("base64")] })}\n`);
}

function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o644 });
}

/** Undoes all but the packages. */
export function remove(place: Place, say: Say): void {
  const words = wordsOf(readRegister(place)?.language ?? "vi");
  const units = Object.keys(unitsOf(place, { tools: "", lookup: "" }));
  const there = units.filter((name) => existsSync(`/etc/systemd/system/${name}`));
  if (there.length > 0) systemctl("disable", "--now", ...there.filter((name) => everEnabled.includes(name)));
  for (const name of there) rmSync(`/etc/systemd/system/${name}`);
  if (there.length > 0) systemctl("daemon-reload");
  const policy = existsSync(trusted.firefox) && readFileSync(trusted.firefox, "utf8").includes(trusted.system) ? [trusted.firefox] : [];
  for (const file of [trusted.system, trusted.chromium, ...policy]) rmSync(file, { force: true });
  execFileSync("update-ca-certificates", ["--fresh"], { stdio: "ignore" });
  const ours = broughtAlong(place);
  const { tunnel, uplink } = filesOf(place);
  for (const file of [tunnel, uplink]) rmSync(file, { force: true });
  for (const folder of [place.etc, place.data, dirname(place.page), place.run, place.webRun])
    rmSync(folder, { recursive: true, force: true });
  say(words.removed, { list: ours.join(" ") || "–" });
}
