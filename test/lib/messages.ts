/** The published description of the messages, deploy/station/asyncapi.yaml, held against what is really sent. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";
import { repository } from "./cameras.ts";

type Ref = { readonly $ref: string };
export type Operation = {
  readonly action: "send" | "receive";
  readonly channel: Ref;
  readonly reply?: { readonly channel: Ref };
  readonly bindings: { readonly mqtt: { readonly qos: 0 | 1; readonly retain: boolean; readonly messageExpiryInterval?: number } };
};
export type Channel = {
  readonly address: string;
  readonly parameters: Readonly<Record<string, Ref | object>>;
  readonly messages: Readonly<Record<string, Ref>>;
};
export type Document = {
  readonly asyncapi: string;
  readonly channels: Readonly<Record<string, Channel>>;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: {
    readonly parameters: Readonly<Record<string, { readonly enum?: readonly string[] }>>;
    readonly messages: Readonly<Record<string, { readonly payload: Ref }>>;
    readonly schemas: Readonly<Record<string, object>>;
  };
};

export const document = parse(readFileSync(join(repository, "deploy/station/asyncapi.yaml"), "utf8")) as Document;

const ajv = new Ajv({ strict: true, allowUnionTypes: true, strictTypes: false, allErrors: false });
ajv.addVocabulary(["components"]);
ajv.addSchema({ $id: "matghi", components: { schemas: document.components.schemas } });
const compiled = new Map<string, ValidateFunction>();

/** The check of one schema, by its name. Throws where it is no good schema. */
export function schemaOf(name: string): ValidateFunction {
  const known = compiled.get(name) ?? ajv.compile({ $ref: `matghi#/components/schemas/${name.replaceAll("~", "~0")}` });
  compiled.set(name, known);
  return known;
}

const nameIn = ({ $ref }: Ref) => $ref.split("/").at(-1) ?? "";
const escaped = (text: string) => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
const patterns = Object.entries(document.channels).map(([name, { address }]) => ({
  name,
  pattern: new RegExp(`^${escaped(address).replace(/\{\w+\}/g, "[^/]+")}$`),
}));

/** The channel that a topic belongs to; null: none. */
export const channelOf = (topic: string): string | null => patterns.find(({ pattern }) => pattern.test(topic))?.name ?? null;

/** What is wrong with a payload on a topic; empty: nothing. An empty payload takes a retained message back. */
export function payloadProblems(topic: string, payload: string): readonly string[] {
  const channel = channelOf(topic);
  if (channel === null) return [`${topic}: no such channel`];
  if (payload === "") return operationOf(channel)?.bindings.mqtt.retain === true ? [] : [`${topic}: empty`];
  const [message] = Object.values(document.channels[channel]?.messages ?? {});
  const check = schemaOf(nameIn(document.components.messages[message === undefined ? "" : nameIn(message)]?.payload ?? { $ref: "" }));
  const body: unknown = JSON.parse(payload);
  if (check(body)) return [];
  const { instancePath, message: what, params, propertyName } = check.errors?.at(0) ?? {};
  return [`${topic}: ${instancePath} ${propertyName ?? ""} ${what} ${JSON.stringify(params)} in ${payload.slice(0, 600)}`];
}

/** The operation on a channel. */
export const operationOf = (channel: string): Operation | undefined =>
  Object.values(document.operations).find((operation) => nameIn(operation.channel) === channel);

export type Sent = {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly expirySeconds: number | null;
};

/** What is wrong with a message as the site sent it. `slackSeconds`: the broker counts an expiry down. */
export function sentProblems({ topic, payload, qos, retain, expirySeconds }: Sent, slackSeconds = 0): readonly string[] {
  const problems = payloadProblems(topic, payload);
  const operation = operationOf(channelOf(topic) ?? "");
  if (problems.length > 0 || operation === undefined) return problems.length > 0 ? problems : [`${topic}: nobody sends it`];
  if (operation.action !== "send") return [`${topic}: not the site's to send`];
  const told = operation.bindings.mqtt;
  const isEndless = payload === "" || payload.includes('"state":"lost"');
  const expiry = isEndless ? null : (told.messageExpiryInterval ?? null);
  const isInTime =
    expiry === null || expirySeconds === null
      ? expiry === expirySeconds
      : expiry - expirySeconds <= slackSeconds && expirySeconds <= expiry;
  return [
    ...(qos === told.qos || payload === "" ? [] : [`${topic}: QoS ${qos}, not ${told.qos}`]),
    ...(retain === told.retain ? [] : [`${topic}: retain ${retain}`]),
    ...(isInTime ? [] : [`${topic}: expiry ${expirySeconds}, not ${expiry}`]),
  ];
}

/** What of an event is not as it is published: the envelope as `events --json` has it is the one on the wire. */
export const eventProblems = (envelope: object): readonly string[] => payloadProblems("matghi/v1/x/from/x/event", JSON.stringify(envelope));
