/**
 * `deploy/station/fetch SITE look|export …`: has a box make a contact sheet or an evidence folder, over ssh with an officer's key, and brings it
 * here: no faster than the household's line bears, gone on with where it was cut off, checked when it is whole.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Errand, errandText, queryOf, readErrand } from "../../agent/core/errand.ts";
import { unfinished } from "../../agent/core/manifest.ts";
import { parseRate } from "../../agent/core/rate.ts";
import { verifyFolder } from "../../agent/verify.ts";
import { isHost, isId } from "./register.ts";

const usage = `usage: deploy/station/fetch SITE look|export --host ADDRESS --key FILE --out PATH --camera ID [--camera ID …] --from T --to T --request TEXT --officer TEXT
  export: --agency TEXT --purpose TEXT [--case KIND] [--witness TEXT]   look: [--every 30s]
  [--rate 2Mbit] [--port 22] [--user matghi] [--known-hosts FILE] [--json]`;

/** A camera's main stream takes 4 Mbit/s of a household's line already; half of that leaves room on a line of 10. */
const usualRate = "2Mbit";
/** A line that is down is tried again; so often without one new byte, and a person must look. */
const waitsMs = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000] as const;
/** ssh's own failure, apart from those of the command it runs. */
const sshFailed = 255;

class Misuse extends Error {}
class Failed extends Error {}

const text = { type: "string" } as const;
const list = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;
const options = {
  ...{ host: text, port: text, user: text, key: text, "known-hosts": text, rate: text, out: text, json: flag },
  ...{ camera: list, from: text, to: text, request: text, officer: text },
  ...{ agency: text, purpose: text, case: text, witness: text, every: text, help: flag },
} as const;
type Values = ReturnType<typeof parse>["values"];

/** How a box is reached. */
type Line = { readonly host: string; readonly args: readonly string[]; readonly rate: number };
type Job = {
  readonly ask: Extract<Errand, { verb: "look" | "export" }>;
  readonly line: Line;
  readonly out: string;
  readonly json: boolean;
};

const say = (line: string) => void process.stderr.write(`${line}\n`);

function jobOf(args: readonly string[]): Job {
  const { values, positionals } = parse(args);
  const [site = "", verb = "", ...more] = positionals;
  if (values.help === true || !isId(site) || (verb !== "look" && verb !== "export") || more.length > 0) throw new Misuse(usage);
  const { out, host = "", key = "", rate: given = usualRate, port = "22", user = "matghi" } = values;
  if (out === undefined || key === "") throw new Misuse(usage);
  if (!isHost(host)) throw new Misuse(`--host ${host}: a name or an IPv4 address of the box`);
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) throw new Misuse(`--user ${user}: no account's name`);
  if (!/^\d{1,5}$/.test(port)) throw new Misuse(`--port ${port}: 1 to 65535`);
  if (!existsSync(key)) throw new Misuse(`--key ${key}: not there; make one: ssh-keygen -t ed25519, and have it added on the box`);
  const rate = parseRate(given);
  if (rate === null) throw new Misuse(`--rate ${given}: write 2Mbit or 512kbit`);
  const target = resolve(out);
  const ask = askOf(site, verb, values, target);
  const known = values["known-hosts"] === undefined ? [] : ["-o", `UserKnownHostsFile=${resolve(values["known-hosts"])}`];
  const alive = ["-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"];
  const strict = [
    "-o",
    "BatchMode=yes",
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "StrictHostKeyChecking=accept-new",
    "-o",
    "ClearAllForwardings=yes",
  ];
  const ssh = ["-T", "-q", "-F", "none", "-i", resolve(key), "-p", port, "-l", user, ...alive, ...strict, ...known];
  return { ask, line: { host, args: ssh, rate }, out: target, json: values.json === true };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new Misuse(`${error instanceof Error ? error.message.split(". ")[0] : String(error)}; see --help`);
  }
}

/** The same question to the same place is the same errand, so that a fetch that was cut off goes on. */
function askOf(site: string, verb: string, values: Values, out: string): Job["ask"] {
  const { camera = [], from, to, request, officer, agency, purpose, case: kind, witness, every } = values;
  const facts = { site, camera: camera.join(","), from, to, request, officer, agency, purpose, case: kind, witness, every };
  const question = `${verb} ${queryOf(facts)}`;
  const note = noteOf(out);
  const before = existsSync(note) ? (JSON.parse(readFileSync(note, "utf8")) as { id: string; question: string }) : null;
  const id = before?.id ?? randomBytes(8).toString("hex");
  const ask = readErrand(`${question}&id=${id}`);
  if (ask === null || (ask.verb !== "look" && ask.verb !== "export")) throw new Misuse(`something is missing, or wrong; ${usage}`);
  if (before !== null && before.question !== question)
    throw new Misuse(`${note} is of another question; fetch to another --out, or remove it`);
  if (before === null && existsSync(out)) throw new Misuse(`${out} is there already; name another: --out`);
  if (before === null) writeFileSync(note, JSON.stringify({ id, question }), { flag: "wx", flush: true, mode: 0o600 });
  return ask;
}

const noteOf = (out: string) => `${out}.fetch.json`;

type Ran = { readonly code: number; readonly stdout: string };

/** Runs one errand; what it says to people goes to our own standard error. `take` is given its output as it comes. */
function run({ host, args }: Line, errand: Errand, take?: (chunk: Buffer) => Promise<void>): Promise<Ran> {
  const child = spawn("ssh", [...args, "--", host, errandText(errand)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => done(code ?? sshFailed));
  });
  return (async () => {
    let stdout = "";
    for await (const chunk of child.stdout) {
      if (take === undefined) stdout += (chunk as Buffer).toString("utf8");
      else await take(chunk as Buffer);
    }
    return { code: await ended, stdout };
  })();
}

/** Tries until ssh gets through; `moved` tells whether the last try brought anything. Throws `Failed` where it does not. */
async function insist(act: () => Promise<Ran>, moved: () => boolean = () => false): Promise<Ran> {
  for (let failures = 0; ; ) {
    const ran = await act();
    if (ran.code !== sshFailed) return ran;
    failures = moved() ? 0 : failures + 1;
    const waitMs = waitsMs[Math.max(0, failures - 1)];
    if (waitMs === undefined) throw new Failed("the box is not reached; run the same command again later, it goes on where it stopped");
    say(`the line is down, trying again in ${waitMs / 1_000} s`);
    await sleep(waitMs);
  }
}

type Entry = { readonly bytes: number; readonly sha256: string; readonly file: string };

function entriesOf(stdout: string): readonly Entry[] {
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [, bytes = "", sha256 = "", file = ""] =
      /^(\d{1,15}) ([0-9a-f]{64}) ((?!.*(?:^|\/)[.-])[\w.-]+(?:\/[\w.-]+){0,3})$/.exec(line) ?? [];
    if (file === "") throw new Failed("the box sent a list that is none; is it matghi's?");
    return { bytes: Number(bytes), sha256, file };
  });
}

const sizeOf = async (path: string) => (await stat(path).catch(() => null))?.size ?? 0;

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Brings one file; resolves with the bytes that came now. */
async function bring({ ask, line }: Job, draft: string, { file, bytes, sha256 }: Entry): Promise<number> {
  const path = join(draft, file);
  await mkdir(dirname(path), { recursive: true });
  let came = 0;
  for (const last of [false, true]) {
    came += await append(line, ask, path, file, bytes);
    if ((await sizeOf(path)) === bytes && (await hashOf(path)) === sha256) return came;
    // What lay here was not what the box has: once more, from its begin.
    if (!last) await rm(path);
  }
  throw new Failed(`${file} does not arrive as it is on the box; remove ${draft} and begin again`);
}

async function append(line: Line, { site, id }: Job["ask"], path: string, file: string, bytes: number): Promise<number> {
  const before = await sizeOf(path);
  let reached = before;
  const handle = await open(path, "a", 0o600);
  try {
    let last = reached;
    const act = () =>
      reached >= bytes
        ? Promise.resolve({ code: 0, stdout: "" })
        : run(line, { verb: "send", site, id, file, at: String(reached), rate: String(line.rate) }, async (chunk) => {
            await handle.write(chunk);
            reached += chunk.length;
          });
    const moved = () => {
      const isFurther = reached > last;
      last = reached;
      return isFurther;
    };
    const { code } = await insist(act, moved);
    if (code !== 0) throw new Failed(`the box does not send ${file}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return reached - before;
}

async function fetch(job: Job): Promise<number> {
  const { ask, line, out } = job;
  const made = await insist(() => run(line, ask));
  const listed = await insist(() => run(line, { verb: "list", site: ask.site, id: ask.id }));
  if (listed.code !== 0) {
    // Nothing was made, so there is nothing to go on with.
    if (!existsSync(`${out}${unfinished}`)) rmSync(noteOf(out), { force: true });
    return made.code === 0 ? listed.code : made.code;
  }
  const entries = entriesOf(listed.stdout);
  const allBytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  say(`${entries.length} files, ${(allBytes / 1e6).toFixed(1)} MB, some ${Math.max(1, Math.ceil(allBytes / line.rate / 60))} min`);
  const draft = `${out}${unfinished}`;
  let came = 0;
  for (const [n, entry] of entries.entries()) {
    came += await bring(job, draft, entry);
    say(`${n + 1}/${entries.length} ${entry.file}`);
  }
  const key = await settle(job, draft, entries);
  await insist(() => run(line, { verb: "done", site: ask.site, id: ask.id }));
  rmSync(noteOf(out), { force: true });
  const told = { out, files: entries.length, bytes: allBytes, fetchedBytes: came, result: "unaltered", key };
  process.stdout.write(job.json ? `${JSON.stringify(told)}\n` : `${out}${key === null ? "" : `: nguyên vẹn (unaltered), ${key}`}\n`);
  return made.code;
}

/** Checks what has arrived and gives it its name; resolves with the fingerprint of the box's key. */
async function settle({ ask, out }: Job, draft: string, entries: readonly Entry[]): Promise<string | null> {
  if (ask.verb === "look") {
    await rename(join(draft, entries[0]?.file ?? ""), out);
    await rm(draft, { recursive: true });
    return null;
  }
  const { problems, fingerprint } = await verifyFolder(draft);
  // Under this name it is still being brought.
  const [problem] = problems.filter(({ what }) => what !== "unfinished");
  if (problem !== undefined) throw new Failed(`altered: ${problem.file}: ${problem.what}; it stays as ${draft}, do not use it`);
  await rename(draft, out);
  return fingerprint;
}

try {
  process.exitCode = await fetch(jobOf(process.argv.slice(2)));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof Misuse ? 2 : 1;
}
