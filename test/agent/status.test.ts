/** What a person should do is said in the site's language and, for whoever reads it at the station, in the other. */
import { afterEach, expect, test } from "vitest";
import { readStatus } from "../../agent/query.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

let village: Village | null = null;
afterEach(() => village?.stop());

test("each thing to do says in its texts what a site of the other language says", async () => {
  const cameras = ['id: cho, name: Chợ Tre, url: "rtsp://cho/main"', 'id: cau, url: "rtsp://cau/main"'];
  const made = makeVillage({ folder: tempFolder("status"), startAt: Date.parse("2026-11-24T00:00:00Z"), cameras });
  village = made;
  await made.boot();
  made.scene.trouble.set("cho", "silent");
  await made.pass(120_000);
  const todo = (language: "vi" | "en") =>
    made.ask((asking) => {
      const { settings } = asking;
      return readStatus({ ...asking, settings: { ...settings, site: { ...settings.site, language } } }, "0").todo;
    });
  const [vi, en] = [todo("vi"), todo("en")];
  expect(vi.map(({ text }) => text)).toEqual([expect.stringContaining("Chợ Tre")]);
  expect(vi.map(({ texts }) => texts)).toEqual(en.map(({ text }) => ({ en: text })));
  expect(en.map(({ texts }) => texts)).toEqual(vi.map(({ text }) => ({ vi: text })));
  expect(en[0]?.text).not.toBe(vi[0]?.text);
});
