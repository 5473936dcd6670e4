/** A line to a TCP server that can fall silent in both directions without a word, as behind a NAT that has forgotten it. */
import { connect, createServer, type Socket } from "node:net";

export type Wire = {
  readonly port: number;
  /** Holds every byte of the connections that stand, for ever; new ones pass. Neither end hears of it. */
  halfOpen(): void;
  /** Takes nothing and gives nothing, to new ones too, until `mend`. */
  blackHole(): void;
  mend(): void;
  /** Connections that were made so far. */
  made(): number;
  close(): void;
};

export async function makeWire(target: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  const held = new Set<Socket>();
  let isDark = false;
  let count = 0;
  const server = createServer((near) => {
    count += 1;
    const far = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => undefined);
      from.on("data", (data) => {
        if (!held.has(from)) to.write(data);
      });
      from.on("close", () => {
        sockets.delete(from);
        if (!held.has(from)) to.destroy();
      });
      if (isDark) held.add(from);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const hold = () => {
    for (const socket of sockets) held.add(socket);
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    halfOpen: hold,
    blackHole: () => {
      isDark = true;
      hold();
    },
    mend: () => {
      isDark = false;
    },
    made: () => count,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
