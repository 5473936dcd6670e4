/** Passwords: made here, never chosen by anybody, kept only as Mosquitto's hash. */
import { pbkdf2Sync, randomBytes, randomInt } from "node:crypto";
import { ownName, type Register } from "./register.ts";

/** Without letters and digits that are taken for each other on paper and over the phone. */
const letters = "abcdefghjkmnpqrstuvwxyz23456789";
const group = 4;

/** Groups of four: 20 letters are 99 bits. */
export const makeSecret = (chars: number): string =>
  Array.from({ length: chars }, (_, n) => (n > 0 && n % group === 0 ? "-" : "") + letters[randomInt(letters.length)]).join("");

export const passwordChars = 20;
/** The password has 99 bits of its own; more rounds would only keep the broker from its work at each login. */
const rounds = 1_000;

/** Mosquitto 2's `$7$`: PBKDF2 with SHA-512. */
export function hashOf(password: string): string {
  const salt = randomBytes(12);
  return `$7$${rounds}$${salt.toString("base64")}$${pbkdf2Sync(password, salt, rounds, 64, "sha512").toString("base64")}`;
}

/** Mosquitto's password file. */
export const passwordsText = ({ ownHash, people }: Register): string =>
  [`${ownName}:${ownHash}`, ...people.map(({ name, hash }) => `${name}:${hash}`)].map((line) => `${line}\n`).join("");
