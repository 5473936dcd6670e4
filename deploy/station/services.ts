/** Broker and nginx of a station in a folder, as processes of ours: for try and tests. On an installed one systemd starts them alike. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type Guarded, guardDatabase } from "./guard.ts";
import { readRegister } from "./keep.ts";
import { filesOf, type Place } from "./place.ts";

export type Services = {
  /** What the guard found before this start. */
  readonly guarded: Guarded;
  stop(): Promise<void>;
  /** SIGKILL to the broker alone, as a power cut; resolves when it is gone. */
  killBroker(): Promise<void>;
  startBroker(): Promise<Guarded>;
};

const patienceMs = 20_000;

export async function startServices(place: Place): Promise<Services> {
  const register = readRegister(place);
  if (register === null) throw new Error(`no station in ${place.etc}`);
  const files = filesOf(place);
  for (const folder of [place.run, place.webRun]) mkdirSync(folder, { recursive: true });
  let broker: ChildProcess | null = null;
  const startBroker = async () => {
    const guarded = await guardDatabase(files.database);
    broker = start(place, "/usr/sbin/mosquitto", ["-c", files.brokerConfiguration]);
    await Promise.all([register.ports.mqtts, register.ports.websocket].map(opened));
    return guarded;
  };
  const guarded = await startBroker();
  const web = start(place, "/usr/sbin/nginx", ["-e", "stderr", "-c", files.webConfiguration]);
  await opened(register.ports.https);
  return {
    ...{ guarded, startBroker },
    killBroker: () => ended(broker, "SIGKILL"),
    stop: async () => void (await Promise.all([ended(broker, "SIGTERM"), ended(web, "SIGTERM")])),
  };
}

function start(place: Place, command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  const dieWithUs = () => void child.kill("SIGTERM");
  process.once("exit", dieWithUs);
  child.once("exit", () => process.off("exit", dieWithUs));
  child.stderr?.pipe(createWriteStream(join(place.run, "log"), { flags: "a" }));
  return child;
}

function ended(child: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill(signal);
  });
}

/** Resolves once somebody listens at a port of loopback. */
export async function opened(port: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await answers("127.0.0.1", port))) {
    if (Date.now() > deadline) throw new Error(`nobody listens at port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Does anybody take a TCP connection there? */
export function answers(host: string, port: number, timeoutMs = 2_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(timeoutMs, () => done(false));
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}
