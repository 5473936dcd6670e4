/** Where a camera's streams are, also after it moved. */
import { expect, test } from "vitest";
import { type Acquaintance, fallbackAt, stranger, streamAt } from "../../agent/core/acquaintance.ts";

const main = "rtsp://10.0.0.5/101";
const sub = "rtsp://10.0.0.5/102";
const onvif = "http://10.0.0.5/onvif";
const moved: Acquaintance = { ...stranger, host: "10.0.0.9" };
const told: Acquaintance = { ...stranger, main: "rtsp://192.168.0.1/m", sub: "rtsp://192.168.0.1/s" };

test.each<readonly [string, Parameters<typeof fallbackAt>[0], Acquaintance, string | null]>([
  ["as configured", { url: main, fallback: sub }, stranger, sub],
  ["none", { url: main }, stranger, null],
  ["none where the main one is configured, whatever the camera tells", { url: main, onvif }, told, null],
  ["asked for with the main one", { onvif }, told, "rtsp://10.0.0.5/s"],
  ["not asked yet", { onvif }, stranger, null],
  ["moves with its camera", { url: main, fallback: sub }, moved, "rtsp://10.0.0.9/102"],
  ["moves with a camera that is known by ONVIF", { onvif, fallback: sub }, moved, "rtsp://10.0.0.9/102"],
  ["at a recorder stays there", { url: main, fallback: "rtsp://10.0.0.2/c5s" }, moved, "rtsp://10.0.0.2/c5s"],
])("the smaller stream: %s", (_, configured, known, expected) => {
  expect(fallbackAt(configured, known)).toBe(expected);
});

test("the main stream of a camera that moved", () => {
  expect(streamAt({ url: main }, moved)).toBe("rtsp://10.0.0.9/101");
});
