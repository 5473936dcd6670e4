/** `matghi footage` and its like where no agent runs, or none ever did. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockState } from "../../agent/store/database.ts";
import { openStore } from "../../agent/store/store.ts";
import { matghi, writeSite } from "../lib/agent.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("ledger");
const config = writeSite({ folder, cameras: ['id: cho, url: "rtsp://127.0.0.1:9/"'] });
const state = join(folder, "state");
const span = ["--from", "2026-11-24T10:00", "--to", "2026-11-24T11:00", "--config", config];

test("nobody watches the box's clock while no agent runs: what the last one found of it is not said of now", async () => {
  const store = openStore(state);
  store.commit([{ put: "page", camera: "cho", sinceAt: 0, coveredAt: 1 }]);
  store.renew({ at: Date.now(), cameras: {}, freeBytes: null, usedBytes: 0, clock: "synced", clockErrorMs: 20 });
  store.close();
  const said = async () => JSON.parse((await matghi(["footage", "--camera", "cho", "--json", ...span])).stdout).clock;
  expect(await said()).toEqual({ trust: "holdover", errorMs: null });
  const unlock = lockState(state);
  expect(await said(), "while one runs").toEqual({ trust: "synced", errorMs: 20 });
  unlock?.();
});

test.each([
  ["footage", ["--camera", "cho", "--from", "yesterday", "--to", "01:00"], 2, /--from yesterday: not a time; write/],
  ["footage", ["--camera", "cho", "--from", "01:00", "--to", "00:00"], 2, /swap them/],
  ["gaps", ["--from", "x"], 2, /--from x: not a time/],
  ["report", ["--period", "soon"], 2, /--period soon: no such period; write/],
  ["footage", ["--camera", "cho", "--from", "00:00", "--to", "01:00"], 3, /nothing has been recorded in .* yet/],
  ["gaps", [], 3, /nothing has been recorded in .* yet/],
  ["report", ["--period", "last-24h"], 3, /nothing has been recorded in .* yet/],
] as const)("on a box that never recorded, %s %j", async (command, options, code, text) => {
  const fresh = writeSite({ folder: tempFolder("fresh"), cameras: ['id: cho, url: "rtsp://127.0.0.1:9/"'] });
  const answer = await matghi([command, ...options, "--config", fresh]);
  expect([answer.code, answer.stdout]).toEqual([code, ""]);
  expect(answer.stderr).toMatch(text);
});
