/** The station's tools: install, add-site, remove-site, add-viewer, remove-viewer, add-router, remove-router, list, check; and what its services call. */
import { execFileSync } from "node:child_process";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { joinedLine, onOneLine } from "../../agent/core/text.ts";
import { type Tunnel, tunnelText } from "../../agent/core/tunnel.ts";
import { checkRights } from "./check.ts";
import {
  addPerson,
  addPhone,
  addRouter,
  addSite,
  refresh,
  registerOf,
  removePerson,
  removeRouter,
  removeSite,
  Undoable,
  Unknown,
} from "./deeds.ts";
import { fill } from "./fill.ts";
import { guardDatabase } from "./guard.ts";
import { install, provePromises, remove } from "./install.ts";
import { found, readRegister, type Wanted } from "./keep.ts";
import { listText, reachText } from "./listing.ts";
import { alone } from "./lock.ts";
import { handshakes } from "./peers.ts";
import { filesOf, folderPlace, installedPlace, type Place, usualPorts } from "./place.ts";
import { isId, type Person, type Register } from "./register.ts";
import { Misuse, wantedOf } from "./wanted.ts";
import { wordsOf } from "./words.ts";

const usages: Readonly<Record<string, string>> = {
  install:
    "install --commune ID --name NAME --host ADDRESS [--host ADDRESS …] [--public HOST[:PORT] | --hub HOST[:PORT] | --no-vpn] [--port 8883] [--https 443] [--language vi|en] | install --remove",
  "add-site": "add-site ID [--out FILE] [--here]",
  "remove-site": "remove-site ID",
  "add-viewer": "add-viewer NAME [--officer | --all | --sites ID,… --groups GROUP,…] [--phone]",
  "remove-viewer": "remove-viewer NAME",
  "add-router": "add-router ID [--out FILE]",
  "remove-router": "remove-router ID",
  list: "list",
  check: "check",
  refresh: "refresh",
  guard: "guard",
};

/** Of the checkout; this file runs from `dist/deploy/station`. */
const lookup = join(import.meta.dirname, "../../../deploy/tunnel-lookup");

const out = (text: string) => void process.stdout.write(`${text}\n`);
const step = (text: string, facts: Readonly<Record<string, string>> = {}) => out(`matghi: ${fill(text, facts)}`);

const text = { type: "string" } as const;
const list = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;
const options = {
  ...{ commune: text, name: text, host: list, port: text, https: text, websocket: text, language: text, "no-vpn": flag },
  ...{
    public: text,
    hub: text,
    here: flag,
    phone: flag,
    remove: flag,
    out: text,
    officer: flag,
    all: flag,
    sites: list,
    groups: list,
    folder: text,
    help: flag,
  },
} as const;
type Values = ReturnType<typeof parse>["values"];
/** Options that no usage names: for tests, and for an ordinary user. */
const hidden: readonly string[] = ["folder", "websocket"];

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new Misuse(`${error instanceof Error ? error.message.split(/\.\s/)[0] : String(error)}; see --help`);
  }
}

async function main(command: string, args: readonly string[]): Promise<void> {
  const usage = usages[command];
  if (usage === undefined) throw new Misuse(`no such command ${command}; there are: ${Object.keys(usages).join(", ")}`);
  const { values, positionals } = parse(args);
  if (values.help === true) return out(`usage: deploy/station/${usage}`);
  const foreign = Object.keys(values).find((name) => !hidden.includes(name) && !new RegExp(`--${name}\\b`).test(usage));
  if (foreign !== undefined) throw new Misuse(`${command} takes no --${foreign}; usage: deploy/station/${usage}`);
  const place = values.folder === undefined ? installedPlace : folderPlace(resolve(values.folder));
  if (values.folder === undefined && process.getuid?.() !== 0) throw new Misuse("run this as root: sudo deploy/station/…");
  const [word = "", ...more] = positionals;
  const takesWord = usage.includes(`${command} ID`) || usage.includes(`${command} NAME`);
  if (more.length > 0 || takesWord === (word === "")) throw new Misuse(`usage: deploy/station/${usage}`);
  // The broker's start waits for nobody, and installing starts the broker.
  if (command === "guard") return guardCommand(place);
  if (command === "list") return out(listText(registerOf(place), handshakes(place), Date.now()));
  // Where there is no station yet, nothing is to be left behind.
  if (command !== "install") registerOf(place);
  else if (values.remove !== true) installWanted(place, values);
  else if (values.folder !== undefined) throw new Misuse("--remove undoes an installed station; a folder is simply deleted");
  const onWait = () => void process.stderr.write("another of the station's tools is at work; waiting for it\n");
  if (!(await alone(filesOf(place).lock, onWait, () => act(command, place, word, values))))
    throw new Undoable("another of the station's tools did not end in time; look for it: ps -ef | grep station");
}

/** What changes the register, or tries it. */
async function act(command: string, place: Place, word: string, values: Values): Promise<void> {
  if (command === "install") return installCommand(place, values);
  const register = registerOf(place);
  if (command === "check") return checkCommand(place, register, values);
  if (command === "refresh") return (await refresh(place)).forEach((text) => void step(text));
  await deed(command, place, register, word, values);
}

async function deed(command: string, place: Place, { language }: Register, word: string, values: Values): Promise<void> {
  const words = wordsOf(language);
  if (command.endsWith("site") && !isId(word))
    throw new Misuse(`${word}: a site's id has 2 to 32 of a-z, 0-9 and -, as site.id of the box`);
  if (command.endsWith("viewer") && !isId(word)) throw new Misuse(`${word}: a name has 2 to 32 of a-z, 0-9 and -`);
  if (command.endsWith("router") && !isId(word))
    throw new Misuse(`${word}: a household's id has 2 to 32 of a-z, 0-9 and -, as households.id of the recorder`);
  if (command === "add-site") return addSiteCommand(place, word, values, words);
  if (command === "add-router") return addRouterCommand(place, word, values, words);
  if (command === "add-viewer") return addViewerCommand(place, word, values, words);
  if (command === "remove-site") await removeSite(place, word);
  if (command === "remove-router") removeRouter(place, word);
  if (command === "remove-viewer") removePerson(place, word);
  const gone: Readonly<Record<string, string>> = {
    "remove-site": words.siteGone,
    "remove-router": words.routerGone,
    "remove-viewer": words.personGone,
  };
  out(fill(gone[command] ?? "", { id: word, name: word }));
}

function addRouterCommand(place: Place, id: string, values: Values, words: ReturnType<typeof wordsOf>): void {
  const { file, address, network } = addRouter(place, id, resolve(values.out ?? `${id}.conf`));
  out(fill(words.router, { id, file, address, network }));
}

async function addViewerCommand(place: Place, word: string, values: Values, words: ReturnType<typeof wordsOf>): Promise<void> {
  const listed = (texts: readonly string[] = []) =>
    texts
      .flatMap((text) => text.split(","))
      .map((text) => text.trim())
      .filter((text) => text !== "");
  const asked = { name: word, sites: listed(values.sites), groups: listed(values.groups), phone: values.phone === true };
  // Without either one sees everything, which an empty list never means.
  const empty = (["sites", "groups"] as const).find((name) => values[name] !== undefined && asked[name].length === 0);
  if (empty !== undefined) throw new Misuse(`--${empty} names none; name at least one, or say --all`);
  const isSome = asked.sites.length + asked.groups.length > 0;
  if (values.all === true && isSome) throw new Misuse("--all, or --sites and --groups, not both");
  const isSaid = values.officer === true || values.all === true || isSome;
  const before = registerOf(place).people.find(({ name }) => name === word);
  const factsOf = ({ name, role, reach }: Pick<Person, "name" | "role" | "reach">) => ({
    ...{ name, role: words.roles[role], reach: reachText(reach, words.all) },
  });
  if (before !== undefined && asked.phone && !isSaid) {
    const phone = addPhone(place, before);
    out(fill(words.personStays, factsOf(before)));
    return showPhone(place, phone, words);
  }
  const role = values.officer === true ? "officer" : "viewer";
  const admitted = await addPerson(place, { ...asked, ...(isSaid ? { role } : {}) });
  out(fill(words.person, { ...factsOf(admitted), password: admitted.password }));
  if (admitted.phone !== null) showPhone(place, admitted.phone, words);
}

function showPhone(place: Place, phone: Tunnel, words: ReturnType<typeof wordsOf>): void {
  out(fill(words.phone, { address: `${phone.hub.address}${pagePort(registerOf(place))}` }));
  out(pictureOf(tunnelText(phone)));
}

/** A QR code for a terminal. */
function pictureOf(text: string): string {
  try {
    return execFileSync("qrencode", ["-t", "ANSIUTF8", "-o", "-"], { input: text, encoding: "utf8" });
  } catch (error) {
    throw new Undoable(
      `qrencode cannot draw the tunnel (${(error as NodeJS.ErrnoException).code}); apt-get install qrencode, then run this again`,
    );
  }
}

function addSiteCommand(place: Place, id: string, values: Values, words: ReturnType<typeof wordsOf>): void {
  const file = resolve(values.out ?? `${id}.matghi`);
  const { code, endsAt, address, trouble } = addSite(place, id, file, values.here === true);
  out(fill(words.site, { file, id, end: endsAt.slice(0, 10) }));
  out(fill(words.code, { code }));
  out(fill(words.onBox, { name: basename(file) }));
  if (address !== null) out(fill(words.siteTunnel, { address }));
  if (trouble !== null) throw trouble;
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
  if (values.remove === true) return remove(place, step);
  const wanted = installWanted(place, values);
  const words = wordsOf(wanted.language);
  if (values.folder === undefined)
    await install(place, wanted, { tools: `${process.execPath} ${fileURLToPath(import.meta.url)}`, lookup }, step);
  else {
    step(words.files, { name: wanted.name, commune: wanted.commune, folder: place.etc });
    found(place, wanted);
  }
  const host = wanted.hosts[0] ?? "";
  const facts = { host, port: pagePort(wanted), mqtts: String(wanted.ports.mqtts) };
  out(fill(words.ready, facts));
  out(fill(words.ways[wanted.hub.kind], { ...facts, ...wayFacts(place, wanted) }));
}

/** Throws a Misuse with the cure. */
const installWanted = (place: Place, values: Values): Wanted =>
  wantedOf(values, readRegister(place), `usage: deploy/station/${usages.install}`);

/** What a browser must be told beside the page's name. */
const pagePort = ({ ports: { https } }: Pick<Wanted, "ports">) => (https === usualPorts.https ? "" : `:${https}`);

const wayFacts = (place: Place, { hub }: Wanted): Readonly<Record<string, string>> =>
  hub.kind === "none" ? {} : { hub: hub.host, udp: String(hub.port), next: String(hub.port + 1), folder: filesOf(place).hub };

try {
  await main(process.argv[2] ?? "", process.argv.slice(3));
  // mqtt.js leaves timers behind.
  process.exit(0);
} catch (error) {
  const said = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${error instanceof Misuse ? onOneLine(said) : joinedLine(said)}\n`);
  process.exit(error instanceof Misuse ? 2 : error instanceof Unknown ? 3 : 1);
}
