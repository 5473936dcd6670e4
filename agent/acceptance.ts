/** The acceptance sheet: what the first files of each camera show, and how long the disk keeps what they send. */
import type { Remux } from "../hal/ports.ts";
import type { Settings } from "./config/schema.ts";
import { segmentPath } from "./core/path.ts";
import { type Accepted, daysKept } from "./core/setup.ts";
import { fill, offsetText, wordsIn } from "./core/words.ts";
import { type Asking, clockOf } from "./query.ts";
import type { SegmentRow } from "./store/reads.ts";

/** Closed files of the last quarter of an hour. */
const lookBackMs = 900_000;

const filesOf = ({ reads, dating, nowAt }: Asking, camera: string): readonly SegmentRow[] =>
  reads.segmentsTouching(camera, { fromAt: dating.fromUtc(nowAt - lookBackMs), toAt: dating.fromUtc(nowAt) + 1 });

/** Is there a closed file of it? */
export const hasFootage = (asking: Asking, camera: string): boolean => filesOf(asking, camera).length > 0;

export async function acceptance(asking: Asking, remux: Remux, signal: AbortSignal): Promise<readonly Accepted[]> {
  const { settings, reads } = asking;
  const due = settings.cameras.filter(({ url, onvif }) => url !== undefined || onvif !== undefined);
  const rates = new Map(due.map(({ id }) => [id, rateOf(filesOf(asking, id))]));
  const all = [...rates.values()].reduce<number>((sum, rate) => sum + (rate ?? 0), 0);
  const days = daysKept(roomOf(asking), all, settings.recording.keep.max);
  const sheet: Accepted[] = [];
  for (const { id, name } of due) {
    const last = filesOf(asking, id).at(-1);
    const path = last === undefined ? null : `${settings.recording.folder}/${segmentPath(last)}`;
    const facts = path === null ? null : await remux.look(path, signal);
    sheet.push({
      ...{ id, name: name ?? id, codec: facts?.codec ?? null, width: facts?.width ?? null, height: facts?.height ?? null },
      ...{ fps: facts?.fps ?? null, bitsPerSecond: rates.get(id) ?? null, days: path === null ? null : days },
      keyEveryMs: path === null ? null : await remux.groupMs(path, signal),
      clockOffsetMs: clockOf(reads, id)?.offsetMs ?? null,
    });
  }
  return sheet;
}

function rateOf(files: readonly SegmentRow[]): number | null {
  const ms = files.reduce((sum, { startAt, endAt }) => sum + endAt - startAt, 0);
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

/** The sheet as a table for people. */
export function sheetText(cameras: readonly Accepted[], { site }: Settings): string {
  const { language } = site;
  const words = wordsIn(language).setup;
  const number = (value: number, digits: number) => (language === "vi" ? value.toFixed(digits).replace(".", ",") : value.toFixed(digits));
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
