/** What this browser remembers of its person's choices; never a password, never a message. Where it may not, it forgets. */
import type { Language } from "../../../agent/core/words.ts";
import { type Households, readHouseholds } from "./model/households.ts";
import type { Printed } from "./reports/facts.ts";

const read = (key: string): string | null => {
  try {
    return localStorage.getItem(`matghi.${key}`);
  } catch {
    return null;
  }
};
const write = (key: string, value: string | null): void => {
  try {
    if (value === null) localStorage.removeItem(`matghi.${key}`);
    else localStorage.setItem(`matghi.${key}`, value);
  } catch {
    // A browser that keeps nothing loses a convenience.
  }
};

/** The language that was chosen here; else the station's. */
export function readLanguage(station: Language): Language {
  const chosen = read("language");
  return chosen === "en" || chosen === "vi" ? chosen : station;
}
export const writeLanguage = (language: Language): void => write("language", language);

export const readSound = (): boolean => read("sound") === "on";
export const writeSound = (isOn: boolean): void => write("sound", isOn ? "on" : null);

export const loadHouseholds = (): Households => readHouseholds(read("households") ?? "").households;
export const keepHouseholds = (text: string | null): void => write("households", text);

export const readOfficer = (): string => read("officer") ?? "";
export const writeOfficer = (code: string): void => write("officer", code);

/** What stands on the printed report beside its figures. */
export const readPrinted = (unit: string): Printed => ({ unit: read("unit") ?? unit, recipients: read("recipients") ?? "" });
export function writePrinted({ unit, recipients }: Printed): void {
  write("unit", unit);
  write("recipients", recipients);
}

/** When each site of a commune was last heard, so that a reload still knows since when one is silent. */
export function readMemory(commune: string): ReadonlyMap<string, number> {
  try {
    const pairs = JSON.parse(read(`heard.${commune}`) ?? "[]") as unknown;
    return new Map(
      Array.isArray(pairs) ? pairs.filter((pair): pair is [string, number] => Array.isArray(pair) && typeof pair[1] === "number") : [],
    );
  } catch {
    return new Map();
  }
}
export const writeMemory = (commune: string, memory: ReadonlyMap<string, number>): void =>
  write(`heard.${commune}`, JSON.stringify([...memory]));
