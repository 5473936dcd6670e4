/** What the agent asks of the outside. Interfaces only; every driver of a port passes the contract suite of that port in test/hal. */
import type { Traffic } from "../agent/core/traffic.ts";
import type { DiskValue, EndReason, MonoMs, StreamName, Transport, Trust, WallMs } from "../agent/core/types.ts";
import type { Glimpse } from "../agent/core/view.ts";
import type { WifiFacts } from "../agent/core/wifi.ts";

/** What a probe saw just now. `unknown`: it cannot tell; `unsupported`: nothing here could. */
export type Reading<V extends string = string> = {
  readonly value: V | "unknown" | "unsupported";
  /** Short codes of what was seen. */
  readonly evidence: readonly string[];
  /** Of a link that is wifi. */
  readonly wifi?: WifiFacts;
};
/** A sense of the box: reads, never decides. */
export interface Probe<V extends string = string> {
  /** The driver that was chosen, for `status` and `doctor`. */
  readonly driver: string;
  /** Never rejects; ends within a second or says `unknown`. */
  read(signal: AbortSignal): Promise<Reading<V>>;
}
export type PowerValue = "mains" | "battery" | "low";
export type LinkValue = "up" | "weak" | "down";

/** What a wifi card has counted since it joined its network; null: it does not count that. */
export type WifiCount = {
  readonly signalDbm: number | null;
  readonly packets: number | null;
  readonly retries: number | null;
  /** Rate of the packet that was sent last. */
  readonly bitrateMbps: number | null;
};
export interface Wifi {
  /** Of an interface that is a wifi client. null: nobody tells. Sends nothing, never rejects, ends within a second. */
  count(name: string, signal: AbortSignal): Promise<WifiCount | null>;
}

/** The way to have the machine switched off in order. */
export interface Shutdown {
  /** Asks; whether it happens is the system's affair. null: asked; else why it could not be. Never rejects. */
  ask(): Promise<string | null>;
}

/** A TCP connection on which a stream comes in, as the kernel counts it since it was opened. */
export type Wire = {
  /** The other end, and our own port: together they tell one connection from another. */
  readonly address: string;
  readonly port: number;
  readonly localPort: number;
  /** Round trip, smoothed; null: not measured yet. */
  readonly rttMs: number | null;
  readonly receivedBytes: number;
  /** Packets with data, and those of them that came before others sent earlier: those were lost, or overtaken. */
  readonly segments: number;
  readonly outOfOrder: number;
};
export interface Wires {
  /** Established connections to these ports of others. null: nobody tells. Sends nothing, never rejects, ends within a second. */
  read(ports: readonly number[], signal: AbortSignal): Promise<readonly Wire[] | null>;
}

/** Somebody in a household who answers while the house has power and network. */
export interface Witness {
  /** Does `address` answer a ping? null: it could not be asked. Never rejects. */
  ask(address: string, timeoutMs: number, signal: AbortSignal): Promise<boolean | null>;
}

/** The only source of time and the only wait. */
export interface Clock {
  /** The wall clock now: UTC as the operating system has it. May step. */
  wallMs(): number;
  /** The wall clock by which the operating system dates files; `wallMs`, but where a script shifts that. */
  fileMs(): WallMs;
  /** CLOCK_MONOTONIC now: never steps, starts over at boot. */
  monoMs(): MonoMs;
  /** How far `wallMs` can be trusted, as `look` saw it last. */
  trust(): Trust;
  /** How far `wallMs` may be from UTC at most, in milliseconds; null where nobody tells, which is so of every clock but a synchronised one. */
  errorMs(): number | null;
  /** Who tells the trust, for `status`: may change with a `look`. */
  readonly driver: string;
  /** Looks how far the wall clock can be trusted; asked once a second, it decides itself when to ask a child process. Never rejects; ends within five seconds. */
  look(signal: AbortSignal): Promise<void>;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Who this box is, as far as it can tell; read once at birth. */
export interface Box {
  /** `/proc/sys/kernel/random/boot_id`: changes at every boot. */
  bootId(): string;
  /** Did a person or the system shut the boot `bootId`, the one before this, down in order? null: this box keeps no record of it. Never rejects; ends within four seconds. */
  shutDownInOrder(bootId: string): Promise<boolean | null>;
  identity(): Promise<BoxIdentity>;
  /** Cheap readings for `health`; no child process. */
  vitals(): BoxVitals;
}
export type BoxIdentity = {
  readonly hostname: string;
  readonly model: string;
  readonly os: string;
  readonly node: string;
  readonly ffmpeg: string;
};
export type BoxVitals = {
  readonly load1: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  /** null where the box has no sensor. */
  readonly temperatureC: number | null;
  readonly agentRssBytes: number;
  readonly uptimeMs: number;
  /** How late the agent's own turns came since this was asked last, at the worst but one in a hundred; null the first time. */
  readonly eventLoopP99Ms: number | null;
};

/** What to record and how. The credential reaches ffmpeg on its standard input only. */
export type RecorderJob = {
  readonly camera: string;
  /** rtsp:// or rtsps://, without credential. */
  readonly url: string;
  /** Which of the camera's streams that is; its files say so themselves where it is the smaller one. */
  readonly stream: StreamName;
  readonly credential: Credential | null;
  readonly transport: Transport;
  readonly audio: boolean;
  /** Use arrival times instead of the camera's: for streams whose own times are wrong. */
  readonly arrivalTimes: boolean;
  /** Absolute folder; files are `<folder>/<run>-<number>.mkv.part`, counting up from `firstNumber`. */
  readonly folder: string;
  readonly run: number;
  readonly firstNumber: number;
  readonly segmentMs: number;
  /** Moves the cut off the full clock multiple, so that cameras do not all close at once. */
  readonly cutOffsetMs: number;
  /** No new frame for this long: the try is over. */
  readonly stallMs: number;
  /** No first frame for this long: the try is over. */
  readonly openMs: number;
};
export type Credential = { readonly username: string; readonly password: string };

/** What the recorder reports while a try lasts. */
export type RecorderSign =
  /** New frames reached the open file; `frames` and `mediaMs` count from the start of the try. */
  | { readonly kind: "frames"; readonly frames: number; readonly mediaMs: number; readonly monoMs: MonoMs }
  /** File `number` is complete; media times count from the start of the try. */
  | { readonly kind: "closed"; readonly number: number; readonly mediaFromMs: number; readonly mediaToMs: number; readonly monoMs: MonoMs };

export type RecorderEnd = { readonly reason: EndReason /** One line for the log, without any secret. */; readonly detail: string };

/** What can be read of a file of footage. */
export type Measure =
  | { readonly kind: "readable"; readonly durationMs: number; readonly codec: string; readonly stream: StreamName }
  /** There is no frame in it. */
  | { readonly kind: "unreadable"; readonly detail: string }
  /** The look itself failed; the file may be fine. */
  | { readonly kind: "failed"; readonly detail: string };

export interface Recorder {
  /**
   * One try: opens the stream, writes files until the stream, the watchdog or `signal` ends it. Never rejects; never retries.
   * When it settles, no process of the try is left.
   */
  record(job: RecorderJob, onSign: (sign: RecorderSign) => void, signal: AbortSignal): Promise<RecorderEnd>;
  /** Reads a file through and says how much of it plays. */
  measure(path: string, signal: AbortSignal): Promise<Measure>;
  /** Ends recorders that an earlier agent of this state folder left behind; resolves with their number. */
  reap(): Promise<number>;
}

/** A look whether anybody answers at a camera's RTSP port: a TCP connect, nothing more. */
export interface Knock {
  knock(url: string, timeoutMs: number, signal: AbortSignal): Promise<boolean>;
}

/** A camera's own clock. */
export interface CameraClock {
  /** UTC ms, where its RTSP server tells it in the Date of an OPTIONS reply (RFC 2326 §12.18); null: it does not. Never rejects; opens no session. */
  clock(url: string, timeoutMs: number, signal: AbortSignal): Promise<number | null>;
}

/** What a camera's RTSP server says of one of its addresses. */
export type StreamView =
  | {
      readonly kind: "ok";
      /** Lower case: h264, h265, jpeg …; null where there is no video, or it does not say. */
      readonly codec: string | null;
      readonly width: number | null;
      readonly height: number | null;
      readonly fps: number | null;
    }
  | {
      readonly kind: "failed";
      /** `password`: it asks for a login, or refuses this one. `not-found`: it has no such stream. `nonsense`: it is no RTSP. */
      readonly reason: "timeout" | "refused" | "password" | "not-found" | "nonsense" | "stopped";
      /** How the server names itself, one line, for a guess at its make; empty where it does not. */
      readonly server: string;
    };
export interface StreamLook {
  /** One DESCRIBE, with the login where it is asked for (as a digest only); opens no session. Never rejects. */
  look(url: string, credential: Credential | null, timeoutMs: number, signal: AbortSignal): Promise<StreamView>;
}

/** Where a camera answers ONVIF, and with which login. The credential never appears in an error, a detail or a log. */
export type CameraTarget = {
  /** http:// or https:// address of its device service. */
  readonly xaddr: string;
  readonly credential: Credential | null;
};
/** Why a camera gave no answer; `detail` is one line without any secret. */
export type CameraFailure = {
  readonly kind: "failed";
  /**
   * `refused`: nobody takes the connection, or it broke off. `password`: it refuses the login, or this login may not do that. `fault`: it
   * answered that it will not. `unsupported`: it does not know that. `nonsense`: what it sent is no ONVIF.
   */
  readonly reason: "timeout" | "refused" | "password" | "fault" | "nonsense" | "unsupported" | "stopped";
  readonly detail: string;
};
/** A camera's own clock. */
export type CameraTime = {
  readonly kind: "ok";
  /** Its clock minus the box's; null: its clock was never set (1970), or it does not say UTC. */
  readonly offsetMs: number | null;
  readonly neverSet: boolean;
  /** POSIX TZ as the camera has it. */
  readonly timeZone: string | null;
};
export type CameraProfile = {
  readonly token: string;
  /** Lower case: h264, h265, jpeg …; null where it does not say. */
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  /** rtsp:// without credential; null where it gives none. Its host is the camera's own word: behind a router it may not be reached from here. */
  readonly url: string | null;
  readonly snapshotUrl: string | null;
};
export type CameraIdentity = {
  readonly make: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  readonly firmware: string | null;
  /** Lower case with colons; `describe` alone asks for it. */
  readonly mac: string | null;
};
export type CameraFacts = CameraIdentity & { readonly kind: "ok"; readonly time: CameraTime; readonly profiles: readonly CameraProfile[] };
/** What a camera tells of itself between our questions. */
export type CameraSign = {
  readonly kind: "tampering" | "signal-loss" | "reboot" | "other";
  readonly topic: string;
  readonly active: boolean | null;
};

/** A camera's ONVIF side. Every call has an overall deadline and a bound of what it takes in; none rejects. A login that is refused ends the call: cameras lock out who tries often. */
export interface CameraPort {
  /** Its clock; asked without login first, so that a wrong clock never stands in the way. */
  time(target: CameraTarget, signal: AbortSignal): Promise<CameraTime | CameraFailure>;
  /** Who it is. One request after the clock: cheap enough for every minute. */
  identify(target: CameraTarget, signal: AbortSignal): Promise<(CameraIdentity & { readonly kind: "ok" }) | CameraFailure>;
  /** Clock, identity, profiles with addresses. */
  describe(target: CameraTarget, signal: AbortSignal): Promise<CameraFacts | CameraFailure>;
  /** Sets its clock to the box's, and its zone to what it has; a camera that followed NTP no longer does. */
  setTime(target: CameraTarget, signal: AbortSignal): Promise<{ readonly kind: "ok" } | CameraFailure>;
  /** Takes its signs (PullPoint) until `signal` aborts or it fails. */
  follow(target: CameraTarget, onSign: (sign: CameraSign) => void, signal: AbortSignal): Promise<CameraFailure>;
}

/** A device that answered a search. */
export type FoundDevice = {
  /** IPv4 address of the best `xaddr`. */
  readonly address: string;
  readonly xaddr: string;
  /** WS-Addressing endpoint reference: stays when the address changes. */
  readonly endpoint: string | null;
  /** From its scopes, decoded; null where they do not say. */
  readonly make: string | null;
  readonly model: string | null;
  readonly interface: string;
};
export type SearchResult = {
  readonly devices: readonly FoundDevice[];
  /** What was passed over or could not be asked: a `DiscoveryCode`, then facts, one line each. */
  readonly remarks: readonly string[];
};
/** The local networks: who is there. */
export interface Discovery {
  /** Names of the interfaces that are up and have an IPv4 address. */
  interfaces(): readonly string[];
  /** The interface in whose IPv4 network an address lies; null: it is reached by a route, or by name. */
  interfaceOf(address: string): string | null;
  /** WS-Discovery on every IPv4 interface (or on one), for `timeoutMs`. Duplicates are merged. Never rejects. */
  search(options: { readonly interface: string | null; readonly timeoutMs: number }, signal: AbortSignal): Promise<SearchResult>;
  /** Addresses of the local networks that take a TCP connect at one of `ports`. Never rejects. */
  knockAll(
    options: { readonly interface: string | null; readonly ports: readonly number[] },
    signal: AbortSignal,
  ): Promise<readonly { readonly address: string; readonly port: number }[]>;
  /** The neighbour table: IPv4 address to MAC (lower case with colons). Never rejects. */
  neighbours(): Promise<ReadonlyMap<string, string>>;
}

/** A file found in the footage folder. Times are the file's own, by the operating system's wall clock. */
export type FootageFile = {
  readonly camera: string;
  /** Relative to the footage folder. */
  readonly path: string;
  readonly run: number;
  readonly number: number;
  readonly bytes: number;
  readonly bornAt: WallMs;
  readonly modifiedAt: WallMs;
};
export type DiskReading = { readonly value: DiskValue; readonly freeBytes: number; readonly totalBytes: number; readonly detail: string };
/** What was removed for certain, or was gone already, and what was not, with the system's code. */
export type Removal = {
  readonly removed: readonly string[];
  readonly stuck: readonly { readonly path: string; readonly reason: string }[];
};
export type DiskMark = { readonly site: string; readonly folder: string };

/** The footage folder: every deed on its files. Methods reject with the system's error unless said otherwise. */
export interface Footage {
  /** State of the disk seen against the mark it must carry (null: never marked yet). Never rejects. */
  inspect(folderId: string | null): Promise<DiskReading>;
  /** A small file written, fsynced and removed: the only proof that the disk takes data. Never rejects. */
  probe(): Promise<"ok" | "read-only" | "full" | "failing">;
  readMark(): Promise<DiskMark | null>;
  writeMark(mark: DiskMark): Promise<void>;
  /** Makes the camera's folder and resolves with its absolute path. */
  prepare(camera: string): Promise<string>;
  /** Looks at an open `.part`, and flushes it to the disk where `durable`; resolves with its size and birth, or null where it does not exist. */
  sync(camera: string, run: number, number: number, durable: boolean): Promise<{ readonly bytes: number; readonly bornAt: WallMs } | null>;
  /** Forgets the handle that `sync` keeps. */
  release(camera: string): void;
  /** fsync, SHA-256, rename to `path`, fsync of the folder. null: the file is empty (a recorder that ends just after a cut leaves one) and is removed. */
  seal(camera: string, run: number, number: number, path: string): Promise<{ readonly bytes: number; readonly sha256: string } | null>;
  /** The `.part` files of one camera (or of all), of one run (or of all). */
  parts(camera: string | null, run: number | null): Promise<readonly FootageFile[]>;
  /** Closed files in day folders, one folder at a time, and what is foreign there: what is not ours by its name, or by its rights. */
  closed(): AsyncIterable<{ readonly files: readonly FootageFile[]; readonly foreign: readonly string[] }>;
  /** Cameras that have a folder here, and the days (`YYYY-MM-DD`, oldest first) of which one has closed files. */
  cameras(): Promise<readonly string[]>;
  days(camera: string): Promise<readonly string[]>;
  /** Closed files of one camera's day, of this run and later ones. */
  filesOf(camera: string, day: string, fromRun: number): Promise<readonly FootageFile[]>;
  /** Is there a file at `path`? Rejects where the disk does not let itself be asked: that is no answer. */
  has(path: string): Promise<boolean>;
  /** Highest run in the names of files here, in the newest `days` folders of each camera; 0 where there are none. Passes over what is foreign. */
  highestRun(days: number): Promise<number>;
  hash(path: string): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** Unlinks one file; that it is gone already is fine. */
  remove(path: string): Promise<void>;
  /** Unlinks closed files and the day folders that became empty, so that no power cut brings them back. Rejects for no file: it is stuck then. */
  removeAll(paths: readonly string[]): Promise<Removal>;
  /** Sets an unreadable `.part` aside under a name that is never recorded to nor counted. */
  setAside(path: string): Promise<void>;
}

/** What a file of footage shows. */
export type VideoFacts = {
  readonly codec: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
};

export type UnitState = { readonly state: string; readonly restarts: number };
export type Mount = { readonly point: string; readonly type: string; readonly device: string; readonly options: readonly string[] };
/** What a disk says of its own health. `unsupported`: it never tells, or nobody here may ask; `unknown`: it did not answer this time. */
export type Smart =
  | {
      readonly kind: "told";
      readonly passed: boolean;
      readonly badSectors: number;
      /** Share of a flash disk's life that is used; may pass 100. null: it does not say. */
      readonly wornPercent: number | null;
      readonly temperatureC: number | null;
    }
  | { readonly kind: "unsupported" | "unknown"; readonly detail: string };
/** One whole disk as the kernel tells of it; null: it does not. */
export type DiskFacts = {
  /** The kernel's name: sda, mmcblk0, nvme0n1. */
  readonly device: string;
  /** eMMC only: percent of its life that is used, in steps of ten; 110 is beyond it. */
  readonly wornPercent: number | null;
  /** eMMC only: its spare blocks. */
  readonly spares: "enough" | "few" | "none" | null;
  /** Commands that failed since the disk appeared, harmless ones too. */
  readonly ioErrors: number | null;
  /** Errors of the file system under the folder (ext4), over its life. */
  readonly fileSystemErrors: number | null;
};
/** Which disks lie under a folder. */
export interface Disks {
  /** Whole disks, also below partitions, encryption and volumes. Empty where the kernel knows none. Never rejects; ends within two seconds. */
  under(path: string): Promise<readonly DiskFacts[]>;
}
/** What a look as root found. Dated by the boot and its monotonic clock: no step of the wall clock makes it older or younger. */
export type Inspection = {
  readonly boot: string;
  readonly monoMs: MonoMs;
  readonly disks: readonly { readonly device: string; readonly smart: Smart }[];
  /** A Raspberry Pi's `get_throttled` bits; null where there is no such thing. */
  readonly throttled: number | null;
};
export interface Inspections {
  /** null: there is none, or none that can be read. Never rejects. */
  read(): Promise<Inspection | null>;
  /** Replaces it as a whole. Rejects with the system's error. */
  write(inspection: Inspection): Promise<void>;
}
/** Certificates in PEM, as TLS takes them. */
export type Credentials = { readonly ca: string | null; readonly cert: string | null; readonly key: string | null };
/** How far one gets towards a server: to its name, its port, its certificate. */
export type Door =
  | { readonly kind: "open"; readonly certificateEndsAt: WallMs | null }
  | { readonly kind: "no-name" | "no-port" | "no-trust"; readonly detail: string };

/** The operating system's answers to a person's questions. Nothing rejects; null: it does not tell. */
export interface Machine {
  service(unit: string): Promise<UnitState | null>;
  /** The unit's files and facts as the service manager prints them, and the last lines of its log, or of the kernel's, with their times; null: nobody tells. */
  unit(name: string): Promise<string | null>;
  log(of: { readonly unit: string } | "kernel", lines: number): Promise<string | null>;
  mountOf(path: string): Promise<Mount | null>;
  /** Everything that is mounted, in the kernel's order. */
  mounts(): Promise<readonly Mount[]>;
  /** What is free for the agent on the file system at `path`; null: it does not say. */
  freeBytes(path: string): number | null;
  /** Has a unit enabled and started, or started anew; why it could not, null where it could. Needs root. */
  start(unit: string): Promise<string | null>;
  /** Needs root. Ends in time also where the disk lets its question hang. */
  smart(device: string): Promise<Smart>;
  /** A Raspberry Pi's `get_throttled` bits: what is wrong now, and what was since boot. Needs root; null where there is no such thing. */
  throttled(): Promise<number | null>;
  /** TCP ports that are open to others. */
  listening(): Promise<readonly number[]>;
  hasUnderVoltage(): Promise<boolean | null>;
  door(place: { readonly host: string; readonly port: number; readonly tls: Credentials | null }, timeoutMs: number): Promise<Door>;
}

/** What closed footage shows. One thread, and behind others where the system allows it. Never rejects. */
export interface Picture {
  /** The first key frame of a file; null where there is none to be had. */
  glance(path: string, signal: AbortSignal): Promise<Glimpse | null>;
}

/** A file that becomes part of a film: it plays so long, at so many pictures a second where that is known. */
export type FilmPart = { readonly path: string; readonly ms: number; readonly fps: number | null };

/** Viewing copies of closed files. Nice to disk and processor. Never rejects. */
export interface Remux {
  /** null where the file cannot be read. */
  look(path: string, signal: AbortSignal): Promise<VideoFacts | null>;
  /** The key frame at or before that place of the file, as a small JPEG, and where it stands in it; null where there is none to be had. */
  still(path: string, offsetMs: number, signal: AbortSignal): Promise<{ readonly jpeg: Uint8Array; readonly offsetMs: number } | null>;
  /** The longest way from one key frame to the next near the file's begin, in milliseconds; null where there are not two. */
  groupMs(path: string, signal: AbortSignal): Promise<number | null>;
  /** Joins files into one MP4 that plays while it is still being fetched; the pictures' bytes stay as they are. */
  join(
    parts: readonly FilmPart[],
    target: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: "ok" } | { readonly kind: "failed"; readonly detail: string }>;
  /** The same as a stream of fragments, for where nothing may lie on a disk first; throws where it cannot be made, and when it is stopped. */
  stream(parts: readonly FilmPart[], signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What the service manager is told; several things may be said at once. */
export type ServiceNews = {
  /** `starting`: still at it, and it may take another two minutes. `ready`: also when a reload is over. */
  readonly phase?: "starting" | "ready" | "reloading" | "stopping";
  /** All that must turn still turns. */
  readonly alive?: boolean;
  /** One line for people. */
  readonly status?: string;
};

/** The service manager that started us, where one did. */
export interface Service {
  /** It restarts us when it was not told for so long that we are alive; null: nobody watches. */
  readonly watchdogMs: number | null;
  /** Never throws, never waits; without a manager nothing happens. */
  tell(news: ServiceNews): void;
  /** Resolves when all that was told has gone out, within a second. */
  end(): Promise<void>;
}

/** Jobs at a time of day in Vietnam. A step of the clock silences or floods a calendar: it is thrown away and made anew then. */
export interface Calendar {
  /** Runs `job` daily at `hour:minute` until `signal` aborts. A job that throws is the caller's to catch. */
  daily(hour: number, minute: number, job: () => void, signal: AbortSignal): void;
}

/** One message for the broker. `expirySeconds` is honoured by MQTT 5 only. */
export type Message = {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly expirySeconds: number | null;
};
export type BrokerOptions = {
  readonly url: string;
  readonly clientId: string;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly credential: Credential | null;
  /** null: nothing is said for us. */
  readonly will: Message | null;
  readonly willDelaySeconds: number;
  readonly subscriptions: readonly string[];
  /** No session stays behind at the broker, and none from before is taken up. */
  readonly brief?: boolean;
  /** What this client says itself comes back to it where it subscribes to it: for tools that listen to themselves. Over 3.1.1 it always does. */
  readonly echo?: boolean;
};
export type ConnectResult =
  | { readonly kind: "connected"; readonly session: BrokerSession }
  | {
      readonly kind: "failed";
      readonly reason: "unreachable" | "refused" | "timeout" | "certificate" | "stopped";
      readonly detail: string;
    };
/** `ok`: the broker took it, whether anybody listens or not. `busy`: quota, try again. `rejected`: this message will never be taken. `denied`: not allowed on this topic. */
export type PublishResult = "ok" | "busy" | "rejected" | "denied" | "lost";
export interface BrokerSession {
  readonly mqtt: "5" | "3.1.1";
  /** The broker still knew our earlier session: it has not lost what it keeps. False as well where it met us for the first time. */
  readonly resumed: boolean;
  /** Settles when the broker has confirmed (QoS 1) or the socket took it (QoS 0); `lost` when the session ended or nothing came in time. */
  publish(message: Message): Promise<PublishResult>;
  /** Takes messages of the subscriptions; at most one listener. `correlation` is MQTT 5's correlation data. */
  onMessage(listener: (topic: string, payload: string, correlation: string | null) => void): void;
  /** Bytes so far, of MQTT: without TLS, TCP and IP. Stays readable when the session is over. */
  traffic(): Traffic;
  /** Resolves once, with the reason, when the session is over for whatever cause. `taken over`: another client came with our client id. */
  readonly ended: Promise<string>;
  /** Disconnects in order (the will is not sent), waiting at most `timeoutMs`. */
  end(timeoutMs: number): Promise<void>;
}
export interface Broker {
  /** One attempt with a fresh client: MQTT 5, and 3.1.1 where the broker refuses 5. Never rejects, never retries. */
  connect(options: BrokerOptions, signal: AbortSignal): Promise<ConnectResult>;
}

/** Something removable with a file system. `folder` null: it is not mounted. */
export type Stick = {
  readonly device: string;
  readonly label: string | null;
  readonly folder: string | null;
  readonly sizeBytes: number;
  readonly freeBytes: number | null;
};
export interface Sticks {
  /** Those that can be written, and those that are not mounted. Never rejects. */
  find(): Promise<readonly Stick[]>;
  /** Has everything that was written under a folder reach its medium: true once the stick can be pulled out. Never rejects. */
  settle(folder: string): Promise<boolean>;
  /** Bytes a second that reach the medium under a folder, by a small file that is removed again; null where it takes nothing. Never rejects. */
  speed(folder: string): Promise<number | null>;
}

/** What a Debian package says of itself. */
export type PackageFacts = {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly unpackedBytes: number;
};

/** Debian packages in files. Each question rejects with what dpkg says. */
export type Packages = {
  facts(file: string): Promise<PackageFacts>;
  /** What the package brings under `folder` of the root (no slash in front) becomes `to`, which must not be there yet. */
  unpack(file: string, folder: string, to: string): Promise<void>;
  /** Negative where `a` is the older version by Debian's order, 0 where they are the same. */
  compare(a: string, b: string): Promise<number>;
  /** Writes out to the disk all that lies on the file system of `path`. */
  sync(path: string): Promise<void>;
  /** Runs a version's own command line: its exit code and what it said. */
  run(home: string, args: readonly string[]): Promise<{ readonly code: number; readonly text: string }>;
};
