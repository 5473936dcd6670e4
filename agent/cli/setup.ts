/** `matghi setup`: from nothing to recording. Shows what it will write, writes it, starts the agent, waits for footage, prints the acceptance sheet. Formats nothing. */
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { makeCameraPort } from "../../hal/camera.ts";
import { makeClock } from "../../hal/clock.ts";
import { makeDiscovery } from "../../hal/discovery.ts";
import { makeDisks } from "../../hal/disks.ts";
import { makeMachine } from "../../hal/machine.ts";
import { findTools } from "../../hal/recorder.ts";
import { makeRemux } from "../../hal/remux.ts";
import { rtsp } from "../../hal/rtsp.ts";
import { acceptance, hasFootage, sheetText } from "../acceptance.ts";
import { cameraBlock } from "../config/block.ts";
import { readSecret } from "../config/rules.ts";
import type { Settings } from "../config/schema.ts";
import { formatProblem, loadConfig } from "../config.ts";
import { makeDating } from "../core/dating.ts";
import { type Read, readCamera, readTable, siteText, type Told, type ToldCamera } from "../core/setup.ts";
import { bytesText, fill, type Language, wordsIn } from "../core/words.ts";
import { type Asking, readStatus } from "../query.ts";
import { isLocked } from "../store/database.ts";
import { openReads } from "../store/store.ts";
import { survey } from "../survey.ts";
import { version } from "../version.ts";
import { type Context, exit, nowUtc, Refusal, surroundingRules } from "./context.ts";
import { ask, isInteractive } from "./prompt.ts";

export type SetupOptions = {
  readonly id?: string;
  readonly commune?: string;
  readonly name?: string;
  readonly language?: string;
  readonly state?: string;
  readonly folder?: string;
  readonly allowSystemDisk?: boolean;
  readonly segment?: string;
  readonly keepMax?: string;
  readonly size?: string;
  readonly camera?: readonly string[];
  readonly table?: string;
  readonly discover?: boolean;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly station?: string;
  readonly stationCa?: string;
  readonly stationCert?: string;
  readonly stationKey?: string;
  readonly stationUsername?: string;
  readonly stationPasswordFile?: string;
  readonly replace?: boolean;
  readonly yes?: boolean;
  readonly start: boolean;
  readonly wait: string;
};

const unit = "matghi.service";
const systemConfig = "/etc/matghi/site.yaml";
const user = "matghi";
const lookEveryMs = 1_000;

export async function setup(context: Context, options: SetupOptions, signal: AbortSignal): Promise<number> {
  const file = resolve(context.configFile);
  const waitSeconds = Number(options.wait);
  if (!Number.isSafeInteger(waitSeconds) || waitSeconds < 0)
    throw new Refusal(exit.wrongUse, `--wait ${options.wait}: a number of seconds, for instance 180`);
  if (existsSync(file) && options.replace !== true)
    throw new Refusal(
      exit.wrongUse,
      `${file} is there already; change it by hand and run matghi check-config, or say --replace (the old one is kept beside it)`,
    );
  const plan = await planOf(file, options, signal);
  const settings = tried(file, plan.text);
  const words = wordsIn(settings.site.language).setup;
  const shown = [
    fill(words.will, { file }),
    ...plan.text
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
    ...(await plan.remarks(settings)),
  ];
  if (options.yes !== true && !isInteractive())
    throw new Refusal(exit.wrongUse, `${shown.join("\n")}\nnobody is at a terminal to agree; say --yes to write it`);
  context.err(shown.join("\n"));
  if (options.yes !== true && (await ask(words.ask))?.trim().toUpperCase() !== words.word)
    throw new Refusal(exit.needsPerson, words.notDone);
  write(file, plan, settings);
  context.err(fill(words.written, { file }));
  return begin(context, file, settings, options.start, waitSeconds, signal);
}

type Plan = {
  readonly text: string;
  /** Password files to make: where each stands now. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly remarks: (settings: Settings) => Promise<readonly string[]>;
};

async function planOf(file: string, options: SetupOptions, signal: AbortSignal): Promise<Plan> {
  const secrets = join(dirname(file), "secrets");
  const folder = options.folder ?? (await onlyDisk());
  const cameras = toldCameras(options);
  const language: Language = options.language === "en" ? "en" : "vi";
  const block = options.discover === true ? await discovered(options, secrets, language, signal) : null;
  if (block === null && cameras.length === 0)
    throw new Refusal(exit.wrongUse, "no camera: say --camera id=…,url=rtsp://… for each, or --table FILE, or --discover");
  if (block !== null && cameras.length > 0)
    throw new Refusal(
      exit.wrongUse,
      "--discover beside --camera or --table: take one of them; what was found can be completed in the file afterwards",
    );
  const told: Told = {
    site: {
      ...{ id: needed(options, "id"), commune: needed(options, "commune"), name: needed(options, "name") },
      ...(options.language === undefined ? {} : { language: options.language }),
      ...(options.state === undefined ? {} : { state: options.state }),
    },
    ...{ folder, allowSystemDisk: options.allowSystemDisk === true, station: stationOf(options, secrets), cameras },
    ...(options.segment === undefined ? {} : { segment: options.segment }),
    ...(options.keepMax === undefined ? {} : { keepMax: options.keepMax }),
    ...(options.size === undefined ? {} : { size: options.size }),
  };
  const sources = new Map(
    cameras.flatMap(({ id, passwordFile }) => (passwordFile === undefined ? [] : [[join(secrets, id), passwordFile] as const])),
  );
  if (options.stationPasswordFile !== undefined) sources.set(join(secrets, "station"), options.stationPasswordFile);
  if (block !== null && options.passwordFile !== undefined)
    for (const [, id = ""] of block.matchAll(/^\s+-? ?passwordFile: ".*\/([^"/]+)"$/gm))
      sources.set(join(secrets, id), options.passwordFile);
  for (const source of sources.values()) secretIn(source);
  return { text: siteText(told, secrets, block), secrets: sources, remarks: (settings) => remarksOf(settings, [...sources.keys()]) };
}

/** A camera with a user name has a password; the one that stands for all where it has none of its own. */
function toldCameras({ camera = [], table, username, passwordFile }: SetupOptions): readonly ToldCamera[] {
  const single = camera.map((text) => taken("--camera", readCamera(text)));
  const listed = table === undefined ? [] : taken(`--table ${table}`, readTable(textOf(table)));
  return [...single, ...listed].map((told) => ({
    ...(username === undefined || told.username !== undefined ? {} : { username }),
    ...(passwordFile === undefined || told.passwordFile !== undefined ? {} : { passwordFile }),
    ...told,
  }));
}

function taken<T>(option: string, read: Read<T>): T {
  if (read.kind === "bad") throw new Refusal(exit.wrongUse, `${option}: ${read.what}`);
  return read.value;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Refusal(exit.wrongUse, `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "?"}); name a file that is there`);
  }
}

function needed(options: SetupOptions, key: "id" | "commune" | "name"): string {
  const value = options[key];
  if (value === undefined) throw new Refusal(exit.wrongUse, `--${key} is missing; matghi setup --help shows an example`);
  return value;
}

/** The password in a file of its own, that nobody else can read. */
function secretIn(file: string): string {
  try {
    if ((statSync(file).mode & 0o177) !== 0) throw new Refusal(exit.wrongUse, `${file}: others can read it; chmod 600 ${file}`);
    const secret = readSecret(file);
    if (secret === "") throw new Refusal(exit.wrongUse, `${file} is empty; write the password alone into it`);
    return secret;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "?";
    throw new Refusal(exit.wrongUse, `${file} cannot be read (${code}); write the password into it, one line, and chmod 600 it`);
  }
}

function stationOf(options: SetupOptions, secrets: string): Readonly<Record<string, string>> | null {
  if (options.station === undefined) return null;
  const keys = {
    url: options.station,
    ca: options.stationCa,
    cert: options.stationCert,
    key: options.stationKey,
    username: options.stationUsername,
  };
  const told = Object.entries(keys).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  return Object.fromEntries([
    ...told,
    ...(options.stationPasswordFile === undefined ? [] : [["passwordFile", join(secrets, "station")] as const]),
  ]);
}

async function discovered(options: SetupOptions, secrets: string, language: Language, signal: AbortSignal): Promise<string> {
  const { username, passwordFile } = options;
  if ((username === undefined) !== (passwordFile === undefined))
    throw new Refusal(exit.wrongUse, "--username and --password-file belong together");
  const credential = username === undefined || passwordFile === undefined ? null : { username, password: secretIn(passwordFile) };
  const cameras = makeCameraPort({ clock: makeClock({ driver: "none" }) });
  const found = await survey({ discovery: makeDiscovery(), cameras, streams: rtsp }, { interface: null, knock: true, credential }, signal);
  if (found.cameras.length === 0)
    throw new Refusal(exit.notFound, "no camera answered; check their power and cables, or name them with --camera");
  return cameraBlock(found.cameras, { language, username: username ?? null, secrets, taken: [] });
}

/** The one mounted disk that is not the system's; where there is none, or more than one, a person chooses. */
async function onlyDisk(): Promise<string> {
  const machine = makeMachine();
  const disks = makeDisks();
  const system = new Set((await disks.under("/")).map(({ device }) => device));
  const candidates: string[] = [];
  for (const { point, type, device } of await machine.mounts()) {
    if (!device.startsWith("/dev/") || !["ext4", "xfs", "btrfs", "ext3"].includes(type) || point === "/" || point.startsWith("/boot"))
      continue;
    const under = await disks.under(point);
    if (under.length > 0 && under.every((disk) => !system.has(disk.device))) candidates.push(point);
  }
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return join(only, "matghi");
  const seen =
    candidates.length === 0
      ? "no disk of its own for footage is mounted; mount one"
      : `there are several disks: ${candidates.join(", ")}; choose one`;
  throw new Refusal(exit.wrongUse, `${seen}, and name a folder on it: --folder /srv/footage`);
}

async function remarksOf(settings: Settings, secrets: readonly string[]): Promise<readonly string[]> {
  const { language } = settings.site;
  const words = wordsIn(language).setup;
  const { folder } = settings.recording;
  const [disk] = await makeDisks().under(firstThere(folder));
  const mount = await makeMachine().mountOf(firstThere(folder));
  const free = mount === null ? null : makeMachine().freeBytes(mount.point);
  const place =
    disk === undefined || free === null
      ? fill(words.folderOnly, { folder })
      : fill(words.disk, { folder, device: disk.device, free: bytesText(free, language) });
  return [place, ...(secrets.length === 0 ? [] : [fill(words.secrets, { files: secrets.join(", ") })])];
}

const firstThere = (path: string): string => (existsSync(path) || path === "/" ? path : firstThere(dirname(path)));

/** Checks the text as the file that it will be, without leaving anything. */
function tried(file: string, text: string): Settings {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.try`;
  try {
    put(temporary, text, 0o600, null);
    const loaded = loadConfig(
      temporary,
      surroundingRules.filter((rule) => rule !== "system-disk"),
    );
    if (loaded.kind === "good") return loaded.settings;
    const lines = loaded.problems.map((problem) => formatProblem(file, problem));
    throw new Refusal(exit.wrongUse, `${lines.join("\n")}\nnothing was written; the text was:\n${text.trimEnd()}`);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Passwords first: a configuration never names a file that is not there yet. */
function write(file: string, { text, secrets }: Plan, settings: Settings): void {
  const owner = ownerOf();
  const passwords = new Map([...secrets].map(([target, source]) => [target, secretIn(source)] as const));
  for (const [target, password] of passwords) {
    makeFolder(dirname(target), 0o750, owner, true);
    put(target, `${password}\n`, 0o600, owner);
  }
  for (const folder of [settings.recording.folder, settings.site.state]) makeFolder(folder, 0o700, owner, false);
  if (existsSync(file)) renameSync(file, `${file}.${new Date().toISOString().slice(0, 19).replace(/\D/g, "")}`);
  put(file, text, 0o640, owner === null ? null : { uid: 0, gid: owner.gid });
}

type Owner = { readonly uid: number; readonly gid: number };

/** The agent's account, where root sets up a box that has it. */
function ownerOf(): Owner | null {
  if (process.getuid?.() !== 0) return null;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${user}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}

function makeFolder(folder: string, mode: number, owner: Owner | null, isRoots: boolean): void {
  if (existsSync(folder)) {
    // A disk that was just mounted is root's.
    const isBlank = () => readdirSync(folder).every((name) => name === "lost+found");
    if (owner !== null && !isRoots && statSync(folder).uid === 0 && isBlank()) chownSync(folder, owner.uid, owner.gid);
    return;
  }
  // What leads to it must be passable for the agent.
  mkdirSync(dirname(folder), { recursive: true, mode: 0o755 });
  mkdirSync(folder, { mode });
  if (owner !== null) chownSync(folder, isRoots ? 0 : owner.uid, owner.gid);
}

/** Whole or not at all, durable, never readable by others for a moment. */
function put(file: string, text: string, mode: number, owner: Owner | null): void {
  const temporary = `${file}.${process.pid}.part`;
  rmSync(temporary, { force: true });
  const handle = openSync(temporary, "wx", 0o600);
  try {
    writeSync(handle, text);
    if (owner !== null) chownSync(temporary, owner.uid, owner.gid);
    chmodSync(temporary, mode);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
}

/** Starts the service where this is the box's own configuration; waits for footage; says how it went. */
async function begin(
  context: Context,
  file: string,
  settings: Settings,
  start: boolean,
  waitSeconds: number,
  signal: AbortSignal,
): Promise<number> {
  const words = wordsIn(settings.site.language).setup;
  if (start && file === systemConfig) {
    const why = await makeMachine().start(unit);
    if (why !== null) throw new Refusal(exit.needsPerson, `systemctl could not start ${unit}: ${why}; see journalctl -u matghi -n 20`);
  } else if (start) context.err(fill(words.startYourself, { file }));
  if (waitSeconds === 0) {
    if (context.json) context.out(JSON.stringify({ config: file, cameras: [], station: null }));
    return exit.fine;
  }
  context.err(fill(words.starting, { seconds: waitSeconds }));
  const clock = makeClock({ driver: "none" });
  const untilMonoMs = clock.monoMs() + waitSeconds * 1_000;
  const due = settings.cameras.filter(({ url, onvif }) => url !== undefined || onvif !== undefined).map(({ id }) => id);
  while (!signal.aborted && clock.monoMs() < untilMonoMs) {
    const all = await asking(settings, async (question) => due.every((id) => hasFootage(question, id)) && isHeard(question));
    if (all === true) break;
    await clock.sleep(lookEveryMs, signal);
  }
  const remux = makeRemux(findTools(settings.site.state));
  const seen = await asking(settings, async (question) => ({
    cameras: await acceptance(question, remux, signal),
    station: readStatus(question, version).station.value,
  }));
  if (seen === null)
    throw new Refusal(exit.needsPerson, `nothing was recorded within ${waitSeconds} s: the agent does not run; look at matghi doctor`);
  const missing = seen.cameras.filter(({ bitsPerSecond }) => bitsPerSecond === null).length;
  const heard = seen.station === "connected" ? "connected" : settings.station === undefined ? "none" : "waiting";
  if (context.json) context.out(JSON.stringify({ config: file, cameras: seen.cameras, station: seen.station }));
  else {
    const verdict = missing === 0 ? words.allGood : fill(words.missing, { count: missing });
    context.out([sheetText(seen.cameras, settings), verdict, words.station[heard]].join("\n"));
  }
  return missing === 0 && heard !== "waiting" ? exit.fine : exit.needsPerson;
}

const isHeard = (question: Asking) =>
  question.settings.station === undefined || readStatus(question, version).station.value === "connected";

/** Asks the store, where there is one yet. */
async function asking<T>(settings: Settings, question: (asking: Asking) => Promise<T>): Promise<T | null> {
  const reads = openReads(settings.site.state);
  if (reads === null) return null;
  try {
    return await question({
      settings,
      reads,
      dating: makeDating(reads.boots()),
      running: isLocked(settings.site.state),
      nowAt: nowUtc(settings),
    });
  } finally {
    reads.close();
  }
}
