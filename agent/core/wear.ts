/** How a disk ages: what it and the kernel say of it becomes one trouble, the worst, that a person should know of while it still works. Pure. */
import type { WallMs } from "./types.ts";

/** Worst first. */
export const wearTroubles = ["failing", "worn-out", "file-system", "io-errors", "bad-sectors", "worn"] as const;
export type WearTrouble = (typeof wearTroubles)[number];
/** A disk that will not last counts as broken; one that needs watching does not. */
export const isUrgent = (trouble: WearTrouble): boolean => trouble === "failing" || trouble === "worn-out";

/** What lies on a disk. */
export type Burden = "footage" | "state";

/** What was seen of one disk; null: nobody tells. */
export type WearReading = {
  readonly device: string;
  readonly holds: readonly Burden[];
  readonly smart: "good" | "failing" | "unknown" | "unsupported";
  readonly badSectors: number | null;
  readonly wornPercent: number | null;
  readonly spares: "enough" | "few" | "none" | null;
  readonly fileSystemErrors: number | null;
  /** Commands failed in great numbers within the last day. */
  readonly isFailingCommands: boolean;
};
/** A disk as it is held to be; `sinceAt`: since when its trouble stands. */
export type Wear = WearReading & { readonly trouble: WearTrouble | null; readonly sinceAt: WallMs | null };

/** Percent of a flash disk's life after which a new one should lie ready, and after which it should be in. */
const wornPercents = { ready: 90, over: 100 } as const;

export function judgeWear(reading: WearReading, before: Wear | null, at: WallMs): Wear {
  const trouble = troubleOf(reading);
  const sinceAt = trouble === null ? null : before !== null && before.trouble === trouble ? before.sinceAt : at;
  return { ...reading, trouble, sinceAt };
}

function troubleOf({ smart, badSectors, wornPercent, spares, fileSystemErrors, isFailingCommands }: WearReading): WearTrouble | null {
  const worn = wornPercent ?? 0;
  const found: Record<WearTrouble, boolean> = {
    failing: smart === "failing",
    "worn-out": spares === "none" || worn > wornPercents.over,
    "file-system": (fileSystemErrors ?? 0) > 0,
    "io-errors": isFailingCommands,
    "bad-sectors": (badSectors ?? 0) > 0,
    worn: spares === "few" || worn >= wornPercents.ready,
  };
  return wearTroubles.find((trouble) => found[trouble]) ?? null;
}

/** The disks with trouble, worst first. */
export const troubled = (disks: readonly Wear[]): readonly (Wear & { readonly trouble: WearTrouble })[] =>
  disks
    .filter((disk): disk is Wear & { readonly trouble: WearTrouble } => disk.trouble !== null)
    .sort((a, b) => wearTroubles.indexOf(a.trouble) - wearTroubles.indexOf(b.trouble));

/** The disks as the agent wrote them down last. */
export const wearOf = (note: string | null): readonly Wear[] => JSON.parse(note ?? "[]") as readonly Wear[];
