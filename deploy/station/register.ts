/** Who belongs to a station: its sites and its people. All else (rights, passwords, firewall) is made from it. Pure. */
import type { Ports } from "./place.ts";

/** A peer of the tunnels: its number within its kind gives its address (`addressOf`). Its private key is not here. */
export type Peer = { readonly number: number; readonly key: string };
/** One enrolment file; `tunnel`: where it carries one. Each has its own, so that a renewal cuts nobody off before it is taken in. */
export type Certificate = { readonly serial: string; readonly endsAt: string; readonly tunnel?: Peer };
export type Site = { readonly id: string; readonly certificates: readonly Certificate[] };

/**
 * What peers dial: `station`, this machine by a public address or a forwarded UDP port; `server`, another machine that passes on to it.
 * `none`: boxes dial the broker directly.
 */
export type Hub = { readonly kind: "none" } | { readonly kind: "station" | "server"; readonly host: string; readonly port: number };

/** `all`: every site. Else whole sites, and of `groups` only the cameras that belong to them, as the boxes named them last. */
export type Reach =
  | { readonly kind: "all" }
  | {
      readonly kind: "some";
      readonly sites: readonly string[];
      readonly groups: readonly string[];
      readonly cameras: readonly { readonly site: string; readonly camera: string }[];
    };
export type Person = {
  readonly name: string;
  readonly role: "viewer" | "officer";
  readonly reach: Reach;
  /** As Mosquitto has it in its password file. */
  readonly hash: string;
  /** Of the person's phone. */
  readonly tunnel?: Peer;
};

/** A household whose cameras the station's own recorder pulls, through a WireGuard router of the household. */
export type Router = { readonly household: string; readonly tunnel: Peer };

export type Register = {
  readonly v: 1;
  readonly commune: string;
  readonly name: string;
  readonly language: "vi" | "en";
  /** Names and addresses of this machine; the boxes dial the first. */
  readonly hosts: readonly string[];
  readonly ports: Ports;
  readonly hub: Hub;
  /** Hash of the tools' own password. */
  readonly ownHash: string;
  readonly sites: readonly Site[];
  readonly people: readonly Person[];
  readonly routers: readonly Router[];
};

/** The tools' own name at the broker; the dot keeps it apart from every site and person. */
export const ownName = "station.tools";

const idRule = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])$/;
export const isId = (text: string): boolean => idRule.test(text);
/** A name or an address that a certificate may carry and a person may type. */
export const isHost = (text: string): boolean => /^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?$/.test(text);
export const isAddress = (text: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$/.test(text);

export type Changed = { readonly kind: "changed"; readonly register: Register } | { readonly kind: "refused"; readonly why: string };

const changed = (register: Register): Changed => ({ kind: "changed", register });
const refused = (why: string): Changed => ({ kind: "refused", why });

/** A site's certificate more; the earlier ones hold until they end, so that a renewal cuts nobody off. */
export function withSite(register: Register, id: string, certificate: Certificate): Changed {
  if (register.people.some(({ name }) => name === id)) return refused(`${id} is a person's name already; choose another id for the site`);
  const before = register.sites.find((site) => site.id === id);
  const site: Site = { id, certificates: [...(before?.certificates ?? []), certificate] };
  return changed({ ...register, sites: [...register.sites.filter((other) => other.id !== id), site] });
}

export const withoutSite = (register: Register, id: string): Register => ({
  ...register,
  sites: register.sites.filter((site) => site.id !== id),
});

/** A person more, or the same with another role, reach or password. */
export function withPerson(register: Register, person: Person): Changed {
  if (register.sites.some(({ id }) => id === person.name)) return refused(`${person.name} is a site; choose another name for the person`);
  if (person.role === "officer" && person.reach.kind === "some")
    return refused("an officer may ask any box to hold footage; leave --sites and --groups away, or leave --officer away");
  return changed({ ...register, people: [...register.people.filter(({ name }) => name !== person.name), person] });
}

export const withoutPerson = (register: Register, name: string): Register => ({
  ...register,
  people: register.people.filter((person) => person.name !== name),
});

/** A household's router, or another one in its place: the earlier one is out then. */
export const withRouter = (register: Register, router: Router): Register => ({
  ...register,
  routers: [...withoutRouter(register, router.household).routers, router],
});

export const withoutRouter = (register: Register, household: string): Register => ({
  ...register,
  routers: register.routers.filter((router) => router.household !== household),
});

export type PeerKind = "site" | "phone" | "router";

/** The lowest number that no peer of that kind has. */
export function freeNumber({ sites, people, routers }: Register, kind: PeerKind): number {
  const peers = { site: sites.flatMap(({ certificates }) => certificates), phone: people, router: routers }[kind];
  const taken = new Set(peers.map(({ tunnel }) => tunnel?.number));
  let number = 1;
  while (taken.has(number)) number += 1;
  return number;
}
