/** What the station says to the box: how far it has read, whose state it holds, officers' requests, commands. */
import type { BrokerSession } from "../hal/ports.ts";
import type { UtcMs } from "./core/dating.ts";
import { type Address, ackTopic, commandOf, officerHoldOf, ownStateTopic, resultMessage, strayOf } from "./core/message.ts";
import type { EventRow } from "./core/types.ts";
import type { Digest } from "./digest.ts";
import type { Log } from "./log.ts";
import type { Journal } from "./store/store.ts";

/** What hearing needs from the rest. */
export type Hearing = {
  readonly log: Log;
  readonly address: Address;
  readonly journal: Journal;
  readonly nowAt: () => UtcMs;
  /** Days and months that are due at the station. */
  readonly pages: Digest;
  /** An officer's request to hold footage. Throws where it can be neither granted nor refused now. */
  readonly hold: (id: string, body: Body) => { readonly ok: boolean };
  /** Did this box ever run under that boot id? */
  readonly isOurs: (bootId: string) => boolean;
  /** Another box goes by our name: it ended our session, or the broker has its word for ours. */
  readonly onTakeover: () => void;
};

/** What was asked of the session under way, and how far it has sent. */
export type Asked = {
  /** The birth is said anew. */
  reborn: boolean;
  readonly replay: EventRow[];
  position: number;
};

/** A replay is bounded like everything else. */
const mostReplayed = 10_000;

/** Takes one message of the station. Throws where it cannot be dealt with. */
export function hear(
  station: Hearing,
  session: Pick<BrokerSession, "publish">,
  now: Asked,
  topic: string,
  payload: string,
  correlation: string | null,
): void {
  const body = parse(payload);
  if (topic === ackTopic(station.address)) {
    if (body?.db === station.journal.dbId() && Number.isSafeInteger(body.g)) station.journal.noteAck(Number(body.g));
    return;
  }
  if (topic === ownStateTopic(station.address)) {
    if (isAnothers(station, body)) station.onTakeover();
    return;
  }
  const asked = officerHoldOf(station.address, topic);
  // An empty one is only taken back.
  if (asked !== null && payload !== "") {
    const answer = station.hold(asked, body ?? {});
    if (!answer.ok) station.log.warn({ asked }, "a hold that the station asked for was refused");
    void session.publish(resultMessage(station.address, idOf(correlation) || asked, { command: "hold", ...answer }));
    return;
  }
  const command = commandOf(station.address, topic);
  const name = (command ?? strayOf(station.address, topic))?.slice(0, 40);
  if (name === undefined || (command === null && payload === "")) return;
  const answer = command === null ? unknownCommand : obey(station, now, command, body ?? {});
  const id = idOf(correlation ?? String(body?.correlation ?? ""));
  if (!answer.ok) station.log.warn({ command: name }, "a command of the station was refused");
  if (id !== "") void session.publish(resultMessage(station.address, id, { command: name, ...answer }));
}

const unknownCommand = { ok: false, reason: "unknown command" } as const;

/** Was it said by a box that is none of ours? It is there for three minutes; not every broker tells whom it ended for whom. */
function isAnothers(station: Hearing, body: Body | null): boolean {
  const bootId = typeof body?.boot === "string" ? body.boot.replace(/\.\d+$/, "") : "";
  return body?.state === "online" && bootId !== "" && !station.isOurs(bootId);
}

const idOf = (text: string | null) => (text ?? "").replace(/[^a-zA-Z0-9-]/g, "").slice(0, 64);

type Body = Readonly<Record<string, unknown>>;

function parse(payload: string): Body | null {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Body) : null;
  } catch {
    return null;
  }
}

function obey(station: Hearing, now: Asked, command: string, body: Body): { readonly ok: boolean; readonly [fact: string]: unknown } {
  if (command === "ping") return { ok: true, at: new Date(station.nowAt()).toISOString() };
  if (command === "rebirth") {
    now.reborn = true;
    station.pages.startOver();
    return { ok: true };
  }
  if (command === "replay") return replay(station, now, body);
  return unknownCommand;
}

/** Rows that the station lacks go out again; the cursor stays where it is. */
function replay(station: Hearing, now: Asked, { db, from, to }: Body): { ok: boolean; [fact: string]: unknown } {
  if (db !== station.journal.dbId()) return { ok: false, reason: "another journal", db: station.journal.dbId() };
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return { ok: false, reason: "from and to are event numbers" };
  const room = mostReplayed - now.replay.length;
  const rows = station.journal.after(Number(from) - 1, room).filter((row) => row.g <= Number(to) && row.g <= now.position);
  now.replay.push(...rows);
  return { ok: true, count: rows.length, firstG: station.journal.firstG() };
}
