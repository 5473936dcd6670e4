/** What the board holds of the station: the retained messages, each with the moment it was said. Pure. */
import { expirySecondsOf, type TopicName, topicNames } from "../../../../agent/core/message.ts";
import { bodyOf } from "./read.ts";

/** A message as it stands. `saidAt`: when the broker got it, on this computer's clock; null where that cannot be told. */
export type Kept = { readonly value: unknown; readonly saidAt: number | null };
/** By the topic after `matghi/v1/<commune>/`. */
export type Retained = ReadonlyMap<string, Kept>;

/** A message as it arrives. `expiresInSeconds`: what is left of its time, where the broker says so. */
export type Arrival = {
  readonly topic: string;
  readonly text: string;
  readonly isRetained: boolean;
  readonly expiresInSeconds: number | null;
  readonly arrivedAt: number;
};

/** No message of a site is longer (core/summary.ts bounds the longest of them). */
const mostLetters = 64_000;

/** Takes one message apart; `kept` null: it was taken back. Null: nothing that a board can read. */
export function keptOf({ text, ...arrival }: Arrival): { readonly kept: Kept | null } | null {
  if (text === "") return { kept: null };
  if (text.length > mostLetters) return null;
  try {
    return { kept: { value: JSON.parse(text) as unknown, saidAt: saidAt(arrival) } };
  } catch {
    return null;
  }
}

/** A message that comes live was said now; of a retained one the time that is left tells how old it is. */
function saidAt({ topic, isRetained, expiresInSeconds, arrivedAt }: Omit<Arrival, "text">): number | null {
  if (!isRetained) return arrivedAt;
  const name = topic.split("/")[2] ?? "";
  const whole = isTopicName(name) ? expirySecondsOf(name) : null;
  if (whole === null || expiresInSeconds === null) return null;
  return arrivedAt - Math.max(0, whole - expiresInSeconds) * 1_000;
}

const isTopicName = (name: string): name is TopicName => (topicNames as readonly string[]).includes(name);

/** Is this the broker's *lost* about a connection that a newer one has replaced? */
export function isOutdated(before: Kept | undefined, after: Kept): boolean {
  const [old, told] = [bodyOf(before?.value), bodyOf(after.value)];
  return told?.state === "lost" && old?.state === "online" && told.boot === old.boot && Number(told.conn) < Number(old.conn);
}
