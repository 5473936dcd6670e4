/** Debian's Mosquitto as a process of ours, on loopback, with its data in a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort, tempFolder } from "./temp.ts";

export type Mosquitto = {
  readonly port: number;
  readonly url: string;
  /** Where the station's board is served; null without one. */
  readonly board: string | null;
  /** Its file, once it has stopped. */
  readonly database: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL, as a power cut of the station. */
  kill(): Promise<void>;
  /** Takes its data away while it is stopped, as with another disk. */
  forget(): void;
  /** SIGSTOP and SIGCONT: a broker that hangs. */
  hang(on: boolean): void;
};

/**
 * The station's board: its built page, what `station.json` beside it says, and the officer who may log in. Debian 12's Mosquitto serves
 * websockets on every interface whatever is asked of it, so nobody gets in without the password.
 */
export type BoardOptions = {
  readonly page: string;
  readonly config: { readonly commune: string; readonly name?: string };
  readonly officer: { readonly user: string; readonly password: string };
};

/** `lines` are added to the configuration of its listener for sites, on loopback. */
export async function startMosquitto(
  options: {
    readonly port?: number;
    readonly scheme?: "mqtt" | "mqtts";
    readonly lines?: readonly string[];
    readonly board?: BoardOptions;
  } = {},
): Promise<Mosquitto> {
  const folder = tempFolder("broker");
  const port = options.port ?? (await freePort());
  mkdirSync(join(folder, "data"));
  const lines = options.lines ?? ["allow_anonymous true"];
  const boardPort = options.board === undefined ? null : await freePort();
  const conf = [
    ...(boardPort === null ? [] : ["per_listener_settings true"]),
    `listener ${port} 127.0.0.1`,
    "persistence true",
    `persistence_location ${folder}/data/`,
    "user root",
    "max_queued_messages 100000",
    ...lines,
    ...(options.board === undefined ? [] : boardLines(folder, boardPort ?? 0, options.board)),
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
    database: join(folder, "data/mosquitto.db"),
    ...{ port, url: `${options.scheme ?? "mqtt"}://127.0.0.1:${port}`, start },
    board: boardPort === null ? null : `http://127.0.0.1:${boardPort}/`,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    forget: () => rmSync(join(folder, "data/mosquitto.db"), { force: true }),
    hang: (on) => void child?.kill(on ? "SIGSTOP" : "SIGCONT"),
  };
}

/** A websockets listener that serves the page, with one officer who reads all and writes what an officer may. */
function boardLines(folder: string, port: number, { page, config, officer }: BoardOptions): readonly string[] {
  const [pages, passwords, rights] = [join(folder, "www"), join(folder, "passwords"), join(folder, "rights")];
  mkdirSync(pages);
  copyFileSync(page, join(pages, "index.html"));
  writeFileSync(join(pages, "station.json"), JSON.stringify(config));
  writeFileSync(passwords, `${officer.user}:${officer.password}\n`, { mode: 0o600 });
  execFileSync("mosquitto_passwd", ["-U", passwords]);
  const written = ["station/note", "station/answered", "to/+/officer"].map((topic) => `topic readwrite matghi/v1/+/${topic}/#`);
  writeFileSync(rights, [`user ${officer.user}`, "topic read matghi/v1/#", ...written, ""].join("\n"), { mode: 0o600 });
  return [
    ...[`listener ${port} 127.0.0.1`, "protocol websockets", `http_dir ${pages}`],
    ...["allow_anonymous false", `password_file ${passwords}`, `acl_file ${rights}`],
  ];
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
