/**
 * Set up before the suites that `runSuite` runs: each figure is written down beside the test that printed it, which standard output does not
 * tell. Of tests that run at once in one file it may name another.
 */
import { appendFileSync } from "node:fs";
import { expect } from "vitest";

const file = process.env.MATGHI_FIGURES;
const write = process.stdout.write.bind(process.stdout);

if (file !== undefined)
  process.stdout.write = ((...args: Parameters<typeof write>) => {
    const test = expect.getState().currentTestName ?? "";
    for (const line of String(args[0]).split("\n"))
      if (/^(figure|fuzz|soak): /.test(line)) appendFileSync(file, `${JSON.stringify({ test, line })}\n`);
    return write(...args);
  }) as typeof process.stdout.write;
