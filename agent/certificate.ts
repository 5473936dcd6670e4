/** The certificate by which the station knows the box: how long it holds. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { UtcMs } from "./core/dating.ts";

const dayMs = 86_400_000;

/** Days until it ends, below zero afterwards; null where there is none, or none that can be read. */
export function certificateDays(file: string | undefined, nowAt: UtcMs): number | null {
  if (file === undefined) return null;
  try {
    return Math.floor((Date.parse(new X509Certificate(readFileSync(file)).validTo) - nowAt) / dayMs);
  } catch {
    return null;
  }
}
