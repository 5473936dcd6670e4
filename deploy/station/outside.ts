/** Seen from outside: a network namespace with a cable to this machine knocks at its ports. Needs root. */
import { execFileSync } from "node:child_process";

const name = "matghi-check";
const [ours, theirs] = ["198.18.255.253", "198.18.255.254"] as const;

export type Outside = { readonly kind: "seen"; readonly open: readonly number[] } | { readonly kind: "blind"; readonly why: string };

/** Which of the ports take a TCP connection from outside. */
export function portsOpenOutside(ports: readonly number[]): Outside {
  const ip = (...args: readonly string[]) => void execFileSync("ip", [...args], { stdio: ["ignore", "ignore", "pipe"] });
  const [here, there] = ["matghi-chk0", "matghi-chk1"];
  try {
    removeQuietly(ip, here);
    ip("netns", "add", name);
    ip("link", "add", here, "type", "veth", "peer", "name", there);
    ip("link", "set", there, "netns", name);
    ip("addr", "add", `${ours}/30`, "dev", here);
    ip("link", "set", here, "up");
    ip("-n", name, "addr", "add", `${theirs}/30`, "dev", there);
    ip("-n", name, "link", "set", there, "up");
    return { kind: "seen", open: ports.filter((port) => knock(port)) };
  } catch (error) {
    return { kind: "blind", why: String((error as { stderr?: unknown }).stderr ?? error).trim() };
  } finally {
    removeQuietly(ip, here);
  }
}

/** A port that drops says nothing at all: two seconds of silence are closed. */
function knock(port: number): boolean {
  const script = `const s=require("net").connect(${port},"${ours}");s.setTimeout(2000,()=>process.exit(1));s.on("connect",()=>process.exit(0));s.on("error",()=>process.exit(1))`;
  try {
    execFileSync("ip", ["netns", "exec", name, process.execPath, "-e", script], { stdio: "ignore" });
    return true;
  } catch (error) {
    if ((error as { status?: unknown }).status === 1) return false;
    throw error;
  }
}

function removeQuietly(ip: (...args: readonly string[]) => void, here: string): void {
  for (const args of [
    ["link", "delete", here],
    ["netns", "delete", name],
  ])
    try {
      ip(...args);
    } catch {
      // Not there.
    }
}
