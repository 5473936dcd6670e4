/** Debian packages in files, by dpkg, tar and coreutils, which every Debian has. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Packages } from "./ports.ts";

const askMs = 30_000;
/** A card of the slowest kind takes minutes for 150 MB. */
const unpackMs = 900_000;
const mostText = 1 << 20;
const mostSaid = 1_000;
const fields = ["Package", "Version", "Architecture", "Installed-Size"] as const;

export function makePackages(): Packages {
  return {
    facts: async (file) => {
      const texts = await Promise.all(fields.map((field) => answer("dpkg-deb", ["-f", file, field], askMs)));
      const [name = "", version = "", architecture = "", kib = ""] = texts.map((text) => text.trim());
      return { name, version, architecture, unpackedBytes: Number(kib) * 1024 };
    },
    unpack,
    compare: async (a, b) => {
      if (await isSo(a, "lt", b)) return -1;
      return (await isSo(a, "gt", b)) ? 1 : 0;
    },
    sync: async (path) => void (await answer("sync", ["-f", path], unpackMs)),
    run: (home, args) => ended(join(home, "node"), [join(home, "matghi.js"), ...args], askMs),
  };
}

type Ended = { readonly code: number; readonly text: string };

function ended(program: string, args: readonly string[], timeout: number): Promise<Ended> {
  const options = { timeout, killSignal: "SIGKILL", maxBuffer: mostText, env: { ...process.env, LC_ALL: "C" } } as const;
  return new Promise((resolve) =>
    execFile(program, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, text: `${stdout}${stderr}`.trim() || (error?.message ?? "") });
    }),
  );
}

async function answer(program: string, args: readonly string[], timeout: number): Promise<string> {
  const { code, text } = await ended(program, args, timeout);
  if (code === 0) return text;
  throw new Error(text.split("\n")[0] ?? program);
}

const isSo = async (a: string, relation: "lt" | "gt", b: string) =>
  (await ended("dpkg", ["--compare-versions", a, relation, b], askMs)).code === 0;

/** Modes as the package has them; owned by whoever unpacks it. */
async function unpack(file: string, folder: string, to: string): Promise<void> {
  await mkdir(to);
  // The agent's user runs it, whatever root's mask is.
  await chmod(to, 0o755);
  const depth = folder.split("/").length + 1;
  const source = spawn("dpkg-deb", ["--fsys-tarfile", file], { stdio: ["ignore", "pipe", "ignore"], timeout: unpackMs });
  const options = ["--strip-components", String(depth), "--no-same-owner", "-p"];
  const sink = spawn("tar", ["-x", "-C", to, ...options, `./${folder}`], { stdio: ["pipe", "ignore", "pipe"], timeout: unpackMs });
  let said = "";
  sink.stderr.on("data", (data: Buffer) => {
    said = `${said}${data}`.slice(0, mostSaid);
  });
  const codes = Promise.all([source, sink].map(codeOf));
  // Where one of them ends early, its code and what it said tell more than the pipe between them.
  await pipeline(source.stdout, sink.stdin).catch(() => undefined);
  const [from, into] = await codes;
  if (from !== 0 || into !== 0) throw new Error(said.split("\n")[0] || `dpkg-deb ended with ${from}, tar with ${into}`);
}

const codeOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? -1));
  });
