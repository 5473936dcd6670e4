/**
 * `matghi register key …`: officers' ssh keys that may look at footage and fetch it, nothing else. They stand in the authorized_keys of the
 * agent's own account, each bound to `matghi errand`; lines that are not ours are left as they are.
 */
import { createHash } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fill, wordsIn } from "../core/words.ts";
import { shelfOf } from "../errands.ts";
import { type Context, exit, Refusal, settingsOf } from "./context.ts";
import { textOf } from "./fields.ts";
import { replaceFile } from "./out.ts";
import { writing } from "./writing.ts";

export type AddKeyOptions = { readonly name: string; readonly file: string; readonly officer: string };
export type RemoveKeyOptions = { readonly officer: string; readonly reason: string };

const named = /^[a-z0-9-]{2,32}$/;
/** One kind: short, and every OpenSSH since 2014 makes it; the other lives on a hardware key. */
const publicKey = /^(ssh-ed25519|sk-ssh-ed25519@openssh\.com) ([A-Za-z0-9+/]{60,200}={0,2})(?: [^\n\r]*)?\s*$/;
const mostBytes = 10_000;
const ourMark = (name: string) => ` matghi:${name}`;

/** A key's name, which is part of paths. Throws a Refusal. */
export function keyNamed(name: string): string {
  if (named.test(name)) return name;
  throw new Refusal(exit.wrongUse, `a key's name has 2 to 32 of a-z, 0-9 and -, for instance nguyen-van-a`);
}

/** Beside the agent's own account: its home is the state folder. */
const keysFile = (state: string) => join(state, ".ssh", "authorized_keys");

const linesOf = (file: string): readonly string[] =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];

export function addKey(context: Context, options: AddKeyOptions): number {
  const [name, officer] = [keyNamed(options.name), textOf("officer", options.officer)];
  const [kind, key] = readKey(options.file);
  return writing(context, ({ settings, audit }) => {
    const file = keysFile(settings.site.state);
    const lines = linesOf(file);
    if (lines.some((line) => line.endsWith(ourMark(name)) || line.includes(` ${key} `)))
      throw new Refusal(exit.needsPerson, `${name}, or this key, may do so already; remove it first: matghi register key remove ${name}`);
    const fingerprint = `SHA256:${createHash("sha256").update(Buffer.from(key, "base64")).digest("base64").replace(/=+$/, "")}`;
    audit("key.added", { key: name, fingerprint, officer });
    save(settings.site.state, [...lines, `restrict,command="${forcedCommand(context, name)}" ${kind} ${key}${ourMark(name)}`]);
    const words = wordsIn(settings.site.language).keys;
    context.out(context.json ? JSON.stringify({ key: name, fingerprint }) : fill(words.added, { name, fingerprint }));
    return exit.fine;
  });
}

export function removeKey(context: Context, given: string, options: RemoveKeyOptions): number {
  const name = keyNamed(given);
  const [officer, reason] = [textOf("officer", options.officer), textOf("reason", options.reason)];
  return writing(context, ({ settings, audit }) => {
    const lines = linesOf(keysFile(settings.site.state));
    const left = lines.filter((line) => !line.endsWith(ourMark(name)));
    if (left.length === lines.length) throw new Refusal(exit.notFound, `no key ${name}; see matghi register key list`);
    // First out, then written down: a key that is to go must not stay for want of a line.
    save(settings.site.state, left);
    audit("key.removed", { key: name, officer, reason });
    // What it had made is footage that nobody can come for any more. An errand that runs may still write there.
    rmSync(shelfOf(settings.site.state, name), { recursive: true, force: true, maxRetries: 5 });
    context.out(context.json ? JSON.stringify({ key: name }) : fill(wordsIn(settings.site.language).keys.removed, { name }));
    return exit.fine;
  });
}

export function listKeys(context: Context): number {
  const { site } = settingsOf(context);
  const names = linesOf(keysFile(site.state)).flatMap((line) => / matghi:([a-z0-9-]+)$/.exec(line)?.[1] ?? []);
  const text = names.length === 0 ? wordsIn(site.language).keys.none : names.join("\n");
  context.out(context.json ? JSON.stringify({ keys: names }) : text);
  return exit.fine;
}

function readKey(file: string): readonly [kind: string, key: string] {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile() || found.size > mostBytes)
    throw new Refusal(exit.notFound, `--file ${file}: no such file; name the officer's .pub file`);
  const [, kind, key] = publicKey.exec(readFileSync(file, "utf8")) ?? [];
  if (kind !== undefined && key !== undefined) return [kind, key];
  throw new Refusal(exit.wrongUse, `--file ${file}: no Ed25519 public key; make one: ssh-keygen -t ed25519, and name its .pub file`);
}

/** sshd reads it in double quotes and hands it to a shell: only paths that mean themselves there. */
function forcedCommand({ configFile }: Context, name: string): string {
  const program = process.argv[1] ?? "";
  const own = program.startsWith("/opt/matghi/") ? ["/usr/bin/matghi"] : [process.execPath, program];
  const words = [...own, "--config", resolve(configFile), "errand", "--key", name];
  const strange = words.find((word) => !/^[\w./@+-]+$/.test(word));
  if (strange !== undefined)
    throw new Refusal(exit.wrongUse, `${strange}: a path with blanks or marks cannot stand in authorized_keys; move it`);
  return words.join(" ");
}

/** sshd takes no file that others might write. */
function save(state: string, lines: readonly string[]): void {
  const file = keysFile(state);
  const { uid, gid } = statSync(state);
  if (mkdirSync(dirname(file), { recursive: true, mode: 0o700 }) !== undefined) chownSync(dirname(file), uid, gid);
  replaceFile(file, Buffer.from(lines.map((line) => `${line}\n`).join("")), { mode: 0o600, uid, gid });
}
