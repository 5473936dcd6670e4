/** Before the broker starts: a damaged database is set aside; the boxes make it whole again. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  cpSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname, join } from "node:path";

const magic = Buffer.from("\0\u00b5\0mosquitto db", "latin1");
const headBytes = magic.length + 8;
/** Formats whose chunks are known to begin with a kind and a length (Mosquitto 1.6 to 2.1). */
const knownVersions = [5, 6];
const mostKind = 8;
/** Longer than it takes to read a few hundred megabytes. */
const trialMs = 60_000;
const keptAside = 2;

export type Guarded = { readonly kind: "good" } | { readonly kind: "set-aside"; readonly as: string; readonly why: string };

/** Sets the database aside where it is damaged. `broker`: Mosquitto's binary. */
export async function guardDatabase(database: string, broker = "/usr/sbin/mosquitto", stamp = new Date()): Promise<Guarded> {
  if (!existsSync(database)) return { kind: "good" };
  const why = damageOf(database) ?? (await refusalOf(database, broker));
  if (why === null) return { kind: "good" };
  const as = `${database}.broken-${stamp.toISOString().replace(/[-:]|\.\d+/g, "")}`;
  renameSync(database, as);
  forgetOldest(database);
  return { kind: "set-aside", as, why };
}

/**
 * What is wrong with its chunks; null: they follow each other to the end. Mosquitto 2.0 itself starts with a database that
 * ends early or has holes, without a word, and would keep the sessions of the boxes but lose what they had retained:
 * then nobody would know that it must be told again.
 */
export function damageOf(database: string): string | null {
  const file = openSync(database, "r");
  try {
    const { size } = fstatSync(file);
    const head = Buffer.alloc(headBytes);
    if (readSync(file, head, 0, headBytes, 0) < headBytes) return "too short";
    if (!head.subarray(0, magic.length).equals(magic)) return "not a database of Mosquitto";
    if (!knownVersions.includes(head.readUInt32BE(headBytes - 4))) return null;
    const chunk = Buffer.alloc(8);
    let at = headBytes;
    while (at < size) {
      if (readSync(file, chunk, 0, 8, at) < 8) return `ends within a chunk at ${at}`;
      const kind = chunk.readUInt32BE(0);
      if (kind < 1 || kind > mostKind) return `no chunk at ${at}`;
      at += 8 + chunk.readUInt32BE(4);
    }
    return at === size ? null : "ends early";
  } finally {
    closeSync(file);
  }
}

/** It is the database's fault when Mosquitto starts without it and not with it: tried on a copy, at a socket of its own. */
async function refusalOf(database: string, broker: string): Promise<string | null> {
  const trial = mkdtempSync(join(dirname(database), "trial."));
  try {
    writeFileSync(join(trial, "conf"), trialText(trial));
    cpSync(database, join(trial, "mosquitto.db"));
    if (await starts(trial, broker)) return null;
    rmSync(join(trial, "mosquitto.db"));
    return (await starts(trial, broker)) ? "Mosquitto does not start with it" : null;
  } finally {
    rmSync(trial, { recursive: true, force: true });
  }
}

const trialText = (trial: string) =>
  [
    ...[`user ${userInfo().username}`, `listener 0 ${trial}/socket`, "allow_anonymous false"],
    ...["persistence true", `persistence_location ${trial}/`, "autosave_interval 0", "log_dest stderr"],
  ].join("\n");

/** Its log says that it runs; nothing else tells that it has read the database. On standard output the word would stay in a buffer. */
function starts(trial: string, broker: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child: ChildProcess = spawn(broker, ["-c", join(trial, "conf")], { stdio: ["ignore", "ignore", "pipe"] });
    let isRunning = false;
    const timer = setTimeout(() => child.kill("SIGKILL"), trialMs);
    child.stderr?.on("data", (data: Buffer) => {
      if (!data.includes(" running")) return;
      isRunning = true;
      child.kill("SIGKILL");
    });
    child.once("error", () => resolve(false));
    child.once("close", () => {
      clearTimeout(timer);
      resolve(isRunning);
    });
  });
}

/** The newest two stay for whoever wants to look. */
function forgetOldest(database: string): void {
  const folder = dirname(database);
  const aside = readdirSync(folder).filter((name) => name.startsWith(`${basename(database)}.broken-`));
  for (const name of aside.sort().slice(0, -keptAside)) rmSync(join(folder, name), { force: true });
}
