/** Every permission by round trip: what is published arrives, or does not. A broker confirms subscriptions that it never serves. */
import { randomUUID } from "node:crypto";
import { asOurselves, asPerson, asSite, type Connected, connectAs, type Talker } from "./client.ts";
import type { Place } from "./place.ts";
import type { Register } from "./register.ts";

/** Two boxes, an officer, someone who sees all, and someone who sees the first box only. */
export type Cast = {
  readonly a: { readonly id: string; readonly cert: string; readonly key: string };
  readonly b: { readonly id: string; readonly cert: string; readonly key: string };
  readonly officer: Login;
  readonly viewer: Login;
  readonly neighbour: Login;
};
type Login = { readonly name: string; readonly password: string };
type Role = keyof Cast;

export type Check = { readonly who: Role; readonly may: boolean; readonly does: "write" | "read"; readonly topic: string };
export type Proved = Check & { readonly held: boolean };

/** Contract §7, each line tried. Topics after `matghi/v1/<commune>/`; A and B stand for the two boxes. */
export const checks: readonly Check[] = [
  ...each("a", "write", true, ["from/A/state", "from/A/event", "from/A/alarm/disk", "from/A/day/2026-01-01/cam"]),
  ...each("a", "write", false, [
    "from/B/state",
    "from/B/event",
    "to/A/ack",
    "to/A/command/rebirth",
    "to/A/officer/hold/x1",
    "to/B/command/ping",
  ]),
  ...each("a", "write", false, ["station/state", "station/note/A/cam", "station/answered/x1"]),
  ...each("a", "read", true, ["to/A/ack", "to/A/command/ping", "to/A/officer/hold/x1", "station/state", "from/A/state"]),
  ...each("a", "read", false, [
    "from/A/birth",
    "from/A/event",
    "from/B/state",
    "from/B/birth",
    "to/B/command/ping",
    "to/B/officer/hold/x1",
    "station/note/A/cam",
  ]),
  ...each("officer", "read", true, ["from/A/state", "from/B/event", "from/B/result/x1", "station/note/A/cam", "station/answered/x1"]),
  ...each("officer", "write", true, ["to/A/officer/hold/x1", "to/B/officer/hold/x2", "station/note/A/cam", "station/answered/x1"]),
  ...each("officer", "write", false, ["from/A/state", "to/A/ack", "to/A/command/ping", "to/A/command/replay", "station/state"]),
  ...each("viewer", "read", true, ["from/A/state", "from/B/day/2026-01-01/cam", "station/note/B/cam", "station/state"]),
  ...each("viewer", "read", false, ["to/A/command/ping", "to/A/officer/hold/x1"]),
  ...each("viewer", "write", false, [
    "from/A/state",
    "to/A/officer/hold/x1",
    "to/A/command/ping",
    "station/note/A/cam",
    "station/answered/x1",
    "station/state",
  ]),
  ...each("neighbour", "read", true, ["from/A/state", "from/A/birth", "from/A/camera/cam", "station/note/A/cam", "station/state"]),
  ...each("neighbour", "read", false, [
    "from/B/state",
    "from/B/birth",
    "from/B/alarm/disk",
    "to/B/ack",
    "station/note/B/cam",
    "station/answered/x1",
  ]),
  ...each("neighbour", "write", false, ["from/A/state", "to/A/officer/hold/x1", "station/note/A/cam"]),
];

function each(who: Role, does: Check["does"], may: boolean, topics: readonly string[]): readonly Check[] {
  return topics.map((topic) => ({ who, does, may, topic }));
}

/** Everybody may hear it, and it is nobody's of the cast: it is not told to be forgotten. */
const everybodys = "station/state";

/**
 * Tries all of them at a broker that runs; boards that are open are told to forget what was said: an empty message that is not retained
 * takes nothing from the broker. Throws where somebody of the cast does not get in at all.
 */
export async function prove(place: Place, register: Register, cast: Cast): Promise<readonly Proved[]> {
  const root = `matghi/v1/${register.commune}`;
  const full = (topic: string) => `${root}/${topic.replace("/A", `/${cast.a.id}`).replace("/B", `/${cast.b.id}`)}`;
  // Each asks for everything, as someone would who subscribes by hand.
  const open = async (who: string, connecting: Promise<Connected>): Promise<Talker> => {
    const result = await connecting;
    if (result.kind === "failed") throw new Error(`${who} does not get in: ${result.detail}`);
    return result.talker;
  };
  const person = (who: Role, { name, password }: Login) =>
    open(who, connectAs(place, asPerson(register, name, password, `check-${who}-${process.pid}`), ["#", `${root}/#`]));
  const site = (who: "a" | "b") => open(`box ${who}`, connectAs(place, asSite(register, cast[who].id, cast[who]), ["#", `${root}/#`]));
  const ear = await open(
    "the station's own tools",
    connectAs(place, asOurselves(place, register, `check-tools-${process.pid}`), [`${root}/#`]),
  );
  const roles: Record<Role, Talker> = {
    ...{ a: await site("a"), b: await site("b"), officer: await person("officer", cast.officer) },
    ...{ viewer: await person("viewer", cast.viewer), neighbour: await person("neighbour", cast.neighbour) },
  };
  try {
    const results: Proved[] = [];
    for (const check of checks) {
      const [from, to] = check.does === "write" ? [roles[check.who], ear] : [ear, roles[check.who]];
      const token = `{"check":"${randomUUID()}"}`;
      await from.say(full(check.topic), token);
      await barrier(ear, to, `${root}/${everybodys}`);
      const arrived = to.heard.some(({ topic, payload }) => topic === full(check.topic) && payload === token);
      results.push({ ...check, held: arrived === check.may });
      if (check.topic !== everybodys && (check.does === "read" || arrived)) await ear.say(full(check.topic), "");
    }
    return results;
  } finally {
    await Promise.all([ear, ...Object.values(roles)].map((talker) => talker.end()));
  }
}

const barrierMs = 10_000;

/** What everybody may hear: once it is there, all that was said before has come or will not. */
async function barrier(ear: Talker, to: Talker, topic: string): Promise<void> {
  const token = `{"check":"${randomUUID()}"}`;
  const deadline = Date.now() + barrierMs;
  let saidAt = 0;
  while (!to.heard.some(({ payload }) => payload === token)) {
    if (Date.now() > deadline) throw new Error("the broker delivers nothing");
    // Said again: the first may have come before the subscription.
    if (Date.now() - saidAt > 500) {
      saidAt = Date.now();
      await ear.say(topic, token);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
