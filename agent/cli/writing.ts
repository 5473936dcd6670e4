/** For the few commands that write: the store for a short while, and the audit that is written first. */
import type { Settings } from "../config/schema.ts";
import type { AuditData, AuditKind } from "../core/audit.ts";
import { iso } from "../core/time.ts";
import type { Trust } from "../core/types.ts";
import { openReads, openStore, type Store } from "../store/store.ts";
import { type Context, exit, nowUtc, Refusal, settingsOf } from "./context.ts";

export type Desk = {
  readonly store: Store;
  readonly settings: Settings;
  readonly nowUtc: number;
  readonly trust: Trust;
  /** What cannot be written down is not done: throws then. */
  readonly audit: (what: AuditKind, data: AuditData) => void;
};

/** Opens the store for writing, acts, closes. */
export function writing<T>(context: Context, act: (desk: Desk) => T): T {
  const desk = openDesk(context);
  try {
    return act(desk);
  } finally {
    desk.store.close();
  }
}

/** The same for what takes its time: a copy, or a question to a person. */
export async function writingSlowly<T>(context: Context, act: (desk: Desk) => Promise<T>): Promise<T> {
  const desk = openDesk(context);
  try {
    return await act(desk);
  } finally {
    desk.store.close();
  }
}

function openDesk(context: Context): Desk {
  const settings = settingsOf(context);
  const known = openReads(settings.site.state);
  if (known === null)
    throw new Refusal(exit.notFound, `nothing has been recorded in ${settings.site.state} yet; start the agent: matghi run`);
  known.close();
  const store = openStore(settings.site.state);
  const trust = store.live()?.clock ?? "unset";
  // A person may have thought for a while.
  const audit = (what: AuditKind, data: AuditData) => void store.audit({ at: iso(nowUtc(settings)), clock: trust, what, data });
  return { store, settings, nowUtc: nowUtc(settings), trust, audit };
}
