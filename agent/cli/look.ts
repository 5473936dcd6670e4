/** `matghi look`: a contact sheet by which a night is searched without copying it. Audited like an export. */

import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Remux } from "../../hal/ports.ts";
import { findTools } from "../../hal/recorder.ts";
import { makeRemux } from "../../hal/remux.ts";
import { parseDuration } from "../config/units.ts";
import { contactHtml, momentsOf, type Still } from "../core/contact.ts";
import { makeDating } from "../core/dating.ts";
import { spansOf } from "../core/ledger.ts";
import { ledgerParts } from "../core/manifest.ts";
import { segmentPath } from "../core/path.ts";
import { iso } from "../core/time.ts";
import type { Segment, WallMs } from "../core/types.ts";
import { bytesText, fill, wordsIn } from "../core/words.ts";
import { type Asking, historyOf } from "../query.ts";
import { isLocked } from "../store/database.ts";
import { standBehind } from "./behind.ts";
import { accountOf, type Context, exit, Refusal } from "./context.ts";
import { knownCamera, stretchOf, textOf } from "./fields.ts";
import { writeWhole } from "./out.ts";
import { writingSlowly } from "./writing.ts";

export type LookOptions = {
  readonly camera: string;
  readonly from: string;
  readonly to: string;
  readonly every: string;
  readonly request: string;
  readonly officer: string;
  readonly out: string;
  /** Told how much it takes at most, says how much must stay free beside it; left out on a medium that is the officer's own. */
  readonly reserve?: (bytes: number) => Promise<number>;
};

/** More is no sheet that anybody looks through, nor a page that a browser opens. */
const mostStills = 2_000;
/** A picture on a sheet takes less (hal/remux.ts: 480 wide). */
const stillBytes = 100_000;
const progressEveryMs = 2_000;

export async function look(context: Context, options: LookOptions, signal: AbortSignal): Promise<number> {
  standBehind();
  const [request, officer] = [textOf("request", options.request), textOf("officer", options.officer)];
  const everyMs = everyOf(options.every);
  const place = dirname(resolve(options.out));
  if (!existsSync(place)) throw new Refusal(exit.needsPerson, `--out ${options.out}: ${place} is not there; choose a folder that is`);
  const order = await writingSlowly(context, async (desk) => {
    const { store, settings, nowUtc: nowAt } = desk;
    const camera = knownCamera(options.camera, [...new Set([...settings.cameras, ...store.cameras()].map(({ id }) => id))]);
    const asked = stretchOf(options, nowAt);
    const dating = makeDating(store.boots());
    const asking: Asking = { settings, reads: store, dating, running: isLocked(settings.site.state), nowAt };
    const files = store
      .segmentsTouching(camera, { fromAt: dating.fromUtc(asked.fromAt), toAt: dating.fromUtc(asked.toAt) })
      .map((segment) => ({ segment, fromAt: dating.toUtc(segment.startAt), toAt: dating.toUtc(segment.endAt) }));
    const moments = momentsOf(asked, everyMs).flatMap((at) => shotOf(files, at) ?? []);
    checkCount(moments.length, options.every, camera);
    await checkRoom(place, moments.length * stillBytes, options.reserve);
    desk.audit("look.made", {
      camera,
      from: iso(asked.fromAt),
      to: iso(asked.toAt),
      request,
      officer,
      account: accountOf(context),
      pictures: moments.length,
    });
    const { missing } = ledgerParts(spansOf(historyOf(asking, camera, asked), asked));
    const name = settings.cameras.find(({ id }) => id === camera)?.name ?? camera;
    return { settings, asked, moments, missing, camera: name, madeAt: nowAt };
  });
  const { settings, moments, ...facts } = order;
  const { language, state, name: site } = settings.site;
  const stills = await takeStills(context, makeRemux(findTools(state)), settings.recording.folder, moments, language, signal);
  if (signal.aborted) throw new Refusal(exit.needsPerson, "stopped; no sheet was written");
  const failed = moments.length - stills.length;
  const bytes = writeWhole(options.out, contactHtml({ ...facts, site, request, officer, stills, failed }, language));
  const result = { file: options.out, bytes, pictures: stills.length, failed };
  const { contact } = wordsIn(language);
  context.out(context.json ? JSON.stringify(result) : fill(contact.written, result));
  if (failed > 0) context.err(fill(contact.failed, { count: failed }));
  return failed > 0 ? exit.needsPerson : exit.fine;
}

function everyOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms < 1_000)
    throw new Refusal(exit.wrongUse, `--every ${text}: not a step; write 30s, 5min or 1h, one second at least`);
  return ms;
}

function checkCount(count: number, every: string, camera: string): void {
  if (count === 0)
    throw new Refusal(exit.notFound, `no closed footage of that stretch; why: matghi footage --camera ${camera} --from … --to …`);
  if (count > mostStills)
    throw new Refusal(
      exit.wrongUse,
      `${count} pictures are more than ${mostStills}; take a longer step than --every ${every}, or less time`,
    );
}

async function checkRoom(place: string, bytes: number, reserve: LookOptions["reserve"]): Promise<void> {
  if (reserve === undefined) return;
  const spareBytes = await reserve(bytes);
  const { bavail, bsize } = await statfs(place);
  const lackBytes = bytes + spareBytes - bavail * bsize;
  if (lackBytes > 0)
    throw new Refusal(exit.needsPerson, `the box lacks ${bytesText(lackBytes, "en")} of room for it; ask for less, or later`);
}

type Shot = { readonly at: WallMs; readonly segment: Segment; readonly offsetMs: number };

function shotOf(files: readonly { readonly segment: Segment; readonly fromAt: WallMs; readonly toAt: WallMs }[], at: WallMs): Shot | null {
  const file = files.find(({ fromAt, toAt }) => fromAt <= at && at < toAt);
  return file === undefined ? null : { at, segment: file.segment, offsetMs: at - file.fromAt };
}

/** One after the other: never more than one picture is decoded at a time. */
async function takeStills(
  context: Context,
  remux: Pick<Remux, "still">,
  folder: string,
  shots: readonly Shot[],
  language: "vi" | "en",
  signal: AbortSignal,
): Promise<readonly Still[]> {
  const stills: Still[] = [];
  let saidMs = performance.now();
  for (const [i, { at, segment, offsetMs }] of shots.entries()) {
    if (signal.aborted) return stills;
    const still = await remux.still(`${folder}/${segmentPath(segment)}`, offsetMs, signal);
    if (still !== null) stills.push({ at: at - offsetMs + still.offsetMs, jpeg: Buffer.from(still.jpeg).toString("base64") });
    if (performance.now() - saidMs < progressEveryMs || context.json) continue;
    saidMs = performance.now();
    context.err(fill(wordsIn(language).contact.progress, { done: i + 1, all: shots.length }));
  }
  return stills;
}
