/**
 * How fast a journal that waited is told once the station is back, at the pace that the agent keeps so that a returning box does not drown
 * the station, and what that costs the box: the agent as a process that records a camera, and Mosquitto on loopback.
 */
import { connectAsync } from "mqtt";
import { type Agent, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { fillJournal } from "../lib/backlog.ts";
import { startCameras } from "../lib/cameras.ts";
import { type Listener, listen } from "../lib/listener.ts";
import { startMosquitto } from "../lib/mosquitto.ts";
import { tempFolder } from "../lib/temp.ts";
import type { Figure } from "./figures.ts";
import { cpuSeconds } from "./processes.ts";

const topic = "matghi/v1/nghia-phuong/from/an-dai-1/event";
/** Events of one measurement: a whole drain gives as many as it has thousands. */
export const eventsTogether = 1_000;
/** The pace that agent/publish.ts keeps: eight events, then a pause of 80 ms. Faster would drown the station of a large commune. */
const mostPerSecond = 100;
/** As long as nothing waits: what the agent takes anyway. */
const quietMs = 30_000;
const settleMs = 10_000;
const trips = 200;
const patienceMs = 600_000;

/** Milliseconds from a message to its confirmation (QoS 1), one after the other. */
async function roundTripsMs(url: string): Promise<readonly number[]> {
  const client = await connectAsync(url, { protocolVersion: 5 });
  const found: number[] = [];
  for (let i = 0; i < trips; i += 1) {
    const began = performance.now();
    await client.publishAsync("trip", "x", { qos: 1 });
    found.push(performance.now() - began);
  }
  await client.endAsync();
  return found;
}

/** Processor seconds of the agent when the first event had arrived, then after each further stretch. */
async function watchDrain({ pid }: Agent, { heard }: Listener, count: number): Promise<readonly number[]> {
  const seconds: number[] = [];
  await until(
    "all have arrived",
    patienceMs,
    () => {
      if (heard.length > seconds.length * eventsTogether) seconds.push(cpuSeconds(pid));
      return heard.length >= count && seconds.length >= count / eventsTogether;
    },
    20,
  );
  return [...seconds, cpuSeconds(pid)];
}

async function busyShare(pid: number): Promise<number> {
  const before = cpuSeconds(pid);
  await sleep(quietMs);
  return ((cpuSeconds(pid) - before) * 1_000) / quietMs;
}

const steps = (values: readonly number[]): readonly number[] => values.slice(1).map((value, i) => value - (values[i] ?? Number.NaN));

/** `count` events wait, a multiple of a thousand. */
export async function drainFigures(count: number, say: (line: string) => void): Promise<readonly Figure[]> {
  const folder = tempFolder("bench-drain");
  const cameras = await startCameras({ count: 1, seconds: 1_800 });
  const broker = await startMosquitto();
  await broker.stop();
  const config = writeSite({ folder, cameras: [`id: sub1, url: "${cameras.url("sub1")}"`], station: `url: "${broker.url}"` });
  await fillJournal({ config, folder, camera: "sub1", count });
  await broker.start();
  const listener = await listen(broker.url, [topic]);
  say(`  ${count} events wait`);
  const agent = startAgent(config);
  try {
    await until("the first arrives", 60_000, () => listener.heard.length > 0, 20);
    const seconds = await watchDrain(agent, listener, count);
    await sleep(settleMs);
    const numbers = listener.heard.map(({ text }) => (JSON.parse(text) as { g: number }).g);
    const share = await busyShare(agent.pid);
    const trips = await roundTripsMs(broker.url);
    const atMs = Array.from(
      { length: count / eventsTogether + 1 },
      (_, i) => listener.heard[Math.min(i * eventsTogether, count - 1)]?.atMs ?? Number.NaN,
    );
    const took = steps(atMs);
    const [whole, busy] = [(atMs.at(-1) ?? Number.NaN) - (atMs[0] ?? Number.NaN), steps(seconds)];
    const of = (name: string, unit: string, values: readonly number[], most: number | null = null): Figure => ({
      ...{ name: `${name}, ${count} waited`, unit, values, most },
    });
    return [
      of(
        "journal drained at the agent's own pace over Mosquitto on loopback, each thousand",
        "events/s",
        took.map((ms) => (eventsTogether * 1_000) / ms),
        mostPerSecond,
      ),
      of("journal drained: from the first event to the last at the listener", "s", [whole / 1_000]),
      of("journal drained: events that came more than once", "events", [numbers.length - new Set(numbers).size]),
      of("journal drained: processor of the agent for a thousand events, with one camera recorded", "s", busy),
      of(
        "journal drained: processor of the agent for a thousand events, beyond what it takes when none waits",
        "s",
        busy.map((value, i) => value - (share * (took[i] ?? Number.NaN)) / 1_000),
      ),
      of("round trip of a message and its confirmation to that broker", "ms", trips),
    ];
  } finally {
    await agent.stop();
    await listener.stop();
    await broker.stop();
    await cameras.stop();
  }
}
