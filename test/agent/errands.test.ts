/** What officers' keys had made does not stay, whether anybody asks again or not. */
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clearShelves, shelfOf } from "../../agent/errands.ts";
import { tempFolder } from "../lib/temp.ts";

const day = 86_400_000;
const nowUtc = Date.parse("2026-11-24T03:20:00Z");

/** An errand's folder with a file, made at that time. */
function lay(state: string, key: string, id: string, at: number): string {
  const place = join(shelfOf(state, key), id);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "cho.mkv"), "x");
  utimesSync(place, at / 1_000, at / 1_000);
  return place;
}

test("what nobody fetched within a week goes from every shelf, also of a key that is gone; what is younger stays", async () => {
  const state = tempFolder("errands");
  expect(await clearShelves(state, nowUtc)).toBe(0);
  const old = [lay(state, "gone", "a", nowUtc - 7 * day - 1_000), lay(state, "here", "b.unfinished", nowUtc - 30 * day)];
  const ahead = lay(state, "here", "c", nowUtc + 300 * day);
  const young = [lay(state, "here", "d", nowUtc - 6 * day), lay(state, "gone", "e", nowUtc + day)];
  expect(await clearShelves(state, nowUtc)).toBe(3);
  expect([...old, ahead].filter((place) => existsSync(place))).toEqual([]);
  expect(young.every((place) => existsSync(join(place, "cho.mkv")))).toBe(true);
});
