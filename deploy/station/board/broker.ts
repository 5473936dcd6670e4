/** The link to the station's broker over websockets. The only file that knows mqtt. */
import mqtt, { type MqttClient } from "mqtt";
import type { Arrival } from "./model/kept.ts";

export type Login = { readonly user: string; readonly password: string };

/** refused: the broker does not take this login. lost: there was a connection, or none came about; it is tried again. */
export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected" }
  | { readonly kind: "refused" }
  | { readonly kind: "lost"; readonly sinceAt: number };

export type Broker = {
  /** Once the promise resolves the broker has taken the wish; retained messages follow. */
  subscribe(filters: readonly string[]): Promise<void>;
  unsubscribe(filters: readonly string[]): void;
  /** False where the broker did not take it. `expirySeconds` null: it holds for ever. */
  publish(topic: string, text: string, expirySeconds: number | null): Promise<boolean>;
  end(): void;
};

export type BrokerEvents = {
  readonly onLink: (link: Link) => void;
  /** Each connection begins with nothing subscribed. */
  readonly onOpen: () => void;
  readonly onMessage: (arrival: Arrival) => void;
};

const retryMs = 2_000;
/** Longer than a browser lets a hidden page sleep. */
const keepaliveSeconds = 90;
const answerMs = 10_000;
/** MQTT 5: bad user name or password; not authorized. MQTT 3.1.1: the same. */
const refusals: readonly number[] = [134, 135, 4, 5];

/** Connects to `url` and stays connected. `login` null: the broker takes anybody. */
export function openBroker(url: string, login: Login | null, events: BrokerEvents): Broker {
  const client: MqttClient = mqtt.connect(url, {
    ...{ protocolVersion: 5, clean: true, keepalive: keepaliveSeconds, reconnectPeriod: retryMs, connectTimeout: answerMs },
    ...{ resubscribe: false, queueQoSZero: false, timerVariant: "native", clientId: `board-${randomId()}` },
    ...(login === null ? {} : { username: login.user, password: login.password }),
  });
  let [refused, lostAt] = [false, null as number | null];
  events.onLink({ kind: "connecting" });
  client.on("connect", () => {
    lostAt = null;
    events.onLink({ kind: "connected" });
    events.onOpen();
  });
  client.on("error", (error) => {
    if (!("code" in error) || !refusals.includes(Number(error.code))) return;
    refused = true;
    client.end(true);
    events.onLink({ kind: "refused" });
  });
  client.on("close", () => {
    lostAt ??= Date.now();
    if (!refused) events.onLink({ kind: "lost", sinceAt: lostAt });
  });
  client.on("message", (topic, payload, packet) =>
    events.onMessage({
      ...{ topic, text: payload.toString(), isRetained: packet.retain, arrivedAt: Date.now() },
      expiresInSeconds: packet.properties?.messageExpiryInterval ?? null,
    }),
  );
  return {
    subscribe: async (filters) => void (await client.subscribeAsync([...filters], { qos: 0 }).catch(() => [])),
    unsubscribe: (filters) => void client.unsubscribeAsync([...filters]).catch(() => undefined),
    publish: async (topic, text, expirySeconds) => {
      if (!client.connected) return false;
      const properties = expirySeconds === null ? {} : { messageExpiryInterval: expirySeconds };
      const sent = client.publishAsync(topic, text, { qos: 1, retain: true, properties }).then(
        () => true,
        () => false,
      );
      return Promise.race([sent, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), answerMs))]);
    },
    end: () => void client.end(true),
  };
}

export const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
