/** `npm run fuzz -- [--seconds 120] [--seed N] [--only NAME]`: the laws of `test/fuzz/` on drawn cases, for so long in all. */
import { parseArgs } from "node:util";
import { joinedLine } from "../../agent/core/text.ts";
import { runSuite } from "./vitest.ts";

const usage = "usage: npm run fuzz -- [--seconds 120] [--seed N] [--only NAME]\n";

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { seconds: { type: "string", default: "120" }, seed: { type: "string" }, only: { type: "string" } },
  });
  const seconds = Number(values.seconds);
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
  if (!(seconds > 0 && Number.isFinite(seconds)) || !Number.isSafeInteger(seed))
    throw new Error("--seconds is a number above 0, --seed a whole one");
  const env = { MATGHI_FUZZ_SECONDS: String(seconds), MATGHI_FUZZ_SEED: String(seed), MATGHI_FUZZ_ONLY: values.only ?? "" };
  process.stdout.write(`fuzz: ${seconds} s in all, seed ${seed}\n`);
  const { passed, figures } = await runSuite("test/fuzz", { env, onLine: (line) => void process.stdout.write(`${line}\n`) });
  if (figures.length === 0) throw new Error(`no law is called ${values.only}`);
  return passed ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`fuzz: ${joinedLine(error instanceof Error ? error.message : String(error))}; ${usage}`);
  process.exitCode = 2;
}
