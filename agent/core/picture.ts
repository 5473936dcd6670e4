/**
 * Is a camera's picture fit for use? Each look is compared with how the camera usually looks, by day and by night apart; what looks wrong
 * for long enough is suspected, never claimed: a person confirms it (requirements.md I-03, I-06). Pure.
 */
import { isoOrNull, vietnamHour } from "./time.ts";
import type { Span, WallMs } from "./types.ts";
import { grid, likeness, type View } from "./view.ts";

/** Worst first. `dark`: too little light, at night. `bright`: washed out. `moved`: it looks elsewhere than it did. `frozen`: the very same picture again. */
export const pictureTroubles = ["frozen", "covered", "dark", "bright", "moved", "blurred"] as const;
export type PictureTrouble = (typeof pictureTroubles)[number];
/** `unknown`: not looked at for long enough yet. */
export type PictureValue = "good" | "unknown" | PictureTrouble;

/** Twilight is neither, and is not judged: light and colour change by the minute. */
export const lights = ["day", "night"] as const;
export type Light = (typeof lights)[number];

/** Full daylight and full darkness in Vietnam in every month: the sun rises between 5:10 and 6:40 and sets between 17:10 and 18:50. */
const hours = { dayFrom: 7, dayTo: 17, nightFrom: 19, nightTo: 5 } as const;

/** By the hour in Vietnam; null: twilight. */
export function lightAt(at: number): Light | null {
  const hour = vietnamHour(at);
  if (hour >= hours.dayFrom && hour < hours.dayTo) return "day";
  return hour >= hours.nightFrom || hour < hours.nightTo ? "night" : null;
}

/** How a camera usually looks in one light: an average of `looks` good ones. */
export type Usual = { readonly looks: number; readonly edges: number; readonly blur: number | null; readonly map: readonly number[] };

/**
 * One light's verdict: what is held true, since when, and what the last `count` looks, from `nextAt` on, would have it be. `tolerated`: what a
 * person has found to be right, as darkness where no lamp stands; it is not suspected again until the picture was good.
 */
export type Side = {
  readonly value: PictureValue;
  readonly sinceAt: WallMs | null;
  readonly next: PictureValue;
  readonly nextAt: WallMs | null;
  readonly count: number;
  readonly lookedAt: WallMs | null;
  readonly tolerated: PictureTrouble | null;
  readonly usual: Usual | null;
};
/** All that is kept of a camera's pictures, looked at since `firstAt`; none of it shows a person. `acceptance`: the one after which it was learnt. */
export type Album = {
  readonly sides: Readonly<Record<Light, Side>>;
  readonly mark: number | null;
  readonly firstAt: WallMs | null;
  readonly acceptance: string | null;
};

const noSide: Side = {
  ...{ value: "unknown", sinceAt: null, next: "unknown", nextAt: null, count: 0 },
  ...{ lookedAt: null, tolerated: null, usual: null },
};
export const noAlbum: Album = { sides: { day: noSide, night: noSide }, mark: null, firstAt: null, acceptance: null };

/** Each light comes once a day: what was not looked at for longer is not known any more. */
const holdsMs = 26 * 3_600_000;

/** So many good looks that are alike make the usual one; from then on it follows slowly, as the seasons do. */
const learnLooks = 6;
const followWeight = 1 / 32;

/**
 * Measured on one scene at 1080p (reference: bench.md §7) and on another in test/hal/picture.test.ts: black has mean 17, white 235, both range
 * 0; a board over 78 % of the view has 1.9 bits and a seventh of the edges there, 2.2 bits and a quarter here; turned by 180° or another scene
 * has likeness 0, by a third of the view .3, a lorry .76–.81, night .95; a blur of 3 pixels doubles the edges' width.
 */
const limits = {
  flatRange: 10,
  darkMean: 25,
  brightMean: 225,
  coveredEdges: 1 / 3,
  coveredEntropy: 3,
  movedLikeness: 0.5,
  clearEdges: 1 / 2,
  blurTimes: 2,
};

/**
 * Looks in a row before something is held true. Fog and rain blur for hours, a lorry may stand before the lens for one; what clears up is
 * believed sooner.
 */
const looksFor: Readonly<Record<PictureTrouble, number>> = { frozen: 3, covered: 3, dark: 3, bright: 3, moved: 6, blurred: 18 };
const looksForGood = 2;

/** What one look alone says; `unknown`: nothing looks wrong, and what is usual is not known yet. */
export function judge(view: View, { usual }: Pick<Side, "usual">, light: Light, markBefore: number | null): PictureValue {
  if (view.range < limits.flatRange) return flat(view.mean, light);
  const known = usual === null || usual.looks < learnLooks ? null : usual;
  if (known !== null && view.edges < known.edges * limits.coveredEdges && view.entropy < limits.coveredEntropy) return "covered";
  if (view.mark === markBefore) return "frozen";
  if (known === null) return "unknown";
  // Where the edges are faint, as in fog, nothing can be said of where they lie.
  if (view.edges >= known.edges * limits.clearEdges && likeness(view.map, known.map) < limits.movedLikeness) return "moved";
  return view.blur !== null && known.blur !== null && view.blur > known.blur * limits.blurTimes ? "blurred" : "good";
}

/** Nothing to be seen: darkness at night, something before the lens by day. */
function flat(mean: number, light: Light): PictureTrouble {
  if (mean > limits.brightMean) return "bright";
  return light === "night" && mean < limits.darkMean ? "dark" : "covered";
}

export type PictureNews =
  | { readonly kind: "suspect"; readonly light: Light; readonly value: PictureTrouble }
  | { readonly kind: "cleared"; readonly light: Light; readonly was: PictureTrouble };

/** Is it something that a person should look at? */
export const isTrouble = (value: PictureValue): value is PictureTrouble => value !== "good" && value !== "unknown";

/** Another look at a camera; what it leads to, and what is to be told. */
export function look(album: Album, view: View, light: Light, at: WallMs): { readonly album: Album; readonly news: readonly PictureNews[] } {
  const known = album.sides[light];
  const before = heldAt(known, at);
  const side = turn(before, judge(view, before, light, album.mark), view, at);
  const [other, its] = light === "day" ? (["night", album.sides.night] as const) : (["day", album.sides.day] as const);
  // What was wiped off the lens in the morning does not stand there at night: that side is looked at anew.
  const isGone = isTrouble(before.value) && before.value !== "dark" && !isTrouble(side.value) && its.value === before.value;
  const elsewhere = isGone ? forgotten(its) : its;
  const sides = light === "day" ? { day: side, night: elsewhere } : { day: elsewhere, night: side };
  return {
    album: { ...album, sides, mark: view.mark, firstAt: album.firstAt ?? at },
    news: [...newsOf(light, known.value, side.value), ...newsOf(other, its.value, elsewhere.value)],
  };
}

/** Without its verdict; how the camera usually looks stays. */
const forgotten = ({ usual, lookedAt, tolerated }: Side): Side => ({ ...noSide, usual, lookedAt, tolerated });
const heldAt = (side: Side, at: WallMs): Side => (side.lookedAt !== null && at - side.lookedAt <= holdsMs ? side : forgotten(side));

/** What a side is after a look that says `judged`. */
function turn(before: Side, judged: PictureValue, view: View, at: WallMs): Side {
  const seen = judged === before.tolerated ? "unknown" : judged;
  // Troubles that take turns are still no good picture; which of them it is was not found yet.
  const isAlike = seen === before.next || (isTrouble(seen) && isTrouble(before.next) && !isTrouble(before.value));
  const isSame = isAlike && before.nextAt !== null;
  const [count, nextAt] = isSame ? [before.count + 1, before.nextAt] : [1, at];
  const isHeld = seen !== before.value && count >= (isTrouble(seen) ? looksFor[seen] : looksForGood);
  const [value, sinceAt] = isHeld ? [seen, nextAt] : [before.value, before.sinceAt];
  const usual = isTrouble(judged) ? before.usual : learn(before.usual, view);
  return { value, sinceAt, next: seen, nextAt, count, lookedAt: at, tolerated: judged === "good" ? null : before.tolerated, usual };
}

function newsOf(light: Light, was: PictureValue, value: PictureValue): readonly PictureNews[] {
  if (was === value) return [];
  return [
    ...(isTrouble(was) ? [{ kind: "cleared", light, was } as const] : []),
    ...(isTrouble(value) ? [{ kind: "suspect", light, value } as const] : []),
  ];
}

/** One that is unlike those before it, while they are few, begins anew: the camera is still being set up. */
function learn(usual: Usual | null, view: View): Usual {
  if (usual === null || (usual.looks < learnLooks && likeness(view.map, usual.map) < limits.movedLikeness))
    return { looks: 1, edges: view.edges, blur: view.blur, map: view.map };
  const weight = Math.max(followWeight, 1 / (usual.looks + 1));
  const toward = (old: number, seen: number) => old + (seen - old) * weight;
  return {
    looks: Math.min(usual.looks + 1, 1 / followWeight),
    edges: toward(usual.edges, view.edges),
    blur: usual.blur === null || view.blur === null ? (view.blur ?? usual.blur) : toward(usual.blur, view.blur),
    map: usual.map.map((old, cell) => toward(old, view.map[cell] ?? 0)),
  };
}

/** A person has found right what the camera shows: it is learnt anew, and nothing is suspected of it any more. */
export function accept(album: Album, acceptance: string | null): { readonly album: Album; readonly news: readonly PictureNews[] } {
  if (album.acceptance === acceptance) return { album, news: [] };
  const anew = ({ value }: Side): Side => ({ ...noSide, tolerated: isTrouble(value) ? value : null });
  const { day, night } = album.sides;
  return {
    album: { ...noAlbum, sides: { day: anew(day), night: anew(night) }, firstAt: album.firstAt, acceptance },
    news: lights.flatMap((light) => newsOf(light, album.sides[light].value, "unknown")),
  };
}

/** What is true of it at a moment, whoever has not looked since: nothing that a person has found right, nothing that is too old. */
export function albumAt(album: Album, acceptance: string | null, at: WallMs): Album {
  const { day, night } = accept(album, acceptance).album.sides;
  return { ...album, sides: { day: heldAt(day, at), night: heldAt(night, at) } };
}

/** What is usual changes with every look, and slowly: an album is written down this often, and with every verdict. */
export const keepEveryMs = 3_600_000;

/** Was it looked at in that span, as far as its first look and the last one that was written down tell? */
export function wasLookedAt({ firstAt, sides }: Album, { fromAt, toAt }: Span): boolean {
  const lastAt = Math.max(sides.day.lookedAt ?? 0, sides.night.lookedAt ?? 0, firstAt ?? 0);
  return firstAt !== null && firstAt < toAt && lastAt + keepEveryMs >= fromAt;
}

/** A camera's picture in one word, the worse light's, and in both. */
export type PictureState = {
  readonly value: PictureValue;
  readonly sinceAt: WallMs | null;
  readonly day: PictureValue;
  readonly night: PictureValue;
};

/** For machines (contract §4). */
export const pictureJson = ({ value, sinceAt, day, night }: PictureState) => ({ value, since: isoOrNull(sinceAt), day, night });

/** The worse light's word; `unknown` only where neither light has another. */
export function pictureOf({ sides }: Album): PictureState {
  const rank = (value: PictureValue) => [...pictureTroubles, "good", "unknown"].indexOf(value);
  const worse = rank(sides.night.value) < rank(sides.day.value) ? sides.night : sides.day;
  return { value: worse.value, sinceAt: worse.sinceAt, day: sides.day.value, night: sides.night.value };
}

/** For the store. The grid's cells in hex. */
export function albumText({ sides, ...rest }: Album): string {
  const hex = (map: readonly number[]) => map.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("");
  const rounded = (value: number) => Math.round(value * 1_000) / 1_000;
  const written = ({ usual, ...side }: Side) => ({
    ...side,
    usual:
      usual === null
        ? null
        : { ...usual, edges: rounded(usual.edges), blur: usual.blur === null ? null : rounded(usual.blur), map: hex(usual.map) },
  });
  return JSON.stringify({ ...rest, day: written(sides.day), night: written(sides.night) });
}

/** What is no album is an empty one: it is learnt anew. */
export function albumOf(text: string | null): Album {
  try {
    const body = JSON.parse(text ?? "{}") as Record<string, unknown>;
    return {
      sides: { day: sideOf(body.day), night: sideOf(body.night) },
      ...{ mark: numberOrNull(body.mark), firstAt: numberOrNull(body.firstAt) },
      acceptance: typeof body.acceptance === "string" ? body.acceptance : null,
    };
  } catch {
    return noAlbum;
  }
}

function sideOf(written: unknown): Side {
  const { value, sinceAt, next, nextAt, count, lookedAt, tolerated, usual } = (written ?? {}) as Record<string, unknown>;
  if (!isValue(value) || !isValue(next) || typeof count !== "number") return noSide;
  return {
    ...{ value, sinceAt: numberOrNull(sinceAt), next, nextAt: numberOrNull(nextAt), count, lookedAt: numberOrNull(lookedAt) },
    ...{ tolerated: pictureTroubles.find((trouble) => trouble === tolerated) ?? null, usual: usualOf(usual) },
  };
}

const numberOrNull = (value: unknown) => (typeof value === "number" ? value : null);
const isValue = (value: unknown): value is PictureValue =>
  value === "good" || value === "unknown" || pictureTroubles.some((trouble) => trouble === value);

function usualOf(written: unknown): Usual | null {
  const { looks, edges, blur, map } = (written ?? {}) as Record<string, unknown>;
  if (typeof looks !== "number" || typeof edges !== "number" || typeof map !== "string") return null;
  const cells = Array.from({ length: map.length / 2 }, (_, cell) => Number.parseInt(map.slice(cell * 2, cell * 2 + 2), 16));
  if (cells.length !== grid.columns * grid.rows || cells.some(Number.isNaN)) return null;
  return { looks, edges, blur: numberOrNull(blur), map: cells };
}
