/** Faults drawn at random for hours: a real agent, simulated cameras, a real Mosquitto, a disk of its own where we are root. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openReads } from "../../agent/store/store.ts";
import { type Agent, sleep, startAgent, until, writeSite } from "../lib/agent.ts";
import { startCameras } from "../lib/cameras.ts";
import { type Disk, forceReadOnly, makeDisk } from "../lib/disk.ts";
import { type Draw, drawFrom } from "../lib/draw.ts";
import { markedBy, openFiles, signalRecorders } from "../lib/footage.ts";
import { brokenLawsOf, type Size, sizeOf } from "../lib/inspect.ts";
import { type Listener, listen } from "../lib/listener.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { tempFolder } from "../lib/temp.ts";
import { makeWire, type Wire } from "../lib/wire.ts";

const names = ["sub1", "sub2", "sub3", "sub4"] as const;
const topic = "matghi/v1/nghia-phuong/from/an-dai-1/event";
const againMs = 90_000;
/** Growth over a whole run that is no leak. */
const mostGrown = { residentMiB: 40, handles: 12 };

type Scene = {
  agent: Agent;
  readonly draw: Draw;
  readonly folder: string;
  readonly footage: string;
  readonly config: string;
  readonly control: (command: string) => Promise<void>;
  readonly broker: Mosquitto;
  readonly wire: Wire;
  readonly listener: Listener;
  readonly disk: Disk | null;
};
type Deed = (scene: Scene) => Promise<void>;

const faults: Readonly<Record<string, Deed>> = {
  "agent killed": async (scene) => {
    await scene.agent.kill9();
    await sleep(scene.draw.between(0, 5_000));
    scene.agent = startAgent(scene.config);
  },
  "agent stopped": async (scene) => {
    await scene.agent.stop();
    scene.agent = startAgent(scene.config);
  },
  "ffmpeg killed": async ({ draw, footage }) => {
    for (const name of draw.some(names)) signalRecorders(join(footage, name), "SIGKILL");
  },
  "ffmpeg hangs": async ({ draw, footage }) => {
    signalRecorders(join(footage, draw.one(names)), "SIGSTOP");
  },
  "camera stalls": async ({ draw, control }) => control(`stall ${draw.one(names)} ${draw.between(3, 20)}`),
  "cameras reboot": async ({ draw, control }) => {
    const seconds = draw.between(3, 15);
    await control(`reboot ${seconds}`);
    await sleep(seconds * 1_000);
  },
  "broker killed": async ({ broker, draw }) => {
    await broker.kill();
    await sleep(draw.between(500, 10_000));
    await broker.start();
  },
  "broker hangs": async ({ broker, draw }) => {
    broker.hang(true);
    await sleep(draw.between(1_000, 20_000));
    broker.hang(false);
  },
  "line half-open": async ({ wire }) => wire.halfOpen(),
  "line dark": async ({ wire, draw }) => {
    wire.blackHole();
    await sleep(draw.between(5_000, 30_000));
    wire.mend();
  },
  "disk full": async ({ disk, draw }) => {
    disk?.fill();
    await sleep(draw.between(3_000, 15_000));
    disk?.makeRoom();
  },
  "disk read-only": async ({ disk, draw, footage }) => {
    if (disk === null) return;
    await forceReadOnly(
      disk,
      names.map((name) => join(footage, name)),
    );
    await sleep(draw.between(3_000, 15_000));
    disk.readOnly(false);
  },
};
const onDisk = ["disk full", "disk read-only"];

async function recordingAgain({ footage }: Scene): Promise<void> {
  const before = new Map(names.map((name) => [name, openFiles(join(footage, name))]));
  await until("all cameras have a new file", againMs, () =>
    names.every((name) => openFiles(join(footage, name)).some((file) => !before.get(name)?.includes(file))),
  );
}

/** Every event came once or more under one id, the first ones in order, none missing up to what the agent has had confirmed. */
function complaintsOf({ listener, folder }: Scene): readonly string[] {
  const reads = openReads(join(folder, "state"));
  const cursor = Number(reads?.meta("cursor") ?? 0);
  reads?.close();
  const ids = new Map<number, Set<string>>();
  for (const { topic: heard, text } of listener.heard) {
    if (heard !== topic) continue;
    const { g, id } = JSON.parse(text) as { g: number; id: string };
    ids.set(g, (ids.get(g) ?? new Set()).add(id));
  }
  const firsts = [...ids.keys()];
  const missing = Array.from({ length: cursor }, (_, i) => i + 1).filter((g) => !ids.has(g));
  return [
    ...[...ids].filter(([, of]) => of.size > 1).map(([g]) => `event ${g} came under two ids`),
    ...(missing.length > 0 ? [`${missing.length} events never came, first ${missing[0]}`] : []),
    ...(firsts.every((g, i) => i === 0 || g > (firsts[i - 1] ?? 0)) ? [] : ["events came out of order"]),
  ];
}

/** What came of one drawn fault: `not made` is a fault of ours, and proves nothing of the agent. */
type Turn = { readonly result: "holds" | "BROKEN" | "NOT MADE"; readonly why: readonly string[] };
const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s*\n\s*/g, "; ");

/** Makes one fault and judges what it left. Nothing that goes wrong here ends the run: hours of it would be lost. */
async function take(scene: Scene, deed: Deed): Promise<Turn> {
  const failed = await deed(scene).then(
    () => null,
    (error: unknown) => reason(error),
  );
  const why = await judge(scene).catch((error: unknown) => [`could not be judged: ${reason(error)}`]);
  if (failed !== null) return { result: "NOT MADE", why: [failed, ...why] };
  return { result: why.length === 0 ? "holds" : "BROKEN", why };
}

/** Every law that is broken after the agent had its time; one that has ended by itself is started again. */
async function judge(scene: Scene): Promise<readonly string[]> {
  const ended = await Promise.race([scene.agent.ended.then((code) => [`the agent ended with ${code}`]), sleep(0).then(() => [])]);
  if (ended.length > 0) scene.agent = startAgent(scene.config);
  const late = await recordingAgain(scene).then(
    () => [],
    (error: unknown) => [reason(error)],
  );
  await until("the station has all", againMs, () => complaintsOf(scene).length === 0).catch(() => undefined);
  return [...ended, ...late, ...complaintsOf(scene), ...(await brokenLawsOf(scene.agent, 30_000))];
}

/** null: the agent has just ended, as the next turn will say. */
function measure({ agent, folder }: Scene): Size | null {
  try {
    return sizeOf(agent.pid, join(folder, "state"));
  } catch {
    return null;
  }
}

async function begin(folder: string, seed: number, hours: number): Promise<{ scene: Scene; end: () => Promise<void> }> {
  const disk = process.getuid?.() === 0 ? makeDisk(folder, "disk", 256) : null;
  const footage = disk?.mountPoint ?? join(folder, "footage");
  const cameras = await startCameras({ count: 4, seconds: Math.ceil(hours * 3_600 + 600) });
  const broker = await startMosquitto();
  const wire = await makeWire(broker.port);
  const listener = await listen(broker.url, [topic]);
  const config = writeSite({
    ...{ folder, footage, station: `url: "mqtt://127.0.0.1:${wire.port}"` },
    cameras: names.map((id) => `id: ${id}, url: "${cameras.url(id)}"`),
    recording: "segment: 5s, keep: { min: 5s, max: 10min }, limit: { free: 0B }",
  });
  const scene: Scene = {
    agent: startAgent(config),
    draw: drawFrom(seed),
    folder,
    footage,
    config,
    control: cameras.control,
    broker,
    wire,
    listener,
    disk,
  };
  const end = async () => {
    await scene.agent.stop();
    await listener.stop();
    await broker.stop();
    await cameras.stop();
    wire.close();
    disk?.remove();
    rmSync(folder, { recursive: true, force: true });
  };
  return { scene, end };
}

export async function roam(options: {
  readonly hours: number;
  readonly seed: number;
  /** Draws from these faults only. */
  readonly only: readonly string[] | undefined;
  readonly say: (line: string) => void;
}): Promise<boolean> {
  const { hours, seed, only, say } = options;
  const strange = only?.find((kind) => faults[kind] === undefined);
  if (strange !== undefined) throw new Error(`no drawn fault is called ${strange}; there are: ${Object.keys(faults).join(", ")}`);
  const folder = tempFolder("roam");
  say(`faults: drawn for ${hours} h, seed ${seed}`);
  const { scene, end } = await begin(folder, seed, hours);
  const kinds = (only ?? Object.keys(faults)).filter((kind) => scene.disk !== null || !onDisk.includes(kind)) as [string, ...string[]];
  if (scene.disk === null) say(`SKIPPED: ${onDisk.join(", ")}: need root`);
  const state = join(folder, "state");
  const until24 = performance.now() + hours * 3_600_000;
  const turns: { readonly kind: string; readonly turn: Turn }[] = [];
  let first: Size | null = null;
  let last: Size | null = null;
  try {
    await until("all cameras record", 120_000, () => names.every((name) => openFiles(join(scene.footage, name)).length > 0));
    await sleep(15_000);
    while (performance.now() < until24) {
      const kind = scene.draw.one(kinds);
      const turn = await take(scene, faults[kind] ?? (async () => undefined));
      turns.push({ kind, turn });
      const size: Size | null = measure(scene) ?? last;
      first ??= size;
      last = size;
      const found = turn.result === "holds" ? turn.result : `${turn.result}: ${turn.why.slice(0, 3).join("; ")}`;
      say(`${kind}: ${found} (${size?.residentMiB.toFixed(0)} MiB, ${size?.handles} handles)`);
    }
    if (first === null || last === null) throw new Error("no fault was drawn in that time: ask for more --hours");
    const grown = { residentMiB: last.residentMiB - first.residentMiB, handles: last.handles - first.handles };
    await scene.agent.stop();
    const orphans = markedBy(state).length;
    const count = (kind: string, result: Turn["result"]) =>
      turns.filter((each) => each.kind === kind && each.turn.result === result).length;
    say("\n| fault | held | laws broken | not made |\n|---|---|---|---|");
    for (const kind of new Set(turns.map((each) => each.kind)))
      say(`| ${kind} | ${count(kind, "holds")} | ${count(kind, "BROKEN")} | ${count(kind, "NOT MADE")} |`);
    say(
      `\nfaults: grown by ${grown.residentMiB.toFixed(1)} MiB, ${grown.handles} handles; ${orphans} processes left behind; database ${last.databaseMiB.toFixed(2)} MiB`,
    );
    const isBounded = grown.residentMiB <= mostGrown.residentMiB && grown.handles <= mostGrown.handles && orphans === 0;
    const holds = isBounded && turns.every(({ turn }) => turn.result === "holds");
    say(holds ? "faults: every law held after every fault" : `faults: repeat it with --seed ${seed}`);
    return holds;
  } finally {
    await end();
    if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  }
}
