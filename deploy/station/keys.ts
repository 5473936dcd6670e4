/** WireGuard's keys, made here: X25519, raw and in base64. */
import { generateKeyPairSync } from "node:crypto";

export type KeyPair = { readonly privateKey: string; readonly publicKey: string };

export function makeKeyPair(): KeyPair {
  const { d = "", x = "" } = generateKeyPairSync("x25519").privateKey.export({ format: "jwk" });
  return { privateKey: plain(d), publicKey: plain(x) };
}

const plain = (coded: string) => Buffer.from(coded, "base64url").toString("base64");
