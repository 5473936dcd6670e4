/** `matghi export`: footage handed out as evidence, with the truth about what is missing. Writes to its target only, and a line into the audit. */
import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { makeBox } from "../../hal/box.ts";
import { findTools } from "../../hal/recorder.ts";
import { makeRemux } from "../../hal/remux.ts";
import { makeSticks } from "../../hal/sticks.ts";
import type { CameraSettings, Settings } from "../config/schema.ts";
import { acquaintanceOf, hostOf, streamAt } from "../core/acquaintance.ts";
import { answerText, missingOf } from "../core/answer.ts";
import { type Dating, makeDating } from "../core/dating.ts";
import { leftMs, wholeMs } from "../core/estimate.ts";
import { type Answer, answerOf, spansOf, sumsOf } from "../core/ledger.ts";
import { ledgerParts, type Manifest, type ManifestCamera } from "../core/manifest.ts";
import { type Case, cases, type Extraction, type Outcome } from "../core/register.ts";
import { iso, vietnamTime } from "../core/time.ts";
import type { Span } from "../core/types.ts";
import { bytesText, fill, type Language, lengthText, wordsIn } from "../core/words.ts";
import { type CameraOrder, type ExportDeps, type Exported, type ExportOrder, exportEvidence } from "../export.ts";
import { exportMark } from "../holds.ts";
import { type Asking, boxClockOf, clockOf, historyOf } from "../query.ts";
import { exportSealed, sealedEnding } from "../sealed.ts";
import { isLocked, lockExport } from "../store/database.ts";
import { BrokenKey, openKey } from "../store/key.ts";
import type { Store } from "../store/store.ts";
import { openStore } from "../store/store.ts";
import { version } from "../version.ts";
import { standBehind } from "./behind.ts";
import { accountOf, type Context, exit, nowUtc, Refusal, reading, settingsOf } from "./context.ts";
import { knownCamera, oneOf, stretchOf, textOf } from "./fields.ts";
import { type Answers, interview } from "./interview.ts";
import { passphraseOf } from "./passphrase.ts";
import { isInteractive } from "./prompt.ts";

export type ExportOptions = {
  readonly camera: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly request: string;
  readonly agency: string;
  readonly officer: string;
  readonly purpose: string;
  readonly case?: string;
  readonly witness?: string;
  readonly hold?: string;
  readonly out?: string;
  readonly seal?: boolean;
  readonly passphraseFile?: string;
  /** Told how much it takes, says how much must stay free on the medium beside it; left out on one that is the officer's own. */
  readonly reserve?: (bytes: number) => Promise<number>;
};

const dayMs = 86_400_000;
const progressEveryMs = 2_000;

/** What must be said, in the order in which a missing one is named. */
const required = { camera: "id", from: "time", to: "time", request: "text", agency: "text", officer: "text", purpose: "text" } as const;

/** Without arguments a person at a terminal is asked for each thing. */
export async function exportFootage(context: Context, given: Partial<ExportOptions>, signal: AbortSignal): Promise<number> {
  standBehind();
  const isAsking = Object.keys(given).length === 0 && isInteractive() && !context.json;
  if (!isAsking) return exportAs(context, complete(given), signal, sayHowLong);
  const options = await askAll(context);
  const code = await exportAs(context, options, signal);
  await sayWhenToPull(context, options.out);
  return code;
}

/** An officer pulls the stick out as soon as the screen is still. */
async function sayWhenToPull(context: Context, folder: string): Promise<void> {
  const words = wordsIn(settingsOf(context).site.language).asking;
  context.err(fill(words.settling, { folder }));
  const isSettled = await makeSticks().settle(folder);
  context.out(fill(isSettled ? words.pull : words.notPulled, { folder }));
}

function complete(given: Partial<ExportOptions>): ExportOptions {
  for (const [name, kind] of Object.entries(required))
    if (given[name as keyof typeof required] === undefined)
      throw new Refusal(
        exit.wrongUse,
        `error: required option '--${name} <${kind}>' not specified; see matghi export --help, or say nothing at a terminal and be asked`,
      );
  return given as ExportOptions;
}

function askAll(context: Context): Promise<Answers> {
  const subject = reading(context, ({ settings, reads, nowAt }) => {
    const names = new Map(settings.cameras.map(({ id, name }) => [id, name ?? id]));
    const ids = [...new Set([...names.keys(), ...reads.cameras().map(({ id }) => id)])];
    const own = [settings.recording.folder, settings.site.state];
    return { language: settings.site.language, nowAt, own, cameras: ids.map((id) => ({ id, name: names.get(id) ?? id })) };
  });
  // A person thinks for minutes: the store is opened for each look.
  const look = (camera: string, asked: Span) =>
    reading(context, (asking) => {
      const { text, segments } = orderOf(asking, camera, asked);
      return { text, bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0) };
    });
  return interview({ ...subject, look }, context.err);
}

/** `announce`: says how long it will take, where nobody has been told yet. */
async function exportAs(context: Context, options: ExportOptions, signal: AbortSignal, announce?: typeof sayHowLong): Promise<number> {
  const request = requestOf(context, options);
  const settings = settingsOf(context);
  const passphrase = await sealOf(options, settings.site.language);
  if (!existsSync(join(settings.site.state, "matghi.db")))
    throw new Refusal(exit.notFound, `nothing has been recorded in ${settings.site.state} yet; start the agent: matghi run`);
  const key = keyOf(settings);
  const unlock = lockExport(settings.site.state);
  if (unlock === null) throw new Refusal(exit.needsPerson, "an update is under way; export again in a minute: matghi update --status");
  const store = openStore(settings.site.state);
  try {
    const nowAt = nowUtc(settings);
    const asking: Asking = { settings, reads: store, dating: makeDating(store.boots()), running: isLocked(settings.site.state), nowAt };
    const asked = stretchOf(options, nowAt);
    const cameras = options.camera.map((camera) =>
      knownCamera(camera, [...new Set([...settings.cameras, ...store.cameras()].map(({ id }) => id))]),
    );
    const hold = holdOf(store, options.hold);
    const orders = [...new Set(cameras)].map((camera) => orderOf(asking, camera, asked));
    if (orders.every(({ segments }) => segments.length === 0))
      throw new Refusal(
        exit.notFound,
        `no closed footage of that stretch; why: matghi footage --camera ${cameras[0]} --from … --to …; the answer "no" is registered by: matghi register refuse`,
      );
    const answer = worstOf(orders.map((order) => order.answer));
    const folder = folderOf(options.out, settings.site.id, asked);
    const made = passphrase === null ? folder : `${folder}${sealedEnding}`;
    await announce?.(context, settings.site.language, folder, orders);
    const device = await deviceOf();
    const spareBytes = (await options.reserve?.(2 * bytesOf(orders))) ?? 0;
    const result = await whileHeld(store, asking.dating, asked, orders, request, () =>
      handOut(
        passphrase,
        { remux: makeRemux(findTools(settings.site.state)), key, onProgress: progressOf(context, settings.site.language) },
        {
          ...{
            folder,
            spareBytes,
            footage: settings.recording.folder,
            cameras: orders,
            unit: settings.report.unit ?? null,
            language: settings.site.language,
          },
          manifest: {
            ...{ v: 1, site: { id: settings.site.id, name: settings.site.name, commune: settings.site.commune }, device, agent: version },
            ...{ timeZone: "Asia/Ho_Chi_Minh", madeAt: iso(nowAt), request: { ...request, hold }, answer },
            asked: { from: iso(asked.fromAt), to: iso(asked.toAt) },
            boxClock: { ...boxClockOf(asking), steps: stepsSince(asking, orders) },
            key: { algorithm: "Ed25519", fingerprint: key.fingerprint },
          },
        },
        signal,
      ),
    );
    if (result.kind === "refused") throw refusal(result, settings.site.language);
    const { manifestSha256 } = result;
    tell(store, asking, request, orders, { asked, answer, folder: made, sealed: passphrase !== null, manifestSha256 });
    report(context, settings, orders, answer, { folder: made, sealed: passphrase !== null }, result, asked);
    return result.altered.length > 0 || answer !== "yes" ? exit.needsPerson : exit.fine;
  } finally {
    store.close();
    unlock();
  }
}

/** null: not to be sealed. Asked for before anything is opened: a person takes his time. */
async function sealOf({ seal, passphraseFile }: ExportOptions, language: Language): Promise<string | null> {
  if (seal === true) {
    const words = wordsIn(language).sealing;
    return passphraseOf(passphraseFile, words.passphrase, words.again, true);
  }
  if (passphraseFile === undefined) return null;
  throw new Refusal(exit.wrongUse, "--passphrase-file without --seal; add --seal, or leave it away");
}

const handOut = (passphrase: string | null, deps: ExportDeps, order: ExportOrder, signal: AbortSignal) =>
  passphrase === null ? exportEvidence(deps, order, signal) : exportSealed({ ...deps, passphrase }, order, signal);

type Request = Omit<Manifest["request"], "hold" | "case"> & { readonly case: Case | null };

function requestOf(context: Context, options: ExportOptions): Request {
  const kind = options.case === undefined ? null : oneOf("case", options.case, cases);
  return {
    ...{ paper: textOf("request", options.request), agency: textOf("agency", options.agency), officer: textOf("officer", options.officer) },
    ...{ purpose: textOf("purpose", options.purpose), case: kind },
    witness: options.witness === undefined ? null : textOf("witness", options.witness),
    account: accountOf(context),
  };
}

function keyOf({ site }: Settings) {
  try {
    return openKey(site.state);
  } catch (error) {
    if (error instanceof BrokenKey) throw new Refusal(exit.needsPerson, error.message);
    throw error;
  }
}

function holdOf(store: Store, text: string | undefined): number | null {
  if (text === undefined) return null;
  const holds = store.holds();
  const found = holds.find(({ id }) => String(id) === text);
  if (found === undefined) throw new Refusal(exit.notFound, `no hold ${text.slice(0, 40)}; see matghi hold list`);
  return found.id;
}

type Order = CameraOrder & { readonly answer: Answer; readonly text: string; readonly missing: readonly string[] };

function orderOf(asking: Asking, camera: string, asked: Span): Order {
  const { reads, settings, dating } = asking;
  const spans = spansOf(historyOf(asking, camera, asked), asked);
  const sums = sumsOf(spans);
  const configured = settings.cameras.find(({ id }) => id === camera);
  const answer = answerOf(spans, asked);
  return {
    ...{ answer, text: answerText(answer, spans, asked, settings.site.language), missing: missingOf(spans, asked, settings.site.language) },
    facts: {
      ...{ id: camera, name: configured?.name ?? camera, ...identityOf(asking, camera, configured) },
      ...{ clock: cameraClock(asking, camera, asked), dueMs: sums.dueMs, recordedMs: sums.recordedMs, ...ledgerParts(spans) },
    },
    segments: reads
      .segmentsTouching(camera, { fromAt: dating.fromUtc(asked.fromAt), toAt: dating.fromUtc(asked.toAt) })
      .map((segment) => ({ ...segment, fromUtc: dating.toUtc(segment.startAt), toUtc: dating.toUtc(segment.endAt) })),
  };
}

/** Of all files, which are copied and then joined. */
const bytesOf = (orders: readonly Order[]): number =>
  orders.flatMap(({ segments }) => segments).reduce((sum, segment) => sum + segment.bytes, 0);

/** No clock is set more often while a case is open; the newest count. */
const mostSteps = 100;

/** Steps of the box's clock that read these files anew. */
function stepsSince({ reads, dating, nowAt }: Asking, orders: readonly Order[]): Manifest["boxClock"]["steps"] {
  const segments = orders.flatMap((order) => order.segments);
  const boots = new Set([...new Set(segments.map(({ run }) => run))].map((run) => reads.run(run)?.bootId));
  const fromAt = Math.min(...segments.map(({ startAt }) => startAt));
  return reads
    .events({ fromAt, toAt: dating.fromUtc(nowAt) + 1, type: "clock.step", afterG: 0, limit: 10_000 })
    .filter(({ boot }) => boots.has(boot.slice(0, boot.lastIndexOf("."))))
    .map(({ at, clock, data }) => ({ at: iso(dating.toUtc(at)), stepMs: Number(data.stepMs), trust: clock }))
    .slice(-mostSteps);
}

function identityOf({ reads }: Asking, camera: string, configured: CameraSettings | undefined) {
  const known = acquaintanceOf(reads.meta(`known ${camera}`));
  const url = configured === undefined ? null : streamAt(configured, known);
  const { make, model, serial, mac } = known;
  return { make, model, serial, mac, address: url === null ? null : hostOf(url) };
}

/** Its clock now, and each time that it was found wrong or right from a month before the stretch until now. */
function cameraClock({ reads, dating, nowAt }: Asking, camera: string, asked: Span): ManifestCamera["clock"] {
  const span = { fromAt: dating.fromUtc(asked.fromAt - 30 * dayMs), toAt: dating.fromUtc(nowAt) + 1 };
  const found = reads
    .eventsOf(camera, ["camera.changed"], span, 10_000)
    .flatMap(({ at, data }) =>
      typeof data.cameraClock === "string"
        ? [{ at: iso(dating.toUtc(at)), clock: data.cameraClock, offsetMs: typeof data.offsetMs === "number" ? data.offsetMs : null }]
        : [],
    );
  return { nowOffsetMs: clockOf(reads, camera)?.offsetMs ?? null, found };
}

/** The worst of what the cameras have. */
function worstOf(answers: readonly Answer[]): "yes" | "partial" | "unknown" {
  if (answers.every((answer) => answer === "yes")) return "yes";
  return answers.includes("partial") || answers.includes("no") ? "partial" : "unknown";
}

/** `--out` names the folder, or the sealed file that takes its place; where there is one already, a new one is made in it. */
function folderOf(out: string | undefined, site: string, asked: Span): string {
  const target = resolve(out ?? ".");
  if (out !== undefined && !existsSync(target)) {
    if (!existsSync(dirname(target)))
      throw new Refusal(exit.notFound, `--out ${out}: ${dirname(target)} is not there; make it, or plug the stick in`);
    return target;
  }
  if (!statSync(target).isDirectory()) throw new Refusal(exit.wrongUse, `--out ${out}: not a folder; name a folder`);
  const stamp = vietnamTime(asked.fromAt).replace(/^(\d\d):(\d\d):\d\d (\d\d)\/(\d\d)\/(\d{4})$/, "$5$4$3-$1$2");
  const names = Array.from({ length: 1_000 }, (_, n) => join(target, `trich-xuat-${site}-${stamp}${n === 0 ? "" : `-${n + 1}`}`));
  return (
    names.find((name) => !existsSync(name) && !existsSync(`${name}${sealedEnding}`)) ??
    join(target, `trich-xuat-${site}-${stamp}-${Date.now()}`)
  );
}

async function deviceOf(): Promise<Readonly<Record<string, string>>> {
  const { hostname: _, ...identity } = await makeBox().identity();
  return identity;
}

/** Rotation passes over what is being copied. An export that was killed leaves its hold, which `hold list` shows. */
async function whileHeld<T>(
  store: Store,
  dating: Dating,
  asked: Span,
  orders: readonly Order[],
  request: Request,
  act: () => Promise<T>,
): Promise<T> {
  const before = new Set(store.holds().map(({ id }) => id));
  const span = { fromAt: dating.fromUtc(asked.fromAt), toAt: dating.fromUtc(asked.toAt), fromUtc: asked.fromAt, toUtc: asked.toAt };
  const sinceAt = dating.fromUtc(Date.now());
  const mark = `${exportMark}${request.paper}`;
  store.commit(
    orders.map(({ facts }) => ({
      put: "hold-added",
      hold: { ...span, camera: facts.id, request: mark, officer: request.officer, sinceAt, untilUtc: null },
    })),
  );
  const ours = store.holds().filter(({ id, request: text }) => !before.has(id) && text === mark);
  try {
    return await act();
  } finally {
    store.commit(ours.map(({ id }) => ({ put: "hold-lifted", hold: id, at: dating.fromUtc(Date.now()) })));
  }
}

/** Before it starts, as an officer is told in the conversation: measured at the place itself. A machine is told nothing. */
async function sayHowLong(context: Context, language: Language, folder: string, orders: readonly Order[]): Promise<void> {
  if (context.json) return;
  const speed = await makeSticks().speed(dirname(folder));
  const bytes = bytesOf(orders);
  if (speed === null) return;
  const facts = { size: bytesText(2 * bytes, language), folder, length: lengthText(wholeMs(bytes, speed), language) };
  context.err(fill(wordsIn(language).asking.summary, facts));
}

/** Said now and then, with an estimate of what is left, to the terminal only. */
function progressOf(context: Context, language: Language): ExportDeps["onProgress"] {
  const beganMs = performance.now();
  let saidMs = beganMs;
  return (done, all) => {
    const nowMs = performance.now();
    if (nowMs - saidMs < progressEveryMs || context.json) return;
    saidMs = nowMs;
    const left = lengthText(Math.max(1_000, leftMs(done, all.bytes, nowMs - beganMs) ?? 0), language);
    const facts = { done: done.files, all: all.files, size: bytesText(all.bytes, language), left };
    context.err(fill(wordsIn(language).handover.progress, facts));
  };
}

function refusal(result: Extract<Exported, { kind: "refused" }>, language: Language): Refusal {
  const text = {
    "no-room": `the target lacks ${bytesText(Number(result.detail), language)} of room; free it or name another: --out`,
    exists: `${result.detail} is there already; name another: --out`,
    stopped: `stopped; ${result.detail} is not finished: run the same command again to go on, or remove it`,
    "no-file": `a file of footage cannot be read (${result.detail}); look at the disk: matghi doctor; where the file is gone: matghi repair, then export again`,
    "no-view": `a viewing copy could not be made (${result.detail.split("\n").at(-1)}); check ffmpeg: apt-get install ffmpeg`,
  }[result.reason];
  return new Refusal(exit.needsPerson, text);
}

/** The audit first: what is not written down there was not handed out in order. */
function tell(
  store: Store,
  { dating, nowAt }: Asking,
  request: Request,
  orders: readonly Order[],
  { asked, answer, ...made }: { asked: Span; answer: Outcome; folder: string; sealed: boolean; manifestSha256: string },
): void {
  const cameras = orders.map(({ facts }) => facts.id);
  const { paper, agency, officer, purpose, witness, account } = request;
  const clock = store.live()?.clock ?? "unset";
  const { manifestSha256 } = made;
  const data = { cameras, request: paper, agency, officer, purpose, case: request.case, witness, account, ...made };
  store.audit({ at: iso(nowAt), clock, what: "export.made", data });
  const moment = { at: dating.fromUtc(nowAt), monoMs: 0, clock };
  // Names of people stay on the box.
  const said = { cameras, request: paper, case: request.case, manifestSha256 };
  const why = [...new Set(orders.flatMap(({ missing }) => missing))].join("; ") || null;
  const facts: Extraction = {
    ...{ kind: "export", agency, case: request.case ?? "khac", cameras, from: asked.fromAt, to: asked.toAt },
    ...{ outcome: answer, why: answer === "yes" ? null : why, manifestSha256 },
  };
  store.commit([
    { put: "event", moment, type: "export.made", level: "info", data: said },
    { put: "register", entry: { at: nowAt, request: paper, officer, facts } },
  ]);
}

function report(
  context: Context,
  { site }: Settings,
  orders: readonly Order[],
  answer: Answer,
  { folder, sealed }: { readonly folder: string; readonly sealed: boolean },
  result: Extract<Exported, { kind: "done" }>,
  asked: Span,
): void {
  const words = wordsIn(site.language).handover;
  const cameras = result.manifest.cameras.map(({ id, recordedMs, dueMs, segments }) => ({
    ...{ id, recordedMs, dueMs, files: segments.length, bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0) },
  }));
  if (context.json) {
    context.out(JSON.stringify({ folder, sealed, answer, cameras, manifestSha256: result.manifestSha256 }));
    return;
  }
  context.out(`${vietnamTime(asked.fromAt)} – ${vietnamTime(asked.toAt)}`);
  for (const { facts, text } of orders) context.out(`  ${facts.name}: ${text}`);
  for (const file of result.altered) context.out(`  ! ${file}: ${words.altered}`);
  if (answer !== "yes") context.out(words.partial);
  const { sealing } = wordsIn(site.language);
  for (const line of sealed ? [sealing.done, sealing.open] : [words.done, words.check]) context.out(fill(line, { folder, file: folder }));
}
