/** What a person should do, worst first: one line for one fault, whatever hangs under it. Pure. */
import type { Alarm, Camera, Commune, Site } from "./commune.ts";

/** Sites that fall silent within this time of each other have one cause, as far as anybody can see. */
const togetherMs = 60_000;

export type Task = {
  /** Tells one fault from another as long as it lasts. */
  readonly key: string;
  readonly level: "broken" | "attention";
  readonly sinceAt: number | null;
  readonly cameras: readonly Camera[];
  /** Where its note stands: `<site>/<camera>`, or `<site>/_box` for the recorder itself. */
  readonly note: string;
} & (
  | { readonly kind: "area"; readonly sites: readonly Site[] }
  /** `spent`: silent, or off in order, and its last word was that it ran on its battery. */
  | { readonly kind: "silent" | "spent" | "stopped"; readonly site: Site; readonly isExact: boolean }
  | { readonly kind: "household"; readonly site: Site; readonly household: string; readonly alarms: readonly Alarm[] }
  | { readonly kind: "alarm"; readonly site: Site; readonly alarm: Alarm }
);

export function tasksOf({ sites }: Commune): readonly Task[] {
  const tasks = [...silences(sites), ...sites.filter(({ contact }) => contact.kind === "heard").flatMap(alarmsOf)];
  return tasks.sort(
    (a, b) => rank(a) - rank(b) || (a.sinceAt ?? Number.MAX_VALUE) - (b.sinceAt ?? Number.MAX_VALUE) || a.key.localeCompare(b.key),
  );
}

/** A box before a camera, a camera of a key area before others, what is broken before what will be. */
function rank(task: Task): number {
  if (task.level === "attention") return 4;
  if (task.kind === "area") return 0;
  if (task.kind !== "alarm" || task.alarm.camera === null) return 1;
  return task.cameras.some(({ isPriority }) => isPriority) ? 2 : 3;
}

function silences(sites: readonly Site[]): readonly Task[] {
  const stopped = sites.flatMap((site): readonly Task[] =>
    site.contact.kind === "stopped" ? [silence(site, "stopped", site.contact.sinceAt, true)] : [],
  );
  const lost = sites.flatMap((site) => (site.contact.kind === "silent" ? [{ site, ...site.contact }] : []));
  const dated = lost
    .flatMap(({ site, sinceAt, isExact }) => (isExact && sinceAt !== null ? [{ site, sinceAt }] : []))
    .sort((a, b) => a.sinceAt - b.sinceAt);
  const others = lost.filter(({ sinceAt, isExact }) => !isExact || sinceAt === null);
  return [
    ...stopped,
    ...others.map(({ site, sinceAt }) => silence(site, "silent", sinceAt, false)),
    ...clustersOf(dated).flatMap((cluster) =>
      cluster.length > 1 ? area(cluster) : cluster.map(({ site, sinceAt }) => silence(site, "silent", sinceAt, true)),
    ),
  ];
}

type Dated = { readonly site: Site; readonly sinceAt: number };

/** Those that follow each other closely, in order of time. */
function clustersOf(dated: readonly Dated[]): readonly (readonly Dated[])[] {
  const clusters: Dated[][] = [];
  for (const entry of dated) {
    const last = clusters.at(-1);
    const before = last?.at(-1);
    if (last !== undefined && before !== undefined && entry.sinceAt - before.sinceAt <= togetherMs) last.push(entry);
    else clusters.push([entry]);
  }
  return clusters;
}

const area = (cluster: readonly Dated[]): Task => ({
  ...{ kind: "area", level: "broken", sinceAt: cluster[0]?.sinceAt ?? null, sites: cluster.map(({ site }) => site) },
  ...{ key: `area ${cluster[0]?.site.id}`, note: `${cluster[0]?.site.id}/_box`, cameras: cluster.flatMap(({ site }) => reached(site)) },
});

const silence = (site: Site, kind: "silent" | "stopped", sinceAt: number | null, isExact: boolean): Task => ({
  ...{ kind: wasOnBattery(site) ? "spent" : kind, site, level: "broken", sinceAt, isExact },
  ...{ key: `${kind} ${site.id}`, note: `${site.id}/_box`, cameras: reached(site) },
});

/** Its alarm of power is taken back when mains returns, and outlives everything else that it said. */
const wasOnBattery = ({ alarms }: Site) => alarms.some(({ type }) => type === "power");

const reached = (site: Site) => site.cameras.filter(({ manual }) => manual === null);

/** Alarms of a site that speaks. What a dead disk or a dark house did to its cameras is no fault of theirs. */
function alarmsOf(site: Site): readonly Task[] {
  const hasDisk = site.alarms.some(({ type }) => type === "disk");
  const cameraOf = (alarm: Alarm) => site.cameras.find(({ id }) => id === alarm.camera);
  const isUnderDisk = (alarm: Alarm) => hasDisk && alarm.type === "camera" && isOfDisk(cameraOf(alarm));
  const houses = housesOf(site, cameraOf);
  const inHouse = new Set(houses.flatMap(({ alarms }) => alarms));
  const single = site.alarms.filter((alarm) => !isUnderDisk(alarm) && !inHouse.has(alarm));
  return [
    ...houses.map(
      ({ household, alarms, cameras }): Task => ({
        ...{ kind: "household", site, household, alarms, cameras, level: "broken" },
        ...{ key: `household ${site.id} ${household}`, note: `${site.id}/${cameras[0]?.id}`, sinceAt: earliest(alarms) },
      }),
    ),
    ...single.map((alarm): Task => {
      const camera = cameraOf(alarm);
      const under = alarm.type === "disk" ? site.cameras.filter(isOfDisk) : camera === undefined ? [] : [camera];
      return {
        ...{ kind: "alarm", site, alarm, level: alarm.level, sinceAt: alarm.sinceAt, cameras: under },
        ...{ key: `${alarm.type} ${site.id} ${alarm.camera ?? ""}`, note: `${site.id}/${alarm.camera ?? "_box"}` },
      };
    }),
  ];
}

const isOfDisk = (camera: Camera | undefined) => camera?.state === "not-recording" && (camera.why ?? "").startsWith("disk");

const earliest = (alarms: readonly Alarm[]): number | null => {
  const known = alarms.flatMap(({ sinceAt }) => (sinceAt === null ? [] : [sinceAt]));
  return known.length === 0 ? null : Math.min(...known);
};

type House = { readonly household: string; readonly alarms: readonly Alarm[]; readonly cameras: readonly Camera[] };

/** Households of which two cameras or more fell silent together. */
function housesOf(site: Site, cameraOf: (alarm: Alarm) => Camera | undefined): readonly House[] {
  const found = new Map<string, { alarm: Alarm; camera: Camera }[]>();
  for (const alarm of site.alarms) {
    const camera = cameraOf(alarm);
    if (alarm.type !== "camera" || camera?.household == null || camera.standing !== "dead") continue;
    const members = found.get(camera.household) ?? [];
    members.push({ alarm, camera });
    found.set(camera.household, members);
  }
  return [...found].flatMap(([household, members]) => {
    const times = members.map(({ alarm }) => alarm.sinceAt ?? Number.NaN);
    const isTogether = members.length > 1 && Math.max(...times) - Math.min(...times) <= togetherMs;
    return isTogether ? [{ household, alarms: members.map(({ alarm }) => alarm), cameras: members.map(({ camera }) => camera) }] : [];
  });
}
