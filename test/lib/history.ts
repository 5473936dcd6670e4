/** What an agent that lived on a virtual clock tells the station: its own messages, made by its own rules. */

import { type Address, birthMessage, cameraMessage, type Draft, dayMessage, monthMessage, stateMessage } from "../../agent/core/message.ts";
import { dayOf, daysOf, monthsOf } from "../../agent/core/period.ts";
import { daySummary, monthSummary } from "../../agent/core/summary.ts";
import { dayFacts, monthFacts } from "../../agent/facts.ts";
import { readStatus } from "../../agent/query.ts";
import type { Village } from "./world.ts";

const none = <T>(value: T | null): readonly T[] => (value === null ? [] : [value]);

/** Birth, state, cameras, and each day and month since `fromAt`, as the site `address`. */
export function historyOf(village: Village, address: Address, name: string, fromAt: number): readonly Draft[] {
  return village.ask((asking) => {
    const { settings, nowAt } = asking;
    const span = { fromAt, toAt: nowAt };
    const status = readStatus(asking, "test");
    const cameras = settings.cameras.map((camera) => ({
      ...{ id: camera.id, name: camera.name ?? camera.id, group: camera.group ?? null, kind: camera.kind, priority: camera.priority },
      household: camera.household ?? null,
      manual: camera.manual === undefined ? null : { checkedAt: camera.manual.checked, keepsMs: camera.manual.keeps },
      sinceAt: camera.since ?? null,
    }));
    const streams = settings.cameras.filter(({ manual }) => manual === undefined);
    return [
      birthMessage(address, {
        ...{
          versions: { agent: "test" },
          config: "",
          boot: "boot",
          startedAt: fromAt,
          cameras,
          previous: null,
          db: "db",
          firstG: 1,
          lastG: 1,
        },
        ...{ name, key: null, keep: { minMs: settings.recording.keep.min, maxMs: settings.recording.keep.max } },
      }),
      stateMessage(address, "online", "boot", 1, nowAt),
      ...streams.map(({ id, household, name: called, group, kind, priority }) => {
        const now = status.cameras.find((camera) => camera.id === id);
        return cameraMessage(address, {
          ...{ id, name: called ?? id, group: group ?? null, kind, priority },
          ...{ household: household ?? null, state: now?.state ?? "unknown", why: now?.why ?? null, stream: "main" },
          ...{ sinceAt: Date.parse(now?.since ?? "") || nowAt, lastFrameAt: Date.parse(now?.lastFrameAt ?? "") || null },
          ...{
            recorded24h: now?.recorded24h ?? null,
            daysKept: now?.daysKept ?? null,
            held: [],
            clockOffsetMs: now?.clockOffsetMs ?? null,
            picture: now?.picture ?? null,
          },
        });
      }),
      ...streams.flatMap(({ id }) => [
        ...daysOf(span).flatMap(({ fromAt: at }) =>
          none(daySummary(dayFacts(asking, id, dayOf(at)))).map((day) => dayMessage(address, day)),
        ),
        ...monthsOf(span).flatMap((month) => none(monthSummary(monthFacts(asking, id, month))).map((body) => monthMessage(address, body))),
      ]),
    ];
  });
}
