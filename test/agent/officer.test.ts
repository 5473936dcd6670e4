/** An officer's request to hold footage, answered on a real store: granted within the limits, refused with a reason, never twice. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../../agent/config.ts";
import { plainDating } from "../../agent/core/dating.ts";
import { answerHold, type OfficerDeps } from "../../agent/officer.ts";
import { openStore } from "../../agent/store/store.ts";
import { writeSite } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("officer");
const hourMs = 3_600_000;
const begin = Date.parse("2026-11-20T00:00:00Z");
const at = (hours: number) => new Date(begin + hours * hourMs).toISOString();
const store = openStore(join(folder, "state"));
afterAll(() => store.close());
const written: string[] = [];
let auditTakes = true;
let deps: OfficerDeps;

beforeAll(() => {
  const config = writeSite({
    folder,
    cameras: ['id: cho, url: "rtsp://127.0.0.1/x"'],
    station: 'url: "mqtt://127.0.0.1", holds: { days: 2, size: 1MB }',
  });
  const loaded = loadConfig(config, ["system-disk"]);
  if (loaded.kind !== "good") throw new Error(JSON.stringify(loaded.problems));
  store.begin({ bootId: "b", wallMs: begin, monoMs: 0, clock: "synced", version: "test", above: 0 });
  const row = { camera: "cho", run: 1, sha256: "ab".repeat(32), stream: "main", clock: "synced", torn: false, namedMs: 0 } as const;
  for (let i = 0; i < 10; i += 1)
    store.commit([
      {
        put: "segment",
        segment: { ...row, number: i, startAt: begin + i * hourMs, endAt: begin + (i + 1) * hourMs, bytes: 200_000 },
      },
    ]);
  deps = {
    settings: () => loaded.settings,
    store,
    time: {
      moment: () => ({ at: begin + 10 * hourMs, monoMs: 0, clock: "synced" }),
      dating: () => plainDating,
    },
    audit: (what, data) => {
      if (!auditTakes) throw new Error("full");
      written.push(`${what} ${JSON.stringify(data)}`);
    },
  };
});

const ask = (id: string, change: Readonly<Record<string, unknown>> = {}) =>
  answerHold(deps, id, { camera: "cho", from: at(1), to: at(3), request: "CV 12/2026", officer: "CB-07", ...change });

test("it is held, written down, told without the officer, and answered alike however often it is asked", () => {
  const answer = ask("q1");
  expect(answer).toEqual({ ok: true, hold: 1, camera: "cho", from: at(1), to: at(3), bytes: 400_000 });
  expect(ask("q1")).toEqual(answer);
  expect(store.holds()).toHaveLength(1);
  expect(written).toHaveLength(1);
  expect(written[0]).toContain("CB-07");
  const told = store.events({ afterG: 0, fromAt: 0, toAt: Number.MAX_SAFE_INTEGER, type: "hold.added", limit: 10 });
  expect(told).toHaveLength(1);
  expect(JSON.stringify(told)).not.toContain("CB-07");
});

test.each([
  ["a camera that is none", { camera: "none" }, "unknown-camera"],
  ["no camera", { camera: 7 }, "unknown-camera"],
  ["times that are none", { from: "yesterday" }, "bad-time"],
  ["times that another day would read otherwise", { from: "08:00", to: "08:01" }, "bad-time"],
  ["a day that does not say whose", { from: "2026-11-20", to: "2026-11-21" }, "bad-time"],
  ["a request that is too long", { request: "x".repeat(201) }, "bad-request"],
  ["an end before its begin", { from: at(3), to: at(1) }, "bad-time"],
  ["a line break", { request: "a\nb" }, "bad-request"],
  ["no request", { request: undefined }, "bad-request"],
  ["a name instead of a code", { officer: "Nguyễn Văn A" }, "bad-officer"],
  ["more days than the box allows", { to: at(60) }, "too-long"],
  ["more bytes than the box allows", { from: at(4), to: at(9) }, "too-much"],
] as const)("%s is refused, and nothing is held", (name, change, reason) => {
  const before = store.holds().length;
  expect(ask(`refused-${name}`, change)).toEqual({ ok: false, reason });
  expect(store.holds()).toHaveLength(before);
});

test("what cannot be written down is not done, and is done once it can be", () => {
  auditTakes = false;
  expect(() => ask("q2", { from: at(9), to: at(10) })).toThrow("full");
  expect(store.holds()).toHaveLength(1);
  auditTakes = true;
  expect(ask("q2", { from: at(9), to: at(10) })).toMatchObject({ ok: true, hold: 2 });
});

test("a hold that was lifted on the box does not come back with the message that still stands at the broker", () => {
  store.commit([{ put: "hold-lifted", hold: 1, at: begin }]);
  expect(ask("q1")).toMatchObject({ ok: true, hold: 1 });
  expect(store.holds().map(({ id }) => id)).toEqual([2]);
});

test.each([`../x "y" 'z' <b>&</b> %s \\`, "№ 12 + 13/CV", "Công văn 12 của Viện kiểm sát".normalize("NFD"), "x".repeat(200)])(
  "what people write on a paper is text, whatever signs it has: %s",
  (request) => {
    expect(ask(request, { request, from: at(20), to: at(21) })).toMatchObject({ ok: true });
    expect(store.holds().at(-1)?.request).toBe(request);
  },
);
