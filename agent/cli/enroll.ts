/** `matghi enroll FILE`: takes in what the station handed out. Writes certificate, key and authority beside the configuration, their names into it, and the tunnel's file. */
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { unsealText } from "../age.ts";
import type { Settings } from "../config/schema.ts";
import { withStation } from "../config.ts";
import { vietnamTime } from "../core/time.ts";
import { tunnelText } from "../core/tunnel.ts";
import { fill, wordsIn } from "../core/words.ts";
import { type Enrolment, type Flaw, flawOf, readEnrolment } from "../enrolment.ts";
import { type Context, exit, nowUtc, Refusal, settingsOf } from "./context.ts";
import { type Keeping, replaceFile } from "./out.ts";

export type EnrollOptions = { readonly codeFile?: string; readonly tunnelFile: string };

/** An enrolment file has some kilobytes. */
const mostBytes = 100_000;

export async function enroll(context: Context, file: string, options: EnrollOptions): Promise<number> {
  const settings = settingsOf(context);
  const words = wordsIn(settings.site.language).enroll;
  const sealed = textOf(file);
  const enrolment = openWith(sealed, file, await codeOf(options, words.ask));
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

function textOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined)
    throw new Refusal(exit.notFound, `${file}: no such file; name the enrolment file that add-site made at the station`);
  if (!found.isFile() || found.size > mostBytes)
    throw new Refusal(exit.wrongUse, `${file}: not an enrolment file; name the one that add-site made at the station`);
  return readFileSync(file, "utf8");
}

/** As it was printed, however it was typed. */
const tidyCode = (typed: string) =>
  (
    typed
      .toLowerCase()
      .replace(/[^a-z0-9]/g, "")
      .match(/.{1,4}/g) ?? []
  ).join("-");

async function codeOf({ codeFile }: EnrollOptions, question: string): Promise<string> {
  if (codeFile !== undefined && codeFile !== "-") {
    if (!existsSync(codeFile))
      throw new Refusal(exit.notFound, `--code-file ${codeFile}: no such file; leave it away to be asked for the code`);
    return tidyCode(readFileSync(codeFile, "utf8"));
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    if (process.stdin.isTTY) process.stderr.write(question);
    const first = await lines[Symbol.asyncIterator]().next();
    return tidyCode(first.done === true ? "" : first.value);
  } finally {
    lines.close();
  }
}

function openWith(sealed: string, file: string, code: string): Enrolment {
  if (code === "") throw new Refusal(exit.wrongUse, "no code; type the one-time code that add-site printed at the station");
  const opened = unsealText(sealed, code);
  if (opened.kind === "refused" && opened.why === "code")
    throw new Refusal(
      exit.wrongUse,
      `${file}: the code does not open it; compare it with the one printed for this very file, and try again`,
    );
  const enrolment = opened.kind === "open" ? readEnrolment(opened.text) : null;
  if (enrolment === null) throw new Refusal(exit.wrongUse, `${file}: damaged, or no enrolment file; copy it from the station again`);
  return enrolment;
}

const flawTexts: Record<Flaw, string> = {
  "no-certificate": "its certificates cannot be read; have the station make a new one with add-site",
  "other-key": "its key is not the certificate's; have the station make a new one with add-site",
  "other-site": "its certificate is another site's; have the station make a new one with add-site",
  "not-by-ca": "its certificate is not the station's; have the station make a new one with add-site",
  over: "its certificate has ended, or this box's clock is wrong (date); have the station make a new one with add-site",
};

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
  const flaw = flawOf(enrolment, nowUtc(settings));
  if (flaw !== null) throw new Refusal(flaw === "over" ? exit.needsPerson : exit.wrongUse, `${file}: ${flawTexts[flaw]}`);
}

/** The daemon's user, as far as we may give files to it. */
function ownerOf(settings: Settings): Pick<Keeping, "uid" | "gid"> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const state = uid === 0 ? statSync(settings.site.state, { throwIfNoEntry: false }) : undefined;
  return state === undefined ? { uid, gid } : { uid: state.uid, gid: state.gid };
}

/** True where anything is other than before. The configuration comes last: it never names what is not there. */
function takeIn(configFile: string, { url, ca, cert, key }: Enrolment, owner: Pick<Keeping, "uid" | "gid">): boolean {
  const folder = join(dirname(resolve(configFile)), "station");
  const names = { ca: join(folder, "ca.crt"), cert: join(folder, "site.crt"), key: join(folder, "site.key") };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const files = [
      replaced(names.ca, ca, { mode: 0o644, ...owner }),
      replaced(names.cert, cert, { mode: 0o644, ...owner }),
      replaced(names.key, key, { mode: 0o600, ...owner }),
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
    if (!replaced(file, tunnelText(tunnel), { mode: 0o600, uid, gid })) return "same";
    return before ? "other" : "new";
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Refusal(exit.needsPerson, `${file} cannot be written (${code}); run it as root: sudo matghi enroll …`);
  }
}

function replaced(file: string, text: string, keeping: Keeping): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  const isSame =
    found !== undefined && (found.mode & 0o777) === keeping.mode && found.uid === keeping.uid && readFileSync(file, "utf8") === text;
  if (!isSame) replaceFile(file, Buffer.from(text), keeping);
  return !isSame;
}
