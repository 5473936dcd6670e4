/** Bundles the agent into a folder that runs anywhere beside a Node and the database's addon. usage: bundle.js FOLDER */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";

/** This file runs from `dist/deploy`. */
const root = join(import.meta.dirname, "../..");
/** The addon finds itself by its place in `node_modules`, so these stay packages. */
const native = ["better-sqlite3", "bindings", "file-uri-to-path"];
/** Packages made for `require` find what they are used to. */
const banner = `import { createRequire as requireOf } from "node:module";
const [require, __filename, __dirname] = [requireOf(import.meta.url), import.meta.filename, import.meta.dirname];`;

async function bundle(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    ...{ entryPoints: { matghi: join(root, "agent/cli.ts") }, outdir: folder, absWorkingDir: root, metafile: true },
    ...{ bundle: true, splitting: true, format: "esm", platform: "node", target: "node24", external: ["better-sqlite3"] },
    ...{ banner: { js: banner }, chunkNames: "part-[hash]", legalComments: "none", logLevel: "warning" },
  });
  // It is read from beside the part that holds the store.
  cpSync(join(root, "agent/store/schema.sql"), join(folder, "schema.sql"));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ name: "matghi", private: true, type: "module" })}\n`);
  for (const name of native) copyPackage(name, join(folder, "node_modules", name));
  writeFileSync(join(folder, "packages.txt"), listOf(metafile));
}

/** A package without what only compiling needs. */
function copyPackage(name: string, target: string): void {
  const from = join(root, "node_modules", name);
  const isNeeded = (path: string) => !/\/(deps|src|build|binding\.gyp|test|node_modules)(\/|$)/.test(path.slice(from.length));
  cpSync(from, target, { recursive: true, filter: isNeeded });
}

/** Name, version and licence of every package inside, one a line. */
function listOf({ inputs }: Metafile): string {
  const names = Object.keys(inputs).flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  const lines = [...new Set([...names, ...native])].sort().map((name) => {
    const { version, license } = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
    return `${name} ${version} ${license ?? "licence not named"}`;
  });
  return `${lines.join("\n")}\n`;
}

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("usage: bundle.js FOLDER");
await bundle(folder);
