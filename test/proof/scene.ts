/** The place of the drawn faults: a real agent, four simulated cameras, a real Mosquitto behind a wire, and disks of its own where we are root. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subject } from "../../agent/core/types.ts";
import { type Agent, startAgent, until, writeSite } from "../lib/agent.ts";
import { startCameras } from "../lib/cameras.ts";
import { shareMounts } from "../lib/disk.ts";
import { type Draw, drawFrom } from "../lib/draw.ts";
import { filesUnder, openFiles } from "../lib/footage.ts";
import { inspect } from "../lib/inspect.ts";
import { type Listener, listen } from "../lib/listener.ts";
import { type Mosquitto, startMosquitto } from "../lib/mosquitto.ts";
import { makePowerDisk, newBoot, type PowerDisk } from "../lib/powercut.ts";
import { makeWire, type Wire } from "../lib/wire.ts";

export const names = ["sub1", "sub2", "sub3", "sub4"] as const;
export const site = "an-dai-1";
export const topic = `matghi/v1/nghia-phuong/from/${site}/event`;
/** Within this the agent has to record again, and the station to have all: a boot's first wait of 30 s, or a back-off that is at its minute. */
export const againMs = 90_000;

/** Words that the drivers read: what is true around the box. */
const sensors = { power: "mains", link: "up", offset: "0" } as const;
export type Sensor = keyof typeof sensors;

/** State and footage lie on two disks, as on a box: one can fall out without the other, and a power cut takes both. */
export type Disks = { readonly state: PowerDisk; readonly footage: PowerDisk };

export type Scene = {
  readonly draw: Draw;
  readonly folder: string;
  readonly state: string;
  readonly footage: string;
  readonly agent: () => Agent;
  /** Starts it again after its end; `booted`: on a machine that was booted meanwhile. */
  start(booted?: boolean): void;
  readonly control: (command: string) => Promise<void>;
  readonly broker: Mosquitto;
  readonly wire: Wire;
  readonly listener: Listener;
  /** null: not root. */
  readonly disks: Disks | null;
  set(sensor: Sensor, word: string): void;
  /** Copies the state, the names of the files and the log of the last two agents to a folder that stays; which, is returned. */
  keep(): string;
  end(): Promise<void>;
};

export async function makeScene(folder: string, seed: number, hours: number): Promise<Scene> {
  const isRoot = process.getuid?.() === 0;
  const unshare = isRoot ? shareMounts(folder) : () => undefined;
  const disks = isRoot ? { state: await makePowerDisk(folder, "box", 96), footage: await makePowerDisk(folder, "srv", 256) } : null;
  const [state, footage] = [join(disks?.state.mountPoint ?? folder, "state"), join(disks?.footage.mountPoint ?? folder, "footage")];
  const set = (sensor: Sensor, word: string) => writeFileSync(join(folder, sensor), word);
  for (const [sensor, word] of Object.entries(sensors)) set(sensor as Sensor, word);
  const cameras = await startCameras({ count: names.length, seconds: Math.ceil(hours * 3_600 + 600) });
  const broker = await startMosquitto();
  const wire = await makeWire(broker.port);
  const listener = await listen(broker.url, [topic]);
  const config = writeSite({
    ...{ folder, state, footage, id: site, station: `url: "mqtt://127.0.0.1:${wire.port}"` },
    cameras: names.map((id) => `id: ${id}, url: "${cameras.url(id)}"`),
    recording: "segment: 5s, keep: { min: 5s, max: 10min }, limit: { free: 0B }",
    more: [
      ...(["power", "link"] as const).map((sensor) => `${sensor}: { driver: file, path: ${join(folder, sensor)} }`),
      `clock: { driver: script, offset: ${join(folder, "offset")} }`,
    ],
  });
  const boot = () => (isRoot ? newBoot(folder) : []);
  let inside = boot();
  let agent = startAgent(config, {}, inside);
  let before = "";
  return {
    ...{ draw: drawFrom(seed), folder, state, footage, broker, wire, listener, disks, set, control: cameras.control },
    agent: () => agent,
    start: (booted = false) => {
      if (booted) inside = boot();
      before = agent.log();
      agent = startAgent(config, {}, inside);
    },
    keep: () => {
      const kept = mkdtempSync(join(tmpdir(), "matghi-broken-"));
      cpSync(state, join(kept, "state"), { recursive: true });
      writeFileSync(join(kept, "agent.log"), `${before}${agent.log()}`);
      writeFileSync(join(kept, "footage"), filesUnder(footage).join("\n"));
      return kept;
    },
    end: async () => {
      // An interrupted run may have left one frozen, and nobody who waits for it can be ended.
      for (const disk of Object.values(disks ?? {})) thaw(disk);
      await agent.stop();
      await listener.stop();
      await broker.stop();
      await cameras.stop();
      wire.close();
      for (const disk of Object.values(disks ?? {})) disk.remove();
      unshare();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function thaw(disk: PowerDisk): void {
  try {
    disk.freeze(false);
  } catch {
    // It was not.
  }
}

export async function recordingAgain({ footage }: Scene): Promise<void> {
  const before = new Map(names.map((name) => [name, openFiles(join(footage, name))]));
  await until("all cameras have a new file", againMs, () =>
    names.every((name) => openFiles(join(footage, name)).some((file) => !before.get(name)?.includes(file))),
  );
}

/** Waits until the agent holds it true, and says where it does not: everything of the kind is known within seconds (readings of every second). */
export async function felt({ agent }: Scene, subject: Subject, value: string): Promise<readonly string[]> {
  const isFelt = () => inspect(agent(), ({ reads }) => reads.conditions().some((each) => each.subject === subject && each.value === value));
  return until(`${subject} ${value}`, 20_000, isFelt).then(
    () => [],
    () => [`${subject} was not known to be ${value} after 20 s`],
  );
}
