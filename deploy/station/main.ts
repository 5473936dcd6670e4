/** The station's tools: install, add-site, remove-site, add-viewer, remove-viewer, list, check; and what its services call. */
import { chmodSync, existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { checkRights } from "./check.ts";
import { addPerson, addSite, refresh, registerOf, removePerson, removeSite, Undoable } from "./deeds.ts";
import { guardDatabase } from "./guard.ts";
import { fill, install, provePromises, remove } from "./install.ts";
import { found, type Wanted } from "./keep.ts";
import { filesOf, folderPlace, installedPlace, type Place, usualPorts } from "./place.ts";
import { isHost, isId, type Person, type Reach, type Register } from "./register.ts";
import { wordsOf } from "./words.ts";

const usages: Readonly<Record<string, string>> = {
  install:
    "install --commune ID --name NAME --host ADDRESS [--host ADDRESS …] --no-vpn [--port 8883] [--https 443] [--language vi|en] | install --remove",
  "add-site": "add-site ID [--out FILE]",
  "remove-site": "remove-site ID",
  "add-viewer": "add-viewer NAME [--officer] [--sites ID,…] [--groups GROUP,…]",
  "remove-viewer": "remove-viewer NAME",
  list: "list",
  check: "check",
  refresh: "refresh",
  guard: "guard",
};

/** Wrong use: exit 2. */
class Misuse extends Error {}

const out = (text: string) => void process.stdout.write(`${text}\n`);
const step = (text: string, facts: Readonly<Record<string, string>> = {}) => out(`matghi: ${fill(text, facts)}`);

const text = { type: "string" } as const;
const list = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;
const options = {
  ...{ commune: text, name: text, host: list, port: text, https: text, websocket: text, language: text, "no-vpn": flag, hub: text },
  ...{ remove: flag, out: text, officer: flag, sites: list, groups: list, folder: text, help: flag },
} as const;
type Values = ReturnType<typeof parse>["values"];

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new Misuse(`${error instanceof Error ? error.message.split(". ")[0] : String(error)}; see --help`);
  }
}

async function main(command: string, args: readonly string[]): Promise<void> {
  const usage = usages[command];
  if (usage === undefined) throw new Misuse(`no such command ${command}; there are: ${Object.keys(usages).join(", ")}`);
  const { values, positionals } = parse(args);
  if (values.help === true) return out(`usage: deploy/station/${usage}`);
  const place = values.folder === undefined ? installedPlace : folderPlace(resolve(values.folder));
  if (values.folder === undefined && process.getuid?.() !== 0) throw new Misuse("run this as root: sudo deploy/station/…");
  const [word = "", ...more] = positionals;
  const takesWord = usage.includes(`${command} ID`) || usage.includes(`${command} NAME`);
  if (more.length > 0 || takesWord === (word === "")) throw new Misuse(`usage: deploy/station/${usage}`);
  if (command === "install") return installCommand(place, values);
  if (command === "guard") return guardCommand(place);
  const register = registerOf(place);
  if (command === "list") return listCommand(register);
  if (command === "check") return checkCommand(place, register, values);
  if (command === "refresh") return (await refresh(place)).forEach((text) => void step(text));
  await deed(command, place, register, word, values);
}

async function deed(command: string, place: Place, { language }: Register, word: string, values: Values): Promise<void> {
  const words = wordsOf(language);
  if (command.endsWith("site") && !isId(word))
    throw new Misuse(`${word}: a site's id has 2 to 32 of a-z, 0-9 and -, as site.id of the box`);
  if (command.endsWith("viewer") && !isId(word)) throw new Misuse(`${word}: a name has 2 to 32 of a-z, 0-9 and -`);
  if (command === "add-site") return addSiteCommand(place, word, resolve(values.out ?? `${word}.matghi`), words);
  if (command === "remove-site") {
    await removeSite(place, word);
    return out(fill(words.siteGone, { id: word }));
  }
  if (command === "remove-viewer") {
    removePerson(place, word);
    return out(fill(words.personGone, { name: word }));
  }
  const listed = (texts: readonly string[] = []) =>
    texts
      .flatMap((text) => text.split(","))
      .map((text) => text.trim())
      .filter((text) => text !== "");
  const role: Person["role"] = values.officer === true ? "officer" : "viewer";
  const { name, password, reach } = await addPerson(place, {
    name: word,
    role,
    sites: listed(values.sites),
    groups: listed(values.groups),
  });
  out(fill(words.person, { name, password, role: words.roles[role], reach: reachText(reach, words.all) }));
}

function addSiteCommand(place: Place, id: string, file: string, words: ReturnType<typeof wordsOf>): void {
  if (existsSync(file)) throw new Undoable(`${file} is there already; delete it, or name another with --out`);
  const { code, endsAt } = addSite(place, id, file);
  // Root made it, the technician takes it along; without the code it is worth nothing.
  chmodSync(file, 0o600);
  out(fill(words.site, { file, id, end: endsAt.slice(0, 10) }));
  out(fill(words.code, { code }));
  out(fill(words.onBox, { name: basename(file) }));
}

const reachText = (reach: Reach, all: string) =>
  reach.kind === "all" ? all : [...reach.sites, ...reach.groups.map((group) => `"${group}"`)].join(", ");

function listCommand(register: Register): void {
  const words = wordsOf(register.language);
  out(`${register.name} (${register.commune}), ${register.hosts.join(", ")}`);
  out(words.sites);
  for (const { id, certificates } of register.sites) out(`  ${id}  → ${certificates.at(-1)?.endsAt.slice(0, 10) ?? ""}`);
  out(words.people);
  for (const { name, role, reach } of register.people) out(`  ${name}  ${words.roles[role]}, ${reachText(reach, words.all)}`);
}

async function checkCommand(place: Place, register: Register, values: Values): Promise<void> {
  if (values.folder === undefined) return provePromises(place, register, step);
  const words = wordsOf(register.language);
  const proved = await checkRights(place, register);
  const wrong = proved.find(({ held }) => !held);
  if (wrong !== undefined) throw new Undoable(fill(words.unproved, { who: wrong.who, does: wrong.does, topic: wrong.topic }));
  step(words.proved, { count: String(proved.length) });
}

async function guardCommand(place: Place): Promise<void> {
  const guarded = await guardDatabase(filesOf(place).database);
  if (guarded.kind === "set-aside")
    step(`the broker's database was damaged (${guarded.why}) and is set aside as ${guarded.as}; the boxes tell everything again`);
}

async function installCommand(place: Place, values: Values): Promise<void> {
  if (values.remove === true)
    return values.folder === undefined
      ? remove(place, step)
      : Promise.reject(new Misuse("--remove undoes an installed station; a folder is simply deleted"));
  const wanted = wantedOf(values);
  const words = wordsOf(wanted.language);
  if (values.folder === undefined) await install(place, wanted, `${process.execPath} ${fileURLToPath(import.meta.url)}`, step);
  else {
    step(words.files, { name: wanted.name, commune: wanted.commune, folder: place.etc });
    found(place, wanted);
  }
  const host = wanted.hosts[0] ?? "";
  const facts = { host, port: wanted.ports.https === usualPorts.https ? "" : `:${wanted.ports.https}`, mqtts: String(wanted.ports.mqtts) };
  out(fill(words.ready, facts));
  out(fill(words.noVpn, facts));
}

function wantedOf({ commune = "", name = "", host: hosts = [], language = "vi", ...values }: Values): Wanted {
  const usage = `usage: deploy/station/${usages.install}`;
  if (commune === "" || name === "" || hosts.length === 0) throw new Misuse(usage);
  if (!isId(commune)) throw new Misuse(`--commune ${commune}: 2 to 32 of a-z, 0-9 and -, as site.commune of the boxes`);
  const strange = hosts.find((host) => !isHost(host));
  if (strange !== undefined) throw new Misuse(`--host ${strange}: a name or an IPv4 address, without a port`);
  if (language !== "vi" && language !== "en") throw new Misuse(`--language ${language}: vi or en`);
  if (values.hub !== undefined || values["no-vpn"] !== true)
    throw new Misuse(
      `the WireGuard tunnel is not built yet, --no-vpn is the only way: the boxes then dial ${hosts[0]} directly, and nobody can ssh to a box through the station. Add --no-vpn${values.hub === undefined ? "" : " and leave --hub away"}`,
    );
  const ports = {
    mqtts: portOf("port", values.port, usualPorts.mqtts),
    https: portOf("https", values.https, usualPorts.https),
    websocket: portOf("websocket", values.websocket, usualPorts.websocket),
  };
  if (new Set(Object.values(ports)).size < 3) throw new Misuse("--port, --https and the inner port must differ");
  return { commune, name, language, hosts: [...new Set([...hosts, "localhost", "127.0.0.1"])], ports };
}

function portOf(name: string, text: string | undefined, usual: number): number {
  const port = text === undefined ? usual : Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Misuse(`--${name} ${text}: 1 to 65535`);
  return port;
}

try {
  await main(process.argv[2] ?? "", process.argv.slice(3));
  // mqtt.js leaves timers behind.
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof Misuse ? 2 : 1);
}
