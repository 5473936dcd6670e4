/**
 * `matghi errand --key NAME`: what sshd runs for an officer's key, whatever was asked for (authorized_keys: `restrict,command=…`). Knows five
 * errands, of which two look at footage; both stand in the audit with the key's name.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "../config/schema.ts";
import { type CopyOf, reachOf } from "../core/erasure.ts";
import { type Errand, mostRefusals, nextRefusal, quoteOf, readErrand } from "../core/errand.ts";
import { waitMs } from "../core/rate.ts";
import { clearShelf, dropCopy, hasCopy, sheetDraft, shelfOf, writeAbout } from "../errands.ts";
import { readAudit } from "../store/audit.ts";
import { type Context, exit, nowUtc, Refusal, reading, settingsOf } from "./context.ts";
import { exportFootage } from "./export.ts";
import { stretchOf } from "./fields.ts";
import { look } from "./look.ts";
import { claim, take } from "./mark.ts";
import { keyNamed } from "./officerkey.ts";
import { writing } from "./writing.ts";

type Asked<V extends Errand["verb"]> = Extract<Errand, { verb: V }>;

export const sheetName = "BANG-XEM-LUOT.html";
/** What must stay free on the state's disk: the ledger lives there. */
const spareBytes = 1_000_000_000;
const pieceBytes = 16_384;
const busyMs = 15 * 60_000;

export async function runErrand(context: Context, key: string, said: string | undefined, signal: AbortSignal): Promise<number> {
  const settings = settingsOf(context);
  const shelf = shelfOf(settings.site.state, keyNamed(key));
  const errand = readErrand(said ?? "");
  if (errand === null || errand.site !== settings.site.id) {
    noteRefusal(context, settings, key, said ?? "");
    if (errand === null) throw new Refusal(exit.wrongUse, "this key may look at footage and fetch it, nothing else: deploy/station/fetch");
    throw new Refusal(exit.wrongUse, `this box is ${settings.site.id}, not ${errand.site}; check --host`);
  }
  await mkdir(shelf, { recursive: true, mode: 0o700 });
  await clearShelf(shelf, Date.now());
  // Whoever asked may be cut off: what was begun is finished, and fetched later.
  process.stderr.on("error", () => undefined);
  const place = join(shelf, errand.id);
  const inner: Context = { ...context, json: false, account: `key ${key}`, out: () => undefined };
  const { state } = settings.site;
  if (errand.verb === "export")
    return alone(
      place,
      about(inner, errand, place, () => makeExport(inner, errand, state, place, signal)),
    );
  if (errand.verb === "look")
    return alone(
      place,
      about(inner, errand, place, () => makeLook(inner, errand, state, place, signal)),
    );
  // Its answer was lost on the way: it is put away already.
  if (errand.verb === "done" && !existsSync(place)) return exit.fine;
  if (!existsSync(place)) throw new Refusal(exit.notFound, "nothing of that errand is here; ask for it anew");
  if (errand.verb === "list") return list(context, place);
  if (errand.verb === "send") return send(place, errand);
  return putAway(context, settings, key, place);
}

/** Nothing of it is done, whether it can be written down or not. */
function noteRefusal(context: Context, settings: Settings, key: string, said: string): void {
  const n = nextRefusal(readAudit(settings.site.state), key, nowUtc(settings));
  if (n === null) return;
  writing(context, ({ audit }) => audit("errand.refused", { key, asked: quoteOf(said), n, most: mostRefusals }));
}

/** One at a time makes an errand's files; who asks again meanwhile waits for them. */
async function alone(place: string, make: () => Promise<number>): Promise<number> {
  const mark = `${place}.busy`;
  for (const untilMs = performance.now() + busyMs; performance.now() < untilMs; await sleep(500)) {
    if (existsSync(place)) return exit.fine;
    if (!(await take(mark))) continue;
    try {
      return await make();
    } finally {
      await rm(mark, { force: true });
    }
  }
  throw new Refusal(exit.needsPerson, "it is still being made; ask again in a while");
}

/** Makes a copy of which is written down what it is of, for as long as there is one. */
const about = (context: Context, errand: Asked<"export" | "look">, place: string, make: () => Promise<number>) => async () => {
  const before = copyOf(context, errand);
  await writeAbout(place, before);
  try {
    return await make();
  } finally {
    // A file may have been closed meanwhile, and copied.
    if (await hasCopy(place)) await writeAbout(place, wider(before, copyOf(context, errand)));
    else await dropCopy(place);
  }
};

const wider = (before: CopyOf, after: CopyOf): CopyOf => ({
  ...before,
  fromAt: Math.min(before.fromAt, after.fromAt),
  toAt: Math.max(before.toAt, after.toAt),
});

/** What a copy of a stretch shows: whole files, not only what was asked for. */
function copyOf(context: Context, { camera, from, to }: Asked<"export" | "look">): CopyOf {
  return reading(context, ({ reads, dating, nowAt }) => {
    const asked = stretchOf({ from, to }, nowAt);
    const stored = { fromAt: dating.fromUtc(asked.fromAt), toAt: dating.fromUtc(asked.toAt) };
    const cameras = camera.split(",");
    const files = cameras.flatMap((id) => reads.segmentsTouching(id, stored));
    return { cameras, ...reachOf(files, stored) };
  });
}

/** What must stay free beside an errand: for the ledger, and for all that is being made. */
const reserving = (state: string, place: string, signal: AbortSignal) => async (bytes: number) =>
  spareBytes + (await claim(state, place, bytes, signal));

function makeExport(
  context: Context,
  { verb: _, site: __, id: ___, camera, ...options }: Asked<"export">,
  state: string,
  out: string,
  signal: AbortSignal,
) {
  return exportFootage(context, { ...options, camera: camera.split(","), out, reserve: reserving(state, out, signal) }, signal);
}

async function makeLook(
  context: Context,
  { every = "30s", ...errand }: Asked<"look">,
  state: string,
  place: string,
  signal: AbortSignal,
): Promise<number> {
  const draft = sheetDraft(place);
  await mkdir(draft, { recursive: true });
  const options = { ...errand, every, out: join(draft, sheetName), reserve: reserving(state, place, signal) };
  const code = await look(context, options, signal).catch(async (error: unknown) => {
    // A sheet is written at once: nothing of it is there to go on with.
    await rm(draft, { recursive: true, force: true });
    throw error;
  });
  await rename(draft, place);
  return code;
}

/** `<bytes> <sha256> <file>`, a line for each. */
async function list({ out }: Context, place: string): Promise<number> {
  for (const file of await filesIn(place)) {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of createReadStream(join(place, file))) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    out(`${bytes} ${hash.digest("hex")} ${file}`);
  }
  return exit.fine;
}

async function filesIn(place: string): Promise<readonly string[]> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [relative(place, join(entry.parentPath, entry.name)).split(sep).join("/")] : []));
}

async function send(place: string, { file, at, rate }: Asked<"send">): Promise<number> {
  if (!(await filesIn(place)).includes(file)) throw new Refusal(exit.notFound, "there is no such file; ask for the list");
  const beganMs = performance.now();
  let sent = 0;
  for await (const chunk of createReadStream(join(place, file), { start: Number(at), highWaterMark: pieceBytes })) {
    if (!process.stdout.write(chunk as Buffer)) await new Promise((resolve) => process.stdout.once("drain", resolve));
    sent += (chunk as Buffer).length;
    await sleep(waitMs(sent, performance.now() - beganMs, Number(rate)));
  }
  return exit.fine;
}

async function putAway(context: Context, { site }: Settings, key: string, place: string): Promise<number> {
  const files = await filesIn(place);
  const sums = await readFile(join(place, "manifest.json")).catch(() => null);
  const manifestSha256 = sums === null ? null : createHash("sha256").update(sums).digest("hex");
  writing(context, ({ audit }) => audit("footage.fetched", { site: site.id, account: `key ${key}`, files: files.length, manifestSha256 }));
  await dropCopy(place);
  return exit.fine;
}
