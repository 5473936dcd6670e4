/** Questions to the store that both the commands and the publisher ask. Reads only. */
import type { Settings } from "./config/schema.ts";
import { graceMs, type History, spansOf, sumsOf } from "./core/ledger.ts";
import { forecastDays } from "./core/retention.ts";
import { type CameraFacts, type Status, statusOf } from "./core/status.ts";
import type { Span, WallMs } from "./core/types.ts";
import type { Reads } from "./store/reads.ts";

const dayMs = 86_400_000;

/** Settings that are accepted and whose driver is not there yet. */
export function unsupportedOf(settings: Settings): readonly string[] {
  const drivers = (["power", "link", "clock"] as const)
    .filter((name) => settings[name].driver !== "none")
    .map((name) => `${name}.driver: ${settings[name].driver}`);
  const cameras = settings.cameras.flatMap((camera) => [
    ...(camera.fallback === undefined ? [] : [`cameras.${camera.id}.fallback`]),
    ...(camera.onvif === undefined ? [] : [`cameras.${camera.id}.onvif`]),
  ]);
  const witnesses = settings.households.some((household) => household.router !== undefined) ? ["households.router"] : [];
  return [...drivers, ...cameras, ...witnesses];
}

/** Until when the ledger speaks: now while the agent runs, its last sign of life otherwise. */
export function endOfDue(reads: Reads, running: boolean, nowAt: WallMs): WallMs {
  const run = reads.lastRun();
  const live = reads.live();
  if (running || run === null) return nowAt;
  return run.endedAt ?? Math.max(run.beatAt, live?.at ?? 0);
}

/** One camera's history around a span, with due time's ends as contract §4 has them. */
export function historyOf(reads: Reads, settings: Settings, camera: string, span: Span, running: boolean, nowAt: WallMs): History {
  const row = reads.camera(camera);
  const live = reads.live()?.cameras[camera];
  const rows = reads.history(camera, span);
  const planned = (settings.cameras.find((entry) => entry.id === camera)?.planned ?? []).map((stop) => ({
    fromAt: stop.from,
    toAt: stop.to,
    why: stop.why,
  }));
  const openSpan =
    live?.openFromAt != null && live.lastFrameAt !== null && live.lastFrameAt > live.openFromAt
      ? { fromAt: live.openFromAt, toAt: live.lastFrameAt }
      : null;
  const open = openSpan !== null && openSpan.toAt > (row?.coveredAt ?? 0) ? openSpan : null;
  const endAt = row?.leftAt ?? endOfDue(reads, running, nowAt);
  const reachedAt = Math.max(row?.coveredAt ?? 0, open?.toAt ?? 0);
  const inGrace = row?.leftAt == null && endAt - reachedAt < graceMs && rows.gaps.every((gap) => gap.toAt !== null);
  const dueEndAt = inGrace ? Math.min(endAt, reachedAt) : endAt;
  const sinceAt = row?.sinceAt ?? (running ? (open?.fromAt ?? null) : null);
  return {
    ...rows,
    planned,
    due: sinceAt === null || sinceAt >= dueEndAt ? null : { fromAt: sinceAt, toAt: dueEndAt },
    open:
      open === null || !running
        ? null
        : { ...open, fromAt: Math.max(open.fromAt, row?.coveredAt ?? 0), stream: "main", clock: reads.live()?.clock ?? "holdover" },
    unknowns:
      running || openSpan === null ? rows.unknowns : [...rows.unknowns, { ...openSpan, why: "unfinished file, settled at the next start" }],
  };
}

/** Contract §4 `status`, from the store alone. */
export function readStatus(reads: Reads, settings: Settings, version: string, running: boolean, nowAt: WallMs): Status {
  const live = reads.live();
  const run = reads.lastRun();
  const cursor = Number(reads.meta("cursor") ?? 0);
  const condition = (subject: string) => reads.conditions().find((row) => row.subject === subject);
  const unsent = reads.unsent(cursor);
  const usedBytes = live?.usedBytes ?? 0;
  const limits = {
    maxAgeMs: settings.recording.keep.max,
    sizeBytes: settings.recording.limit.size,
    freeBytes: settings.recording.limit.free,
  };
  const daysLeft = forecastDays(usedBytes, live?.freeBytes ?? 0, reads.bytesSince(nowAt - dayMs), limits);
  return statusOf({
    ...{ language: settings.site.language, site: settings.site.id, version, running },
    run: run === null ? null : { boot: run.boot, startedAt: run.startedAt },
    disk: {
      value: condition("disk")?.value ?? "unknown",
      sinceAt: condition("disk")?.sinceAt ?? null,
      freeBytes: live?.freeBytes ?? null,
      usedBytes,
      daysLeft,
    },
    clock: { value: live?.clock ?? "unset", driver: settings.clock.driver },
    power: { driver: settings.power.driver },
    link: { driver: settings.link.driver },
    station: {
      value: settings.station === undefined ? "none" : running ? (condition("station")?.value ?? "unreachable") : "unreachable",
      ...{ sinceAt: condition("station")?.sinceAt ?? null, unsent: unsent.count, oldestUnsentAt: unsent.oldestAt },
    },
    cameras: settings.cameras.map((camera) => cameraFacts(reads, settings, camera.id, running, nowAt)),
    unsupported: unsupportedOf(settings),
    foreign: JSON.parse(reads.meta("foreign") ?? "[]") as string[],
    configProblem: reads.meta("config-problem"),
    keepMinDays: settings.recording.keep.min / dayMs,
  });
}

function cameraFacts(reads: Reads, settings: Settings, id: string, running: boolean, nowAt: WallMs): CameraFacts {
  const camera = settings.cameras.find((entry) => entry.id === id);
  const row = reads.camera(id);
  const live = reads.live()?.cameras[id];
  const span = { fromAt: nowAt - dayMs, toAt: nowAt };
  const sums = sumsOf(spansOf(historyOf(reads, settings, id, span, running, nowAt), span));
  const oldestAt = reads.oldestStartAt(id);
  const knownMs = sums.dueMs - sums.unknownMs;
  return {
    ...{ id, name: camera?.name ?? id, sinceAt: row?.stateSinceAt ?? null, stream: row?.stream ?? "main" },
    state: camera?.manual !== undefined || !running ? "unknown" : (row?.state ?? "unknown"),
    why: camera?.manual !== undefined ? "manual" : running ? (row?.why ?? null) : "the agent does not run",
    lastFrameAt: live?.lastFrameAt ?? null,
    recorded24h: knownMs > 0 ? Math.floor(((sums.recordedMs + sums.deletedMs) / knownMs) * 10_000) / 10_000 : null,
    daysKept: oldestAt === null ? null : Math.floor(((nowAt - oldestAt) / dayMs) * 100) / 100,
  };
}
