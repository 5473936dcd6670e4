/** Debian's motion, told to pass the stream through and that something moves all the time. Then it writes mp4, whatever it is told. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Other, Place } from "./others.ts";

const program = "/usr/bin/motion";

/** A file for all and one a camera, as motion wants it. */
function configure({ folder, target, cameras }: Place): string {
  const of = (lines: Readonly<Record<string, string>>) => Object.entries(lines).map((pair) => `${pair.join(" ")}\n`);
  const files = cameras.map(({ name, url }, i) => {
    const file = join(folder, `motion-${name}.conf`);
    const lines = { camera_id: String(i + 1), netcam_url: url, target_dir: join(target, name), movie_filename: "%H%M%S" };
    mkdirSync(join(target, name), { recursive: true });
    writeFileSync(file, of(lines).join(""));
    return file;
  });
  const main = {
    ...{ daemon: "off", log_level: "4", webcontrol_port: "0", stream_port: "0", framerate: "25", netcam_use_tcp: "on" },
    ...{ emulate_motion: "on", picture_output: "off", movie_output: "on", movie_passthrough: "on" },
    ...{ movie_max_time: "60", text_left: '""', text_right: '""' },
  };
  const file = join(folder, "motion.conf");
  writeFileSync(file, [...of(main), ...files.map((camera) => `camera ${camera}\n`)].join(""));
  return file;
}

export const motion: Other = {
  programs: [program],
  packages: "motion",
  // Its help, which names the version, ends with an exit of 1.
  label: () => spawnSync(program, ["-h"], { encoding: "utf8" }).stdout.split(/[\n,]/)[0]?.replace("Version ", "") ?? "motion",
  start: async (place) => {
    const file = configure(place);
    const record = () => place.run(program, ["-c", file]);
    let pid = record();
    const again = () => {
      pid = record();
    };
    return { folders: place.cameras.map(({ name }) => join(place.target, name)), beside: [], recorders: () => [pid], again };
  },
};
