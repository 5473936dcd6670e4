/** The whole agent on a scripted clock, over power cuts: real rules, loops and database, a scene around them. */
import { join } from "node:path";
import type { Settings } from "../../agent/config/schema.ts";
import { loadConfig } from "../../agent/config.ts";
import { makeDating } from "../../agent/core/dating.ts";
import type { EndReason, Trust } from "../../agent/core/types.ts";
import type { Glimpse } from "../../agent/core/view.ts";
import { live } from "../../agent/main.ts";
import type { Asking } from "../../agent/query.ts";
import { openOrReplace, openReads } from "../../agent/store/store.ts";
import type { World } from "../../agent/world.ts";
import type {
  Broker,
  LinkValue,
  Message,
  PowerValue,
  Probe,
  PublishResult,
  Reading,
  Recorder,
  ServiceNews,
  Wire,
} from "../../hal/ports.ts";
import { sceneDisk } from "../../hal/scene.ts";
import {
  type ScriptCameraPort,
  type ScriptClock,
  type ScriptDisks,
  type ScriptDoor,
  type ScriptInspections,
  type ScriptNetwork,
  type ScriptShutdown,
  scriptBox,
  scriptBroker,
  scriptCamera,
  scriptClock,
  scriptDiscovery,
  scriptDisks,
  scriptDoor,
  scriptInspections,
  scriptKnock,
  scriptPicture,
  scriptService,
  scriptShutdown,
  scriptWires,
} from "../../hal/script.ts";
import { until, writeSite } from "./agent.ts";

/** What is true around the box; a test changes it, the agent has to find it out. */
export type Scene = {
  /** Cameras in trouble; `<camera>/main` and `<camera>/fallback` are one stream of theirs, while their port answers. */
  readonly trouble: Map<string, EndReason>;
  /** Cameras whose recorder has stopped in its tracks: no sign, no end. */
  readonly hung: Set<string>;
  /** What cameras say of their own clock; the others say nothing. */
  readonly clocks: Map<string, number>;
  /** Addresses of routers that do not answer. */
  readonly silentRouters: Set<string>;
  power: Reading<PowerValue>;
  link: Reading<LinkValue>;
  /** What a file of footage shows. */
  shows: (path: string) => Glimpse | null;
  /** The recorders' connections. */
  wires: readonly Wire[];
  /** What cameras say over ONVIF, and who answers a search. */
  readonly onvif: ScriptCameraPort;
  network: ScriptNetwork;
  /** What the kernel and the last look as root say of the disks. */
  readonly machine: ScriptDoor;
  readonly shutdown: ScriptShutdown;
  readonly disks: ScriptDisks;
  readonly inspections: ScriptInspections;
  /** The address at which a camera was recorded last. */
  recordedAt(camera: string): string | null;
};

export type Village = {
  readonly scene: Scene;
  readonly settings: Settings;
  readonly disk: ReturnType<typeof sceneDisk>;
  /** True UTC now. */
  now(): number;
  /** Lets so much time pass, on a running or a dead box. */
  pass(ms: number): Promise<void>;
  /** Boots the box: its clock is wrong by `wrongMs`, and trusted as `trust` says. */
  boot(options?: { readonly wrongMs?: number; readonly trust?: Trust; readonly orderly?: boolean }): Promise<void>;
  /** The running box's clock is set right. */
  sync(): void;
  /** The power goes: nothing of the agent moves again. */
  cut(): void;
  /** SIGTERM. */
  stop(): Promise<void>;
  /** What the running agent has logged in this boot. */
  log(): string;
  /** The file as it stands is taken in by the running agent. */
  reload(): void;
  /** The station's broker, one a boot: all that the agent sent, and how to speak to it. */
  readonly brokers: readonly ReturnType<typeof scriptBroker>[];
  readonly config: string;
  /** What the service manager was told in this boot. */
  told(): readonly ServiceNews[];
  ask<T>(question: (asking: Asking) => T): T;
};

const unfelt: Reading<never> = { value: "unsupported", evidence: [] };

/** `startAt`: true UTC at the beginning. `cameras` and `more` are lines of YAML. */
export function makeVillage(options: {
  readonly folder: string;
  readonly startAt: number;
  readonly cameras: readonly string[];
  readonly more?: readonly string[];
  readonly station?: string;
  /** Further keys of `recording`. */
  readonly recording?: string;
  /** What the broker says to a message; it takes all where nothing is given. */
  readonly publish?: (message: Message) => PublishResult;
  /** The station's end of the line, where it outlives the box. */
  readonly broker?: Broker;
}): Village {
  const { folder } = options;
  const more = options.more ?? [];
  const config = writeSite({
    ...{
      folder,
      cameras: options.cameras,
      recording: `segment: 60s, limit: { free: 0B }${options.recording === undefined ? "" : `, ${options.recording}`}`,
    },
    ...(options.station === undefined ? {} : { station: options.station }),
    ...(options.broker === undefined ? {} : { station: 'url: "mqtt://127.0.0.1"' }),
    more: [
      ...more,
      ...(more.some((line) => line.startsWith("power:")) ? [] : ["power: { driver: none }"]),
      "link: { driver: none }",
      "clock: { driver: none }",
    ],
  });
  const loaded = loadConfig(config, ["system-disk"]);
  if (loaded.kind === "bad") throw new Error(JSON.stringify(loaded.problems));
  const { settings } = loaded;
  const disk = sceneDisk(settings.recording.folder);
  const addresses = new Map<string, string>();
  const scene: Scene = {
    trouble: new Map(),
    hung: new Set(),
    clocks: new Map(),
    silentRouters: new Set(),
    power: unfelt,
    link: unfelt,
    shows: () => null,
    wires: [],
    ...{
      onvif: scriptCamera(),
      network: { interfaces: [], devices: [] },
      machine: scriptDoor(),
      shutdown: scriptShutdown(),
      disks: scriptDisks(),
      inspections: scriptInspections(),
      recordedAt: (camera) => addresses.get(camera) ?? null,
    },
  };
  let nowAt = options.startAt;
  let boots = 0;
  let box: { clock: ScriptClock; wrongMs: number; stop: AbortController; done: Promise<void>; close: () => void } | null = null;
  let log = "";
  let told: readonly ServiceNews[] = [];
  const brokers: ReturnType<typeof scriptBroker>[] = [];
  let reload: () => void = () => undefined;
  const feel = <V extends string>(driver: string, read: () => Reading<V>): Probe<V> => ({ driver, read: async () => read() });

  const boot = async ({ wrongMs = 0, trust = "synced", orderly = false }: Parameters<Village["boot"]>[0] = {}) => {
    boots += 1;
    const clock = scriptClock(nowAt + wrongMs);
    clock.setTrust(trust);
    const { store } = openOrReplace(settings.site.state, nowAt);
    const footage = disk.footage(clock);
    let watched = false;
    const service = scriptService(60_000);
    told = service.told;
    const broker = scriptBroker(options.publish === undefined ? {} : { publish: options.publish });
    brokers.push(broker);
    const world: World = {
      ...{
        clock,
        knock: scriptKnock(
          (url) => !scene.trouble.has(nameOf(settings, url)),
          (url) => scene.clocks.get(nameOf(settings, url)) ?? null,
        ),
      },
      footage: {
        ...footage,
        inspect: (folder) => {
          watched = true;
          return footage.inspect(folder);
        },
      },
      box: { ...scriptBox(`boot-${boots}`), shutDownInOrder: async () => orderly },
      ...{ cameras: scene.onvif, discovery: scriptDiscovery(() => scene.network) },
      ...{ machine: scene.machine, shutdown: scene.shutdown, disks: scene.disks, inspections: scene.inspections },
      recorder: noting(
        disk.recorder(clock, (camera, stream) => scene.trouble.get(camera) ?? scene.trouble.get(`${camera}/${stream}`) ?? null),
        addresses,
        scene.hung,
      ),
      broker: options.broker ?? broker,
      ...{ power: feel("scene", () => scene.power), link: feel("scene", () => scene.link) },
      picture: scriptPicture((path) => scene.shows(path)),
      wires: scriptWires(() => scene.wires),
      witness: { ask: async (address) => !scene.silentRouters.has(address) },
      ...{ calendar: { daily: () => undefined }, random: () => 0.5, service },
    };
    const stop = new AbortController();
    log = "";
    const write = (line: string) => {
      log += line;
    };
    const onReload = (take: () => void) => {
      reload = take;
    };
    const life = { configFile: config, settings, hash: loaded.hash, store, onReload, write };
    const done = live(world, life, stop.signal);
    done.catch((error: unknown) => write(String(error)));
    box = { clock, wrongMs, stop, done, close: () => store.close() };
    // The start touches real files; virtual time waits for it.
    await until("the agent watches its disk", 30_000, () => watched, 5);
  };

  return {
    ...{ scene, settings, disk, boot, brokers, config, reload: () => reload() },
    now: () => nowAt,
    pass: async (ms) => {
      await box?.clock.advance(ms);
      nowAt += ms;
    },
    sync: () => {
      box?.clock.step(-(box.wrongMs ?? 0));
      box?.clock.setTrust("synced");
    },
    cut: () => {
      box?.close();
      box = null;
    },
    stop: async () => {
      const ending = box;
      if (ending === null) return;
      ending.stop.abort();
      for (let i = 0; i < 20; i += 1) {
        await ending.clock.advance(500);
        nowAt += 500;
      }
      await ending.done;
      ending.close();
      box = null;
    },
    log: () => log,
    told: () => told,
    ask: (question) => {
      const reads = openReads(settings.site.state);
      if (reads === null) throw new Error(`no database in ${join(folder, "state")}`);
      try {
        return question({ reads, settings, dating: makeDating(reads.boots()), running: box !== null, nowAt });
      } finally {
        reads.close();
      }
    },
  };
}

const nameOf = (settings: Settings, at: string) => settings.cameras.find(({ url, fallback }) => url === at || fallback === at)?.id ?? "";

/** A recorder that notes where it was sent. */
function noting(recorder: Recorder, addresses: Map<string, string>, hung: ReadonlySet<string>): Recorder {
  return {
    ...recorder,
    record: (job, onSign, signal) => {
      addresses.set(job.camera, job.url);
      const heard: typeof onSign = (sign) => {
        if (!hung.has(job.camera)) onSign(sign);
      };
      return recorder.record(job, heard, signal).then((end) => (hung.has(job.camera) ? new Promise(() => undefined) : end));
    },
  };
}
