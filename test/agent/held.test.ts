/** What is held is told with each camera, within a bound: the oldest stretches, and how many more there are. */
import { afterEach, expect, test } from "vitest";
import { cameraMessage, mostHeld } from "../../agent/core/message.ts";
import { openStore } from "../../agent/store/store.ts";
import { mostPayloadBytes } from "../../hal/broker.ts";
import { type Sent, sentProblems } from "../lib/messages.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const minute = 60_000;
const startAt = Date.parse("2026-11-24T00:00:00Z");
let village: Village | null = null;
afterEach(() => village?.stop());

type Told = { readonly held: readonly { readonly from: string; readonly to: string }[]; readonly heldLeftOut: number };
const toldOf = (message: Sent | undefined) => JSON.parse(message?.payload ?? "null") as Told;
const span = (fromMinute: number, toMinute: number) => ({ fromAt: startAt + fromMinute * minute, toAt: startAt + toMinute * minute });
const said = ({ fromAt, toAt }: ReturnType<typeof span>) => ({ from: new Date(fromAt).toISOString(), to: new Date(toAt).toISOString() });

test("more held stretches than are told: the oldest, joined where they lie on each other, and the number of the rest", async () => {
  const made = makeVillage({
    ...{ folder: tempFolder("held"), startAt, station: 'url: "mqtt://127.0.0.1:1"' },
    cameras: ['id: cho, url: "rtsp://cho/"', 'id: cau, url: "rtsp://cau/"'],
  });
  village = made;
  await made.boot();
  await made.pass(60 * minute);
  // Every second minute from the second on, and one that lies on the first two of them.
  const wanted = [span(4, 7), ...Array.from({ length: mostHeld + 6 }, (_, i) => span(4 + 2 * i, 5 + 2 * i))];
  const store = openStore(made.settings.site.state);
  try {
    store.commit(
      wanted.map(({ fromAt, toAt }) => ({
        put: "hold-added",
        hold: {
          camera: "cho",
          request: "CV 12",
          officer: "A",
          fromAt,
          toAt,
          fromUtc: fromAt,
          toUtc: toAt,
          sinceAt: startAt,
          untilUtc: null,
        },
      })),
    );
  } finally {
    store.close();
  }
  await made.pass(3 * minute);
  const last = (camera: string) => made.brokers.at(-1)?.messages.findLast(({ topic }) => topic.endsWith(`/camera/${camera}`));
  const { held, heldLeftOut } = toldOf(last("cho"));
  expect(held).toEqual([span(4, 7), ...Array.from({ length: mostHeld - 1 }, (_, i) => span(8 + 2 * i, 9 + 2 * i))].map(said));
  expect(heldLeftOut).toBe(5);
  expect(toldOf(last("cau"))).toMatchObject({ held: [], heldLeftOut: 0 });
  for (const camera of ["cho", "cau"]) expect(sentProblems(last(camera) as Sent)).toEqual([]);
}, 60_000);

test("however much is held, and however long its names are, a camera's message is as published and one that the broker takes", () => {
  const held = Array.from({ length: 10_000 }, (_, i) => span(2 * i, 2 * i + 1));
  const message = cameraMessage(
    { commune: "nghia-phuong", site: "an-dai-1" },
    {
      ...{ id: "x".repeat(32), name: "ộ".repeat(500), group: "ộ".repeat(500), kind: 2, priority: true, household: "h".repeat(32) },
      ...{ state: "not-recording", why: "refused-password", sinceAt: startAt, stream: "fallback" },
      ...{
        lastFrameAt: startAt,
        recorded24h: 0.987_654_321,
        daysKept: 29.123_456,
        held,
        clockOffsetMs: -86_400_000,
        picture: { value: "covered", since: new Date(startAt).toISOString() },
      },
    },
  );
  expect(toldOf(message)).toMatchObject({ heldLeftOut: 10_000 - mostHeld, held: held.slice(0, mostHeld).map(said) });
  expect(sentProblems(message)).toEqual([]);
  expect(Buffer.byteLength(message.payload)).toBeLessThanOrEqual(mostPayloadBytes);
});
