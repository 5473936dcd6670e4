/** The round trips of proof.ts at a station that runs, by people and boxes that exist for the check only. */
import { authorityOf, put, readRegister, reload } from "./keep.ts";
import { hashOf, makeSecret, passwordChars } from "./passwords.ts";
import type { Place } from "./place.ts";
import { type Cast, type Proved, prove } from "./proof.ts";
import { type Person, type Register, withoutPerson, withoutSite } from "./register.ts";

const [a, b] = ["check-a", "check-b"] as const;
const people = ["check-officer", "check-viewer", "check-neighbour"] as const;
/** Broker and nginx read their files again within this. */
const reloadMs = 700;

export async function checkRights(place: Place, register: Register): Promise<readonly Proved[]> {
  const authority = authorityOf(place, register.commune);
  const issued = { a: authority.site(a), b: authority.site(b) };
  const [officer, viewer, neighbour] = people.map((name) => ({ name, password: makeSecret(passwordChars) })) as [Login, Login, Login];
  const all = { kind: "all" } as const;
  const some = { kind: "some", sites: [a], groups: [], cameras: [] } as const;
  const cast: Cast = { a: { id: a, ...issued.a }, b: { id: b, ...issued.b }, officer, viewer, neighbour };
  const guests: readonly Person[] = [
    { name: officer.name, role: "officer", reach: all, hash: hashOf(officer.password) },
    { name: viewer.name, role: "viewer", reach: all, hash: hashOf(viewer.password) },
    { name: neighbour.name, role: "viewer", reach: some, hash: hashOf(neighbour.password) },
  ];
  const sites = Object.entries({ [a]: issued.a, [b]: issued.b }).map(([id, { serial, endsAt }]) => ({
    id,
    certificates: [{ serial, endsAt }],
  }));
  const ours = withoutGuests(readRegister(place) ?? register);
  try {
    await tell(place, { ...ours, sites: [...ours.sites, ...sites], people: [...ours.people, ...guests] });
    return await prove(place, register, cast);
  } finally {
    authority.revoke([issued.a.serial, issued.b.serial]);
    // The round trips take a while: sites and people that came in that time stay.
    await tell(place, withoutGuests(readRegister(place) ?? ours));
  }
}

type Login = { readonly name: string; readonly password: string };

async function tell(place: Place, register: Register): Promise<void> {
  put(place, register);
  reload(place);
  await new Promise((resolve) => setTimeout(resolve, reloadMs));
}

/** Also those that a check left behind that was cut off. */
const withoutGuests = (register: Register): Register => people.reduce(withoutPerson, withoutSite(withoutSite(register, a), b));
