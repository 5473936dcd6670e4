/** Where this page stands: which commune, and whether the broker asks for a login. From its address, and from `station.json` beside it. */
import type { Language } from "../../../agent/core/words.ts";
import { bodyOf, textOf } from "./model/read.ts";

export type Place = {
  /** Null: the person at the screen is asked. */
  readonly commune: string | null;
  /** As people call it. */
  readonly name: string | null;
  readonly url: string;
  readonly asksLogin: boolean;
  readonly language: Language;
};

const communeForm = /^[a-z0-9-]{2,32}$/;
export const communeOrNull = (text: string | null): string | null => (text !== null && communeForm.test(text) ? text : null);

export async function readPlace(location: Location): Promise<Place> {
  const config = bodyOf(
    await fetch("station.json")
      .then(
        (answer): Promise<unknown> => (answer.ok ? answer.json() : Promise.resolve(null)),
        () => null,
      )
      .catch(() => null),
  );
  return {
    commune: communeOrNull(new URLSearchParams(location.search).get("commune")) ?? communeOrNull(textOf(config?.commune)),
    name: textOf(config?.name),
    // The broker is behind the page's own host: nothing else is ever spoken to.
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/mqtt`,
    language: config?.language === "en" ? "en" : "vi",
    asksLogin: config?.login !== false,
  };
}
