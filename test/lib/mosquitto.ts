/** Debian's Mosquitto as a process of ours, on loopback, with its data in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort, tempFolder } from "./temp.ts";

export type Mosquitto = {
  readonly port: number;
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL, as a power cut of the station. */
  kill(): Promise<void>;
  /** Takes its data away while it is stopped, as with another disk. */
  forget(): void;
  /** SIGSTOP and SIGCONT: a broker that hangs. */
  hang(on: boolean): void;
};

/** `lines` are added to the configuration of its one listener, on loopback. */
export async function startMosquitto(
  options: { readonly port?: number; readonly scheme?: "mqtt" | "mqtts"; readonly lines?: readonly string[] } = {},
): Promise<Mosquitto> {
  const folder = tempFolder("broker");
  const port = options.port ?? (await freePort());
  mkdirSync(join(folder, "data"));
  const lines = options.lines ?? ["allow_anonymous true"];
  const conf = [
    `listener ${port} 127.0.0.1`,
    "persistence true",
    `persistence_location ${folder}/data/`,
    "user root",
    "max_queued_messages 100000",
    ...lines,
  ];
  writeFileSync(join(folder, "mosquitto.conf"), `${conf.join("\n")}\n`);
  let child: ChildProcess | null = null;
  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null) return;
    await new Promise<void>((resolve) => {
      ending.once("exit", () => resolve());
      ending.kill(signal);
    });
  };
  const start = async () => {
    child = spawn("/usr/sbin/mosquitto", ["-c", join(folder, "mosquitto.conf")], { stdio: "ignore" });
    await answering(port);
  };
  await start();
  return {
    ...{ port, url: `${options.scheme ?? "mqtt"}://127.0.0.1:${port}`, start },
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    forget: () => rmSync(join(folder, "data/mosquitto.db"), { force: true }),
    hang: (on) => void child?.kill(on ? "SIGSTOP" : "SIGCONT"),
  };
}

async function answering(port: number): Promise<void> {
  for (let i = 0; i < 200; i += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("mosquitto does not listen");
}
