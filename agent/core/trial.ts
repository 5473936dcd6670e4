/** A version on trial: what is expected of it, what it has shown, what becomes of it. Lines `key=value`, since a shell reads them too. Pure. */

/** `<root>/trial`, as root wrote it before the switch; never changed while it is there. */
export type Trial = {
  /** Tells one trial from another of the same version. */
  readonly id: string;
  readonly version: string;
  /** What takes over again where it fails. */
  readonly previous: string;
  /** The agent's state folder, where its own report stands. */
  readonly state: string;
  /** Cameras that recorded under the previous version. */
  readonly cameras: readonly string[];
  /** Did the previous version have the station? */
  readonly station: boolean;
  readonly steadyMs: number;
};

/** So long everything must have been recorded. */
export const steadyMs = 600_000;
/** In steady times: this long it may take where nothing excuses it (an hour), and whatever does (a day). */
const patience = { plain: 6, excused: 144 } as const;

/** What was seen of one thing that is expected. `excused`: something that no version can change stands in its way, a house without power for instance. */
export type Seen = { readonly name: string; readonly met: boolean; readonly excused: boolean };
export type Shown = {
  /** Since this run of the agent began, and all its runs within this trial. */
  readonly runMs: number;
  readonly spentMs: number;
  readonly expected: readonly Seen[];
};

/** `steady`: this run has lasted long enough that its end is no failed start. `lacks`: names of what is missing. */
export type Verdict =
  | { readonly kind: "waiting"; readonly steady: boolean; readonly lacks: readonly string[] }
  | { readonly kind: "good" }
  | { readonly kind: "back"; readonly lacks: readonly string[] };

export function judgeTrial(trial: Pick<Trial, "steadyMs">, { runMs, spentMs, expected }: Shown): Verdict {
  const missing = expected.filter(({ met }) => !met);
  const lacks = missing.map(({ name }) => name);
  const steady = runMs >= trial.steadyMs;
  if (steady && lacks.length === 0) return { kind: "good" };
  const isExcused = missing.every(({ excused }) => excused);
  const mostMs = trial.steadyMs * (isExcused ? patience.excused : patience.plain);
  return spentMs >= mostMs ? { kind: "back", lacks: steady ? lacks : ["time", ...lacks] } : { kind: "waiting", steady, lacks };
}

/** What the agent says of its trial, `<state>/trial`. `looks` counts up, so that a judge who fell silent is noticed from outside. */
export type TrialReport = { readonly id: string; readonly looks: number; readonly spentMs: number; readonly verdict: Verdict };

/** Why a version was left again, `<root>/undone`. */
export type Undone = { readonly id: string; readonly version: string; readonly previous: string; readonly why: string };

/** A version as it may name a folder; Debian's alphabet for versions. */
export const isVersion = (text: string): boolean => /^[0-9][0-9A-Za-z.+~-]{0,63}$/.test(text);

const linesOf = (facts: Readonly<Record<string, string | number>>): string =>
  Object.entries(facts)
    .map(([key, value]) => `${key}=${String(value).replace(/\n/g, " ")}\n`)
    .join("");

function factsOf(text: string): (key: string) => string {
  const lines = text.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const);
  return (key) => lines.find(([name]) => name === key)?.[1] ?? "";
}

const listOf = (text: string): readonly string[] => (text === "" ? [] : text.split(","));

export function trialText({ id, version, previous, state, cameras, station, steadyMs }: Trial): string {
  return linesOf({ id, version, previous, state, cameras: cameras.join(","), station: station ? "yes" : "no", steadyMs });
}

/** null: no trial, or one that was not written whole. */
export function readTrial(text: string): Trial | null {
  const fact = factsOf(text);
  const trial = { id: fact("id"), version: fact("version"), previous: fact("previous"), state: fact("state") };
  const steadyMs = Number(fact("steadyMs"));
  if (trial.id === "" || !isVersion(trial.version) || !isVersion(trial.previous) || !(steadyMs > 0)) return null;
  return { ...trial, cameras: listOf(fact("cameras")), station: fact("station") === "yes", steadyMs };
}

export function reportText({ id, looks, spentMs, verdict }: TrialReport): string {
  const steady = verdict.kind !== "waiting" || verdict.steady ? "yes" : "no";
  const lacks = verdict.kind === "good" ? "" : verdict.lacks.join(",");
  return linesOf({ id, verdict: verdict.kind, steady, lacks, looks, spentMs });
}

/** null: nothing that a version on trial has written. */
export function readReport(text: string): TrialReport | null {
  const fact = factsOf(text);
  const [id, kind, lacks] = [fact("id"), fact("verdict"), listOf(fact("lacks"))];
  const said = { id, looks: Number(fact("looks")) || 0, spentMs: Number(fact("spentMs")) || 0 };
  if (id === "") return null;
  if (kind === "good") return { ...said, verdict: { kind } };
  if (kind === "back") return { ...said, verdict: { kind, lacks } };
  return kind === "waiting" ? { ...said, verdict: { kind, steady: fact("steady") === "yes", lacks } } : null;
}

export const undoneText = ({ id, version, previous, why }: Undone): string => linesOf({ id, version, previous, why });

export function readUndone(text: string): Undone | null {
  const fact = factsOf(text);
  const undone = { id: fact("id"), version: fact("version"), previous: fact("previous"), why: fact("why") };
  return isVersion(undone.version) && isVersion(undone.previous) ? undone : null;
}

/** As it stands in the store; null: the version in use was not taken back. */
export const undoneOf = (note: string | null): Undone | null => JSON.parse(note ?? "null") as Undone | null;

/** What holds of the versions on a box, read from what lies there. */
export type Standing =
  | { readonly kind: "settled" }
  /** The update was cut off before its switch: nothing has changed. */
  | { readonly kind: "not-begun"; readonly trial: Trial }
  | { readonly kind: "trial"; readonly trial: Trial; readonly report: TrialReport | null }
  | { readonly kind: "good"; readonly trial: Trial }
  | { readonly kind: "going-back"; readonly undone: Undone }
  | { readonly kind: "undone"; readonly undone: Undone };

/** `current`: the version in use. Texts: of the three files; empty where one is not there. */
export function standingOf(current: string, files: { readonly trial: string; readonly report: string; readonly undone: string }): Standing {
  const [trial, report, undone] = [readTrial(files.trial), readReport(files.report), readUndone(files.undone)];
  if (undone !== null) return trial === null ? { kind: "undone", undone } : { kind: "going-back", undone };
  if (trial === null) return { kind: "settled" };
  if (trial.version !== current) return { kind: "not-begun", trial };
  const own = report?.id === trial.id ? report : null;
  return own?.verdict.kind === "good" ? { kind: "good", trial } : { kind: "trial", trial, report: own };
}
