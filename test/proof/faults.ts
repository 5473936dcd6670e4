/**
 * `npm run faults [-- --only NAME,NAME] [--list]`: every fault of the catalogue, or those named, as one table. `--hours N [--seed S]`: faults drawn at random
 * against a real agent, real cameras and a real broker, the laws checked after each. `--broken`: broken builds that the checks must catch.
 */
import { parseArgs } from "node:util";
import { joinedLine } from "../../agent/core/text.ts";
import { catchBroken } from "./broken.ts";
import { catalogue, type Fault } from "./catalogue.ts";
import { roam } from "./random.ts";
import { writeResults } from "./results.ts";
import { runSuite, type Suite } from "./vitest.ts";

const usage = "usage: npm run faults -- [--only NAME,NAME] [--list] | --hours N [--seed S] [--only NAME,NAME] | --broken";
const say = (line: string) => void process.stdout.write(`${line}\n`);

type Found = { readonly fault: Fault; readonly result: "holds" | "BROKEN" | "SKIPPED"; readonly note: string };

function judge(fault: Fault, suite: Suite): Found {
  const own = suite.tests.filter(({ name }) => fault.tests.test(name));
  const failed = own.filter(({ status }) => status !== "passed");
  if (own.length === 0) return { fault, result: "BROKEN", note: suite.tests[0]?.why ?? "no such test" };
  if (failed[0] !== undefined) return { fault, result: "BROKEN", note: `${failed[0].name}: ${failed[0].why}` };
  // What no test printed is of the whole suite.
  const figures = suite.figures.filter(({ test }) => test === "" || fault.tests.test(test));
  return {
    fault,
    result: "holds",
    note: figures.map(({ test, line }) => line.replace(/^figure: /, "").replace(`${test}: `, "")).join("; "),
  };
}

/** Faults of one suite are made together. */
async function table(faults: readonly Fault[]): Promise<boolean> {
  const isRoot = process.getuid?.() === 0;
  const found: Found[] = [];
  for (const target of new Set(faults.map(({ suite }) => suite))) {
    const own = faults.filter(({ suite }) => suite === target);
    if (!isRoot && own.some(({ needsRoot }) => needsRoot)) {
      for (const fault of own)
        found.push({ fault, result: "SKIPPED", note: "needs root for loop devices or network namespaces: sudo npm run faults" });
      say(`SKIPPED ${target}: needs root`);
      continue;
    }
    say(`${target}: ${own.map(({ name }) => name).join(", ")}`);
    const suite = await runSuite(target, { env: { ...own[0]?.env } });
    const before = found.length;
    found.push(...own.map((fault) => judge(fault, suite)));
    for (const { fault, result } of found.slice(before)) say(`  ${result} ${fault.name} (${suite.seconds.toFixed(0)} s)`);
  }
  const rows = found.map(({ fault, result, note }) => [fault.name, fault.must, result, note] as const);
  say("\n| fault | what must hold | result | figures |\n|---|---|---|---|");
  for (const row of rows) say(`| ${row.map((cell) => cell.replaceAll("|", "/")).join(" | ")} |`);
  const skipped = found.filter(({ result }) => result === "SKIPPED").length;
  if (skipped > 0) say(`\nSKIPPED: ${skipped} of ${found.length} faults were not made`);
  writeResults(
    "faults",
    rows.filter(([, , result]) => result !== "SKIPPED"),
  );
  return found.every(({ result }) => result !== "BROKEN");
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      list: { type: "boolean", default: false },
      hours: { type: "string" },
      seed: { type: "string" },
      broken: { type: "boolean", default: false },
    },
  });
  if (values.broken) return (await catchBroken(say)) ? 0 : 1;
  if (values.hours !== undefined) {
    const [hours, seed] = [Number(values.hours), Number(values.seed ?? Date.now() % 2 ** 31)];
    if (!(hours > 0 && Number.isFinite(hours)) || !Number.isSafeInteger(seed))
      throw new Error("--hours is a number above 0, --seed a whole one");
    return (await roam({ hours, seed, only: values.only?.split(","), say })) ? 0 : 1;
  }
  const only = values.only?.split(",");
  const strange = only?.find((wanted) => !catalogue.some(({ name }) => name === wanted));
  if (strange !== undefined) throw new Error(`no fault is called ${strange}; there are: ${catalogue.map(({ name }) => name).join(", ")}`);
  const faults = catalogue.filter(({ name }) => only?.includes(name) ?? true);
  if (values.list) {
    for (const { name, must, suite } of faults) say(`${name.padEnd(24)}${suite.padEnd(40)}${must}`);
    return 0;
  }
  return (await table(faults)) ? 0 : 1;
}

main().then(
  // What was interrupted goes on in vain until it ends with this process.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`faults: ${joinedLine(error instanceof Error ? error.message : String(error))}; ${usage}\n`);
    process.exitCode = 2;
  },
);
