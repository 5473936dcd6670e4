/** The cameras' lines: what is read while they record, and what stands when one has fallen silent. */
import { expect, test } from "vitest";
import { newEye, noteFrame } from "../../agent/eye.ts";
import { watchLines } from "../../agent/lines.ts";
import { makeLog } from "../../agent/log.ts";
import { claimFor } from "../../agent/sight.ts";
import type { Wire } from "../../hal/ports.ts";
import { scriptClock, scriptWires } from "../../hal/script.ts";

const hourMs = 3_600_000;
const startAt = Date.parse("2026-11-24T05:00:00Z");
const wire: Wire = {
  address: "10.0.1.20",
  port: 554,
  localPort: 40_000,
  rttMs: 8,
  receivedBytes: 1_000_000,
  segments: 1_000,
  outOfOrder: 0,
};

/** Two cameras: `cho` by TCP at 10.0.1.20, `nha` by UDP. Both record; every past day `cho` sent 250,000 bytes a second at this hour. */
function begin(wires: () => readonly Wire[] | null) {
  const clock = scriptClock(startAt);
  const eyes = new Map(["cho", "nha"].map((id) => [id, newEye(id, 1)]));
  const cho = eyes.get("cho") ?? newEye("cho", 1);
  const stop = new AbortController();
  const asked: (readonly number[])[] = [];
  const deps = {
    ...{ clock, eyes, log: makeLog({ secrets: () => [], write: () => undefined }), wires: scriptWires(wires) },
    store: {
      drawnHours: (_: string, hours: readonly number[]) => {
        asked.push(hours);
        return hours.map(() => ({ ms: hourMs, bytes: 250 * hourMs }));
      },
    },
    patrol: { where: (camera: string) => ({ kind: "at", url: `rtsp://10.0.1.${camera === "cho" ? 20 : 21}/` }) as const },
  };
  const running = watchLines(deps, stop.signal);
  return {
    ...{ eyes, cho, asked },
    /** Ten seconds in which frames come, of these cameras. */
    look: async (...recording: readonly string[]) => {
      for (let i = 0; i < 10; i += 1) {
        for (const id of recording) noteFrame(eyes.get(id) ?? cho, clock.monoMs());
        await clock.advance(1_000);
      }
    },
    end: async () => {
      stop.abort();
      await running;
    },
  };
}

test("round trip and loss of the recorder's own connection, rate beside the usual of the hour", async () => {
  let wires: readonly Wire[] = [wire];
  const { cho, asked, eyes, look, end } = begin(() => wires);
  await look("cho", "nha");
  expect(cho.line).toEqual({ rttMs: 8, outOfOrderPercent: 0, bytesPerSecond: null, usualBytesPerSecond: null });
  cho.lastFile = { path: "cho/1", stream: "main", startAt, ms: 60_000, bytes: 60_000 * 75 };
  // Somebody looks at the camera from this box, by a connection that has carried less.
  const viewer = { ...wire, localPort: 50_000, receivedBytes: 5, rttMs: 900 };
  wires = [viewer, { ...wire, segments: 2_000, outOfOrder: 80 }];
  await look("cho", "nha");
  expect(cho.line).toEqual({ rttMs: 8, outOfOrderPercent: 8, bytesPerSecond: 75_000, usualBytesPerSecond: 250_000 });
  expect(asked.at(-1)).toEqual([1, 2, 3, 4, 5, 6, 7].map((day) => startAt - day * 24 * hourMs));
  expect(eyes.get("nha")?.line).toMatchObject({ rttMs: null, outOfOrderPercent: null });
  // A connection that is new has counted from zero.
  wires = [{ ...wire, localPort: 40_001, segments: 200, outOfOrder: 2 }];
  await look("cho");
  expect(cho.line?.outOfOrderPercent).toBe(1);
  await end();
});

test("the smaller stream is not held against what is usual of the main one", async () => {
  const { cho, look, end } = begin(() => [wire]);
  cho.lastFile = { path: "cho/1", stream: "fallback", startAt, ms: 60_000, bytes: 60_000 * 20 };
  await look("cho");
  expect(cho.line).toMatchObject({ rttMs: 8, bytesPerSecond: null, usualBytesPerSecond: null });
  await end();
});

test("a camera that fell silent keeps what was seen before, whatever its next tries say", async () => {
  let wires: readonly Wire[] | null = [{ ...wire, rttMs: 812 }];
  const { cho, look, end } = begin(() => wires);
  await look("cho");
  wires = [{ ...wire, rttMs: 3 }];
  cho.reason = "stalled";
  await look();
  cho.reason = null;
  await look();
  expect(cho.line?.rttMs).toBe(812);
  await look("cho");
  expect(cho.line?.rttMs).toBe(3);
  wires = null;
  await look("cho");
  expect(cho.line?.rttMs).toBeNull();
  await end();
});

test("what was seen of its line is what a fall is blamed on, while its port answers", async () => {
  const { cho, eyes, look, end } = begin(() => [{ ...wire, rttMs: 812 }]);
  await look("cho", "nha");
  Object.assign(cho, { reason: "stalled", answers: true });
  const none = { value: "unsupported", evidence: [] } as const;
  const claim = claimFor(
    {
      ...{ clock: scriptClock(startAt), gate: { value: () => "ok" }, eyes, households: () => [] },
      senses: { power: () => none, link: () => ({ value: "weak", evidence: [] }), router: () => null },
      placeOf: () => ({ household: null, reach: "lan", holdsBox: false }),
    },
    cho,
  );
  expect(claim.blame).toEqual({ cause: "weak-link", sure: "inferred", evidence: ["stalled", "port-answers", "round-trip 812 ms"] });
  await end();
});
