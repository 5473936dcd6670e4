/** Temporary folders that go with the process, and free ports. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** In memory where the system has such a place: for what does not ask whether it reached a disk. */
export const memoryFolder = (prefix: string): string => tempFolder(prefix, existsSync("/dev/shm") ? "/dev/shm" : tmpdir());

export function tempFolder(prefix: string, within: string = tmpdir()): string {
  const folder = mkdtempSync(join(within, `matghi-${prefix}-`));
  // One for each folder and process of a suite is no leak.
  process.setMaxListeners(0);
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A TCP port of loopback that nobody holds now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
