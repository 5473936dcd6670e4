/** The station's end of a scripted line: it keeps what it confirmed, and may be away, refuse, or lose its confirmations. */
import type { Broker, Message } from "../../hal/ports.ts";
import { scriptBroker } from "../../hal/script.ts";

/** `away`: nobody answers. `swallowing`: what is sent never arrives, and that is noticed late. `deaf`: it takes what comes, and its confirmations are lost with the connection. `busy`: over its quota. */
export type LineState = "well" | "away" | "swallowing" | "deaf" | "busy";
export type Archive = {
  readonly broker: Broker;
  readonly heard: { readonly events: number; readonly twice: number };
  set(state: LineState): void;
  /** What is wrong with the events of this journal up to number `lastG`, as sentences. */
  complaints(db: string, lastG: number): readonly string[];
};
type Envelope = { readonly db: string; readonly g: number; readonly boot: string; readonly seq: number };

export function makeArchive(): Archive {
  let state: LineState = "well";
  const heard = { events: 0, twice: 0 };
  const known = new Map<string, { readonly id: string; readonly text: string }>();
  const newest = new Map<string, number>();
  const wrong: string[] = [];
  const take = ({ topic, payload }: Message) => {
    if (!topic.endsWith("/event")) return;
    const { late: _late, ...envelope } = JSON.parse(payload) as Envelope & { late?: boolean };
    const { db, g, boot, seq } = envelope;
    heard.events += 1;
    const before = known.get(`${db} ${g}`);
    const id = `${boot} ${seq}`;
    if (before !== undefined) heard.twice += 1;
    if (before !== undefined && before.id !== id) wrong.push(`event ${g} came under two ids: ${before.id} and ${id}`);
    if (before === undefined && g !== (newest.get(db) ?? 0) + 1) wrong.push(`event ${g} came first after ${newest.get(db) ?? 0}`);
    known.set(`${db} ${g}`, { id, text: payload });
    newest.set(db, Math.max(newest.get(db) ?? 0, g));
  };
  const scripted = scriptBroker({
    connect: () => (state === "away" ? { kind: "failed", reason: "unreachable", detail: "scene" } : null),
    publish: (message) => {
      if (state === "away" || state === "swallowing") return "lost";
      if (state === "busy") return "busy";
      take(message);
      return state === "deaf" ? "lost" : "ok";
    },
  });
  return {
    ...{ broker: scripted, heard },
    set: (next) => {
      state = next;
      if (next === "away" || next === "deaf") scripted.cut();
    },
    complaints: (db, lastG) => {
      const missing = Array.from({ length: lastG }, (_, i) => i + 1).filter((g) => !known.has(`${db} ${g}`));
      return [...wrong, ...(missing.length > 0 ? [`${missing.length} events never came, first ${missing[0]}`] : [])];
    },
  };
}
