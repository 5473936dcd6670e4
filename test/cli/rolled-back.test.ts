/** A database that is put back from an older copy: its journal goes by another name, and nothing of it is given twice. */
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startAgent, until, writeSite } from "../lib/agent.ts";
import { memoryFolder } from "../lib/temp.ts";

const folder = memoryFolder("rolled-back");
const state = join(folder, "state");
const copy = join(folder, "copy");
const config = writeSite({ folder, cameras: ["id: ho-12, kind: 1, manual: { checked: 2026-01-10 }"] });

type Envelope = { readonly id: string; readonly db: string; readonly g: number; readonly type: string; readonly data: object };
type Listed = { readonly events: readonly Envelope[] };

/** One run of the agent, past its first beat; what its journal holds then. */
async function run(): Promise<readonly Envelope[]> {
  const agent = startAgent(config);
  const { length } = await until("it has begun", 20_000, async () => {
    const { events } = await agent.ask<Listed>("events").catch(() => ({ events: [] }));
    return events.at(-1)?.type === "run.started" ? events : null;
  });
  expect(length).toBeGreaterThan(0);
  expect(await agent.stop()).toBe(0);
  return (await agent.ask<Listed>("events")).events;
}

const databaseFiles = (place: string) => readdirSync(place).filter((name) => name.startsWith("matghi.db"));
function put(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of databaseFiles(to)) rmSync(join(to, name));
  for (const name of databaseFiles(from)) cpSync(join(from, name), join(to, name));
}

test("the journal is another one, is told from its first event, and no id comes twice; an ordinary start keeps it", async () => {
  const first = await run();
  put(state, copy);
  const second = await run();
  expect(second.at(-1)?.db).toBe(first[0]?.db);
  put(copy, state);
  const third = await run();
  expect(third.at(-1)?.db).not.toBe(first[0]?.db);
  expect(third).toContainEqual(
    expect.objectContaining({ type: "journal.reset", data: { brokenAs: expect.any(String), db: third.at(-1)?.db } }),
  );
  expect(third.map(({ g }) => g)).toEqual(third.map((_, i) => i + 1));
  const before = new Map(second.map((event) => [event.id, event]));
  for (const { id, type } of third.slice(first.length)) expect(before.get(id), `${id} ${type}`).toBeUndefined();
  const fourth = await run();
  expect(fourth.at(-1)?.db).toBe(third.at(-1)?.db);
});
