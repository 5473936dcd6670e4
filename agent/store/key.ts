/** The box's own key: signs what it hands out and what it did. Ed25519 (RFC 8032), in the state folder, readable by the agent alone. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

export const keyName = "key.pem";

export type BoxKey = {
  /** SPKI in PEM. */
  readonly publicPem: string;
  /** SHA-256 of the public key's DER, in hex: what a sheet of paper can carry. */
  readonly fingerprint: string;
  /** 64 bytes. */
  sign(bytes: Uint8Array): Buffer;
};

/** A key file that cannot be used. It is never replaced by itself: what it signed could not be told from a stranger's any more. */
export class BrokenKey extends Error {}

/** Opens the key, making it where there is none yet. Throws `BrokenKey` or the system's error. */
export function openKey(state: string): BoxKey {
  const file = join(state, keyName);
  if (!existsSync(file)) makeKey(state, file);
  const secret = readKey(file);
  const publicKey = createPublicKey(secret);
  return {
    publicPem: publicKey.export({ type: "spki", format: "pem" }) as string,
    fingerprint: fingerprintOf(publicKey),
    sign: (bytes) => sign(null, bytes, secret),
  };
}

export const fingerprintOf = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");

function readKey(file: string): KeyObject {
  try {
    const secret = createPrivateKey(readFileSync(file));
    if (secret.asymmetricKeyType === "ed25519") return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") throw error;
  }
  throw new BrokenKey(
    `${file} is no Ed25519 key; put it back from a copy, or move it away and a new one is made (what the old one signed stays valid by its own public key)`,
  );
}

/** Whole or not at all, also over a power cut; of two who make one at once the first counts. */
function makeKey(state: string, file: string): void {
  mkdirSync(state, { recursive: true, mode: 0o750 });
  const { privateKey } = generateKeyPairSync("ed25519");
  const draft = `${file}.${process.pid}`;
  const fd = openSync(draft, "wx", 0o600);
  try {
    writeSync(fd, privateKey.export({ type: "pkcs8", format: "pem" }) as string);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  giveToOwner(state, draft);
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  syncFolder(state);
}

/** What root makes in the state folder is the agent's. */
export function giveToOwner(state: string, file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(state);
  chownSync(file, uid, gid);
}

export function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
