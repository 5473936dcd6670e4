/**
 * The age format with a passphrase (age-encryption.org/v1, C2SP): scrypt for the key, ChaCha20-Poly1305 over chunks, each with its number and
 * the last one marked, so that nothing can be changed, cut off or put in another order. Opens without us: `age -d F | tar x`.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";

const chunkBytes = 65_536;
const tagBytes = 16;
const nonceBytes = 16;
/** 2^17 with r = 8: 128 MiB and about half a second on a small box (OWASP's figure for scrypt). */
const workFactor = 17;
/** More would take the memory of a small box; age itself writes 18. */
const mostWorkFactor = 20;
const mostHeaderBytes = 1_024;

/** Not a file of this format, damaged, or another passphrase. */
export class Unreadable extends Error {}

const plain64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
const derived = (key: Uint8Array, salt: Uint8Array, info: string) => Buffer.from(hkdfSync("sha256", key, salt, info, 32));
const none = new Uint8Array(0);

function wrappingKey(passphrase: string, salt: Uint8Array, logN: number): Buffer {
  const label = Buffer.concat([Buffer.from("age-encryption.org/v1/scrypt"), salt]);
  return scryptSync(passphrase, label, 32, { N: 2 ** logN, r: 8, p: 1, maxmem: 2 ** logN * 1_024 + (1 << 20) });
}

function sealed(key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: tagBytes });
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** null: it is not what was sealed with that key. */
function opened(key: Uint8Array, nonce: Uint8Array, bytes: Buffer): Buffer | null {
  if (bytes.length < tagBytes) return null;
  const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(0, bytes.length - tagBytes)), decipher.final()]);
  } catch {
    return null;
  }
}

/** Eleven bytes of counting, one that says whether it is the last. */
function chunkNonce(n: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(n, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** Pieces of just that length; the last may be shorter, and is empty only where all is. */
async function* cut(source: AsyncIterable<Uint8Array>, bytes: number): AsyncIterable<{ readonly piece: Buffer; readonly isLast: boolean }> {
  let held = Buffer.alloc(0);
  for await (const more of source) {
    held = Buffer.concat([held, more]);
    // The last full piece is held back: whether it is the last one shows only when more comes.
    for (; held.length > bytes; held = held.subarray(bytes)) yield { piece: held.subarray(0, bytes), isLast: false };
  }
  yield { piece: held, isLast: true };
}

/** Seals a stream with a passphrase. */
export async function* seal(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncIterable<Buffer> {
  const [fileKey, salt, nonce] = [randomBytes(16), randomBytes(16), randomBytes(nonceBytes)];
  const wrapped = sealed(wrappingKey(passphrase, salt, workFactor), Buffer.alloc(12), fileKey);
  const head = `age-encryption.org/v1\n-> scrypt ${plain64(salt)} ${workFactor}\n${plain64(wrapped)}\n---`;
  const mac = createHmac("sha256", derived(fileKey, none, "header"))
    .update(head)
    .digest();
  yield Buffer.from(`${head} ${plain64(mac)}\n`);
  yield nonce;
  const key = derived(fileKey, nonce, "payload");
  let n = 0;
  for await (const { piece, isLast } of cut(source, chunkBytes)) yield sealed(key, chunkNonce(n++, isLast), piece);
}

/** Opens what `seal` or age itself has sealed; nothing is given out that was not checked. Throws `Unreadable`. */
export async function* unseal(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncIterable<Buffer> {
  const { head, mac, salt, logN, wrapped, rest } = await readHead(source);
  const fileKey = opened(wrappingKey(passphrase, salt, logN), Buffer.alloc(12), wrapped);
  if (fileKey === null) throw new Unreadable("another passphrase");
  const right = createHmac("sha256", derived(fileKey, none, "header"))
    .update(head)
    .digest();
  if (mac.length !== right.length || !timingSafeEqual(mac, right)) throw new Unreadable("its head was changed");
  let key: Buffer | null = null;
  let n = 0;
  for await (const { piece, isLast } of cut(
    afterNonce(rest, (nonce) => {
      key = derived(fileKey, nonce, "payload");
    }),
    chunkBytes + tagBytes,
  )) {
    const text = key === null ? null : opened(key, chunkNonce(n++, isLast), piece);
    if (text === null) throw new Unreadable("it was changed, or its end is missing");
    yield text;
  }
}

async function* afterNonce(source: AsyncIterable<Uint8Array>, take: (nonce: Buffer) => void): AsyncIterable<Buffer> {
  let held: Buffer | null = Buffer.alloc(0);
  for await (const more of source) {
    if (held === null) {
      yield Buffer.from(more);
      continue;
    }
    held = Buffer.concat([held, more]);
    if (held.length < nonceBytes) continue;
    take(held.subarray(0, nonceBytes));
    yield held.subarray(nonceBytes);
    held = null;
  }
}

async function readHead(source: AsyncIterable<Uint8Array>) {
  const reader = source[Symbol.asyncIterator]();
  let text = Buffer.alloc(0);
  for (let end = -1; end < 0 && text.length <= mostHeaderBytes; ) {
    const { done, value } = await reader.next();
    if (done === true) break;
    text = Buffer.concat([text, value]);
    const at = text.indexOf("\n--- ");
    end = at < 0 ? -1 : text.indexOf("\n", at + 1);
    if (end < 0) continue;
    const found = /^(age-encryption\.org\/v1\n-> scrypt ([\w+/]{22}) (\d{1,2})\n([\w+/]{43})\n---) ([\w+/]{43})$/.exec(
      text.toString("latin1", 0, end),
    );
    const [, head = "", salt = "", logN = "", wrapped = "", mac = ""] = found ?? [];
    if (found === null) break;
    if (Number(logN) > mostWorkFactor) throw new Unreadable("its passphrase asks for more memory than this box has");
    const left = text.subarray(end + 1);
    const rest = async function* () {
      yield left;
      for (let next = await reader.next(); next.done !== true; next = await reader.next()) yield next.value;
    };
    const bytes = (coded: string) => Buffer.from(coded, "base64");
    return { head, mac: bytes(mac), salt: bytes(salt), logN: Number(logN), wrapped: bytes(wrapped), rest: rest() };
  }
  throw new Unreadable("no backup that was sealed with a passphrase");
}
