/**
 * `matghi delete`: footage deleted by hand, on paper's word, and the copies of it that officers' keys had made. Says what goes, asks, writes it
 * into the audit, then does it.
 */
import { makeFootage } from "../../hal/footage.ts";
import { makeDating } from "../core/dating.ts";
import { isCopyOf, planErasure, reachOf } from "../core/erasure.ts";
import { iso, vietnamTime } from "../core/time.ts";
import type { Toll } from "../core/toll.ts";
import type { Span } from "../core/types.ts";
import { bytesText, fill, wordsIn } from "../core/words.ts";
import { type Erased, eraseFootage, NoDisk } from "../erase.ts";
import { aboutOf, dropCopy, type ErrandPlace, errandsIn, hasCopy } from "../errands.ts";
import type { SegmentRow } from "../store/reads.ts";
import { type Context, nowUtc as clockNow, exit, Refusal } from "./context.ts";
import { knownCamera, stretchOf, textOf } from "./fields.ts";
import { readMark } from "./mark.ts";
import { converse, isInteractive } from "./prompt.ts";
import { type Desk, writingSlowly } from "./writing.ts";

export type DeleteOptions = {
  readonly camera: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly officer: string;
  readonly yes?: boolean;
};

export async function deleteFootage(context: Context, options: DeleteOptions): Promise<number> {
  const [reason, officer] = [textOf("reason", options.reason), textOf("officer", options.officer)];
  return writingSlowly(context, async (desk) => {
    const { store, settings, nowUtc, audit } = desk;
    const camera = knownCamera(options.camera, [...new Set([...settings.cameras, ...store.cameras()].map(({ id }) => id))]);
    const asked = stretchOf(options, nowUtc);
    const found = await find(desk, camera, asked);
    await settle(context, options, found.lines.join("\n"), wordsIn(settings.site.language).erasing);
    const { toll, from, to } = found;
    const copies = found.copies.map(({ key, id }) => `${key}/${id}`);
    audit("footage.deleted", { camera, from, to, files: toll.segments, bytes: toll.bytes, copies, officer, reason });
    // Afterwards, so that one that was begun meanwhile is met; without the footage's disk too, for the audit says that they went.
    const drop = () => dropCopies(settings.site.state, camera, found.reach);
    const erased = await erase(desk, found.segments).catch(async (error: unknown) => {
      await drop();
      throw error;
    });
    const dropped = await drop();
    context.out(
      context.json ? JSON.stringify({ camera, from, to, ...erased, ...dropped }) : doneText(desk, camera, found, erased, dropped),
    );
    return erased.kept + erased.stuck + dropped.copying === 0 ? exit.fine : exit.needsPerson;
  });
}

type Found = {
  readonly segments: readonly SegmentRow[];
  readonly toll: Toll;
  /** Between these times copies of it go too: what has rotated away since may still be there as one. */
  readonly reach: Span;
  readonly copies: readonly ErrandPlace[];
  readonly from: string;
  readonly to: string;
  /** What is said before anything is done. */
  readonly lines: readonly string[];
};

/** All closed files that touch the stretch, and all copies. Throws a Refusal where there are none, and where a hold covers one or an errand makes one. */
async function find(desk: Desk, camera: string, asked: Span): Promise<Found> {
  const { store } = desk;
  const dating = makeDating(store.boots());
  const stored = { fromAt: dating.fromUtc(asked.fromAt), toAt: dating.fromUtc(asked.toAt) };
  const plan = planErasure(
    store.segmentsTouching(camera, stored),
    store.holds().filter((hold) => hold.camera === camera),
  );
  if (plan.kind === "held") {
    const holds = plan.holds.map(({ id, request }) => `${id} (${request})`).join(", ");
    const lift = `matghi hold lift ${plan.holds[0]?.id} --officer … --reason …`;
    throw new Refusal(exit.needsPerson, `held footage is not deleted: hold ${holds}; where that is over, lift it first: ${lift}`);
  }
  const toll = plan.kind === "erase" ? plan.toll : { segments: 0, bytes: 0, cameras: [camera], ...stored };
  const reach = reachOf(plan.kind === "erase" ? plan.segments : [], stored);
  const copies = await copiesOf(desk.settings.site.state, camera, reach);
  const running = copies.find(({ isRunning }) => isRunning);
  if (running !== undefined)
    throw new Refusal(
      exit.needsPerson,
      `a copy of it is being made for key ${running.key} just now (${running.id}); run this again in a while, when that is done`,
    );
  if (plan.kind === "nothing" && copies.length === 0)
    throw new Refusal(exit.notFound, `no closed footage of that stretch; what there is: matghi footage --camera ${camera} --from … --to …`);
  const [fromUtc, toUtc] = [dating.toUtc(toll.fromAt), dating.toUtc(toll.toAt)];
  const words = wordsIn(desk.settings.site.language).erasing;
  const openFromAt = store.live()?.cameras[camera]?.openFromAt ?? null;
  const lines = [
    fill(words.will, factsOf(desk, camera, { from: iso(fromUtc), to: iso(toUtc) }, toll.segments, toll.bytes)),
    ...(copies.length === 0
      ? []
      : [fill(words.copies, { count: copies.length, keys: [...new Set(copies.map(({ key }) => key))].join(", ") })]),
    ...(fromUtc < asked.fromAt || toUtc > asked.toAt ? [words.wider] : []),
    ...(openFromAt !== null && openFromAt >= toll.toAt && openFromAt < stored.toAt ? [words.open] : []),
  ];
  const segments = plan.kind === "erase" ? plan.segments : [];
  return { segments, toll, reach, copies, from: iso(fromUtc), to: iso(toUtc), lines };
}

/** What lies on officers' shelves of a camera and stretch, whole or not, and whether it is just being made. */
async function copiesOf(state: string, camera: string, span: Span) {
  const found = [];
  for (const errand of await errandsIn(state)) {
    const isRunning = (await readMark(`${errand.place}.busy`)) !== null;
    const isThere = isRunning || (await hasCopy(errand.place));
    if (isThere && isCopyOf(await aboutOf(errand.place), camera, span)) found.push({ ...errand, isRunning });
  }
  return found;
}

/** `copying`: a copy that was begun meanwhile. */
type Dropped = { readonly copies: number; readonly copying: number };

async function dropCopies(state: string, camera: string, span: Span): Promise<Dropped> {
  const found = await copiesOf(state, camera, span);
  const still = found.filter(({ isRunning }) => !isRunning);
  for (const { place } of still) await dropCopy(place);
  return { copies: still.length, copying: found.length - still.length };
}

function factsOf({ settings }: Desk, camera: string, span: { from: string; to: string }, files: number, bytes: number) {
  const name = settings.cameras.find(({ id }) => id === camera)?.name ?? camera;
  const [from, to] = [span.from, span.to].map((at) => vietnamTime(Date.parse(at)));
  return { name, files, size: bytesText(bytes, settings.site.language), from: from ?? "", to: to ?? "" };
}

/** `--yes`, or a word typed at the terminal. */
async function settle(
  { err }: Context,
  { yes }: DeleteOptions,
  said: string,
  words: { readonly ask: string; readonly word: string; readonly notDone: string },
): Promise<void> {
  if (yes === true) return;
  if (!isInteractive()) throw new Refusal(exit.wrongUse, `${said.split("\n")[0]} Nobody is at a terminal to agree: say --yes`);
  err(said);
  if ((await converse((ask) => ask(words.ask)))?.trim().toUpperCase() !== words.word) throw new Refusal(exit.needsPerson, words.notDone);
}

async function erase({ store, settings, trust }: Desk, segments: readonly SegmentRow[]): Promise<Erased> {
  const { folder } = settings.recording;
  const moment = () => ({ at: makeDating(store.boots()).fromUtc(clockNow(settings)), monoMs: 0, clock: trust });
  try {
    return await eraseFootage({ store, footage: makeFootage(folder), moment }, segments);
  } catch (error) {
    if (!(error instanceof NoDisk)) throw error;
    throw new Refusal(exit.needsPerson, `${folder}: ${error.message}; what is left was not touched: look at matghi status`);
  }
}

function doneText(desk: Desk, camera: string, found: Found, { files, bytes, kept, stuck }: Erased, { copies, copying }: Dropped): string {
  const words = wordsIn(desk.settings.site.language).erasing;
  return [
    fill(words.done, factsOf(desk, camera, found, files, bytes)),
    ...(copies === 0 ? [] : [fill(words.copiesGone, { count: copies })]),
    ...(copying === 0 ? [] : [fill(words.copying, { count: copying })]),
    ...(kept === 0 ? [] : [fill(words.kept, { count: kept })]),
    ...(stuck === 0 ? [] : [fill(words.stuck, { count: stuck })]),
  ].join("\n");
}
