/** `status` from what the store holds: what is true now, worst first, and what a person should do. Pure; agent/query.ts fills it. */
import { type ClockReading, clockTrouble } from "./acquaintance.ts";
import type { UtcMs } from "./dating.ts";
import type { CameraLine } from "./line.ts";
import { isTrouble, type PictureState, type PictureTrouble, pictureJson } from "./picture.ts";
import { durationText, numberText } from "./print.ts";
import type { Reach } from "./reach.ts";
import { mainTroubles } from "./stream.ts";
import type { Supply } from "./supply.ts";
import { iso, isoOrNull, vietnamTime } from "./time.ts";
import type { TrafficDays } from "./traffic.ts";
import type { Undone } from "./trial.ts";
import type { CameraState, StreamName, WallMs } from "./types.ts";
import { isUrgent, troubled, type Wear } from "./wear.ts";
import type { WifiFacts } from "./wifi.ts";
import { bytesText, evidenceText, fill, type Language, offsetText, wordOf, wordsIn } from "./words.ts";

/** What one sense says, since when, and by which driver. */
export type Felt = { readonly value: string; readonly sinceAt: UtcMs | null; readonly driver: string };

/** Times in here are UTC. */
export type StatusFacts = {
  readonly language: Language;
  readonly site: string;
  readonly version: string;
  readonly running: boolean;
  readonly run: { readonly boot: string; readonly startedAt: WallMs } | null;
  readonly disk: {
    readonly value: string;
    readonly sinceAt: WallMs | null;
    readonly freeBytes: number | null;
    readonly usedBytes: number;
    readonly heldBytes: number;
    readonly daysLeft: number | null;
    /** Until held footage alone has filled it; null: it does not. */
    readonly heldFullInMs: number | null;
  };
  /** Holds of which somebody wanted to be reminded by now. */
  readonly expiredHolds: readonly { readonly id: number; readonly camera: string; readonly untilUtc: UtcMs }[];
  /** The disks' own health; times UTC. */
  readonly wear: readonly Wear[];
  readonly supply: Supply | null;
  readonly clock: Felt;
  readonly power: Felt;
  readonly link: Felt & { readonly wifi: WifiFacts | null };
  readonly station: {
    readonly value: string;
    readonly sinceAt: WallMs | null;
    readonly unsent: number;
    /** Where the way to it is broken; null: nowhere, or nobody looked yet. */
    readonly reach: Reach | null;
    readonly oldestUnsentAt: WallMs | null;
    readonly traffic: TrafficDays;
  };
  readonly households: readonly HouseholdLine[];
  readonly cameras: readonly CameraFacts[];
  readonly unsupported: readonly string[];
  readonly foreign: readonly string[];
  readonly configProblem: string | null;
  readonly keepMinDays: number;
  /** Until the certificate towards the station ends; null: there is none. */
  readonly certificateDays: number | null;
  /** When another box with this one's identity was felt last; null: there is none. */
  readonly twinAt: UtcMs | null;
  /** The newer version that was left again, and why; null: none was, or another update has begun since. */
  readonly undone: Pick<Undone, "version" | "why"> | null;
  /** People's requests that nobody has answered: number in the register, and by when. */
  readonly unanswered: readonly { readonly id: number; readonly dueAt: UtcMs }[];
  readonly nowAt: UtcMs;
};
/** What a household's cameras have sent in a month of Vietnam, and what its internet line carried for the box and them. */
export type HouseholdLine = {
  readonly id: string;
  readonly reach: "lan" | "wan";
  readonly month: string;
  readonly cameraBytes: number;
  /** Without the station's own TLS and TCP; nothing of cameras that the box reaches within the house. */
  readonly internetBytes: number;
};
export type CameraFacts = {
  readonly id: string;
  readonly name: string;
  readonly state: CameraState;
  readonly why: string | null;
  readonly sinceAt: WallMs | null;
  readonly stream: StreamName;
  readonly lastFrameAt: WallMs | null;
  /** Share of the due time of the last 24 hours; null where nothing was due. */
  readonly recorded24h: number | null;
  readonly daysKept: number | null;
  /** null: it was never told. */
  readonly clock: ClockReading | null;
  /** Why its ONVIF side does not answer; null: it does, or has none. */
  readonly problem: string | null;
  readonly line: CameraLine | null;
  /** null: pictures are not looked at. */
  readonly picture: PictureState | null;
};
/** What a todo is about; with its camera it names the alarm (contract §7). */
export const troubles = [
  "stopped",
  "config",
  "power",
  "clock",
  "disk",
  "disk-health",
  "supply",
  "heat",
  "camera",
  "camera-clock",
  "camera-login",
  "picture",
  "station",
  "space",
  "certificate",
  "identity",
  "update",
  "foreign",
  "subject",
  "hold",
  "held",
] as const;
export type Trouble = (typeof troubles)[number];
export type Todo = {
  readonly type: Trouble;
  readonly level: "broken" | "attention";
  readonly camera: string | null;
  /** In the site's language. */
  readonly text: string;
  /** The same in the other languages: at the station somebody may read another one. */
  readonly texts: Readonly<Partial<Record<Language, string>>>;
  readonly since: string | null;
};

/** The JSON of contract §4. */
export function statusOf(facts: StatusFacts) {
  const rank: Record<CameraState, number> = { "not-recording": 0, degraded: 1, unknown: 2, recording: 3 };
  const cameras = [...facts.cameras].sort((a, b) => rank[a.state] - rank[b.state]);
  const felt = ({ value, sinceAt, driver }: Felt) => ({ value, since: isoOrNull(sinceAt), driver });
  return {
    ...{ site: facts.site, version: facts.version, running: facts.running },
    run: facts.run === null ? null : { boot: facts.run.boot, startedAt: iso(facts.run.startedAt) },
    power: felt(facts.power),
    link: { ...felt(facts.link), wifi: facts.link.wifi },
    clock: { ...felt(facts.clock), offsetMs: null },
    disk: {
      ...{ value: facts.disk.value, since: isoOrNull(facts.disk.sinceAt), freeBytes: facts.disk.freeBytes },
      ...{ usedBytes: facts.disk.usedBytes, daysLeft: facts.disk.daysLeft },
      health: facts.wear.map(({ sinceAt, isFailingCommands: _many, ...disk }) => ({ ...disk, since: isoOrNull(sinceAt) })),
    },
    station: {
      ...{ value: facts.station.value, since: isoOrNull(facts.station.sinceAt), unsent: facts.station.unsent },
      oldestUnsentAt: isoOrNull(facts.station.oldestUnsentAt),
      rung: facts.station.reach?.rung ?? null,
      detail: facts.station.reach?.detail ?? null,
      traffic: daysOfTraffic(facts.station.traffic),
    },
    households: facts.households,
    cameras: cameras.map((camera) => ({
      ...{
        id: camera.id,
        name: camera.name,
        state: camera.state,
        why: camera.why,
        since: isoOrNull(camera.sinceAt),
        stream: camera.stream,
      },
      ...{
        lastFrameAt: isoOrNull(camera.lastFrameAt),
        recorded24h: camera.recorded24h,
        daysKept: camera.daysKept,
        clockOffsetMs: camera.clock?.offsetMs ?? null,
        line: camera.line,
        picture: camera.picture === null ? null : pictureJson(camera.picture),
      },
    })),
    todo: todoOf(facts),
    notes: facts.unsupported.map((setting) => fill(wordsIn("en").notSupportedYet, { setting })),
  };
}
export type Status = ReturnType<typeof statusOf>;

const shownDays = 7;

/** The last days on which anything was told, newest first. */
const daysOfTraffic = (days: TrafficDays) =>
  Object.entries(days)
    .sort(([a], [b]) => b.localeCompare(a))
    .slice(0, shownDays)
    .map(([day, traffic]) => ({ day, ...traffic }));

/** A certificate's end is told so many days before, and is urgent in the last ones. */
const warnDays = { first: 60, last: 7 } as const;

const certificateText = (days: number, words: ReturnType<typeof wordsIn>): string =>
  days < 0 ? words.certificateOver : fill(words.certificateEnds, { days });

/** A feed that dipped since boot will dip again; heat counts while it lasts. */
function supplyTexts(supply: Supply | null, words: ReturnType<typeof wordsIn>): readonly (readonly ["supply" | "heat", string])[] {
  const dips = supply?.now.includes("under-voltage") ? "now" : supply?.sinceBoot.includes("under-voltage") ? "sinceBoot" : null;
  return [
    ...(dips === null ? [] : [["supply", words.supply[dips]] as const]),
    ...(supply?.now.includes("hot") ? [["heat", words.supply.hot] as const] : []),
  ];
}

function stationText({ station: { sinceAt, reach } }: StatusFacts, words: ReturnType<typeof wordsIn>): string {
  const down = fill(words.stationDown, { since: sinceText(sinceAt) });
  return reach === null ? down : `${down}; ${fill(words.rungs[reach.rung], { detail: reach.detail })}`;
}

function wearText(disk: ReturnType<typeof troubled>[number], words: ReturnType<typeof wordsIn>): string {
  const { device, holds, trouble, wornPercent, fileSystemErrors, badSectors } = disk;
  const name = fill(words.wear.disk[holds[0] ?? "state"], { device });
  const sentence = trouble === "worn" && wornPercent === null ? "spares" : trouble;
  const facts = { disk: name, errors: fileSystemErrors ?? 0, sectors: badSectors ?? 0, worn: wornPercent ?? 0 };
  return fill(words.wear.troubles[sentence], facts);
}

/** A camera that records nothing has another trouble first. */
const pictureTroubleOf = ({ state, picture }: CameraFacts): PictureTrouble | null =>
  picture !== null && isTrouble(picture.value) && (state === "recording" || state === "degraded") ? picture.value : null;

function pictureText({ id, name, picture }: CameraFacts, trouble: PictureTrouble, words: ReturnType<typeof wordsIn>): string {
  const when = picture?.day === picture?.night ? "both" : picture?.day === trouble ? "day" : "night";
  const facts = { id, name, when: words.pictures.when[when], since: sinceText(picture?.sinceAt ?? null) };
  return fill(words.pictures.troubles[trouble], facts);
}

const sinceText = (at: UtcMs | null) => (at === null ? "?" : vietnamTime(at));

const dayMs = 86_400_000;
/** Beside what is held there may be an open file or one that was just closed. */
const onlyHeldShare = 0.05;

function todoOf(facts: StatusFacts): readonly Todo[] {
  const other = facts.language === "vi" ? "en" : "vi";
  const others = todoIn({ ...facts, language: other });
  return todoIn(facts).map((item, i) => ({ ...item, texts: { [other]: others[i]?.text ?? item.text } }));
}

/** In one language; the same facts are the same list in each. */
function todoIn(facts: StatusFacts): readonly Omit<Todo, "texts">[] {
  const words = wordsIn(facts.language);
  const list: Omit<Todo, "texts">[] = [];
  const add = (type: Trouble, level: Todo["level"], camera: string | null, text: string, since: WallMs | null) =>
    list.push({ type, level, camera, text, since: isoOrNull(since) });
  if (!facts.running) add("stopped", "broken", null, words.notRunning, null);
  if (facts.configProblem !== null) add("config", "broken", null, fill(words.configBad, { detail: facts.configProblem }), null);
  if (facts.power.value === "battery" || facts.power.value === "low")
    add(
      "power",
      "broken",
      null,
      fill(facts.power.value === "low" ? words.batteryLow : words.onBattery, { since: sinceText(facts.power.sinceAt) }),
      facts.power.sinceAt,
    );
  if (facts.clock.driver === "script") add("clock", "attention", null, words.clockScripted, null);
  if (facts.running && facts.clock.value === "unset") add("clock", "attention", null, words.clockUnset, facts.clock.sinceAt);
  if (facts.disk.value !== "ok" && facts.disk.value !== "unknown")
    add("disk", "broken", null, fill(words.diskBad, { value: wordOf(words.disks, facts.disk.value) }), facts.disk.sinceAt);
  for (const [type, text] of supplyTexts(facts.supply, words)) add(type, "attention", null, text, null);
  for (const disk of troubled(facts.wear))
    add("disk-health", isUrgent(disk.trouble) ? "broken" : "attention", null, wearText(disk, words), disk.sinceAt);
  for (const camera of facts.cameras) {
    if (camera.state !== "not-recording") continue;
    add(
      "camera",
      "broken",
      camera.id,
      fill(words.cameraDown, {
        ...{ name: camera.name, since: sinceText(camera.sinceAt), why: evidenceText(camera.why ?? "", facts.language) },
        next: wordOf(words.cures, camera.why ?? "") === camera.why ? words.cures.silent : wordOf(words.cures, camera.why ?? ""),
      }),
      camera.sinceAt,
    );
  }
  for (const camera of facts.cameras) {
    const why = mainTroubles.find((trouble) => camera.state === "degraded" && trouble === camera.why);
    const now = fill(words.weakStream.now[camera.stream], { since: sinceText(camera.sinceAt) });
    if (why !== undefined)
      add("camera", "attention", camera.id, fill(words.weakStream.why[why], { name: camera.name, now }), camera.sinceAt);
  }
  for (const camera of facts.cameras) {
    const picture = pictureTroubleOf(camera);
    if (picture !== null) add("picture", "attention", camera.id, pictureText(camera, picture, words), camera.picture?.sinceAt ?? null);
  }
  for (const camera of facts.cameras) {
    const trouble = camera.clock === null ? null : clockTrouble(camera.clock);
    const length = offsetText(camera.clock?.offsetMs ?? 0, facts.language);
    if (trouble !== null)
      add("camera-clock", "attention", camera.id, fill(words.cameraClocks[trouble], { name: camera.name, length }), null);
    if (camera.problem === "password" && camera.why !== "refused-password")
      add("camera-login", "attention", camera.id, fill(words.onvifPassword, { name: camera.name }), null);
  }
  if (facts.running && (facts.station.value === "unreachable" || facts.station.value === "refused"))
    add("station", "attention", null, stationText(facts, words), facts.station.sinceAt);
  const { daysLeft, heldBytes } = facts.disk;
  if (daysLeft !== null && daysLeft < facts.keepMinDays && heldBytes > 0) {
    const held = bytesText(heldBytes, facts.language);
    add("space", "attention", null, fill(words.hold.much, { held, days: numberText(daysLeft, 1, facts.language) }), null);
  } else if (daysLeft !== null && daysLeft < facts.keepMinDays)
    add("space", "attention", null, fill(words.daysShort, { days: Math.floor(daysLeft), min: facts.keepMinDays }), null);
  const { certificateDays, site, twinAt } = facts;
  if (twinAt !== null) add("identity", "broken", null, fill(words.twin, { site, at: vietnamTime(twinAt) }), null);
  if (facts.undone !== null) add("update", "attention", null, fill(words.update.undone, { ...facts.undone }), null);
  if (certificateDays !== null && certificateDays <= warnDays.first)
    add("certificate", certificateDays <= warnDays.last ? "broken" : "attention", null, certificateText(certificateDays, words), null);
  const { heldFullInMs } = facts.disk;
  const { usedBytes } = facts.disk;
  if (facts.disk.value === "full" && heldBytes > 0 && usedBytes - heldBytes <= usedBytes * onlyHeldShare)
    add("held", "broken", null, words.hold.only, null);
  else if (heldFullInMs !== null && heldFullInMs < facts.keepMinDays * dayMs)
    add("held", "attention", null, fill(words.hold.filling, { length: durationText(heldFullInMs, facts.language) }), null);
  for (const { id, camera, untilUtc } of facts.expiredHolds)
    add("hold", "attention", null, fill(words.hold.expired, { id, camera, until: vietnamTime(untilUtc) }), untilUtc);
  for (const { id, dueAt } of facts.unanswered) {
    const sentence = dueAt <= facts.nowAt ? words.register.overdue : words.register.dueSoon;
    add("subject", "attention", null, fill(sentence, { id, due: vietnamTime(dueAt - 1).slice(9) }), null);
  }
  for (const file of facts.foreign) add("foreign", "attention", null, fill(words.foreign, { file }), null);
  return list;
}
