/** The station's broker: one fresh client an attempt, nothing left in its store, its own deadlines. The only import of mqtt. */
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import type { Broker, BrokerOptions, BrokerSession, ConnectResult, Message, PublishResult } from "./ports.ts";

const connectTimeoutMs = 15_000;
const keepaliveSeconds = 30;
/** A broker that does not know us after that has lost what it kept, or is another one; long enough for any outage that is not. */
const sessionExpirySeconds = 14 * 86_400;
/** Without any confirmation for this long the session is over: mqtt.js itself would wait for ever (reference: dependencies.md §4). */
export const confirmDeadlineMs = 45_000;
/** Refused before the broker does it; the station's takes no more (deploy/station/broker.ts). */
export const mostPayloadBytes = 65_536;
const mostIncomingBytes = 65_536;
/** MQTT 5: another client came with our client id. */
const takenOverCode = 0x8e;

export function makeBroker(
  deadlines: { readonly connectMs: number; readonly confirmMs: number } = { connectMs: connectTimeoutMs, confirmMs: confirmDeadlineMs },
): Broker {
  return {
    connect: async (options, signal) => {
      const newest = await attempt(options, 5, deadlines, signal);
      if (newest.kind === "connected" || newest.reason !== "refused-version") return tidy(newest);
      return tidy(await attempt(options, 4, deadlines, signal));
    },
  };
}

type Attempt = ConnectResult | { readonly kind: "failed"; readonly reason: "refused-version"; readonly detail: string };

function tidy(result: Attempt): ConnectResult {
  return result.kind === "failed" && result.reason === "refused-version" ? { ...result, reason: "refused" } : result;
}

function clientOptions(options: BrokerOptions, version: 4 | 5, connectMs: number): IClientOptions {
  const brief = options.brief ?? false;
  return {
    ...{
      protocolVersion: version,
      clientId: options.clientId,
      clean: brief,
      keepalive: keepaliveSeconds,
      connectTimeout: connectMs + 1_000,
    },
    ...{ reconnectPeriod: 0, queueQoSZero: false, resubscribe: false, rejectUnauthorized: true, reschedulePings: true },
    ...(options.ca === null ? {} : { ca: options.ca }),
    ...(options.cert === null || options.key === null ? {} : { cert: options.cert, key: options.key }),
    ...(options.credential === null ? {} : { username: options.credential.username, password: options.credential.password }),
    ...(version === 5
      ? {
          properties: { sessionExpiryInterval: brief ? 0 : sessionExpirySeconds, receiveMaximum: 20, maximumPacketSize: mostIncomingBytes },
        }
      : {}),
    ...(options.will === null ? {} : { will: willOf(options.will, version, options.willDelaySeconds) }),
  };
}

function willOf({ topic, payload, qos, retain, expirySeconds }: Message, version: 4 | 5, delaySeconds: number): IClientOptions["will"] {
  const expiry = expirySeconds === null ? {} : { messageExpiryInterval: expirySeconds };
  return {
    ...{ topic, payload: Buffer.from(payload), qos, retain },
    ...(version === 5 ? { properties: { ...expiry, willDelayInterval: delaySeconds } } : {}),
  };
}

type Ending = { readonly code: number | null; readonly text: string; readonly system: string };

function attempt(
  options: BrokerOptions,
  version: 4 | 5,
  deadlines: { connectMs: number; confirmMs: number },
  signal: AbortSignal,
): Promise<Attempt> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ kind: "failed", reason: "stopped", detail: "" });
    const client = open(options, version, deadlines.connectMs);
    if (client instanceof Error) return resolve({ kind: "failed", reason: "certificate", detail: client.message });
    let last: Ending = { code: null, text: "the broker closed the connection", system: "" };
    const finish = (result: Attempt) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      if (result.kind === "failed") discard(client);
      resolve(result);
    };
    const stop = () => finish({ kind: "failed", reason: "stopped", detail: "" });
    const timer = setTimeout(
      () => finish({ kind: "failed", reason: "timeout", detail: `no answer within ${deadlines.connectMs} ms` }),
      deadlines.connectMs,
    );
    signal.addEventListener("abort", stop, { once: true });
    const onError = (error: Error) => {
      last = endingOf(error);
      finish(failure(last, version));
    };
    const onClose = () => finish(failure(last, version));
    client.on("error", onError);
    client.once("close", onClose);
    client.once("connect", ({ sessionPresent }) => {
      client.off("error", onError);
      client.off("close", onClose);
      finish({ kind: "connected", session: sessionOf(client, version, sessionPresent, options, deadlines.confirmMs) });
    });
  });
}

/** A certificate that cannot be parsed throws at once. */
function open(options: BrokerOptions, version: 4 | 5, connectMs: number): MqttClient | Error {
  try {
    return connect(options.url, clientOptions(options, version, connectMs));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function endingOf(error: Error): Ending {
  const code = (error as { code?: unknown }).code;
  return { code: typeof code === "number" ? code : null, text: error.message, system: typeof code === "string" ? code : "" };
}

const versionRefused = [1, 132];
const tlsCode = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|ALTNAME/;

function failure(ending: Ending, version: 4 | 5): Attempt {
  const detail = ending.text.slice(0, 200);
  if (ending.code !== null) {
    const reason = version === 5 && versionRefused.includes(ending.code) ? "refused-version" : "refused";
    return { kind: "failed", reason, detail };
  }
  if (tlsCode.test(ending.system) || /certificate|alert/i.test(ending.text)) return { kind: "failed", reason: "certificate", detail };
  return { kind: "failed", reason: "unreachable", detail };
}

/** Ends a client for good, whatever state it is in. Its own listeners stay: they clear its timers. Later errors have nobody to hear them. */
function discard(client: MqttClient): void {
  client.on("error", () => undefined);
  client.end(true);
  client.stream?.destroy();
}

function sessionOf(client: MqttClient, version: 4 | 5, resumed: boolean, options: BrokerOptions, confirmMs: number): BrokerSession {
  let over = false;
  let listener: (topic: string, payload: string, correlation: string | null) => void = () => undefined;
  let ring: (reason: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    ring = resolve;
  });
  /** Publishes whose answer is still out. Each takes itself away: a session may last for months. */
  const waiting = new Set<(result: PublishResult) => void>();
  const finish = (reason: string) => {
    if (over) return;
    over = true;
    discard(client);
    for (const settle of [...waiting]) settle("lost");
    ring(reason);
  };
  client.on("close", () => finish("connection closed"));
  client.on("disconnect", ({ reasonCode = 0 }) =>
    finish(reasonCode === takenOverCode ? "taken over" : `broker disconnected us (${reasonCode})`),
  );
  client.on("error", (error) => finish(error.message.slice(0, 200)));
  client.on("message", (topic, payload, packet) => {
    if (payload.length > mostIncomingBytes) return;
    listener(topic, payload.toString("utf8"), packet.properties?.correlationData?.toString("utf8") ?? null);
  });
  // What stands there is read once; what we say ourselves does not come back over a household's line.
  client.subscribe([...options.subscriptions], { qos: 1, nl: version === 5 && options.echo !== true }, () => undefined);
  // Of net.Socket; mqtt.js calls it a stream.
  const socket = client.stream as unknown as { readonly bytesWritten: number; readonly bytesRead: number };
  return {
    traffic: () => ({ sentBytes: socket.bytesWritten, receivedBytes: socket.bytesRead }),
    mqtt: version === 5 ? "5" : "3.1.1",
    resumed,
    ended,
    onMessage: (next) => {
      listener = next;
    },
    publish: (message) => {
      if (Buffer.byteLength(message.payload) > mostPayloadBytes) return Promise.resolve("rejected");
      if (over) return Promise.resolve("lost");
      return publish(client, version, message, waiting, confirmMs, finish);
    },
    end: (timeoutMs) =>
      new Promise((resolve) => {
        if (over) return resolve();
        const timer = setTimeout(() => finish("ended"), timeoutMs);
        void ended.then(() => {
          clearTimeout(timer);
          resolve();
        });
        client.end(false, {}, () => finish("ended"));
      }),
  };
}

function publish(
  client: MqttClient,
  version: 4 | 5,
  message: Message,
  waiting: Set<(result: PublishResult) => void>,
  confirmMs: number,
  finish: (reason: string) => void,
): Promise<PublishResult> {
  const expiry = version === 5 && message.expirySeconds !== null ? { properties: { messageExpiryInterval: message.expirySeconds } } : {};
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish("the broker confirms nothing"), confirmMs);
    const settle = (result: PublishResult) => {
      waiting.delete(settle);
      clearTimeout(timer);
      resolve(result);
    };
    waiting.add(settle);
    client.publish(message.topic, message.payload, { qos: message.qos, retain: message.retain, ...expiry }, (error) =>
      settle(error ? refusal(endingOf(error)) : "ok"),
    );
  });
}

/** MQTT 5 reason codes of PUBACK (OASIS MQTT 5.0 §3.4.2.1). */
function refusal(ending: Ending): PublishResult {
  if (ending.code === 0x97) return "busy";
  if (ending.code === 0x87) return "denied";
  return ending.code !== null && ending.code >= 0x80 ? "rejected" : "lost";
}
