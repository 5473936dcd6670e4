/** A text under a one-time code, in the format of age (age-encryption.org/v1, passphrase), so that `age -d` opens it too. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";

const version = "age-encryption.org/v1";
const begin = "-----BEGIN AGE ENCRYPTED FILE-----";
const end = "-----END AGE ENCRYPTED FILE-----";
/** 2^16: a quarter of a second and 64 MiB on a small box; the code itself has 79 bits. */
const workFactor = 16;
/** A file that asks for more would only tie the box up. */
const mostWorkFactor = 18;
/** One chunk of age: what we seal is a few kilobytes. */
const mostBytes = 65_536;
const [saltBytes, fileKeyBytes, nonceBytes, tagBytes] = [16, 16, 16, 16];

export type Unsealed = { readonly kind: "open"; readonly text: string } | { readonly kind: "refused"; readonly why: "damaged" | "code" };

export function seal(text: string, code: string): string {
  if (Buffer.byteLength(text) > mostBytes) throw new Error("too long for one chunk");
  const [salt, fileKey, nonce] = [randomBytes(saltBytes), randomBytes(fileKeyBytes), randomBytes(nonceBytes)];
  const wrapped = encrypt(keyOf(code, salt, workFactor), Buffer.alloc(12), fileKey);
  const head = `${version}\n-> scrypt ${plain(salt)} ${workFactor}\n${plain(wrapped)}\n---`;
  const body = encrypt(derive(fileKey, nonce, "payload"), lastChunk, Buffer.from(text));
  const file = Buffer.concat([Buffer.from(`${head} ${plain(macOf(fileKey, head))}\n`), nonce, body]);
  const lines = file.toString("base64").match(/.{1,64}/g) ?? [];
  return [begin, ...lines, end, ""].join("\n");
}

export function unseal(armored: string, code: string): Unsealed {
  const found = /-----BEGIN AGE ENCRYPTED FILE-----([A-Za-z0-9+/=\s]+)-----END AGE ENCRYPTED FILE-----/.exec(armored);
  const file = Buffer.from(found?.[1] ?? "", "base64");
  const text = file.toString("latin1");
  const head = /^(age-encryption\.org\/v1\n-> scrypt ([A-Za-z0-9+/]{22}) (\d{1,2})\n([A-Za-z0-9+/]{43})\n---) ([A-Za-z0-9+/]{43})\n/.exec(
    text,
  );
  if (head === null || Number(head[3]) > mostWorkFactor || Number(head[3]) < 1) return { kind: "refused", why: "damaged" };
  const [all, signed = "", salt = "", work = "", wrapped = "", mac = ""] = head;
  const fileKey = decrypt(keyOf(code, Buffer.from(salt, "base64"), Number(work)), Buffer.alloc(12), Buffer.from(wrapped, "base64"));
  if (fileKey === null) return { kind: "refused", why: "code" };
  const given = Buffer.from(mac, "base64");
  const due = macOf(fileKey, signed);
  if (given.length !== due.length || !timingSafeEqual(given, due)) return { kind: "refused", why: "damaged" };
  const nonce = file.subarray(all.length, all.length + nonceBytes);
  const body = decrypt(derive(fileKey, nonce, "payload"), lastChunk, file.subarray(all.length + nonceBytes));
  return body === null ? { kind: "refused", why: "damaged" } : { kind: "open", text: body.toString("utf8") };
}

/** Number 0, and the mark of the last one. */
const lastChunk = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
const plain = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
const derive = (key: Buffer, salt: Buffer, use: string) => Buffer.from(hkdfSync("sha256", key, salt, use, 32));
const macOf = (fileKey: Buffer, head: string) =>
  createHmac("sha256", derive(fileKey, Buffer.alloc(0), "header"))
    .update(head)
    .digest();

function keyOf(code: string, salt: Buffer, work: number): Buffer {
  const seasoned = Buffer.concat([Buffer.from(`${version}/scrypt`), salt]);
  return scryptSync(code, seasoned, 32, { N: 2 ** work, r: 8, p: 1, maxmem: 2 ** (work + 10) + 2 ** 20 });
}

function encrypt(key: Buffer, nonce: Buffer, bytes: Buffer): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: tagBytes });
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** null: another key, or not what was sealed. */
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
