/** What a technician tells of a new site becomes its configuration; what the first minutes recorded becomes the acceptance sheet. */
import type { ToldCamera } from "./told.ts";
import type { EndReason } from "./types.ts";

export type Told = {
  readonly site: {
    readonly id: string;
    readonly commune: string;
    readonly name: string;
    readonly language?: string;
    readonly state?: string;
  };
  readonly folder: string;
  readonly allowSystemDisk: boolean;
  readonly segment?: string;
  readonly keepMax?: string;
  readonly size?: string;
  /** Keys of `station`; null: the box works alone. */
  readonly station: Readonly<Record<string, string>> | null;
  readonly cameras: readonly ToldCamera[];
};

/** The configuration as YAML; strings are JSON's, which are YAML's too. */
export function siteText(told: Told): string {
  const { site, folder, station, cameras } = told;
  const keep = told.keepMax === undefined ? [] : [`keep: { max: ${told.keepMax} }`];
  const size = told.size === undefined ? [] : [`limit: { size: ${told.size} }`];
  const segment = told.segment === undefined ? [] : [`segment: ${told.segment}`];
  const allow = told.allowSystemDisk ? ["allowSystemDisk: true"] : [];
  const households = [...new Set(cameras.flatMap(({ household }) => (household === undefined ? [] : [household])))];
  return `${[
    "site:",
    ...linesOf(site),
    "recording:",
    `  folder: ${quoted(folder)}`,
    ...[...allow, ...segment, ...keep, ...size].map((line) => `  ${line}`),
    ...(station === null ? [] : ["station:", ...linesOf(station)]),
    "cameras:",
    ...cameras.flatMap(cameraLines),
    ...(households.length === 0 ? [] : ["households:", ...households.map((id) => `  - { id: ${quoted(id)} }`)]),
  ].join("\n")}\n`;
}

const quoted = (text: string) => JSON.stringify(text);
const linesOf = (values: Readonly<Record<string, string | undefined>>) =>
  Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [`  ${key}: ${quoted(value)}`]));

function cameraLines({ priority, kind, ...texts }: ToldCamera): string[] {
  const lines = [
    ...Object.entries(texts).map(([key, value]) => `${key}: ${quoted(value)}`),
    ...(kind === undefined ? [] : [`kind: ${/^\d+$/.test(kind) ? kind : quoted(kind)}`]),
    ...(priority === true ? ["priority: true"] : []),
  ];
  return lines.map((line, n) => (n === 0 ? `  - ${line}` : `    ${line}`));
}

/** What a camera lost when its recorder was killed in the middle, or why it could not be tried. */
export type Trial =
  | {
      readonly kind: "killed";
      /** What had come until the kill, and how much of it is not on disk. */
      readonly recordedMs: number;
      readonly lostMs: number;
    }
  | { readonly kind: "failed"; readonly why: EndReason };

/** One camera as its first files show it. null: it could not be told. */
export type Accepted = {
  readonly id: string;
  readonly name: string;
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  readonly bitsPerSecond: number | null;
  readonly keyEveryMs: number | null;
  readonly clockOffsetMs: number | null;
  /** Days that the disk keeps at what all cameras send now; never more than the configuration allows. */
  readonly days: number | null;
  /** null: not tried. */
  readonly trial: Trial | null;
};

const dayMs = 86_400_000;

/** How long a disk keeps what so many bits a second write; at most `mostMs`. */
export function daysKept(roomBytes: number, bitsPerSecond: number, mostMs: number): number | null {
  if (bitsPerSecond <= 0 || roomBytes <= 0) return null;
  return Math.floor(Math.min(mostMs, (roomBytes * 8_000) / bitsPerSecond) / (dayMs / 10)) / 10;
}
