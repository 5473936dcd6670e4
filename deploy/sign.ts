/** Signs a package, or prints the public key that checks it. The private key: PEM, Ed25519, in the file that MATGHI_SIGNING_KEY names. usage: sign.js FILE | --public */
import { readFileSync, writeFileSync } from "node:fs";
import { publicPemOf, signatureOf } from "../agent/signature.ts";

const [, , what] = process.argv;
const keyFile = process.env.MATGHI_SIGNING_KEY;
if (what === undefined || keyFile === undefined) throw new Error("usage: MATGHI_SIGNING_KEY=KEY.pem sign.js FILE | --public");
const key = readFileSync(keyFile, "utf8");
if (what === "--public") process.stdout.write(publicPemOf(key));
else writeFileSync(`${what}.sig`, signatureOf(readFileSync(what), key));
