/** `matghi support`: what a developer needs to find a fault, in one file, without what must not leave the box. Works with whatever still works. */

import { readFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { arch, cpus, freemem, loadavg, release, totalmem, uptime } from "node:os";
import { join } from "node:path";
import { makeBox } from "../../hal/box.ts";
import { makeMachine } from "../../hal/machine.ts";
import type { Machine } from "../../hal/ports.ts";
import { firstOf, maskConfig, passwordFiles, privateTexts } from "../config/mask.ts";
import type { Settings } from "../config/schema.ts";
import { type Loaded, loadConfig, type Problem, scalarsOf } from "../config.ts";
import { checkJson, worstFirst } from "../core/checkup.ts";
import { makeDating } from "../core/dating.ts";
import { envelopeOf } from "../core/message.ts";
import { scrub, scrubFacts, scrubLog } from "../core/scrub.ts";
import { onOneLine } from "../core/text.ts";
import { iso, isoOrNull, vietnamTime } from "../core/time.ts";
import { bytesText, fill, wordsIn } from "../core/words.ts";
import { datedGap, readStatus } from "../query.ts";
import { checkAuditOf, readAudit } from "../store/audit.ts";
import { isLocked } from "../store/database.ts";
import { inventoryOf, segmentDays } from "../store/inventory.ts";
import { keyName } from "../store/key.ts";
import type { Reads } from "../store/reads.ts";
import { openReads } from "../store/store.ts";
import { version } from "../version.ts";
import { type Entry, writeArchive } from "./archive.ts";
import { type Context, checkUser, exit, nowUtc, surroundingRules } from "./context.ts";
import { visit } from "./doctor.ts";
import { listFolder, listFootage } from "./shelf.ts";

export type SupportOptions = { readonly out: string; readonly log?: string };

const days = 21;
const dayMs = 86_400_000;
const mostRows = 20_000;
const mostLines = 20_000;
/** Of each part; a text is cut at its old end. */
const mostBytes = 8 << 20;
/** A part that hangs on a dying disk is left out. */
const partMs = 90_000;
const longestSecretBytes = 4_096;
/** The only part that is there because somebody named it. */
const logPart = "log.txt";

/** The site as far as it can be told: a broken configuration still says where the state is. */
type Subject = {
  readonly text: string;
  readonly loaded: Loaded;
  /** Without names. */
  readonly settings: Settings | null;
  readonly site: string;
  readonly state: string;
  readonly folder: string | null;
  readonly secrets: readonly string[];
  readonly nowAt: number;
};
type Part = { readonly name: string; readonly make: () => string | Promise<string> };
type Made = { readonly name: string; readonly bytes: number; readonly ms: number; readonly error: string | null };

export async function support(
  context: Context,
  options: SupportOptions,
  signal: AbortSignal,
  machine: Machine = makeMachine(),
): Promise<number> {
  const subject = subjectOf(context.configFile);
  checkUser({ site: { state: subject.state } });
  const made: Made[] = [];
  const parts = partsOf(context, options, subject, machine, signal);
  const bytes = await writeArchive(options.out, entriesOf(subject, parts, made, signal), signal);
  const lost = made.filter(({ error }) => error !== null).map(({ name }) => name);
  if (context.json) context.out(JSON.stringify({ file: options.out, bytes, parts: made }));
  else {
    const { language } = subject.loaded.kind === "good" ? subject.loaded.settings.site : subject.loaded;
    const words = wordsIn(language).support;
    context.out(fill(words.written, { file: options.out, parts: made.length, bytes: bytesText(bytes, language) }));
    if (lost.length > 0) context.out(fill(words.missing, { names: lost.join(", ") }));
  }
  if (options.log === undefined || !lost.includes(logPart)) return exit.fine;
  context.err(onOneLine(`--log ${options.log} cannot be read, and ${options.out} lacks it; name a log that is there, with another --out`));
  return exit.wrongUse;
}

function subjectOf(configFile: string): Subject {
  const text = readOr(configFile, "");
  const scalars = scalarsOf(text);
  const loaded = loadConfig(configFile, surroundingRules);
  const settings = loaded.kind === "good" ? nameless(loaded.settings) : null;
  const state = settings?.site.state ?? firstOf(scalars, "state") ?? "/var/lib/matghi";
  const site = /^[a-z0-9-]{2,32}$/.exec(settings?.site.id ?? firstOf(scalars, "id") ?? "")?.[0] ?? "unknown";
  const secrets = [
    ...passwordFiles(scalars).flatMap((file) => readOr(file, "").split("\n").filter(Boolean)),
    ...[join(state, keyName), settings?.station?.key].flatMap((file) => (file === undefined ? [] : keyLines(readOr(file, "")))),
    ...privateTexts(scalars).flatMap((secret) => [secret, ...secret.split("\n")]),
    ...peopleIn(state),
  ];
  return {
    ...{ text, loaded, settings, site, state, folder: settings?.recording.folder ?? firstOf(scalars, "folder") },
    secrets: [...new Set(secrets.map((secret) => secret.trim()))].sort((a, b) => b.length - a.length),
    nowAt: settings === null ? Date.now() : nowUtc(settings),
  };
}

/** A file of ours that is small, or else what is said in its place. */
function readOr(file: string, otherwise: string): string {
  try {
    const bytes = readFileSync(file);
    return bytes.length > (file.endsWith(".yaml") ? 1_000_000 : longestSecretBytes) ? otherwise : bytes.toString("utf8");
  } catch {
    return otherwise;
  }
}

const keyLines = (pem: string) => pem.split("\n").filter((line) => line.length >= 16 && !line.startsWith("-----"));

/** Persons and papers that the audit names. */
function peopleIn(state: string): readonly string[] {
  try {
    return readAudit(state).flatMap(({ data }) =>
      ["officer", "agency", "purpose", "witness", "request", "reason"].flatMap((fact) =>
        typeof data[fact] === "string" ? [data[fact]] : [],
      ),
    );
  } catch {
    return [];
  }
}

/** The settings with codes for names, so that no sentence that is made of them names anybody. */
const nameless = (settings: Settings): Settings => ({
  ...settings,
  site: { ...settings.site, name: settings.site.id },
  report: {},
  cameras: settings.cameras.map(({ group: _group, ...camera }) => ({
    ...{ ...camera, name: camera.id },
    planned: camera.planned.map((stop) => ({ ...stop, why: "planned" })),
  })),
});

async function* entriesOf(subject: Subject, parts: readonly Part[], made: Made[], signal: AbortSignal): AsyncIterable<Entry> {
  const folder = `matghi-support-${subject.site}`;
  for (const { name, make } of parts) {
    signal.throwIfAborted();
    const began = performance.now();
    const { text, error } = await within(make);
    const body = lastOf(Buffer.from(error === null ? text : scrub(`${error}\n`, subject.secrets), "utf8"));
    made.push({ name, bytes: body.length, ms: Math.round(performance.now() - began), error: error && scrub(error, subject.secrets) });
    yield { name: `${folder}/${name}`, body };
  }
  yield { name: `${folder}/parts.json`, body: Buffer.from(`${JSON.stringify(made, null, 1)}\n`) };
}

async function within(make: Part["make"]): Promise<{ readonly text: string; readonly error: string | null }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${partMs / 1_000} s`)), partMs);
  });
  try {
    return { text: await Promise.race([Promise.resolve().then(make), late]), error: null };
  } catch (error) {
    return { text: "", error: String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** The last whole lines that fit. */
function lastOf(body: Buffer): Buffer {
  if (body.length <= mostBytes) return body;
  const tail = body.subarray(body.length - mostBytes);
  return tail.subarray(tail.indexOf(10) + 1);
}

function partsOf(context: Context, options: SupportOptions, subject: Subject, machine: Machine, signal: AbortSignal): readonly Part[] {
  const { settings, state, folder, secrets, loaded } = subject;
  const json = (facts: unknown) => `${JSON.stringify(scrubFacts(facts, secrets), null, 1)}\n`;
  const rows = (facts: readonly unknown[]) => facts.map((fact) => `${JSON.stringify(scrubFacts(fact, secrets))}\n`).join("");
  const lines = (text: string) => scrubLog(text.split("\n").slice(-mostLines).join("\n"), secrets);
  const asked = <T>(ask: (reads: Reads) => T): T => {
    const reads = openReads(state);
    if (reads === null) throw new Error(`nothing has been recorded in ${state}`);
    try {
      return ask(reads);
    } finally {
      reads.close();
    }
  };
  const configured = (): Settings => {
    if (settings === null) throw new Error("the configuration is broken: see check-config.json");
    return settings;
  };
  const part = (name: string, make: Part["make"]): Part => ({ name, make });
  return [
    part("README.txt", () => readme(subject)),
    part("versions.json", async () => json(await versionsOf())),
    part("config.yaml", () => {
      if (subject.text === "") throw new Error(`${context.configFile} cannot be read`);
      return scrub(maskConfig(subject.text, scalarsOf(subject.text)), secrets);
    }),
    part("check-config.json", () => json(problemsOf(context.configFile))),
    part("status.json", () =>
      asked((reads) =>
        json(
          readStatus(
            { reads, settings: configured(), dating: makeDating(reads.boots()), running: isLocked(state), nowAt: subject.nowAt },
            version,
          ),
        ),
      ),
    ),
    part("doctor.json", async () => {
      const checks = await visit(context.configFile, configured(), loaded.kind === "good" ? loaded.hash : "", signal);
      return json({ checks: worstFirst(checks).map((check) => checkJson(check, "en")) });
    }),
    part("events.jsonl", () => asked((reads) => rows(eventsOf(subject, reads)))),
    part("gaps.jsonl", () => asked((reads) => rows(gapsOf(subject, reads)))),
    part("segments.json", () => json(segmentDays(state, days))),
    part("cameras.json", () => asked((reads) => json({ cameras: reads.cameras(), conditions: reads.conditions(), live: reads.live() }))),
    part("holds.json", () => asked((reads) => json(reads.holds().map(({ request: _request, officer: _officer, ...hold }) => hold)))),
    part("audit.json", () => json(auditOf(state))),
    part("database.json", () => json(inventoryOf(state) ?? { error: "there is no database" })),
    part("state.json", async () => json(await listFolder(state))),
    part("footage.json", async () => {
      if (folder === null) throw new Error("the configuration names no folder");
      return json(await listFootage(folder));
    }),
    part("machine.json", async () => json(await machineOf(machine, state, folder))),
    part("unit.txt", async () => lines((await machine.unit("matghi")) ?? "no service manager knows matghi here\n")),
    part("journal.txt", async () =>
      lines(withoutHost((await machine.log({ unit: "matghi" }, mostLines)) ?? "no journal of matghi here\n")),
    ),
    part("kernel.txt", async () => lines(withoutHost((await machine.log("kernel", 2_000)) ?? "the kernel's log cannot be read here\n"))),
    ...(options.log === undefined ? [] : [part(logPart, async () => lines(await endOf(options.log ?? "")))]),
  ];
}

const readme = ({ loaded, site, nowAt }: Subject): string => {
  const language = loaded.kind === "good" ? loaded.settings.site.language : loaded.language;
  return fill(wordsIn(language).support.readme, { site, at: vietnamTime(nowAt), version, days });
};

async function versionsOf() {
  const { hostname: _host, ...identity } = await makeBox().identity();
  return { agent: version, ...identity, arch: arch(), kernel: release(), modules: process.versions };
}

/** What is wrong, where. A YAML error quotes the text that it met: only its place is told. */
function problemsOf(configFile: string) {
  const loaded = loadConfig(configFile);
  const problems = loaded.kind === "bad" ? loaded.problems : loaded.warnings;
  const told = ({ line, column, path, code, message, cure }: Problem) =>
    code === "yaml" ? { line, column, code } : { line, column, path, code, message, cure };
  return { ok: loaded.kind === "good", problems: problems.map(told) };
}

function eventsOf({ site, nowAt }: Subject, reads: Reads): readonly unknown[] {
  const dating = makeDating(reads.boots());
  const fromAt = dating.fromUtc(nowAt - days * dayMs);
  const { last } = reads.eventRange();
  const found = reads.events({
    ...{ fromAt, toAt: Number.MAX_SAFE_INTEGER, type: null, limit: mostRows },
    afterG: Math.max(0, last - mostRows),
  });
  return found.map((row) => envelopeOf(site, reads.meta("db") ?? "", row, null, dating));
}

function gapsOf({ nowAt }: Subject, reads: Reads): readonly unknown[] {
  const dating = makeDating(reads.boots());
  const span = { fromAt: dating.fromUtc(nowAt - days * dayMs), toAt: Number.MAX_SAFE_INTEGER };
  return reads
    .gaps(null, span)
    .slice(-mostRows)
    .map((gap) => datedGap(gap, dating))
    .map(({ fromAt, toAt, blame, ...gap }) => ({ ...gap, from: iso(fromAt), to: isoOrNull(toAt), ...blame }));
}

/** Who did what is nobody's business; that something was done, and whether the chain holds, is. */
function auditOf(state: string) {
  const reads = openReadsOrNull(state);
  try {
    const { entries, problems } = checkAuditOf(state, reads?.meta("audit") ?? null);
    const last = readAudit(state)
      .slice(-1_000)
      .map(({ n, at, clock, what, data }) => ({ n, at, clock, what, ...(typeof data.config === "string" ? { config: data.config } : {}) }));
    return { entries, problems, last };
  } finally {
    reads?.close();
  }
}

function openReadsOrNull(state: string): ReturnType<typeof openReads> {
  try {
    return openReads(state);
  } catch {
    return null;
  }
}

async function machineOf(machine: Machine, state: string, folder: string | null) {
  const mount = folder === null ? null : await machine.mountOf(folder);
  const proc = async (name: string) => (await readFile(`/proc/${name}`, "utf8").catch(() => "")).split("\n").slice(0, 60);
  return {
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    ...{ load: loadavg(), cores: cpus().length, uptimeSeconds: Math.round(uptime()) },
    ...{ meminfo: await proc("meminfo"), pressure: { io: await proc("pressure/io"), memory: await proc("pressure/memory") } },
    disks: (await proc("diskstats")).map((line) => figuresIn(line)),
    ...{ stateMount: await machine.mountOf(state), footageMount: mount },
    smart: mount?.device.startsWith("/dev/") ? await machine.smart(mount.device) : null,
    ...{ openPorts: await machine.listening(), underVoltage: await machine.hasUnderVoltage(), service: await machine.service("matghi") },
  };
}

/** Figures as figures: a row of them may look like a phone number. */
const figuresIn = (line: string): readonly (string | number)[] =>
  line
    .trim()
    .split(/\s+/)
    .map((word) => (/^\d+$/.test(word) ? Number(word) : word));

/** `short-iso` puts the machine's name behind the time; people call machines by their own. */
const withoutHost = (text: string): string => text.replace(/^(\d{4}-\S+) \S+ /gm, "$1 ");

/** The end of a file, from its first whole line. Rejects with the system's error. */
async function endOf(file: string): Promise<string> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const bytes = Math.min(size, mostBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, size - bytes);
    const text = buffer.subarray(0, bytesRead).toString("utf8");
    return bytes < size ? text.slice(text.indexOf("\n") + 1) : text;
  } finally {
    await handle.close();
  }
}
