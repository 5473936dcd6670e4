/** What a real agent says to its station through a day, on a virtual clock: all of it is as published, and all that is published is said. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { liftHold } from "../../agent/cli/hold.ts";
import { expirySecondsOf, stateMessage, subscriptionsOf, topicNames, topics } from "../../agent/core/message.ts";
import { troubles } from "../../agent/core/status.ts";
import { causes, diskValues, eventTypes } from "../../agent/core/types.ts";
import {
  answeredBody,
  answeredTopic,
  holdBody,
  holdExpirySeconds,
  holdTopic,
  noteBody,
  notes,
  noteTopic,
} from "../../deploy/station/board/model/station.ts";
import { channelOf, document, operationOf, payloadProblems, type Sent, schemaOf, sentProblems } from "../lib/messages.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeVillage, type Village } from "../lib/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const startAt = Date.parse("2026-11-23T17:00:00.000Z");
const root = "matghi/v1/nghia-phuong/";
const to = `${root}to/an-dai-1/`;

/** Sent by others than this day's agent: by an export (test/cli/export.test.ts), by looks at pictures (test/agent/pictures.test.ts). */
const elsewhere = ["export.made", "picture.suspect", "picture.cleared"];

const heard: { topic: string; payload: string }[] = [];
const sent: Sent[] = [];
const types = new Set<string>();

/** The station speaks; what it says is on record too. */
function say(village: Village, topic: string, body: object, correlation?: string): void {
  heard.push({ topic, payload: JSON.stringify(body) });
  village.brokers.at(-1)?.say(topic, JSON.stringify(body), correlation);
}

async function inTrouble(village: Village, make: () => void, ms: number, cure: () => void): Promise<void> {
  make();
  await village.pass(ms);
  cure();
  await village.pass(3 * minute);
}

async function playDay(): Promise<void> {
  const rejected = { g: 0 };
  const village = makeVillage({
    ...{ folder: tempFolder("messages"), startAt, station: 'url: "mqtt://127.0.0.1:1", holds: { days: 2, size: 1GB }' },
    cameras: [
      `id: cho-1, name: Chợ, group: Quốc lộ 1A, url: "rtsp://cho-1/", household: ho-01`,
      `id: cho-2, url: "rtsp://cho-2/"`,
      "id: ho-12, kind: 1, manual: { checked: 2026-01-10, keeps: 7d }",
    ],
    more: ["households: [{ id: ho-01, router: 10.0.1.1 }]"],
    publish: ({ topic, payload }) => {
      if (!topic.endsWith("/event") || !payload.includes('"type":"link.changed"')) return "ok";
      rejected.g ||= Number(/"g":(\d+)/.exec(payload)?.[1]);
      return payload.includes(`"g":${rejected.g},`) ? "rejected" : "ok";
    },
  });
  const { scene, disk } = village;
  const db = () => village.ask(({ reads }) => reads.meta("db") ?? "");
  scene.power = { value: "mains", evidence: ["seen"] };
  scene.link = { value: "up", evidence: ["seen"] };
  await village.boot();
  await village.pass(5 * minute);
  await inTrouble(
    village,
    () => {
      scene.link = { value: "down", evidence: ["no-carrier"] };
    },
    2 * minute,
    () => {
      scene.link = { value: "up", evidence: [] };
    },
  );
  await inTrouble(
    village,
    () => {
      scene.power = { value: "battery", evidence: ["ups"] };
    },
    2 * minute,
    () => {
      scene.power = { value: "mains", evidence: [] };
    },
  );
  await inTrouble(
    village,
    () => scene.trouble.set("cho-1", "silent"),
    4 * minute,
    () => scene.trouble.delete("cho-1"),
  );
  await inTrouble(
    village,
    () => scene.clocks.set("cho-2", 3 * hour),
    3 * minute,
    () => scene.clocks.delete("cho-2"),
  );
  await inTrouble(
    village,
    () => disk.set("full"),
    2 * minute,
    () => disk.set("ok"),
  );

  say(village, `${to}command/ping`, {}, "p-1");
  say(village, `${to}command/rebirth`, { correlation: "r-1" });
  say(village, `${to}command/replay`, { db: db(), from: 1, to: 3 }, "r-2");
  say(village, `${to}command/replay`, { db: "another", from: 1, to: 3 }, "r-3");
  village.brokers.at(-1)?.say(`${to}command/format`, "{}", "f-1");
  say(village, `${to}ack`, { db: db(), g: 2 });
  const span = { fromAt: startAt + minute, toAt: startAt + 3 * minute };
  say(village, `${root}${holdTopic("an-dai-1", "h-1")}`, holdBody("cho-1", span, "Công văn 12", "CA-07"));
  say(village, `${root}${holdTopic("an-dai-1", "h-2")}`, holdBody("cho-9", span, "Công văn 12", "CA-07"));
  await village.pass(minute);
  const context = { configFile: village.config, json: true, out: () => undefined, err: () => undefined };
  expect(liftHold(context, "1", { officer: "CA-07", reason: "xong" })).toBe(0);
  writeFileSync(village.config, readFileSync(village.config, "utf8").replace("name: Chợ", "name: Chợ Tre"));
  village.reload();
  await village.pass(3 * minute);

  // The power goes for half the day; the clock comes back two hours behind, and is set right.
  village.cut();
  await village.pass(12 * hour);
  await village.boot({ wrongMs: -2 * hour, trust: "unset" });
  await village.pass(4 * minute);
  village.sync();
  await village.pass(4 * minute);
  await village.stop();

  // Nobody can read the journal any more: a new one begins.
  writeFileSync(join(village.settings.site.state, "matghi.db"), "rubbish".repeat(2_000));
  await village.pass(startAt + 24 * hour - village.now() - 3 * minute);
  await village.boot();
  await village.pass(3 * minute);
  await village.stop();
  for (const { messages, attempts } of village.brokers)
    sent.push(...messages, ...attempts.flatMap(({ will }) => (will === null ? [] : [{ ...will, expirySeconds: null }])));
}

beforeAll(playDay, 300_000);

test("all that is sent is as published: topic, payload, quality, retention, expiry", () => {
  expect(sent.length).toBeGreaterThan(200);
  expect([...new Set(sent.flatMap((message) => sentProblems(message)))]).toEqual([]);
});

test("all that the station says is as published", () => {
  expect(heard.flatMap(({ topic, payload }) => payloadProblems(topic, payload))).toEqual([]);
});

test("every channel was used, and every type of event came", () => {
  const used = new Set([...sent, ...heard].map(({ topic }) => channelOf(topic)));
  expect(Object.keys(document.channels).filter((name) => !used.has(name))).toEqual(["note", "answered"]);
  for (const { topic, payload } of sent) if (topic.endsWith("/event")) types.add((JSON.parse(payload) as { type: string }).type);
  expect(eventTypes.filter((type) => !types.has(type))).toEqual(eventTypes.filter((type) => elsewhere.includes(type)));
  const states = new Set(
    sent.filter(({ topic }) => topic.endsWith("/state")).map(({ payload }) => (JSON.parse(payload) as { state: string }).state),
  );
  expect([...states].sort()).toEqual(["leaving", "lost", "online"]);
  expect(
    sent.some(({ topic, payload }) => topic.includes("/alarm/") && payload === ""),
    "an alarm is taken back",
  ).toBe(true);
});

describe("the document", () => {
  test("names only what it holds, and no schema lets in what it does not name", () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, ref]) => ref ?? "");
    for (const ref of refs)
      expect(
        ref.split("/").reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document),
        ref,
      ).toBeDefined();
    for (const name of Object.keys(document.components.schemas)) expect(() => schemaOf(name), name).not.toThrow();
    const open = (schema: unknown, path: string): string[] => {
      if (typeof schema !== "object" || schema === null) return [];
      const facts = schema as Record<string, unknown>;
      const isOpen = facts.properties !== undefined && facts.type !== undefined && facts.additionalProperties === undefined;
      return [...(isOpen ? [path] : []), ...Object.entries(facts).flatMap(([key, inner]) => open(inner, `${path}/${key}`))];
    };
    // Closed by `propertyNames`, since draft-07 cannot close over `allOf`.
    expect(open(document.components.schemas, "").sort()).toEqual(["/figures", "/month/properties/total"]);
    const used = new Set(refs.map((ref) => ref.split("/").at(-1)));
    expect(Object.keys(document.components.schemas).filter((name) => !used.has(name))).toEqual([]);
  });

  test("says of each topic what the agent's own table says", () => {
    for (const name of topicNames) {
      const { qos, retain, messageExpiryInterval = null } = operationOf(name)?.bindings.mqtt ?? {};
      expect([name, { qos, retain, expirySeconds: messageExpiryInterval }]).toEqual([
        name,
        { ...topics[name], expirySeconds: expirySecondsOf(name) },
      ]);
    }
    const sends = Object.values(document.operations).filter(({ action }) => action === "send");
    expect(sends.length).toBe(topicNames.length + 1);
    expect(operationOf("cameraAlarm")?.bindings).toEqual(operationOf("alarm")?.bindings);
    expect(operationOf("officerHold")?.bindings.mqtt.messageExpiryInterval).toBe(holdExpirySeconds);
  });

  test("its closed lists are the agent's", () => {
    const listOf = (name: string) => [...((document.components.schemas[name] as { enum: string[] }).enum ?? [])].sort();
    expect(listOf("cause")).toEqual([...causes].sort());
    expect(listOf("diskValue")).toEqual([...diskValues, "unknown"].sort());
    const typed = (document.components.schemas.typed as { oneOf: { properties: { type: { const: string } } }[] }).oneOf;
    expect(typed.map(({ properties }) => properties.type.const)).toEqual([...eventTypes]);
    // The station knows of its own line without being told, and a stopped agent tells nothing.
    const told = troubles.filter((type) => type !== "station" && type !== "stopped");
    expect([...(document.components.parameters.type?.enum ?? [])].sort()).toEqual([...told].sort());
  });

  test("a site listens to all that is said to it", () => {
    const all = subscriptionsOf({ commune: "nghia-phuong", site: "an-dai-1" }).find((topic) => topic.endsWith("/#"));
    const receives = Object.values(document.operations).filter(({ action }) => action === "receive");
    for (const { channel } of receives)
      expect(
        document.channels[channel.$ref.split("/").at(-1) ?? ""]?.address
          .replace("{commune}", "nghia-phuong")
          .replace("{site}", "an-dai-1")
          .startsWith(`${all?.slice(0, -1)}`),
      ).toBe(true);
  });

  test("what officers write", () => {
    const at = startAt;
    for (const note of notes)
      expect(payloadProblems(`${root}${noteTopic("an-dai-1/cho-1")}`, JSON.stringify(noteBody(note, "2026-11-30", at)))).toEqual([]);
    const answered = answeredBody("an-dai-1", "cho-1", { fromAt: at, toAt: at + 1 }, "no", "disk", "12/CV", at);
    expect(payloadProblems(`${root}${answeredTopic("a-1")}`, JSON.stringify(answered))).toEqual([]);
  });

  test("what is not published is found: a field, a topic, a quality, an expiry", () => {
    const { topic, payload, ...rest } = stateMessage({ commune: "x", site: "s1" }, "online", "b.1", 1, startAt);
    const wrong = (change: Partial<Sent>) => sentProblems({ topic, payload, ...rest, ...change }).length;
    expect(wrong({})).toBe(0);
    expect(wrong({ payload: payload.replace("{", '{"officer":"A",') })).toBe(1);
    expect(wrong({ payload: payload.replace('"conn":1', '"conn":"1"') })).toBe(1);
    expect(wrong({ topic: `${topic}/more` })).toBe(1);
    expect(wrong({ qos: 0 })).toBe(1);
    expect(wrong({ retain: false })).toBe(1);
    expect(wrong({ expirySeconds: 181 })).toBe(1);
    expect(wrong({ expirySeconds: null })).toBe(1);
  });
});
