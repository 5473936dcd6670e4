/** Small shell programs in the place of the system's own. */
import { writeFileSync } from "node:fs";

/** Writes an executable shell script and returns its path. */
export function writeProgram(path: string, lines: readonly string[]): string {
  writeFileSync(path, `#!/bin/sh\n${lines.join("\n")}\n`, { mode: 0o755 });
  return path;
}
