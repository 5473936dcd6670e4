/** A site that has recorded before, made in a second: one film as each minute of a camera, in the folder and in the store. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { segmentPath } from "../../agent/core/path.ts";
import { openStore } from "../../agent/store/store.ts";

export const minuteMs = 60_000;

/** `noise`: a film of some weight. The agent is not running afterwards, and its run has ended. */
export function writeRecorded(site: {
  readonly folder: string;
  readonly camera: string;
  readonly beganAt: number;
  readonly minutes: number;
  readonly noise?: boolean;
}): void {
  const { folder, camera, beganAt, minutes, noise = false } = site;
  mkdirSync(folder, { recursive: true });
  const film = join(folder, "film.mkv");
  const grain = noise ? ["-vf", "noise=alls=40:allf=t"] : [];
  execFileSync("ffmpeg", [
    ...["-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x120:r=5:d=60", ...grain, "-c:v", "libx264"],
    ...["-preset", "ultrafast", "-pix_fmt", "yuv420p", film],
  ]);
  const sha256 = createHash("sha256").update(readFileSync(film)).digest("hex");
  const store = openStore(join(folder, "state"));
  const { run } = store.begin({ bootId: "b1", wallMs: beganAt, monoMs: 0, clock: "synced", version: "test", above: 0 });
  store.commit([{ put: "clock-step", at: beganAt, offsetMs: 0, clock: "synced" }]);
  for (let i = 0; i < minutes; i += 1) {
    const segment = {
      ...{ camera, run, number: i, startAt: beganAt + i * minuteMs, endAt: beganAt + (i + 1) * minuteMs, bytes: statSync(film).size },
      ...({ sha256, stream: "main", clock: "synced", torn: false, namedMs: 0 } as const),
    };
    const path = join(folder, "footage", segmentPath(segment));
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(film, path);
    store.commit([
      { put: "segment", segment },
      { put: "page", camera, sinceAt: beganAt, coveredAt: segment.endAt },
    ]);
  }
  store.commit([{ put: "run-ended", run, end: "stopped", at: beganAt + minutes * minuteMs }]);
  store.close();
}
