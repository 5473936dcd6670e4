/** What `list` prints: sites, people and households' routers, each with its address in the tunnel and when it was heard of last. Pure. */
import { fill } from "./fill.ts";
import type { Peer, PeerKind, Reach, Register } from "./register.ts";
import { addressOf } from "./tunnel.ts";
import { wordsOf } from "./words.ts";

export const reachText = (reach: Reach, all: string): string =>
  reach.kind === "all" ? all : [...reach.sites, ...reach.groups.map((group) => `"${group}"`)].join(", ");

/** `heard`: seconds since 1970 by key. */
export function listText(register: Register, heard: ReadonlyMap<string, number>, nowMs: number): string {
  const words = wordsOf(register.language);
  const wayOf = (kind: PeerKind, peer: Peer | undefined) => {
    if (peer === undefined) return "";
    const at = heard.get(peer.key);
    const minutes = at === undefined ? 0 : Math.max(0, Math.round((nowMs / 1000 - at) / 60));
    return `  ${addressOf(kind, peer)} (${at === undefined ? words.never : fill(words.ago, { minutes: String(minutes) })})`;
  };
  return [
    `${register.name} (${register.commune}), ${register.hosts.join(", ")}`,
    words.sites,
    ...register.sites.map(({ id, certificates }) => {
      const end = certificates.at(-1)?.endsAt.slice(0, 10) ?? "";
      return `  ${id}  → ${end}${certificates.map(({ tunnel }) => wayOf("site", tunnel)).join("")}`;
    }),
    words.people,
    ...register.people.map(
      ({ name, role, reach, tunnel }) => `  ${name}  ${words.roles[role]}, ${reachText(reach, words.all)}${wayOf("phone", tunnel)}`,
    ),
    ...(register.routers.length === 0 ? [] : [words.routers]),
    ...register.routers.map(({ household, tunnel }) => `  ${household}${wayOf("router", tunnel)}`),
  ].join("\n");
}
