/** `matghi picture list|accept`: how the cameras' pictures were found, and that what one shows now is right. */
import type { PictureValue } from "../core/picture.ts";
import { iso, vietnamTime } from "../core/time.ts";
import { fill, wordsIn } from "../core/words.ts";
import { readStatus } from "../query.ts";
import { version } from "../version.ts";
import { type Context, exit, Refusal, reading } from "./context.ts";
import { knownCamera, textOf } from "./fields.ts";
import { writing } from "./writing.ts";

export function listPictures(context: Context): number {
  return reading(context, (session) => {
    const { cameras } = readStatus(session, version);
    const looked = cameras.flatMap(({ id, name, picture }) => (picture === null ? [] : [{ id, name, ...picture }]));
    const words = wordsIn(session.settings.site.language);
    const valueText = (value: PictureValue) => words.pictures.values[value];
    const rows = looked.map(({ id, name, since, day, night }) => {
      const from = since === null ? "" : ` (${fill(words.since, { since: vietnamTime(Date.parse(since)) })})`;
      return fill(words.pictures.row, { name: `${id}  ${name}`, day: valueText(day), night: valueText(night), since: from });
    });
    if (context.json) context.out(JSON.stringify({ pictures: looked.map(({ name: _, ...picture }) => picture) }));
    else context.out(rows.length === 0 ? words.pictures.off : rows.join("\n"));
    return exit.fine;
  });
}

export type AcceptOptions = { readonly camera: string; readonly officer: string };

/** What the camera usually showed counts no more at once; the running agent learns it anew, and tells the station, from its next look on. */
export function acceptPicture(context: Context, options: AcceptOptions): number {
  const officer = textOf("officer", options.officer);
  return writing(context, ({ store, settings, nowUtc, audit }) => {
    const camera = knownCamera(
      options.camera,
      settings.cameras.map(({ id }) => id),
    );
    audit("picture.accepted", { camera, officer });
    const done = store.commit([{ put: "note", note: `accepted ${camera}`, text: iso(nowUtc) }]);
    if (done.kind === "waiting")
      throw new Refusal(exit.needsPerson, `the database takes nothing (${done.why}); free its disk and try again`);
    const words = wordsIn(settings.site.language);
    const name = settings.cameras.find(({ id }) => id === camera)?.name ?? camera;
    context.out(context.json ? JSON.stringify({ camera, officer }) : fill(words.pictures.accepted, { name }));
    return exit.fine;
  });
}
