/**
 * `matghi update FILE.deb`: the package becomes a version beside the one in use, which one rename switches to; it stays once its trial is over
 * (agent/trial.ts from within, deploy/debian/versions from outside). `--status` and `--back` for a person.
 */
import { randomBytes } from "node:crypto";
import { accessSync, constants, copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { makeMachine } from "../../hal/machine.ts";
import { makePackages } from "../../hal/package.ts";
import type { Packages } from "../../hal/ports.ts";
import type { Settings } from "../config/schema.ts";
import { parseDuration } from "../config/units.ts";
import { iso } from "../core/time.ts";
import { type Standing, steadyMs, type Trial } from "../core/trial.ts";
import { type NoUpdate, noRoom, placing, switching, type UpdateFacts, undoing, whyNoUpdate } from "../core/update.ts";
import { bytesText, fill, wordsIn } from "../core/words.ts";
import { currentOf, rootOf, standingAt, systemRoot, textAt } from "../home.ts";
import { isSigned, keysIn } from "../signature.ts";
import { databaseName, isLocked, lockExports } from "../store/database.ts";
import { openReads, openStore } from "../store/store.ts";
import { copyBefore, wouldRestore } from "../store/undo.ts";
import { perform, type UpdateHands } from "../update.ts";
import { type Context, exit, nowUtc, Refusal, settingsOf } from "./context.ts";

export type UpdateOptions = {
  readonly status?: boolean;
  readonly back?: boolean;
  readonly allowDowngrade?: boolean;
  readonly allowUnsigned?: boolean;
  readonly yes?: boolean;
  /** Another folder of versions, and another length of the trial: for rehearsal and tests. */
  readonly root?: string;
  readonly steady?: string;
};

/** What of the package becomes a version; the rest is dpkg's. */
const inside = "opt/matghi/package";
const unit = "matghi.service";
const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const keyName = "update.pub";
const draftName = ".update.deb";

/** What every deed here is given. */
type Desk = {
  readonly context: Context;
  readonly settings: Settings;
  readonly words: ReturnType<typeof wordsIn>["update"];
  readonly packages: Packages;
  readonly root: string;
  readonly current: string;
  readonly steadyMs: number;
};

export async function update(context: Context, file: string | undefined, options: UpdateOptions): Promise<number> {
  const desk = deskOf(context, options);
  if (options.status === true) return tellStanding(desk);
  if (options.back !== true && file === undefined)
    throw new Refusal(exit.wrongUse, "which package? matghi update FILE.deb; or --status, --back");
  if (file !== undefined && !existsSync(file)) throw new Refusal(exit.notFound, `${file} is not there; name the package`);
  return whileAlone(desk, () => (file === undefined || options.back === true ? goBack(desk, options) : takeIn(desk, file, options)));
}

function deskOf(context: Context, options: UpdateOptions): Desk {
  const settings = settingsOf(context);
  const root = options.root ?? rootOf(import.meta.dirname) ?? systemRoot;
  const current = currentOf(root);
  if (current === null)
    throw new Refusal(exit.notFound, `no matghi is installed in ${root}; install the package: apt install ./matghi_*.deb`);
  const steady = options.steady === undefined ? steadyMs : parseDuration(options.steady);
  if (steady === null || steady <= 0) throw new Refusal(exit.wrongUse, `--steady ${options.steady}: write for instance 10min`);
  const words = wordsIn(settings.site.language).update;
  return { context, settings, words, packages: makePackages(), root, current, steadyMs: steady };
}

/** Root's affair, never during an export, and one at a time. */
async function whileAlone(desk: Desk, act: () => Promise<number>): Promise<number> {
  try {
    accessSync(desk.root, constants.W_OK);
  } catch {
    throw new Refusal(exit.wrongUse, `${desk.root} cannot be written; run this as root: sudo matghi update`);
  }
  const { state } = desk.settings.site;
  const unlock = existsSync(state) ? lockExports(state) : () => undefined;
  if (unlock === null) throw new Refusal(exit.needsPerson, desk.words.refused.exporting);
  try {
    return await act();
  } finally {
    unlock();
  }
}

// In.

async function takeIn(desk: Desk, file: string, options: UpdateOptions): Promise<number> {
  const { context, words, root, current } = desk;
  const room = roomOf(desk);
  const copy = join(root, draftName);
  context.err(fill(words.checking, { file: basename(file) }));
  try {
    if (room.versionsBytes < statSync(file).size)
      throw refusal(desk, { why: "no-room", where: "versions", lackingBytes: statSync(file).size });
    // What was checked is what is unpacked, whoever changes the file meanwhile.
    copyFileSync(file, copy);
    const signed = checkSigned(desk, file, readFileSync(copy), options.allowUnsigned === true);
    const facts = await factsOf(desk, copy, room, options);
    const no = whyNoUpdate(facts);
    if (no !== null) throw refusal(desk, no);
    const { version } = facts.package;
    const hands = handsOf(desk, copy, { signed });
    context.err(fill(words.placing, { version, current }));
    await perform(hands, placing(version, existsSync(join(root, "versions", version))));
    context.err(fill(words.switching, { version }));
    await perform(hands, switching(trialOf(desk, version)));
    const said = fill(words.begun, { from: current, to: version, minutes: Math.round(desk.steadyMs / 60_000) });
    return await restart(desk, said, { from: current, to: version, signed });
  } finally {
    rmSync(copy, { force: true });
    for (const name of draftsIn(root)) rmSync(join(root, "versions", name), { recursive: true, force: true });
  }
}

const draftsIn = (root: string) => readdirSync(join(root, "versions")).filter((name) => /^\..*\.(part|old)$/.test(name));
const versionsIn = (root: string) => readdirSync(join(root, "versions")).filter((name) => !name.startsWith("."));

/** True: signed. Throws unless it is, or that was waived; what is signed wrongly is refused in any case. */
function checkSigned(desk: Desk, file: string, bytes: Uint8Array, isWaived: boolean): boolean {
  const { refused } = desk.words;
  const signature = textAt(`${file}.sig`);
  const own = join(dirname(resolve(desk.context.configFile)), keyName);
  const keys = [own, join(desk.root, "current", keyName)].flatMap((path) => keysAt(path));
  if (signature !== "" && keys.length > 0) {
    if (isSigned(bytes, signature, keys)) return true;
    throw new Refusal(exit.needsPerson, `${file}: ${refused.altered}`);
  }
  if (isWaived) return false;
  const why = signature === "" ? fill(refused.unsigned, { file: `${file}.sig` }) : fill(refused["no-key"], { file: own });
  throw new Refusal(exit.needsPerson, `${file}: ${why}`);
}

function keysAt(path: string) {
  try {
    return keysIn(textAt(path));
  } catch (error) {
    throw new Refusal(exit.wrongUse, `${path}: ${(error as Error).message}`);
  }
}

async function factsOf(desk: Desk, copy: string, room: UpdateFacts["room"], options: UpdateOptions): Promise<UpdateFacts> {
  const { packages, root, current } = desk;
  const found = await packages.facts(copy).catch((error: Error) => {
    throw new Refusal(exit.wrongUse, `${error.message}; fetch the package again`);
  });
  const order = await packages.compare(found.version, current);
  return {
    ...{ package: found, current, room, standing: standingAt(root), databaseBytes: databaseBytes(desk.settings.site.state) },
    architecture: architectures[process.arch] ?? process.arch,
    order: order < 0 ? "older" : order > 0 ? "newer" : "same",
    allowDowngrade: options.allowDowngrade === true,
  };
}

function roomOf({ root, settings }: Desk): UpdateFacts["room"] {
  const { state } = settings.site;
  const at = (path: string) => statfsSync(existsSync(path) ? path : root);
  const [versions, states] = [at(root), at(state)];
  const isOne = !existsSync(state) || statSync(state).dev === statSync(root).dev;
  return { versionsBytes: versions.bavail * versions.bsize, stateBytes: states.bavail * states.bsize, isOne };
}

const databaseBytes = (state: string) =>
  ["", "-wal"].reduce((sum, suffix) => sum + (statSync(join(state, databaseName + suffix), { throwIfNoEntry: false })?.size ?? 0), 0);

function refusal({ words, root, settings }: Desk, no: NoUpdate): Refusal {
  const code = no.why === "on-trial" || no.why === "no-room" ? exit.needsPerson : exit.wrongUse;
  if (no.why !== "no-room") return new Refusal(code, fill(words.refused[no.why], { ...no }));
  const folder = no.where === "versions" ? root : settings.site.state;
  return new Refusal(code, fill(words.refused[no.where], { folder, lacking: bytesText(no.lackingBytes, settings.site.language) }));
}

/** What the version in use does now is what the next one has to do. */
function trialOf({ settings, current, steadyMs: steady }: Desk, version: string): Trial {
  const { state } = settings.site;
  const reads = isLocked(state) ? openReads(state) : null;
  try {
    const cameras = (reads?.cameras() ?? []).filter(
      ({ leftAt, state: is }) => leftAt === null && (is === "recording" || is === "degraded"),
    );
    const station = (reads?.conditions() ?? []).some(({ subject, value }) => subject === "station" && value === "connected");
    return {
      ...{ id: randomBytes(6).toString("hex"), version, previous: current, state, steadyMs: steady },
      ...{ cameras: cameras.map(({ id }) => id), station: station && settings.station !== undefined },
    };
  } finally {
    reads?.close();
  }
}

function handsOf(desk: Desk, file: string, facts: Readonly<Record<string, string | boolean>>): UpdateHands {
  const { settings, packages, root } = desk;
  const { state } = settings.site;
  return {
    ...{ root, file, inside, packages },
    tryOut: (home, version) => tryOut(desk, home, version),
    copyDatabase: (of) => copyBefore(state, of),
    writeDown: (from, to) => {
      if (!existsSync(join(state, databaseName))) return;
      const store = openStore(state);
      try {
        store.audit({
          at: iso(nowUtc(settings)),
          clock: store.live()?.clock ?? "unset",
          what: "update.begun",
          data: { ...facts, from, to },
        });
      } finally {
        store.close();
      }
    },
  };
}

/** It starts, is what it says to be, and accepts this site's configuration. */
async function tryOut({ packages, context, words }: Desk, home: string, version: string): Promise<void> {
  const told = await packages.run(home, ["--version"]);
  const isIt = told.code === 0 && told.text === version;
  const checked = isIt ? await packages.run(home, ["check-config", "--config", resolve(context.configFile)]) : told;
  if (isIt && checked.code === 0) return;
  const detail = checked.text.split("\n")[0] ?? "";
  throw new Refusal(exit.needsPerson, fill(words.refused["does-not-run"], { version, detail }));
}

/** systemd's own service only; what was stopped by a person stays so. */
async function restart(desk: Desk, said: string, facts: Readonly<Record<string, string | boolean>>): Promise<number> {
  const { context, words, root } = desk;
  const machine = makeMachine();
  const service = root === systemRoot ? await machine.service(unit) : null;
  const isOn = service !== null && service.state !== "inactive";
  const failed = isOn ? await machine.start(unit) : null;
  const more = failed !== null ? fill(words.slow, { detail: failed }) : isOn ? null : words.stopped;
  context.out(
    context.json ? JSON.stringify({ ...facts, restarted: isOn && failed === null }) : [said, ...(more === null ? [] : [more])].join("\n"),
  );
  return failed === null ? exit.fine : exit.needsPerson;
}

// Back.

/** From a version on trial at once; from one that stayed it is an update to the version before, with a trial of its own. */
async function goBack(desk: Desk, options: UpdateOptions): Promise<number> {
  const { root, current, words } = desk;
  const standing = standingAt(root);
  const hands = handsOf(desk, "", { back: true });
  if (standing.kind === "trial") {
    const { id, version, previous } = standing.trial;
    await perform(hands, undoing({ id, version, previous, why: "by hand" }));
    return restart(desk, fill(words.back, { from: version, to: previous }), { from: version, to: previous });
  }
  const version = await versionBefore(desk, standing);
  const over = wouldRestore(desk.settings.site.state, version);
  if (over !== "keeps" && options.yes !== true) {
    const why = over === "restores" ? words.refused.database : words.refused["no-copy"];
    throw new Refusal(exit.needsPerson, fill(why, { version }));
  }
  const no = noRoom(0, { databaseBytes: databaseBytes(desk.settings.site.state), room: roomOf(desk) });
  if (no !== null) throw refusal(desk, no);
  await perform(hands, switching(trialOf(desk, version)));
  return restart(desk, fill(words.back, { from: current, to: version }), { from: current, to: version });
}

/** The one that this took over from, where that is known; otherwise the newest that is older. */
async function versionBefore({ root, current, packages, words }: Desk, standing: Standing): Promise<string> {
  const others = versionsIn(root).filter((name) => name !== current && existsSync(join(root, "versions", name, "node")));
  if (standing.kind === "good" && others.includes(standing.trial.previous)) return standing.trial.previous;
  let best: string | null = null;
  for (const other of others)
    if ((await packages.compare(other, current)) < 0 && (best === null || (await packages.compare(other, best)) > 0)) best = other;
  if (best === null) throw new Refusal(exit.notFound, words.refused["no-version"]);
  return best;
}

// Status.

function tellStanding({ context, words, root, current }: Desk): number {
  const standing = standingAt(root);
  const others = versionsIn(root).filter((name) => name !== current);
  const list = others.join(", ") || words.none;
  context.out(
    context.json
      ? JSON.stringify({ current, others, standing })
      : [sentenceOf(standing, current, words), fill(words.others, { list })].join("\n"),
  );
  return standing.kind === "undone" || standing.kind === "not-begun" ? exit.needsPerson : exit.fine;
}

function sentenceOf(standing: Standing, current: string, words: Desk["words"]): string {
  const sentence = words.standing[standing.kind];
  if (standing.kind === "settled") return fill(sentence, { current });
  if (standing.kind === "undone" || standing.kind === "going-back") return fill(sentence, { ...standing.undone, current });
  const { version, previous } = standing.trial;
  const report = standing.kind === "trial" ? standing.report : null;
  const lacks = report?.verdict.kind === "good" ? [] : (report?.verdict.lacks ?? []);
  const named = lacks.map((name) => (name === "station" ? words.station : name));
  const minutes = Math.floor((report?.spentMs ?? 0) / 60_000);
  return fill(sentence, { current, version, previous, minutes, lacks: named.join(", ") || words.time });
}
