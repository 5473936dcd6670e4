/** Starts the simulated cameras of test/cameras as a process of ours. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./temp.ts";

export type Cameras = {
  readonly port: number;
  readonly pid: number;
  url(name: string): string;
  /** `stall NAME S`, `mute NAME S`, `freeze NAME S`, `reboot S`; resolves when the cameras have taken it. */
  control(command: string): Promise<void>;
  stop(): Promise<void>;
};

/** The checkout, from the sources as from what is built of them. */
export const repository: string = existsSync(join(import.meta.dirname, "../../package.json"))
  ? join(import.meta.dirname, "../..")
  : join(import.meta.dirname, "../../..");

export async function startCameras(
  options: {
    readonly count?: number;
    readonly digest?: string;
    readonly seconds?: number;
    readonly port?: number;
    /** In a network of their own, without commands. */
    readonly network?: { readonly address: string; readonly inside: readonly string[] };
  } = {},
): Promise<Cameras> {
  const videos = join(repository, ".cache/videos");
  execFileSync(join(repository, "test/cameras/make-videos"), [videos], { stdio: ["ignore", "ignore", "inherit"] });
  const port = options.port ?? (await freePort());
  const control = await freePort();
  const digest = options.digest === undefined ? [] : ["--digest", options.digest];
  const seconds = ["--seconds", String(options.seconds ?? 600)];
  const { inside = [], address = "127.0.0.1" } = options.network ?? {};
  const [command = "", ...args] = [
    ...inside,
    "/usr/bin/python3",
    ...[
      join(repository, "test/cameras/cameras.py"),
      "--port",
      String(port),
      "--n",
      String(options.count ?? 4),
      "--src",
      videos,
      "--control",
      String(control),
      "--bind",
      address,
      ...seconds,
      ...digest,
    ],
  ];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  await ready(child);
  return {
    port,
    pid: child.pid ?? 0,
    url: (name) => `rtsp://${address}:${port}/${name}`,
    control: (command) => tell(control, command),
    stop: () => ended(child),
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("the cameras do not start within 60 s")), 60_000);
    child.once("exit", (code) => reject(new Error(`the cameras ended with ${code}`)));
    child.stdout?.on("data", (data: Buffer) => {
      if (!String(data).includes("ready")) return;
      clearTimeout(late);
      resolve();
    });
  });
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

function tell(port: number, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    const late = setTimeout(() => reject(new Error(`no answer to ${command}`)), 10_000);
    socket.once("message", (answer) => {
      clearTimeout(late);
      socket.close();
      if (String(answer) === "ok") resolve();
      else reject(new Error(`${command}: ${answer}`));
    });
    socket.send(command, port, "127.0.0.1");
  });
}
