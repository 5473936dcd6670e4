/** One suite for the port on both drivers; and pictures of a street as cameras of a commune show them, decoded for real and judged. */
import { execFileSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { judge, type Light, look, noAlbum } from "../../agent/core/picture.ts";
import { type Glimpse, viewOf } from "../../agent/core/view.ts";
import { makePicture } from "../../hal/picture.ts";
import type { Picture } from "../../hal/ports.ts";
import { scriptPicture } from "../../hal/script.ts";
import { tempFolder } from "../lib/temp.ts";
import { street } from "../lib/views.ts";

const folder = tempFolder("picture");
const film = (name: string) => join(folder, `${name}.mkv`);
const never = new AbortController().signal;
const real = makePicture({ ffmpeg: "/usr/bin/ffmpeg" });

/** Sky, a road, walls with windows and a tree: edges of all sizes in places of their own. */
const scene = [
  "color=c=0x9fb0bb:s=1920x1080:r=25",
  ...["drawbox=0:620:1920:460:0x4a4a48:fill", "drawbox=0:600:1920:24:0xcfcfcf:fill", "drawbox=120:180:420:430:0x8c5a3c:fill"],
  ...["drawbox=1180:260:560:350:0xc9b27c:fill", "drawbox=0:0:1920:160:0x7c96a6:fill"],
  ...[180, 300, 420].map((x) => `drawbox=${x}:260:70:110:0x22313c:fill`),
  ...[1240, 1390, 1540].map((x) => `drawbox=${x}:330:80:150:0x1d2730:fill`),
  ...["drawbox=820:60:34:560:0x3a3a3a:fill", "drawbox=700:150:280:16:0x303030:fill", "drawbox=640:840:600:14:0xe8e8e8:fill"],
].join(",");
const noise = (seed: number) => `noise=c0s=6:c0f=t+u:all_seed=${seed}`;

/** One key frame of the scene with `change` in front of the camera's own noise. */
function show(name: string, change: string, seed: number): void {
  const filters = [scene, ...(change === "" ? [] : [change]), noise(seed)].join(",");
  const how = ["-frames:v", "1", "-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-pix_fmt", "yuv420p"];
  execFileSync("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", filters, ...how, film(name)]);
}

const person = "drawbox=900:560:70:220:0x23233a:fill,drawbox=912:510:46:52:0xb08a70:fill";
const night = "eq=brightness=-0.32:contrast=0.55,hue=s=0";
/** Name, what is before the lens, and the word that it must lead to in the end; by day where nothing else is said. */
const scenes: readonly (readonly [string, string, string, Light?])[] = [
  ["the same", "", "good"],
  ["bright noon", "eq=brightness=0.1", "good"],
  ["dull day", "eq=brightness=-0.15:contrast=0.8", "good"],
  ["somebody walks by", person, "good"],
  ["a lorry over a third of the view", "drawbox=600:300:640:560:0x2c4a2c:fill", "good"],
  ["rain on the road", "noise=c0s=14:c0f=t", "good"],
  ["infrared at night", night, "good", "night"],
  ["a board over most of the view", "drawbox=0:0:1500:1080:0x3f3a36:fill", "covered"],
  ["a hand over the lens", "drawbox=0:0:1920:1080:0x4a3a34:fill,gblur=sigma=40", "covered"],
  ["black by day", "drawbox=0:0:1920:1080:black:fill", "covered"],
  ["black at night", "drawbox=0:0:1920:1080:black:fill", "dark", "night"],
  ["washed out", "drawbox=0:0:1920:1080:white:fill", "bright"],
  ["out of focus", "gblur=sigma=8", "blurred"],
  ["hanging upside down", "vflip,hflip", "moved"],
  ["turned by a third of the view", "crop=1280:1080:640:0,pad=1920:1080:0:0:0x55606a", "moved"],
];

beforeAll(() => {
  for (let take = 1; take <= 6; take += 1) {
    show(`day-${take}`, "", take);
    show(`night-${take}`, night, take + 20);
  }
  for (const [i, [name, change]] of scenes.entries()) show(name, change, 100 + i);
  execFileSync("ffmpeg", ["-v", "error", "-y", "-i", film("day-1"), "-c:v", "libx265", "-x265-params", "log-level=none", film("h265")]);
}, 120_000);

const drivers: readonly (readonly [string, Picture])[] = [
  ["real", real],
  ["script", scriptPicture((path) => (path === film("day-1") || path === film("h265") ? street(1) : null))],
];
describe.each(drivers)("%s", (_name, picture) => {
  test("a key frame, small and gray", async () => {
    for (const name of ["day-1", "h265"]) {
      const glimpse = await picture.glance(film(name), never);
      expect(glimpse?.gray.length).toBe((glimpse?.width ?? 0) * (glimpse?.height ?? 0));
      expect(glimpse?.gray.length).toBeGreaterThan(1_000);
      expect(glimpse?.blur).toBeGreaterThan(0);
    }
  });

  test("nothing to be had is no failure: no file, no film, stopped", async () => {
    writeFileSync(film("rubbish"), "rubbish".repeat(1_000));
    copyFileSync("/dev/null", film("empty"));
    for (const name of ["none", "rubbish", "empty"]) expect(await picture.glance(film(name), never)).toBeNull();
    expect(await picture.glance(film("day-1"), AbortSignal.abort())).toBeNull();
  });
});

test("no program, no picture", async () => {
  expect(await makePicture({ ffmpeg: "/no/such/ffmpeg" }).glance(film("day-1"), never)).toBeNull();
});

const glimpses = new Map<string, Glimpse>();
async function viewFrom(name: string) {
  const glimpse = glimpses.get(name) ?? (await real.glance(film(name), never));
  if (glimpse === null) throw new Error(`${name} cannot be seen`);
  glimpses.set(name, glimpse);
  return viewOf(glimpse);
}

describe("a street", () => {
  test.each(scenes.map(([name, , word, light = "day"]) => ({ name, word, light })))("$name: $word", async ({ name, word, light }) => {
    let album = noAlbum;
    for (let take = 1; take <= 6; take += 1) album = look(album, await viewFrom(`${light}-${take}`), light, take).album;
    expect(judge(await viewFrom(name), album.sides[light], light, album.mark)).toBe(word);
  });

  test("the very same picture again is one that stands still", async () => {
    const { album } = look(noAlbum, await viewFrom("day-1"), "day", 0);
    expect(judge(await viewFrom("day-1"), album.sides.day, "day", album.mark)).toBe("frozen");
    expect(judge(await viewFrom("day-2"), album.sides.day, "day", album.mark)).toBe("unknown");
  });
});
