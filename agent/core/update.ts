/** Whether a package may take over, and the deeds of which an update is made. Pure. */
import { isVersion, type Standing, type Trial, trialText, type Undone, undoneText } from "./trial.ts";

/** What is known of the package, the box and the moment. */
export type UpdateFacts = {
  readonly package: { readonly name: string; readonly version: string; readonly architecture: string; readonly unpackedBytes: number };
  readonly architecture: string;
  readonly current: string;
  /** Debian's order of versions: the package's against the one in use. */
  readonly order: "older" | "same" | "newer";
  readonly standing: Standing;
  /** On the disk of the versions and on that of the state; `isOne`: they are the same. */
  readonly room: { readonly versionsBytes: number; readonly stateBytes: number; readonly isOne: boolean };
  readonly databaseBytes: number;
  readonly allowDowngrade: boolean;
};

export type NoUpdate =
  | { readonly why: "no-matghi" | "bad-version" | "same"; readonly found: string }
  | { readonly why: "architecture"; readonly found: string; readonly needed: string }
  | { readonly why: "older"; readonly found: string; readonly current: string }
  | { readonly why: "on-trial"; readonly version: string }
  | { readonly why: "no-room"; readonly where: "versions" | "state"; readonly lackingBytes: number };

/** Left on both disks beside what is written. */
const spareBytes = 64 << 20;

/** Why this package may not take over; null: it may. Its signature was checked before. */
export function whyNoUpdate(facts: UpdateFacts): NoUpdate | null {
  const { name, version, architecture } = facts.package;
  if (name !== "matghi") return { why: "no-matghi", found: name };
  if (!isVersion(version)) return { why: "bad-version", found: version };
  if (architecture !== facts.architecture) return { why: "architecture", found: architecture, needed: facts.architecture };
  if (facts.order === "same") return { why: "same", found: version };
  if (facts.order === "older" && !facts.allowDowngrade) return { why: "older", found: version, current: facts.current };
  if (facts.standing.kind === "trial") return { why: "on-trial", version: facts.standing.trial.version };
  if (facts.standing.kind === "going-back") return { why: "on-trial", version: facts.standing.undone.version };
  return noRoom(facts.package.unpackedBytes, facts);
}

/** A copy stays beside the database, and a newer version may write all of it anew while it migrates. */
const databases = 2;

/** What an update lacks of room; null: nothing. `unpackedBytes` 0: the version is there already. */
export function noRoom(unpackedBytes: number, { databaseBytes, room }: Pick<UpdateFacts, "databaseBytes" | "room">): NoUpdate | null {
  const stateBytes = databases * databaseBytes + spareBytes;
  const versionsBytes = unpackedBytes + spareBytes + (room.isOne ? databases * databaseBytes : 0);
  if (room.versionsBytes < versionsBytes) return { why: "no-room", where: "versions", lackingBytes: versionsBytes - room.versionsBytes };
  if (!room.isOne && room.stateBytes < stateBytes) return { why: "no-room", where: "state", lackingBytes: stateBytes - room.stateBytes };
  return null;
}

/** One step. Paths are relative to the folder of the versions (/opt/matghi). Cut off between or within any two, a working version starts. */
export type Deed =
  /** What is not there is fine. */
  | { readonly do: "remove"; readonly path: string }
  | { readonly do: "unpack"; readonly to: string }
  /** It says its version and accepts the configuration. */
  | { readonly do: "try"; readonly path: string; readonly version: string }
  /** All that lies under it is on the disk. */
  | { readonly do: "sync"; readonly path: string }
  /** The name, and then the folder that holds it. */
  | { readonly do: "rename"; readonly from: string; readonly to: string }
  /** As the version in use leaves it. */
  | { readonly do: "copy-database"; readonly of: string }
  | { readonly do: "write-down"; readonly from: string; readonly to: string }
  /** Synced. */
  | { readonly do: "write"; readonly path: string; readonly text: string }
  | { readonly do: "link"; readonly path: string; readonly to: string };

const placeOf = (version: string) => `versions/${version}`;

/** The package becomes a version beside the others; what runs does not change. `isThere`: a version of that name stands there, which is replaced. */
export function placing(version: string, isThere: boolean): readonly Deed[] {
  const [place, draft, old] = [placeOf(version), `versions/.${version}.part`, `versions/.${version}.old`];
  return [
    { do: "remove", path: draft },
    { do: "unpack", to: draft },
    { do: "try", path: draft, version },
    { do: "sync", path: draft },
    { do: "remove", path: old },
    ...(isThere ? [{ do: "rename", from: place, to: old } as const] : []),
    { do: "rename", from: draft, to: place },
    { do: "remove", path: old },
  ];
}

/** The switch is the last step; the trial is written before it and void without it. */
export function switching(trial: Trial): readonly Deed[] {
  const { version, previous } = trial;
  return [
    { do: "copy-database", of: previous },
    { do: "write-down", from: previous, to: version },
    { do: "remove", path: "undone" },
    { do: "remove", path: "trial.count" },
    { do: "write", path: ".trial.new", text: trialText(trial) },
    { do: "rename", from: ".trial.new", to: "trial" },
    ...pointing(version),
  ];
}

/** A trial ends by hand: the reason first, so that whoever finds this half done finishes it. */
export function undoing(undone: Undone): readonly Deed[] {
  return [
    { do: "write", path: ".undone.new", text: undoneText(undone) },
    { do: "rename", from: ".undone.new", to: "undone" },
    ...pointing(undone.previous),
    { do: "remove", path: "trial" },
    { do: "remove", path: "trial.count" },
  ];
}

const pointing = (version: string): readonly Deed[] => [
  { do: "remove", path: ".next" },
  { do: "link", path: ".next", to: placeOf(version) },
  { do: "rename", from: ".next", to: "current" },
];
