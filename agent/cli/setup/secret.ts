/** Passwords on their way from where they stand now into files of their own. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { readSecret } from "../../config/rules.ts";
import type { ToldCamera } from "../../core/told.ts";
import { exit, Refusal } from "../context.ts";

/** Passwords by the file in which each will stand. */
export type Secrets = ReadonlyMap<string, string>;

/** The password in a file that nobody else can read. Throws a Refusal. */
export function secretIn(file: string): string {
  try {
    if ((statSync(file).mode & 0o177) !== 0) throw new Refusal(exit.wrongUse, `${file}: others can read it; chmod 600 ${file}`);
    const secret = readSecret(file);
    if (secret === "") throw new Refusal(exit.wrongUse, `${file} is empty; write the password alone into it`);
    return secret;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "?";
    throw new Refusal(exit.wrongUse, `${file} cannot be read (${code}); write the password into it, one line, and chmod 600 it`);
  }
}

/** A camera with its password, which is no part of what is shown. */
export type Keyed = { readonly camera: ToldCamera; readonly password: string | null };

/** Cameras that name the files in `folder`, and what will stand in those. */
export function filed(keyed: readonly Keyed[], folder: string): { readonly cameras: readonly ToldCamera[]; readonly secrets: Secrets } {
  const fileOf = (id: string) => join(folder, id);
  const cameras = keyed.map(({ camera: { passwordFile: _, ...camera }, password }) => ({
    ...camera,
    ...(password === null ? {} : { passwordFile: fileOf(camera.id) }),
  }));
  const secrets = keyed.flatMap(({ camera, password }) => (password === null ? [] : [[fileOf(camera.id), password] as const]));
  return { cameras, secrets: new Map(secrets) };
}
