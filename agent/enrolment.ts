/** What a station hands to a box so that it belongs to it: made by deploy/station, taken in by `matghi enroll`. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { UtcMs } from "./core/dating.ts";
import { isTunnel, type Tunnel } from "./core/tunnel.ts";

export type Enrolment = {
  readonly v: 1;
  readonly commune: string;
  readonly site: string;
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The box's end of the tunnel, where its station has them. */
  readonly tunnel?: Tunnel;
};

const fields = ["commune", "site", "url", "ca", "cert", "key"] as const;

/** null: it is none. */
export function readEnrolment(text: string): Enrolment | null {
  try {
    const body = JSON.parse(text) as Record<string, unknown>;
    if (body.v !== 1 || fields.some((name) => typeof body[name] !== "string")) return null;
    if (body.tunnel !== undefined && !isTunnel(body.tunnel)) return null;
    return body as unknown as Enrolment;
  } catch {
    return null;
  }
}

export type Flaw = "no-certificate" | "other-key" | "other-site" | "not-by-ca" | "over";

/** What would keep the station from knowing the box; null: nothing. */
export function flawOf({ site, ca, cert, key }: Enrolment, nowAt: UtcMs): Flaw | null {
  try {
    const [authority, certificate] = [new X509Certificate(ca), new X509Certificate(cert)];
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return "other-key";
    if (certificate.subject !== `CN=${site}`) return "other-site";
    if (!authority.ca || !certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) return "not-by-ca";
    return Date.parse(certificate.validTo) <= nowAt ? "over" : null;
  } catch {
    return "no-certificate";
  }
}
