/**
 * Names the cause of a hole from what was seen (contract §5): the disk, the camera itself, who else is gone, who still answers.
 * Where the evidence does not reach it says unknown.
 */
import { type CameraLine, weakSigns } from "./line.ts";
import type { Blame, Cause, Claim, DiskValue, EndReason, Sure } from "./types.ts";

/** The household of a camera, as seen from the box. */
export type HouseSight = {
  readonly id: string;
  /** `wan`: seen only through its internet line, where power and line look alike. */
  readonly reach: "lan" | "wan";
  /** Does its router answer? null: it has none to ask, or it could not be asked. */
  readonly router: boolean | null;
  /** Its other cameras, and how many of them record or answer at their port. */
  readonly others: number;
  readonly othersReached: number;
  /** The box itself stands there. */
  readonly holdsBox: boolean;
};

/** What was seen around a camera that does not record. */
export type Sight = {
  readonly camera: string;
  readonly disk: DiskValue;
  /** Why the last try ended; null: the first one is still under way. */
  readonly reason: EndReason | null;
  /** Did anybody answer at the camera's port after that? null: not asked. */
  readonly answers: boolean | null;
  /** Knocks at its port since it was lost, and those that nobody answered. */
  readonly knocks: number;
  readonly knocksLost: number;
  /** Its line as it was seen last before it was lost; null: it was not. */
  readonly line: CameraLine | null;
  /** The other cameras of the box, and how many of them record or answer. */
  readonly others: number;
  readonly othersReached: number;
  /** Routers of any household that answer now. */
  readonly routersAnswering: number;
  readonly house: HouseSight | null;
  /** Words of the box's own sensors. */
  readonly power: string;
  readonly link: string;
  /** The smaller stream held where the main one just failed. */
  readonly isLineWeak: boolean;
};

/** Reasons that only a camera that answers can give. */
const ownFault: readonly EndReason[] = [
  "refused-password",
  "refused-transport",
  "refused-connection",
  "not-found",
  "no-video",
  "bad-timestamps",
];

const claim = (scope: string, cause: Cause, sure: Sure, evidence: readonly string[]): Claim => ({
  scope,
  blame: { cause, sure, evidence },
});

/** The cause of a hole that is open now, and how far it reaches. */
export function blame(sight: Sight): Claim {
  const { disk, reason } = sight;
  if (disk !== "ok") return claim("disk", "disk", "sensed", [`disk-${disk}`]);
  if (reason === "disk-full" || reason === "disk-error") return claim("disk", "disk", "sensed", [reason]);
  if (reason === "no-password") return claim(alone(sight), "box", "sensed", ["password-file-unreadable"]);
  if (reason === "no-recorder") return claim("box", "box", "sensed", ["ffmpeg-does-not-start"]);
  if (reason === null) return claim(alone(sight), "unknown", "unknown", ["no-frame-yet"]);
  if (reason === "main-again") return claim(alone(sight), sight.isLineWeak ? "weak-link" : "camera", "inferred", [reason]);
  if (sight.answers === true || ownFault.includes(reason)) return blameAnswering(sight, reason);
  return blameSilent(sight, reason);
}

const alone = ({ camera }: Sight) => `camera ${camera}`;

/** So many knocks must have gone out before their loss tells something, and this share of them must be lost. */
const enoughKnocks = 5;
const weakShare = 0.2;

/**
 * It answers, so house and network stand. A stream that does not hold is a weak link only with evidence of its own link: the box's wifi says
 * nothing of a camera's.
 */
function blameAnswering(sight: Sight, reason: EndReason): Claim {
  const seen = sight.answers === null ? [reason] : [reason, sight.answers ? "port-answers" : "port-silent"];
  if (!ownFault.includes(reason)) {
    if (reason === "starved") return claim(alone(sight), "weak-link", "inferred", seen);
    if (sight.isLineWeak) return claim(alone(sight), "weak-link", "inferred", [...seen, "smaller-stream-holds"]);
    const lossy = sight.knocks >= enoughKnocks && sight.knocksLost >= sight.knocks * weakShare;
    if (lossy) return claim(alone(sight), "weak-link", "inferred", [...seen, `knocks-lost ${sight.knocksLost}/${sight.knocks}`]);
    const weak = sight.line === null ? [] : weakSigns(sight.line);
    if (weak.length > 0) return claim(alone(sight), "weak-link", "inferred", [...seen, ...weak]);
  }
  return claim(alone(sight), "camera", "inferred", seen);
}

/** Nobody answers at the camera: one alone is its own fault, a house gone together is the house's, all together the site's. */
function blameSilent(sight: Sight, reason: EndReason): Claim {
  const seen = [reason, ...(sight.answers === null ? [] : ["port-silent"])];
  if (sight.othersReached === 0 && sight.link === "down") return claim("site", "house-network", "sensed", [...seen, "link-down"]);
  const wholeSite = sight.others > 0 && sight.othersReached === 0 && sight.routersAnswering === 0;
  if (wholeSite) return blameSite(sight, [...seen, `all-cameras-silent ${sight.others + 1}`]);
  if (sight.house !== null) return blameHouse(sight, sight.house, seen);
  if (sight.othersReached > 0) return claim(alone(sight), "camera", "inferred", [...seen, `others-answer ${sight.othersReached}`]);
  return claim(alone(sight), "unknown", "unknown", [...seen, "nobody-else-to-compare"]);
}

/** All cameras and all routers are gone at once: the box's network, or the power around it. Never so many cameras. */
function blameSite(sight: Sight, seen: readonly string[]): Claim {
  if (sight.house?.reach === "wan" && sight.house.holdsBox === false && sight.link === "up")
    return claim(`house ${sight.house.id}`, "house", "inferred", [...seen, "link-up"]);
  if (onBattery(sight.power)) {
    const sure = sight.house === null || sight.house.holdsBox ? "sensed" : "inferred";
    return claim("site", "house-power", sure, [...seen, `power-${sight.power}`]);
  }
  return claim("site", "house-network", "inferred", [...seen, ...(sight.power === "mains" ? ["power-mains"] : ["box-has-power"])]);
}

/** No mains, as the power sensor feels it. */
export const onBattery = (power: string) => power === "battery" || power === "low";

function blameHouse(sight: Sight, house: HouseSight, seen: readonly string[]): Claim {
  const scope = `house ${house.id}`;
  const router = house.router === null ? [] : [house.router ? "router-answers" : "router-silent"];
  const evidence = [...seen, ...router, ...(house.others === 0 ? [] : [`house-cameras-answer ${house.othersReached}/${house.others}`])];
  if (house.othersReached > 0) return claim(alone(sight), "camera", "inferred", evidence);
  if (house.router === true && house.others === 0) return claim(alone(sight), "camera", "inferred", evidence);
  if (house.router === null && house.others === 0 && house.reach === "lan") return blameLonely(sight, evidence);
  if (house.holdsBox) {
    if (onBattery(sight.power)) return claim(scope, "house-power", "sensed", [...evidence, `power-${sight.power}`]);
    return claim(scope, "house-network", "inferred", [...evidence, sight.power === "mains" ? "power-mains" : "box-has-power"]);
  }
  if (house.router === true) return claim(scope, "house-network", "inferred", evidence);
  if (house.reach === "wan" || house.router === null) return claim(scope, "house", "inferred", evidence);
  return claim(scope, "house-power", "inferred", evidence);
}

/** The only camera of a house without a router to ask: all there is to compare with are the others of the box. */
function blameLonely(sight: Sight, evidence: readonly string[]): Claim {
  if (sight.othersReached > 0) return claim(alone(sight), "camera", "inferred", [...evidence, `others-answer ${sight.othersReached}`]);
  return claim(alone(sight), "unknown", "unknown", [...evidence, "nobody-else-to-compare"]);
}

/** A camera that has been set knows a later day: the makers' first day after a power cut is 1970 or 2000. */
const neverSetBeforeMs = Date.UTC(2010, 0, 1);

/**
 * Evidence from the return: a camera whose clock starts over was without power, which tells a house's power from its network. What stood
 * for the hole until now is `standing`; `seen` is what is seen now.
 */
export function refine(standing: Claim | null, seen: Claim, returnedClockMs: number | null): Claim {
  if (standing === null || returnedClockMs === null || returnedClockMs >= neverSetBeforeMs) return seen;
  const { scope, blame: before } = standing;
  const isShared = scope === "site" || scope.startsWith("house ");
  if (!isShared || before.sure === "sensed") return seen;
  return claim(scope, "house-power", "sensed", [...before.evidence, "camera-clock-reset"]);
}

const rank: Record<Sure, number> = { sensed: 2, inferred: 1, unknown: 0 };

/** How well founded a claim is; a cause that is not known founds nothing. */
export const strength = ({ sure, cause }: Blame): number => rank[sure] * 2 + (cause === "unknown" ? 0 : 1);

/**
 * How much was found gone: a camera, a house that still has power, a whole house, the site. While things fail one after the other claims
 * widen, and the widest is right; while they return they narrow again, and that says nothing.
 */
export function width({ scope, blame: { cause } }: Claim): number {
  if (scope === "site") return 3;
  if (!scope.startsWith("house ")) return 0;
  return cause === "house-network" ? 1 : 2;
}
