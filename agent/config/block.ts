/** A `cameras:` block of the configuration from what was found: for a person to paste and to complete. */
import { type FoundCamera, idFor, isRecorder, nameFor, streamsOf } from "../core/found.ts";
import { fill, type Language, wordsIn } from "../core/words.ts";
import { urlFault } from "./schema.ts";

export type BlockOptions = {
  readonly language: Language;
  /** User name that the cameras were asked with; null: none. */
  readonly username: string | null;
  /** Folder for the password files. */
  readonly secrets: string;
  /** Ids that the configuration has already. */
  readonly taken: readonly string[];
};

/** YAML; its strings are JSON's, which are YAML's too. */
export function cameraBlock(cameras: readonly FoundCamera[], options: BlockOptions): string {
  const words = wordsIn(options.language).discover;
  const taken = new Set(options.taken);
  const entries = cameras.map((camera) => entryOf(camera, options, taken));
  const hasCamera = entries.some((entry) => entry.kind === "camera");
  return [
    ...(options.username === null ? [] : [`# ${words.secrets}`]),
    hasCamera ? "cameras:" : "cameras: []",
    ...entries.flatMap(({ lines }) => lines),
  ].join("\n");
}

type Entry = { readonly kind: "camera" | "remark"; readonly lines: readonly string[] };

function entryOf(camera: FoundCamera, options: BlockOptions, taken: Set<string>): Entry {
  const words = wordsIn(options.language).discover;
  const { main, fallback, onvif } = waysTo(camera);
  if (main === null && onvif === null)
    return {
      kind: "remark",
      lines: [`  # ${fill(words.left, { address: camera.address, problem: words.problems[camera.problem ?? "no-stream"] })}`],
    };
  const id = idFor(camera, taken);
  taken.add(id);
  const keys: readonly (readonly [string, string | null])[] = [
    ["id", id],
    ["name", nameFor(camera)],
    ["url", main],
    ["fallback", fallback],
    ["onvif", onvif],
    ["username", options.username],
    ["passwordFile", options.username === null ? null : `${options.secrets}/${id}`],
  ];
  const lines = keys.flatMap(([key, value]) => (value === null ? [] : [`${key}: ${JSON.stringify(value)}`]));
  const doubt = [
    ...(camera.problem === null ? [] : [`  # ${words.problems[camera.problem]}`]),
    ...(isRecorder(camera) ? [`  # ${fill(words.recorder, { count: camera.profiles.length })}`] : []),
  ];
  return { kind: "camera", lines: [...doubt, ...lines.map((line, n) => (n === 0 ? `  - ${line}` : `    ${line}`))] };
}

/** The addresses of a found camera that a configuration takes. */
export function waysTo({ profiles, xaddr }: Pick<FoundCamera, "profiles" | "xaddr">): {
  main: string | null;
  fallback: string | null;
  onvif: string | null;
} {
  const streams = streamsOf(profiles.filter(({ url }) => isGood(url, ["rtsp", "rtsps"])));
  return { ...streams, onvif: isGood(xaddr, ["http", "https"]) ? xaddr : null };
}

/** Would the configuration take it? Some makers' addresses hold a password. */
const isGood = (url: string | null, schemes: readonly string[]) => url !== null && urlFault(url, schemes) === null;
