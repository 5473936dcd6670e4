/** The acceptance sheet: what the first files of each camera show, and how long the disk keeps what they send. */
import type { Remux } from "../hal/ports.ts";
import type { Settings } from "./config/schema.ts";
import { segmentPath } from "./core/path.ts";
import { type Accepted, daysKept, type Trial } from "./core/setup.ts";
import { evidenceText, fill, type Language, offsetText, wordsIn } from "./core/words.ts";
import { type Asking, clockOf } from "./query.ts";
import type { SegmentRow } from "./store/reads.ts";

/** Closed files of the last quarter of an hour. */
const lookBackMs = 900_000;

const filesOf = ({ reads, dating, nowAt }: Asking, camera: string): readonly SegmentRow[] =>
  reads.segmentsTouching(camera, { fromAt: dating.fromUtc(nowAt - lookBackMs), toAt: dating.fromUtc(nowAt) + 1 });

const lengthOf = ({ startAt, endAt }: SegmentRow) => endAt - startAt;
const longestOf = (files: readonly SegmentRow[]): SegmentRow | undefined => [...files].sort((a, b) => lengthOf(b) - lengthOf(a))[0];

/** The first file ends at the next full minute: so much of a file shows two key frames of any camera that is set right. */
const enoughMs = 20_000;
const almost = 0.8;

/** Is there a closed file of it, long enough to be judged by? */
export function hasFootage(asking: Asking, camera: string): boolean {
  const longest = longestOf(filesOf(asking, camera));
  return longest !== undefined && lengthOf(longest) >= almost * Math.min(enoughMs, asking.settings.recording.segment);
}

/** The cameras that are due to be recorded. */
export const recordable = ({ cameras }: Settings): Settings["cameras"] =>
  cameras.filter(({ url, onvif }) => url !== undefined || onvif !== undefined);

/** `trials`: what the kill of each camera's recorder cost, by its id. */
export async function acceptance(
  asking: Asking,
  remux: Remux,
  trials: ReadonlyMap<string, Trial>,
  signal: AbortSignal,
): Promise<readonly Accepted[]> {
  const { settings, reads } = asking;
  const due = recordable(settings);
  const rates = new Map(due.map(({ id }) => [id, rateOf(filesOf(asking, id))]));
  const all = [...rates.values()].reduce<number>((sum, rate) => sum + (rate ?? 0), 0);
  const days = daysKept(roomOf(asking), all, settings.recording.keep.max);
  const sheet: Accepted[] = [];
  for (const { id, name } of due) {
    const sample = longestOf(filesOf(asking, id));
    const path = sample === undefined ? null : `${settings.recording.folder}/${segmentPath(sample)}`;
    const facts = path === null ? null : await remux.look(path, signal);
    sheet.push({
      ...{ id, name: name ?? id, codec: facts?.codec ?? null, width: facts?.width ?? null, height: facts?.height ?? null },
      ...{ fps: facts?.fps ?? null, bitsPerSecond: rates.get(id) ?? null, days: path === null ? null : days },
      keyEveryMs: path === null ? null : await remux.groupMs(path, signal),
      clockOffsetMs: clockOf(reads, id)?.offsetMs ?? null,
      trial: trials.get(id) ?? null,
    });
  }
  return sheet;
}

function rateOf(files: readonly SegmentRow[]): number | null {
  const ms = files.reduce((sum, file) => sum + lengthOf(file), 0);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return ms === 0 ? null : Math.round((bytes * 8_000) / ms);
}

/** What footage may fill: what is free and what it has, less what must stay free, no more than its limit. */
function roomOf({ settings, reads }: Asking): number {
  const { size, free } = settings.recording.limit;
  const live = reads.live();
  const room = (live?.freeBytes ?? 0) + (live?.usedBytes ?? 0) - free;
  return Math.min(room, size ?? Number.POSITIVE_INFINITY);
}

const numberIn = (value: number, digits: number, language: Language) =>
  language === "vi" ? value.toFixed(digits).replace(".", ",") : value.toFixed(digits);

function trialText(trial: Trial | null, language: Language): string {
  const words = wordsIn(language).setup;
  if (trial === null) return "–";
  if (trial.kind === "failed") return evidenceText(trial.why, language);
  return fill(words.lost, { seconds: numberIn(trial.lostMs / 1_000, 1, language) });
}

/** The sheet as a table for people. */
export function sheetText(cameras: readonly Accepted[], { site }: Settings): string {
  const { language } = site;
  const words = wordsIn(language).setup;
  const number = (value: number, digits: number) => numberIn(value, digits, language);
  const cells = (camera: Accepted) => [
    camera.name,
    camera.bitsPerSecond === null
      ? words.none
      : [camera.codec, camera.width === null ? null : `${camera.width}x${camera.height}`].filter(Boolean).join(" "),
    camera.fps === null ? "–" : number(camera.fps, 0),
    camera.bitsPerSecond === null ? "–" : number(camera.bitsPerSecond / 1e6, 2),
    camera.keyEveryMs === null ? "–" : fill(words.seconds, { seconds: number(camera.keyEveryMs / 1_000, 1) }),
    camera.clockOffsetMs === null ? "–" : offsetText(camera.clockOffsetMs, language),
    camera.days === null ? "–" : fill(words.days, { days: number(camera.days, 1) }),
    trialText(camera.trial, language),
  ];
  const rows = [words.columns, ...cameras.map(cells)];
  const widths = words.columns.map((_, n) => Math.max(...rows.map((row) => [...(row[n] ?? "")].length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, n) => cell + " ".repeat((widths[n] ?? 0) - [...cell].length))
      .join("  ")
      .trimEnd();
  return [fill(words.sheet, { site: site.name }), ...rows.map((row) => `  ${line(row)}`)].join("\n");
}
