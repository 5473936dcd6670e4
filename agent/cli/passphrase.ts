/** The passphrase of a backup or a sealed copy: from a file that only its owner reads, or from a person at the terminal. Never from the command line. */
import { statSync } from "node:fs";
import { readSecret } from "../config/rules.ts";
import { exit, Refusal } from "./context.ts";
import { ask, isInteractive } from "./prompt.ts";

const fewestChars = 12;

/**
 * `again`: what to ask a second time with, where a slip would lock somebody out. `plain`: it will be typed into a program that may read accents
 * otherwise than we do. Throws a Refusal.
 */
export async function passphraseOf(file: string | undefined, question: string, again: string | null, plain = false): Promise<string> {
  const good = (said: string, name: string) => (plain ? unaccented(long(said, name), name) : long(said, name));
  if (file !== undefined) return good(readFrom(file), `--passphrase-file ${file}`);
  if (!isInteractive())
    throw new Refusal(exit.wrongUse, "no passphrase; write it into a file of mode 0600 and name it: --passphrase-file F");
  const said = good(await askHidden(question), "the passphrase");
  if (again !== null && (await askHidden(again)) !== said) throw new Refusal(exit.wrongUse, "the two passphrases differ; begin again");
  return said;
}

function readFrom(file: string): string {
  try {
    const { mode } = statSync(file);
    if ((mode & 0o077) !== 0) throw new Refusal(exit.wrongUse, `--passphrase-file ${file} can be read by others; chmod 600 ${file}`);
    return readSecret(file);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(exit.wrongUse, `--passphrase-file ${file}: ${(error as NodeJS.ErrnoException).code}; name a file that can be read`);
  }
}

function long(passphrase: string, name: string): string {
  if (passphrase.length >= fewestChars && !/[\r\n]/.test(passphrase)) return passphrase;
  throw new Refusal(exit.wrongUse, `${name} is not one line of ${fewestChars} characters or more; take a longer one`);
}

function unaccented(passphrase: string, name: string): string {
  if (/^[ -~]*$/.test(passphrase)) return passphrase;
  throw new Refusal(
    exit.wrongUse,
    `${name} holds accents, which other programs read otherwise; take letters without accents, digits and marks`,
  );
}

const askHidden = async (question: string) => (await ask(question, "hidden")) ?? "";
