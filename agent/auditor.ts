/** The agent's own entries in the audit, and their signature. What the state disk does not take costs the recording nothing. */
import type { AuditData, AuditHead, AuditKind } from "./core/audit.ts";
import { iso } from "./core/time.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { BoxKey } from "./store/key.ts";
import type { Store } from "./store/store.ts";

export type Auditor = {
  readonly key: BoxKey | null;
  say(what: AuditKind, data: AuditData): void;
  /** The same for what may not be done without it: throws where the disk does not take it. */
  put(what: AuditKind, data: AuditData): void;
  /** Adds the box's signature of the chain as it stands. Throws where it cannot. */
  sign(): void;
};

/** `key` null: there is none that can be read. */
export function makeAuditor(store: Pick<Store, "audit" | "meta">, key: BoxKey | null, time: Time, log: Log): Auditor {
  const put = (what: AuditKind, data: AuditData) => void store.audit({ at: iso(time.nowUtc()), clock: time.moment().clock, what, data });
  return {
    ...{ key, put },
    say: (what, data) => {
      try {
        put(what, data);
      } catch (error) {
        log.error({ what, err: String(error) }, "the audit does not take an entry; check the state disk");
      }
    },
    sign: () => {
      const head = JSON.parse(store.meta("audit") ?? "null") as AuditHead | null;
      if (key === null || head === null) return;
      put("signed", { head: head.hash, signature: key.sign(Buffer.from(head.hash)).toString("base64"), key: key.fingerprint });
    },
  };
}
