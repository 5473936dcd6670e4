/** ffmpeg killed 20 times at random moments: what was written plays, little is lost, it records again soon. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Agent, figure, median, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { complaintsOf, filesUnder, openFiles, pictureOnDisk, recordersOf } from "../lib/footage.ts";
import { tempFolder } from "../lib/temp.ts";

const names = ["sub1", "sub2", "sub3", "sub4", "sub5"] as const;
const turns = 4;
const folder = tempFolder("killed");
const footage = join(folder, "footage");
let cameras: Cameras;
let agent: Agent;

type Gaps = { gaps: { camera: string; from: string; to: string | null; cause: string; evidence: string[] }[] };

beforeAll(async () => {
  cameras = await startCameras({ count: names.length, seconds: 400 });
  agent = startAgent(
    writeSite({
      folder,
      cameras: names.map((id) => `id: ${id}, url: "${cameras.url(id)}"`),
      recording: "segment: 10s, limit: { free: 0B }",
    }),
  );
  await Promise.all(names.map((name) => until(`${name} records`, 30_000, () => openFiles(join(footage, name)).length > 0)));
});
afterAll(async () => {
  await agent.stop();
  await cameras.stop();
});

/** Kills one camera's recorder after a random while of footage; both clocks are this machine's. */
async function killOnce(name: string): Promise<{ readonly name: string; readonly killedAt: number; readonly againMs: number }> {
  await sleep(7_000 + Math.random() * 5_000);
  const [pid] = recordersOf(join(footage, name));
  if (pid === undefined) throw new Error(`no recorder of ${name} runs`);
  const before = openFiles(join(footage, name));
  process.kill(pid, "SIGKILL");
  const killedAt = Date.now();
  return { name, killedAt, againMs: (await pictureOnDisk(join(footage, name), before, 30_000)) - killedAt };
}

test("20 kills of ffmpeg cost half a second each, and it records again within four", async () => {
  const perCamera = await Promise.all(
    names.map(async (name) => {
      const found: Awaited<ReturnType<typeof killOnce>>[] = [];
      for (let turn = 0; turn < turns; turn += 1) found.push(await killOnce(name));
      return found;
    }),
  );
  await sleep(6_000);
  expect(await agent.stop()).toBe(0);
  const kills = perCamera.flat();
  const { gaps } = await agent.ask<Gaps>("gaps");
  const lost = kills.map(({ name, killedAt }) => {
    const gap = gaps.find((g) => g.camera === name && Math.abs(Date.parse(g.from) - killedAt) < 5_000);
    return gap === undefined ? Number.NaN : (killedAt - Date.parse(gap.from)) / 1000;
  });
  const again = kills.map(({ againMs }) => againMs / 1000);
  process.stdout.write(`${figure("footage lost before a kill of ffmpeg", lost, "s")}\n${figure("recording again after it", again, "s")}\n`);
  expect(kills).toHaveLength(20);
  expect(lost.every(Number.isFinite), "each kill is a gap").toBe(true);
  expect(Math.min(...lost), "no gap begins after the kill by more than the clock's grain").toBeGreaterThan(-0.2);
  expect(median(lost)).toBeLessThanOrEqual(0.5);
  expect(Math.min(...again)).toBeGreaterThan(0);
  expect(median(again)).toBeLessThanOrEqual(4);
  expect(Math.max(...again), "also the slowest").toBeLessThanOrEqual(4);
});

test("every file plays, and none is left open or set aside", async () => {
  const files = filesUnder(footage).filter((file) => file !== ".matghi");
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => !file.endsWith(".mkv"))).toEqual([]);
  for (const file of files) expect(await complaintsOf(join(footage, file)), file).toBe("");
});
