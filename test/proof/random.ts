/** Faults drawn at random for hours, the laws looked at after each. */
import { join } from "node:path";
import { sleep, until } from "../lib/agent.ts";
import { markedBy, openFiles } from "../lib/footage.ts";
import { brokenLawsOf, inspect, type Size, sizeOf } from "../lib/inspect.ts";
import { tempFolder } from "../lib/temp.ts";
import { type Deed, deeds, diskDeeds } from "./deeds.ts";
import { againMs, makeScene, names, recordingAgain, type Scene, topic } from "./scene.ts";

/**
 * Growth over a whole run that is no leak. The database keeps the rows of ten minutes' files – 480 of at most 250 bytes (test/store/index.test.ts),
 * more where faults cut them short: twice as much – and every event (agent/core/journal.ts: up to 100,000).
 */
const mostGrown = { residentMiB: 40, handles: 12, databaseMiB: 0.25 };
/** An event's row and index took 300 bytes, and the gap, run, boot or step of the clock that it tells of 75 (measured with dbstat after 82 drawn events). */
const eventBytes = 512;
const allKinds: readonly string[] = [...Object.keys(deeds), ...Object.keys(diskDeeds)];
/** So many events may be on their way to the station at any moment (the publisher's window, agent/publish.ts). */
const mostUnsent = 8;

/** What came of one drawn fault: `NOT MADE` is a fault of ours, and proves nothing of the agent. */
type Turn = { readonly kind: string; readonly result: "holds" | "BROKEN" | "NOT MADE"; readonly why: readonly string[] };

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s*\n\s*/g, "; ");

/** Makes one fault and judges what it left. Nothing that goes wrong here ends the run: hours of it would be lost. */
async function take(scene: Scene, kind: string, deed: Deed): Promise<Turn> {
  const made = await deed(scene).then(
    (found = []) => ({ found, failed: null }),
    (error: unknown) => ({ found: [], failed: reason(error) }),
  );
  const why = [...made.found, ...(await judge(scene).catch((error: unknown) => [`could not be judged: ${reason(error)}`]))];
  if (made.failed !== null) return { kind, result: "NOT MADE", why: [made.failed, ...why] };
  return { kind, result: why.length === 0 ? "holds" : "BROKEN", why };
}

/** Every law that is broken after the agent had its time; one that has ended by itself is started again. */
async function judge(scene: Scene): Promise<readonly string[]> {
  const ended = await Promise.race([
    scene.agent().ended.then((code) => [`the agent ended with ${code}: ${scene.agent().lines().at(-1)?.msg}`]),
    sleep(0).then(() => []),
  ]);
  if (ended.length > 0) scene.start();
  const late = await recordingAgain(scene).then(
    () => [],
    (error: unknown) => [reason(error)],
  );
  await until("the station has all", againMs, () => complaintsOf(scene).length === 0).catch(() => undefined);
  return [...ended, ...late, ...complaintsOf(scene), ...(await brokenLawsOf(scene.agent(), 30_000))];
}

/**
 * Every event came once or more under one id, the first ones in order, none missing up to what the agent has had confirmed, and none waits.
 * A kill or a power cut throws the cursor back by up to a second: then some come again, under the same ids.
 */
function complaintsOf({ listener, agent }: Scene): readonly string[] {
  const { cursor, last } = inspect(agent(), ({ reads }) => ({ cursor: Number(reads.meta("cursor") ?? 0), last: reads.eventRange().last }));
  const ids = new Map<number, Set<string>>();
  for (const { topic: heard, text } of listener.heard) {
    if (heard !== topic) continue;
    const { g, id } = JSON.parse(text) as { g: number; id: string };
    ids.set(g, (ids.get(g) ?? new Set()).add(id));
  }
  const firsts = [...ids.keys()];
  const missing = Array.from({ length: cursor }, (_, i) => i + 1).filter((g) => !ids.has(g));
  return [
    ...[...ids].filter(([, of]) => of.size > 1).map(([g]) => `event ${g} came under two ids`),
    ...(missing.length > 0 ? [`${missing.length} events never came, first ${missing[0]}`] : []),
    ...(firsts.every((g, i) => i === 0 || g > (firsts[i - 1] ?? 0)) ? [] : ["events came out of order"]),
    ...(last - cursor > mostUnsent ? [`${last - cursor} events wait for the station`] : []),
  ];
}

/** One law that stays broken would fill the disk with copies. */
const mostKept = 5;

/** What a person needs to find out why the `times`-th fault did not hold; the rest goes with the run. */
function keep(scene: Scene, times: number): string {
  if (times > mostKept) return `nothing more is kept after ${mostKept} times`;
  try {
    return `what was there is kept in ${scene.keep()}`;
  } catch (error) {
    return `what was there could not be kept: ${reason(error)}`;
  }
}

/** null: the agent has just ended, as the next turn will say. */
function measure(scene: Scene): Size | null {
  try {
    return sizeOf(scene.agent().pid, scene.state);
  } catch {
    return null;
  }
}

function kindsFor({ disks }: Scene, only: readonly string[] | undefined): ReadonlyMap<string, Deed> {
  const withDisk = Object.entries(diskDeeds).map(([kind, deed]): [string, Deed | null] => [
    kind,
    disks === null ? null : (scene) => deed(scene, disks),
  ]);
  const all = [...Object.entries(deeds), ...withDisk].filter(([kind]) => only?.includes(kind) ?? true);
  return new Map(all.flatMap(([kind, deed]) => (deed === null ? [] : [[kind, deed]])));
}

type Totals = { readonly turns: readonly Turn[]; readonly first: Size; readonly last: Size; readonly orphans: number };

/** Prints the table and what has grown; true: everything held. */
function conclude({ turns, first, last, orphans }: Totals, say: (line: string) => void): boolean {
  const count = (kind: string, result: Turn["result"]) => turns.filter((turn) => turn.kind === kind && turn.result === result).length;
  say("\n| fault | held | laws broken | not made |\n|---|---|---|---|");
  for (const kind of new Set(turns.map((turn) => turn.kind)))
    say(`| ${kind} | ${count(kind, "holds")} | ${count(kind, "BROKEN")} | ${count(kind, "NOT MADE")} |`);
  const grown = {
    ...{ residentMiB: last.residentMiB - first.residentMiB, handles: last.handles - first.handles },
    ...{ databaseMiB: last.databaseMiB - first.databaseMiB, events: last.events - first.events },
  };
  const mostDatabaseMiB = mostGrown.databaseMiB + (grown.events * eventBytes) / 2 ** 20;
  say(
    `\nfaults: grown by ${grown.residentMiB.toFixed(1)} MiB of memory (≤ ${mostGrown.residentMiB}), ${grown.handles} handles (≤ ${mostGrown.handles}), ${grown.databaseMiB.toFixed(2)} MiB of database with ${grown.events} events (≤ ${mostDatabaseMiB.toFixed(2)}); ${orphans} processes left behind`,
  );
  const isBounded =
    grown.residentMiB <= mostGrown.residentMiB && grown.handles <= mostGrown.handles && grown.databaseMiB <= mostDatabaseMiB;
  return isBounded && orphans === 0 && turns.every(({ result }) => result === "holds");
}

export async function roam(options: {
  readonly hours: number;
  readonly seed: number;
  /** Draws from these faults only. */
  readonly only: readonly string[] | undefined;
  readonly say: (line: string) => void;
}): Promise<boolean> {
  const { hours, seed, only, say } = options;
  const strange = only?.find((kind) => !allKinds.includes(kind));
  if (strange !== undefined) throw new Error(`no drawn fault is called ${strange}; there are: ${allKinds.join(", ")}`);
  say(`faults: drawn for ${hours} h, seed ${seed}`);
  const scene = await makeScene(tempFolder("roam"), seed, hours);
  try {
    const kinds = kindsFor(scene, only);
    if (kinds.size === 0) throw new Error("what is asked for needs root: sudo npm run faults");
    if (scene.disks === null) say(`SKIPPED: ${Object.keys(diskDeeds).join(", ")}: need root`);
    await until("all cameras record", 120_000, () => names.every((name) => openFiles(join(scene.footage, name)).length > 0));
    await sleep(15_000);
    const drawn = await Promise.race([asked(), drawUntil(performance.now() + hours * 3_600_000, scene, kinds, say)]);
    if (drawn === null) {
      say(`faults: ended by a signal, nothing judged; repeat it with --seed ${seed}`);
      return false;
    }
    const { turns, first, last } = drawn;
    await scene.agent().stop();
    const holds = conclude({ turns, first, last, orphans: markedBy(scene.state).length }, say);
    say(holds ? "faults: every law held after every fault" : `faults: repeat it with --seed ${seed}`);
    return holds;
  } finally {
    await scene.end();
  }
}

/** Resolves with null when somebody wants it to end: processes and mounts are taken away all the same. */
const asked = (): Promise<null> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(null));
  });

async function drawUntil(
  endMs: number,
  scene: Scene,
  kinds: ReadonlyMap<string, Deed>,
  say: (line: string) => void,
): Promise<Omit<Totals, "orphans">> {
  const turns: Turn[] = [];
  let [first, last]: (Size | null)[] = [null, null];
  while (performance.now() < endMs) {
    const [kind, deed] = scene.draw.one([...kinds] as [[string, Deed], ...[string, Deed][]]);
    const turn = await take(scene, kind, deed);
    turns.push(turn);
    const size: Size | null = measure(scene) ?? last ?? null;
    first ??= size;
    last = size;
    const times = turns.filter(({ result }) => result !== "holds").length;
    const found = turn.result === "holds" ? "holds" : `${turn.result}: ${turn.why.slice(0, 3).join("; ")}; ${keep(scene, times)}`;
    say(
      `${kind}: ${found} (${size?.residentMiB.toFixed(0)} MiB, ${size?.handles} handles, database ${size?.databaseMiB.toFixed(2)} MiB with ${size?.events} events)`,
    );
  }
  if (first == null || last == null) throw new Error("nothing was drawn in that time: ask for more --hours");
  return { turns, first, last };
}
