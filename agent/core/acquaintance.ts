/** What is known of a camera beyond its stream: who it is, where it stands now, how wrong its clock is. Pure. */

/** Kept over restarts. Every part is null until the camera told it. */
export type Acquaintance = {
  readonly make: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  readonly firmware: string | null;
  /** Lower case with colons. */
  readonly mac: string | null;
  /** Its address, where that is no longer the configured one. */
  readonly host: string | null;
  /** Its ONVIF service there. */
  readonly xaddr: string | null;
  /** Streams as it told them, the largest picture and the smallest. */
  readonly main: string | null;
  readonly sub: string | null;
};
export const stranger: Acquaintance = {
  ...{ make: null, model: null, serial: null, firmware: null, mac: null },
  ...{ host: null, xaddr: null, main: null, sub: null },
};

/** As it was kept; nothing of what cannot be read. */
export function acquaintanceOf(text: string | null): Acquaintance {
  try {
    const kept: unknown = JSON.parse(text ?? "null");
    if (typeof kept !== "object" || kept === null) return stranger;
    const told = new Map(Object.entries(kept));
    const parts = Object.keys(stranger).map((key) => [key, typeof told.get(key) === "string" ? told.get(key) : null]);
    return { ...stranger, ...(Object.fromEntries(parts) as Partial<Acquaintance>) };
  } catch {
    return stranger;
  }
}

type Identity = Pick<Acquaintance, "serial" | "mac">;

/** Is it the same camera? `unknown` where nothing that both tell says so. Makers give some series one serial number: a MAC counts more. */
export function compare(known: Identity, seen: Identity): "same" | "other" | "unknown" {
  if (known.mac !== null && seen.mac !== null) return known.mac === seen.mac ? "same" : "other";
  if (known.serial !== null && seen.serial !== null) return known.serial === seen.serial ? "same" : "other";
  return "unknown";
}

/** An address with another host; null stays null. */
export function atHost(url: string, host: string | null): string {
  if (host === null) return url;
  const moved = new URL(url);
  moved.hostname = host;
  return moved.href;
}

export const hostOf = (url: string): string => new URL(url).hostname;

/** Where a camera's main stream is now: the configured path, or the one that it told, at the host where it was met last. null: it has told none yet. */
export function streamAt(
  configured: { readonly url?: string | undefined; readonly onvif?: string | undefined },
  known: Acquaintance,
): string | null {
  if (configured.url !== undefined) return atHost(configured.url, known.host);
  if (known.main === null) return null;
  // Its own word of its address may not be reached from here: behind a router it is another network's.
  const host = known.host ?? (configured.onvif === undefined ? null : hostOf(configured.onvif));
  return atHost(known.main, host);
}

/**
 * Where its smaller stream is: the configured one, or the one that it told where the main stream is asked for too. null: it has none. One at
 * another host than the main stream's (a recorder's) does not move with the camera.
 */
export function fallbackAt(
  configured: { readonly url?: string | undefined; readonly onvif?: string | undefined; readonly fallback?: string | undefined },
  known: Acquaintance,
): string | null {
  const { url, onvif, fallback } = configured;
  const home = url ?? onvif;
  if (fallback !== undefined) return atHost(fallback, home !== undefined && hostOf(home) === hostOf(fallback) ? known.host : null);
  return url === undefined && known.sub !== null ? streamAt({ onvif }, { ...known, main: known.sub }) : null;
}

export type ClockReading = { readonly offsetMs: number | null; readonly neverSet: boolean };
/** `slow` and `fast` are off by minutes or more; a wrong `zone` by whole half hours. */
export type ClockTrouble = "never-set" | "zone" | "slow" | "fast";

/** Off by more than this is a fault: another minute is shown in the picture (requirements: T-05, fault above 60 s). */
const wrongMs = 60_000;
const halfHourMs = 1_800_000;
const zoneSlackMs = 120_000;
/** No zone is further away from Vietnam's than this. */
const widestZoneMs = 19 * 3_600_000;

/** null: its clock is right, or it does not tell it. */
export function clockTrouble({ offsetMs, neverSet }: ClockReading): ClockTrouble | null {
  if (neverSet) return "never-set";
  if (offsetMs === null || Math.abs(offsetMs) <= wrongMs) return null;
  const nearest = Math.round(offsetMs / halfHourMs) * halfHourMs;
  const isZone = nearest !== 0 && Math.abs(offsetMs) <= widestZoneMs && Math.abs(offsetMs - nearest) <= zoneSlackMs;
  if (isZone) return "zone";
  return offsetMs < 0 ? "slow" : "fast";
}

/** How long a login that was refused is not put again, after the `failures`-th refusal in a row: cameras lock out who tries often (Hikvision: 30 min after a handful). */
export function loginPauseMs(failures: number): number {
  const ladderMs = [60_000, 600_000, 1_800_000];
  return ladderMs[Math.min(Math.max(failures, 1), ladderMs.length) - 1] ?? 1_800_000;
}

/**
 * Between two searches for a camera that is silent: often at first, since most have only been given another address, and since the kernel
 * holds on to who had an address for some ten seconds.
 */
export function seekPauseMs(searches: number): number {
  const ladderMs = [8_000, 8_000, 8_000, 8_000, 8_000, 60_000, 300_000];
  return ladderMs[Math.min(Math.max(searches, 1), ladderMs.length) - 1] ?? 300_000;
}
