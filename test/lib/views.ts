/** Small gray pictures drawn by a rule, for what looks at pictures without decoding one. */
import type { Glimpse } from "../../agent/core/view.ts";
import { drawFrom } from "./draw.ts";

const [width, height] = [96, 54] as const;

export const evenly = (value: number): Glimpse => glimpseOf(() => value, null);

/** Boxes of its own at places of its own, as far apart from those of another `seed` as two streets; `noise` makes each take of it another. */
export function street(seed: number, options: { readonly blur?: number; readonly light?: number; readonly noise?: number } = {}): Glimpse {
  const { blur = 4.5, light = 1, noise = seed } = options;
  const place = drawFrom(seed);
  const boxes = Array.from({ length: 14 }, () => {
    const [left, top] = [place.between(0, width - 16), place.between(0, height - 10)];
    return { left, top, right: left + place.between(4, 16), bottom: top + place.between(4, 10), value: place.between(0, 255) };
  });
  const grain = drawFrom(noise);
  return glimpseOf((x, y) => {
    const box = boxes.findLast(({ left, top, right, bottom }) => x >= left && x < right && y >= top && y < bottom);
    return Math.min(255, ((box?.value ?? 70 + 2 * y) + grain.between(0, 4)) * light);
  }, blur);
}

/** A board over all but a strip of it. */
export function covered(seed: number, noise = seed): Glimpse {
  const { gray, ...rest } = street(seed, { noise });
  return { ...rest, gray: gray.map((value, i) => (i % width < width * 0.9 ? 60 : value)) };
}

function glimpseOf(valueAt: (x: number, y: number) => number, blur: number | null): Glimpse {
  const gray = Uint8Array.from({ length: width * height }, (_, i) => valueAt(i % width, Math.floor(i / width)));
  return { width, height, gray, blur };
}
