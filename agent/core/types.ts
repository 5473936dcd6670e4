/** The nouns of matghi, shared by the rules, the ports and the store. Pure types and closed lists, nothing that runs. */

/** Milliseconds on the scale on which rows are stored: it never steps, and core/dating.ts reads it as UTC. */
export type WallMs = number;
/** Milliseconds of CLOCK_MONOTONIC since the box booted. The only source of durations. */
export type MonoMs = number;

/** Why there is no footage (contract §5). Closed: adding one is a decision for the changelog. */
export const causes = [
  "box-power",
  "house-power",
  "house-network",
  "house",
  "weak-link",
  "camera",
  "disk",
  "box",
  "planned",
  "unknown",
] as const;
export type Cause = (typeof causes)[number];

/** How sure we are of a cause: felt by a sensor, concluded from what was seen, or not at all. */
export type Sure = "sensed" | "inferred" | "unknown";

/** How far the box's wall clock can be trusted. */
export type Trust = "synced" | "holdover" | "unset";

/** Which of a camera's streams a segment came from. */
export type StreamName = "main" | "fallback";

/** How RTP reaches us. `auto` is tcp, and udp for a camera that refuses tcp. */
export type Transport = "tcp" | "udp";

export type Level = "info" | "warn" | "alarm";

/** Event types (contract §7). */
export const eventTypes = [
  "run.started",
  "run.stopping",
  "run.ended",
  "power.changed",
  "link.changed",
  "disk.changed",
  "clock.changed",
  "clock.step",
  "camera.changed",
  "gap.opened",
  "gap.closed",
  "picture.suspect",
  "picture.cleared",
  "footage.deleted",
  "hold.added",
  "hold.lifted",
  "export.made",
  "config.changed",
  "journal.dropped",
  "journal.reset",
] as const;
export type EventType = (typeof eventTypes)[number];

/** Flat facts of an event or a piece of evidence; never a secret, a person's name, a phone number or a picture. */
export type Data = { readonly [key: string]: string | number | boolean | null | readonly string[] | Readonly<Record<string, number>> };

/** A claim about the cause of a gap and what it rests on: short codes that a person can look up. */
export type Blame = { readonly cause: Cause; readonly sure: Sure; readonly evidence: readonly string[] };

/** A claim and how far it reaches: gaps of one scope at one time are one fault. `camera ID`, `house ID`, `site`, `box`, `disk`. */
export type Claim = { readonly blame: Blame; readonly scope: string };

/**
 * Why one try of the recorder ended. We asked for `stopped`, for `starved` (its pictures fell behind the clock) and for `main-again` (the
 * smaller stream made way for a try of the main one).
 */
export const endReasons = [
  "stopped",
  "silent",
  "refused-connection",
  "refused-password",
  "refused-transport",
  "not-found",
  "no-video",
  "no-frames",
  "stalled",
  "bad-timestamps",
  "disk-full",
  "disk-error",
  "no-recorder",
  "no-password",
  "no-address",
  "other-camera",
  "ended",
  "starved",
  "main-again",
] as const;
export type EndReason = (typeof endReasons)[number];

/** State of a camera as a person would say it. */
export type CameraState = "recording" | "degraded" | "not-recording" | "unknown";

/** What the footage disk allows at this moment; all but `ok` mean: write nothing there. */
export const diskValues = ["ok", "unmounted", "other-disk", "read-only", "full", "failing", "missing"] as const;
export type DiskValue = (typeof diskValues)[number];

/** One closed file of footage. Written, hashed, indexed and deleted once. */
export type Segment = {
  readonly camera: string;
  /** Number of the run that wrote it; with `number` it makes the file's name unique for ever. */
  readonly run: number;
  readonly number: number;
  readonly startAt: WallMs;
  readonly endAt: WallMs;
  readonly bytes: number;
  readonly sha256: string;
  readonly stream: StreamName;
  readonly clock: Trust;
  /** Closed by us after its writer died; its tail may miss a fraction of a second. */
  readonly torn: boolean;
  /** What the clock added to `startAt` when the file was named; its name tells that time for ever. */
  readonly namedMs: number;
};

/** A stretch in which a camera should have footage and has none. `toAt` null while it lasts. */
export type Gap = {
  readonly id: number;
  readonly camera: string;
  readonly fromAt: WallMs;
  readonly toAt: WallMs | null;
  readonly blame: Blame;
  /** Gaps of one fault share its number. */
  readonly fault: number | null;
};

/** Half-open stretch of time. */
export type Span = { readonly fromAt: WallMs; readonly toAt: WallMs };

/** What is held true about one of the box's own subjects, and since when. */
export type Condition = {
  readonly value: string;
  readonly sinceAt: WallMs | null;
  readonly evidence: readonly string[];
};
export type Subject = "power" | "link" | "disk" | "clock" | "station";

/** What is held true about a camera. `why` is an end reason or a short code. */
export type CameraCondition = {
  readonly state: CameraState;
  readonly why: string | null;
  readonly sinceAt: WallMs;
  readonly stream: StreamName;
};

/** A row of the journal: an immutable fact with a number that counts up without holes. */
export type EventRow = {
  readonly g: number;
  /** `<boot_id>.<run>`; with `seq` it is the event's id, never used twice. */
  readonly boot: string;
  readonly seq: number;
  readonly at: WallMs;
  readonly clock: Trust;
  readonly monoMs: MonoMs;
  readonly type: EventType;
  readonly level: Level;
  readonly data: Data;
};

/**
 * What a search for cameras passed over. `ipv6`, `elsewhere`: an address (another machine's name, or the internet). `no-address`: a device
 * that has none for us. `no-camera`: something else. `same-identity`: two addresses taken as one camera. `not-sent`: an interface that did
 * not take the search.
 */
export type DiscoveryCode =
  | "ipv6"
  | "elsewhere"
  | "no-address"
  | "no-camera"
  | "same-identity"
  | "not-sent"
  | "no-interface"
  | "too-many-replies";

/** Why an officer's request to hold footage was refused. Closed: the board has words for each. */
export type HoldRefusal = "unknown-camera" | "bad-time" | "bad-request" | "bad-officer" | "too-long" | "too-much" | "no-station";
