/** Every port played from a script: for tests, and for a technician's rehearsal. They pass the same suites as the real drivers. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EndReason, Trust, WallMs } from "../agent/core/types.ts";
import type { Glimpse } from "../agent/core/view.ts";
import type {
  Box,
  Broker,
  BrokerOptions,
  BrokerSession,
  CameraClock,
  CameraFacts,
  CameraFailure,
  CameraPort,
  CameraSign,
  CameraTarget,
  CameraTime,
  Clock,
  ConnectResult,
  Credential,
  Discovery,
  DiskFacts,
  Disks,
  Door,
  FoundDevice,
  Inspection,
  Inspections,
  Knock,
  Machine,
  Measure,
  Message,
  Picture,
  Probe,
  PublishResult,
  Reading,
  Recorder,
  RecorderEnd,
  RecorderJob,
  RecorderSign,
  Service,
  ServiceNews,
  Shutdown,
  StreamLook,
  StreamView,
  Wifi,
  WifiCount,
  Wire,
  Wires,
  Witness,
} from "./ports.ts";

/** A clock that moves only when it is told to. */
export type ScriptClock = Clock & {
  /** Moves both clocks and wakes, in order, whoever's time has come; resolves when they have had their turn. */
  advance(ms: number): Promise<void>;
  /** Steps the wall clock alone. */
  step(ms: number): void;
  setTrust(trust: Trust): void;
};

type Sleeper = { readonly atMs: number; readonly wake: () => void };

export function scriptClock(startAt: WallMs): ScriptClock {
  let monoMs = 0;
  let offsetMs = startAt;
  let trust: Trust = "synced";
  let sleepers: Sleeper[] = [];
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    wallMs: () => offsetMs + monoMs,
    fileMs: () => offsetMs + monoMs,
    monoMs: () => monoMs,
    trust: () => trust,
    errorMs: () => null,
    driver: "script",
    look: async () => undefined,
    setTrust: (next) => {
      trust = next;
    },
    step: (ms) => {
      offsetMs += ms;
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const sleeper: Sleeper = { atMs: monoMs + Math.max(0, ms), wake: () => done() };
        const done = () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          signal.removeEventListener("abort", done);
          resolve();
        };
        sleepers.push(sleeper);
        signal.addEventListener("abort", done, { once: true });
      }),
    advance: async (ms) => {
      const untilMs = monoMs + ms;
      await settle();
      for (;;) {
        const next = sleepers.reduce<Sleeper | null>((first, other) => (first === null || other.atMs < first.atMs ? other : first), null);
        if (next === null || next.atMs > untilMs) break;
        monoMs = Math.max(monoMs, next.atMs);
        next.wake();
        await settle();
      }
      monoMs = untilMs;
    },
  };
}

/** A port that answers or not, as `answers` says at that moment. */
export function scriptKnock(
  answers: (url: string) => boolean,
  clockOf: (url: string) => number | null = () => null,
): Knock & CameraClock & { readonly knocked: readonly string[] } {
  const knocked: string[] = [];
  return {
    knocked,
    clock: async (url, _timeoutMs, signal) => (signal.aborted || !answers(url) ? null : clockOf(url)),
    knock: async (url, _timeoutMs, signal) => {
      if (signal.aborted) return false;
      knocked.push(url);
      return answers(url);
    },
  };
}

/** Local networks as they are told: who answers on which interface, which doors are open there, and who is known by MAC. */
export type ScriptNetwork = {
  readonly interfaces: readonly string[];
  /** Each once, as a search has already merged them. */
  readonly devices: readonly FoundDevice[];
  readonly remarks?: readonly string[];
  readonly doors?: readonly { readonly address: string; readonly port: number; readonly interface: string }[];
  readonly neighbours?: ReadonlyMap<string, string>;
};

/** Answers as `network` says at that moment. */
export function scriptDiscovery(network: () => ScriptNetwork): Discovery {
  const isThere = (name: string | null, at: string) => network().interfaces.includes(at) && (name === null || name === at);
  return {
    interfaces: () => network().interfaces,
    interfaceOf: () => network().interfaces[0] ?? null,
    search: async ({ interface: name }, signal) => {
      if (signal.aborted) return { devices: [], remarks: [] };
      const { interfaces, devices, remarks = [] } = network();
      if (name !== null && !interfaces.includes(name)) return { devices: [], remarks: [`no-interface ${name}`] };
      return { devices: devices.filter((device) => isThere(name, device.interface)), remarks };
    },
    knockAll: async ({ interface: name, ports }, signal) =>
      signal.aborted
        ? []
        : (network().doors ?? [])
            .filter((door) => isThere(name, door.interface) && ports.includes(door.port))
            .map(({ address, port }) => ({ address, port })),
    neighbours: async () => network().neighbours ?? new Map(),
  };
}

/** RTSP servers by `host:port`: what they call themselves, the login they ask for, and their streams by path. */
export type ScriptStreams = {
  readonly server: string;
  readonly credential: Credential | null;
  readonly streams: Readonly<Record<string, Omit<Extract<StreamView, { kind: "ok" }>, "kind">>>;
};

/** Answers as `servers` says at that moment; nobody is anywhere else. */
export function scriptStreams(servers: () => Readonly<Record<string, ScriptStreams>>): StreamLook & { readonly looked: readonly string[] } {
  const looked: string[] = [];
  return {
    looked,
    look: async (url, credential, _timeoutMs, signal) => {
      if (signal.aborted) return { kind: "failed", reason: "stopped", server: "" };
      const { host, pathname, search } = new URL(url);
      looked.push(`${credential?.username ?? "-"} ${url}`);
      const there = servers()[host];
      if (there === undefined) return { kind: "failed", reason: "refused", server: "" };
      const { server, credential: asked, streams } = there;
      if (asked !== null && (credential?.username !== asked.username || credential.password !== asked.password))
        return { kind: "failed", reason: "password", server };
      const stream = streams[`${pathname}${search}`];
      return stream === undefined ? { kind: "failed", reason: "not-found", server } : { kind: "ok", ...stream };
    },
  };
}

/** A camera of the scripted `CameraPort`. */
export type ScriptCamera = {
  readonly facts: Omit<CameraFacts, "kind" | "time">;
  /** What it wants to be told; null: it asks for no login. */
  readonly credential: Credential | null;
  /** Its clock minus the box's; null: it was never set. */
  readonly offsetMs: number | null;
  readonly hasEvents: boolean;
  /** Why it answers nothing; null: it answers. */
  readonly trouble: CameraFailure["reason"] | null;
};
export type ScriptCameraPort = CameraPort & {
  /** What was asked, in order: the call and the address. */
  readonly asked: readonly string[];
  /** A camera at `xaddr` from now on; null: nobody. */
  set(xaddr: string, camera: ScriptCamera | null): void;
  /** A sign to all who follow it. */
  emit(xaddr: string, sign: CameraSign): void;
};

/** Cameras by address. Where none is, every call is refused. */
export function scriptCamera(): ScriptCameraPort {
  const cameras = new Map<string, ScriptCamera>();
  const asked: string[] = [];
  const followers = new Map<string, Set<{ sign(sign: CameraSign): void; look(): void }>>();
  const failed = (reason: CameraFailure["reason"]): CameraFailure => ({ kind: "failed", reason, detail: `script ${reason}` });
  /** The camera as it is now, or why it does not answer. */
  const reach = ({ xaddr, credential }: CameraTarget, signal: AbortSignal, isOpen: boolean): ScriptCamera | CameraFailure => {
    if (signal.aborted) return failed("stopped");
    const camera = cameras.get(xaddr);
    if (camera === undefined) return failed("refused");
    if (camera.trouble !== null) return failed(camera.trouble);
    const { username, password } = camera.credential ?? {};
    const isWrong = camera.credential !== null && (credential?.username !== username || credential?.password !== password);
    return isWrong && !isOpen ? failed("password") : camera;
  };
  async function visit<T>(
    name: string,
    target: CameraTarget,
    signal: AbortSignal,
    act: (camera: ScriptCamera) => T,
  ): Promise<T | CameraFailure> {
    if (!signal.aborted) asked.push(`${name} ${target.xaddr}`);
    const camera = reach(target, signal, name === "time");
    return "kind" in camera ? camera : act(camera);
  }
  const timeOf = ({ offsetMs }: ScriptCamera): CameraTime => ({ kind: "ok", offsetMs, neverSet: offsetMs === null, timeZone: null });
  return {
    asked,
    set: (xaddr, camera) => {
      if (camera === null) cameras.delete(xaddr);
      else cameras.set(xaddr, camera);
      for (const follower of followers.get(xaddr) ?? []) follower.look();
    },
    emit: (xaddr, sign) => {
      for (const follower of followers.get(xaddr) ?? []) follower.sign(sign);
    },
    time: (target, signal) => visit("time", target, signal, timeOf),
    identify: (target, signal) =>
      visit("identify", target, signal, ({ facts: { make, model, serial, firmware } }) => ({
        ...{ kind: "ok", make, model, serial, firmware, mac: null },
      })),
    describe: (target, signal) => visit("describe", target, signal, (camera) => ({ ...camera.facts, kind: "ok", time: timeOf(camera) })),
    setTime: (target, signal) =>
      visit("setTime", target, signal, (camera) => {
        cameras.set(target.xaddr, { ...camera, offsetMs: 0 });
        return { kind: "ok" } as const;
      }),
    follow: async (target, onSign, signal) => {
      const first = await visit("follow", target, signal, ({ hasEvents }) => (hasEvents ? null : failed("unsupported")));
      if (first !== null) return first;
      return new Promise((resolve) => {
        const all = followers.get(target.xaddr) ?? new Set();
        followers.set(target.xaddr, all);
        const look = () => {
          const camera = reach(target, signal, false);
          if (!("kind" in camera)) return;
          signal.removeEventListener("abort", look);
          all.delete(follower);
          resolve(camera);
        };
        const follower = { sign: onSign, look };
        all.add(follower);
        signal.addEventListener("abort", look, { once: true });
        // It may have been stopped, or gone, since it was reached.
        look();
      });
    },
  };
}

/** A sense that says what it was told last. */
export type ScriptProbe<V extends string> = Probe<V> & { set(value: Reading<V>["value"]): void };

export function scriptProbe<V extends string>(first: Reading<V>["value"]): ScriptProbe<V> {
  let value = first;
  return {
    driver: "script",
    set: (next) => {
      value = next;
    },
    read: async (signal) => {
      if (signal.aborted) return { value: "unknown", evidence: ["stopped"] };
      return { value, evidence: value === "unsupported" ? [] : [`script ${value}`] };
    },
  };
}

/** A witness that answers, is silent (false) or cannot be asked (null), as `answers` says at that moment. */
export function scriptWitness(answers: (address: string) => boolean | null): Witness & { readonly asked: readonly string[] } {
  const asked: string[] = [];
  return {
    asked,
    ask: async (address, _timeoutMs, signal) => {
      if (signal.aborted) return null;
      asked.push(address);
      return answers(address);
    },
  };
}

/** Connections as they are told; null: nobody tells. */
export function scriptWires(wires: () => readonly Wire[] | null): Wires {
  return { read: async (ports, signal) => (signal.aborted ? null : (wires()?.filter(({ port }) => ports.includes(port)) ?? null)) };
}

/** A wifi card that counts what it is told; null: nobody tells. */
export function scriptWifi(counts: () => WifiCount | null): Wifi & { readonly asked: readonly string[] } {
  const asked: string[] = [];
  return {
    asked,
    count: async (name, signal) => {
      if (signal.aborted) return null;
      asked.push(name);
      return counts();
    },
  };
}

/** Files show what `shows` says at that moment; null: there is nothing to be seen. */
export function scriptPicture(shows: (path: string) => Glimpse | null): Picture & { readonly glanced: readonly string[] } {
  const glanced: string[] = [];
  return {
    glanced,
    glance: async (path, signal) => {
      if (signal.aborted) return null;
      glanced.push(path);
      return shows(path);
    },
  };
}

export function scriptBox(bootId: string, isShutDownInOrder: boolean | null = null): Box {
  return {
    bootId: () => bootId,
    shutDownInOrder: async () => isShutDownInOrder,
    identity: async () => ({ hostname: "script", model: "script", os: "script", node: process.version, ffmpeg: "script" }),
    vitals: () => ({
      ...{ load1: 0, memoryUsedBytes: 1, memoryTotalBytes: 2, temperatureC: null, agentRssBytes: process.memoryUsage.rss(), uptimeMs: 1 },
      eventLoopP99Ms: null,
    }),
  };
}

/** A way to servers that ends where a test says. */
export type ScriptDoor = Pick<Machine, "door"> & { set(door: Door): void; readonly asked: () => number };
export function scriptDoor(): ScriptDoor {
  let [door, asked] = [{ kind: "open", certificateEndsAt: null } as Door, 0];
  return {
    asked: () => asked,
    set: (next) => {
      door = next;
    },
    door: async () => {
      asked += 1;
      return door;
    },
  };
}

/** Counts how often it was asked. */
export type ScriptShutdown = Shutdown & { readonly asked: () => number };
export function scriptShutdown(): ScriptShutdown {
  let asked = 0;
  return {
    asked: () => asked,
    ask: async () => {
      asked += 1;
      return null;
    },
  };
}

/** Disks as they are set; `set` replaces what lies under every folder. */
export type ScriptDisks = Disks & { set(disks: readonly DiskFacts[]): void };
export function scriptDisks(): ScriptDisks {
  let disks: readonly DiskFacts[] = [];
  return {
    set: (next) => {
      disks = next;
    },
    under: async () => disks,
  };
}

/** The last look as root, kept in memory. */
export type ScriptInspections = Inspections;
export function scriptInspections(): ScriptInspections {
  let last: Inspection | null = null;
  return {
    read: async () => last,
    write: async (inspection) => {
      last = inspection;
    },
  };
}

/** A service manager that remembers what it was told. */
export function scriptService(watchdogMs: number | null = null): Service & { readonly told: readonly ServiceNews[] } {
  const told: ServiceNews[] = [];
  return { told, watchdogMs, tell: (news) => void told.push(news), end: async () => undefined };
}

/** What a try of the scripted recorder does, in order. A try without a `stop` goes on until it is stopped from outside. */
export type RecorderStep =
  | { readonly kind: "frames"; readonly forMs: number }
  /** Frames for so long, then the file is closed and the next one opened. */
  | { readonly kind: "file"; readonly forMs: number }
  | { readonly kind: "silence"; readonly forMs: number }
  | { readonly kind: "stop"; readonly reason: EndReason };

const frameMs = 1_000;
const scriptedFrame = "a scripted frame\n";

/** Plays one script a try, the last one again and again; its files are real and hold no pictures. */
export function scriptRecorder(
  clock: Clock,
  scripts: readonly (readonly RecorderStep[])[],
): Recorder & { readonly jobs: readonly RecorderJob[] } {
  const jobs: RecorderJob[] = [];
  return {
    jobs,
    reap: async () => 0,
    measure: async (path): Promise<Measure> => {
      const stream = jobs.find(({ folder }) => path.startsWith(`${folder}/`))?.stream ?? "main";
      return { kind: "readable", durationMs: frameMs, codec: "script", stream };
    },
    record: async (job, onSign, signal) => {
      const script = scripts[Math.min(jobs.length, scripts.length - 1)] ?? [];
      jobs.push(job);
      return play(clock, job, script, onSign, signal);
    },
  };
}

async function play(
  clock: Clock,
  job: RecorderJob,
  script: readonly RecorderStep[],
  onSign: (sign: RecorderSign) => void,
  signal: AbortSignal,
): Promise<RecorderEnd> {
  const now = { number: job.firstNumber, mediaMs: 0, fileFromMs: 0, frames: 0 };
  const part = () => join(job.folder, `${job.run}-${now.number}.mkv.part`);
  const frames = async (forMs: number) => {
    for (let left = forMs; left > 0 && !signal.aborted; left -= frameMs) {
      await writeFile(part(), scriptedFrame, { flag: "a" });
      await clock.sleep(Math.min(frameMs, left), signal);
      now.mediaMs += Math.min(frameMs, left);
      now.frames += 25;
      onSign({ kind: "frames", frames: now.frames, mediaMs: now.mediaMs, monoMs: clock.monoMs() });
    }
  };
  const close = () => {
    if (now.mediaMs === now.fileFromMs) return;
    onSign({ kind: "closed", number: now.number, mediaFromMs: now.fileFromMs, mediaToMs: now.mediaMs, monoMs: clock.monoMs() });
    now.number += 1;
    now.fileFromMs = now.mediaMs;
  };
  await mkdir(job.folder, { recursive: true });
  for (const step of script) {
    if (signal.aborted) break;
    if (step.kind === "stop") {
      close();
      return { reason: step.reason, detail: "scripted" };
    }
    if (step.kind === "silence") await clock.sleep(step.forMs, signal);
    else await frames(step.forMs);
    if (step.kind === "file") close();
  }
  while (!signal.aborted) await clock.sleep(frameMs, signal);
  close();
  return { reason: "stopped", detail: "" };
}

/** A broker in memory: keeps what it is given, answers as it is told. */
export type ScriptBroker = Broker & {
  readonly messages: readonly Message[];
  readonly attempts: readonly BrokerOptions[];
  /** Ends the running session as a lost line would. */
  cut(): void;
  /** A message from the station. */
  say(topic: string, payload: string, correlation?: string): void;
};

export function scriptBroker(
  rule: {
    readonly connect?: (attempt: number) => Extract<ConnectResult, { kind: "failed" }> | null;
    readonly publish?: (message: Message) => PublishResult;
  } = {},
): ScriptBroker {
  const messages: Message[] = [];
  const attempts: BrokerOptions[] = [];
  let end: (reason: string) => void = () => undefined;
  let listener: (topic: string, payload: string, correlation: string | null) => void = () => undefined;
  const open = (): BrokerSession => {
    const resumed = attempts.length > 1;
    let over = false;
    let sentBytes = 0;
    const ended = new Promise<string>((resolve) => {
      end = (reason) => {
        over = true;
        resolve(reason);
      };
    });
    return {
      ...{ mqtt: "5" as const, resumed, ended, traffic: () => ({ sentBytes, receivedBytes: 0 }) },
      publish: async (message) => {
        if (over) return "lost";
        const result = rule.publish?.(message) ?? "ok";
        sentBytes += message.topic.length + Buffer.byteLength(message.payload);
        if (result === "ok") messages.push(message);
        return result;
      },
      onMessage: (next) => {
        listener = next;
      },
      end: async () => end("ended"),
    };
  };
  return {
    ...{ messages, attempts },
    cut: () => end("connection closed"),
    say: (topic, payload, correlation) => listener(topic, payload, correlation ?? null),
    connect: async (options, signal) => {
      attempts.push(options);
      if (signal.aborted) return { kind: "failed", reason: "stopped", detail: "" };
      return rule.connect?.(attempts.length) ?? { kind: "connected", session: open() };
    },
  };
}
