/** Questions to the store that both the commands and the publisher ask. Reads only. */
import { certificateDays } from "./certificate.ts";
import type { Settings } from "./config/schema.ts";
import type { ClockReading } from "./core/acquaintance.ts";
import { type Dating, plainDating, redate, type UtcMs } from "./core/dating.ts";
import { type Drawn, lineBytes } from "./core/drawn.ts";
import { graceMs, type History, spansOf, splitByPlan, sumsOf } from "./core/ledger.ts";
import { monthOf, spanOfMonth } from "./core/period.ts";
import { albumAt, albumOf, noAlbum, type PictureState, pictureOf } from "./core/picture.ts";
import { reachOf } from "./core/reach.ts";
import { forecastDays, type HeldInflow, heldFullIn } from "./core/retention.ts";
import { type CameraFacts, type HouseholdLine, type Status, statusOf } from "./core/status.ts";
import { stretchesOf } from "./core/stretch.ts";
import { supplyOf } from "./core/supply.ts";
import { trafficIn, trafficOf } from "./core/traffic.ts";
import { undoneOf } from "./core/trial.ts";
import { twinFeltAt } from "./core/twin.ts";
import type { Gap, Span, Trust, WallMs } from "./core/types.ts";
import { wearOf } from "./core/wear.ts";
import type { Reads } from "./store/reads.ts";

const dayMs = 86_400_000;

/** Settings that are accepted and whose driver is not there yet. */
export function unsupportedOf(settings: Settings): readonly string[] {
  const built: Record<"power" | "link" | "clock", readonly string[]> = {
    power: ["none", "auto", "nut", "sysfs", "gpio", "i2c", "file", "script"],
    link: ["none", "auto", "file", "script"],
    clock: ["none", "auto", "file", "script"],
  };
  const drivers = (["power", "link", "clock"] as const)
    .filter((name) => !built[name].includes(settings[name].driver))
    .map((name) => `${name}.driver: ${settings[name].driver}`);
  return drivers;
}

/** A question to the store at a moment. Times in it and in its answers are UTC. */
export type Asking = {
  readonly reads: Reads;
  readonly settings: Settings;
  readonly dating: Dating;
  readonly running: boolean;
  readonly nowAt: UtcMs;
};

/** Until when the ledger speaks: now while the agent runs, its last sign of life otherwise. */
export function endOfDue({ reads, dating, running, nowAt }: Asking): UtcMs {
  const run = reads.lastRun();
  if (running || run === null) return nowAt;
  return dating.toUtc(run.endedAt ?? Math.max(run.beatAt, reads.live()?.at ?? 0));
}

/** One camera's history around a span, with due time's ends as contract §4 has them. */
export function historyOf(asking: Asking, camera: string, span: Span): History {
  const { reads, settings, dating, running } = asking;
  const row = reads.camera(camera);
  const told = settings.cameras.find((entry) => entry.id === camera);
  const rows = datedRows(reads, dating, camera, span);
  const coveredAt = row?.coveredAt == null ? 0 : dating.toUtc(row.coveredAt);
  const live = reads.live();
  const openSpan = openSpanOf(reads, dating, camera);
  const open = openSpan !== null && openSpan.toAt > coveredAt ? openSpan : null;
  const endAt = row?.leftAt == null ? endOfDue(asking) : dating.toUtc(row.leftAt);
  const reachedAt = Math.max(coveredAt, open?.toAt ?? 0);
  const inGrace = row?.leftAt == null && endAt - reachedAt < graceMs && rows.gaps.every((gap) => gap.toAt !== null);
  const dueEndAt = inGrace ? Math.min(endAt, reachedAt) : endAt;
  const firstAt = row?.sinceAt == null ? (running ? (open?.fromAt ?? null) : null) : dating.toUtc(row.sinceAt);
  const sinceAt = told?.since ?? firstAt;
  const frame: Frame = {
    planned: (told?.planned ?? []).map(({ from, to, why }) => ({ fromAt: from, toAt: to, why })),
    due: sinceAt === null || row === null || sinceAt >= dueEndAt ? null : { fromAt: sinceAt, toAt: dueEndAt },
    open:
      open === null || !running
        ? null
        : {
            ...open,
            fromAt: Math.max(open.fromAt, coveredAt),
            stream: live?.cameras[camera]?.stream ?? "main",
            clock: live?.clock ?? "holdover",
          },
  };
  return {
    ...{ ...frame, gaps: rows.gaps, deletions: rows.deletions },
    segments: stretchesOf((see) => reads.files(camera, storedSpan(dating, span), see), cutsOf(frame, span), dating.toUtc),
    unknowns:
      running || openSpan === null ? rows.unknowns : [...rows.unknowns, { ...openSpan, why: "unfinished file, settled at the next start" }],
  };
}

type Frame = Pick<History, "due" | "planned" | "open">;

/** Where the ledger may cut footage: files are not joined over these. */
const cutsOf = ({ due, planned, open }: Frame, span: Span): readonly UtcMs[] =>
  [span, due, open, ...planned].flatMap((part) => (part === null ? [] : [part.fromAt, part.toAt]));

function openSpanOf(reads: Reads, dating: Dating, camera: string): Span | null {
  const live = reads.live()?.cameras[camera];
  if (live?.openFromAt == null || live.lastFrameAt === null || live.lastFrameAt <= live.openFromAt) return null;
  return { fromAt: dating.toUtc(live.openFromAt), toAt: dating.toUtc(live.lastFrameAt) };
}

/** What the tables hold a span's moments under; a millisecond more, where two moments may read as one. */
const storedSpan = (dating: Dating, { fromAt, toAt }: Span): Span =>
  dating === plainDating ? { fromAt, toAt } : { fromAt: dating.fromUtc(fromAt), toAt: dating.fromUtc(toAt) + 1 };

/** The ledger's rows around a span, read as UTC. */
function datedRows(reads: Reads, dating: Dating, camera: string, span: Span): Pick<History, "gaps" | "deletions" | "unknowns"> {
  const stored = storedSpan(dating, span);
  const dated = <T extends Span>(row: T): T => ({ ...row, fromAt: dating.toUtc(row.fromAt), toAt: dating.toUtc(row.toAt) });
  return {
    gaps: reads.gaps(camera, stored).map((gap) => datedGap(gap, dating)),
    deletions: reads.deletions(camera, stored).map(dated),
    unknowns: reads.unknowns(camera, stored).map(dated),
  };
}

/** Gaps that touch a span; of one camera or of all, oldest first. */
export function gapsOf({ reads, dating, settings, nowAt }: Asking, camera: string | null, span: Span): readonly Gap[] {
  const planned = new Map(
    settings.cameras.map(({ id, planned: stops }) => [id, stops.map(({ from, to, why }) => ({ fromAt: from, toAt: to, why }))]),
  );
  return reads
    .gaps(camera, storedSpan(dating, span))
    .flatMap((gap) => splitByPlan(datedGap(gap, dating), planned.get(gap.camera) ?? [], nowAt))
    .flatMap((gap) => sinceHandOver(gap, settings.cameras.find(({ id }) => id === gap.camera)?.since));
}

/** Nothing is missing before hand-over. */
function sinceHandOver(gap: Gap, sinceAt: UtcMs | undefined): readonly Gap[] {
  if (sinceAt === undefined || gap.fromAt >= sinceAt) return [gap];
  return gap.toAt !== null && gap.toAt <= sinceAt ? [] : [{ ...gap, fromAt: sinceAt }];
}

/** A gap with its times, and those in its evidence, read as UTC. */
export function datedGap(gap: Gap, dating: Dating): Gap {
  if (dating === plainDating) return gap;
  const toAt = gap.toAt === null ? null : dating.toUtc(gap.toAt);
  return { ...gap, fromAt: dating.toUtc(gap.fromAt), toAt, blame: redate(gap.blame, dating) };
}

/** Contract §4 `status`, from the store alone. */
export function readStatus(asking: Asking, version: string): Status {
  const { reads, settings, dating, running, nowAt } = asking;
  const utc = (at: WallMs | null | undefined) => (at == null ? null : dating.toUtc(at));
  const live = reads.live();
  const run = reads.lastRun();
  const cursor = Number(reads.meta("cursor") ?? 0);
  const condition = (subject: string) => reads.conditions().find((row) => row.subject === subject);
  const unsent = reads.unsent(cursor);
  const felt = (subject: "power" | "link") => {
    const value = running ? (condition(subject)?.value ?? "unknown") : "unknown";
    return { value, sinceAt: value === "unknown" || value === "unsupported" ? null : utc(condition(subject)?.sinceAt) };
  };
  const driver = (subject: "power" | "link") => (running ? live?.drivers?.[subject] : undefined) ?? settings[subject].driver;
  const usedBytes = live?.usedBytes ?? 0;
  const heldBytes = reads.heldBytes();
  const limits = {
    maxAgeMs: settings.recording.keep.max,
    sizeBytes: settings.recording.limit.size,
    freeBytes: settings.recording.limit.free,
  };
  const daysLeft = forecastDays(usedBytes, live?.freeBytes ?? 0, reads.bytesSince(dating.fromUtc(nowAt - dayMs)), limits, heldBytes);
  return statusOf({
    ...{ language: settings.site.language, site: settings.site.id, version, running },
    run: run === null ? null : { boot: run.boot, startedAt: dating.toUtc(run.startedAt) },
    disk: {
      value: condition("disk")?.value ?? "unknown",
      sinceAt: utc(condition("disk")?.sinceAt),
      freeBytes: live?.freeBytes ?? null,
      usedBytes,
      heldBytes,
      daysLeft,
      heldFullInMs: heldFullIn(heldInflow(asking, usedBytes - heldBytes + (live?.freeBytes ?? 0))),
    },
    supply: supplyOf(numberOrNull(reads.meta("supply"))),
    wear: wearOf(reads.meta("wear")).map((disk) => ({ ...disk, sinceAt: utc(disk.sinceAt) })),
    clock: { value: live?.clock ?? "unset", sinceAt: utc(condition("clock")?.sinceAt), driver: settings.clock.driver },
    power: { ...felt("power"), driver: driver("power") },
    link: { ...felt("link"), driver: driver("link"), wifi: (running ? live?.wifi : undefined) ?? null },
    station: {
      value: settings.station === undefined ? "none" : running ? (condition("station")?.value ?? "unreachable") : "unreachable",
      ...{ sinceAt: utc(condition("station")?.sinceAt), unsent: unsent.count, oldestUnsentAt: utc(unsent.oldestAt) },
      reach: running ? reachOf(reads.meta("reach")) : null,
      traffic: trafficOf(reads.meta("traffic")),
    },
    households: householdLines(asking),
    cameras: settings.cameras.map((camera) => cameraFacts(asking, camera.id)),
    unsupported: unsupportedOf(settings),
    foreign: JSON.parse(reads.meta("foreign") ?? "[]") as string[],
    configProblem: reads.meta("config-problem"),
    keepMinDays: settings.recording.keep.min / dayMs,
    twinAt: running ? utc(twinFeltAt(takeoversIn(reads), dating.fromUtc(nowAt))) : null,
    expiredHolds: reads
      .holds()
      .flatMap(({ id, camera, untilUtc }) => (untilUtc === null || untilUtc > nowAt ? [] : [{ id, camera, untilUtc }])),
    ...{ unanswered: reads.unanswered(), nowAt },
    undone: undoneOf(reads.meta("undone")),
    certificateDays: certificateDays(settings.station?.cert, nowAt),
  });
}

/** What a camera sent in a span, its times UTC. */
export const drawnIn = ({ reads, dating }: Asking, camera: string, span: Span): Drawn =>
  reads.drawn(camera, { fromAt: dating.fromUtc(span.fromAt), toAt: dating.fromUtc(span.toAt) });

/** Of every household that cameras or the box stand in: what its cameras have sent this month, and what its internet line carried. */
export function householdLines(asking: Asking): readonly HouseholdLine[] {
  const { reads, settings, nowAt } = asking;
  const month = monthOf(nowAt);
  const told = trafficIn(trafficOf(reads.meta("traffic")), month);
  const own = settings.site.household;
  const ids = new Set([...settings.cameras.flatMap(({ household }) => household ?? []), ...(own === undefined ? [] : [own])]);
  return [...ids].map((id) => {
    const reach = settings.households.find((entry) => entry.id === id)?.reach ?? "lan";
    const cameras = settings.cameras.filter(({ household }) => household === id);
    const cameraBytes = cameras.reduce(
      (sum, camera) => sum + lineBytes(drawnIn(asking, camera.id, spanOfMonth(month) ?? nowhere).bytes),
      0,
    );
    const boxBytes = id === own ? told.sentBytes + told.receivedBytes : 0;
    return { id, reach, month, cameraBytes, internetBytes: (reach === "wan" ? cameraBytes : 0) + boxBytes };
  });
}

const nowhere: Span = { fromAt: 0, toAt: 0 };

/** When another client came with our name. */
export const takeoversIn = (reads: Pick<Reads, "meta">): readonly WallMs[] =>
  JSON.parse(reads.meta("takeovers") ?? "[]") as readonly WallMs[];

export const numberOrNull = (text: string | null) => (text === null ? null : Number(text));

/** What comes in under holds that reach into the future, by what their cameras recorded in the last day. */
function heldInflow({ reads, dating, nowAt }: Asking, roomBytes: number): HeldInflow {
  const growing = reads.holds().filter(({ fromUtc, toUtc }) => fromUtc <= nowAt && toUtc > nowAt);
  const cameras = [...new Set(growing.map(({ camera }) => camera))];
  const bytesPerDay = cameras.reduce((sum, camera) => sum + perDay(reads, camera, dating.fromUtc(nowAt)), 0);
  return { roomBytes, bytesPerDay, forMs: Math.max(0, ...growing.map(({ toUtc }) => toUtc - nowAt)) };
}

/** Of a camera that has recorded for less than a day, what a whole one would come to. */
function perDay(reads: Reads, camera: string, nowAt: WallMs): number {
  const oldestAt = reads.oldestStartAt(camera);
  const lengthMs = oldestAt === null ? dayMs : Math.min(dayMs, Math.max(1_000, nowAt - oldestAt));
  return (reads.bytesSince(nowAt - dayMs, camera) / lengthMs) * dayMs;
}

/** The box's own clock as the running agent has it, `errorMs` off at most; null: unknown. Nobody watches it while none runs: what was found last says nothing of now. */
export function boxClockOf({ reads, running }: Pick<Asking, "reads" | "running">): {
  readonly trust: Trust;
  readonly errorMs: number | null;
} {
  if (!running) return { trust: "holdover", errorMs: null };
  const live = reads.live();
  return { trust: live?.clock ?? "unset", errorMs: live?.clockErrorMs ?? null };
}

/** A camera's clock as it was found last; null: it was never told. */
export function clockOf(reads: Pick<Reads, "live">, camera: string): ClockReading | null {
  const live = reads.live()?.cameras[camera];
  return live?.clockOffsetMs === undefined ? null : { offsetMs: live.clockOffsetMs, neverSet: live.neverSet ?? false };
}

/** How a camera's picture was found; null: nobody looks. What was found before the agent stopped, or the main stream was gone, says nothing of now. */
export function pictureNow({ reads, settings, dating, running, nowAt }: Asking, id: string): PictureState | null {
  if (settings.pictures.every === 0 || settings.cameras.find((camera) => camera.id === id)?.manual !== undefined) return null;
  const row = reads.camera(id);
  const isLookedAt = running && row?.stream === "main" && (row.state === "recording" || row.state === "degraded");
  const album = albumAt(albumOf(reads.meta(`picture ${id}`)), reads.meta(`accepted ${id}`), dating.fromUtc(nowAt));
  const { sinceAt, ...state } = pictureOf(isLookedAt ? album : noAlbum);
  return { ...state, sinceAt: sinceAt === null ? null : dating.toUtc(sinceAt) };
}

function cameraFacts(asking: Asking, id: string): CameraFacts {
  const { reads, settings, dating, running, nowAt } = asking;
  const camera = settings.cameras.find((entry) => entry.id === id);
  const row = reads.camera(id);
  const lastFrameAt = reads.live()?.cameras[id]?.lastFrameAt ?? null;
  const span = { fromAt: nowAt - dayMs, toAt: nowAt };
  const sums = sumsOf(spansOf(historyOf(asking, id, span), span));
  const oldestAt = reads.oldestFreeStartAt(id);
  const knownMs = sums.dueMs - sums.unknownMs;
  return {
    ...{
      id,
      name: camera?.name ?? id,
      sinceAt: row?.stateSinceAt == null ? null : dating.toUtc(row.stateSinceAt),
      stream: row?.stream ?? "main",
    },
    state: camera?.manual !== undefined || !running ? "unknown" : (row?.state ?? "unknown"),
    why: camera?.manual !== undefined ? "manual" : running ? (row?.why ?? null) : "the agent does not run",
    lastFrameAt: lastFrameAt === null ? null : dating.toUtc(lastFrameAt),
    recorded24h: knownMs > 0 ? Math.floor(((sums.recordedMs + sums.deletedMs) / knownMs) * 10_000) / 10_000 : null,
    clock: clockOf(reads, id),
    problem: running ? (reads.live()?.cameras[id]?.problem ?? null) : null,
    line: running ? (reads.live()?.cameras[id]?.line ?? null) : null,
    picture: pictureNow(asking, id),
    daysKept: oldestAt === null ? null : Math.floor(((nowAt - dating.toUtc(oldestAt)) / dayMs) * 100) / 100,
  };
}
