/** Versions side by side in a folder of our own, each with a small program in the place of Node; packages of them; the box's own scripts over them. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Trial, trialText } from "../../agent/core/trial.ts";
import { repository } from "./cameras.ts";
import { writeProgram } from "./program.ts";
import { memoryFolder } from "./temp.ts";

/** A version that says which one it is, and accepts every configuration. */
export function putVersion(folder: string, version: string, lines: readonly string[] = [`echo ${version}`]): void {
  mkdirSync(folder, { recursive: true });
  writeProgram(join(folder, "node"), lines);
  writeFileSync(join(folder, "matghi.js"), `// ${version}\n`);
}

export type Versions = {
  readonly root: string;
  readonly state: string;
  /** The version that /usr/bin/matghi would run. */
  running(): string;
  /** What root does before each start, each minute, and when a package is installed. */
  script(mode: "start" | "tick" | "place", ...args: readonly string[]): void;
  has(file: string): boolean;
  text(file: string): string;
  use(version: string): void;
  tryOut(change?: Partial<Trial>): void;
};

/** 0.1.0 is in use. */
export function makeVersions(root: string = memoryFolder("versions")): Versions {
  const state = join(root, "state");
  mkdirSync(state, { recursive: true });
  if (!existsSync(join(root, "versions"))) putVersion(join(root, "versions/0.1.0"), "0.1.0");
  const scripts = join(root, "scripts");
  mkdirSync(scripts, { recursive: true });
  for (const name of ["launcher", "versions"]) {
    const text = readFileSync(join(repository, "deploy/debian", name), "utf8");
    writeFileSync(join(scripts, name), text.replace("root=/opt/matghi", `root=${root}`), { mode: 0o755 });
  }
  const versions: Versions = {
    ...{ root, state },
    running: () => spawnSync(join(scripts, "launcher"), ["--version"], { encoding: "utf8" }).stdout.trim(),
    script: (mode, ...args) => void execFileSync(join(scripts, "versions"), [mode, ...args], { stdio: "ignore" }),
    has: (file) => existsSync(join(root, file)),
    text: (file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : ""),
    use: (version) => {
      rmSync(join(root, "current"), { force: true });
      symlinkSync(`versions/${version}`, join(root, "current"));
    },
    tryOut: (change) => {
      const trial = { id: "a1", version: "0.2.0", previous: "0.1.0", state, cameras: ["cam1"], station: false, steadyMs: 600_000 };
      writeFileSync(join(root, "trial"), trialText({ ...trial, ...change }));
    },
  };
  if (!existsSync(join(root, "current"))) versions.use("0.1.0");
  return versions;
}

/** The same box once more, as it stands. */
export function copyVersions({ root }: Versions): Versions {
  const folder = memoryFolder("versions");
  cpSync(root, folder, { recursive: true, verbatimSymlinks: true });
  return makeVersions(folder);
}

/** A real package whose version is a small program; `control` changes lines of its control file. */
export function makePackage(
  folder: string,
  version: string,
  control: Readonly<Record<string, string>> = {},
  lines?: readonly string[],
): string {
  const tree = join(folder, `tree-${version}`);
  rmSync(tree, { recursive: true, force: true });
  putVersion(join(tree, "opt/matghi/package"), version, lines);
  mkdirSync(join(tree, "usr/bin"), { recursive: true });
  writeFileSync(join(tree, "usr/bin/matghi"), "not a version's\n");
  mkdirSync(join(tree, "DEBIAN"));
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const facts = {
    Package: "matghi",
    Version: version,
    Architecture: architecture,
    "Installed-Size": "20",
    Maintainer: "x <x@localhost>",
    Description: "x",
  };
  const text = Object.entries({ ...facts, ...control }).map(([key, value]) => `${key}: ${value}\n`);
  writeFileSync(join(tree, "DEBIAN/control"), text.join(""));
  const file = join(folder, `matghi_${version}.deb`);
  execFileSync("dpkg-deb", ["--root-owner-group", "-Znone", "--build", tree, file], { stdio: "ignore" });
  return file;
}
