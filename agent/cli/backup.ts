/** `matghi backup` and `matghi restore`: all that makes a box this site's, for the day it burns. Sealed with a passphrase (age.ts), a tar inside. */
import { closeSync, createReadStream, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { isSealed, seal, Unreadable, unseal } from "../age.ts";
import type { Settings } from "../config/schema.ts";
import { iso, vietnamTime } from "../core/time.ts";
import { bytesText, fill, type Language, wordsIn } from "../core/words.ts";
import { copyDatabase, renewJournal } from "../store/copy.ts";
import { databaseName } from "../store/database.ts";
import { keyName } from "../store/key.ts";
import { version } from "../version.ts";
import { checkNew, type Entry, tarBytes, untar, writeFileOnce } from "./archive.ts";
import { type Context, exit, nowUtc, Refusal, settingsOf } from "./context.ts";
import { passphraseOf } from "./passphrase.ts";
import { ask, isInteractive } from "./prompt.ts";

export type BackupOptions = { readonly out: string; readonly passphraseFile?: string };
export type RestoreOptions = { readonly passphraseFile?: string; readonly yes?: boolean };

/** The first entry: where each of the others belongs. `owner` by name, since numbers differ from box to box. */
type Plan = {
  readonly v: 1;
  readonly site: string;
  readonly language: Language;
  readonly madeAt: string;
  readonly version: string;
  readonly state: string;
  readonly files: readonly ({ readonly name: string; readonly path: string } & Kept)[];
};
/** Whose a file is, by name: numbers differ from box to box. */
type Kept = { readonly mode: number; readonly owner: string | null; readonly group: string | null };
const planName = "backup.json";
const auditName = "audit.log";
const configName = "site.yaml";

// Backup.

export async function backup(context: Context, options: BackupOptions, signal: AbortSignal): Promise<number> {
  const settings = settingsOf(context);
  const { state, language, id } = settings.site;
  const words = wordsIn(language).backup;
  await checkNew(options.out);
  const passphrase = await passphraseOf(options.passphraseFile, words.passphrase, words.again);
  const scratch = await mkdtemp(join(state, "backup-")).catch((error: NodeJS.ErrnoException) => {
    throw new Refusal(exit.notFound, `${state}: ${error.code}; nothing has been recorded there yet, start the agent: matghi run`);
  });
  try {
    const copy = join(scratch, databaseName);
    if (!(await copyDatabase(state, copy)))
      throw new Refusal(exit.notFound, `nothing has been recorded in ${state} yet; start the agent: matghi run`);
    const entries = entriesOf(context.configFile, settings, copy);
    const bytes = await writeFileOnce(options.out, seal(tarBytes(entries, Date.now()), passphrase), signal);
    const said = { site: id, file: options.out, bytes: bytesText(bytes, language) };
    context.out(context.json ? JSON.stringify({ file: options.out, bytes }) : fill(words.written, said));
    return exit.fine;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function* entriesOf(configFile: string, settings: Settings, copy: string): AsyncIterable<Entry> {
  const { id, state, language } = settings.site;
  const { station, cameras } = settings;
  const named = [station?.ca, station?.cert, station?.key, station?.passwordFile, ...cameras.map((camera) => camera.passwordFile)];
  const paths = [...new Set(named.flatMap((path) => path ?? []))];
  const files = [
    { name: configName, from: configFile, path: resolve(configFile) },
    ...paths.map((path, i) => ({ name: `files/${i}`, from: path, path })),
    { name: `state/${databaseName}`, from: copy, path: join(state, databaseName) },
    ...[keyName, auditName].map((name) => ({ name: `state/${name}`, from: join(state, name), path: join(state, name) })),
  ].filter(({ from, name }) => !name.startsWith("state/") || existsSync(from));
  const plan: Plan = {
    ...{ v: 1, site: id, language, madeAt: iso(nowUtc(settings)), version, state },
    files: files.map(({ name, from, path }) => ({
      name,
      path,
      ...keptOf(name === `state/${databaseName}` ? join(state, databaseName) : from),
    })),
  };
  yield { name: planName, body: Buffer.from(`${JSON.stringify(plan, null, 1)}\n`) };
  // The database was copied first: its head of the audit is in whatever the audit holds now.
  for (const { name, from } of files) {
    // As long as it is now, though the agent may append to it.
    const { size: bytes } = statSync(from);
    yield { name, body: bytes === 0 ? nothing() : createReadStream(from, { end: bytes - 1 }), bytes };
  }
}

function keptOf(path: string): Kept {
  try {
    const { mode, uid, gid } = statSync(path);
    return { mode: mode & 0o777, owner: nameIn("passwd", uid), group: nameIn("group", gid) };
  } catch (error) {
    throw new Refusal(exit.needsPerson, `${path}: ${(error as NodeJS.ErrnoException).code}; put it back, so that the backup is whole`);
  }
}

async function* nothing(): AsyncIterable<Uint8Array> {}

type Accounts = "passwd" | "group";
/** Names and numbers of the system's users or groups. */
const accounts = (kind: Accounts): readonly { readonly name: string; readonly number: number }[] =>
  readFileSync(`/etc/${kind}`, "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name = "", , number]) => ({ name, number: Number(number) }));
const nameIn = (kind: Accounts, number: number) => accounts(kind).find((account) => account.number === number)?.name ?? null;
const numberIn = (kind: Accounts, name: string | null) => accounts(kind).find((account) => account.name === name)?.number;

// Restore.

export async function restore(context: Context, file: string, options: RestoreOptions): Promise<number> {
  if (!existsSync(file)) throw new Refusal(exit.notFound, `${file} is not there; name the backup`);
  if (!isSealed(headOf(file))) throw noBackup(file);
  const passphrase = await passphraseOf(options.passphraseFile, wordsIn("vi").backup.passphrase, null);
  const plan = await opened(file, () => readPlan(file, passphrase));
  const targets = targetsOf(plan, context.configFile);
  refuseToReplace(
    targets.map(({ path }) => path),
    plan.state,
  );
  const words = wordsIn(plan.language).backup;
  const lines = [
    fill(words.will, { site: plan.site, at: vietnamTime(Date.parse(plan.madeAt)) }),
    ...targets.map(({ path }) => fill(words.file, { path })),
    words.notIn,
  ];
  await settle(context, options, lines.join("\n"), words);
  const db = await opened(file, () => unpack(file, passphrase, plan, targets));
  context.out(
    context.json
      ? JSON.stringify({ site: plan.site, state: plan.state, config: context.configFile, files: targets.map(({ path }) => path), db })
      : fill(words.done, { site: plan.site }),
  );
  return exit.fine;
}

type Target = Plan["files"][number];

/** The configuration goes where this command's own is looked for. */
const targetsOf = ({ files }: Plan, configFile: string): readonly Target[] =>
  files.map((target) => (target.name === configName ? { ...target, path: resolve(configFile) } : target));

async function readPlan(file: string, passphrase: string): Promise<Plan> {
  for await (const { name, body } of opening(file, passphrase)) {
    const text = Buffer.concat(await all(body)).toString("utf8");
    if (name !== planName) break;
    const plan = JSON.parse(text) as Plan;
    if (plan.v === 1) return plan;
    throw new Refusal(exit.wrongUse, `${file} was made by matghi ${plan.version}; restore it with that or a newer one`);
  }
  throw noBackup(file);
}

const noBackup = (file: string) => new Refusal(exit.wrongUse, `${file} is no backup of matghi; name another file`);

/** Its first bytes; none of what is no file. */
function headOf(file: string): Buffer {
  if (!statSync(file).isFile()) return Buffer.alloc(0);
  const handle = openSync(file, "r");
  try {
    const head = Buffer.alloc(64);
    return head.subarray(0, readSync(handle, head));
  } finally {
    closeSync(handle);
  }
}

const opening = (file: string, passphrase: string) => untar(unseal(createReadStream(file), passphrase));

/** A file that cannot be opened is a person's affair. */
async function opened<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Unreadable) throw new Refusal(exit.wrongUse, `${file}: ${error.message}; take another copy or passphrase`);
    throw error;
  }
}

async function all(source: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part);
  return parts;
}

function refuseToReplace(paths: readonly string[], state: string): void {
  const there = [...paths, join(state, auditName)].find((path) => existsSync(path));
  if (there === undefined) return;
  throw new Refusal(exit.needsPerson, `${there} is there already and is not replaced; on a box that is to be given up, move it away first`);
}

async function settle(context: Context, options: RestoreOptions, text: string, words: ReturnType<typeof wordsIn>["backup"]): Promise<void> {
  if (options.yes === true) return;
  if (!isInteractive()) throw new Refusal(exit.wrongUse, `${text.replaceAll("\n", " ")} – nothing was done; add --yes`);
  context.err(text);
  if ((await ask(words.go))?.trim().toLowerCase() !== words.yes) throw new Refusal(exit.needsPerson, "nothing was done");
}

/** Everything is unpacked and checked beside its place first; what was written goes again where a step fails. */
async function unpack(file: string, passphrase: string, plan: Plan, targets: readonly Target[]): Promise<string> {
  const staged = new Map<string, string>();
  await mkdir(plan.state, { recursive: true, mode: 0o750 });
  const scratch = await mkdtemp(join(plan.state, "restore-"));
  try {
    for await (const { name, body } of opening(file, passphrase)) {
      const target = targets.find((entry) => entry.name === name);
      const place = join(scratch, target === undefined ? "plan" : name === `state/${databaseName}` ? databaseName : `f${staged.size}`);
      const handle = await open(place, "wx", 0o600);
      await pipeline(body, handle.createWriteStream({ flush: true }));
      if (target !== undefined) staged.set(target.path, place);
    }
    const missing = targets.find(({ path }) => !staged.has(path));
    if (missing !== undefined) throw new Refusal(exit.wrongUse, `${file} lacks ${missing.path}; take another copy`);
    const db = renewJournal(scratch, `restored from a backup of ${plan.madeAt}`);
    await place(targets, staged);
    return db;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The database last: without it a box is not this site's, and restoring begins again. */
async function place(targets: readonly Target[], staged: ReadonlyMap<string, string>): Promise<void> {
  const done: string[] = [];
  const inOrder = [...targets].sort(
    (a, b) =>
      Number(a.name.startsWith("state/")) - Number(b.name.startsWith("state/")) ||
      Number(a.name.endsWith(databaseName)) - Number(b.name.endsWith(databaseName)),
  );
  try {
    for (const { path, mode, owner, group } of inOrder) {
      // The agent must get there; every secret has a mode of its own.
      await mkdir(dirname(path), { recursive: true, mode: 0o755 });
      await move(staged.get(path) ?? "", path);
      done.push(path);
      await chmod(path, mode);
      const [uid, gid] = [numberIn("passwd", owner), numberIn("group", group)];
      if (process.getuid?.() === 0 && uid !== undefined) {
        await chown(path, uid, gid ?? 0);
        if (path.endsWith(databaseName)) await chown(dirname(path), uid, gid ?? 0);
      }
      if (path.endsWith(databaseName)) await chmod(dirname(path), 0o750);
    }
  } catch (error) {
    for (const path of done) await rm(path, { force: true });
    throw new Refusal(exit.needsPerson, `${(error as Error).message}; nothing was restored, mend it and begin again`);
  }
}

/** Also to another file system. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    await writeFile(to, await readFile(from), { mode: 0o600, flag: "wx", flush: true });
  }
}
