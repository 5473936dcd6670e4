/** A look at each camera's newest footage now and then: one key frame, of one camera at a time. Recording never waits for it. */
import type { Clock, Picture } from "../hal/ports.ts";
import type { Settings } from "./config/schema.ts";
import { type Album, albumOf, albumText, lightAt, look, type PictureNews, pictureOf } from "./core/picture.ts";
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
type Mind = { album: Album; path: string | null; nextMonoMs: MonoMs; keptMonoMs: MonoMs; kept: string | null };

const tickMs = 1_000;
/** What is usual changes with every look, and slowly: it is written down this often, and with every verdict. */
const keepEveryMs = 3_600_000;

/** Looks until `signal` aborts. What it finds stands in the store (`picture CAMERA`); who takes that away has the camera learnt anew. */
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
  const { clock, settings } = deps;
  const everyMs = settings().pictures.every;
  const light = clock.trust() === "unset" ? null : lightAt(deps.time.nowUtc());
  const known = minds.get(camera);
  // The smaller stream may show less of the view.
  if (everyMs === 0 || light === null || lastFile?.stream !== "main" || lastFile.path === known?.path) return;
  if (signal.aborted || clock.monoMs() < (known?.nextMonoMs ?? 0) || deps.gate.value() !== "ok") return;
  Object.assign(mindOf(deps, minds, camera), { nextMonoMs: clock.monoMs() + everyMs, path: lastFile.path });
  const glimpse = await deps.picture.glance(`${deps.folder}/${lastFile.path}`, signal);
  if (glimpse === null) return;
  // A person may have found it right meanwhile.
  const mind = mindOf(deps, minds, camera);
  const { album, news } = look(mind.album, viewOf(glimpse), light, deps.time.now());
  const isChanged = pictureOf(album).value !== pictureOf(mind.album).value;
  mind.album = album;
  if (isChanged || news.length > 0 || clock.monoMs() - mind.keptMonoMs >= keepEveryMs) write(deps, camera, mind, news);
}

function mindOf({ store }: PicturesDeps, minds: Map<string, Mind>, camera: string): Mind {
  const kept = store.meta(`picture ${camera}`);
  const known = minds.get(camera);
  if (known !== undefined && (kept !== null || known.kept === null)) return known;
  const mind: Mind = {
    ...{ album: albumOf(kept), path: known?.path ?? null, nextMonoMs: known?.nextMonoMs ?? 0 },
    ...{ keptMonoMs: Number.NEGATIVE_INFINITY, kept },
  };
  minds.set(camera, mind);
  return mind;
}

/** Writes down what was learnt, and what is news. */
function write({ store, time, clock, log }: PicturesDeps, camera: string, mind: Mind, news: readonly PictureNews[]): void {
  const moment = time.moment();
  mind.kept = albumText(mind.album);
  mind.keptMonoMs = clock.monoMs();
  store.commit([
    { put: "note", note: `picture ${camera}`, text: mind.kept },
    ...news.map(({ kind, ...data }) => {
      const said = { put: "event", moment, type: `picture.${kind}`, level: kind === "suspect" ? "warn" : "info" } as const;
      return { ...said, data: { camera, ...data } satisfies Data };
    }),
  ]);
  for (const { kind, ...what } of news) log.info({ camera, ...what }, `picture ${kind}`);
}
