/** What one decision wants written. The store commits a whole Change in one transaction, or nothing of it. */
import type { UtcMs } from "./dating.ts";
import type { NewEntry, NewViewer } from "./register.ts";
import type { CameraCondition, Claim, Condition, Data, EventType, Level, MonoMs, Segment, Subject, Trust, WallMs } from "./types.ts";

/** When something happened, on both clocks, and how far the wall could be trusted then. */
export type Moment = { readonly at: WallMs; readonly monoMs: MonoMs; readonly clock: Trust };

export type Write =
  | { readonly put: "event"; readonly moment: Moment; readonly type: EventType; readonly level: Level; readonly data: Data }
  | { readonly put: "segment"; readonly segment: Segment }
  /** The camera's ledger is complete up to `coveredAt`. */
  | { readonly put: "page"; readonly camera: string; readonly sinceAt: WallMs; readonly coveredAt: WallMs }
  | { readonly put: "gap-opened"; readonly camera: string; readonly fromAt: WallMs; readonly claim: Claim; readonly fault: number }
  /** Better evidence while it is open. */
  | { readonly put: "gap-blamed"; readonly camera: string; readonly claim: Claim; readonly fault: number }
  | { readonly put: "gap-closed"; readonly camera: string; readonly toAt: WallMs; readonly claim: Claim; readonly fault: number }
  /** A stretch about which nothing is known, not even whether there was footage. */
  | { readonly put: "unknown"; readonly camera: string; readonly fromAt: WallMs; readonly toAt: WallMs; readonly why: string }
  | { readonly put: "doom"; readonly segments: readonly number[]; readonly why: DeletionReason; readonly at: WallMs }
  | { readonly put: "forget"; readonly segments: readonly number[] }
  | { readonly put: "condition"; readonly subject: Subject; readonly condition: Condition }
  | { readonly put: "camera-condition"; readonly camera: string; readonly condition: CameraCondition }
  | { readonly put: "camera-finding"; readonly camera: string; readonly finding: CameraFinding }
  | { readonly put: "camera-left"; readonly camera: string; readonly leftAt: WallMs | null }
  | { readonly put: "hold-added"; readonly hold: NewHold }
  | { readonly put: "hold-lifted"; readonly hold: number; readonly at: WallMs }
  /** The clock turned out to have been wrong: what is held covers these stored times too. */
  | { readonly put: "hold-widened"; readonly hold: number; readonly fromAt: WallMs; readonly toAt: WallMs }
  | { readonly put: "register"; readonly entry: NewEntry }
  | { readonly put: "register-answered"; readonly entry: number; readonly at: UtcMs; readonly answer: string }
  | { readonly put: "viewer-added"; readonly viewer: NewViewer }
  | { readonly put: "viewer-removed"; readonly viewer: number; readonly at: UtcMs }
  | { readonly put: "beat"; readonly at: WallMs }
  /** The clock stepped: from now on this offset reads the times of this boot. */
  | { readonly put: "clock-step"; readonly at: WallMs; readonly offsetMs: number; readonly clock: Trust }
  | { readonly put: "run-ended"; readonly run: number; readonly end: RunEnd; readonly at: WallMs }
  | { readonly put: "folder"; readonly folder: string }
  /** Something `status` says until it is taken back (null). */
  | { readonly put: "note"; readonly note: Note; readonly text: string | null };

/**
 * `broken`: a damaged database was set aside under that name, and nobody was told yet · `reset`: the same, for ever ·
 * `restored`: it came from a backup or an older copy, and has not run since ·
 * `undone`: the newer version that was left for this one (core/trial.ts) ·
 * `officer-holds`: what the station asked to hold, and our answers ·
 * `reach`: where the way to the station is broken (core/reach.ts) ·
 * `traffic`: bytes told to and by the station, by days (core/traffic.ts) ·
 * `supply`: a Raspberry Pi's `get_throttled` bits, decimal · `wear`: the disks' own health (core/wear.ts) ·
 * `retained`: topics that the broker holds of us · `takeovers`: when another client came with our name ·
 * `known CAMERA`: what it told of itself (core/acquaintance.ts) · `picture CAMERA`: how it usually looks (core/picture.ts) · `accepted CAMERA`: when a person found that right · `abandoned`: what went with the old disk so far, of an adoption under way.
 */
export type Note =
  | "foreign"
  | "config-problem"
  | "takeovers"
  | "broken"
  | "reset"
  | "restored"
  | "abandoned"
  | "settled"
  | "retained"
  | "wear"
  | "supply"
  | "reach"
  | "traffic"
  | "officer-holds"
  | "undone"
  | `known ${string}`
  | `picture ${string}`
  | `accepted ${string}`;

/** Footage that may not be deleted, as it was asked for. */
export type NewHold = {
  readonly camera: string;
  /** Stored times, and the UTC that was meant. */
  readonly fromAt: WallMs;
  readonly toAt: WallMs;
  readonly fromUtc: number;
  readonly toUtc: number;
  readonly request: string;
  readonly officer: string;
  readonly sinceAt: WallMs;
  /** When somebody wants to be reminded of it; null: never. Nothing is deleted then. */
  readonly untilUtc: UtcMs | null;
};

export type Change = readonly Write[];

/** Under which rule footage was deleted. */
export type DeletionReason = "age" | "size" | "free space" | "disk replaced" | "file missing" | "by hand";

/** What a camera taught us about itself; kept for its next start. */
export type CameraFinding = "arrival-times" | "udp";

/** How a run ended, as its successor sees it. */
export type RunEnd = "stopped" | "crashed" | "rebooted" | "power";
