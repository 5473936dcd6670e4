/** A site's messages, and its cameras as the box introduces them. Pure. */
import { type Body, bodyOf, listOf, numberOf, textOf, timeOf } from "./read.ts";

/** What the configuration says of a camera; what cannot be read of it is as where it is not said. */
export type Introduced = {
  readonly id: string;
  readonly name: string;
  readonly group: string | null;
  readonly kind: 1 | 2;
  readonly isPriority: boolean;
  readonly household: string | null;
  /** Looked at by hand, without a stream that the box could reach; counted apart. */
  readonly manual: { readonly checkedAt: number | null; readonly keepsMs: number | null } | null;
};

export function introducedOf(id: string, body: Body): Introduced {
  const manual = bodyOf(body.manual);
  return {
    ...{ id, name: textOf(body.name) ?? id, group: textOf(body.group), kind: body.kind === 1 ? 1 : 2 },
    ...{ isPriority: body.priority === true, household: textOf(body.household) },
    manual: manual === null ? null : { checkedAt: timeOf(manual.checked), keepsMs: numberOf(manual.keepsMs) },
  };
}

export type Entry = { readonly id: string; readonly body: Body };

/** The cameras of a birth, in the order of the configuration. */
export const entriesIn = (birth: Body | null): readonly Entry[] =>
  listOf(birth?.cameras).flatMap((body) => {
    const id = textOf(body.id);
    return id === null ? [] : [{ id, body }];
  });

/** Each site's messages by the topic after `from/<site>/`, the sites in the order of their ids. */
export function bySite<Message>(messages: ReadonlyMap<string, Message>): readonly (readonly [string, ReadonlyMap<string, Message>])[] {
  const found = new Map<string, Map<string, Message>>();
  for (const [topic, message] of messages) {
    const end = topic.startsWith("from/") ? topic.indexOf("/", 5) : -1;
    if (end <= 5) continue;
    const site = topic.slice(5, end);
    const told = found.get(site) ?? new Map<string, Message>();
    found.set(site, told.set(topic.slice(end + 1), message));
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b));
}
