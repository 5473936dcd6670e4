/** A UPS of a file, its driver and its server, as Debian ships them (nut-server). */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, tempFolder } from "./temp.ts";

export type Ups = {
  readonly port: number;
  /** `ups.status` from now on: OL, OB DISCHRG, OB LB … */
  set(status: string): void;
  readonly driver: ChildProcess;
  readonly server: ChildProcess;
  stop(): void;
};

/** Starts it on mains; its server answers a moment later. */
export async function runUps(): Promise<Ups> {
  const [folder, port] = [tempFolder("nut"), await freePort()];
  const set = (status: string) => {
    writeFileSync(join(folder, "new"), `ups.status: ${status}\nbattery.charge: 83\nbattery.runtime: 1240\n`);
    renameSync(join(folder, "new"), join(folder, "ups.dev"));
  };
  set("OL");
  writeFileSync(
    join(folder, "ups.conf"),
    `maxretry = 3\n[ups]\n driver = dummy-ups\n port = ${join(folder, "ups.dev")}\n desc = "a file"\n mode = dummy-loop\n pollinterval = 1\n`,
  );
  writeFileSync(join(folder, "upsd.conf"), `LISTEN 127.0.0.1 ${port}\nSTATEPATH ${folder}\nMAXAGE 2\n`);
  writeFileSync(join(folder, "upsd.users"), "");
  chmodSync(folder, 0o700);
  const env = { ...process.env, NUT_CONFPATH: folder, NUT_STATEPATH: folder, NUT_ALTPIDPATH: folder };
  const run = (file: string, args: readonly string[]) => spawn(file, [...args], { env, stdio: "ignore" });
  const driver = run("/lib/nut/dummy-ups", ["-a", "ups", "-u", "root", "-F"]);
  const server = run("/lib/nut/upsd", ["-u", "root", "-F"]);
  const stop = () => void [driver, server].map((child) => child.kill("SIGKILL"));
  process.once("exit", stop);
  return { port, set, driver, server, stop };
}
