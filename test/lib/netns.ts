/** A network of its own beside this machine's: what runs in it can fall silent without a word. Needs root. */
import { execFileSync } from "node:child_process";

export type Network = {
  /** Address of what runs inside. */
  readonly address: string;
  /** Address of this machine on the way there, and its end of the cable. */
  readonly ours: string;
  readonly cable: string;
  /** Before a command that should run inside. */
  readonly inside: readonly string[];
  /** Drops every packet, so that no connection ever hears of an end. */
  vanish(): void;
  appear(): void;
  /** Every packet that leaves there is lost with this chance. `heal` ends it. */
  lose(percent: number): void;
  /** Packets that `lose` took so far. */
  lost(): number;
  /** What leaves there passes a pipe of so many kilobits a second. `heal` ends it. */
  starve(kilobits: number): void;
  heal(): void;
  remove(): void;
};

const ip = (...args: readonly string[]) => void execFileSync("ip", [...args], { stdio: ["ignore", "ignore", "pipe"] });

const nft = (...args: readonly string[]) => execFileSync("nft", [...args], { encoding: "utf8" });

/** `number` tells networks of one process apart. */
export function makeNetwork(number: number): Network {
  const name = `mg${process.pid}n${number}`;
  const [here, there] = [`mg${process.pid % 100_000}h${number}`, `mg${process.pid % 100_000}t${number}`];
  const subnet = `198.18.${process.pid % 250}.${number * 4}`.replace(/\.\d+$/, "");
  const [ours, address] = [`${subnet}.${number * 4 + 1}`, `${subnet}.${number * 4 + 2}`];
  /** Our own rules for this cable, whether there are any or not. */
  const forget = `add table netdev ${here}; delete table netdev ${here}`;
  ip("netns", "add", name);
  ip("link", "add", here, "type", "veth", "peer", "name", there);
  ip("link", "set", there, "netns", name);
  ip("addr", "add", `${ours}/30`, "dev", here);
  ip("link", "set", here, "up");
  const inside = ["ip", "netns", "exec", name];
  const run = (...args: readonly string[]) =>
    void execFileSync("ip", ["netns", "exec", name, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  run("ip", "addr", "add", `${address}/30`, "dev", there);
  run("ip", "link", "set", there, "up");
  run("ip", "link", "set", "lo", "up");
  return {
    ...{ address, ours, cable: here, inside },
    vanish: () =>
      run(
        "nft",
        "add table inet gone; add chain inet gone in { type filter hook input priority 0; policy drop; }; add chain inet gone out { type filter hook output priority 0; policy drop; }",
      ),
    appear: () => run("nft", "delete", "table", "inet", "gone"),
    // Where it comes in, on our end of the cable: a packet that is dropped where it is sent is no loss, its sender knows of it.
    lose: (percent) =>
      nft(
        `add table netdev ${here}; add chain netdev ${here} in { type filter hook ingress device ${here} priority 0; }; add rule netdev ${here} in numgen random mod 100 < ${percent} counter drop`,
      ),
    lost: () => {
      const rules = nft("list", "table", "netdev", here);
      return Number(/packets (\d+)/.exec(rules)?.[1] ?? 0);
    },
    starve: (kilobits) =>
      run("tc", "qdisc", "replace", "dev", there, "root", "tbf", "rate", `${kilobits}kbit`, "burst", "8kb", "latency", "400ms"),
    heal: () => {
      run("sh", "-c", `tc qdisc del dev ${there} root 2>/dev/null || true`);
      nft(forget);
    },
    remove: () => {
      nft(forget);
      ip("link", "delete", here);
      ip("netns", "delete", name);
    },
  };
}
