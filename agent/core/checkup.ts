/** The doctor's findings: each with how bad it is, what it rests on and the next step. Pure; agent/doctor.ts looks, the words stand in doctorwords.ts. */
import type { Language } from "./words.ts";
import { fill, wordsIn } from "./words.ts";

export const levels = ["broken", "attention", "not-checkable", "ok"] as const;
export type CheckLevel = (typeof levels)[number];

/** How bad each finding is. */
export const findings = {
  "config-bad": "broken",
  "config-drift": "attention",
  "config-waiting": "attention",
  "config-good": "ok",
  "service-down": "broken",
  "service-unheard": "attention",
  "service-restarts": "attention",
  "service-up": "ok",
  "ffmpeg-missing": "broken",
  "versions-good": "ok",
  "database-broken": "broken",
  "database-none": "not-checkable",
  "database-good": "ok",
  "audit-broken": "broken",
  "audit-good": "ok",
  "disk-unmounted": "broken",
  "disk-other": "broken",
  "disk-read-only": "broken",
  "disk-full": "broken",
  "disk-dead": "broken",
  "disk-system": "attention",
  "disk-slow": "attention",
  "disk-short": "attention",
  "disk-good": "ok",
  "smart-bad": "broken",
  "smart-worn": "attention",
  "smart-none": "not-checkable",
  "smart-good": "ok",
  "power-battery": "broken",
  "power-low-voltage": "broken",
  "power-unknown": "attention",
  "power-none": "not-checkable",
  "power-good": "ok",
  "clock-unset": "broken",
  "clock-loose": "attention",
  "clock-scripted": "attention",
  "clock-good": "ok",
  "link-down": "broken",
  "link-weak": "attention",
  "link-none": "not-checkable",
  "link-good": "ok",
  "station-none": "not-checkable",
  "station-no-name": "broken",
  "station-no-port": "broken",
  "station-no-trust": "broken",
  "station-expired": "broken",
  "station-refused": "broken",
  "station-silent": "broken",
  "station-certificate-over": "broken",
  "station-certificate": "broken",
  "station-certificate-soon": "attention",
  "station-backlog": "attention",
  "station-good": "ok",
  "camera-password": "broken",
  "camera-silent": "broken",
  "camera-no-stream": "broken",
  "camera-stalled": "broken",
  "camera-down": "broken",
  "camera-timestamps": "attention",
  "camera-sparse": "attention",
  "camera-clock": "attention",
  "camera-line": "attention",
  "camera-picture": "attention",
  "camera-default": "broken",
  "camera-open": "attention",
  "camera-nowhere": "not-checkable",
  "camera-late": "not-checkable",
  "camera-good": "ok",
  "ports-open": "attention",
  "ports-good": "ok",
} as const satisfies Record<string, CheckLevel>;
export type Finding = keyof typeof findings;

export type Check = {
  /** What was looked at: `disk`, `camera/ID`. */
  readonly id: string;
  readonly finding: Finding;
  /** What fills the sentence. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** What it rests on: a reading, an error, a path. */
  readonly because: string;
};

/** Worst first; what is equally bad stays in the order in which it was looked at: the box before its cameras. */
export function worstFirst(checks: readonly Check[]): readonly Check[] {
  const rank = ({ finding }: Check) => levels.indexOf(findings[finding]);
  return [...checks].sort((a, b) => rank(a) - rank(b));
}

/** One check as contract §4 has it. */
export function checkJson({ id, finding, facts, because }: Check, language: Language) {
  const { text, next } = wordsIn(language).doctor.findings[finding];
  return { id, level: findings[finding], text: fill(text, facts), because, next: next === "" ? null : fill(next, facts) };
}
