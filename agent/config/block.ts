/** A `cameras:` block of the configuration from what was found: for a person to paste and to complete. */
import { type FoundCamera, isRecorder, streamsOf } from "../core/found.ts";
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

const mostIdChars = 32;
const mostNameChars = 500;

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
  const { main, fallback } = streamsOf(camera.profiles.filter(({ url }) => isGood(url, ["rtsp", "rtsps"])));
  const onvif = isGood(camera.xaddr, ["http", "https"]) ? camera.xaddr : null;
  if (main === null && onvif === null)
    return {
      kind: "remark",
      lines: [`  # ${fill(words.left, { address: camera.address, problem: words.problems[camera.problem ?? "no-stream"] })}`],
    };
  const id = idOf(camera, taken);
  taken.add(id);
  const keys: readonly (readonly [string, string | null])[] = [
    ["id", id],
    ["name", nameOf(camera)],
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

/** Would the configuration take it? Some makers' addresses hold a password. */
const isGood = (url: string | null, schemes: readonly string[]) => url !== null && urlFault(url, schemes) === null;

const nameOf = ({ make, model, address }: FoundCamera) =>
  `${[make, model].filter((text) => text !== null).join(" ") || "Camera"} (${address})`.replace(/\p{C}+/gu, " ").slice(0, mostNameChars);

/** Make, model and the end of the address in the alphabet of ids, as short as they must be and no other's. */
function idOf({ make, model, address }: FoundCamera, taken: ReadonlySet<string>): string {
  const parts = address.split(".");
  const base = slugOf([make, model].filter((text) => text !== null).join(" ")) || "cam";
  const endings = [parts.slice(3), parts.slice(2), parts].map((list) => list.join("-"));
  const tries = [...endings, ...Array.from({ length: taken.size + 1 }, (_, n) => `${endings[0]}-${n + 2}`)];
  const ids = tries.map((ending) => `${base.slice(0, mostIdChars - ending.length - 1).replace(/-+$/, "")}-${ending}`);
  return ids.find((id) => !taken.has(id)) ?? ids[0] ?? base;
}

const slugOf = (text: string) =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/đ/gi, "d")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
