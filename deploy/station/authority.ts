/** The station's own certificate authority, by openssl: ECDSA P-256, its key in a folder of mode 0700. */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAddress } from "./register.ts";

const dayMs = 86_400_000;
/** Clocks of boxes that run a little behind. */
const backdatedMs = dayMs;
const authorityDays = 20 * 365;
const siteDays = 3 * 365;
/** Browsers take no longer one. */
const brokerDays = 397;
/** A revocation list that ends keeps every box out: this one outlives the authority. */
const revokedDays = 36_500;

const settings = `[ca]
default_ca = station
[station]
dir = .
database = ./index.txt
new_certs_dir = ./issued
certificate = ./ca.crt
private_key = ./ca.key
rand_serial = yes
crlnumber = ./crlnumber
default_md = sha256
policy = only_name
unique_subject = no
copy_extensions = none
[only_name]
commonName = supplied
[authority]
basicConstraints = critical,CA:true,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[site]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[broker]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $ENV::NAMES
[req]
distinguished_name = name
[name]
`;

export type Issued = { readonly cert: string; readonly key: string; readonly serial: string; readonly endsAt: string };

export type Authority = {
  readonly ca: () => string;
  readonly site: (id: string) => Issued;
  readonly broker: (hosts: readonly string[]) => Issued;
  readonly revoke: (serials: readonly string[]) => void;
  /** The list of what is revoked, PEM. */
  readonly revoked: () => string;
};

/** Opens the authority in `folder`, and makes it where there is none. `now`: for tests of renewal. */
export function openAuthority(folder: string, commune: string, now = () => Date.now()): Authority {
  const openssl = (args: readonly string[], names = "DNS:none") => run(folder, args, names);
  const issue = (kind: "site" | "broker", name: string, days: number, names?: string): Issued => {
    const work = mkdtempSync(join(folder, "issue."));
    try {
      const [key, request, cert] = ["key", "request", "cert"].map((file) => join(work, file)) as [string, string, string];
      openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key]);
      openssl(["req", "-new", "-key", key, "-subj", `/CN=${name}`, "-out", request]);
      openssl(["ca", "-batch", "-notext", "-in", request, "-out", cert, "-extensions", kind, ...validity(now(), days)], names);
      const pem = readFileSync(cert, "utf8");
      const { serialNumber, validTo } = new X509Certificate(pem);
      return { cert: pem, key: readFileSync(key, "utf8"), serial: serialNumber, endsAt: new Date(validTo).toISOString() };
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  };
  // The list is the last that is made: without it the founding was cut off, and is begun anew.
  if (!existsSync(join(folder, "revoked.crl"))) found(folder, commune, openssl, now());
  return {
    ca: () => readFileSync(join(folder, "ca.crt"), "utf8"),
    site: (id) => issue("site", id, siteDays),
    broker: (hosts) => issue("broker", "station", brokerDays, namesOf(hosts)),
    revoke: (serials) => {
      const issued = new Set(readdirSync(join(folder, "issued")));
      for (const serial of serials.filter((one) => issued.has(`${one}.pem`) && !isRevoked(folder, one)))
        openssl(["ca", "-batch", "-revoke", `issued/${serial}.pem`]);
      list(openssl);
    },
    revoked: () => readFileSync(join(folder, "revoked.crl"), "utf8"),
  };
}

function found(folder: string, commune: string, openssl: (args: readonly string[]) => void, nowMs: number): void {
  mkdirSync(join(folder, "issued"), { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, "openssl.cnf"), settings);
  writeFileSync(join(folder, "index.txt"), "");
  writeFileSync(join(folder, "crlnumber"), "01\n");
  openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ca.key"]);
  chmodSync(join(folder, "ca.key"), 0o600);
  openssl(["req", "-new", "-key", "ca.key", "-subj", `/CN=matghi ${commune}`, "-out", "ca.request"]);
  const by = ["-selfsign", "-keyfile", "ca.key", "-in", "ca.request", "-extensions", "authority"];
  openssl(["ca", "-batch", "-notext", ...by, "-out", "ca.crt", ...validity(nowMs, authorityDays)]);
  rmSync(join(folder, "ca.request"));
  list(openssl);
}

const list = (openssl: (args: readonly string[]) => void) =>
  openssl(["ca", "-batch", "-gencrl", "-crldays", String(revokedDays), "-out", "revoked.crl"]);

/** openssl's book: state, end, revocation, serial number … in columns. */
const isRevoked = (folder: string, serial: string): boolean =>
  readFileSync(join(folder, "index.txt"), "utf8")
    .split("\n")
    .some((line) => line.startsWith("R\t") && line.split("\t")[3] === serial);

const stamp = (ms: number) => `${new Date(ms).toISOString().replace(/[-:T]|\.\d+Z/g, "")}Z`;
const validity = (nowMs: number, days: number) => [
  ...["-startdate", stamp(nowMs - backdatedMs)],
  ...["-enddate", stamp(nowMs + days * dayMs)],
];

const namesOf = (hosts: readonly string[]) => hosts.map((host) => `${isAddress(host) ? "IP" : "DNS"}:${host}`).join(",");

function run(folder: string, args: readonly string[], names: string): void {
  const needsSettings = args[0] === "ca" || args[0] === "req";
  const [command = "", ...rest] = args;
  const whole = needsSettings ? [command, "-config", "openssl.cnf", ...rest] : [command, ...rest];
  try {
    const mask = process.umask(0o077);
    try {
      execFileSync("openssl", whole, { cwd: folder, env: { ...process.env, NAMES: names }, stdio: ["ignore", "ignore", "pipe"] });
    } finally {
      process.umask(mask);
    }
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr ?? error).trim();
    throw new Error(`openssl ${command}: ${said.split("\n").at(-1) ?? ""}`);
  }
}
