/** `matghi register …`: requests and what came of them, files that were handed in, who may view, what people ask about themselves. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { basename, resolve } from "node:path";
import { missingOf } from "../core/answer.ts";
import type { Change } from "../core/change.ts";
import { makeDating } from "../core/dating.ts";
import { spansOf } from "../core/ledger.ts";
import { parsePeriod, periodForms } from "../core/period.ts";
import { tableText } from "../core/print.ts";
import { receiptHtml } from "../core/receipt.ts";
import {
  answerWithinDays,
  cases,
  countsOf,
  dueOf,
  type Entry,
  type EntryFacts,
  type Extraction,
  requestsOf,
  roles,
  type Viewer,
} from "../core/register.ts";
import { outcomeTexts } from "../core/sheetblock.ts";
import { iso, isoOrNull, vietnamTime } from "../core/time.ts";
import type { Span } from "../core/types.ts";
import { bytesText, fill, type Language, wordsIn } from "../core/words.ts";
import { historyOf } from "../query.ts";
import { isLocked } from "../store/database.ts";
import { type Context, exit, Refusal, reading } from "./context.ts";
import { knownCamera, oneOf, stretchOf, textOf } from "./fields.ts";
import { checkPlace, writeWhole } from "./out.ts";
import { type Desk, writing, writingSlowly } from "./writing.ts";

const ever: Span = { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER };

export type ListOptions = { readonly period?: string };

export function listRegister(context: Context, options: ListOptions): number {
  return reading(context, ({ reads, settings, nowAt }) => {
    const period = options.period === undefined ? { span: ever } : parsePeriod(options.period, nowAt);
    if (period === null) throw new Refusal(exit.wrongUse, `--period ${options.period}: no such period; write ${periodForms}`);
    const { fromAt, toAt } = period.span;
    const entries = reads.register(period.span);
    const viewers = reads.viewers().filter((viewer) => viewer.fromAt < toAt && (viewer.toAt === null || viewer.toAt >= fromAt));
    context.out(context.json ? JSON.stringify(listJson(entries, viewers)) : listText(entries, viewers, settings.site.language));
    return exit.fine;
  });
}

function listJson(entries: readonly Entry[], viewers: readonly Viewer[]) {
  const requests = requestsOf(entries);
  return {
    entries: entries.map(entryJson),
    viewers: viewers.map(({ fromAt, toAt, ...viewer }) => ({ ...viewer, from: iso(fromAt), to: isoOrNull(toAt) })),
    ...{ requests: requests.length, byCase: countsOf(requests) },
  };
}

function entryJson({ id, at, request, officer, facts }: Entry) {
  const head = { id, kind: facts.kind, at: iso(at), request, officer };
  if (facts.kind === "intake") return { ...head, ...facts };
  if (facts.kind === "subject") {
    const { dueAt, answeredAt, answer } = facts;
    return { ...head, due: iso(dueAt), answeredAt: isoOrNull(answeredAt), answer };
  }
  return { ...head, ...facts, from: isoOrNull(facts.from), to: isoOrNull(facts.to) };
}

function listText(entries: readonly Entry[], viewers: readonly Viewer[], language: Language): string {
  const words = wordsIn(language).register;
  const sums = fill(words.sums, outcomeTexts(countsOf(requestsOf(entries)), language));
  const rows = entries.map((entry) => [
    ...[String(entry.id), vietnamTime(entry.at), words.kinds[entry.facts.kind], entry.request],
    ...[...cellsOf(entry, language), entry.officer],
  ]);
  const people = viewers.map(({ id, who, role, cameras, fromAt, toAt, officer }) => [
    ...[String(id), who, words.roles[role], cameras.join(", ") || words.allCameras, vietnamTime(fromAt)],
    ...[toAt === null ? "" : vietnamTime(toAt), officer],
  ]);
  return [
    ...(rows.length === 0 ? [words.empty] : [sums, ...tableText([words.columns, ...rows], [0])]),
    ...(people.length === 0 ? [] : ["", words.viewersTitle, ...tableText([words.viewerColumns, ...people], [0])]),
  ].join("\n");
}

/** Case, cameras, outcome and note. */
function cellsOf({ facts }: Entry, language: Language): readonly string[] {
  const { register: words, handover } = wordsIn(language);
  if (facts.kind === "intake") return ["", "", "", `${facts.file}; ${fill(words.from, { source: facts.source, clock: facts.clockError })}`];
  if (facts.kind === "subject") {
    const { dueAt, answeredAt, answer } = facts;
    const done = answeredAt === null ? null : fill(words.answeredAt, { at: vietnamTime(answeredAt), answer: answer ?? "" });
    return ["", "", "", done ?? fill(words.due, { due: dayText(dueAt) })];
  }
  return [handover.cases[facts.case], facts.cameras.join(", "), words.outcomes[facts.outcome], facts.why ?? ""];
}

/** The last day on which it is in time. */
const dayText = (dueAt: number): string => vietnamTime(dueAt - 1).slice(9);

export type RefuseOptions = {
  readonly request: string;
  readonly case: string;
  readonly reason: string;
  readonly officer?: string;
  readonly agency?: string;
  readonly camera?: readonly string[];
  readonly from?: string;
  readonly to?: string;
};

export function refuseRequest(context: Context, options: RefuseOptions): number {
  const [request, reason] = [textOf("request", options.request), textOf("reason", options.reason)];
  const kind = oneOf("case", options.case, cases);
  const agency = options.agency === undefined ? null : textOf("agency", options.agency);
  const officer = officerOf(options.officer);
  return writing(context, (desk) => {
    const cameras = (options.camera ?? []).map((camera) => knownCamera(camera, knownTo(desk)));
    const asked = askedOf(options, desk);
    const why = [reason, ...ledgerWhy(desk, cameras, asked)].join("; ");
    const facts: Extraction = {
      ...{ kind: "refusal", agency, case: kind, cameras, from: asked?.fromAt ?? null, to: asked?.toAt ?? null },
      ...{ outcome: "no", why, manifestSha256: null },
    };
    const span = { from: isoOrNull(facts.from), to: isoOrNull(facts.to) };
    desk.audit("request.refused", { request, officer, account: account(), agency, case: kind, cameras, ...span, reason });
    const entry = enter(desk, { request, officer, facts });
    tell(context, entry, fill(wordsIn(desk.settings.site.language).register.refused, { id: entry.id, request, why }));
    return exit.fine;
  });
}

const account = () => process.env.SUDO_USER ?? userInfo().username;
const officerOf = (text: string | undefined): string => (text === undefined ? account() : textOf("officer", text));
const knownTo = ({ settings, store }: Desk) => [...new Set([...settings.cameras, ...store.cameras()].map(({ id }) => id))];

function askedOf({ from, to }: RefuseOptions, { nowUtc }: Desk): Span | null {
  if (from === undefined && to === undefined) return null;
  if (from === undefined || to === undefined) throw new Refusal(exit.wrongUse, "--from and --to belong together; give both or neither");
  return stretchOf({ from, to }, nowUtc);
}

/** What the ledger itself says of the stretch. */
function ledgerWhy({ store, settings, nowUtc }: Desk, cameras: readonly string[], asked: Span | null): readonly string[] {
  if (asked === null) return [];
  const { site } = settings;
  const asking = { settings, reads: store, dating: makeDating(store.boots()), running: isLocked(site.state), nowAt: nowUtc };
  return [...new Set(cameras.flatMap((camera) => missingOf(spansOf(historyOf(asking, camera, asked), asked), asked, site.language)))];
}

/** Writes an entry and reads it back with its number. Throws a Refusal where the database takes nothing. */
function enter(desk: Desk, { request, officer, facts }: { request: string; officer: string; facts: EntryFacts }): Entry {
  put(desk, [{ put: "register", entry: { at: desk.nowUtc, request, officer, facts } }]);
  const entry = desk.store.register(ever).findLast((row) => row.request === request && row.facts.kind === facts.kind);
  if (entry === undefined) throw new Error("the entry is not there after it was written");
  return entry;
}

function put({ store }: Desk, change: Change): void {
  const done = store.commit(change);
  if (done.kind === "waiting") throw new Refusal(exit.needsPerson, `the database takes nothing (${done.why}); free its disk and try again`);
}

function tell(context: Context, entry: Entry, text: string): void {
  context.out(context.json ? JSON.stringify(entryJson(entry)) : text);
}

export type IntakeOptions = {
  readonly source: string;
  readonly clockError: string;
  readonly request: string;
  readonly officer: string;
  readonly device?: string;
  readonly out?: string;
};

const sourceForm = /^[a-z0-9][a-z0-9-]{0,31}$/;

export async function receiveFile(context: Context, path: string, options: IntakeOptions): Promise<number> {
  const { source } = options;
  if (!sourceForm.test(source))
    throw new Refusal(exit.wrongUse, `--source ${JSON.stringify(source.slice(0, 40)).slice(1, -1)}: a code of a-z 0-9 -, never a name`);
  const [clockError, request, officer] = [
    textOf("clock-error", options.clockError),
    textOf("request", options.request),
    textOf("officer", options.officer),
  ];
  const device = options.device === undefined ? null : textOf("device", options.device);
  if (options.out !== undefined) checkPlace(options.out);
  return writingSlowly(context, async (desk) => {
    const { bytes, sha256 } = await hashOf(path);
    const file = textOf("file", basename(path));
    desk.audit("file.received", { file, bytes, sha256, source, device, clockError, request, officer });
    const entry = enter(desk, { request, officer, facts: { kind: "intake", source, device, clockError, file, bytes, sha256 } });
    const slip = resolve(options.out ?? `phieu-tiep-nhan-${entry.id}.html`);
    writeReceipt(desk, entry, slip);
    const { language } = desk.settings.site;
    const facts = { id: entry.id, file, size: bytesText(bytes, language), sha256, slip };
    context.out(context.json ? JSON.stringify({ ...entryJson(entry), receipt: slip }) : fill(wordsIn(language).register.received, facts));
    return exit.fine;
  });
}

/** Of a file that holds still. Throws a Refusal for anything else. */
async function hashOf(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const before = await stat(path).catch(() => null);
  if (before === null) throw new Refusal(exit.notFound, `${path}: there is no such file; plug the stick in, or correct the path`);
  if (!before.isFile() || before.size === 0) throw new Refusal(exit.wrongUse, `${path}: not a file that holds anything; name one file`);
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  } catch (error) {
    throw new Refusal(exit.needsPerson, `${path} cannot be read (${(error as NodeJS.ErrnoException).code}); copy it anew and try again`);
  }
  const after = await stat(path);
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs)
    throw new Refusal(exit.needsPerson, `${path} is still being written; wait until it is whole`);
  return { bytes: before.size, sha256: hash.digest("hex") };
}

function writeReceipt({ settings }: Desk, entry: Entry, slip: string): void {
  if (entry.facts.kind !== "intake") throw new Refusal(exit.wrongUse, `number ${entry.id} is no file that was received`);
  const { site, report } = settings;
  const facts = { unit: report.unit ?? null, site: `${site.name} (${site.commune}/${site.id})` };
  try {
    writeWhole(slip, receiptHtml(entry, entry.facts, facts, site.language));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(
      error.code,
      `registered as number ${entry.id}; its receipt: ${error.message}, then: matghi register receipt ${entry.id} --out …`,
    );
  }
}

/** The receipt once more. */
export function printReceipt(context: Context, id: string, { out }: { readonly out: string }): number {
  return writing(context, (desk) => {
    const entry = desk.store.register(ever).find((row) => String(row.id) === id);
    if (entry === undefined) throw new Refusal(exit.notFound, `the register has no number ${id.slice(0, 40)}; see matghi register list`);
    const slip = resolve(out);
    writeReceipt(desk, entry, slip);
    context.out(context.json ? JSON.stringify({ ...entryJson(entry), receipt: slip }) : slip);
    return exit.fine;
  });
}

export type ViewerOptions = {
  readonly who: string;
  readonly role: string;
  readonly camera?: readonly string[];
  readonly request?: string;
  readonly officer: string;
};

export function addViewer(context: Context, options: ViewerOptions): number {
  const [who, officer, role] = [textOf("who", options.who), textOf("officer", options.officer), oneOf("role", options.role, roles)];
  const request = options.request === undefined ? null : textOf("request", options.request);
  return writing(context, (desk) => {
    const cameras = (options.camera ?? []).map((camera) => knownCamera(camera, knownTo(desk)));
    const fromAt = desk.nowUtc;
    desk.audit("viewer.added", { who, role, cameras, request, officer });
    put(desk, [{ put: "viewer-added", viewer: { who, role, cameras, request, officer, fromAt } }]);
    const viewer = desk.store.viewers().findLast((row) => row.who === who);
    if (viewer === undefined) throw new Error("the viewer is not there after he was written");
    tellViewer(context, desk, viewer, "viewerAdded");
    return exit.fine;
  });
}

export function removeViewer(context: Context, id: string, options: { readonly officer: string; readonly reason: string }): number {
  const [officer, reason] = [textOf("officer", options.officer), textOf("reason", options.reason)];
  return writing(context, (desk) => {
    const viewer = desk.store.viewers().find((row) => String(row.id) === id);
    if (viewer === undefined || viewer.toAt !== null)
      throw new Refusal(exit.notFound, `nobody with number ${id.slice(0, 40)} may view; see matghi register list`);
    desk.audit("viewer.removed", { viewer: viewer.id, who: viewer.who, officer, reason });
    put(desk, [{ put: "viewer-removed", viewer: viewer.id, at: desk.nowUtc }]);
    tellViewer(context, desk, { ...viewer, toAt: desk.nowUtc }, "viewerRemoved");
    return exit.fine;
  });
}

function tellViewer(context: Context, { settings }: Desk, viewer: Viewer, sentence: "viewerAdded" | "viewerRemoved"): void {
  const words = wordsIn(settings.site.language).register;
  const { id, who, fromAt, toAt, ...rest } = viewer;
  const facts = { id, who, cameras: viewer.cameras.join(", ") || words.allCameras, from: vietnamTime(fromAt) };
  context.out(context.json ? JSON.stringify({ id, who, ...rest, from: iso(fromAt), to: isoOrNull(toAt) }) : fill(words[sentence], facts));
}

export function addSubject(context: Context, options: { readonly request: string; readonly officer: string }): number {
  const [request, officer] = [textOf("request", options.request), textOf("officer", options.officer)];
  return writing(context, (desk) => {
    const dueAt = dueOf(desk.nowUtc, answerWithinDays);
    desk.audit("subject.asked", { request, officer, due: iso(dueAt) });
    const entry = enter(desk, { request, officer, facts: { kind: "subject", dueAt, answeredAt: null, answer: null } });
    tell(context, entry, fill(wordsIn(desk.settings.site.language).register.asked, { id: entry.id, due: dayText(dueAt) }));
    return exit.fine;
  });
}

export function answerSubject(context: Context, id: string, options: { readonly officer: string; readonly answer: string }): number {
  const [officer, answer] = [textOf("officer", options.officer), textOf("answer", options.answer)];
  return writing(context, (desk) => {
    const entry = desk.store.register(ever).find((row) => String(row.id) === id);
    if (entry?.facts.kind !== "subject" || entry.facts.answeredAt !== null)
      throw new Refusal(exit.notFound, `no person's request ${id.slice(0, 40)} waits for an answer; see matghi register list`);
    desk.audit("subject.answered", { entry: entry.id, officer, answer });
    put(desk, [{ put: "register-answered", entry: entry.id, at: desk.nowUtc, answer }]);
    const answered = { ...entry, facts: { ...entry.facts, answeredAt: desk.nowUtc, answer } };
    tell(context, answered, fill(wordsIn(desk.settings.site.language).register.answered, { id: entry.id }));
    return exit.fine;
  });
}
