/**
 * What the station's broker may send, drawn: commands, acknowledgements, requests to hold footage, on every topic. The publisher goes on,
 * answers what asks for an answer, and no message moves the cursor, holds more than the box allows, or brings forth an event twice.
 */
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "../../agent/config.ts";
import { plainDating } from "../../agent/core/dating.ts";
import type { Log } from "../../agent/log.ts";
import { answerHold, type HoldAnswer, type OfficerDeps } from "../../agent/officer.ts";
import { publishStation, type Station } from "../../agent/publish.ts";
import { openStore } from "../../agent/store/store.ts";
import { scriptBroker, scriptClock } from "../../hal/script.ts";
import { writeSite } from "../lib/agent.ts";
import { memoryFolder } from "../lib/temp.ts";
import { anyText, fuzz } from "./budget.ts";

const folder = memoryFolder("fuzz-station");
const hourMs = 3_600_000;
const begin = Date.parse("2026-11-20T00:00:00Z");
const store = openStore(join(folder, "state"));
const holdsAllowed = { days: 2, bytes: 1_000_000 };
const config = writeSite({
  folder,
  cameras: ['id: cho, url: "rtsp://127.0.0.1/x"'],
  station: 'url: "mqtt://127.0.0.1", holds: { days: 2, size: 1MB }',
});
const loaded = loadConfig(config, ["system-disk"]);
if (loaded.kind !== "good") throw new Error(JSON.stringify(loaded.problems));
const { settings } = loaded;
const clock = scriptClock(begin + 10 * hourMs);
const broker = scriptBroker();
const stop = new AbortController();
const failed: string[] = [];
const audited: string[] = [];
const silent: Log = { info: () => undefined, warn: () => undefined, error: (facts) => void failed.push(JSON.stringify(facts)) };
const moment = () => ({ at: clock.wallMs(), monoMs: clock.monoMs(), clock: "synced" as const });

store.begin({ bootId: "b", wallMs: begin, monoMs: 0, clock: "synced", version: "test", above: 0 });
const row = { camera: "cho", run: 1, sha256: "ab".repeat(32), stream: "main", clock: "synced", torn: false, namedMs: 0 } as const;
for (let i = 0; i < 10; i += 1) {
  const segment = { ...row, number: i, startAt: begin + i * hourMs, endAt: begin + (i + 1) * hourMs, bytes: 200_000 };
  store.commit([{ put: "segment", segment }]);
  store.commit([
    { put: "event", moment: { at: begin + i, monoMs: i, clock: "synced" }, type: "camera.changed", level: "info", data: { i } },
  ]);
}
const officer: OfficerDeps = {
  settings: () => settings,
  store,
  time: { moment, dating: () => plainDating },
  audit: (what, data) => void audited.push(`${what} ${JSON.stringify(data)}`),
};
const draft = (topic: string) => ({ topic, payload: "{}", qos: 1 as const, retain: true, expirySeconds: null });
const station: Station = {
  ...{ clock, broker, log: silent, random: () => 0.5, address: { commune: "xa", site: "s1" }, boot: "b.1", hasJustBooted: false },
  login: () => ({ url: "mqtt://x", ca: null, cert: null, key: null, credential: null }),
  ...{ journal: store.journal, nowAt: clock.wallMs, dating: () => plainDating, config: () => "c1", moment },
  pages: { next: () => null, touch: () => undefined, startOver: () => undefined },
  ...{ birth: async () => draft("birth"), health: () => draft("health"), conditions: () => [], onStation: () => undefined },
  hold: (id, body) => answerHold(officer, id, body),
  retained: { all: () => [], put: () => undefined, isSettled: () => true },
  ...{ isOurs: () => true, onTakeover: () => undefined },
};
const done = publishStation(station, stop.signal);
afterAll(async () => {
  stop.abort();
  for (let i = 0; i < 100; i += 1) await clock.advance(100);
  await done;
  store.close();
});

const to = "matghi/v1/xa/to/s1";
const at = fc.oneof(
  fc.integer({ min: -5, max: 80 }).map((hours) => new Date(begin + hours * hourMs).toISOString()),
  fc.constantFrom("2026-11-20", "yesterday", "", "2026-02-30T00:00:00Z", "+275760-09-13T00:00:00.000Z", "-000001-01-01T00:00:00Z"),
);
const odd = fc.oneof(fc.jsonValue(), anyText(30), fc.constantFrom(-1, 1e308, null, "__proto__"));
const holdBody = fc.record(
  {
    camera: fc.oneof(fc.constant("cho"), odd),
    ...{ from: fc.oneof(at, odd), to: fc.oneof(at, odd) },
    request: fc.oneof(fc.constantFrom("CV 12/2026", "a\nb"), odd),
    officer: fc.oneof(fc.constantFrom("CB-07", "Nguyễn Văn A"), odd),
  },
  { requiredKeys: [] },
);
const goodHold = fc.record({ camera: fc.constant("cho"), from: at, to: at, request: fc.constant("CV 1"), officer: fc.constant("CB-07") });
const replayBody = fc.record({
  db: fc.oneof(fc.constant(store.journal.dbId()), odd),
  from: fc.oneof(fc.integer(), odd),
  to: fc.oneof(fc.integer(), odd),
});
const ackBody = fc.record({ db: fc.constant(store.journal.dbId()), g: fc.oneof(fc.integer(), odd) });
const payload = fc.oneof(
  fc.oneof(holdBody, goodHold, replayBody, ackBody, fc.jsonValue()).map((value) => JSON.stringify(value)),
  anyText(60),
  fc.nat(1_000).map((depth) => "[".repeat(depth)),
);
const topic = fc.oneof(
  fc
    .constantFrom("ack", "command/ping", "command/rebirth", "command/replay", "command/", "command/restart", "officer/hold/")
    .map((end) => `${to}/${end}`),
  fc.constantFrom("q1", "q2", "q3", "a/b", "").map((id) => `${to}/officer/hold/${id}`),
  anyText(30).map((end) => `${to}/command/${end}`),
  anyText(60),
);

/** Until all that was written has gone out: how many turns that takes is the machine's. */
async function drain(): Promise<void> {
  for (let turn = 0; turn < 100 && store.journal.cursor() !== store.journal.lastG(); turn += 1) await clock.advance(100);
}

test("messages on every topic", async () => {
  await clock.advance(10_000);
  await drain();
  expect(store.journal.cursor()).toBe(store.journal.lastG());
  const drawn = fc.array(fc.record({ topic, payload, correlation: fc.option(anyText(80)) }), { minLength: 1, maxLength: 6 });
  await fuzz("messages of the station", drawn, async (messages) => {
    const before = broker.messages.length;
    for (const message of messages) broker.say(message.topic, message.payload, message.correlation ?? undefined);
    await clock.advance(3_000);
    await drain();
    expect(failed).toEqual([]);
    expect(store.journal.cursor(), "all that happened goes on going out").toBe(store.journal.lastG());
    for (const { topic: name, payload: text } of broker.messages.slice(before)) {
      expect(name).toMatch(/^(birth|health|matghi\/v1\/xa\/from\/s1\/(state|event|result\/[a-zA-Z0-9-]{1,64}))$/);
      expect(Buffer.byteLength(text), name).toBeLessThan(32_768);
      expect(JSON.parse(text)).toBeTypeOf("object");
    }
    expect(store.journal.firstG()).toBe(1);
  });
  // Alive still: a ping is answered.
  broker.say(`${to}/command/ping`, "{}", "last");
  await clock.advance(1_000);
  expect(broker.messages.some(({ topic: name, payload: text }) => name.endsWith("/result/last") && text.includes('"ok":true'))).toBe(true);
});

test("holds, asked for in every way and more than once", async () => {
  const answers = new Map<string, HoldAnswer>();
  // Fewer than the box remembers.
  const asking = fc.record({ id: fc.nat(299).map((n) => `n${n}`), body: fc.oneof(holdBody, goodHold), lift: fc.boolean() });
  await fuzz("holds of an officer", asking, ({ id, body, lift }) => {
    const [oldest] = store.holds();
    if (lift && oldest !== undefined) store.commit([{ put: "hold-lifted", hold: oldest.id, at: clock.wallMs() }]);
    const [held, told] = [store.holds().length, audited.length];
    const answer = answerHold(officer, id, body);
    const again = answers.get(id);
    if (again !== undefined) expect(answer).toEqual(again);
    answers.set(id, answer);
    expect(answerHold(officer, id, body), "asked again").toEqual(answer);
    const isNew = answer.ok && again === undefined;
    expect([store.holds().length - held, audited.length - told], JSON.stringify(answer)).toEqual(isNew ? [1, 1] : [0, 0]);
    if (answer.ok) expect(Date.parse(answer.to) - Date.parse(answer.from)).toBeLessThanOrEqual(holdsAllowed.days * 24 * hourMs);
    expect(store.holds().reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(holdsAllowed.bytes);
    for (const hold of store.holds()) expect([hold.camera, hold.fromUtc < hold.toUtc]).toEqual(["cho", true]);
    const texts = store.events({ afterG: 0, fromAt: 0, toAt: Number.MAX_SAFE_INTEGER, type: "hold.added", limit: 1_000 });
    expect(JSON.stringify(texts)).not.toContain("CB-07");
  });
});
