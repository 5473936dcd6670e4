/** What the operating system says of the box, for a person's questions: service, mounts, disk health, open ports, ways out. Each answer has a deadline. */
import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { statfsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import type { Credentials, Door, Machine, Mount, Smart, UnitState } from "./ports.ts";

const run = promisify(execFile);
const systemctlMs = 5_000;
/** smartctl may hang on a dying disk (reference: edge.md §4). */
const smartMs = 15_000;
const mostOutputBytes = 1 << 20;
const sayingMs = 15_000;
const mostSaidBytes = 32 << 20;

const debian = {
  ...{ systemctl: "/usr/bin/systemctl", smartctl: "/usr/sbin/smartctl" },
  ...{ vcgencmd: "/usr/bin/vcgencmd", journalctl: "/usr/bin/journalctl" },
};

/** `root`: where /proc and /sys are; tests have their own. `programs`: likewise. */
export function makeMachine(root = "", programs: Partial<typeof debian> = {}): Machine {
  const { systemctl, smartctl, vcgencmd, journalctl } = { ...debian, ...programs };
  return {
    service: (unit) => service(systemctl, unit),
    mountOf: (path) => mountOf(root, path),
    mounts: () => mounts(root),
    freeBytes,
    start: (name) => start(systemctl, name),
    smart: (device) => smart(smartctl, device),
    throttled: () => throttled(vcgencmd),
    unit: (name) => unit(systemctl, name),
    log: (of, lines) => said(journalctl, [...(of === "kernel" ? ["-k"] : ["-u", of.unit]), ...["-n", String(lines)], ...journalForm]),
    listening: () => listening(root),
    hasUnderVoltage: () => hasUnderVoltage(root),
    door,
  };
}

/** A start ends when the agent says that it is ready. */
const startMs = 150_000;

async function start(systemctl: string, unit: string): Promise<string | null> {
  try {
    await run(systemctl, ["enable", "--quiet", unit], { timeout: startMs });
    await run(systemctl, ["restart", unit], { timeout: startMs });
    return null;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return (stderr?.trim() || message).split("\n")[0] ?? "";
  }
}

function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}

async function service(systemctl: string, unit: string): Promise<UnitState | null> {
  try {
    const { stdout } = await run(systemctl, ["show", unit, "--property=LoadState,ActiveState,NRestarts"], { timeout: systemctlMs });
    const facts = new Map(stdout.split("\n").map((line) => line.split("=", 2) as [string, string]));
    if (facts.get("LoadState") !== "loaded") return null;
    return { state: facts.get("ActiveState") ?? "unknown", restarts: Number(facts.get("NRestarts") ?? 0) };
  } catch {
    return null;
  }
}

const journalForm = ["-o", "short-iso", "--no-pager", "-q"];
const unitFacts =
  "LoadState,UnitFileState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,ExecMainCode,ExecMainStartTimestamp,ExecMainExitTimestamp,MemoryCurrent,MemoryPeak,CPUUsageNSec,TasksCurrent";

async function unit(systemctl: string, name: string): Promise<string | null> {
  const parts = await Promise.all([
    said(systemctl, ["show", name, `--property=${unitFacts}`]),
    said(systemctl, ["cat", name, "--no-pager"]),
  ]);
  return parts.every((part) => part === null) ? null : parts.map((part) => part ?? "").join("\n");
}

/** What a program prints; null where it fails or prints nothing. */
async function said(program: string, args: readonly string[]): Promise<string | null> {
  const bounds = { timeout: sayingMs, killSignal: "SIGKILL", maxBuffer: mostSaidBytes } as const;
  return run(program, [...args], { ...bounds, env: { ...process.env, LC_ALL: "C" } }).then(
    ({ stdout }) => (stdout.trim() === "" ? null : stdout),
    () => null,
  );
}

/** By /proc/self/mountinfo (proc(5)). */
async function mounts(root: string): Promise<readonly Mount[]> {
  const text = await readFile(`${root}/proc/self/mountinfo`, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [, , , , at = "", options = ""] = left.split(" ");
    const [type = "", device = "", more = ""] = right.split(" ");
    const point = at.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    return point === "" ? [] : [{ point, type, device, options: `${options},${more}`.split(",") }];
  });
}

/** The file system that a path is on; the deepest mount point counts. */
async function mountOf(root: string, path: string): Promise<Mount | null> {
  const around = (await mounts(root)).filter(({ point }) => path === point || point === "/" || path.startsWith(`${point}/`));
  return around.reduce<Mount | null>((best, mount) => (best === null || mount.point.length >= best.point.length ? mount : best), null);
}

type SmartJson = {
  readonly smart_status?: { readonly passed?: boolean };
  readonly ata_smart_attributes?: { readonly table?: readonly { readonly id: number; readonly raw?: { readonly value?: number } }[] };
  readonly nvme_smart_health_information_log?: {
    readonly critical_warning?: number;
    readonly media_errors?: number;
    readonly percentage_used?: number;
  };
  /** Of ATA and SCSI flash, since smartmontools 7.4. */
  readonly endurance_used?: { readonly current_percent?: number };
  readonly temperature?: { readonly current?: number };
  readonly smartctl?: { readonly messages?: readonly { readonly string?: string }[] };
};

/** Reallocated, pending and uncorrectable sectors: what a disk that dies slowly counts first. */
const sectorAttributes = [5, 197, 198];

async function smart(smartctl: string, device: string): Promise<Smart> {
  const known = await stat(smartctl).catch(() => null);
  if (known === null) return { kind: "unsupported", detail: "smartctl is not installed: apt-get install smartmontools" };
  const args = ["--json", "--nocheck=standby", "-H", "-A"];
  const first = await askSmart(smartctl, [...args, device]);
  // A USB bridge that smartctl does not know usually passes the disk's own language on.
  const isBridge = first.kind === "unsupported" && /USB bridge|-d option/.test(first.detail);
  return isBridge ? askSmart(smartctl, [...args, "-d", "sat", device]) : first;
}

/** A question that hangs in the kernel cannot be ended by any signal: it is left alone then. */
async function askSmart(smartctl: string, args: readonly string[]): Promise<Smart> {
  const answer = await within(printed(smartctl, args), smartMs).catch(() => null);
  if (answer === null) return { kind: "unknown", detail: `smartctl did not answer within ${smartMs / 1_000} s` };
  return readSmart(answer);
}

function printed(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const bounds = { timeout: smartMs, killSignal: "SIGKILL", maxBuffer: mostOutputBytes } as const;
    // smartctl's exit code is a bit field: what it printed counts.
    execFile(program, [...args], bounds, (error, stdout) => (error?.killed === true ? reject(error) : resolve(stdout)));
  });
}

function readSmart(text: string): Smart {
  try {
    const told = JSON.parse(text) as SmartJson;
    const { smart_status, ata_smart_attributes, nvme_smart_health_information_log: nvme, smartctl } = told;
    const badSectors = (ata_smart_attributes?.table ?? [])
      .filter(({ id }) => sectorAttributes.includes(id))
      .reduce((sum, { raw }) => sum + (raw?.value ?? 0), nvme?.media_errors ?? 0);
    const passed = smart_status?.passed;
    const detail = smartctl?.messages?.[0]?.string ?? "the disk tells nothing";
    if (passed === undefined) return { kind: /STANDBY|SLEEP/.test(detail) ? "unknown" : "unsupported", detail };
    return {
      ...{ kind: "told", passed: passed && (nvme?.critical_warning ?? 0) === 0, badSectors },
      wornPercent: nvme?.percentage_used ?? told.endurance_used?.current_percent ?? null,
      temperatureC: told.temperature?.current ?? null,
    };
  } catch {
    return { kind: "unknown", detail: "smartctl printed nothing that can be read" };
  }
}

/** `throttled=0x50005` (Raspberry Pi documentation, vcgencmd). */
async function throttled(vcgencmd: string): Promise<number | null> {
  const text = await run(vcgencmd, ["get_throttled"], { timeout: systemctlMs, killSignal: "SIGKILL" }).then(
    ({ stdout }) => stdout,
    () => "",
  );
  const bits = /^throttled=0x([0-9a-f]{1,8})$/im.exec(text.trim())?.[1];
  return bits === undefined ? null : Number.parseInt(bits, 16);
}

/** TCP ports on which somebody beyond this machine is let in, by /proc/net/tcp: state 0A, not loopback. */
async function listening(root: string): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (const name of ["tcp", "tcp6"]) {
    const text = await readFile(`${root}/proc/net/${name}`, "latin1").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      const [, local = "", , state] = line.trim().split(/\s+/);
      const [address = "", port = ""] = local.split(":");
      const isLoopback = address.endsWith("7F") && address.length === 8;
      const isLoopback6 = /^0{24}01000000$/.test(address) || /^0{16}FFFF0000[0-9A-F]{6}7F$/.test(address);
      if (state === "0A" && !isLoopback && !isLoopback6) ports.add(Number.parseInt(port, 16));
    }
  }
  return [...ports].sort((a, b) => a - b);
}

/** The Raspberry Pi's own alarm (hwmon `rpi_volt`, in0_lcrit_alarm); null where there is none. */
async function hasUnderVoltage(root: string): Promise<boolean | null> {
  const folder = `${root}/sys/class/hwmon`;
  for (const name of await readdir(folder).catch(() => [])) {
    const kind = await readFile(`${folder}/${name}/name`, "utf8").catch(() => "");
    if (kind.trim() !== "rpi_volt") continue;
    const alarm = await readFile(`${folder}/${name}/in0_lcrit_alarm`, "utf8").catch(() => null);
    return alarm === null ? null : alarm.trim() === "1";
  }
  return null;
}

/** Name, port, and with `tls` the certificate: the first that fails is the answer. */
async function door(
  { host, port, tls }: { readonly host: string; readonly port: number; readonly tls: Credentials | null },
  timeoutMs: number,
): Promise<Door> {
  try {
    if (isIP(host) === 0) await within(lookup(host), timeoutMs);
  } catch (error) {
    return { kind: "no-name", detail: reasonOf(error) };
  }
  try {
    await opens(connectTcp({ host, port }), "connect", timeoutMs);
  } catch (error) {
    return { kind: "no-port", detail: reasonOf(error) };
  }
  if (tls === null) return { kind: "open", certificateEndsAt: null };
  try {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = connectTls({ host, port, ca: tls.ca ?? undefined, cert: tls.cert ?? undefined, key: tls.key ?? undefined, ...name });
    let endsAt: number | null = null;
    socket.once("secureConnect", () => {
      const ends = Date.parse(socket.getPeerCertificate().valid_to);
      endsAt = Number.isNaN(ends) ? null : ends;
    });
    await opens(socket, "secureConnect", timeoutMs);
    return { kind: "open", certificateEndsAt: endsAt };
  } catch (error) {
    return { kind: "no-trust", detail: reasonOf(error) };
  }
}

function opens(socket: Socket, event: string, timeoutMs: number): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => end(new Error("no answer")), timeoutMs);
    const end = (error: Error | null) => {
      clearTimeout(late);
      socket.destroy();
      if (error === null) resolve();
      else reject(error);
    };
    socket.on("error", end);
    socket.once(event, () => end(null));
  });
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? (message.split("\n")[0] ?? "") : code;
}
