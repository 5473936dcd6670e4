/** `matghi discover`: cameras on the local networks, and what they say of themselves. Needs no configuration; changes nothing. */
import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { makeCameraPort } from "../../hal/camera.ts";
import { makeClock } from "../../hal/clock.ts";
import { makeDiscovery } from "../../hal/discovery.ts";
import type { Credential } from "../../hal/ports.ts";
import { rtsp } from "../../hal/rtsp.ts";
import { cameraBlock } from "../config/block.ts";
import { readSecret } from "../config/rules.ts";
import { loadConfig } from "../config.ts";
import type { FoundCamera, FoundStream } from "../core/found.ts";
import { fill, type Language, offsetText, wordOf, wordsIn } from "../core/words.ts";
import { type Survey, survey } from "../survey.ts";
import { type Context, exit, Refusal, surroundingRules } from "./context.ts";

export type DiscoverOptions = {
  readonly interface?: string;
  readonly knock?: boolean;
  readonly yaml?: boolean;
  readonly username?: string;
  readonly passwordFile?: string;
};

export async function discover(context: Context, options: DiscoverOptions, signal: AbortSignal): Promise<number> {
  if (options.yaml === true && context.json) throw new Refusal(exit.wrongUse, "--yaml and --json are two forms; leave one of them away");
  const discovery = makeDiscovery();
  const name = interfaceOf(options, discovery.interfaces());
  const credential = credentialOf(options);
  const { language, ids } = siteOf(context);
  const cameras = makeCameraPort({ clock: makeClock({ driver: "none" }) });
  const asked = { interface: name, knock: options.knock ?? false, credential };
  const found = await survey({ discovery, cameras, streams: rtsp }, asked, signal);
  const secrets = join(dirname(resolve(context.configFile)), "secrets");
  if (context.json) context.out(JSON.stringify({ devices: found.cameras, remarks: found.remarks }));
  else if (options.yaml !== true) context.out(tableText(found, language));
  else if (found.cameras.length > 0)
    context.out(cameraBlock(found.cameras, { language, username: options.username ?? null, secrets, taken: ids }));
  if (found.cameras.length > 0) return exit.fine;
  if (!context.json) context.err(nobody(options, discovery.interfaces()));
  return exit.notFound;
}

/** The interface that was named, if it is there; null: all. */
function interfaceOf({ interface: name }: DiscoverOptions, there: readonly string[]): string | null {
  if (name === undefined || there.includes(name)) return name ?? null;
  const list = there.length === 0 ? "none is up" : `there are: ${there.join(", ")}`;
  throw new Refusal(exit.wrongUse, `--interface ${name}: not an interface that is up with an IPv4 address; ${list}`);
}

function credentialOf({ username, passwordFile }: DiscoverOptions): Credential | null {
  if (username === undefined && passwordFile === undefined) return null;
  if (username === undefined) throw new Refusal(exit.wrongUse, "--password-file without --username; add --username USER");
  if (passwordFile === undefined)
    throw new Refusal(exit.wrongUse, "--username without --password-file; add --password-file FILE (mode 0600, one line)");
  return { username, password: passwordOf(passwordFile) };
}

/** Under the same rules as a configuration's. */
function passwordOf(file: string): string {
  const refuse = (why: string) => new Refusal(exit.wrongUse, `--password-file ${file}: ${why}`);
  try {
    const found = statSync(file);
    if (!found.isFile()) throw refuse("not a file; name a file that holds the password");
    if ((found.mode & 0o177) !== 0) throw refuse(`others can read it; chmod 600 ${file}`);
    const secret = readSecret(file);
    if (secret === "" || /[\r\n\0]/.test(secret)) throw refuse("empty, or more than one line; write the password alone into it");
    return secret;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "?";
    throw refuse(`cannot be read (${code}); write the password into a file of your own, one line, and chmod 600 it`);
  }
}

/** The site's language and ids, where there is a site. */
function siteOf({ configFile }: Context): { readonly language: Language; readonly ids: readonly string[] } {
  const loaded = loadConfig(configFile, surroundingRules);
  if (loaded.kind === "bad") return { language: loaded.language, ids: [] };
  return { language: loaded.settings.site.language, ids: loaded.settings.cameras.map(({ id }) => id) };
}

function nobody({ interface: name, knock }: DiscoverOptions, there: readonly string[]): string {
  const where = name ?? (there.filter((other) => other !== "lo").join(", ") || "no interface");
  const next = knock === true ? "check the cameras' power and cables" : "try --knock, for cameras that answer no search";
  return `no camera answered on ${where}; ${next}`;
}

function tableText({ cameras, remarks }: Survey, language: Language): string {
  const words = wordsIn(language).discover;
  const rows = [Object.values(words.columns), ...cameras.map((camera) => cellsOf(camera, language))];
  const widths = rows[0]?.map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) =>
    row
      .map((cell, n) => cell.padEnd(widths[n] ?? 0))
      .join("  ")
      .trimEnd();
  const [head = [], ...bodies] = rows;
  const problems = cameras.map(({ problem }) => (problem === null ? [] : [`    ! ${words.problems[problem]}`]));
  const table = [line(head), ...bodies.flatMap((row, n) => [line(row), ...(problems[n] ?? [])])];
  return [
    fill(words.found, { count: cameras.length }),
    ...(cameras.length === 0 ? [] : [...table.map((text) => `  ${text}`), words.next]),
    ...remarks.map((remark) => `  - ${remarkText(remark, words.remarks)}`),
  ].join("\n");
}

function cellsOf(camera: FoundCamera, language: Language): readonly string[] {
  const { address, make, model, firmware, mac, clockOffsetMs, profiles } = camera;
  const name = [make, model].filter((text) => text !== null).join(" ");
  const cells = [address, name, firmware, mac, clockText(clockOffsetMs, language), profiles.map(streamText).join(", ")];
  return cells.map((cell) => (cell === null || cell === "" ? "–" : cell));
}

/** The camera's clock is asked over the network and in whole seconds: less than this is right. */
const rightWithinMs = 2_000;

function clockText(offsetMs: number | null, language: Language): string | null {
  const words = wordsIn(language).discover;
  if (offsetMs === null) return null;
  if (Math.abs(offsetMs) < rightWithinMs) return words.right;
  return fill(offsetMs > 0 ? words.ahead : words.behind, { length: offsetText(offsetMs, language) });
}

function streamText({ codec, width, height, fps }: FoundStream): string {
  const size = width === null || height === null ? null : `${width}x${height}`;
  return [codec, size, fps === null ? null : `${Math.round(fps)}/s`].filter((text) => text !== null).join(" ") || "?";
}

function remarkText(remark: string, words: Readonly<Record<string, string>>): string {
  const [code = "", ...facts] = remark.split(" ");
  return `${wordOf(words, code)}${facts.length === 0 ? "" : `: ${facts.join(" ")}`}`;
}
