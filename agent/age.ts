/**
 * The age format with a passphrase (age-encryption.org/v1, C2SP): scrypt for the key, ChaCha20-Poly1305 over chunks, each with its number and
 * the last one marked, so that nothing can be changed, cut off or put in another order. Opens without us: `age -d F`.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";

const version = "age-encryption.org/v1";
const chunkBytes = 65_536;
const tagBytes = 16;
const nonceBytes = 16;
const mostHeaderBytes = 1_024;
/**
 * A file: 2^17 with r = 8, 128 MiB and about half a second on a small box (OWASP's figure for scrypt). A text under a one-time code, which has
 * 79 bits of its own: 2^16. What asks for more would only tie a small box up; age itself writes 18.
 */
const work = { file: { factor: 17, most: 20 }, text: { factor: 16, most: 18 } } as const;

/** `code`: another passphrase. `damaged`: changed, cut off, or no file of this format. */
export class Unreadable extends Error {
  readonly why: "damaged" | "code";
  constructor(why: "damaged" | "code", message: string) {
    super(message);
    this.why = why;
  }
}

/** Seals a stream with a passphrase. */
export async function* seal(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncIterable<Buffer> {
  const { head, key } = makeHead(passphrase, work.file.factor);
  yield head;
  let n = 0;
  for await (const { piece, isLast } of cut(source, chunkBytes)) yield encrypt(key, chunkNonce(n++, isLast), piece);
}

/** Does it begin as a file of this format, whoever sealed it? */
export const isSealed = (head: Buffer): boolean => head.subarray(0, version.length).toString("latin1") === version;

/** Opens what `seal` or age itself has sealed; nothing is given out that was not checked. Throws `Unreadable`. */
export async function* unseal(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncIterable<Buffer> {
  const { text, rest } = await readHead(source);
  const { fileKey } = openHead(text, passphrase, work.file.most);
  let key: Buffer | null = null;
  let n = 0;
  const take = (nonce: Buffer) => {
    key = derive(fileKey, nonce, "payload");
  };
  for await (const { piece, isLast } of cut(afterNonce(rest, take), chunkBytes + tagBytes)) {
    const opened = key === null ? null : decrypt(key, chunkNonce(n++, isLast), piece);
    if (opened === null) throw new Unreadable("damaged", "it was changed, or its end is missing");
    yield opened;
  }
}

const [begin, end] = ["-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----"];

/** Seals a text of one chunk with a code, as lines that can be mailed. */
export function sealText(text: string, code: string): string {
  if (Buffer.byteLength(text) > chunkBytes) throw new Error("too long for one chunk");
  const { head, key } = makeHead(code, work.text.factor);
  const file = Buffer.concat([head, encrypt(key, chunkNonce(0, true), Buffer.from(text))]);
  return [begin, ...(file.toString("base64").match(/.{1,64}/g) ?? []), end, ""].join("\n");
}

export type Unsealed = { readonly kind: "open"; readonly text: string } | { readonly kind: "refused"; readonly why: Unreadable["why"] };

/** Opens such lines. */
export function unsealText(armored: string, code: string): Unsealed {
  try {
    return { kind: "open", text: openLines(armored, code) };
  } catch (error) {
    if (error instanceof Unreadable) return { kind: "refused", why: error.why };
    throw error;
  }
}

function openLines(armored: string, code: string): string {
  const [, lines = ""] = new RegExp(`${begin}([A-Za-z0-9+/=\\s]+)${end}`).exec(armored) ?? [];
  const file = Buffer.from(lines, "base64");
  const { fileKey, bytes } = openHead(file.toString("latin1", 0, mostHeaderBytes), code, work.text.most);
  const from = bytes + nonceBytes;
  const opened = decrypt(derive(fileKey, file.subarray(bytes, from), "payload"), chunkNonce(0, true), file.subarray(from));
  if (opened === null) throw new Unreadable("damaged", "it was changed, or its end is missing");
  return opened.toString("utf8");
}

/** Head and nonce of a new file, and the key of its chunks. */
function makeHead(passphrase: string, factor: number): { readonly head: Buffer; readonly key: Buffer } {
  const [fileKey, salt, nonce] = [randomBytes(16), randomBytes(16), randomBytes(nonceBytes)];
  const wrapped = encrypt(wrappingKey(passphrase, salt, factor), Buffer.alloc(12), fileKey);
  const signed = `${version}\n-> scrypt ${plain64(salt)} ${factor}\n${plain64(wrapped)}\n---`;
  const head = Buffer.concat([Buffer.from(`${signed} ${plain64(macOf(fileKey, signed))}\n`), nonce]);
  return { head, key: derive(fileKey, nonce, "payload") };
}

const headPattern = /^(age-encryption\.org\/v1\n-> scrypt ([\w+/]{22}) (\d{1,2})\n([\w+/]{43})\n---) ([\w+/]{43})\n/;

/** The key that a head holds, and how many bytes the head is long. */
function openHead(text: string, passphrase: string, most: number): { readonly fileKey: Buffer; readonly bytes: number } {
  const found = headPattern.exec(text);
  if (found === null) throw new Unreadable("damaged", "nothing that was sealed with a passphrase");
  const [all, signed = "", salt = "", factor = "", wrapped = "", mac = ""] = found;
  if (Number(factor) < 1 || Number(factor) > most) throw new Unreadable("damaged", "its passphrase asks for more memory than this box has");
  const fileKey = decrypt(wrappingKey(passphrase, bytesOf(salt), Number(factor)), Buffer.alloc(12), bytesOf(wrapped));
  if (fileKey === null) throw new Unreadable("code", "another passphrase");
  const [given, right] = [bytesOf(mac), macOf(fileKey, signed)];
  if (given.length !== right.length || !timingSafeEqual(given, right)) throw new Unreadable("damaged", "its head was changed");
  return { fileKey, bytes: all.length };
}

/** The head's text, and what follows it. */
async function readHead(source: AsyncIterable<Uint8Array>): Promise<{ readonly text: string; readonly rest: AsyncIterable<Uint8Array> }> {
  const reader = source[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);
  let bytes = 0;
  while (bytes === 0 && held.length <= mostHeaderBytes) {
    const { done, value } = await reader.next();
    if (done === true) break;
    held = Buffer.concat([held, value]);
    const at = held.indexOf("\n--- ");
    bytes = at < 0 ? 0 : held.indexOf("\n", at + 1) + 1;
  }
  const rest = async function* () {
    yield held.subarray(bytes);
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) yield next.value;
  };
  return { text: held.toString("latin1", 0, bytes), rest: rest() };
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

const plain64 = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
const bytesOf = (coded: string) => Buffer.from(coded, "base64");
const derive = (key: Buffer, salt: Buffer, use: string) => Buffer.from(hkdfSync("sha256", key, salt, use, 32));
const macOf = (fileKey: Buffer, signed: string) =>
  createHmac("sha256", derive(fileKey, Buffer.alloc(0), "header"))
    .update(signed)
    .digest();

function wrappingKey(passphrase: string, salt: Buffer, factor: number): Buffer {
  const label = Buffer.concat([Buffer.from(`${version}/scrypt`), salt]);
  return scryptSync(passphrase, label, 32, { N: 2 ** factor, r: 8, p: 1, maxmem: 2 ** factor * 1_024 + (1 << 20) });
}

/** Eleven bytes of counting, one that says whether it is the last. */
function chunkNonce(n: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(n, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

function encrypt(key: Buffer, nonce: Buffer, bytes: Uint8Array): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: tagBytes });
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** null: it is not what was sealed with that key. */
function decrypt(key: Buffer, nonce: Buffer, bytes: Buffer): Buffer | null {
  if (bytes.length < tagBytes) return null;
  const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: tagBytes });
  cipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    return Buffer.concat([cipher.update(bytes.subarray(0, -tagBytes)), cipher.final()]);
  } catch {
    return null;
  }
}
