/**
 * An internet of network namespaces: machines with processes, mounts and names of their own, and household routers before them that let
 * nobody in. Each machine has its own `/etc/wireguard` and `/etc/hosts`. Needs root.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "./temp.ts";

export type Machine = {
  readonly name: string;
  /** Before a command that should run there. */
  readonly inside: readonly string[];
  readonly pid: number;
  /** Runs to its end; throws with what it said where it fails. */
  run(...command: readonly string[]): string;
  start(...command: readonly string[]): ChildProcess;
  /** What `/etc/hosts` says from now on. */
  names(lines: readonly string[]): void;
  remove(): void;
};

const script =
  'mkdir -p /run/wireguard /etc/wireguard && mount -t tmpfs none /run/wireguard && mount -t tmpfs -o mode=700 none /etc/wireguard && mount --bind "$0" /etc/hosts && mount --bind /dev/null /etc/resolv.conf && ip link set lo up && echo ready && exec sleep infinity';

export async function makeMachine(name: string): Promise<Machine> {
  const hosts = join(tempFolder("hosts"), "hosts");
  writeFileSync(hosts, "127.0.0.1 localhost\n");
  const apart = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const holder = spawn("unshare", [...apart, "sh", "-c", script, hosts], { stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => void holder.kill("SIGKILL"));
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once("data", () => resolve());
    holder.once("exit", (code) => reject(new Error(`no namespace for ${name}: ${code}`)));
  });
  const pid = Number(readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8").trim());
  const inside = ["nsenter", "-t", String(pid), "-n", "-m", "-p"];
  const [enter = "", ...into] = inside;
  return {
    ...{ name, inside, pid },
    run: (...command) =>
      execFileSync(enter, [...into, ...command], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 }),
    start: (...command) => spawn(enter, [...into, ...command], { stdio: "ignore" }),
    // In place: another file would not be the one that is mounted.
    names: (lines) => writeFileSync(hosts, ["127.0.0.1 localhost", ...lines, ""].join("\n")),
    remove: () => void holder.kill("SIGKILL"),
  };
}

/** One bridge, on which all public addresses are neighbours. */
export async function makeInternet(): Promise<Machine> {
  const internet = await makeMachine("internet");
  internet.run("ip", "link", "add", "bridge", "type", "bridge");
  internet.run("ip", "link", "set", "bridge", "up");
  return internet;
}

let cables = 0;

/** A cable between two machines; each end has its name there. */
export function wire(from: Machine, fromEnd: string, to: Machine, toEnd: string): void {
  cables += 1;
  const [a, b] = [`mg${process.pid % 10_000}a${cables}`, `mg${process.pid % 10_000}b${cables}`];
  execFileSync("ip", ["link", "add", a, "netns", String(from.pid), "type", "veth", "peer", "name", b, "netns", String(to.pid)]);
  for (const [machine, name, end] of [
    [from, a, fromEnd],
    [to, b, toEnd],
  ] as const) {
    machine.run("ip", "link", "set", name, "name", end);
    machine.run("ip", "link", "set", end, "up");
  }
}

/** Gives a machine a public address. */
export function connect(internet: Machine, machine: Machine, address: string): void {
  const port = `port${cables}`;
  wire(internet, port, machine, "eth0");
  internet.run("ip", "link", "set", port, "master", "bridge");
  machine.run("ip", "addr", "add", `${address}/24`, "dev", "eth0");
}

const homeAddress = "192.168.1.2";

/** A household's or an office's router: everybody inside goes out under its one address, nobody comes in but by `forwarded`, a UDP port. */
export async function makeHome(internet: Machine, machine: Machine, address: string, forwarded?: number): Promise<Machine> {
  const router = await makeMachine(`router of ${machine.name}`);
  connect(internet, router, address);
  wire(router, "home", machine, "eth0");
  router.run("ip", "addr", "add", "192.168.1.1/24", "dev", "home");
  machine.run("ip", "addr", "add", `${homeAddress}/24`, "dev", "eth0");
  machine.run("ip", "route", "add", "default", "via", "192.168.1.1");
  router.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
  const into = forwarded === undefined ? "" : `iifname "eth0" udp dport ${forwarded} dnat to ${homeAddress}`;
  router.run(
    "nft",
    `table ip home {
      chain in { type nat hook prerouting priority dstnat; ${into}
      }
      chain out { type nat hook postrouting priority srcnat; oifname "eth0" masquerade
      }
      chain through { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname "home" accept; ct status dnat accept
      }
    }`,
  );
  return router;
}

/** Does anybody take a TCP connection there? A port that drops says nothing: two seconds of silence are closed. */
export function reaches(machine: Machine, address: string, port: number): boolean {
  try {
    machine.run("timeout", "2", "bash", "-c", `exec 3<>/dev/tcp/${address}/${port}`);
    return true;
  } catch {
    return false;
  }
}

/** Listens on TCP ports of every address, until the machine is removed. */
export async function listenOn(machine: Machine, ...ports: readonly number[]): Promise<void> {
  const listen = ports.map((port) => `require("net").createServer((s)=>s.on("error",()=>{})).listen(${port})`).join(";");
  machine.start(process.execPath, "-e", listen);
  for (const port of ports)
    for (let tries = 0; !reaches(machine, "127.0.0.1", port); tries += 1) {
      if (tries > 50) throw new Error(`${machine.name} does not listen on ${port}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

/** Why no WireGuard interface can be made here; null: one can, by the kernel or by Debian's wireguard-go. */
export function tunnelObstacle(): string | null {
  const trial =
    "ip link add probe type wireguard 2>/dev/null || { mkdir -p /run/wireguard && mount -t tmpfs none /run/wireguard && wireguard-go probe; }";
  try {
    execFileSync("unshare", ["--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", `${trial} && wg show probe`], {
      stdio: "pipe",
    });
    return null;
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr ?? error).trim() || String(error);
  }
}
