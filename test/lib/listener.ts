/** A station's ear: everything that a broker delivers on some topics, in order. */
import { connectAsync, type IPublishPacket } from "mqtt";

export type Heard = {
  readonly topic: string;
  readonly text: string;
  readonly qos: number;
  readonly retain: boolean;
  /** Seconds that the broker still keeps it; null where it has no end. */
  readonly expirySeconds: number | null;
  readonly atMs: number;
};
export type Listener = {
  readonly heard: readonly Heard[];
  publish(topic: string, text: string, options?: { readonly retain?: boolean; readonly correlation?: string }): Promise<void>;
  stop(): Promise<void>;
};

/** Connects and subscribes; reconnects and subscribes again by itself, sooner than any agent does. */
export async function listen(
  url: string,
  topics: readonly string[],
  clientId = `listener-${process.pid}-${Date.now()}`,
): Promise<Listener> {
  const heard: Heard[] = [];
  const client = await connectAsync(url, {
    ...{ protocolVersion: 5, clientId, clean: false, reconnectPeriod: 200 },
    properties: { sessionExpiryInterval: 3_600 },
  });
  client.on("error", () => undefined);
  client.on("message", (topic, payload, packet: IPublishPacket) => {
    const expirySeconds = packet.properties?.messageExpiryInterval ?? null;
    heard.push({ topic, text: String(payload), qos: packet.qos, retain: packet.retain, expirySeconds, atMs: Date.now() });
  });
  // Retained messages carry their flag when they arrive, so that a test sees what was sent.
  await client.subscribeAsync([...topics], { qos: 1, rap: true });
  return {
    heard,
    publish: async (topic, text, options = {}) => {
      const properties = options.correlation === undefined ? {} : { correlationData: Buffer.from(options.correlation) };
      await client.publishAsync(topic, text, { qos: 1, retain: options.retain ?? false, properties });
    },
    stop: () => client.endAsync(true),
  };
}

/** Another client under a name that is taken, with a session of its own: it and the holder throw each other out by turns until it ends. */
export async function rival(url: string, clientId: string): Promise<{ end(): Promise<void> }> {
  const client = await connectAsync(url, { protocolVersion: 5, clientId, clean: true, reconnectPeriod: 500 });
  client.on("error", () => undefined);
  return { end: () => client.endAsync(true) };
}
