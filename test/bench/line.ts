/** What a site says to its station in a day: topics and payloads of a scripted site on virtual time. */
import type { Message } from "../../hal/ports.ts";
import { scriptBroker } from "../../hal/script.ts";
import { memoryFolder } from "../lib/temp.ts";
import { makeVillage } from "../lib/world.ts";
import type { Figure } from "./figures.ts";

const hourMs = 3_600_000;
/** MQTT 5 around topic and payload: fixed header, lengths, packet id, properties; and the confirmation. */
const overheadBytes = 18;

/** Kilobytes a day without TCP and TLS: of a site where nothing happens, and of one with a camera lost every half hour. */
export async function lineFigures(count: number): Promise<readonly Figure[]> {
  let bytes = 0;
  const broker = scriptBroker({
    publish: ({ topic, payload }: Message) => {
      bytes += topic.length + Buffer.byteLength(payload) + overheadBytes;
      return "ok";
    },
  });
  const ids = Array.from({ length: count }, (_, i) => `cam-${i + 1}`);
  const startAt = Date.parse("2026-11-23T17:00:00.000Z");
  const village = makeVillage({
    ...{ folder: memoryFolder("bench-line"), startAt, broker },
    cameras: ids.map((id) => `id: ${id}, url: "rtsp://${id}/"`),
  });
  await village.boot();
  await village.pass(hourMs / 4);
  const hours: number[] = [];
  for (const isTroubled of [false, true]) {
    const before = bytes;
    for (let half = 0; half < 2; half += 1) {
      if (isTroubled) village.scene.trouble.set("cam-1", "silent");
      await village.pass(hourMs / 12);
      village.scene.trouble.delete("cam-1");
      await village.pass((hourMs * 5) / 12);
    }
    hours.push(bytes - before);
  }
  await village.stop();
  const [quiet = Number.NaN, troubled = Number.NaN] = hours.map((of) => (of * 24) / 1_000);
  return [
    { name: `said to the station in a quiet day, ${count} cameras`, unit: "kB", values: [quiet], most: null },
    {
      name: `said to the station in a day with a camera lost every half hour, ${count} cameras`,
      unit: "kB",
      values: [troubled],
      most: null,
    },
  ];
}
