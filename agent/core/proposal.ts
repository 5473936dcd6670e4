/** What the figures of a period call for: batteries, lines, cameras, disks, by place; and what fails again and again. Pure. */
import type { CameraRow } from "./report.ts";
import { lostMs } from "./tally.ts";
import type { Cause } from "./types.ts";

/** A place that lost footage to one cause this often in the period is proposed for (the form's “≥ 05 lần/kỳ”). */
export const repeatFrom = 5;
/** A camera that has not recorded for longer than this is named as long broken. */
export const longBrokenDays = 15;

const contents = [
  { content: "battery", row: "power", causes: ["house-power"], isRecorder: false },
  { content: "battery", row: "power", causes: ["box-power"], isRecorder: true },
  { content: "line", row: "network", causes: ["house-network", "weak-link"], isRecorder: false },
  { content: "camera", row: "camera", causes: ["camera"], isRecorder: false },
  { content: "disk", row: "recorder", causes: ["disk"], isRecorder: true },
] as const satisfies readonly {
  readonly content: string;
  readonly row: string;
  readonly causes: readonly Cause[];
  readonly isRecorder: boolean;
}[];

/** A place and how often it lost footage. `place`: a household's code, a camera's id, or a recorder's site (empty: the box's own). */
export type NeedPlace = { readonly place: string; readonly isRecorder: boolean; readonly count: number; readonly ms: number };
export type Need = {
  readonly content: (typeof contents)[number]["content"];
  readonly row: (typeof contents)[number]["row"];
  /** Those that suffer most first. */
  readonly places: readonly NeedPlace[];
  readonly count: number;
  /** Camera time. */
  readonly ms: number;
};

/** What to propose, the costliest loss first. */
export function needsOf(cameras: readonly CameraRow[]): readonly Need[] {
  return contents
    .flatMap(({ content, row, causes, isRecorder }) => {
      const places = placesOf(cameras, causes, isRecorder, content === "camera").filter(({ count }) => count >= repeatFrom);
      if (places.length === 0) return [];
      const count = places.reduce((sum, place) => sum + place.count, 0);
      return [{ content, row, places, count, ms: places.reduce((sum, place) => sum + place.ms, 0) }];
    })
    .sort((a, b) => b.ms - a.ms);
}

/** Cameras of one household are cut off together: its count is that of the camera that was cut off most often. */
function placesOf(cameras: readonly CameraRow[], causes: readonly Cause[], isRecorder: boolean, each: boolean): readonly NeedPlace[] {
  const found = new Map<string, NeedPlace>();
  for (const { camera, byCause } of cameras) {
    const count = causes.reduce((sum, cause) => sum + (byCause[cause]?.count ?? 0), 0);
    const ms = causes.reduce((sum, cause) => sum + (byCause[cause]?.ms ?? 0), 0);
    if (ms === 0) continue;
    const place = isRecorder ? (camera.site ?? "") : each ? camera.name : (camera.household ?? camera.name);
    // Households' codes are a site's own.
    const key = `${camera.site ?? ""}\n${isRecorder ? "" : each ? camera.id : (camera.household ?? camera.id)}`;
    const before = found.get(key) ?? { place, isRecorder, count: 0, ms: 0 };
    found.set(key, { ...before, count: Math.max(before.count, count), ms: before.ms + ms });
  }
  return [...found.values()].sort((a, b) => b.count - a.count || b.ms - a.ms);
}

const mostRepeats = 10;

/** Cameras that were interrupted again and again, for the repair budget: most often first. */
export const repeatsOf = (cameras: readonly CameraRow[]): readonly CameraRow[] =>
  cameras
    .filter(({ gaps }) => gaps >= repeatFrom)
    .sort((a, b) => b.gaps - a.gaps || lostMs(b.byCause) - lostMs(a.byCause))
    .slice(0, mostRepeats);
