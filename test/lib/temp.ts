/** Temporary folders that go with the process, and free ports. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function tempFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), `matghi-${prefix}-`));
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
