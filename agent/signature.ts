/** Signatures of packages: Ed25519 (RFC 8032) over the whole file, in base64 beside it. `openssl pkeyutl -verify -rawin` checks the same bytes. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

export const signatureOf = (bytes: Uint8Array, privatePem: string): string =>
  `${sign(null, bytes, ed25519(createPrivateKey(privatePem))).toString("base64")}\n`;

export const publicPemOf = (privatePem: string): string =>
  createPublicKey(ed25519(createPrivateKey(privatePem))).export({ type: "spki", format: "pem" }) as string;

/** The public keys of a file, one PEM block after the other. Throws where one is no Ed25519 key. */
export const keysIn = (text: string): readonly KeyObject[] =>
  [...text.matchAll(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g)].map(([pem]) => ed25519(createPublicKey(pem)));

/** Did the owner of one of these keys sign just these bytes? */
export function isSigned(bytes: Uint8Array, signature: string, keys: readonly KeyObject[]): boolean {
  const given = Buffer.from(signature.trim(), "base64");
  return given.length === 64 && keys.some((key) => verify(null, bytes, key, given));
}

function ed25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType === "ed25519") return key;
  throw new Error("this is no Ed25519 key; make one: openssl genpkey -algorithm ed25519");
}
