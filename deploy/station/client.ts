/** Sessions at the station's broker for its own tools: to prove rights, to end a box's session, to clear what it left. */
import { readFileSync } from "node:fs";
import { makeBroker } from "../../hal/broker.ts";
import type { BrokerOptions, BrokerSession, PublishResult } from "../../hal/ports.ts";
import type { Issued } from "./authority.ts";
import { ownPassword } from "./keep.ts";
import { filesOf, type Place } from "./place.ts";
import { ownName, type Register } from "./register.ts";

const deadlines = { connectMs: 10_000, confirmMs: 10_000 };

export type Heard = { readonly topic: string; readonly payload: string };
export type Talker = {
  readonly heard: readonly Heard[];
  readonly say: (topic: string, payload: string, retain?: boolean) => Promise<PublishResult>;
  readonly end: () => Promise<void>;
  readonly ended: Promise<string>;
};
export type Connected = { readonly kind: "connected"; readonly talker: Talker } | { readonly kind: "failed"; readonly detail: string };

export type Way = Pick<BrokerOptions, "url" | "clientId" | "cert" | "key" | "credential">;

/** As a box comes: by its certificate. */
export const asSite = (register: Register, id: string, { cert, key }: Pick<Issued, "cert" | "key">): Way => ({
  ...{ url: `mqtts://127.0.0.1:${register.ports.mqtts}`, clientId: id, cert, key, credential: null },
});

/** As the page comes: by name and password, through nginx. */
export const asPerson = (register: Register, name: string, password: string, clientId = `board-${name}-${process.pid}`): Way => ({
  ...{ url: `wss://127.0.0.1:${register.ports.https}/mqtt`, clientId, cert: null, key: null },
  credential: { username: name, password },
});

export const asOurselves = (place: Place, register: Register, clientId?: string): Way =>
  asPerson(register, ownName, ownPassword(place), clientId ?? `tools-${process.pid}`);

/** One attempt; leaves no session behind. Never rejects. */
export async function connectAs(place: Place, way: Way, subscriptions: readonly string[]): Promise<Connected> {
  const options: BrokerOptions = {
    ...way,
    ca: readFileSync(filesOf(place).ca, "utf8"),
    will: null,
    willDelaySeconds: 0,
    subscriptions,
    ...{ brief: true, echo: true },
  };
  const result = await makeBroker(deadlines).connect(options, new AbortController().signal);
  return result.kind === "failed"
    ? { kind: "failed", detail: `${result.reason}: ${result.detail}` }
    : { kind: "connected", talker: talkerOf(result.session) };
}

function talkerOf(session: BrokerSession): Talker {
  const heard: Heard[] = [];
  session.onMessage((topic, payload) => void heard.push({ topic, payload }));
  return {
    ...{ heard, ended: session.ended },
    say: (topic, payload, retain = false) => session.publish({ topic, payload, qos: 1, retain, expirySeconds: 60 }),
    end: () => session.end(2_000),
  };
}
