/** The journal's bounds: how much is kept, and what is dropped first when the station does not take it. */
import type { EventType } from "./types.ts";

/** 0 is dropped first, 3 last: what explains a loss outlives what merely describes. */
export const importance: Record<EventType, 0 | 1 | 2 | 3> = {
  "run.started": 3,
  "run.stopping": 3,
  "run.ended": 3,
  "power.changed": 3,
  "clock.step": 3,
  "journal.dropped": 3,
  "journal.reset": 3,
  "hold.added": 3,
  "hold.lifted": 3,
  "export.made": 3,
  "gap.opened": 2,
  "gap.closed": 2,
  "disk.changed": 2,
  "link.changed": 2,
  "camera.changed": 2,
  "picture.suspect": 1,
  "picture.cleared": 1,
  "clock.changed": 1,
  "config.changed": 1,
  "footage.deleted": 0,
};

/** Bounds of the journal (reference: edge.md §3.2). `slack` rows go at once, so that drops are few and counted together. */
export type JournalBounds = { readonly maxEvents: number; readonly slackEvents: number };
export const journalBounds: JournalBounds = { maxEvents: 100_000, slackEvents: 2_000 };

/** How many rows must go, of those that the station has and of those it has not. */
export type DropPlan = { readonly sent: number; readonly unsent: number };

/** Confirmed rows go before unconfirmed ones, whatever their importance: they are elsewhere. */
export function planDrop(bounds: JournalBounds, count: number, sent: number): DropPlan | null {
  if (count <= bounds.maxEvents) return null;
  const surplus = count - bounds.maxEvents + bounds.slackEvents;
  const ofSent = Math.min(sent, surplus);
  return { sent: ofSent, unsent: surplus - ofSent };
}
