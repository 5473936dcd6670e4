/** A configuration that changes while the agent runs. */
import { readSecret } from "./config/rules.ts";
import type { Settings } from "./config/schema.ts";
import { formatProblem, loadConfig } from "./config.ts";
import { wordsIn } from "./core/words.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Store } from "./store/store.ts";

/** The configuration in force. */
export type Config = {
  settings(): Settings;
  hash(): string;
  /** Takes the file in as it stands now; false: what is in force stays in force, and why is said. */
  reload(deps: ReloadDeps): boolean;
};
type InForce = { readonly settings: Settings; readonly hash: string };
export type ReloadDeps = { readonly store: Pick<Store, "commit">; readonly time: Time; readonly log: Log };

export function holdConfig(file: string, first: InForce): Config {
  let now = first;
  return {
    settings: () => now.settings,
    hash: () => now.hash,
    reload: (deps) => {
      const next = reloadConfig(file, now.settings, deps);
      now = next ?? now;
      return next !== null;
    },
  };
}

/** A bad file changes nothing and is said. What needs a new start is said too. */
function reloadConfig(file: string, before: Settings, { store, time, log }: ReloadDeps): InForce | null {
  const loaded = loadConfig(file, ["system-disk"]);
  const refuse = (detail: string) => {
    log.error({ detail }, "the changed configuration was refused; the old one stays in use");
    store.commit([{ put: "note", note: "config-problem", text: detail }]);
    return null;
  };
  if (loaded.kind === "bad") return refuse(loaded.problems.map((problem) => formatProblem(file, problem))[0] ?? "");
  const next = loaded.settings;
  const fixed = ({ site, recording, station, power, link, clock }: Settings) =>
    JSON.stringify([site, recording.folder, station, power, link, clock]);
  if (fixed(before) !== fixed(next)) return refuse(wordsIn(before.site.language).configRestart);
  store.commit([
    { put: "note", note: "config-problem", text: null },
    { put: "event", moment: time.moment(), type: "config.changed", level: "info", data: { config: loaded.hash } },
  ]);
  return { settings: next, hash: loaded.hash };
}

/** Every password that the configuration names, as it is now: the log hides them. */
export function secretsOf(settings: Settings): readonly string[] {
  const files = [...settings.cameras.map((camera) => camera.passwordFile), settings.station?.passwordFile];
  return files.flatMap((file) => {
    try {
      return file === undefined ? [] : [readSecret(file)];
    } catch {
      return [];
    }
  });
}
