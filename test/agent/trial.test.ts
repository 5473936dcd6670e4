/** A version on trial, as it judges itself: a scripted clock, a real store. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readReport, type Trial, undoneOf } from "../../agent/core/trial.ts";
import type { CameraState } from "../../agent/core/types.ts";
import { fateOf } from "../../agent/home.ts";
import { makeLog } from "../../agent/log.ts";
import { isExporting, lockExport } from "../../agent/store/database.ts";
import { openStore } from "../../agent/store/store.ts";
import { standTrial, tellUndone } from "../../agent/trial.ts";
import { scriptClock } from "../../hal/script.ts";
import { memoryFolder } from "../lib/temp.ts";

const minute = 60_000;
const wallMs = Date.parse("2026-11-24T03:00:00Z");

type Scene = {
  readonly state: string;
  readonly states: Map<string, { readonly state: CameraState }>;
  readonly store: ReturnType<typeof openStore>;
  readonly said: string[];
  /** Goes on for so long; what the report says then, with the minutes spent. */
  go(minutes: number): Promise<string>;
  stop(): Promise<void>;
};

function begin(change: Partial<Trial> = {}, state = memoryFolder("trial")): Scene {
  const trial: Trial = {
    ...{ id: "a1", version: "0.2.0", previous: "0.1.0", state, cameras: ["a", "b"], station: true, steadyMs: 10 * minute },
    ...change,
  };
  const clock = scriptClock(wallMs);
  const store = openStore(state);
  store.begin({ bootId: "b1", wallMs, monoMs: 0, clock: "synced", version: "0.2.0", above: 0 });
  store.commit([{ put: "event", moment: { at: wallMs, monoMs: 0, clock: "synced" }, type: "run.started", level: "info", data: {} }]);
  const states = new Map<string, { readonly state: CameraState }>();
  const said: string[] = [];
  const stop = new AbortController();
  const auditor = { say: (what: string) => void said.push(what) };
  const deps = {
    clock,
    store,
    log: makeLog({ write: () => undefined }),
    auditor,
    conditions: states,
    configured: () => ["a", "b"],
    isExporting: () => isExporting(state),
  };
  const done = standTrial(deps, trial, stop.signal);
  return {
    ...{ state, states, store, said },
    go: async (minutes) => {
      await clock.advance(minutes * minute);
      const report = readReport(readFileSync(join(state, "trial"), "utf8"));
      const lacks = report?.verdict.kind === "good" ? [] : (report?.verdict.lacks ?? []);
      return [report?.verdict.kind, ...lacks, Math.round((report?.spentMs ?? 0) / minute)].join(" ");
    },
    stop: async () => {
      stop.abort();
      await done;
      store.close();
    },
  };
}

test("good once both cameras were recorded for ten minutes and the station has confirmed something of this run", async () => {
  const scene = begin();
  for (const camera of ["a", "b"]) scene.states.set(camera, { state: "recording" });
  expect(await scene.go(11)).toBe("waiting station 11");
  scene.store.journal.moveCursor(scene.store.journal.lastG());
  expect(await scene.go(1)).toBe("good 11");
  expect(scene.said).toEqual(["update.good"]);
  await scene.stop();
});

test("left after an hour in which a camera that was recorded before is not; one that was taken out of the configuration is not missed", async () => {
  const scene = begin({ station: false, cameras: ["a", "b", "gone"] });
  scene.states.set("a", { state: "recording" });
  scene.states.set("b", { state: "not-recording" });
  expect(await scene.go(50)).toBe("waiting b 50");
  expect(await scene.go(20)).toBe("back b 60");
  expect(scene.said).toEqual([]);
  await scene.stop();
});

test("an export that runs is waited for before the way back", async () => {
  const scene = begin({ station: false });
  scene.states.set("a", { state: "recording" });
  const release = lockExport(scene.state);
  expect(await scene.go(70)).toBe("waiting b 70");
  release?.();
  expect(await scene.go(1)).toMatch(/^back b /);
  await scene.stop();
});

test("a house without power is waited for", async () => {
  const scene = begin({ station: false });
  scene.states.set("a", { state: "recording" });
  const claim = { scope: "house h1", blame: { cause: "house-power", sure: "inferred", evidence: [] } } as const;
  scene.store.commit([{ put: "gap-opened", camera: "b", fromAt: wallMs, claim, fault: 1 }]);
  expect(await scene.go(90)).toBe("waiting b 90");
  scene.states.set("b", { state: "recording" });
  expect(await scene.go(11)).toMatch(/^good/);
  await scene.stop();
});

test("a run that takes up after another one goes on counting", async () => {
  const first = begin({ station: false });
  expect(await first.go(40)).toBe("waiting a b 40");
  await first.stop();
  const second = begin({ station: false }, first.state);
  expect(await second.go(10)).toBe("waiting a b 50");
  expect(await second.go(11)).toBe("back a b 60");
  await second.stop();
  const other = begin({ station: false, id: "another trial" }, first.state);
  expect(await other.go(10)).toBe("waiting a b 10");
  await other.stop();
});

test("a version that has taken over again says so once", async () => {
  const scene = begin();
  const deps = {
    store: scene.store,
    log: makeLog({ write: () => undefined }),
    auditor: { say: (what: string) => void scene.said.push(what) },
  };
  const undone = { id: "a1", version: "0.2.0", previous: "0.1.0", why: "lacks a" };
  tellUndone(deps, undone);
  tellUndone(deps, undone);
  expect([scene.said, undoneOf(scene.store.meta("undone"))]).toEqual([["update.undone"], undone]);
  tellUndone(deps, null);
  expect([scene.said.length, scene.store.meta("undone")]).toEqual([1, null]);
  await scene.stop();
});

test("what of a trial is there and cannot be read is said; what is not there is not", () => {
  const root = memoryFolder("fate");
  const own = join(root, "versions/0.1.0");
  const lines: string[] = [];
  const fate = () => fateOf(own, (line) => void lines.push(line));
  expect([fate(), lines]).toEqual([{ trial: null, undone: null }, []]);
  mkdirSync(join(root, "undone"));
  fate();
  expect(lines).toEqual([expect.stringContaining(`${join(root, "undone")} cannot be read`)]);
});
