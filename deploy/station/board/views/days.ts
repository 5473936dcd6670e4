/** Whose days the board asks for: of a small commune all, of a large one those that are looked at and those of silent boxes. */
import { useEffect, useRef } from "preact/hooks";
import { dayOf } from "../../../../agent/core/period.ts";
import type { Commune } from "../model/commune.ts";

/** Asks for more topics as long as they are looked at; returns how to stop it. */
export type Want = (filters: readonly string[]) => () => void;

const dayMs = 86_400_000;
/** Beyond this many cameras only groups with something to look at stand open. */
const mostOpenCameras = 120;

export const isSmallCommune = ({ cameras }: Commune): boolean => cameras.length <= mostOpenCameras;

/** Sites whose days are asked for whatever is looked at; a silent box left its last trace in them. */
export const watchedSites = (commune: Commune): readonly string[] =>
  isSmallCommune(commune) ? ["+"] : commune.sites.flatMap(({ id, contact }) => (contact.kind === "heard" ? [] : [id]));

/** The two days in which the last 24 hours lie, of these sites (`+`: of all). Who stays among them is not asked for again. */
export function useDays(want: Want, sites: readonly string[], nowAt: number): void {
  const held = useRef(new Map<string, () => void>());
  const filters = sites.flatMap((site) => [dayOf(nowAt - dayMs), dayOf(nowAt)].map((day) => `from/${site}/day/${day}/+`));
  useEffect(() => {
    const asked = new Set(filters);
    for (const [filter, release] of held.current)
      if (!asked.has(filter)) {
        release();
        held.current.delete(filter);
      }
    for (const filter of asked) if (!held.current.has(filter)) held.current.set(filter, want([filter]));
  }, [want, filters.join(" ")]);
  useEffect(
    () => () => {
      for (const release of held.current.values()) release();
      held.current.clear();
    },
    [want],
  );
}
