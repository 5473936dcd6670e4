/** What officers' keys had made does not stay, whether anybody asks again or not. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { claim, readMark, take } from "../../agent/cli/mark.ts";
import { clearShelves, shelfOf } from "../../agent/errands.ts";
import { bootId, deadPid, markOf, startOf } from "../lib/mark.ts";
import { tempFolder } from "../lib/temp.ts";

const day = 86_400_000;
const nowUtc = Date.parse("2026-11-24T03:20:00Z");

const going = new AbortController().signal;

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
  expect(said).toBe(markOf(process.pid));
  expect((await takers).filter((isOurs) => isOurs)).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(["a.busy"]);
  writeFileSync(mark, markOf(deadPid));
  expect([await take(mark), await take(mark)]).toEqual([false, true]);
  // After a boot the number is somebody else's: this very process's, for instance.
  writeFileSync(mark, `another-boot ${process.pid} ${startOf(process.pid)}`);
  expect([await take(mark), await take(mark)]).toEqual([false, true]);
  // So it is after its end: process 1 began long before whoever had its number here.
  writeFileSync(mark, `${bootId} 1 ${startOf(1) + 1}`);
  expect([await take(mark), await take(mark)]).toEqual([false, true]);
  await rm(mark);
  writeFileSync(mark, markOf(1));
  expect([await take(mark), await take(mark)]).toEqual([false, false]);
});

test("who makes no way in his turn holds up nobody for ever, and whoever is stopped does not wait", async () => {
  const state = tempFolder("turn");
  const place = join(shelfOf(state, "a"), "0123456789abcdef");
  mkdirSync(join(place, ".."), { recursive: true });
  const turn = join(state, "errands", "turn.busy");
  expect(await take(turn)).toBe(true);
  await expect(claim(state, place, 1, going, 0)).rejects.toThrow(/another errand is stuck \(.*turn\.busy\); look at the disk/);
  await expect(claim(state, place, 1, AbortSignal.abort())).rejects.toThrow(/stopped; .*ask again/);
  expect(existsSync(turn), "the other's turn").toBe(true);
  await rm(turn);
  expect(await claim(state, place, 1, going, 0)).toBe(0);
});

test("whoever comes just as a mark is given back takes nobody else's away", async () => {
  const mark = join(tempFolder("mark"), "a.busy");
  let holders = 0;
  let most = 0;
  const taker = async () => {
    for (let turns = 0; turns < 40; ) {
      if (!(await take(mark))) continue;
      turns += 1;
      holders += 1;
      most = Math.max(most, holders);
      await new Promise(setImmediate);
      holders -= 1;
      await rm(mark);
    }
  };
  await Promise.all(Array.from({ length: 8 }, taker));
  expect(most).toBe(1);
});

test("of errands that are made at once each sees the room that those before it will still take, and none that of the dead", async () => {
  const state = tempFolder("claim");
  const places = ["a", "b", "c"].map((key) => join(shelfOf(state, key), "0123456789abcdef"));
  for (const place of places) {
    mkdirSync(join(place, ".."), { recursive: true });
    expect(await take(`${place}.busy`)).toBe(true);
  }
  // Whoever comes first, the last of three sees both others, and nobody sees himself.
  const seen = await Promise.all(places.map((place, i) => claim(state, place, 100 * 10 ** i, going)));
  const claims = [100, 1_000, 10_000];
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  const sums = (order: readonly number[]) =>
    claims.map((_, i) => order.slice(0, order.indexOf(i)).reduce((sum, before) => sum + (claims[before] ?? 0), 0));
  expect(orders.map(sums)).toContainEqual(seen);
  expect(await Promise.all(places.map((place) => readMark(`${place}.busy`)))).toEqual(claims);
  // What one has taken already is no room any more, and is not counted twice.
  const [first = "", second = "", third = ""] = places;
  mkdirSync(`${second}.unfinished/original`, { recursive: true });
  writeFileSync(`${second}.unfinished/original/x.mkv`, Buffer.alloc(600));
  expect(await claim(state, first, 100, going)).toBe(400 + 10_000);
  writeFileSync(`${third}.busy`, `${markOf(deadPid)} 10000`);
  expect(await claim(state, first, 100, going)).toBe(400);
  rmSync(`${second}.busy`);
  expect(await claim(state, first, 100, going)).toBe(0);
  expect(readdirSync(join(state, "errands")).sort()).toEqual(["a", "b", "c"]);
});
