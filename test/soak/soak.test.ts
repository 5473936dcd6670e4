/** An hour of virtual time under drawn faults; `npm run soak` runs a day. MATGHI_SOAK_SEED repeats a run. */
import { expect, test } from "vitest";
import { figure } from "../lib/agent.ts";
import { soak } from "../lib/soak.ts";
import { memoryFolder } from "../lib/temp.ts";

test("whatever is drawn, the ledger adds up, files are settled, and every event arrives once and in order", async () => {
  const seed = Number(process.env.MATGHI_SOAK_SEED ?? Date.now() % 2 ** 31);
  const found = await soak({ folder: memoryFolder("soak"), seed, hours: 1, say: () => undefined });
  const { faults, events, twice, realSeconds, lostSeconds } = found;
  const drawn = Object.values(faults).reduce((sum, count) => sum + count, 0);
  process.stdout.write(`soak: ${drawn} faults, ${events} events (${twice} twice) in ${realSeconds.toFixed(1)} s, seed ${seed}\n`);
  process.stdout.write(`${figure("gap beyond the trouble, a fault and camera", lostSeconds, "s")}\n`);
  expect(found.broken, `MATGHI_SOAK_SEED=${seed}`).toEqual([]);
  expect(drawn).toBeGreaterThanOrEqual(3);
});
