/** A service manager's ear: a unix datagram socket as systemd has it. */
import { spawn } from "node:child_process";

const ear = `
import socket, sys
to = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + to[1:] if to[0] == "@" else to)
print("ready", end="\\0", flush=True)
while True: print(s.recv(8192).decode(), end="\\0", flush=True)
`;

export type Notified = { heard(): readonly string[]; stop(): Promise<void> };

/** Listens at a path, or at an abstract address that begins with @. */
export async function listenNotify(socket: string): Promise<Notified> {
  const child = spawn("python3", ["-c", ear, socket], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let text = "";
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => reject(new Error(`nobody can listen at ${socket}`)));
    child.stdout.on("data", (data: Buffer) => {
      text += data;
      if (text.includes("\0")) resolve();
    });
  });
  return {
    heard: () => text.split("\0").slice(1, -1),
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
