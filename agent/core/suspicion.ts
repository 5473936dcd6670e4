/** When cameras' pictures were suspected in a period, from the journal. Pure. */

import type { UtcMs } from "./dating.ts";
import { type Light, lights, type PictureTrouble, pictureTroubles } from "./picture.ts";
import { dateTime, iso, isoOrNull } from "./time.ts";
import type { EventRow, EventType, Span } from "./types.ts";
import { fill, type Language, wordsIn } from "./words.ts";

/** `toAt` null: it has not been cleared. */
export type Suspicion = {
  readonly camera: string;
  readonly light: Light;
  readonly value: PictureTrouble;
  readonly fromAt: UtcMs;
  readonly toAt: UtcMs | null;
};

/** What a report says of pictures: of how many cameras they were looked at, and what was suspected. */
export type PictureFacts = { readonly looked: number; readonly suspected: readonly Suspicion[] };

/** Of what the journal says of pictures. */
export const pictureEvents: readonly EventType[] = ["picture.suspect", "picture.cleared"];

/** Those of a camera that touch the span, from all that its journal says up to the span's end, oldest first; times of events are UTC. */
export function suspicionsOf(camera: string, events: readonly EventRow[], span: Span): readonly Suspicion[] {
  return lights
    .flatMap((light) =>
      ofLight(
        camera,
        light,
        events.filter(({ data }) => data.light === light),
      ),
    )
    .filter(({ fromAt, toAt }) => fromAt < span.toAt && (toAt ?? Number.POSITIVE_INFINITY) > span.fromAt)
    .sort((a, b) => a.fromAt - b.fromAt);
}

/** One ends with the next word of that light, whatever that is. */
function ofLight(camera: string, light: Light, events: readonly EventRow[]): readonly Suspicion[] {
  return events.flatMap(({ at, type, data }, i) => {
    const value = pictureTroubles.find((trouble) => trouble === data.value);
    if (type !== "picture.suspect" || value === undefined) return [];
    return [{ camera, light, value, fromAt: at, toAt: events[i + 1]?.at ?? null }];
  });
}

/** For machines. */
export const suspicionJson = ({ fromAt, toAt, ...rest }: Suspicion) => ({ ...rest, from: iso(fromAt), to: isoOrNull(toAt) });

/** One in a line: `Cổng chợ: nghi bị che (ban ngày), 14:05 05/01/2026 – 15:10 05/01/2026`. */
export function suspicionText({ light, value, fromAt, toAt }: Suspicion, name: string, language: Language): string {
  const words = wordsIn(language).pictures;
  const until = toAt === null ? words.lasting : fill(words.until, { to: dateTime(toAt) });
  return fill(words.suspicion, { name, what: words.values[value], when: words.when[light], from: dateTime(fromAt), until });
}
