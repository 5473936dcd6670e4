/** A look at each camera's newest footage now and then: one key frame, of one camera at a time. Recording never waits for it. */
import type { Clock, Picture } from "../hal/ports.ts";
import type { Settings } from "./config/schema.ts";
import { type Album, accept, albumOf, albumText, keepEveryMs, lightAt, look, type PictureNews, pictureOf } from "./core/picture.ts";
import type { Data, MonoMs } from "./core/types.ts";
import { viewOf } from "./core/view.ts";
import type { Eye } from "./eye.ts";
import type { Gate } from "./gate.ts";
import type { Log } from "./log.ts";
import type { Time } from "./moment.ts";
import type { Store } from "./store/store.ts";

export type PicturesDeps = {
  readonly clock: Clock;
  readonly time: Time;
  readonly store: Pick<Store, "commit" | "meta">;
  readonly log: Log;
  readonly picture: Picture;
  readonly gate: Pick<Gate, "value">;
  readonly eyes: ReadonlyMap<string, Eye>;
  readonly settings: () => Settings;
  readonly folder: string;
};

/** What the loop has in mind of one camera. */
type Mind = { album: Album; path: string | null; nextMonoMs: MonoMs; keptMonoMs: MonoMs };

const tickMs = 1_000;
/** `recording.segment` is at most half of it: an older file tells of another hour. */
const longestFileMs = 20 * 60_000;

/** Looks until `signal` aborts. What it finds stands in the store (`picture CAMERA`); a new `accepted CAMERA` has the camera learnt anew. */
export async function watchPictures(deps: PicturesDeps, signal: AbortSignal): Promise<void> {
  const minds = new Map<string, Mind>();
  while (!signal.aborted) {
    await deps.clock.sleep(tickMs, signal);
    for (const eye of deps.eyes.values()) {
      try {
        await lookOnce(deps, minds, eye, signal);
      } catch (error) {
        deps.log.error({ camera: eye.camera, err: String(error) }, "a camera's picture could not be looked at; it is tried again");
      }
    }
  }
}

async function lookOnce(deps: PicturesDeps, minds: Map<string, Mind>, { camera, lastFile }: Eye, signal: AbortSignal): Promise<void> {
  const { clock, store, time } = deps;
  const everyMs = deps.settings().pictures.every;
  const mind = minds.get(camera) ?? newMind(store.meta(`picture ${camera}`));
  minds.set(camera, mind);
  // The smaller stream may show less of the view.
  if (everyMs === 0 || clock.trust() === "unset" || lastFile?.stream !== "main" || lastFile.path === mind.path) return;
  const takenAt = time.dating().toUtc(lastFile.startAt);
  const light = time.nowUtc() - takenAt > everyMs + longestFileMs ? null : lightAt(takenAt);
  if (light === null || signal.aborted || clock.monoMs() < mind.nextMonoMs || deps.gate.value() !== "ok") return;
  Object.assign(mind, { nextMonoMs: clock.monoMs() + everyMs, path: lastFile.path });
  const glimpse = await deps.picture.glance(`${deps.folder}/${lastFile.path}`, signal);
  if (glimpse === null) return;
  const view = viewOf(glimpse);
  // Whatever a person accepts from here on is seen at the next look; until then nobody takes this album for the one that was accepted.
  const accepted = accept(mind.album, store.meta(`accepted ${camera}`));
  const seen = look(accepted.album, view, light, time.now());
  const news = [...accepted.news, ...seen.news];
  const isChanged = accepted.album !== mind.album || pictureOf(seen.album).value !== pictureOf(mind.album).value;
  mind.album = seen.album;
  if (isChanged || news.length > 0 || clock.monoMs() - mind.keptMonoMs >= keepEveryMs) write(deps, camera, mind, news);
}

const newMind = (kept: string | null): Mind => ({ album: albumOf(kept), path: null, nextMonoMs: 0, keptMonoMs: Number.NEGATIVE_INFINITY });

/** Writes down what was learnt, and what is news. */
function write({ store, time, clock, log }: PicturesDeps, camera: string, mind: Mind, news: readonly PictureNews[]): void {
  const moment = time.moment();
  mind.keptMonoMs = clock.monoMs();
  store.commit([
    { put: "note", note: `picture ${camera}`, text: albumText(mind.album) },
    ...news.map(({ kind, ...data }) => {
      const said = { put: "event", moment, type: `picture.${kind}`, level: kind === "suspect" ? "warn" : "info" } as const;
      return { ...said, data: { camera, ...data } satisfies Data };
    }),
  ]);
  for (const { kind, ...what } of news) log.info({ camera, ...what }, `picture ${kind}`);
}
