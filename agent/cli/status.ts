/** `matghi status`: what is true now, worst first, and what a person should do. */

import type { Status } from "../core/status.ts";
import { vietnamTime } from "../core/time.ts";
import type { Language } from "../core/words.ts";
import { bytesText, fill, wordsIn } from "../core/words.ts";
import { readStatus } from "../query.ts";
import { version } from "../version.ts";
import { type Context, exit, reading } from "./context.ts";

export function status(context: Context): number {
  return reading(context, ({ settings, reads, running, nowAt }) => {
    const now = readStatus(reads, settings, version, running, nowAt);
    context.out(context.json ? JSON.stringify(now) : statusText(now, settings.site.name, settings.site.language));
    return now.todo.some((entry) => entry.level === "broken") ? exit.needsPerson : exit.fine;
  });
}

function statusText(now: Status, name: string, language: Language): string {
  const words = wordsIn(language);
  const at = (time: string | null) => (time === null ? "–" : vietnamTime(Date.parse(time)));
  const alive = now.running && now.run !== null ? fill(words.running, { since: at(now.run.startedAt) }) : words.notRunning;
  const percent = (share: number | null) =>
    share === null ? "–" : `${(Math.floor(share * 1000) / 10).toFixed(1).replace(".", language === "vi" ? "," : ".")}%`;
  const unsupported = (driver: string) => `${words.unsupported} (driver: ${driver})`;
  const free = now.disk.freeBytes === null ? "" : `, ${fill(words.free, { bytes: bytesText(now.disk.freeBytes, language) })}`;
  const cameras = now.cameras.map(
    (camera) =>
      `  ${words.states[camera.state].padEnd(10)} ${percent(camera.recorded24h).padStart(6)}  ${camera.id}  ${camera.name}${camera.why === null ? "" : `  (${camera.why})`}  ${at(camera.lastFrameAt)}`,
  );
  const todo = now.todo.length === 0 ? [words.nothingToDo] : [words.todo, ...now.todo.map((entry) => `  ! ${entry.text}`)];
  return [
    `${name} (${now.site}) – matghi ${now.version}`,
    ...todo,
    `${words.box}: ${alive}`,
    `${words.disk}: ${now.disk.value}${free}`,
    `${words.station}: ${now.station.value}, ${fill(words.unsent, { count: now.station.unsent })}`,
    `${words.power}: ${unsupported(now.power.driver)}`,
    `${words.link}: ${unsupported(now.link.driver)}`,
    `${words.clock}: ${now.clock.value}`,
    "Camera:",
    ...cameras,
    ...now.notes.map(
      (note) =>
        `  - ${language === "vi" ? note.replace(wordsIn("en").notSupportedYet.replace("{setting}", ""), words.notSupportedYet.replace("{setting}", "")) : note}`,
    ),
  ].join("\n");
}
