/**
 * A disk that takes nothing for seconds at a time (frozen, as behind a sleeping USB bridge): no camera's session ends for it, nothing of
 * what came meanwhile is lost, and the ledger adds up. Needs root.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Agent, figure, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { type Cameras, startCameras } from "../lib/cameras.ts";
import { type Disk, makeDisk } from "../lib/disk.ts";
import { filesUnder } from "../lib/footage.ts";
import { brokenLawsOf } from "../lib/inspect.ts";
import { tempFolder } from "../lib/temp.ts";

const folder = tempFolder("slow-disk");
let disk: Disk;
let cameras: Cameras;
let agent: Agent;
const freezeMs = 3_000;

beforeAll(async () => {
  disk = makeDisk(folder, "disk", 96);
  cameras = await startCameras({ count: 2, seconds: 300 });
  agent = startAgent(
    writeSite({ folder, footage: disk.mountPoint, cameras: ["sub1", "sub2"].map((id) => `id: ${id}, url: "${cameras.url(id)}"`) }),
  );
  await until("both have files", 90_000, () => ["sub1", "sub2"].every((id) => closedOf(id).length >= 2));
});
afterAll(async () => {
  await agent.stop();
  await cameras.stop();
  disk.remove();
});

const closedOf = (id: string) => filesUnder(join(disk.mountPoint, id)).filter((name) => name.endsWith(".mkv"));

test("three freezes of three seconds", async () => {
  const before = await agent.ask<{ gaps: unknown[] }>("gaps");
  for (let i = 0; i < 3; i += 1) {
    disk.freeze(true);
    await sleep(freezeMs);
    disk.freeze(false);
    await sleep(6_000);
  }
  const after = await agent.ask<{ gaps: { camera: string }[] }>("gaps");
  process.stdout.write(`${figure("gaps that three freezes of the disk made", [after.gaps.length - before.gaps.length], "gaps")}\n`);
  expect(await brokenLawsOf(agent, 20_000)).toEqual([]);
  const files = closedOf("sub1").length;
  await until("it records on", 30_000, () => closedOf("sub1").length > files);
});
