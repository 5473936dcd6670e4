/** Asks the system to go off: by a file that systemd watches (systemd/matghi-poweroff.path), since the agent itself may do nothing of the kind. */
import { rmSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Shutdown } from "./ports.ts";

/** `path`: the watched file. What is left of an earlier boot is no request. */
export function makeShutdown(path: string): Shutdown {
  rmSync(path, { force: true });
  return {
    ask: async () => {
      try {
        const file = await open(path, "w", 0o600);
        await file.writeFile("the battery is nearly empty\n").finally(() => file.close());
        return null;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? String(error);
      }
    },
  };
}
