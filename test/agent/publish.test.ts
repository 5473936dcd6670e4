/** The publisher on a scripted broker and clock: it ends in time whatever the broker does, and gives up no row lightly. */
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stationBootWaitMs } from "../../agent/core/backoff.ts";
import { plainDating } from "../../agent/core/dating.ts";
import { expirySecondsOf, healthMs, heartbeatMs, renewMs } from "../../agent/core/message.ts";
import type { Log } from "../../agent/log.ts";
import { publishStation, type Station } from "../../agent/publish.ts";
import { openStore } from "../../agent/store/store.ts";
import { confirmDeadlineMs } from "../../hal/broker.ts";
import type { Broker, Message, PublishResult } from "../../hal/ports.ts";
import { type ScriptClock, scriptBroker, scriptClock } from "../../hal/script.ts";
import { tempFolder } from "../lib/temp.ts";

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const draft = (topic: string): Message => ({ topic, payload: "{}", qos: 1, retain: true, expirySeconds: null });

/** Closed before the process ends: Node 24 does not forgive a database that is left open. */
const opened: ReturnType<typeof openStore>[] = [];
afterAll(() => {
  for (const store of opened) store.close();
});

function journalOf(count: number) {
  const store = openStore(join(tempFolder("publish"), "state"));
  opened.push(store);
  store.begin({ bootId: "b", wallMs: 1_000, monoMs: 0, clock: "synced", version: "test", above: 0 });
  for (let i = 0; i < count; i += 1) {
    const moment = { at: i, monoMs: i, clock: "synced" } as const;
    store.commit([{ put: "event", moment, type: "camera.changed", level: "info", data: { number: i } }]);
  }
  return store;
}

function stationOf(clock: ScriptClock, broker: Broker, store: ReturnType<typeof journalOf>): Station {
  const login = () => ({ url: "mqtt://x", ca: null, cert: null, key: null, credential: null });
  return {
    ...{ clock, broker, log: silent, random: () => 0.5, address: { commune: "xa", site: "s1" }, boot: "b.1", hasJustBooted: false, login },
    ...{ journal: store.journal, nowAt: clock.wallMs, dating: () => plainDating, config: () => "c1" },
    moment: () => ({ at: clock.monoMs(), monoMs: clock.monoMs(), clock: "synced" }),
    pages: { next: () => null, touch: () => undefined, startOver: () => undefined },
    ...{
      birth: async () => draft("birth"),
      health: () => draft("matghi/v1/xa/from/s1/health"),
      conditions: () => [],
      onStation: () => undefined,
      onTakeover: () => undefined,
      isOurs: () => true,
    },
    hold: () => ({ ok: false }),
    retained: { all: () => [], put: () => undefined, isSettled: () => true },
  };
}

/** Did it end within so many scripted milliseconds? */
async function endsWithin(clock: ScriptClock, done: Promise<void>, ms: number): Promise<boolean> {
  let ended = false;
  void done.then(() => {
    ended = true;
  });
  for (let passed = 0; passed < ms && !ended; passed += 100) await clock.advance(100);
  return ended;
}

test("a box that has just booted waits its turn before its first attempt, and only then", async () => {
  const clock = scriptClock(0);
  const broker = scriptBroker();
  const waited = async (hasJustBooted: boolean, connections: { count: number }) => {
    const [before, began, stop] = [broker.attempts.length, clock.monoMs(), new AbortController()];
    const done = publishStation({ ...stationOf(clock, broker, journalOf(0)), hasJustBooted }, stop.signal, connections);
    while (broker.attempts.length === before) await clock.advance(1_000);
    const waitedMs = clock.monoMs() - began;
    stop.abort();
    expect(await endsWithin(clock, done, 5_000)).toBe(true);
    return waitedMs;
  };
  const connections = { count: 0 };
  expect(await waited(true, connections)).toBe(stationBootWaitMs(0.5));
  expect(await waited(true, connections), "after a rest of the same run").toBe(0);
  expect(await waited(false, { count: 0 })).toBe(0);
});

test("a stop in the middle of a backlog says leaving and ends", async () => {
  const clock = scriptClock(0);
  const broker = scriptBroker();
  const stop = new AbortController();
  const done = publishStation(stationOf(clock, broker, journalOf(5_000)), stop.signal);
  await clock.advance(3_000);
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
  expect(broker.messages.at(-1)).toMatchObject({ topic: "matghi/v1/xa/from/s1/state", payload: expect.stringContaining("leaving") });
});

test("a stop while the broker confirms nothing ends all the same", async () => {
  const clock = scriptClock(0);
  const spoken = scriptBroker();
  const mute: Broker = {
    connect: async (options, signal) => {
      const result = await spoken.connect(options, signal);
      if (result.kind !== "connected") return result;
      return { kind: "connected", session: { ...result.session, publish: () => new Promise<PublishResult>(() => undefined) } };
    },
  };
  const stop = new AbortController();
  const done = publishStation(stationOf(clock, mute, journalOf(10)), stop.signal);
  await clock.advance(3_000);
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("a session that ends while a stop is under way does not keep it", async () => {
  const clock = scriptClock(0);
  const broker = scriptBroker();
  const stop = new AbortController();
  const done = publishStation(stationOf(clock, broker, journalOf(5_000)), stop.signal);
  await clock.advance(3_000);
  stop.abort();
  broker.cut();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("a row that the broker rejects for itself is set aside with a numbered record; a broker that rejects all is waited for", async () => {
  const clock = scriptClock(0);
  const isBad = (message: Message) => message.topic.endsWith("/event") && message.payload.includes('"number":3}');
  let rejectsAll = true;
  const broker = scriptBroker({
    publish: (message) => (message.topic.endsWith("/event") && (rejectsAll || isBad(message)) ? "rejected" : "ok"),
  });
  const store = journalOf(20);
  const stop = new AbortController();
  const done = publishStation(stationOf(clock, broker, store), stop.signal);
  await clock.advance(1_200_000);
  expect(store.journal.cursor()).toBe(0);
  rejectsAll = false;
  await clock.advance(200_000);
  expect(store.journal.cursor(), "one rejection among rows that were taken is no proof").toBe(3);
  await clock.advance(600_000);
  const sent = broker.messages
    .filter(({ topic }) => topic.endsWith("/event"))
    .map(({ payload }) => JSON.parse(payload) as { g: number; type: string; data: object });
  expect(new Set(sent.map(({ g }) => g))).toEqual(new Set([1, 2, 3, ...Array.from({ length: 17 }, (_, i) => i + 5)]));
  expect(sent.find(({ type }) => type === "journal.dropped")?.data).toMatchObject({
    from: 4,
    to: 4,
    count: 1,
    byType: { "camera.changed": 1 },
  });
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("a row that comes alone is never set aside: nothing says that the broker takes others", async () => {
  const clock = scriptClock(0);
  const broker = scriptBroker({ publish: ({ topic }) => (topic.endsWith("/event") ? "rejected" : "ok") });
  const store = journalOf(1);
  const stop = new AbortController();
  const done = publishStation(stationOf(clock, broker, store), stop.signal);
  await clock.advance(1_800_000);
  expect([store.journal.cursor(), store.journal.lastG()]).toEqual([0, 1]);
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("publishes that are lost before the session says that it is over do not keep a stop", async () => {
  const clock = scriptClock(0);
  let isLost = false;
  const broker = scriptBroker({ publish: () => (isLost ? "lost" : "ok") });
  const stop = new AbortController();
  const done = publishStation(stationOf(clock, broker, journalOf(5_000)), stop.signal);
  await clock.advance(3_000);
  isLost = true;
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("a busy broker is asked again a little later, and nothing is passed over", async () => {
  const clock = scriptClock(0);
  let asked = 0;
  const broker = scriptBroker({
    publish: ({ topic }) => {
      if (!topic.endsWith("/event") || clock.monoMs() > 60_000) return "ok";
      asked += 1;
      return "busy";
    },
  });
  const store = journalOf(3);
  const stop = new AbortController();
  const done = publishStation(stationOf(clock, broker, store), stop.signal);
  await clock.advance(60_000);
  expect(asked).toBeLessThan(3 * 60);
  await clock.advance(10_000);
  expect(store.journal.cursor()).toBe(3);
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("whatever a message of the station brings about, the session goes on", async () => {
  const clock = scriptClock(0);
  const broker = scriptBroker();
  const store = journalOf(3);
  const errors: string[] = [];
  const log: Log = { ...silent, error: (_facts, text) => errors.push(text) };
  const journal = {
    ...store.journal,
    noteAck: () => {
      throw new Error("the database is gone");
    },
  };
  const stop = new AbortController();
  const done = publishStation({ ...stationOf(clock, broker, store), log, journal }, stop.signal);
  await clock.advance(3_000);
  broker.say("matghi/v1/xa/to/s1/ack", JSON.stringify({ db: store.journal.dbId(), g: 1 }));
  broker.say("matghi/v1/xa/to/s1/command/ping", "{}", "c1");
  await clock.advance(1_000);
  expect(errors).toEqual(["a message of the station could not be dealt with"]);
  expect(broker.messages.some(({ topic }) => topic.endsWith("result/c1"))).toBe(true);
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("what is said to the site and is nothing that it knows is refused on its correlation and logged, wherever it stands; what is taken back is not", async () => {
  const clock = scriptClock(0);
  const broker = scriptBroker();
  const warned: unknown[] = [];
  const log: Log = { ...silent, warn: (facts) => warned.push(facts) };
  const stop = new AbortController();
  const done = publishStation({ ...stationOf(clock, broker, journalOf(1)), log }, stop.signal);
  await clock.advance(3_000);
  const strange = ["officer/lift/7", "officer/hold/a.b", "officer/hold/a/b", "settings", "ping", "command/format", "x".repeat(41)];
  for (const [i, end] of strange.entries()) broker.say(`matghi/v1/xa/to/s1/${end}`, "{}", `c${i}`);
  for (const end of ["officer/lift/7", "officer/hold/h1"]) broker.say(`matghi/v1/xa/to/s1/${end}`, "", "back");
  broker.say("matghi/v1/xa/to/s2/settings", "{}", "other");
  await clock.advance(1_000);
  const names = strange.map((end) => end.replace("command/", "").slice(0, 40));
  const answers = broker.messages.filter(({ topic }) => topic.includes("/result/"));
  expect(answers.map(({ topic, payload }) => [topic.split("/").at(-1), JSON.parse(payload)])).toEqual(
    names.map((command, i) => [`c${i}`, { v: 1, command, ok: false, reason: "unknown command" }]),
  );
  expect(warned).toEqual(names.map((command) => ({ command })));
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("what the broker had kept for the site is answered after birth, state and conditions, not before", async () => {
  const clock = scriptClock(0);
  const broker = scriptBroker();
  const stop = new AbortController();
  const birth = async () => {
    broker.say("matghi/v1/xa/to/s1/command/ping", "{}", "early");
    return draft("birth");
  };
  const conditions = () => [draft("condition")];
  const done = publishStation({ ...stationOf(clock, broker, journalOf(1)), birth, conditions }, stop.signal);
  await clock.advance(3_000);
  const said = broker.messages.map(({ topic }) => topic.split("/").at(-1));
  const greeting = ["birth", "state", "condition"].map((topic) => said.indexOf(topic));
  expect(Math.min(...greeting)).toBe(0);
  expect(said.indexOf("early")).toBeGreaterThan(Math.max(...greeting));
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("what comes before a greeting that fails is taken all the same", async () => {
  const clock = scriptClock(0);
  const broker = scriptBroker();
  const store = journalOf(1);
  const acked: number[] = [];
  const journal = { ...store.journal, noteAck: (g: number) => void acked.push(g) };
  const stop = new AbortController();
  const birth = async () => {
    broker.say("matghi/v1/xa/to/s1/ack", JSON.stringify({ db: store.journal.dbId(), g: 1 }));
    throw new Error("the disk is gone");
  };
  const done = publishStation({ ...stationOf(clock, broker, store), journal, birth }, stop.signal);
  await clock.advance(1_000);
  expect(acked[0]).toBe(1);
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("more than is kept before the greeting is told once, and what is kept is answered", async () => {
  const clock = scriptClock(0);
  const broker = scriptBroker();
  const warned: string[] = [];
  const log: Log = { ...silent, warn: (_facts, text) => warned.push(text) };
  const stop = new AbortController();
  const birth = async () => {
    for (let i = 0; i < 1_003; i += 1) broker.say("matghi/v1/xa/to/s1/command/ping", "{}", `c${i}`);
    return draft("birth");
  };
  const done = publishStation({ ...stationOf(clock, broker, journalOf(1)), log, birth }, stop.signal);
  await clock.advance(3_000);
  expect(broker.messages.filter(({ topic }) => topic.includes("/result/")).length).toBe(1_000);
  expect(warned).toEqual([expect.stringContaining("more before the greeting than is kept")]);
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("a birth that the broker does not take is told on the log once, and in health", async () => {
  const clock = scriptClock(0);
  let births = 0;
  const broker = scriptBroker({
    publish: ({ topic }) => {
      if (topic !== "birth") return "ok";
      births += 1;
      return "rejected";
    },
  });
  const warned: string[] = [];
  const log: Log = { ...silent, warn: (_facts, text) => warned.push(text) };
  const errors = new Set<string | null>();
  const health = (lastError: string | null) => {
    errors.add(lastError);
    return draft("matghi/v1/xa/from/s1/health");
  };
  const stop = new AbortController();
  const done = publishStation({ ...stationOf(clock, broker, journalOf(1)), log, health }, stop.signal);
  await clock.advance(1_000);
  broker.say("matghi/v1/xa/to/s1/command/rebirth", "{}", "c1");
  await clock.advance(1_000);
  expect([births, warned]).toEqual([2, ["the broker does not take the birth"]]);
  expect([...errors]).toEqual(["the broker does not take the birth (rejected)"]);
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("pages start over at a broker that does not know us, not at one that does; one that cannot be read keeps nobody", async () => {
  const clock = scriptClock(0);
  const broker = scriptBroker();
  const store = journalOf(3);
  let [startedOver, touched] = [0, 0];
  const pages: Station["pages"] = {
    next: () => {
      throw new Error("no such table");
    },
    touch: (camera) => {
      if (camera === null) touched += 1;
    },
    startOver: () => {
      startedOver += 1;
    },
  };
  const stop = new AbortController();
  const done = publishStation({ ...stationOf(clock, broker, store), pages }, stop.signal);
  await clock.advance(5_000);
  expect([startedOver, store.journal.cursor(), broker.attempts.length]).toEqual([1, 3, 1]);
  store.commit([
    { put: "event", moment: { at: 9, monoMs: 9, clock: "synced" }, type: "clock.step", level: "warn", data: { stepMs: 7_200_000 } },
  ]);
  await clock.advance(5_000);
  expect(touched, "a step of the clock may change every page").toBe(1);
  broker.cut();
  await clock.advance(30_000);
  expect([startedOver, broker.attempts.length]).toEqual([1, 2]);
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

/** A renewed message replaces the one before in time, also where that came at once and this one as late as a session bears. */
test.each([
  ["state", heartbeatMs],
  ["health", healthMs],
  ["camera", renewMs],
] as const)("%s holds longer than its renewal may take", (topic, everyMs) => {
  expect(everyMs + confirmDeadlineMs).toBeLessThan(1_000 * (expirySecondsOf(topic) ?? 0));
});

test("where each message comes to take ten seconds, twenty-six cameras are all renewed before they expire, and none oftener than it must", async () => {
  const clock = scriptClock(0);
  const spoken = scriptBroker();
  const sentAt = new Map<string, number[]>();
  const slowFromMs = 600_000;
  const slow: Broker = {
    connect: async (options, signal) => {
      const result = await spoken.connect(options, signal);
      if (result.kind !== "connected") return result;
      const publish = async (message: Message) => {
        if (clock.monoMs() > slowFromMs) await clock.sleep(10_000, signal);
        if (message.topic.includes("camera/")) sentAt.set(message.topic, [...(sentAt.get(message.topic) ?? []), clock.monoMs()]);
        return result.session.publish(message);
      };
      return { kind: "connected", session: { ...result.session, publish } };
    },
  };
  const stop = new AbortController();
  const drafts = Array.from({ length: 26 }, (_, i) => draft(`camera/c${i}`));
  // All change together once, as when a line comes back.
  const conditions = () => (clock.monoMs() < 3_000_000 ? drafts : drafts.map((one) => ({ ...one, payload: '{"state":"other"}' })));
  const done = publishStation({ ...stationOf(clock, slow, journalOf(0)), conditions }, stop.signal);
  for (let minutes = 0; minutes < 120; minutes += 1) await clock.advance(60_000);
  expect(sentAt.size).toBe(26);
  for (const [topic, times] of sentAt) {
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at));
    expect(Math.max(...gaps), topic).toBeLessThan(1_000 * (expirySecondsOf("camera") ?? 0));
    expect(times.length, topic).toBeLessThanOrEqual(3 + Math.ceil((120 * 60_000) / renewMs));
  }
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});

test("a line that carries a backlog and thirty cameras slowly keeps nobody from hearing that the site lives", async () => {
  const clock = scriptClock(0);
  const spoken = scriptBroker();
  const sentAt: Record<string, number[]> = { health: [], state: [] };
  const slow: Broker = {
    connect: async (options, signal) => {
      const result = await spoken.connect(options, signal);
      if (result.kind !== "connected") return result;
      const publish = async (message: Message) => {
        sentAt[message.topic.split("/").at(-1) ?? ""]?.push(clock.monoMs());
        await clock.sleep(confirmDeadlineMs - 5_000, signal);
        return result.session.publish(message);
      };
      return { kind: "connected", session: { ...result.session, publish } };
    },
  };
  const stop = new AbortController();
  const station = stationOf(clock, slow, journalOf(200));
  const conditions = () => Array.from({ length: 30 }, (_, i) => draft(`camera/c${i}`));
  const done = publishStation({ ...station, conditions }, stop.signal);
  for (let minutes = 0; minutes < 60; minutes += 1) await clock.advance(60_000);
  for (const [topic, everyMs] of [
    ["health", healthMs],
    ["state", heartbeatMs],
  ] as const) {
    const times = sentAt[topic] ?? [];
    const gaps = times.map((at, i) => at - (times[i - 1] ?? at));
    // Each beat is looked at once a second, and health goes with every second beat.
    expect(Math.max(...gaps), topic).toBeLessThanOrEqual(everyMs + 2_000);
    expect(times.length).toBeGreaterThan((50 * 60_000) / everyMs);
  }
  stop.abort();
  expect(await endsWithin(clock, done, 5_000)).toBe(true);
});
