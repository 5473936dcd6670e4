/**
 * `npm run soak -- [--hours 24] [--seed N]`: a day of a site of eight cameras under drawn faults on virtual time.
 * `npm run soak -- --real --hours 2 [--cameras 8]`: the agent as a process on simulated cameras and a real broker, its memory sampled.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { joinedLine } from "../../agent/core/text.ts";
import { residentBytes } from "../bench/processes.ts";
import { figure, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { repository, startCameras } from "../lib/cameras.ts";
import { openFiles } from "../lib/footage.ts";
import { startMosquitto } from "../lib/mosquitto.ts";
import { soak } from "../lib/soak.ts";
import { memoryFolder, tempFolder } from "../lib/temp.ts";

const usage = "usage: npm run soak -- [--hours 24] [--seed N] | --real [--hours 2] [--cameras 8]";
const say = (line: string) => void process.stdout.write(`${line}\n`);
const MiB = 2 ** 20;
/** The agent's start takes memory that it gives back. */
const warmUpMs = 20 * 60_000;
const sampleMs = 10_000;
/** The project's bound for growth, in MiB an hour; and the fewest minutes after the start from which a slope is told. */
const mostSlope = 0.5;
const fewestMinutes = 30;

async function virtual(hours: number, seed: number): Promise<boolean> {
  say(`soak: ${hours} h of virtual time, seed ${seed}`);
  const found = await soak({ folder: memoryFolder("soak"), seed, hours, say });
  say("\n| fault | times |\n|---|---|");
  for (const [kind, count] of Object.entries(found.faults)) say(`| ${kind} | ${count} |`);
  say(
    `\nsoak: ${found.virtualHours.toFixed(1)} h in ${found.realSeconds.toFixed(0)} s; ${found.events} events (${found.twice} of them again)`,
  );
  say(`soak: database ${(found.databaseBytes / MiB).toFixed(1)} MiB`);
  say(figure("gap beyond the trouble, a fault and camera", found.lostSeconds, "s"));
  for (const law of found.broken) say(`BROKEN: ${law}`);
  say(found.broken.length === 0 ? "soak: every law held after every fault" : `soak: repeat it with --seed ${seed}`);
  return found.broken.length === 0;
}

type Sample = { readonly minutes: number; readonly residentMiB: number; readonly handles: number; readonly databaseMiB: number };

/** Least squares, in units of y an hour. */
function slopeOf(samples: readonly Sample[], y: (sample: Sample) => number): number {
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [midX, midY] = [mean(({ minutes }) => minutes), mean(y)];
  const above = samples.reduce((sum, sample) => sum + (sample.minutes - midX) * (y(sample) - midY), 0);
  return (60 * above) / samples.reduce((sum, { minutes }) => sum + (minutes - midX) ** 2, 0);
}

async function real(hours: number, count: number): Promise<boolean> {
  const folder = tempFolder("soak-real");
  const cameras = await startCameras({ count, seconds: Math.ceil(hours * 3_600 + 300) });
  const broker = await startMosquitto();
  const ids = Array.from({ length: count }, (_, i) => `cam${i + 1}`);
  const config = writeSite({
    folder,
    cameras: ids.map((id) => `id: ${id}, url: "${cameras.url(id)}"`),
    recording: "segment: 60s, keep: { min: 1min, max: 20min }, limit: { free: 0B }",
    station: `url: "${broker.url}"`,
  });
  const agent = startAgent(config);
  const samples: Sample[] = [];
  const began = performance.now();
  try {
    await until("all cameras record", 120_000, () => ids.every((id) => openFiles(join(folder, "footage", id)).length > 0), 1_000);
    while (performance.now() - began < hours * 3_600_000) {
      await sleep(sampleMs);
      const size = statSync(join(folder, "state/matghi.db")).size / MiB;
      const handles = readdirSync(`/proc/${agent.pid}/fd`).length;
      samples.push({
        minutes: (performance.now() - began) / 60_000,
        residentMiB: residentBytes(agent.pid) / MiB,
        handles,
        databaseMiB: size,
      });
      const last = samples.at(-1);
      if (samples.length % 30 === 1 && last !== undefined)
        say(`${last.minutes.toFixed(0)} min: ${last.residentMiB.toFixed(1)} MiB, ${last.handles} handles, database ${size.toFixed(2)} MiB`);
    }
  } finally {
    await agent.stop();
    await cameras.stop();
    await broker.stop();
    const cache = join(repository, ".cache");
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(cache, "soak.json"), `${JSON.stringify(samples)}\n`);
    rmSync(folder, { recursive: true, force: true });
  }
  const steady = samples.filter(({ minutes }) => minutes * 60_000 > warmUpMs);
  const minutes = (steady.at(-1)?.minutes ?? 0) - (steady[0]?.minutes ?? 0);
  say(`soak: ${samples.length} samples in .cache/soak.json`);
  if (minutes < fewestMinutes) {
    say(`soak: NOT JUDGED: ${minutes.toFixed(0)} minutes after the first 20 are too few for a slope; at least --hours 1`);
    return true;
  }
  const slope = slopeOf(steady, ({ residentMiB }) => residentMiB);
  const handles = slopeOf(steady, (sample) => sample.handles);
  say(
    `soak: memory grows by ${slope.toFixed(2)} MiB/h (≤ ${mostSlope}), handles by ${handles.toFixed(2)} an hour, over ${minutes.toFixed(0)} minutes`,
  );
  return slope <= mostSlope;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      real: { type: "boolean", default: false },
      hours: { type: "string" },
      seed: { type: "string" },
      cameras: { type: "string", default: "8" },
    },
  });
  const hours = Number(values.hours ?? (values.real ? 2 : 24));
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
  const count = Number(values.cameras);
  if (!(hours > 0 && Number.isFinite(hours)) || !Number.isSafeInteger(seed) || !(count >= 1 && count <= 16))
    throw new Error("--hours is a number above 0, --seed a whole one, --cameras one from 1 to 16");
  return (await (values.real ? real(hours, count) : virtual(hours, seed))) ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`soak: ${joinedLine(error instanceof Error ? error.message : String(error))}; ${usage}\n`);
    process.exitCode = 2;
  },
);
