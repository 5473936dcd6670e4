/** Looks at everything that a technician would: reads and asks, changes nothing, and never waits long for anybody. */
import { readFileSync } from "node:fs";
import type { Footage } from "../hal/ports.ts";
import { certificateDays } from "./certificate.ts";
import { isOnSystemDisk } from "./config/rules.ts";
import type { Check, Finding } from "./core/checkup.ts";
import { brokerPlace } from "./core/reach.ts";
import { vietnamTime } from "./core/time.ts";
import { wifiText } from "./core/wifi.ts";
import { bytesText } from "./core/words.ts";
import { aboutCamera } from "./doctor/camera.ts";
import { check, type DoctorMeans, doorMs, type Patient } from "./doctor/patient.ts";
import { type Asking, unsupportedOf } from "./query.ts";
import { makeTurnstile } from "./turnstile.ts";

const dayMs = 86_400_000;
/** A disk that takes longer for a small flushed write cannot keep up with many cameras (reference: bench.md §4). */
const slowMs = 200;
const writes = 5;
/** Ports that belong on a box: ssh, and what answers for the network itself. */
const usualPorts = [22];
/** So many cameras are asked at once: most of the time is waiting for those that do not answer. */
const camerasAtOnce = 8;
/** Files are read by so many at once: the machine is recording. */
const readsAtOnce = 2;
/** What is not begun by then is told as such: a person waits for a minute (edge.md §4). */
const beginWithinMs = 40_000;
const certificateWarnDays = 60;

const notRunning = "no process holds the state folder";
/** Every check, in the order of the ladder. Never rejects. */
export async function examine(patient: Patient, means: DoctorMeans, signal: AbortSignal): Promise<readonly Check[]> {
  const { settings } = patient;
  const beganMs = performance.now();
  const looks: readonly (() => readonly Check[] | Promise<readonly Check[]>)[] = [
    () => aboutConfig(patient),
    // Before the service: a damaged database may be why it does not run.
    () => aboutBooks(patient),
    () => aboutService(patient, means),
    () => aboutVersions(patient),
    () => aboutDisk(patient, means),
    () => aboutPower(patient, means),
    () => aboutClock(patient, means, signal),
    () => aboutLink(patient),
    () => aboutStation(patient, means),
  ];
  const checks = [];
  for (const look of looks) checks.push(...(await look()));
  const rest = settings.cameras.entries();
  const cameras: Check[][] = [];
  const isLate = () => performance.now() - beganMs > beginWithinMs;
  const calm = { ...means, remux: oneAfterAnother(means.remux) };
  const asker = async () => {
    for (const [i, camera] of rest)
      cameras[i] = isLate()
        ? [check(`camera/${camera.id}`, "camera-late", { name: camera.name ?? camera.id }, `${beginWithinMs / 1_000} s`)]
        : await aboutCamera(patient, calm, camera, signal);
  };
  await Promise.all(Array.from({ length: camerasAtOnce }, asker));
  return [...checks, ...cameras.flat(), ...(await aboutPorts(means))];
}

function oneAfterAnother(remux: DoctorMeans["remux"]): DoctorMeans["remux"] {
  const inTurn = makeTurnstile(readsAtOnce);
  return {
    look: (path, signal) => inTurn(() => remux.look(path, signal)),
    groupMs: (path, signal) => inTurn(() => remux.groupMs(path, signal)),
  };
}

function aboutConfig({ settings, config }: Patient): readonly Check[] {
  const waiting = unsupportedOf(settings);
  const isOld = config.inUse !== null && config.inUse !== config.hash;
  return [
    ...(isOld ? [check("config", "config-drift", {}, `${config.file}: ${config.hash}; ${config.inUse}`)] : []),
    ...(waiting.length > 0 ? [check("config", "config-waiting", { settings: waiting.join(", ") }, config.file)] : []),
    ...(isOld || waiting.length > 0 ? [] : [check("config", "config-good", {}, config.file)]),
  ];
}

async function aboutService({ status, asking }: Patient, { machine }: DoctorMeans): Promise<readonly Check[]> {
  const unit = await machine.service("matghi");
  const because = unit === null ? "" : `systemctl: ${unit.state}`;
  if (status?.running !== true) return [check("service", "service-down", {}, because || notRunning)];
  if (unit?.state === "activating") return [check("service", "service-unheard", {}, because)];
  const since = status.run === null ? "?" : vietnamTime(Date.parse(status.run.startedAt));
  const crashes = asking === null ? 0 : crashesOf(asking);
  return crashes > 0
    ? [check("service", "service-restarts", { count: crashes }, because)]
    : [check("service", "service-up", { since }, because)];
}

/** Runs of the last day that ended without a word while the machine went on. */
function crashesOf({ reads, dating, nowAt }: Asking): number {
  const filter = { afterG: 0, fromAt: dating.fromUtc(nowAt - dayMs), toAt: Number.MAX_SAFE_INTEGER, type: "run.ended", limit: 1_000 };
  return reads.events(filter).filter(({ data }) => data.end === "crashed").length;
}

function aboutVersions({ identity, agentVersion }: Patient): readonly Check[] {
  const { ffmpeg, node } = identity;
  if (ffmpeg === "unknown") return [check("versions", "ffmpeg-missing", {}, "/usr/bin/ffmpeg")];
  return [check("versions", "versions-good", { agent: agentVersion, node, ffmpeg }, identity.os)];
}

function aboutBooks({ database, audit, settings }: Patient): readonly Check[] {
  const books =
    database.kind === "broken"
      ? check("database", "database-broken", {}, database.detail)
      : check("database", database.kind === "none" ? "database-none" : "database-good", { folder: settings.site.state }, "quick_check");
  const chain =
    audit.problems.length > 0
      ? check("audit", "audit-broken", {}, audit.problems[0]?.what ?? "")
      : check("audit", "audit-good", { entries: audit.entries }, "sha-256");
  return [books, chain];
}

const diskFindings = {
  unmounted: "disk-unmounted",
  missing: "disk-unmounted",
  "other-disk": "disk-other",
  "read-only": "disk-read-only",
  full: "disk-full",
  failing: "disk-dead",
} as const;

async function aboutDisk(patient: Patient, means: DoctorMeans): Promise<readonly Check[]> {
  const { machine, footage } = means;
  const { settings, asking, status } = patient;
  const { folder } = settings.recording;
  const reading = await footage.inspect(asking?.reads.meta("folder") ?? null);
  if (reading.value !== "ok") return [check("disk", diskFindings[reading.value], { folder }, reading.detail || folder)];
  const written = await timeWrites(footage);
  if (written.kind !== "ok") return [check("disk", diskFindings[written.kind], { folder }, `write probe: ${written.kind}`)];
  const mount = await machine.mountOf(folder);
  const facts = { type: mount?.type ?? "?", ms: Math.round(written.ms), free: bytesText(reading.freeBytes, settings.site.language) };
  const { min } = settings.recording.keep;
  const daysLeft = status?.disk.daysLeft ?? null;
  const problems = [
    ...(isOnSystemDisk(folder) ? [check("disk", "disk-system", {}, mount?.point ?? folder)] : []),
    ...(written.ms > slowMs ? [check("disk", "disk-slow", facts, `${writes} × 4 KiB, fsync`)] : []),
    ...(daysLeft !== null && daysLeft * dayMs < min
      ? [check("disk", "disk-short", { days: Math.floor(daysLeft), min: min / dayMs }, "recording.keep.min")]
      : []),
  ];
  const because =
    mount === null ? folder : `${mount.device} ${mount.point} ${mount.options.filter((o) => o.startsWith("data=")).join(",")}`.trim();
  return [...(problems.length > 0 ? problems : [check("disk", "disk-good", facts, because)]), await aboutSmart(patient, means)];
}

/** The middle of a few flushed writes. */
async function timeWrites(footage: Footage): Promise<{ kind: "ok"; ms: number } | { kind: "read-only" | "full" | "failing" }> {
  const times: number[] = [];
  for (let i = 0; i < writes; i += 1) {
    const began = performance.now();
    const said = await footage.probe();
    if (said !== "ok") return { kind: said };
    times.push(performance.now() - began);
  }
  return { kind: "ok", ms: times.sort((a, b) => a - b)[Math.floor(writes / 2)] ?? 0 };
}

/** Asks the disk; where it cannot be asked from here, what the last look as root found counts. */
async function aboutSmart({ settings, status }: Patient, { machine, disks }: DoctorMeans): Promise<Check> {
  const [disk] = await disks.under(settings.recording.folder);
  if (disk === undefined) return check("smart", "smart-none", {}, "no device");
  const device = `/dev/${disk.device}`;
  const smart = await machine.smart(device);
  const last = status?.running === true ? status.disk.health.find((entry) => entry.device === disk.device) : undefined;
  const isBad = smart.kind === "told" ? !smart.passed : last?.smart === "failing";
  const sectors = (smart.kind === "told" ? smart.badSectors : last?.badSectors) ?? 0;
  if (isBad) return check("smart", "smart-bad", {}, device);
  if (sectors > 0) return check("smart", "smart-worn", { sectors }, device);
  if (smart.kind !== "told" && last?.smart !== "good") return check("smart", "smart-none", {}, smart.detail);
  return check("smart", "smart-good", {}, device);
}

async function aboutPower({ status, settings }: Patient, { machine }: DoctorMeans): Promise<readonly Check[]> {
  const low = (await machine.hasUnderVoltage()) === true ? [check("power", "power-low-voltage", {}, "rpi_volt in0_lcrit_alarm")] : [];
  const driver = status?.power.driver ?? settings.power.driver;
  const value = status?.running === true ? status.power.value : "unsupported";
  const finding: Finding =
    value === "battery" || value === "low"
      ? "power-battery"
      : value === "mains"
        ? "power-good"
        : value === "unsupported" || driver === "none"
          ? "power-none"
          : "power-unknown";
  return [...low, check("power", finding, { driver }, driver)];
}

async function aboutClock({ settings }: Patient, { clock }: DoctorMeans, signal: AbortSignal): Promise<readonly Check[]> {
  if (settings.clock.driver === "script") return [check("clock", "clock-scripted", {}, "clock.driver: script")];
  await clock.look(signal);
  const trust = clock.trust();
  const finding: Finding = trust === "unset" ? "clock-unset" : trust === "synced" ? "clock-good" : "clock-loose";
  return [check("clock", finding, { driver: clock.driver }, trust)];
}

function aboutLink({ settings, status, asking }: Patient): readonly Check[] {
  const row = asking?.reads.conditions().find(({ subject }) => subject === "link");
  if (status?.running !== true) return [check("link", "link-none", {}, notRunning)];
  if (row === undefined || row.value === "unknown") return [check("link", "link-none", {}, "unknown")];
  const because = row.evidence.join("; ");
  if (row.value === "down") return [check("link", "link-down", { rung: row.evidence[0] ?? "?" }, because)];
  const { driver, wifi } = status.link;
  // What stands with the condition was true when it changed.
  const now = wifi === null ? because : [row.evidence[0] ?? "wifi", wifiText(wifi, settings.site.language)].join("; ");
  if (row.value === "weak") return [check("link", "link-weak", {}, now)];
  if (row.value === "unsupported") return [check("link", "link-none", {}, because || "unsupported")];
  return [check("link", "link-good", { driver }, now || row.value)];
}

const doors = { "no-name": "station-no-name", "no-port": "station-no-port", "no-trust": "station-no-trust" } as const;

async function aboutStation(patient: Patient, { machine }: DoctorMeans): Promise<readonly Check[]> {
  const { station, site } = patient.settings;
  if (station === undefined) return [check("station", "station-none", {}, "station:")];
  const place = brokerPlace(station.url);
  const certificate = aboutCertificate(patient);
  const read = (file: string | undefined) => (file === undefined ? null : readOrNull(file));
  const tls =
    new URL(station.url).protocol === "mqtts:" ? { ca: read(station.ca), cert: read(station.cert), key: read(station.key) } : null;
  const door = await machine.door({ ...place, tls }, doorMs);
  const isOver = door.kind === "no-trust" && door.detail === "CERT_HAS_EXPIRED";
  if (door.kind !== "open") return [...certificate, check("station", isOver ? "station-expired" : doors[door.kind], place, door.detail)];
  return [...certificate, aboutSession(patient, site.id, `${place.host}:${place.port}`)];
}

function aboutCertificate({ settings, asking }: Patient): readonly Check[] {
  const file = settings.station?.cert;
  const days = certificateDays(file, asking?.nowAt ?? Date.now());
  if (file === undefined || days === null || days > certificateWarnDays) return [];
  const finding: Finding = days < 0 ? "station-certificate-over" : days <= 7 ? "station-certificate" : "station-certificate-soon";
  return [check("certificate", finding, { days }, file)];
}

function aboutSession({ status, asking }: Patient, site: string, place: string): Check {
  const said = asking?.reads.conditions().find(({ subject }) => subject === "station");
  const because = said?.evidence.join("; ") || place;
  if (status?.running !== true || status.station.value === "unreachable") return check("station", "station-silent", {}, because);
  if (status.station.value === "refused") return check("station", "station-refused", { site }, because);
  const { unsent, oldestUnsentAt } = status.station;
  const since = oldestUnsentAt === null ? "–" : vietnamTime(Date.parse(oldestUnsentAt));
  return check("station", unsent > 100 ? "station-backlog" : "station-good", { count: unsent, since }, place);
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

async function aboutPorts({ machine }: DoctorMeans): Promise<readonly Check[]> {
  const open = (await machine.listening()).filter((port) => !usualPorts.includes(port));
  return [
    open.length > 0
      ? check("ports", "ports-open", { ports: open.slice(0, 20).join(", ") }, "/proc/net/tcp")
      : check("ports", "ports-good", {}, "/proc/net/tcp"),
  ];
}
