/** The way to the station, rung by rung: the first that is broken is the finding. Pure. */

/** In the order of the way. `mqtt`: the station's port opens, and the broker does not take us. */
export const rungs = ["interface", "address", "gateway", "dns", "port", "mqtt"] as const;
export type Rung = (typeof rungs)[number];
export type Reach = { readonly rung: Rung; readonly detail: string };

/** What was seen of the box's own link: `rung <name>` stands first in the evidence of a link that is down. */
export function linkRung(value: string, evidence: readonly string[]): Reach | null {
  if (value !== "down") return null;
  const named = /^rung (\S+)$/.exec(evidence[0] ?? "")?.[1];
  const rung = rungs.find((known) => known === named) ?? "interface";
  return { rung, detail: evidence.slice(1).join("; ") };
}

export type DoorKind = "open" | "no-name" | "no-port" | "no-trust";

/** How far one gets to the station while its broker does not have us. */
export function doorRung(door: { readonly kind: DoorKind; readonly detail?: string }, place: string, session: readonly string[]): Reach {
  const detail = [place, door.detail ?? ""].filter((part) => part !== "").join(" ");
  if (door.kind === "no-name") return { rung: "dns", detail };
  if (door.kind === "no-port") return { rung: "port", detail };
  return { rung: "mqtt", detail: session.join("; ") };
}

/** Host and port of a broker's address. */
export function brokerPlace(address: string): { readonly host: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(address);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (protocol === "mqtts:" ? 8883 : 1883)) };
}

/** As it stands in the store; null: the station has us, or there is none. */
export const reachOf = (note: string | null): Reach | null => JSON.parse(note ?? "null") as Reach | null;
