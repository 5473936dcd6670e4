/** One camera: how it stands, its last 40 days as strips, its gaps with cause and evidence. */
import { useEffect, useState } from "preact/hooks";
import { keptDays } from "../../../../agent/core/digest.ts";
import { dayOf, daysOf, spanOfDay } from "../../../../agent/core/period.ts";
import { durationText, numberText } from "../../../../agent/core/print.ts";
import { vietnamTime } from "../../../../agent/core/time.ts";
import { evidenceText, fill, offsetText } from "../../../../agent/core/words.ts";
import type { Camera, Site } from "../model/commune.ts";
import { type Day, dayAt, dayPieces, type Gap, gapsOver } from "../model/day.ts";
import type { Retained } from "../model/kept.ts";
import { vouchedOf } from "../model/question.ts";
import { stateText } from "./overview.tsx";
import { Legend, Strip } from "./strip.tsx";
import { householdText, ratioText, timeText, type View } from "./view.ts";

const dayMs = 86_400_000;

type Props = {
  readonly site: Site | undefined;
  readonly camera: Camera | undefined;
  readonly retained: Retained;
  readonly view: View;
  readonly want: (filters: readonly string[]) => () => void;
};

export function CameraScreen({ site, camera, retained, view, want }: Props) {
  const { words, nowAt } = view;
  const [chosen, choose] = useState<string | null>(null);
  const filter = camera === undefined || site === undefined ? null : `from/${site.id}/day/+/${camera.id}`;
  useEffect(() => (filter === null ? undefined : want([filter])), [filter]);
  if (camera === undefined || site === undefined) return <p class="doubt">{words.camera.missing}</p>;
  const days = [...daysOf({ fromAt: nowAt - keptDays * dayMs, toAt: nowAt })]
    .reverse()
    .map(({ day }) => ({ day, told: dayAt(retained, camera, day) }));
  // What lies before the first day that the station knows is one line, not forty.
  const known = days.slice(
    0,
    days.reduce((last, { told }, i) => (told === null ? last : i + 1), 1),
  );
  const shown = chosen === null ? days : days.filter(({ day }) => day === chosen);
  return (
    <article class="camera">
      <p>
        <a href="#/">← {words.camera.back}</a>
      </p>
      <h2>{camera.name}</h2>
      <Facts {...{ camera, site, view }} />
      <p>
        <a class="button" href={`#/ask/${site.id}/${camera.id}`}>
          {words.camera.ask}
        </a>
      </p>
      {camera.manual === null ? (
        <>
          <Calendar {...{ camera, site, view, chosen, choose }} days={known} hasMore={known.length < days.length} />
          <Gaps {...{ camera, view, chosen }} days={shown} />
          <Legend view={view} />
        </>
      ) : null}
    </article>
  );
}

function Facts({ camera, site, view }: { readonly camera: Camera; readonly site: Site; readonly view: View }) {
  const { words, language, nowAt } = view;
  const texts = words.camera;
  const kept = camera.daysKept === null ? "–" : numberText(Math.floor(camera.daysKept * 10) / 10, 1, language);
  const max = site.keepMaxMs === null ? null : Math.floor(site.keepMaxMs / dayMs);
  const facts: readonly (readonly [string, string])[] = [
    [texts.state, stateText(camera, site, view)],
    [texts.site, `${site.name} (${site.id})`],
    [texts.group, camera.group ?? words.group.none],
    ...(camera.household === null ? [] : [[texts.household, householdText(camera.household, view)] as const]),
    [texts.kind, String(camera.kind)],
    ...(camera.stream === "main" ? [] : [[texts.stream, view.said.streams[camera.stream]] as const]),
    [texts.picture, texts.pictures[camera.picture]],
    [texts.kept, max === null ? fill(texts.days, { days: kept }) : fill(texts.keepMax, { days: kept, max })],
    [texts.clock, clockText(camera.clockOffsetMs, view)],
    [texts.lastFrame, camera.lastFrameAt === null ? "–" : timeText(camera.lastFrameAt, nowAt)],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Less than this is what measuring it costs. */
const rightMs = 1_000;

function clockText(offsetMs: number | null, { words, language }: View): string {
  if (offsetMs === null) return words.camera.clockUnknown;
  if (Math.abs(offsetMs) < rightMs) return words.camera.clockRight;
  return fill(offsetMs > 0 ? words.camera.clockFast : words.camera.clockSlow, { length: offsetText(offsetMs, language) });
}

type ToldDay = { readonly day: string; readonly told: Day | null };
type CalendarProps = {
  readonly days: readonly ToldDay[];
  /** There are days of the forty before these, of which the station knows nothing. */
  readonly hasMore: boolean;
  readonly camera: Camera;
  readonly site: Site;
  readonly view: View;
  readonly chosen: string | null;
  readonly choose: (day: string | null) => void;
};

function Calendar({ days, hasMore, camera, site, view, chosen, choose }: CalendarProps) {
  const { words, nowAt } = view;
  const most = Math.max(1, ...days.map(({ told }) => breaksOf(told)));
  return (
    <section>
      <h3>{words.camera.calendar}</h3>
      <table class="calendar">
        <thead>
          <tr>
            <th scope="col">{words.camera.day}</th>
            <th scope="col" class="axis">
              <i>00:00</i>
              <i>12:00</i>
              <i>24:00</i>
            </th>
            <th scope="col">{words.camera.share}</th>
            <th scope="col" title={words.camera.breaksTrend}>
              {words.camera.breaks}
            </th>
          </tr>
        </thead>
        <tbody>
          {days.map(({ day, told }) => (
            <tr key={day} class={chosen === day ? "chosen" : ""}>
              <th scope="row">
                <button type="button" aria-pressed={chosen === day} onClick={() => choose(chosen === day ? null : day)}>
                  {dateText(day)}
                </button>
              </th>
              <td>
                {told === null ? (
                  <small>{words.camera.noDay}</small>
                ) : (
                  <Strip pieces={dayPieces(told, day === dayOf(nowAt) ? vouchedOf(site, camera) : null)} span={told} view={view} />
                )}
              </td>
              <td class="number">{told === null || told.dueMs === 0 ? "–" : ratioText(shareOf(told), view)}</td>
              <td class="number">{told === null ? "–" : <Bar count={breaksOf(told)} most={most} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {hasMore ? <p>{words.camera.noMore}</p> : null}
      <p class="wide">
        <small>{words.camera.breaksTrend}</small>
      </p>
    </section>
  );
}

const Bar = ({ count, most }: { readonly count: number; readonly most: number }) => (
  <span class="bar">
    <i style={{ width: `${(count / most) * 100}%` }} />
    {count}
  </span>
);

const breaksOf = (told: Day | null): number =>
  told === null ? 0 : told.gaps.filter(({ cause }) => cause !== "planned").length + told.gapsLeftOut;
const shareOf = ({ recordedMs, dueMs, unknownMs }: Day): number | null => (dueMs > unknownMs ? recordedMs / (dueMs - unknownMs) : null);
const dateText = (day: string): string => day.split("-").reverse().slice(0, 2).join("/");

/** Enough of them to see what is wrong; a day is chosen for the rest. */
const mostGaps = 60;

type GapsProps = { readonly days: readonly ToldDay[]; readonly camera: Camera; readonly view: View; readonly chosen: string | null };

function Gaps({ days, camera, view, chosen }: GapsProps) {
  const { words, language, said, nowAt } = view;
  const texts = words.camera;
  const gaps = gapsOver(days.map(({ told }) => told));
  const leftOut = days.reduce((sum, { told }) => sum + (told?.gapsLeftOut ?? 0), Math.max(0, gaps.length - mostGaps));
  const evidence = (gap: Gap) => gap.evidence.map((code) => evidenceText(code, language)).join("; ");
  const end = (gap: Gap) => (gap.isOpen ? texts.lasting : timeOfDay(gap.toAt));
  const title = chosen === null ? texts.gaps : fill(texts.gapsOf, { day: vietnamTime(spanOfDay(chosen)?.fromAt ?? nowAt).slice(9) });
  return (
    <section>
      <h3>{title}</h3>
      {gaps.length === 0 ? <p>{texts.noGaps}</p> : null}
      <ul class="gaps">
        {gaps.slice(0, mostGaps).map((gap) => (
          <li key={`${gap.fromAt} ${gap.cause}`}>
            <span class={`sample gap-${gap.cause}`}>
              <b>{words.letters[gap.cause]}</b>
            </span>
            <span>
              <strong>{`${timeOfDay(gap.fromAt)} – ${end(gap)}`}</strong>
              {gap.isOpen ? "" : ` · ${durationText(gap.toAt - gap.fromAt, language)}`}
              <br />
              {said.causes[gap.cause]} <small>({texts.sures[gap.sure]})</small>
              {gap.evidence.length === 0 ? null : <small class="evidence">{`${texts.columns.evidence}: ${evidence(gap)}`}</small>}
            </span>
          </li>
        ))}
      </ul>
      {leftOut > 0 ? <p>{fill(texts.leftOut, { count: leftOut, camera: camera.id })}</p> : null}
    </section>
  );
}

const timeOfDay = (at: number): string => {
  const [clock = "", day = ""] = vietnamTime(at).split(" ");
  return `${clock} ${day.slice(0, 5)}`;
};
