/** What the station is told of footage that follows no rule of rotation: held beyond its days, deleted by hand. The board answers by it. */
import { expect, test } from "vitest";
import { mostHeld } from "../../agent/core/message.ts";
import { tellToll, tollOf } from "../../agent/core/toll.ts";
import type { Span } from "../../agent/core/types.ts";
import { openStore } from "../../agent/store/store.ts";
import { communeOf } from "../../deploy/station/board/model/commune.ts";
import type { Kept } from "../../deploy/station/board/model/kept.ts";
import { findingOf } from "../../deploy/station/board/model/question.ts";
import { sentProblems } from "../lib/messages.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

/** The test's hour. */
const hour = 20 * 60_000;
const startAt = Date.parse("2026-11-23T17:00:00.000Z");

/** What a station's board holds of everything that was sent, as if it came now. */
function boardOf(village: Village): ReadonlyMap<string, Kept> {
  const retained = new Map<string, Kept>();
  for (const { topic, payload, retain } of village.brokers.flatMap(({ messages }) => messages)) {
    if (!retain) continue;
    const name = topic.split("/").slice(3).join("/");
    if (payload === "") retained.delete(name);
    else retained.set(name, { value: JSON.parse(payload) as unknown, saidAt: village.now() });
  }
  return retained;
}

function answer(village: Village, fromAt: number, toAt: number): string {
  const retained = boardOf(village);
  const [site] = communeOf(retained, village.now()).sites;
  const [camera] = site?.cameras ?? [];
  if (site === undefined || camera === undefined) throw new Error("no camera");
  return findingOf(retained, site, camera, { fromAt, toAt }, village.now()).answer;
}

/** A span in so many equal parts. */
function partsOf({ fromAt, toAt }: Span, count: number): readonly Span[] {
  const edges = Array.from({ length: count + 1 }, (_, i) => Math.round(fromAt + ((toAt - fromAt) * i) / count));
  return edges.slice(1).map((edge, i) => ({ fromAt: edges[i] ?? edge, toAt: edge }));
}

test("what is held is there though it is over age; what was deleted by hand is not there", async () => {
  const village = makeVillage({
    ...{ folder: tempFolder("kept"), startAt, station: 'url: "mqtt://127.0.0.1"' },
    cameras: ['id: cho, url: "rtsp://cho/"'],
    recording: "keep: { min: 0s, max: 80min }",
  });
  await village.boot();
  await village.pass(2 * hour);
  const store = openStore(village.settings.site.state);
  const span = (from: number, to: number) => ({ fromAt: startAt + from * hour, toAt: startAt + to * hour });
  const held = span(0.5, 1);
  // More holds than a message has room for, one after the other: they are told as one.
  store.commit(
    partsOf(held, mostHeld + 1).map(({ fromAt, toAt }) => ({
      put: "hold-added",
      hold: {
        ...{ fromAt, toAt, fromUtc: fromAt, toUtc: toAt, camera: "cho", request: "CV 1", officer: "A" },
        ...{ sinceAt: village.now(), untilUtc: null },
      },
    })),
  );
  await village.pass(4 * hour);
  expect(answer(village, held.fromAt, held.toAt)).toBe("yes");
  expect(answer(village, held.toAt + 0.2 * hour, held.toAt + 0.4 * hour)).toBe("no");

  const erased = span(3, 3.5);
  expect(answer(village, erased.fromAt, erased.toAt)).toBe("yes");
  const segments = store.segmentsTouching("cho", erased);
  const moment = { at: village.now(), monoMs: 0, clock: "synced" } as const;
  store.commit([
    { put: "doom", segments: segments.map(({ id }) => id), why: "by hand", at: moment.at },
    ...tellToll(moment, "by hand", tollOf(segments)),
  ]);
  await village.pass(60_000);
  expect(answer(village, erased.fromAt, erased.toAt)).toBe("no");
  store.close();
  const sent = village.brokers.flatMap(({ messages }) => messages);
  expect(sent.flatMap((message) => sentProblems(message))).toEqual([]);
  await village.stop();
});
