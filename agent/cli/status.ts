/** `matghi status`: what is true now, worst first, and what a person should do. */

import { type CameraLine, weakSigns } from "../core/line.ts";
import { numberText } from "../core/print.ts";
import type { Status } from "../core/status.ts";
import { dateText, vietnamTime } from "../core/time.ts";
import { wifiText } from "../core/wifi.ts";
import type { Language } from "../core/words.ts";
import { bytesText, evidenceText, fill, wordOf, wordsIn } from "../core/words.ts";
import { readStatus } from "../query.ts";
import { version } from "../version.ts";
import { type Context, exit, reading } from "./context.ts";

export function status(context: Context): number {
  return reading(context, (session) => {
    const { settings } = session;
    const now = readStatus(session, version);
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
  const felt = ({ value, since, driver }: Status["power"]) => {
    const word = words.felt[value as keyof typeof words.felt] ?? value;
    return `${word}${since === null ? "" : ` ${fill(words.since, { since: at(since) })}`} (${driver})`;
  };
  const free = now.disk.freeBytes === null ? "" : `, ${fill(words.free, { bytes: bytesText(now.disk.freeBytes, language) })}`;
  const millions = (bytes: number) => numberText(bytes / 1e6, 1, language);
  const [last] = now.station.traffic;
  const told =
    last === undefined
      ? ""
      : `; ${fill(words.line.told, { day: dateText(Date.parse(last.day)), sent: millions(last.sentBytes), received: millions(last.receivedBytes) })}`;
  const households = now.households
    .filter(({ internetBytes }) => internetBytes >= 1e6)
    .map(({ id, internetBytes }) => `  ${fill(words.line.household, { id, bytes: bytesText(internetBytes, language) })}`);
  const cameras = now.cameras.map(
    (camera) =>
      `  ${words.states[camera.state].padEnd(10)} ${percent(camera.recorded24h).padStart(6)}  ${camera.id}  ${camera.name}${camera.why === null ? "" : `  (${evidenceText(camera.why, language)})`}${camera.stream === "main" ? "" : `  ${words.streams[camera.stream]}`}  ${at(camera.lastFrameAt)}${lineText(camera.line, language)}`,
  );
  const todo = now.todo.length === 0 ? [words.nothingToDo] : [words.todo, ...now.todo.map((entry) => `  ! ${entry.text}`)];
  return [
    `${name} (${now.site}) – matghi ${now.version}`,
    ...todo,
    `${words.box}: ${alive}`,
    `${words.disk}: ${wordOf(words.disks, now.disk.value)}${free}`,
    `${words.station}: ${wordOf(words.stations, now.station.value)}, ${fill(words.unsent, { count: now.station.unsent })}${told}`,
    `${words.power}: ${felt(now.power)}`,
    `${words.link}: ${felt(now.link)}${now.link.wifi === null ? "" : `, ${wifiText(now.link.wifi, language)}`}`,
    `${words.clock}: ${felt(now.clock)}`,
    "Camera:",
    ...cameras,
    ...(households.length === 0 ? [] : [words.line.title, ...households]),
    ...now.notes.map(
      (note) =>
        `  - ${language === "vi" ? note.replace(wordsIn("en").notSupportedYet.replace("{setting}", ""), words.notSupportedYet.replace("{setting}", "")) : note}`,
    ),
  ].join("\n");
}

/** Said where it is weak only. */
function lineText(line: CameraLine | null, language: Language): string {
  const signs = line === null ? [] : weakSigns(line);
  return signs.length === 0 ? "" : `  (${wordsIn(language).line.weak}: ${signs.map((sign) => evidenceText(sign, language)).join("; ")})`;
}
