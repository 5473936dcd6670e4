/** `matghi enroll FILE`: takes in what the station handed out. Writes certificate, key and authority beside the configuration, their names into it, and the tunnel's file. */
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline/promises";
import type { Settings } from "../config/schema.ts";
import { withStation } from "../config.ts";
import { vietnamTime } from "../core/time.ts";
import { tunnelText } from "../core/tunnel.ts";
import { fill, wordsIn } from "../core/words.ts";
import type { Enrolment } from "../enrolment.ts";
import { type Context, exit, nowUtc, Refusal, settingsOf } from "./context.ts";
import { accepted, codeIn, judgeEnrolment, modes, openEnvelope, placesOf, readEnvelope } from "./envelope.ts";
import { type Keeping, putIfOther, replaceFile } from "./out.ts";

export type EnrollOptions = { readonly codeFile?: string; readonly tunnelFile: string };

export async function enroll(context: Context, file: string, options: EnrollOptions): Promise<number> {
  const settings = settingsOf(context);
  const words = wordsIn(settings.site.language).enroll;
  const sealed = accepted(file, readEnvelope(file));
  const enrolment = accepted(file, openEnvelope(sealed, await codeOf(options, words.ask)));
  checkFor(enrolment, settings, file);
  // The tunnel first: the configuration names an address that is reached through it.
  const tunnel = takeTunnel(enrolment, options.tunnelFile);
  const changed = takeIn(context.configFile, enrolment, ownerOf(settings)) || tunnel === "new" || tunnel === "other";
  const endsAt = Date.parse(new X509Certificate(enrolment.cert).validTo);
  const { site, url } = enrolment;
  if (context.json) {
    const way = enrolment.tunnel === undefined ? null : { address: enrolment.tunnel.address, file: options.tunnelFile };
    context.out(JSON.stringify({ site, url, changed, endsAt: new Date(endsAt).toISOString(), tunnel: way }));
    return exit.fine;
  }
  context.out(fill(changed ? words.done : words.same, { site, url, end: vietnamTime(endsAt) }));
  const name = basename(options.tunnelFile, ".conf");
  if (tunnel === "new") context.out(fill(words.tunnelNew, { name }));
  if (tunnel === "other") context.out(fill(words.tunnelOther, { name }));
  if (changed) context.out(words.next);
  return exit.fine;
}

async function codeOf({ codeFile }: EnrollOptions, question: string): Promise<string> {
  if (codeFile !== undefined && codeFile !== "-") return codeIn(codeFile);
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    if (process.stdin.isTTY) process.stderr.write(question);
    const first = await lines[Symbol.asyncIterator]().next();
    return first.done === true ? "" : first.value;
  } finally {
    lines.close();
  }
}

/** Not another box's, and whole: before anything is changed. */
function checkFor(enrolment: Enrolment, settings: Settings, file: string): void {
  const { site } = settings;
  if (enrolment.site !== site.id || enrolment.commune !== site.commune) {
    const [theirs, ours] = [`${enrolment.commune}/${enrolment.site}`, `${site.commune}/${site.id}`];
    throw new Refusal(
      exit.wrongUse,
      `${file}: is for ${theirs}, this box is ${ours}; take the file made for this box, or correct site.id and site.commune`,
    );
  }
  accepted(file, judgeEnrolment(enrolment, nowUtc(settings)));
}

/** The daemon's user, as far as we may give files to it. */
function ownerOf(settings: Settings): Pick<Keeping, "uid" | "gid"> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const state = uid === 0 ? statSync(settings.site.state, { throwIfNoEntry: false }) : undefined;
  return state === undefined ? { uid, gid } : { uid: state.uid, gid: state.gid };
}

/** True where anything is other than before. The configuration comes last: it never names what is not there. */
function takeIn(configFile: string, { url, ca, cert, key }: Enrolment, owner: Pick<Keeping, "uid" | "gid">): boolean {
  const names = placesOf(configFile);
  const folder = dirname(names.key);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const files = [
      putIfOther(names.ca, ca, { mode: modes.ca, ...owner }),
      putIfOther(names.cert, cert, { mode: modes.cert, ...owner }),
      putIfOther(names.key, key, { mode: modes.key, ...owner }),
    ];
    const before = statSync(configFile);
    const text = readFileSync(configFile, "utf8");
    const next = withStation(text, { url, ...names, username: null, passwordFile: null });
    const same = withStation(text, {}) === next;
    if (!same) replaceFile(realpathSync(configFile), Buffer.from(next), { mode: before.mode & 0o777, uid: before.uid, gid: before.gid });
    return files.includes(true) || !same;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Refusal(exit.needsPerson, `${folder} cannot be written (${code}); run it as root: sudo matghi enroll …`);
  }
}

/** wg-quick reads it as root: nobody else may. */
function takeTunnel({ tunnel }: Enrolment, file: string): "none" | "same" | "new" | "other" {
  if (tunnel === undefined) return "none";
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  try {
    const before = existsSync(file);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (!putIfOther(file, tunnelText(tunnel), { mode: 0o600, uid, gid })) return "same";
    return before ? "other" : "new";
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Refusal(exit.needsPerson, `${file} cannot be written (${code}); run it as root: sudo matghi enroll …`);
  }
}
