/** `matghi hold add|list|lift`: footage that may not be overwritten. Each writes in one short transaction, beside a running agent too. */
import type { Change, Moment } from "../core/change.ts";
import { makeDating } from "../core/dating.ts";
import { iso, isoOrNull, vietnamTime } from "../core/time.ts";
import { bytesText, fill, wordsIn } from "../core/words.ts";
import type { HoldRow } from "../store/reads.ts";
import type { Store } from "../store/store.ts";
import { type Context, exit, Refusal } from "./context.ts";
import { knownCamera, stretchOf, textOf, timeOf } from "./fields.ts";
import { type Desk, writing } from "./writing.ts";

export type AddOptions = {
  readonly camera: string;
  readonly from: string;
  readonly to: string;
  readonly request: string;
  readonly officer: string;
  readonly until?: string;
};

export function addHold(context: Context, options: AddOptions): number {
  const [request, officer] = [textOf("request", options.request), textOf("officer", options.officer)];
  return writing(context, (desk) => {
    const { store, settings, nowUtc } = desk;
    const camera = knownCamera(options.camera, [...new Set([...settings.cameras, ...store.cameras()].map(({ id }) => id))]);
    const asked = stretchOf(options, nowUtc);
    const untilUtc = reminderOf(options.until, nowUtc);
    const dating = makeDating(store.boots());
    const hold = {
      ...{ camera, request, officer, fromUtc: asked.fromAt, toUtc: asked.toAt, sinceAt: dating.fromUtc(nowUtc), untilUtc },
      ...{ fromAt: dating.fromUtc(asked.fromAt), toAt: dating.fromUtc(asked.toAt) },
    };
    const data = { camera, from: iso(asked.fromAt), to: iso(asked.toAt), request };
    desk.audit("hold.added", { ...data, officer, ...(untilUtc === null ? {} : { until: iso(untilUtc) }) });
    write(store, [
      { put: "hold-added", hold },
      { put: "event", moment: momentOf(desk), type: "hold.added", level: "info", data },
    ]);
    const row = store.holds().at(-1);
    if (row === undefined) throw new Error("the hold is not there after it was written");
    const words = wordsIn(settings.site.language);
    context.out(context.json ? JSON.stringify(holdJson(row, desk)) : fill(words.hold.added, holdWords(row, desk)));
    return exit.fine;
  });
}

/** A date alone ends with that day. Throws a Refusal for what is past. */
function reminderOf(text: string | undefined, nowAt: number): number | null {
  if (text === undefined) return null;
  const at = timeOf(text, "until", nowAt, 0);
  const untilAt = /^\d{4}-\d{2}-\d{2}$/.test(text) ? at + dayMs : at;
  if (untilAt <= nowAt) throw new Refusal(exit.wrongUse, `--until ${text} is past; name a day to come, or leave it away`);
  return untilAt;
}

const dayMs = 86_400_000;

export function listHolds(context: Context): number {
  return writing(context, (desk) => {
    const rows = desk.store.holds();
    const words = wordsIn(desk.settings.site.language);
    if (context.json) context.out(JSON.stringify({ holds: rows.map((row) => holdJson(row, desk)) }));
    else context.out(rows.length === 0 ? words.hold.none : rows.map((row) => fill(words.hold.line, holdWords(row, desk))).join("\n"));
    return exit.fine;
  });
}

export type LiftOptions = { readonly officer: string; readonly reason: string };

export function liftHold(context: Context, id: string, options: LiftOptions): number {
  const [officer, reason] = [textOf("officer", options.officer), textOf("reason", options.reason)];
  return writing(context, (desk) => {
    const { store, settings } = desk;
    const rows = store.holds();
    const row = rows.find((hold) => String(hold.id) === id);
    if (row === undefined) {
      const list = rows.length === 0 ? "there is none" : `there are: ${rows.map((hold) => hold.id).join(", ")}`;
      throw new Refusal(exit.notFound, `no hold ${id.slice(0, 40)}; ${list}; see matghi hold list`);
    }
    const moment = momentOf(desk);
    const data = { hold: row.id, camera: row.camera, from: iso(row.fromUtc), to: iso(row.toUtc), request: row.request };
    desk.audit("hold.lifted", { ...data, officer, reason });
    write(store, [
      { put: "hold-lifted", hold: row.id, at: moment.at },
      // The reason stays in the audit: it is free text, may hold a name, and events go to the station.
      { put: "event", moment, type: "hold.lifted", level: "info", data },
    ]);
    context.out(
      context.json ? JSON.stringify(holdJson(row, desk)) : fill(wordsIn(settings.site.language).hold.lifted, holdWords(row, desk)),
    );
    return exit.fine;
  });
}

const momentOf = ({ store, nowUtc, trust }: Desk): Moment => ({ at: makeDating(store.boots()).fromUtc(nowUtc), monoMs: 0, clock: trust });

function write(store: Pick<Store, "commit">, change: Change): void {
  const done = store.commit(change);
  if (done.kind === "waiting") throw new Refusal(exit.needsPerson, `the database takes nothing (${done.why}); free its disk and try again`);
}

const holdJson = ({ id, camera, fromUtc, toUtc, request, officer, sinceAt, untilUtc, bytes }: HoldRow, { store }: Desk) => ({
  ...{ id, camera, from: iso(fromUtc), to: iso(toUtc), request, officer, since: iso(makeDating(store.boots()).toUtc(sinceAt)), bytes },
  until: isoOrNull(untilUtc),
});

function holdWords({ id, camera, fromUtc, toUtc, request, officer, untilUtc, bytes }: HoldRow, { settings }: Desk) {
  const size = bytesText(bytes, settings.site.language);
  const words = wordsIn(settings.site.language).hold;
  const until = untilUtc === null ? "" : fill(words.until, { until: vietnamTime(untilUtc) });
  return { id, camera, from: vietnamTime(fromUtc), to: vietnamTime(toUtc), request, officer, size, until };
}
