/**
 * One agent to a footage folder, also where several run side by side with states of their own: a second one would take the first one's open
 * files for torn ones. Held by an abstract socket, which the kernel drops with its process however that ends, and which needs no writable disk.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { createServer } from "node:net";

/** Occupies `folder` in this network namespace. Gives the way to leave it; null where another process is in it. */
export async function occupy(folder: string): Promise<(() => void) | null> {
  const server = createServer((socket) => socket.destroy());
  // Never a reason to stay alive.
  server.unref();
  const isFree = await new Promise<boolean>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
    server.listen(`\0matghi-${nameOf(folder)}`, () => resolve(true));
  });
  return isFree ? () => void server.close() : null;
}

/** A folder reached by two paths is one; one whose disk is not there yet is known by its path. */
function nameOf(folder: string): string {
  let real = folder;
  try {
    real = realpathSync(folder);
  } catch {}
  return createHash("sha256").update(real).digest("hex").slice(0, 32);
}
