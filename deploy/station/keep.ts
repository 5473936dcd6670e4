/** The station's folder: its register, and all that is made from it. */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { type Authority, openAuthority } from "./authority.ts";
import { brokerText } from "./broker.ts";
import { firewallText } from "./firewall.ts";
import { makeKeyPair } from "./keys.ts";
import { hashOf, makeSecret, passwordChars, passwordsText } from "./passwords.ts";
import { readKeys, tellTunnel } from "./peers.ts";
import { filesOf, type Place } from "./place.ts";
import type { Register } from "./register.ts";
import { rightsText } from "./rights.ts";
import { interfaces, serverFirewallText, serverText, stationText, type TunnelKeys, tunnels, uplinkText } from "./tunnel.ts";
import { webText } from "./web.ts";

const dayMs = 86_400_000;
/** The broker's certificate is made anew so long before it ends: a station that was off for a month still comes back in time. */
const renewBeforeMs = 60 * dayMs;

export type Wanted = Pick<Register, "commune" | "name" | "language" | "hosts" | "ports" | "hub">;

/** null: there is no station in this place. Throws where its register cannot be read. */
export function readRegister(place: Place): Register | null {
  const { register } = filesOf(place);
  if (!existsSync(register)) return null;
  const known = JSON.parse(readFileSync(register, "utf8")) as Omit<Register, "hub" | "routers"> & Partial<Register>;
  // One of before the tunnels has neither.
  return { ...known, hub: known.hub ?? { kind: "none" }, routers: known.routers ?? [] };
}

/** Makes a station, or gives one that is there other names, addresses and ports; sites and people stay. */
export function found(place: Place, wanted: Wanted): Register {
  for (const folder of [place.etc, place.data, place.page, place.run, place.webRun]) mkdirSync(folder, { recursive: true });
  chmodSync(place.etc, 0o750);
  own(place, place.etc, "root");
  own(place, place.data, "broker");
  const before = readRegister(place);
  const ownHash = before?.ownHash ?? makeOwnPassword(place);
  const kept = { sites: before?.sites ?? [], people: before?.people ?? [], routers: before?.routers ?? [] };
  const register: Register = { v: 1, ...wanted, ownHash, ...kept };
  put(place, register);
  return register;
}

/** Writes the register and everything that follows from it; true where the broker has a new certificate. Whoever runs is told by `reload`. */
export function put(place: Place, register: Register): boolean {
  const files = filesOf(place);
  const authority = authorityOf(place, register.commune);
  const by = place.accounts;
  write(place, files.register, `${JSON.stringify(register, null, 2)}\n`, 0o600, "root");
  for (const file of [files.ca, files.publicCa]) write(place, file, authority.ca(), 0o644, "root");
  write(place, files.revoked, authority.revoked(), 0o644, "root");
  const renewed = renewBroker(place, register, authority);
  write(place, files.rights, rightsText(register), 0o600, "broker");
  write(place, files.passwords, passwordsText(register), 0o600, "broker");
  write(place, files.brokerConfiguration, brokerText(place, register, by?.broker ?? userInfo().username), 0o644, "root");
  write(place, files.webConfiguration, webText(place, register, by?.web ?? (process.getuid?.() === 0 ? "root" : null)), 0o644, "root");
  write(place, files.firewall, firewallText(register.ports, register.hub), 0o644, "root");
  putTunnels(place, register);
  const { commune, name, language } = register;
  write(place, files.about, `${JSON.stringify({ v: 1, commune, name, language })}\n`, 0o644, "root");
  return renewed;
}

/** The files of the tunnels, as far as this station has any. */
function putTunnels(place: Place, register: Register): void {
  const { hub } = register;
  const { tunnel, uplink, hubTunnel, hubFirewall } = filesOf(place);
  const keys = hub.kind === "none" ? null : keysOf(place);
  const server = hub.kind === "server" ? hub : null;
  const texts: readonly (readonly [string, string | null])[] = [
    [tunnel, hub.kind === "none" || keys === null ? null : stationText(register, hub, keys)],
    [uplink, server === null || keys === null ? null : uplinkText(server, keys)],
    [hubTunnel, server === null || keys === null ? null : serverText(server, keys, `/etc/wireguard/${interfaces.server}.nft`)],
    [hubFirewall, server === null ? null : serverFirewallText(server)],
  ];
  for (const [file, text] of texts)
    if (text === null) rmSync(file, { force: true });
    else write(place, file, text, 0o600, "root");
}

/** Made once: with others every box would have to be enrolled again. */
export function keysOf(place: Place): TunnelKeys {
  const keys = readKeys(place);
  if (keys !== null) return keys;
  const made = { station: makeKeyPair(), uplink: makeKeyPair(), server: makeKeyPair() };
  write(place, filesOf(place).tunnelKeys, `${JSON.stringify(made)}\n`, 0o600, "root");
  return made;
}

export const authorityOf = (place: Place, commune: string): Authority => openAuthority(filesOf(place).authority, commune);

/** A new certificate for broker and page where there is none, it ends soon, or this machine has other names by now; true where it was made. */
export function renewBroker(place: Place, register: Register, authority: Authority, nowMs = Date.now()): boolean {
  const { brokerCertificate, brokerKey } = filesOf(place);
  const hosts = [...register.hosts, ...(register.hub.kind === "none" ? [] : [tunnels.station])];
  if (isGood(brokerCertificate, hosts, nowMs) && existsSync(brokerKey)) return false;
  const { cert, key } = authority.broker(hosts);
  write(place, brokerKey, key, 0o600, "broker");
  write(place, brokerCertificate, cert, 0o644, "root");
  return true;
}

function isGood(file: string, hosts: readonly string[], nowMs: number): boolean {
  if (!existsSync(file)) return false;
  const certificate = new X509Certificate(readFileSync(file));
  const names = (certificate.subjectAltName ?? "").split(", ").map((name) => name.replace(/^(DNS|IP Address):/, ""));
  return Date.parse(certificate.validTo) - nowMs > renewBeforeMs && JSON.stringify(names) === JSON.stringify(hosts);
}

/** Has broker, nginx and tunnel, where they run, read their files again: rights, passwords, certificates, the list of what is revoked, peers. */
export function reload(place: Place): void {
  const { brokerProcess, webProcess } = filesOf(place);
  for (const [file, name] of [
    [brokerProcess, "mosquitto"],
    [webProcess, "nginx"],
  ] as const) {
    const pid = runningPid(file, name);
    if (pid !== null) process.kill(pid, "SIGHUP");
  }
  tellTunnel(place);
}

/** The id that a process wrote, as long as it is still that process. */
export function runningPid(file: string, name: string): number | null {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === name ? pid : null;
  } catch {
    return null;
  }
}

function makeOwnPassword(place: Place): string {
  const password = makeSecret(passwordChars);
  write(place, filesOf(place).ownPassword, `${password}\n`, 0o600, "root");
  return hashOf(password);
}

export const ownPassword = (place: Place): string => readFileSync(filesOf(place).ownPassword, "utf8").trim();

/** Whole or not at all. */
function write(place: Place, file: string, text: string, mode: number, owner: "root" | "broker"): void {
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.part`;
  const handle = openSync(part, "w", mode);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  chmodSync(part, mode);
  own(place, part, owner);
  renameSync(part, file);
}

/** On an installed station the broker's account owns what only it may read. */
function own(place: Place, path: string, owner: "root" | "broker"): void {
  if (place.accounts === null) return;
  const account =
    owner === "root"
      ? path === place.etc
        ? `root:${place.accounts.broker}`
        : "root:root"
      : `${place.accounts.broker}:${place.accounts.broker}`;
  execFileSync("chown", [account, path]);
}
