/** A camera that has left the configuration goes from the broker as soon as the others are known; one that is looked at by hand is waited for by nobody. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { memoryFolder } from "../lib/temp.ts";
import { makeVillage } from "../lib/world.ts";

const topic = "matghi/v1/nghia-phuong/from/an-dai-1/camera/cho-1";

test("its message is taken back within seconds of the reload", async () => {
  const gone = 'id: cho-1, url: "rtsp://cho-1/"';
  const village = makeVillage({
    ...{ folder: memoryFolder("taken-back"), startAt: Date.parse("2026-11-23T17:00:00.000Z"), station: 'url: "mqtt://127.0.0.1:1"' },
    cameras: [gone, 'id: cho-2, url: "rtsp://cho-2/"', "id: ho-12, kind: 1, manual: { checked: 2026-01-10 }"],
  });
  const said = () => village.brokers.at(-1)?.messages.filter((message) => message.topic === topic) ?? [];
  await village.boot();
  await village.pass(20_000);
  expect(said().at(-1)?.payload).toContain('"state":"recording"');
  writeFileSync(village.config, readFileSync(village.config, "utf8").replace(`  - { ${gone} }\n`, ""));
  village.reload();
  await village.pass(10_000);
  expect(said().at(-1)).toMatchObject({ payload: "", retain: true });
  await village.stop();
});
