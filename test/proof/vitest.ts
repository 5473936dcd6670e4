/** Runs suites as parts of a larger command, and reads what they found. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository } from "../lib/cameras.ts";

export type Suite = {
  readonly passed: boolean;
  readonly tests: readonly { readonly name: string; readonly status: string; readonly why: string }[];
  readonly seconds: number;
  /** Lines that a suite printed about itself, `figure: …`, `fuzz: …`, each with the name of the test that did; empty: none did. */
  readonly figures: readonly { readonly test: string; readonly line: string }[];
};

type Report = {
  readonly testResults: readonly {
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
};

/** Runs one file (or folder) of tests; what it prints goes on where `onLine` takes it. A suite that could not be read has failed. */
export function runSuite(
  target: string,
  options: {
    readonly env?: NodeJS.ProcessEnv;
    /** A regular expression over the names of tests. */
    readonly only?: string;
    readonly onLine?: (line: string) => void;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Suite> {
  const folder = mkdtempSync(join(tmpdir(), "matghi-suite-"));
  const [report, figures] = [join(folder, "report.json"), join(folder, "figures")];
  const args = [join(repository, "node_modules/vitest/vitest.mjs"), "run", target, "--reporter=default", "--reporter=json"];
  args.push(`--outputFile.json=${report}`, ...(options.only === undefined ? [] : ["-t", options.only]));
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    ...{
      cwd: repository,
      env: { ...process.env, NO_COLOR: "1", MATGHI_LONG: "1", MATGHI_FIGURES: figures, ...options.env },
      stdio: ["ignore", "pipe", "pipe"] as const,
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  let rest = "";
  const take = (data: Buffer) => {
    const lines = (rest + String(data)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) options.onLine?.(line);
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  child.once("error", () => undefined);
  return new Promise((resolve) =>
    child.once("close", (code) => {
      const tests = testsOf(report);
      const found = figuresOf(figures);
      rmSync(folder, { recursive: true, force: true });
      resolve({ passed: code === 0 && tests.length > 0, tests, figures: found, seconds: (performance.now() - began) / 1_000 });
    }),
  );
}

function testsOf(report: string): Suite["tests"] {
  try {
    const { testResults } = JSON.parse(readFileSync(report, "utf8")) as Report;
    return testResults.flatMap(({ assertionResults, message = "" }) =>
      assertionResults.length === 0
        ? [{ name: "the suite", status: "failed", why: firstLine(message) }]
        : assertionResults.map(({ fullName, status, failureMessages = [] }) => ({
            ...{ name: fullName, status, why: firstLine(failureMessages[0] ?? "") },
          })),
    );
  } catch {
    return [];
  }
}

/** As `figures.ts` writes them; a suite that printed none has no such file. */
function figuresOf(file: string): Suite["figures"] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Suite["figures"][number]);
}

const firstLine = (text: string) => text.split("\n")[0]?.slice(0, 200) ?? "";
