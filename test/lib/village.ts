/**
 * A village in network namespaces: the recorder box and every house hang on one switch, each by a cable of its own that can be pulled.
 * A pulled cable is silence, as from a place without power: no connection hears of an end. Needs root.
 */
import { execFileSync } from "node:child_process";

export type Village = {
  /** Before a command that should run on the box. */
  readonly box: readonly string[];
  /** A place on the switch: its address, and what stands before a command that runs there. It answers pings by itself. */
  place(name: string): Place;
  /** Pulls or plugs the cables of some places, in one moment as far as anybody can see. `box` is the box's own cable. */
  pull(names: readonly string[]): void;
  plug(names: readonly string[]): void;
  remove(): void;
};
export type Place = { readonly address: string; readonly inside: readonly string[] };

const boxName = "box";
const run = (command: string, ...args: readonly string[]) => void execFileSync(command, [...args], { stdio: ["ignore", "ignore", "pipe"] });

/** The box and the places named (12 letters at most), every one with an address of 10.78.0.0/24, which only these namespaces see. */
export function makeVillage(names: readonly string[]): Village {
  const everyone = [boxName, ...names];
  const spaceOf = (name: string) => `mg${process.pid}-${name}`;
  const inside = (name: string) => ["ip", "netns", "exec", spaceOf(name)];
  const at = (name: string, ...command: readonly string[]) => run("ip", "netns", "exec", spaceOf(name), ...command);
  const addressOf = (name: string) => `10.78.0.${everyone.indexOf(name) + 1}`;
  const turn = (cables: readonly string[], state: "up" | "down") =>
    at("switch", "sh", "-c", cables.map((name) => `ip link set to-${name} ${state}`).join("; "));
  run("ip", "netns", "add", spaceOf("switch"));
  at("switch", "ip", "link", "add", "ports", "type", "bridge");
  at("switch", "ip", "link", "set", "ports", "up");
  for (const name of everyone) {
    run("ip", "netns", "add", spaceOf(name));
    at("switch", "ip", "link", "add", `to-${name}`, "type", "veth", "peer", "name", "eth0", "netns", spaceOf(name));
    at("switch", "ip", "link", "set", `to-${name}`, "master", "ports", "up");
    at(name, "ip", "addr", "add", `${addressOf(name)}/24`, "dev", "eth0");
    for (const device of ["lo", "eth0"]) at(name, "ip", "link", "set", device, "up");
  }
  // Debian allows everybody to ping; a new namespace allows nobody.
  at(boxName, "sh", "-c", "echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range");
  return {
    box: inside(boxName),
    place: (name) => ({ address: addressOf(name), inside: inside(name) }),
    pull: (cables) => turn(cables, "down"),
    plug: (cables) => turn(cables, "up"),
    remove: () => {
      for (const name of [...everyone, "switch"]) run("ip", "netns", "delete", spaceOf(name));
    },
  };
}
