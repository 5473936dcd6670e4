/** When a picture is suspected, when that ends, and what is learnt of how a camera usually looks. */
import { expect, test } from "vitest";
import {
  type Album,
  accept,
  albumAt,
  albumOf,
  albumText,
  type Light,
  lightAt,
  look,
  noAlbum,
  type PictureNews,
  pictureOf,
  wasLookedAt,
} from "../../agent/core/picture.ts";
import { type Glimpse, viewOf } from "../../agent/core/view.ts";
import { covered, evenly, street } from "../lib/views.ts";

const minute = 60_000;
const startAt = Date.parse("2026-11-24T03:00:00.000Z");

type Seen = { readonly album: Album; readonly news: readonly (PictureNews & { readonly at: number })[]; readonly looks: number };
const nothing: Seen = { album: noAlbum, news: [], looks: 0 };

/** Looks `times`, ten minutes apart. */
function see(before: Seen, shows: (take: number) => Glimpse, times: number, light: Light = "day"): Seen {
  let { album, news, looks } = before;
  for (let i = 0; i < times; i += 1) {
    looks += 1;
    const at = startAt + looks * 10 * minute;
    const after = look(album, viewOf(shows(looks)), light, at);
    album = after.album;
    news = [...news, ...after.news.map((one) => ({ ...one, at }))];
  }
  return { album, news, looks };
}

const usual = (take: number) => street(1, { noise: take });
const learnt = (light: Light = "day", before = nothing) => see(before, usual, 10, light);
const wordOf = ({ album }: Seen) => pictureOf(album).value;

test("a camera is not known to be good before it was looked at for a while", () => {
  expect(wordOf(see(nothing, usual, 6))).toBe("unknown");
  expect(wordOf(learnt())).toBe("good");
  expect(learnt().news).toEqual([]);
});

test.each([
  ["covered", (take: number) => covered(1, take), 3],
  ["covered", (_take: number) => evenly(67), 3],
  ["covered", (_take: number) => evenly(3), 3],
  ["bright", (_take: number) => evenly(250), 3],
  ["moved", (take: number) => street(2, { noise: take }), 6],
  ["blurred", (take: number) => street(1, { noise: take, blur: 10 }), 18],
  ["frozen", (_take: number) => street(1, { noise: 99 }), 4],
] as const)("%s: suspected after some looks in a row, since the first of them, and cleared after two good ones", (value, shows, times) => {
  const before = see(learnt(), shows, times - 1);
  expect(before.news).toEqual([]);
  const after = see(before, shows, 1);
  expect(after.news).toMatchObject([{ kind: "suspect", light: "day", value }]);
  const first = startAt + (10 + (value === "frozen" ? 2 : 1)) * 10 * minute;
  expect(pictureOf(after.album)).toMatchObject({ value, sinceAt: first, day: value, night: "unknown" });
  const cleared = see(see(after, usual, 1), usual, 1);
  expect(cleared.news.slice(1)).toMatchObject([{ kind: "cleared", light: "day", was: value }]);
  expect(wordOf(cleared)).toBe("good");
});

test.each([
  ["a lorry before the lens for some looks", (take: number) => covered(1, take), 2],
  ["dusk that comes early: half the light", (take: number) => street(1, { noise: take, light: 0.5 }), 30],
  ["a bright hour", (take: number) => street(1, { noise: take, light: 1.4 }), 30],
  ["fog for two hours, nothing but faint edges", (take: number) => street(1, { noise: take, light: 0.3, blur: 10 }), 12],
])("no suspicion: %s", (_what, shows, times) => {
  const after = see(see(learnt(), shows, times), usual, 3);
  expect(after.news).toEqual([]);
  expect(wordOf(after)).toBe("good");
});

test("what comes and goes is not counted together", () => {
  const flaps = see(learnt(), (take) => (take % 3 === 0 ? usual(take) : covered(1, take)), 60);
  expect(flaps.news).toEqual([]);
});

test("a street without a lamp is dark at night only, every night, and told once", () => {
  let now = learnt();
  for (let night = 0; night < 3; night += 1)
    now = see(
      see(now, () => evenly(4), 20, "night"),
      usual,
      20,
      "day",
    );
  expect(now.news).toMatchObject([{ kind: "suspect", light: "night", value: "dark" }]);
  expect(pictureOf(now.album)).toMatchObject({ value: "dark", day: "good", night: "dark" });
  const lit = see(now, (take) => street(1, { noise: take, light: 0.4 }), 10, "night");
  expect(lit.news.slice(1)).toMatchObject([{ kind: "cleared", light: "night", was: "dark" }]);
  expect(pictureOf(lit.album)).toMatchObject({ value: "good", day: "good", night: "good" });
});

test("what was wiped off the lens by day is not held against the night before", () => {
  const night = (take: number) => street(1, { noise: take, light: 0.4 });
  const both = see(
    see(see(learnt(), night, 10, "night"), (take) => covered(1, take), 3, "night"),
    (take) => covered(1, take),
    3,
    "day",
  );
  expect(pictureOf(both.album)).toMatchObject({ value: "covered", day: "covered", night: "covered" });
  const wiped = see(both, usual, 2, "day");
  expect(wiped.news.slice(2)).toMatchObject([
    { kind: "cleared", light: "day", was: "covered" },
    { kind: "cleared", light: "night", was: "covered" },
  ]);
  expect(pictureOf(wiped.album)).toMatchObject({ value: "good", day: "good", night: "unknown" });
  expect(pictureOf(see(wiped, night, 2, "night").album).night).toBe("good");
});

test("a camera that is still being set up is learnt from where it ends, and one that turns to and fro is never claimed to be good", () => {
  const settled = see(
    see(nothing, (take) => street(2, { noise: take }), 4),
    usual,
    10,
  );
  expect(settled.news).toEqual([]);
  expect(wordOf(settled)).toBe("good");
  const touring = see(nothing, (take) => street(take % 4, { noise: take }), 60);
  expect(touring.news).toEqual([]);
  expect(wordOf(touring)).toBe("unknown");
});

test("what is usual follows slowly: leaves fall, a house is built", () => {
  const boxes = (take: number) => {
    const [one, two] = [street(1, { noise: take }), street(2, { noise: take })];
    const share = Math.min(1, take / 400);
    return { ...one, gray: one.gray.map((value, i) => (i % 96 < 96 * share ? (two.gray[i] ?? 0) : value)) };
  };
  const after = see(learnt(), boxes, 450);
  expect(after.news).toEqual([]);
  expect(wordOf(see(after, usual, 6))).toBe("moved");
});

test("day and night by the clock of Vietnam, and twilight is neither", () => {
  const at = (time: string) => lightAt(Date.parse(`2026-11-24T${time}:00.000+07:00`));
  expect(["06:59", "07:00", "16:59", "17:00", "18:59", "19:00", "00:00", "04:59", "05:00"].map(at)).toEqual([
    ...[null, "day", "day", null, null, "night", "night", "night", null],
  ]);
});

test("an album is the same after it was written down, as far as it decides", () => {
  const full = see(
    see(learnt(), (take) => street(1, { noise: take, light: 0.4 }), 10, "night"),
    (take) => covered(1, take),
    2,
  );
  const again = { ...full, album: albumOf(albumText(full.album)) };
  expect(albumText(again.album)).toBe(albumText(full.album));
  expect(wordOf(see(again, (take) => covered(1, take), 1))).toBe("covered");
  expect(albumText(full.album).length).toBeLessThan(6_500);
});

test.each([
  null,
  "",
  "{",
  "[]",
  "null",
  '{"day":7}',
  '{"day":{"value":"good","next":"good","count":1,"usual":{"looks":9,"edges":1,"map":"zz"}}}',
  '{"day":{"value":"stolen","next":"good","count":1}}',
])("what is no album is learnt anew: %s", (text) => {
  expect(pictureOf(albumOf(text)).value).toBe(text?.includes('"good","next":"good"') ? "good" : "unknown");
  expect(albumOf(text).sides.day.usual).toBeNull();
});

const lookedAt = ({ looks }: Seen) => startAt + looks * 10 * minute;

test("a street without a lamp that somebody found right is not suspected of darkness again, until a lamp was there", () => {
  const dark = see(learnt(), () => evenly(4), 5, "night");
  const { album, news } = accept(dark.album, "2026-11-24T20:00:00.000Z");
  expect(news).toEqual([{ kind: "cleared", light: "night", was: "dark" }]);
  expect(accept(album, "2026-11-24T20:00:00.000Z").news).toEqual([]);
  const nights = see({ ...nothing, album }, () => evenly(4), 60, "night");
  expect(nights.news).toEqual([]);
  expect(pictureOf(nights.album).night).toBe("unknown");
  const covered = see(nights, () => evenly(67), 3, "night");
  expect(covered.news).toMatchObject([{ kind: "suspect", value: "covered" }]);
  const lit = see(nights, (take) => street(1, { noise: take, light: 0.4 }), 10, "night");
  expect(see(lit, () => evenly(4), 3, "night").news).toMatchObject([{ kind: "suspect", value: "dark" }]);
});

test("troubles that take turns are one that is suspected", () => {
  const turns = see(learnt(), (take) => (take % 2 === 0 ? street(2, { noise: take }) : covered(1, take)), 6);
  expect(turns.news).toMatchObject([{ kind: "suspect" }]);
  const on = see(turns, (take) => (take % 2 === 0 ? street(2, { noise: take }) : covered(1, take)), 20);
  expect(on.news.length, "and it does not change its name with every look").toBe(1);
});

test("what nobody has looked at for more than a day is not known, and a suspicion of then is over", () => {
  const suspected = see(learnt(), (take) => covered(1, take), 3);
  const at = lookedAt(suspected);
  const valueAt = (hours: number) => pictureOf(albumAt(suspected.album, null, at + hours * 60 * minute)).value;
  expect([valueAt(25), valueAt(27)]).toEqual(["covered", "unknown"]);
  const later = look(suspected.album, viewOf(usual(1)), "day", at + 48 * 60 * minute);
  expect(later.news).toEqual([{ kind: "cleared", light: "day", was: "covered" }]);
});

test("an album that was learnt before somebody found the picture right says nothing", () => {
  const { album } = learnt();
  expect(pictureOf(albumAt(album, "2026-11-24T20:00:00.000Z", startAt + 100 * minute)).value).toBe("unknown");
  expect(pictureOf(albumAt(album, null, startAt + 100 * minute)).value).toBe("good");
});

test("from the first look to the last it was looked at, and neither before nor after", () => {
  const seen = learnt();
  const looked = (fromAt: number, toAt: number) => wasLookedAt(albumOf(albumText(seen.album)), { fromAt, toAt });
  expect(looked(startAt - 60 * minute, startAt)).toBe(false);
  expect(looked(startAt, startAt + 20 * minute)).toBe(true);
  expect(looked(lookedAt(seen) + 61 * minute, lookedAt(seen) + 90 * minute)).toBe(false);
  expect(wasLookedAt(noAlbum, { fromAt: 0, toAt: Number.MAX_SAFE_INTEGER })).toBe(false);
});
