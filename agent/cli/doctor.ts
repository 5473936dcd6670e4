/** `matghi doctor`: the ladder of checks, worst first, each with the next step. Runs with the daemon up or down; changes nothing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeBox } from "../../hal/box.ts";
import { makeClock } from "../../hal/clock.ts";
import { makeDisks } from "../../hal/disks.ts";
import { makeFootage } from "../../hal/footage.ts";
import { makeMachine } from "../../hal/machine.ts";
import type { Machine } from "../../hal/ports.ts";
import { findTools } from "../../hal/recorder.ts";
import { makeRemux } from "../../hal/remux.ts";
import { rtsp } from "../../hal/rtsp.ts";
import type { Settings } from "../config/schema.ts";
import { formatProblem, loadConfig } from "../config.ts";
import { type Check, checkJson, findings, worstFirst } from "../core/checkup.ts";
import { makeDating } from "../core/dating.ts";
import { fill, type Language, wordsIn } from "../core/words.ts";
import type { DoctorMeans, Patient } from "../doctor/patient.ts";
import { examine } from "../doctor.ts";
import { type Asking, readStatus } from "../query.ts";
import { checkAuditOf, readAudit } from "../store/audit.ts";
import { databaseName, isLocked, whyBroken } from "../store/database.ts";
import { openReads } from "../store/store.ts";
import { version } from "../version.ts";
import { type Context, checkUser, exit, nowUtc, surroundingRules } from "./context.ts";

export type DoctorOptions = { readonly defaultPasswords?: boolean };

export async function doctor(context: Context, { defaultPasswords = false }: DoctorOptions, signal: AbortSignal): Promise<number> {
  const strict = loadConfig(context.configFile);
  const loaded = strict.kind === "good" ? strict : loadConfig(context.configFile, surroundingRules);
  const bad: readonly Check[] =
    strict.kind === "good"
      ? []
      : strict.problems.map((problem) => ({
          ...{ id: "config", finding: "config-bad", facts: { file: context.configFile } },
          because: formatProblem(context.configFile, problem),
        }));
  if (loaded.kind === "bad") return report(context, bad, "vi");
  const { settings } = loaded;
  checkUser(settings);
  const checks = await visit(context.configFile, settings, loaded.hash, signal, defaultPasswords);
  const others = bad.length === 0 ? checks : checks.filter(({ finding }) => finding !== "config-good");
  return report(context, worstFirst([...bad, ...others]), settings.site.language);
}

/** Examines a site by its settings. `triesDefaults`: at each camera its maker's login too. */
export async function visit(
  configFile: string,
  settings: Settings,
  hash: string,
  signal: AbortSignal,
  triesDefaults = false,
  machine: Machine = makeMachine(),
): Promise<readonly Check[]> {
  const { state } = settings.site;
  const database = databaseOf(state);
  const reads = database.kind === "good" ? openReads(state) : null;
  try {
    const nowAt = nowUtc(settings);
    const asking: Asking | null =
      reads === null ? null : { settings, reads, dating: makeDating(reads.boots()), running: isLocked(state), nowAt };
    const patient: Patient = {
      ...{ settings, database, asking, status: asking === null ? null : readStatus(asking, version), agentVersion: version },
      config: { hash, inUse: configInUse(state), file: configFile },
      identity: await makeBox().identity(),
      triesDefaults,
      audit: reads === null ? { entries: 0, problems: [] } : checkAuditOf(state, reads.meta("audit")),
    };
    return await examine(patient, meansOf(settings, machine), signal);
  } finally {
    reads?.close();
  }
}

const meansOf = (settings: Settings, machine: Machine): DoctorMeans => ({
  ...{ machine, footage: makeFootage(settings.recording.folder), clock: makeClock(settings.clock), streams: rtsp },
  disks: makeDisks(),
  remux: makeRemux(findTools(settings.site.state)),
});

function databaseOf(state: string): Patient["database"] {
  if (!existsSync(join(state, databaseName))) return { kind: "none" };
  const detail = whyBroken(state);
  return detail === null ? { kind: "good" } : { kind: "broken", detail };
}

/** The configuration that the agent took in last, as it wrote it down itself. */
function configInUse(state: string): string | null {
  const entry = readAudit(state).findLast(({ what }) => what === "service.started" || what === "config.changed");
  return typeof entry?.data.config === "string" ? entry.data.config : null;
}

function report(context: Context, checks: readonly Check[], language: Language): number {
  const count = (level: string) => checks.filter(({ finding }) => findings[finding] === level).length;
  const said = checks.map((check) => checkJson(check, language));
  const words = wordsIn(language).doctor;
  if (context.json) context.out(JSON.stringify({ checks: said }));
  else {
    for (const { level, text, because, next } of said) {
      context.out(`${words.levels[level]}: ${text}${because === "" || level === "ok" ? "" : ` (${words.because} ${because})`}`);
      if (next !== null && level !== "ok") context.out(`    → ${words.next}: ${next}`);
    }
    context.out(
      fill(words.sum, { broken: count("broken"), attention: count("attention"), unknown: count("not-checkable"), ok: count("ok") }),
    );
  }
  return count("broken") + count("attention") > 0 ? exit.needsPerson : exit.fine;
}
