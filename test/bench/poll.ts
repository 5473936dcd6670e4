/**
 * `npm run bench:poll`: what asking 26 cameras over ONVIF once a minute costs the agent, their signs included. The same agent without it
 * runs beside it on the same machine, as do the simulated cameras. usage: npm run bench:poll -- [--cameras 26] [--minutes 3] [--runs 3]
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { figure, sleep, startAgent, writeSecret, writeSite } from "../lib/agent.ts";
import { startOnvif } from "../lib/onvif.ts";
import { tempFolder } from "../lib/temp.ts";
import { cpuSeconds } from "./processes.ts";

const { values } = parseArgs({
  options: {
    cameras: { type: "string", default: "26" },
    minutes: { type: "string", default: "3" },
    runs: { type: "string", default: "3" },
  },
});
const count = Number(values.cameras);
const forMs = Number(values.minutes) * 60_000;
const credential = { username: "agent", password: "mat-khau" };
const makes = ["hikvision", "dahua", "xm"] as const;
/** The first visits ask for everything; they are over by then. */
const settleMs = 90_000;
/** Nobody listens there: no camera is recorded, so that the two agents differ by their questions only. */
const nowhere = "rtsp://127.0.0.1:9/none";

const cameras = await Promise.all(Array.from({ length: count }, (_, i) => startOnvif(makes[i % makes.length] ?? "dahua", { credential })));

function start(withOnvif: boolean) {
  const folder = tempFolder("bench-poll");
  const file = writeSecret(join(folder, "secrets"), "one", credential.password);
  const entries = cameras.map(({ xaddr }, i) => {
    const onvif = withOnvif ? `, onvif: "${xaddr}"` : "";
    return `id: c${String(i + 1).padStart(2, "0")}, url: "${nowhere}", username: agent, passwordFile: ${file}${onvif}`;
  });
  return startAgent(writeSite({ folder, cameras: entries, recording: "limit: { free: 0B }" }));
}

const shares: number[] = [];
const asked = () => cameras.reduce((sum, { seen }) => sum + seen.length, 0);
let requests = 0;
for (let run = 0; run < Number(values.runs); run += 1) {
  const [bare, asking] = [start(false), start(true)];
  await sleep(settleMs);
  const before = [cpuSeconds(bare.pid), cpuSeconds(asking.pid), asked()] as const;
  await sleep(forMs);
  const [without, with_] = [cpuSeconds(bare.pid) - before[0], cpuSeconds(asking.pid) - before[1]];
  requests += asked() - before[2];
  shares.push(((with_ - without) / (forMs / 1_000)) * 100);
  await Promise.all([bare.stop(), asking.stop()]);
}
const perMinute = requests / Number(values.runs) / (forMs / 60_000);
process.stdout.write(`${figure(`asking ${count} cameras, share of one core`, shares, "%")}\nrequests a minute: ${Math.round(perMinute)}\n`);
for (const camera of cameras) await camera.stop();
