/** A TCP port that opens, inside a network: what stands for a camera that speaks no ONVIF. */
import { spawn } from "node:child_process";
import { once } from "node:events";

const listening = (address: string, port: number) =>
  `require("node:net").createServer((socket) => socket.on("error", () => {}).end()).listen(${port}, "${address}", () => console.log("ready"))`;

/** Opens it; resolves with how to close it. */
export async function startCameraDoor(inside: readonly string[], address: string, port: number): Promise<() => Promise<void>> {
  const [command = "", ...args] = [...inside, process.execPath, "-e", listening(address, port)];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const dieWithUs = () => void child.kill("SIGKILL");
  process.once("exit", dieWithUs);
  await once(child.stdout, "data");
  return async () => {
    process.off("exit", dieWithUs);
    child.kill("SIGKILL");
    await ended;
  };
}
