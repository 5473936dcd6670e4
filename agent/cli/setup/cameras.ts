/** The cameras of a new site as options tell them: one by one, in a table, or whatever answers on the networks. */
import { readFileSync } from "node:fs";
import { makeCameraPort } from "../../../hal/camera.ts";
import { makeClock } from "../../../hal/clock.ts";
import { makeDiscovery } from "../../../hal/discovery.ts";
import type { Credential } from "../../../hal/ports.ts";
import { rtsp } from "../../../hal/rtsp.ts";
import { waysTo } from "../../config/block.ts";
import { type FoundCamera, idFor, nameFor } from "../../core/found.ts";
import { bad, type Read, readCamera, readTable, type ToldCamera } from "../../core/told.ts";
import { fill, wordsIn } from "../../core/words.ts";
import { type Survey, survey } from "../../survey.ts";
import { exit, Refusal } from "../context.ts";
import type { Desk, SetupOptions } from "./desk.ts";
import { type Keyed, secretIn } from "./secret.ts";

/** null: the options tell of no camera. */
export async function camerasBy(desk: Desk): Promise<readonly Keyed[] | null> {
  const { options } = desk;
  const told = toldBy(options);
  if (options.discover !== true) return told.length === 0 ? null : told.map(keyed);
  if (told.length > 0)
    throw new Refusal(
      exit.wrongUse,
      "--discover beside --camera or --table: take one of them; what was found can be completed in the file afterwards",
    );
  const credential = credentialOf(options);
  const found = await look(desk, credential);
  if (found.cameras.length === 0)
    throw new Refusal(exit.notFound, "no camera answered; check their power and cables, or name them with --camera");
  const taken = new Set<string>();
  return found.cameras.flatMap((camera) => {
    const it = toldOf(camera, taken);
    if (it === null) return [];
    taken.add(it.id);
    return [{ camera: { ...it, ...loginName(credential) }, password: credential?.password ?? null }];
  });
}

/** The password is read where a file for it was named. */
const keyed = (camera: ToldCamera): Keyed => ({
  camera,
  password: camera.passwordFile === undefined ? null : secretIn(camera.passwordFile),
});
export const loginName = (credential: Credential | null): { username?: string } =>
  credential === null ? {} : { username: credential.username };

/** A camera takes the login that stands for all where it has none of its own. */
function toldBy({ camera = [], table, username, passwordFile }: SetupOptions): readonly ToldCamera[] {
  const single = camera.map((text) => taken("--camera", readCamera(text)));
  const listed = table === undefined ? [] : taken(`--table ${table}`, tableIn(table));
  return [...single, ...listed].map((told) => ({
    ...(username === undefined || told.username !== undefined ? {} : { username }),
    ...(passwordFile === undefined || told.passwordFile !== undefined ? {} : { passwordFile }),
    ...told,
  }));
}

function taken<T>(option: string, read: Read<T>): T {
  if (read.kind === "good") return read.value;
  throw new Refusal(exit.wrongUse, `${option}: ${fill(wordsIn("en").setup.faults[read.why], read.facts)}`);
}

/** The cameras in a table of Excel: UTF-8, or the UTF-16 that it calls Unicode text. */
export function tableIn(file: string): Read<readonly ToldCamera[]> {
  try {
    const bytes = readFileSync(file);
    const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
    return readTable(new TextDecoder(encoding, { fatal: true }).decode(bytes));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "?";
    return code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? bad("not-utf8") : bad("unreadable", { code });
  }
}

/** The login that options give for all cameras; null: none. */
export function credentialOf({ username, passwordFile }: SetupOptions): Credential | null {
  if ((username === undefined) !== (passwordFile === undefined))
    throw new Refusal(exit.wrongUse, "--username and --password-file belong together");
  return username === undefined || passwordFile === undefined ? null : { username, password: secretIn(passwordFile) };
}

/** Searches and knocks on the networks of the box. */
export function look({ options, signal }: Desk, credential: Credential | null): Promise<Survey> {
  const discovery = makeDiscovery();
  const name = options.interface ?? null;
  if (name !== null && !discovery.interfaces().includes(name))
    throw new Refusal(exit.wrongUse, `--interface ${name}: not one of ${discovery.interfaces().join(", ")}`);
  const cameras = makeCameraPort({ clock: makeClock({ driver: "none" }) });
  return survey({ discovery, cameras, streams: rtsp }, { interface: name, knock: true, credential }, signal);
}

/** A found camera as it would be told; null: no stream of it is known. */
export function toldOf(camera: FoundCamera, ids: ReadonlySet<string>): ToldCamera | null {
  const { main, fallback, onvif } = waysTo(camera);
  if (main === null && onvif === null) return null;
  return {
    ...{ id: idFor(camera, ids), name: nameFor(camera) },
    ...(main === null ? {} : { url: main }),
    ...(fallback === null ? {} : { fallback }),
    ...(onvif === null ? {} : { onvif }),
  };
}
