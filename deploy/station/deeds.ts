/** What a person does with a station: sites and people come and go. Each deed leaves register, rights and broker of one mind. */
import { writeFileSync } from "node:fs";
import { sealText } from "../../agent/age.ts";
import { type Tunnel, tunnelText } from "../../agent/core/tunnel.ts";
import type { Enrolment } from "../../agent/enrolment.ts";
import { asOurselves, connectAs, type Talker } from "./client.ts";
import { authorityOf, keysOf, put, readRegister, reload } from "./keep.ts";
import { makeKeyPair } from "./keys.ts";
import { hashOf, makeSecret, passwordChars } from "./passwords.ts";
import type { Place } from "./place.ts";
import {
  type Changed,
  freeNumber,
  type Peer,
  type PeerKind,
  type Person,
  type Reach,
  type Register,
  withoutPerson,
  withoutRouter,
  withoutSite,
  withPerson,
  withRouter,
  withSite,
} from "./register.ts";
import { givenTo, mostPeers, networkOf, tunnels } from "./tunnel.ts";

/** A deed that cannot be done, with the next step. */
export class Undoable extends Error {}

/** A deed on something that is not on the list. */
export class Unknown extends Undoable {}

export function registerOf(place: Place): Register {
  const register = readRegister(place);
  if (register === null)
    throw new Undoable("there is no station here yet; run deploy/station/install --commune ID --name NAME --host ADDRESS first");
  return register;
}

/** The register after a change, written and told to whoever runs. */
function settle(place: Place, changed: Changed): Register {
  if (changed.kind === "refused") throw new Undoable(changed.why);
  put(place, changed.register);
  reload(place);
  return changed.register;
}

const codeChars = 16;

/** `address`: in the tunnel; null where the file has none. `trouble`: the file is made, but whoever runs was not told. */
export type Enrolled = {
  readonly file: string;
  readonly code: string;
  readonly endsAt: string;
  readonly address: string | null;
  readonly trouble: Error | null;
};

/**
 * A certificate for a site and its end of the tunnel, in a file that only the code opens. Nobody's earlier one ends by it.
 * `isHere`: the recorder is this machine, which needs no tunnel to itself.
 */
export function addSite(place: Place, id: string, file: string, isHere = false): Enrolled {
  const register = registerOf(place);
  const authority = authorityOf(place, register.commune);
  const probe = withSite(register, id, { serial: "", endsAt: "" });
  if (probe.kind === "refused") throw new Undoable(probe.why);
  const tunnel = isHere ? null : newPeer(place, register, "site");
  const { cert, key, serial, endsAt } = authority.site(id);
  const host = isHere ? "127.0.0.1" : tunnel === null ? register.hosts[0] : tunnels.station;
  const url = `mqtts://${host}:${register.ports.mqtts}`;
  const enrolment: Enrolment = {
    ...{ v: 1, commune: register.commune, site: id, url, ca: authority.ca(), cert, key },
    ...(tunnel === null ? {} : { tunnel: tunnel.given }),
  };
  const code = makeSecret(codeChars);
  writeNew(file, sealText(JSON.stringify(enrolment), code));
  const after = withSite(register, id, { serial, endsAt, ...(tunnel === null ? {} : { tunnel: tunnel.peer }) });
  // The code stands nowhere else: it is handed out whatever becomes of the rest.
  return { file, code, endsAt, address: tunnel?.given.address ?? null, trouble: troubleOf(() => void settle(place, after)) };
}

function troubleOf(act: () => void): Error | null {
  try {
    act();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What the register keeps of a new peer, and what the peer is given; null: this station has no tunnels. */
function newPeer(place: Place, register: Register, kind: PeerKind): { readonly peer: Peer; readonly given: Tunnel } | null {
  const { hub } = register;
  if (hub.kind === "none") return null;
  const own = makeKeyPair();
  const peer: Peer = { number: freeNumber(register, kind), key: own.publicKey };
  if (peer.number > mostPeers(kind))
    throw new Undoable(`the tunnels have ${mostPeers(kind)} addresses of this kind, and all are taken; remove what is no longer used`);
  return { peer, given: givenTo(kind, peer, own, hub, keysOf(place).station) };
}

/**
 * From this moment nobody comes in as this site, who is in is out, and the board forgets it. Said again it goes on with what the first time
 * could not be done.
 */
export async function removeSite(place: Place, id: string): Promise<void> {
  const register = registerOf(place);
  const site = register.sites.find((entry) => entry.id === id);
  if (site !== undefined) authorityOf(place, register.commune).revoke(site.certificates.map(({ serial }) => serial));
  const after = withoutSite(register, id);
  // A tunnel that did not take the change in keeps no session open.
  const trouble = troubleOf(() => void settle(place, { kind: "changed", register: after }));
  const ended = await endSession(place, after, id);
  if (trouble !== null) throw trouble;
  if (site === undefined && ended.left === 0) throw new Unknown(`there is no site ${id}; deploy/station/list shows all`);
  if (ended.kind === "unreached") throw new Undoable(`site ${id} is off the list, but ${ended.why}`);
}

type Ended = { readonly kind: "ended"; readonly left: number } | { readonly kind: "unreached"; readonly left: 0; readonly why: string };

/** Whoever comes with a box's name takes its session over. Resolves with the number of messages that were left. */
async function endSession(place: Place, register: Register, id: string): Promise<Ended> {
  const root = `matghi/v1/${register.commune}`;
  const result = await connectAs(place, asOurselves(place, register, id), [
    `${root}/from/${id}/#`,
    `${root}/to/${id}/#`,
    `${root}/station/note/${id}/#`,
  ]);
  if (result.kind === "failed")
    return {
      ...{ kind: "unreached", left: 0 },
      why: `the broker was not reached to end its session (${result.detail}); start it again: systemctl restart matghi-broker, then run this again`,
    };
  const left = await clearHeard(result.talker);
  await result.talker.end();
  return { kind: "ended", left };
}

const quietMs = 1_500;

/** Takes back what is retained, until nothing more comes: the session that was ended leaves its last word. Resolves with how many. */
async function clearHeard(talker: Talker): Promise<number> {
  const cleared = new Set<string>();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    const next = talker.heard.filter(({ payload, topic }) => payload !== "" && !cleared.has(topic));
    if (next.length === 0) return cleared.size;
    for (const { topic } of next) {
      cleared.add(topic);
      await talker.say(topic, "", true);
    }
  }
}

export type Routed = { readonly file: string; readonly address: string; readonly network: string };

/** A household's router gets its end of the tunnel, in a file for it; its earlier one is out. */
export function addRouter(place: Place, household: string, file: string): Routed {
  const register = registerOf(place);
  const made = newPeer(place, withoutRouter(register, household), "router");
  if (made === null)
    throw new Undoable("this station has no tunnels; run deploy/station/install with --public or --hub instead of --no-vpn");
  writeNew(file, tunnelText(made.given));
  settle(place, { kind: "changed", register: withRouter(register, { household, tunnel: made.peer }) });
  return { file, address: made.given.address, network: networkOf(made.peer) };
}

export function removeRouter(place: Place, household: string): void {
  const register = registerOf(place);
  if (!register.routers.some((router) => router.household === household))
    throw new Unknown(`household ${household} has no router here; deploy/station/list shows all`);
  settle(place, { kind: "changed", register: withoutRouter(register, household) });
}

/** For its owner's eyes; replaces nothing. */
function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Undoable(
      code === "EEXIST"
        ? `${file} is there already; delete it, or name another with --out`
        : `${file} cannot be written (${code}); name another with --out`,
    );
  }
}

export type Admitted = Pick<Person, "name" | "role" | "reach"> & { readonly password: string; readonly phone: Tunnel | null };
export type Asked = Pick<Person, "name"> & {
  /** Missing: one who is there keeps role and reach, whatever `sites` and `groups` say; a new one only sees. */
  readonly role?: Person["role"];
  /** Neither sites nor groups: everything. */
  readonly sites: readonly string[];
  readonly groups: readonly string[];
  /** A tunnel for the person's phone; an earlier phone is out then. Without it an earlier one stays. */
  readonly phone?: boolean;
};

/** A person more, or a new password for one who is there. */
export async function addPerson(place: Place, asked: Asked): Promise<Admitted> {
  const register = registerOf(place);
  const unknown = asked.sites.find((id) => !register.sites.some((site) => site.id === id));
  if (unknown !== undefined) throw new Undoable(`there is no site ${unknown}; add it first: deploy/station/add-site ${unknown}`);
  const reach = await reachOf(place, register, asked.sites, asked.groups);
  const password = makeSecret(passwordChars);
  // Boxes were asked meanwhile: what another changed in that time stays.
  const now = registerOf(place);
  const before = now.people.find(({ name }) => name === asked.name);
  const phone = asked.phone === true ? newPhone(place, now) : null;
  const tunnel = phone?.peer ?? before?.tunnel;
  const given = asked.role === undefined ? { role: "viewer" as const, reach, ...before } : { role: asked.role, reach };
  const person: Person = {
    ...{ name: asked.name, role: given.role, reach: given.reach, hash: hashOf(password) },
    ...(tunnel === undefined ? {} : { tunnel }),
  };
  settle(place, withPerson(now, person));
  return { name: person.name, role: person.role, reach: person.reach, password, phone: phone?.given ?? null };
}

/** A phone for one who is there, an earlier one is out; password, role and reach stay. */
export function addPhone(place: Place, person: Person): Tunnel {
  const register = registerOf(place);
  const { peer, given } = newPhone(place, register);
  settle(place, withPerson(register, { ...person, tunnel: peer }));
  return given;
}

function newPhone(place: Place, register: Register): { readonly peer: Peer; readonly given: Tunnel } {
  const phone = newPeer(place, register, "phone");
  if (phone === null)
    throw new Undoable(
      "this station has no tunnels; run deploy/station/install with --public or --hub instead of --no-vpn, or leave --phone away",
    );
  return phone;
}

async function reachOf(place: Place, register: Register, sites: readonly string[], groups: readonly string[]): Promise<Reach> {
  if (sites.length === 0 && groups.length === 0) return { kind: "all" };
  const all = groups.length === 0 ? [] : await births(place, register);
  const cameras = camerasOf(all, groups);
  const missing = groups.find((group) => !cameras.some((camera) => camera.group === group));
  if (missing !== undefined)
    throw new Undoable(
      `no box that is connected has cameras of the group "${missing}"; write it as the boxes' configuration does (cameras.group), and wait until they are connected`,
    );
  const reached = { ...({ name: "", role: "viewer", hash: "" } as const), reach: { kind: "some", sites, groups, cameras: [] } as const };
  return regrouped(reached, all).reach;
}

type Births = readonly { readonly site: string; readonly cameras: readonly { readonly id: string; readonly group: string | null }[] }[];

const camerasOf = (all: Births, groups: readonly string[]) =>
  all.flatMap(({ site, cameras }) =>
    cameras.flatMap(({ id, group }) => (group !== null && groups.includes(group) ? [{ site, camera: id, group }] : [])),
  );

/** What the boxes said of their cameras last. */
async function births(place: Place, register: Register): Promise<Births> {
  const result = await connectAs(place, asOurselves(place, register), [`matghi/v1/${register.commune}/from/+/birth`]);
  if (result.kind === "failed")
    throw new Undoable(`the broker is not reached (${result.detail}); look at: systemctl status matghi-broker matghi-web`);
  await new Promise((resolve) => setTimeout(resolve, quietMs));
  await result.talker.end();
  return result.talker.heard.flatMap(({ topic, payload }) => birthOf(topic.split("/")[4] ?? "", payload));
}

function birthOf(site: string, payload: string): Births {
  try {
    const { cameras } = JSON.parse(payload) as { cameras?: unknown };
    if (!Array.isArray(cameras)) return [];
    const known = cameras.filter((entry): entry is { id: string; group: string | null } => /^[a-z0-9-]{2,32}$/.test(String(entry?.id)));
    return [{ site, cameras: known }];
  } catch {
    return [];
  }
}

export function removePerson(place: Place, name: string): void {
  const register = registerOf(place);
  if (!register.people.some((person) => person.name === name)) throw new Unknown(`there is no ${name}; deploy/station/list shows all`);
  settle(place, { kind: "changed", register: withoutPerson(register, name) });
}

/** Once an hour: certificates that end, and cameras that changed their group. Says what it did. */
export async function refresh(place: Place): Promise<readonly string[]> {
  const before = registerOf(place);
  const needsBirths = before.people.some(({ reach }) => reach.kind === "some" && reach.groups.length > 0);
  const all = needsBirths ? await births(place, before) : [];
  // Boxes were asked meanwhile: what another changed in that time stays.
  const register = registerOf(place);
  const people = register.people.map((person) => regrouped(person, all));
  const moved = people
    .filter((person, n) => person !== register.people[n])
    .map(({ name }) => `${name}: other cameras belong to the groups now`);
  const renewed = put(place, { ...register, people });
  if (renewed || moved.length > 0) reload(place);
  return [...moved, ...(renewed ? ["broker and page have a new certificate"] : [])];
}

/** A box that said nothing keeps what is known of it; the same person where nothing changed. */
function regrouped(person: Person, all: Births): Person {
  const { reach } = person;
  if (reach.kind === "all" || reach.groups.length === 0) return person;
  const silent = reach.cameras.filter(({ site }) => !all.some((birth) => birth.site === site));
  const told = camerasOf(all, reach.groups).map(({ site, camera }) => ({ site, camera }));
  const cameras = [...silent, ...told].sort((a, b) => (`${a.site}/${a.camera}` < `${b.site}/${b.camera}` ? -1 : 1));
  return JSON.stringify(cameras) === JSON.stringify(reach.cameras) ? person : { ...person, reach: { ...reach, cameras } };
}
