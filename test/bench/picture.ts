/** What a look at a camera's picture costs: one key frame of a file at 1080p, decoded by ffmpeg and measured by us, beside ffmpeg's mere start. */
import { execFileSync, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { viewOf } from "../../agent/core/view.ts";
import { makePicture } from "../../hal/picture.ts";
import { tempFolder } from "../lib/temp.ts";
import type { Figure } from "./figures.ts";
import { cpuSeconds, waitedCpuSeconds } from "./processes.ts";

const ffmpeg = "/usr/bin/ffmpeg";
const looksATurn = 20;
/** As the agent does by default (`pictures.every`). */
const [cameras, everyMs] = [16, 600_000] as const;

export async function pictureFigures(turns: number): Promise<readonly Figure[]> {
  const folder = tempFolder("bench-picture");
  const film = join(folder, "film.mkv");
  const source = ["-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=25,noise=c0s=6:c0f=t", "-t", "10"];
  execFileSync(ffmpeg, ["-v", "error", ...source, "-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-pix_fmt", "yuv420p", film]);
  const picture = makePicture({ ffmpeg });
  const never = new AbortController().signal;
  const lookMs: number[] = [];
  const waitMs: number[] = [];
  const startMs: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const began = performance.now();
    lookMs.push(
      await costMs(async () => {
        const glimpse = await picture.glance(film, never);
        if (glimpse === null) throw new Error("the film cannot be seen");
        viewOf(glimpse);
      }),
    );
    waitMs.push((performance.now() - began) / looksATurn);
    startMs.push(await costMs(async () => void spawnSync(ffmpeg, ["-version"], { stdio: "ignore" })));
  }
  rmSync(folder, { recursive: true, force: true });
  const share = lookMs.map((ms) => (100 * ms * cameras) / everyMs);
  return [
    {
      name: "a look at a picture (1080p): processor ÷ ffmpeg's start alone",
      unit: "×",
      values: lookMs.map((ms, i) => ms / (startMs[i] ?? Number.NaN)),
      most: null,
    },
    { name: "a look at a picture (1080p): processor", unit: "ms", values: lookMs, most: null },
    { name: "a look at a picture (1080p): time", unit: "ms", values: waitMs, most: null },
    {
      name: `looks at pictures, ${cameras} cameras every ${everyMs / 60_000} minutes: processor`,
      unit: "% of one",
      values: share,
      most: null,
    },
  ];
}

/** Processor time of one deed, ours and our children's, in milliseconds: the mean of a turn. */
async function costMs(deed: () => Promise<void>): Promise<number> {
  const seconds = () => cpuSeconds(process.pid) + waitedCpuSeconds(process.pid);
  const before = seconds();
  for (let i = 0; i < looksATurn; i += 1) await deed();
  return ((seconds() - before) * 1_000) / looksATurn;
}
