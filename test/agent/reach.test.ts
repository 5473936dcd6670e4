/** While the station is not reached, the first broken rung of the way to it is found and said; while it is, nobody asks anything. */
import { expect, test } from "vitest";
import type { Change } from "../../agent/core/change.ts";
import { doorRung, linkRung, reachOf } from "../../agent/core/reach.ts";
import { makeLog } from "../../agent/log.ts";
import { watchReach } from "../../agent/reach.ts";
import type { Reading } from "../../hal/ports.ts";
import { scriptClock, scriptDoor } from "../../hal/script.ts";

const second = 1_000;

function begin() {
  const clock = scriptClock(Date.parse("2026-11-24T00:00:00Z"));
  const machine = scriptDoor();
  const state = {
    link: { value: "up", evidence: ["eth0"] } as Reading,
    station: "connected",
    evidence: [] as string[],
    note: null as string | null,
  };
  const commit = (change: Change) => {
    for (const write of change) if (write.put === "note") state.note = write.text;
    return { kind: "written" } as const;
  };
  const stop = new AbortController();
  const done = watchReach(
    {
      ...{ clock, machine, log: makeLog({ secrets: () => [], write: () => undefined }), link: () => state.link },
      store: {
        ...{ commit, meta: () => state.note },
        conditions: () => [{ subject: "station", value: state.station, sinceAt: null, evidence: state.evidence }],
      },
      station: () => ({ host: "tram.example", port: 8883 }),
    },
    stop.signal,
  );
  return {
    ...{ state, machine, pass: (ms: number) => clock.advance(ms), rung: () => reachOf(state.note) },
    end: () => {
      stop.abort();
      return done;
    },
  };
}

test("each rung is the finding where it is the first that is broken, and is taken back when the station has us", async () => {
  const way = begin();
  await way.pass(60 * second);
  expect([way.rung(), way.machine.asked()]).toEqual([null, 0]);
  way.state.station = "unreachable";
  way.machine.set({ kind: "no-name", detail: "ENOTFOUND" });
  await way.pass(3 * second);
  expect(way.rung()).toEqual({ rung: "dns", detail: "tram.example:8883 ENOTFOUND" });
  way.machine.set({ kind: "no-port", detail: "ECONNREFUSED" });
  await way.pass(62 * second);
  expect(way.rung()).toEqual({ rung: "port", detail: "tram.example:8883 ECONNREFUSED" });
  way.machine.set({ kind: "open", certificateEndsAt: null });
  Object.assign(way.state, { station: "refused", evidence: ["not authorized"] });
  await way.pass(62 * second);
  expect(way.rung()).toEqual({ rung: "mqtt", detail: "not authorized" });
  way.state.link = { value: "down", evidence: ["rung gateway", "192.168.1.1 silent"] };
  const before = way.machine.asked();
  await way.pass(60 * second);
  // The box's own network is gone: nobody asks beyond it.
  expect([way.rung(), way.machine.asked() - before]).toEqual([{ rung: "gateway", detail: "192.168.1.1 silent" }, 0]);
  way.state.link = { value: "up", evidence: ["eth0"] };
  way.state.station = "connected";
  await way.pass(3 * second);
  expect(way.rung()).toBeNull();
  await way.end();
});

test("it asks once a minute, and not while the station has us", async () => {
  const way = begin();
  way.state.station = "unreachable";
  way.machine.set({ kind: "no-port", detail: "ETIMEDOUT" });
  await way.pass(600 * second);
  expect(way.machine.asked()).toBeGreaterThanOrEqual(9);
  expect(way.machine.asked()).toBeLessThanOrEqual(11);
  way.state.station = "connected";
  const before = way.machine.asked();
  await way.pass(600 * second);
  expect(way.machine.asked()).toBe(before);
  await way.end();
});

test("a link that is up or weak breaks no rung; one that says nothing of its rung is broken at the box", () => {
  expect([linkRung("up", ["eth0"]), linkRung("weak", ["wlan0", "signal -80 dBm"]), linkRung("unknown", [])]).toEqual([null, null, null]);
  expect(linkRung("down", ["file down"])?.rung).toBe("interface");
  expect(doorRung({ kind: "no-trust", detail: "x" }, "h:1", ["certificate"])).toEqual({ rung: "mqtt", detail: "certificate" });
});
