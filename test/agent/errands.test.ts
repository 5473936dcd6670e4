/** What officers' keys had made does not stay, whether anybody asks again or not. */
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { take } from "../../agent/cli/errand.ts";
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

test("of many who take an errand at once, one makes it; who was killed holds nobody up", async () => {
  const folder = tempFolder("mark");
  const mark = join(folder, "a.busy");
  const takers = Promise.all(Array.from({ length: 50 }, () => take(mark)));
  // Held up at every turn, as another process would find it: from its first moment on the mark says whose it is.
  let said: string | null = null;
  for (; said === null; await new Promise(setImmediate))
    for (const untilMs = performance.now() + 5; said === null && performance.now() < untilMs; )
      if (existsSync(mark)) said = readFileSync(mark, "utf8");
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  expect(said).toBe(`${bootId} ${process.pid}`);
  expect((await takers).filter((isOurs) => isOurs)).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(["a.busy"]);
  // No process has this id: kernel.pid_max is 4194304 at most.
  writeFileSync(mark, `${bootId} 4194305`);
  expect([await take(mark), await take(mark)]).toEqual([false, true]);
  // After a boot the number is somebody else's: this very process's, for instance.
  writeFileSync(mark, `another-boot ${process.pid}`);
  expect([await take(mark), await take(mark)]).toEqual([false, true]);
});
