/** The dependency rule of agent/README.md: who may import whom, and that each package is imported as a value in one file. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

type Import = { readonly from: string; readonly to: string; readonly isType: boolean };

function sourceFiles(): string[] {
  return ["agent", "hal", "deploy"]
    .flatMap((folder) => listed(join(root, folder)))
    .map((file) => relative(root, file))
    .sort();
}

function listed(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Every import of a file; one whose names are all types is a type import. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const found = [...text.matchAll(/^import\s+(type\s+)?([^;]*?)\s*from\s+"([^"]+)"/gms)];
  return found.map(([, type, names, target]) => {
    const inner = /^\{(.*)\}$/s.exec((names ?? "").trim())?.[1];
    const allTypes = inner?.split(",").every((name) => name.trim() === "" || name.trim().startsWith("type ")) ?? false;
    const to = target?.startsWith(".") ? relative(root, join(root, dirname(file), target)) : (target ?? "");
    return { from: file, to, isType: type !== undefined || allTypes };
  });
}

const all = sourceFiles().flatMap(importsOf);
const isInside = (folder: string) => (path: string) => path.startsWith(`${folder}/`);

function layerOf(file: string): string {
  if (["agent/main.ts", "agent/world.ts", "agent/cli.ts"].includes(file) || isInside("agent/cli")(file)) return "compose";
  if (isInside("agent/core")(file)) return "core";
  if (isInside("agent/store")(file)) return "store";
  if (isInside("agent/config")(file) || file === "agent/config.ts") return "config";
  if (file === "hal/ports.ts") return "ports";
  if (isInside("hal")(file)) return "driver";
  if (isInside("deploy/station/board/model")(file)) return "model";
  if (isInside("deploy/station/board")(file) && file !== "deploy/station/board/vite.config.ts") return "board";
  if (isInside("deploy")(file)) return "deploy";
  return "loop";
}

/** What each layer may import of the project; an import of types only may reach further. */
const allowed: Record<string, { values: readonly string[]; types: readonly string[] }> = {
  core: { values: ["core"], types: ["core"] },
  store: { values: ["store", "core"], types: ["store", "core"] },
  config: { values: ["config", "core"], types: ["config", "core"] },
  ports: { values: [], types: ["core"] },
  driver: { values: [], types: ["ports", "core"] },
  // The board runs in a browser: it shares the pure core, and its own model is as pure.
  model: { values: ["model", "core"], types: ["model", "core"] },
  board: { values: ["board", "model", "core"], types: ["board", "model", "core"] },
  loop: { values: ["core", "loop", "config"], types: ["core", "loop", "config", "ports", "store"] },
};

test("there are files to look at", () => {
  expect(sourceFiles().length).toBeGreaterThan(30);
  expect(all.length).toBeGreaterThan(100);
});

test("each layer imports only what the rule allows", () => {
  const project = all.filter(({ to }) => /^(agent|hal|deploy|test)\//.test(to));
  const wrong = project.filter(({ from, to, isType }) => {
    const rule = allowed[layerOf(from)];
    if (rule === undefined) return false;
    return !(isType ? rule.types : rule.values).includes(layerOf(to));
  });
  expect(wrong).toEqual([]);
});

test("nothing imports the compositions but the command line", () => {
  const wrong = all.filter(({ from, to }) => /^agent\/(main|world)\.ts$/.test(to) && layerOf(from) !== "compose");
  expect(wrong).toEqual([]);
});

test("the core is pure: no package, no clock, no builtin", () => {
  const imports = all.filter(({ from, to }) => layerOf(from) === "core" && !isInside("agent/core")(to));
  expect(imports).toEqual([]);
  for (const file of sourceFiles().filter(isInside("agent/core")))
    expect(readFileSync(join(root, file), "utf8"), file).not.toMatch(/Date\.now|new Date\(\)|Math\.random|process\.|setTimeout/);
});

test("the board's model is pure: no package, no clock, no browser", () => {
  const files = sourceFiles().filter((file) => layerOf(file) === "model");
  expect(files.length).toBeGreaterThan(5);
  for (const file of files)
    expect(readFileSync(join(root, file), "utf8"), file).not.toMatch(
      /Date\.now|new Date\(\)|Math\.random|window\.|document\.|setTimeout|from "[a-z]/,
    );
});

test("each package is imported as a value in exactly one file of its program; preact is what views are written in", () => {
  const packages = all.filter(({ to, isType }) => !isType && !to.startsWith("node:") && !/^(agent|hal|deploy|test)\//.test(to));
  const byPackage = new Map<string, Set<string>>();
  for (const { from, to } of packages) {
    if (/^preact(\/hooks)?$/.test(to) && layerOf(from) === "board") continue;
    const name = layerOf(from) === "board" ? `board: ${to}` : to;
    byPackage.set(name, (byPackage.get(name) ?? new Set()).add(from));
  }
  for (const [name, files] of byPackage) expect([...files], name).toHaveLength(1);
  expect(byPackage.get("board: mqtt")).toEqual(new Set(["deploy/station/board/broker.ts"]));
  expect(byPackage.get("better-sqlite3")).toEqual(new Set(["agent/store/database.ts"]));
});

test("nothing on the recording path imports the broker", () => {
  const path = [
    "agent/record.ts",
    "agent/settle.ts",
    "agent/books.ts",
    "agent/gate.ts",
    "agent/supervise.ts",
    "hal/recorder.ts",
    "hal/footage.ts",
  ];
  const wrong = all.filter(({ from, to }) => path.includes(from) && /broker|publish|station/.test(to));
  expect(wrong).toEqual([]);
});
