/**
 * `deploy/station/fetch SITE look|export …`: has a box make a contact sheet or an evidence folder, over ssh with an officer's key, and brings it
 * here: no faster than the household's line bears, gone on with where it was cut off, checked when it is whole.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Errand, errandText, flawIn, queryOf, readErrand } from "../../agent/core/errand.ts";
import { unfinished } from "../../agent/core/manifest.ts";
import { parseRate } from "../../agent/core/rate.ts";
import { joinedLine, onOneLine } from "../../agent/core/text.ts";
import { verifyFolder } from "../../agent/verify.ts";
import { fill } from "./fill.ts";
import { filesOf, installedPlace } from "./place.ts";
import { isHost, isId } from "./register.ts";
import { isInTunnel, sshPort } from "./tunnel.ts";
import { wordsOf } from "./words.ts";

const usage = [
  "usage: deploy/station/fetch SITE look|export --host ADDRESS --key FILE --out PATH --camera ID [--camera ID …] --from T --to T --request TEXT --officer TEXT",
  "[export: --agency TEXT --purpose TEXT [--case KIND] [--witness TEXT]] [look: [--every 30s]]",
  `[--rate 2Mbit] [--port ${sshPort} (a box in the tunnel is reached at no other)] [--user matghi] [--known-hosts FILE] [--language vi|en] [--json]`,
].join(" ");

/** A camera's main stream takes 4 Mbit/s of a household's line already; half of that leaves room on a line of 10. */
const usualRate = "2Mbit";
/** A line that is down is tried again; so often without one new byte, and a person must look. */
const waitsMs = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000] as const;
/** ssh's own failure, apart from those of the command it runs. */
const sshFailed = 255;
/** What ssh says last where trying again is of no use. */
const sshRefusals = { denied: /^\S+: Permission denied \(/m, strange: /^Host key verification failed\./m } as const;
type SshRefusal = keyof typeof sshRefusals;
const mostSaidChars = 4_000;

class Misuse extends Error {}
class Failed extends Error {}

const text = { type: "string" } as const;
const list = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;
const options = {
  ...{ host: text, port: text, user: text, key: text, "known-hosts": text, rate: text, language: text, out: text, json: flag },
  ...{ camera: list, from: text, to: text, request: text, officer: text },
  ...{ agency: text, purpose: text, case: text, witness: text, every: text, help: flag },
} as const;
type Values = ReturnType<typeof parse>["values"];

/** How a box is reached. */
type Line = {
  readonly host: string;
  readonly args: readonly string[];
  readonly rate: number;
  /** What to do where ssh is refused. */
  readonly steps: Readonly<Record<SshRefusal, string>>;
};
type Job = {
  readonly ask: Extract<Errand, { verb: "look" | "export" }>;
  readonly line: Line;
  readonly out: string;
  readonly json: boolean;
  /** It is here and checked since an earlier run; only the box was not told. */
  readonly isHere: boolean;
};

const say = (line: string) => void process.stderr.write(`${onOneLine(line)}\n`);

/** As told, else the station's own, which its page tells everybody. */
function languageOf(args: readonly string[]): "vi" | "en" {
  const { language } = parseArgs({ args: [...args], options, strict: false }).values;
  if (language !== undefined) return language === "en" ? "en" : "vi";
  try {
    const about: unknown = JSON.parse(readFileSync(filesOf(installedPlace).about, "utf8"));
    return typeof about === "object" && about !== null && "language" in about && about.language === "en" ? "en" : "vi";
  } catch {
    return "vi";
  }
}

const words = wordsOf(languageOf(process.argv.slice(2))).fetch;

function jobOf({ values, positionals }: ReturnType<typeof parse>): Job {
  const [site = "", verb = "", ...more] = positionals;
  if (!isId(site) || (verb !== "look" && verb !== "export") || more.length > 0) throw new Misuse(usage);
  const { out, host = "", key = "", rate: given = usualRate, port = String(sshPort), user = "matghi" } = values;
  if (out === undefined || key === "") throw new Misuse(usage);
  if (!["vi", "en", undefined].includes(values.language)) throw new Misuse(`--language ${values.language}: vi or en`);
  if (!isHost(host)) throw new Misuse(fill(words.host, { given: host }));
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) throw new Misuse(fill(words.user, { given: user }));
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) throw new Misuse(fill(words.port, { given: port }));
  if (Number(port) !== sshPort && isInTunnel(host)) throw new Misuse(fill(words.tunnelPort, { given: port, host, port: String(sshPort) }));
  if (!existsSync(key)) throw new Misuse(fill(words.key, { given: key }));
  const rate = parseRate(given);
  if (rate === null) throw new Misuse(fill(words.rate, { given }));
  const target = resolve(out);
  const { ask, isHere } = askOf(site, verb, values, target);
  const hosts = values["known-hosts"] === undefined ? null : resolve(values["known-hosts"]);
  // A box is known by its name: addresses in a tunnel go from one box to another.
  const alias = `matghi-${site}`;
  const known = ["-o", `HostKeyAlias=${alias}`, ...(hosts === null ? [] : ["-o", `UserKnownHostsFile=${hosts}`])];
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
  const ssh = ["-T", "-o", "LogLevel=ERROR", "-F", "none", "-i", resolve(key), "-p", port, "-l", user, ...alive, ...strict, ...known];
  const steps = {
    denied: fill(words.denied, { key }),
    strange: fill(words.strange, { host, site, alias, file: hosts === null ? "" : ` -f ${hosts}` }),
  };
  return { ask, isHere, line: { host, args: ssh, rate, steps }, out: target, json: values.json === true };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new Misuse(`${error instanceof Error ? error.message.split(/\.\s/)[0] : String(error)}; see --help`);
  }
}

/** The same question to the same place is the same errand, so that a fetch that was cut off goes on. */
function askOf(site: string, verb: "look" | "export", values: Values, out: string): Pick<Job, "ask" | "isHere"> {
  const { camera = [], from, to, request, officer, agency, purpose, case: kind, witness, every } = values;
  const facts = { site, camera: camera.join(",") || undefined, from, to, request, officer, agency, purpose, case: kind, witness, every };
  const question = `${verb} ${queryOf(facts)}`;
  const note = noteOf(out);
  const before = existsSync(note) ? (JSON.parse(readFileSync(note, "utf8")) as { id: string; question: string }) : null;
  const id = before?.id ?? randomBytes(8).toString("hex");
  const flaw = flawIn(verb, { ...facts, id });
  if (flaw !== null) throw new Misuse(fill(words.flaws[flaw.why], { fact: flaw.fact, verb }));
  const ask = readErrand(`${question}&id=${id}`);
  if (ask === null || (ask.verb !== "look" && ask.verb !== "export")) throw new Misuse(usage);
  if (!existsSync(dirname(out))) throw new Misuse(fill(words.place, { out, place: dirname(out) }));
  if (before !== null && before.question !== question) throw new Misuse(fill(words.another, { note }));
  const isHere = existsSync(out);
  // What is still being brought, or was not begun, is not what lies there.
  if (isHere && (before === null || existsSync(`${out}${unfinished}`))) throw new Misuse(fill(words.occupied, { out }));
  if (before === null) writeFileSync(note, JSON.stringify({ id, question }), { flag: "wx", flush: true, mode: 0o600 });
  return { ask, isHere };
}

const noteOf = (out: string) => `${out}.fetch.json`;

/** `said`: the end of what ssh and the box said to people. */
type Ran = { readonly code: number; readonly stdout: string; readonly said: string };

/** Runs one errand; what it says to people goes on to our own standard error. `take` is given its output as it comes. */
function run({ host, args }: Line, errand: Errand, take?: (chunk: Buffer) => Promise<void>): Promise<Ran> {
  const child = spawn("ssh", [...args, "--", host, errandText(errand)], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    process.stderr.write(chunk);
    said = `${said}${chunk.toString("utf8")}`.slice(-mostSaidChars);
  });
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
    const code = await ended;
    return { code, stdout, said };
  })();
}

/** Tries until ssh gets through; `moved` tells whether the last try brought anything. Throws `Failed` where it does not, or is refused. */
async function insist({ steps }: Line, act: () => Promise<Ran>, moved: () => boolean = () => false): Promise<Ran> {
  for (let failures = 0; ; ) {
    const ran = await act();
    if (ran.code !== sshFailed) return ran;
    for (const refusal of ["denied", "strange"] as const) if (sshRefusals[refusal].test(ran.said)) throw new Failed(steps[refusal]);
    failures = moved() ? 0 : failures + 1;
    const waitMs = waitsMs[Math.max(0, failures - 1)];
    if (waitMs === undefined) throw new Failed(words.unreached);
    say(fill(words.retry, { seconds: String(waitMs / 1_000) }));
    await sleep(waitMs);
  }
}

type Entry = { readonly bytes: number; readonly sha256: string; readonly file: string };

function entriesOf(stdout: string): readonly Entry[] {
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [, bytes = "", sha256 = "", file = ""] =
      /^(\d{1,15}) ([0-9a-f]{64}) ((?!.*(?:^|\/)[.-])[\w.-]+(?:\/[\w.-]+){0,3})$/.exec(line) ?? [];
    if (file === "") throw new Failed(words.noList);
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
  throw new Failed(fill(words.differs, { file, draft }));
}

async function append(line: Line, { site, id }: Job["ask"], path: string, file: string, bytes: number): Promise<number> {
  const before = await sizeOf(path);
  let reached = before;
  const handle = await open(path, "a", 0o600);
  try {
    let last = reached;
    const act = () =>
      reached >= bytes
        ? Promise.resolve({ code: 0, stdout: "", said: "" })
        : run(line, { verb: "send", site, id, file, at: String(reached), rate: String(line.rate) }, async (chunk) => {
            await handle.write(chunk);
            reached += chunk.length;
          });
    const moved = () => {
      const isFurther = reached > last;
      last = reached;
      return isFurther;
    };
    const { code } = await insist(line, act, moved);
    if (code !== 0) throw new Failed(fill(words.unsent, { file }));
    await handle.sync();
  } finally {
    await handle.close();
  }
  return reached - before;
}

async function fetch(job: Job): Promise<number> {
  const { ask, line, out } = job;
  if (job.isHere) return tellHere(job);
  const made = await insist(line, () => run(line, ask));
  const listed = await insist(line, () => run(line, { verb: "list", site: ask.site, id: ask.id }));
  if (listed.code !== 0) {
    // Nothing was made, so there is nothing to go on with.
    if (!existsSync(`${out}${unfinished}`)) rmSync(noteOf(out), { force: true });
    return made.code === 0 ? listed.code : made.code;
  }
  const entries = entriesOf(listed.stdout);
  const allBytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const minutes = Math.max(1, Math.ceil(allBytes / line.rate / 60));
  say(fill(words.size, { files: String(entries.length), megabytes: (allBytes / 1e6).toFixed(1), minutes: String(minutes) }));
  const draft = `${out}${unfinished}`;
  let came = 0;
  for (const [n, entry] of entries.entries()) {
    came += await bring(job, draft, entry);
    say(`${n + 1}/${entries.length} ${entry.file}`);
  }
  const key = await settle(job, draft, entries);
  tell(job, { files: entries.length, bytes: allBytes, fetchedBytes: came, key });
  await tellBox(job);
  return made.code;
}

type Told = { readonly files: number; readonly bytes: number; readonly fetchedBytes: number; readonly key: string | null };

function tell({ out, json }: Job, told: Told): void {
  const text = told.key === null ? out : fill(words.unaltered, { out, key: told.key });
  process.stdout.write(`${json ? JSON.stringify({ out, result: "unaltered", ...told }) : text}\n`);
}

/** An earlier run was cut off at its last word: looked at once more, for it has lain here since. */
async function tellHere(job: Job): Promise<number> {
  const { ask, out } = job;
  const key = ask.verb === "look" ? null : await check(out);
  const names = ask.verb === "look" ? [""] : await readdir(out, { recursive: true });
  const files = (await Promise.all(names.map((name) => stat(join(out, name))))).filter((found) => found.isFile());
  tell(job, { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0), fetchedBytes: 0, key });
  await tellBox(job);
  return 0;
}

/** The box may put its copy away. Where it cannot be told, the note stays, and the same command tells it later. */
async function tellBox({ ask, line, out }: Job): Promise<void> {
  try {
    const { code } = await insist(line, () => run(line, { verb: "done", site: ask.site, id: ask.id }));
    if (code === 0) return rmSync(noteOf(out), { force: true });
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    say(joinedLine(error.message));
  }
  say(words.stays);
}

/** Checks what has arrived and gives it its name; resolves with the fingerprint of the box's key. */
async function settle({ ask, out }: Job, draft: string, entries: readonly Entry[]): Promise<string | null> {
  const key = ask.verb === "look" ? null : await check(draft);
  if (existsSync(out)) throw new Failed(fill(words.occupied, { out }));
  if (ask.verb === "export") await rename(draft, out);
  else {
    // Out of the draft first: while there is one, what lies under its name is not taken for it.
    await rename(join(draft, entries[0]?.file ?? ""), `${draft}.html`);
    await rm(draft, { recursive: true });
    await rename(`${draft}.html`, out);
  }
  return key;
}

/** Throws `Failed` where anything is not as the box signed it; resolves with the fingerprint of the box's key. */
async function check(place: string): Promise<string | null> {
  const { problems, fingerprint } = await verifyFolder(place);
  // Under this name it is still being brought.
  const [problem] = problems.filter(({ what }) => what !== "unfinished");
  if (problem !== undefined) throw new Failed(fill(words.altered, { file: problem.file, what: problem.what, place }));
  return fingerprint;
}

try {
  const asked = parse(process.argv.slice(2));
  if (asked.values.help === true) process.stdout.write(`${usage}\n`);
  else process.exitCode = await fetch(jobOf(asked));
} catch (error) {
  const said = error instanceof Error ? error.message : String(error);
  say(error instanceof Misuse ? said : joinedLine(said));
  process.exitCode = error instanceof Misuse ? 2 : 1;
}
