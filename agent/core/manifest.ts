/** What an evidence folder says of itself: `manifest.json` and the subtitles of its viewing copies. Pure. */
import type { LedgerSpan } from "./ledger.ts";
import { iso, vietnamTime } from "./time.ts";
import type { Span, StreamName } from "./types.ts";

export const evidenceNames = {
  ...{ manifest: "manifest.json", sums: "SHA256SUMS", signature: "SHA256SUMS.sig", key: "public-key.pem" },
  ...{ slip: "PHIEU-TRICH-XUAT.html", guide: "HUONG-DAN-KIEM-TRA.txt", original: "original", view: "view" },
} as const;
/** Ends the name of a folder that is not finished. */
export const unfinished = ".unfinished";

/** Times in here are UTC, ISO 8601. Nothing in it is a secret. */
export type Manifest = {
  readonly v: 1;
  readonly site: { readonly id: string; readonly name: string; readonly commune: string };
  readonly device: Readonly<Record<string, string>>;
  readonly agent: string;
  readonly timeZone: "Asia/Ho_Chi_Minh";
  readonly madeAt: string;
  readonly request: {
    readonly paper: string;
    readonly agency: string;
    readonly officer: string;
    readonly purpose: string;
    readonly case: string | null;
    readonly witness: string | null;
    readonly hold: number | null;
    /** The account that ran the command on the box. */
    readonly account: string;
  };
  readonly asked: { readonly from: string; readonly to: string };
  readonly answer: "yes" | "partial" | "unknown";
  /** How far the box's clock could be trusted when this was made. */
  readonly boxClock: {
    readonly trust: string;
    readonly errorMs: number | null;
    /** Since the first of these files was recorded, in the boots that recorded them: times before a step are read by what it set right. */
    readonly steps: readonly { readonly at: string; readonly stepMs: number; readonly trust: string }[];
  };
  readonly key: { readonly algorithm: "Ed25519"; readonly fingerprint: string };
  readonly cameras: readonly ManifestCamera[];
};
export type ManifestCamera = {
  readonly id: string;
  readonly name: string;
  readonly make: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  readonly mac: string | null;
  /** Where its stream is, without login. */
  readonly address: string | null;
  /** Its clock minus the box's, at export and as it was found since shortly before the stretch. */
  readonly clock: {
    readonly nowOffsetMs: number | null;
    readonly found: readonly { readonly at: string; readonly clock: string; readonly offsetMs: number | null }[];
  };
  readonly dueMs: number;
  readonly recordedMs: number;
  readonly covered: readonly { readonly from: string; readonly to: string }[];
  /** What is not there, and why: gaps with their cause, deletions with their rule, stretches of unknown state. */
  readonly missing: readonly ({ readonly from: string; readonly to: string } & Missing)[];
  readonly segments: readonly ManifestSegment[];
  readonly views: readonly ManifestView[];
};
export type Missing =
  | { readonly kind: "gap"; readonly cause: string; readonly sure: string; readonly evidence: readonly string[] }
  | { readonly kind: "deleted" | "unknown"; readonly why: string };
export type ManifestSegment = {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  /** As it was taken when the file was closed; the copy's own stands in SHA256SUMS. */
  readonly sha256: string;
  /** The copy is what was recorded; false where the disk gave something else. */
  readonly matches: boolean;
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  /** The camera's main stream, or its smaller one, which is recorded while the main one does not hold. */
  readonly stream: StreamName;
  /** Trust in the box's clock when it was recorded. */
  readonly clock: string;
  /** Closed by the agent after its recorder died. */
  readonly torn: boolean;
};
export type ManifestView = { readonly file: string; readonly from: string; readonly to: string; readonly codec: string | null };

/** The parts of a camera's manifest that come from the ledger. */
export function ledgerParts(spans: readonly LedgerSpan[]): Pick<ManifestCamera, "covered" | "missing"> {
  const between = ({ fromAt, toAt }: Span) => ({ from: iso(fromAt), to: iso(toAt) });
  return {
    covered: spans.filter(({ kind }) => kind === "footage").map(between),
    missing: spans.flatMap((span): ManifestCamera["missing"] => {
      if (span.kind === "footage") return [];
      if (span.kind !== "gap") return [{ ...between(span), kind: span.kind, why: span.why }];
      const { kind, cause, sure, evidence } = span;
      return [{ ...between(span), kind, cause, sure, evidence }];
    }),
  };
}

/** Stretches of files of one stream that follow each other without a hole: each becomes one viewing copy. A joint of half a second is that of two runs of the recorder. */
const jointMs = 500;
type Playable = { readonly startAt: number; readonly endAt: number; readonly codec: string | null; readonly stream: StreamName };
export function runsOf<T extends Playable>(files: readonly T[]): readonly (readonly T[])[] {
  const runs: T[][] = [];
  for (const file of files) {
    const last = runs.at(-1);
    const previous = last?.at(-1);
    const isSame = file.codec === previous?.codec && file.stream === previous?.stream;
    if (last !== undefined && previous !== undefined && file.startAt - previous.endAt <= jointMs && isSame) last.push(file);
    else runs.push([file]);
  }
  return runs;
}

/** WebVTT: site, camera and Vietnamese time, each second. `files` play one after the other. */
export function subtitles(title: string, files: readonly { readonly startAt: number; readonly endAt: number }[]): string {
  const lines = ["WEBVTT", ""];
  let mediaMs = 0;
  for (const { startAt, endAt } of files) {
    for (let at = startAt; at < endAt; at += 1_000) {
      const [from, to] = [mediaMs + (at - startAt), mediaMs + (Math.min(at + 1_000, endAt) - startAt)];
      lines.push(`${cueTime(from)} --> ${cueTime(to)}`, `${cueText(title)} · ${vietnamTime(at)}`, "");
    }
    mediaMs += endAt - startAt;
  }
  return lines.join("\n");
}

/** What would be a tag or an entity of WebVTT (W3C, cue text) is written out. */
const cueText = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function cueTime(ms: number): string {
  const two = (value: number, digits = 2) => String(Math.floor(value)).padStart(digits, "0");
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1_000) % 60)}.${two(ms % 1_000, 3)}`;
}
