/** Whom the doctor examines, and with what. */
import type { BoxIdentity, Clock, Disks, Footage, Machine, Remux, StreamLook } from "../../hal/ports.ts";
import type { Settings } from "../config/schema.ts";
import type { Check, Finding } from "../core/checkup.ts";
import type { Status } from "../core/status.ts";
import type { Asking } from "../query.ts";

export type Patient = {
  readonly settings: Settings;
  /** Of the file as it stands now, and of the one in use; null: no agent ever told. */
  readonly config: { readonly hash: string; readonly inUse: string | null; readonly file: string };
  readonly agentVersion: string;
  readonly identity: BoxIdentity;
  /** null: nothing was recorded yet, or the database cannot be read. */
  readonly asking: Asking | null;
  readonly status: Status | null;
  readonly database: { readonly kind: "good" | "none" } | { readonly kind: "broken"; readonly detail: string };
  readonly audit: { readonly entries: number; readonly problems: readonly { readonly what: string }[] };
  /** Try the maker's own login at each camera, once: only where a person asked for it. */
  readonly triesDefaults: boolean;
};
export type DoctorMeans = {
  readonly machine: Machine;
  readonly disks: Disks;
  readonly footage: Footage;
  readonly clock: Clock;
  readonly streams: StreamLook;
  readonly remux: Pick<Remux, "groupMs" | "look">;
};

/** How long a door is tried. */
export const doorMs = 5_000;

/** One finding. */
export const check = (id: string, finding: Finding, facts: Check["facts"] = {}, because = ""): Check => ({ id, finding, facts, because });
