/** A site under drawn faults on virtual time: eight cameras, the whole agent, its real database, and a station that listens. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { databaseName } from "../../agent/store/database.ts";
import { makeArchive } from "./archive.ts";
import { type Draw, drawFrom } from "./draw.ts";
import { gapMsOf, lawsOf } from "./laws.ts";
import { makeVillage, type Village } from "./world.ts";

const minute = 60_000;
const names = ["cho-1", "cho-2", "truong-1", "truong-2", "cau-1", "cau-2", "dinh-1", "dinh-2"] as const;
const routers: Readonly<Record<string, string>> = { cho: "10.0.1.1", truong: "10.0.2.1" };
const houseOf = (name: string) => name.split("-")[0] ?? "";
/** After a fault: the agent notices, records again, tells the station, compares folder and index. */
const settleMs = 4 * minute;

export type Soaked = {
  readonly seed: number;
  readonly virtualHours: number;
  readonly realSeconds: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly events: number;
  readonly twice: number;
  readonly databaseBytes: number;
  /** Seconds of footage that are missing beyond the time of the troubles, of each fault and camera: the price of a fault. */
  readonly lostSeconds: readonly number[];
  /** Laws that were broken, each with the fault after which it was seen. */
  readonly broken: readonly string[];
};

type Scene = { readonly village: Village; readonly draw: Draw; readonly archive: ReturnType<typeof makeArchive> };
/** Makes trouble, lets time pass, mends it. Resolves with the cameras that it took the pictures from. */
type Fault = (scene: Scene, ms: number) => Promise<readonly string[]>;

const withCameras =
  (reason: "silent" | "refused-password" | "refused-connection" | "not-found", everyone: boolean): Fault =>
  async ({ village, draw }, ms) => {
    const who = everyone ? [...names] : draw.some(names);
    for (const name of who) village.scene.trouble.set(name, reason);
    await village.pass(ms);
    for (const name of who) village.scene.trouble.delete(name);
    return who;
  };

const ofHouse =
  (withPower: boolean): Fault =>
  async ({ village, draw }, ms) => {
    const house = draw.one(["cho", "truong"] as const);
    const who = names.filter((name) => houseOf(name) === house);
    const router = routers[house] ?? "";
    for (const name of who) village.scene.trouble.set(name, "silent");
    if (withPower) village.scene.silentRouters.add(router);
    await village.pass(ms);
    for (const name of who) village.scene.trouble.delete(name);
    village.scene.silentRouters.delete(router);
    return who;
  };

const ofDisk =
  (value: "full" | "read-only" | "unmounted"): Fault =>
  async ({ village }, ms) => {
    village.disk.set(value);
    await village.pass(ms);
    village.disk.set("ok");
    return names;
  };

/** Things go on happening while the line is bad: a camera falls silent meanwhile. */
const ofLine =
  (state: "away" | "swallowing" | "deaf" | "busy"): Fault =>
  async ({ village, archive, draw }, ms) => {
    const name = draw.one(names);
    archive.set(state);
    await village.pass(ms / 4);
    village.scene.trouble.set(name, "silent");
    await village.pass(ms / 4 + minute);
    village.scene.trouble.delete(name);
    await village.pass(ms / 2);
    archive.set("well");
    return [name];
  };

/** A cut knows no minutes; the clock afterwards is right, or wrong until it is set. */
const powerCut: Fault = async ({ village, draw }, ms) => {
  await village.pass(draw.between(1, 59) * 1_000);
  village.cut();
  await village.pass(ms);
  const wrongMs = draw.share() < 0.3 ? draw.between(-180, 30) * minute : 0;
  await village.boot(wrongMs === 0 ? {} : { wrongMs, trust: "unset" });
  if (wrongMs !== 0) await village.pass(draw.between(1, 20) * minute);
  village.sync();
  return names;
};

const restart: Fault = async ({ village }, ms) => {
  await village.stop();
  await village.pass(ms);
  await village.boot({ orderly: true });
  return names;
};

/** A cut while the station is away, right after a house went dark. */
const everythingAtOnce: Fault = async (scene, ms) => {
  scene.archive.set("away");
  scene.village.disk.set("full");
  await scene.village.pass(30_000);
  scene.village.disk.set("ok");
  await powerCut(scene, ms);
  scene.archive.set("well");
  return names;
};

const faults: Readonly<Record<string, Fault>> = {
  ...{ "power cut": powerCut, "stop and start": restart, "everything at once": everythingAtOnce },
  ...{ "cameras silent": withCameras("silent", false), "all cameras silent": withCameras("silent", true) },
  ...{ "wrong password": withCameras("refused-password", false), "cameras refuse": withCameras("refused-connection", false) },
  ...{ "stream is gone": withCameras("not-found", false), "house without power": ofHouse(true), "house without network": ofHouse(false) },
  ...{ "disk full": ofDisk("full"), "disk read-only": ofDisk("read-only"), "disk unmounted": ofDisk("unmounted") },
  ...{
    "broker away": ofLine("away"),
    "line swallows": ofLine("swallowing"),
    "confirmations lost": ofLine("deaf"),
    "broker over its quota": ofLine("busy"),
  },
};
const kinds = Object.keys(faults) as [string, ...string[]];

/** Runs `hours` of virtual time in `folder`. `say` hears of each fault as it is over. */
export async function soak(options: {
  readonly folder: string;
  readonly seed: number;
  readonly hours: number;
  readonly say: (line: string) => void;
}): Promise<Soaked> {
  const { folder, seed, hours, say } = options;
  const began = performance.now();
  const draw = drawFrom(seed);
  const archive = makeArchive();
  const startAt = Date.parse("2026-11-23T17:00:00.000Z");
  const village = makeVillage({
    ...{ folder, startAt, broker: archive.broker },
    cameras: names.map((id) => `id: ${id}, url: "rtsp://${id}/"${routers[houseOf(id)] === undefined ? "" : `, household: ${houseOf(id)}`}`),
    more: [`households: [${Object.entries(routers).map(([id, router]) => `{ id: ${id}, router: ${router} }`)}]`],
  });
  const scene = { village, draw, archive };
  const counts: Record<string, number> = {};
  const broken: string[] = [];
  const lostSeconds: number[] = [];
  const gapsOf = () => village.ask((asking) => names.map((name) => ({ name, gapMs: gapMsOf(asking, name) })));
  await village.boot();
  await village.pass(settleMs);
  // Each kind once, in drawn order, then as they are drawn.
  const first = [...kinds].map((kind) => ({ kind, at: draw.share() })).sort((a, b) => a.at - b.at);
  while (village.now() < startAt + hours * 60 * minute) {
    const kind = first.shift()?.kind ?? draw.one(kinds);
    await village.pass(draw.between(10, 600) * 1_000);
    const [before, fromAt] = [gapsOf(), village.now()];
    const who = (await faults[kind]?.(scene, draw.between(20, 900) * 1_000)) ?? [];
    const troubleMs = village.now() - fromAt;
    await village.pass(settleMs);
    counts[kind] = (counts[kind] ?? 0) + 1;
    for (const [i, { name, gapMs }] of gapsOf().entries())
      lostSeconds.push(Math.max(0, gapMs - (before[i]?.gapMs ?? 0) - (who.includes(name) ? troubleMs : 0)) / 1_000);
    const found = [...check(village), ...complaintsOf(scene)];
    broken.push(...found.map((law) => `after ${kind} (${Object.values(counts).length}): ${law}`));
    if (found.length > 0) say(`${kind}: ${found[0]}`);
    if (broken.length > 20) break;
  }
  await village.stop();
  return {
    ...{ seed, virtualHours: (village.now() - startAt) / (60 * minute), realSeconds: (performance.now() - began) / 1_000 },
    ...{ faults: counts, events: archive.heard.events, twice: archive.heard.twice, lostSeconds, broken },
    databaseBytes: statSync(join(folder, "state", databaseName)).size,
  };
}

function check({ ask, disk }: Village): readonly string[] {
  const files = [...disk.files.keys()];
  const open = files.filter((file) => file.endsWith(".part"));
  const many = names.filter((name) => open.filter((file) => file.startsWith(`${name}/`)).length > 1);
  return [
    ...ask((asking) => lawsOf(asking, { names, files, mayForget: false })),
    ...many.map((name) => `${name}: more than one file is open`),
    ...files.filter((file) => file.endsWith(".unreadable")).map((file) => `${file}: set aside`),
  ];
}

function complaintsOf({ village, archive }: Scene): readonly string[] {
  return village.ask(({ reads }) => archive.complaints(reads.meta("db") ?? "", Number(reads.meta("cursor") ?? 0)).concat(undrained(reads)));
}

/** A healthy line has taken all but the newest. */
function undrained(reads: { eventRange(): { last: number }; meta(key: string): string | null }): readonly string[] {
  const left = reads.eventRange().last - Number(reads.meta("cursor") ?? 0);
  return left > 8 ? [`${left} events still wait for the station`] : [];
}
