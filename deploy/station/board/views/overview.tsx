/** The first screen: four counts, what to do, and each camera with its day. */
import { useMemo, useState } from "preact/hooks";
import { numberText } from "../../../../agent/core/print.ts";
import { vietnamTime } from "../../../../agent/core/time.ts";
import { evidenceText, fill, wordOf } from "../../../../agent/core/words.ts";
import { type Camera, type Commune, type Counts, countsOf, type Group, groupsOf, isExact, type Site } from "../model/commune.ts";
import { piecesOf } from "../model/day.ts";
import type { Retained } from "../model/kept.ts";
import { vouchedOf } from "../model/question.ts";
import { isSmallCommune, useDays, type Want } from "./days.ts";
import { Legend, Strip } from "./strip.tsx";
import { Todo, type TodoProps } from "./todo.tsx";
import { householdText, ratioText, silentSince, timeText, type View } from "./view.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;
type Props = TodoProps & {
  readonly commune: Commune;
  readonly isTv: boolean;
  /** All that stands at the station has arrived: until then a camera of which nothing came is nothing to look at. */
  readonly isWhole: boolean;
  readonly want: Want;
};

export function Overview({ commune, retained, view, tasks, onNote, isTv, isWhole, want }: Props) {
  const counts = useMemo(() => countsOf(commune.cameras), [commune]);
  const sites = useMemo(() => new Map(commune.sites.map((site) => [site.id, site])), [commune]);
  // What hangs under a silent box stands in its line of what to do.
  const hasOwnFault = (camera: Camera) => needsLook(camera) && sites.get(camera.site)?.contact.kind === "heard";
  const groups = useMemo(() => groupsOf(isTv ? commune.cameras.filter(hasOwnFault) : commune.cameras), [commune, isTv]);
  const isSmall = isSmallCommune(commune);
  return (
    <>
      <CountCards counts={counts} sites={commune.sites.length} view={view} />
      <Todo tasks={tasks} retained={retained} view={view} onNote={onNote} isTv={isTv} />
      <section aria-label={view.said.report.area} class={isSmall ? "" : "many"}>
        {groups.length === 0 ? null : (
          <p class="scale" aria-hidden="true">
            <span class="axis">
              <i>{view.words.group.axisFrom}</i>
              <i>{view.words.group.axisTo}</i>
            </span>
          </p>
        )}
        {groups.map((group) => (
          <GroupView
            key={group.name}
            {...{ group, sites, retained, view, want }}
            asksDays={isWhole && !isSmall}
            isOpen={isTv || isSmall || (isWhole && group.cameras.some(hasOwnFault))}
          />
        ))}
      </section>
      {isTv ? null : <Legend view={view} />}
    </>
  );
}

const needsLook = ({ standing }: Camera) => standing !== "good" && standing !== "manual";

function CountCards({ counts, sites, view }: { readonly counts: Counts; readonly sites: number; readonly view: View }) {
  const { words } = view;
  const isUnchecked = counts.unchecked > 0 && counts.unchecked === counts.good && counts.picture === 0;
  const card = (name: "good" | "picture" | "connected" | "dead", value: string, note: string | null) => (
    <li class={`count ${name}`} data-count={name}>
      <strong class={value.length > 4 ? "wordy" : ""}>{value}</strong>
      <span>{words.counts[name]}</span>
      {note === null ? null : <small>{note}</small>}
    </li>
  );
  return (
    <section class="counts" aria-label={words.title}>
      <ul>
        {card("good", String(counts.good), isUnchecked ? `${words.counts.pictures}: ${words.counts.unchecked}` : null)}
        {card(
          "picture",
          isUnchecked ? words.counts.unchecked : String(counts.picture),
          !isUnchecked && counts.unchecked > 0 ? fill(words.counts.uncheckedSome, { count: counts.unchecked }) : null,
        )}
        {card("connected", String(counts.connected), null)}
        {card("dead", String(counts.dead), null)}
      </ul>
      <p>
        {fill(words.counts.all, { count: counts.all, sites })}
        {counts.unknown > 0 ? <strong class="doubt">{fill(words.counts.unknown, { count: counts.unknown })}</strong> : null}
        {counts.manual > 0 ? <span>{fill(words.counts.manual, { count: counts.manual })}</span> : null}
      </p>
    </section>
  );
}

type GroupProps = {
  readonly group: Group;
  readonly sites: ReadonlyMap<string, Site>;
  readonly retained: Retained;
  readonly view: View;
  readonly isOpen: boolean;
  /** Its days are asked for as long as it stands open, for nobody else has. */
  readonly asksDays: boolean;
  readonly want: Want;
};

function GroupView({ group, sites, retained, view, isOpen, asksDays, want }: GroupProps) {
  const { words } = view;
  const trouble = group.cameras.filter(needsLook).length;
  const [chosen, choose] = useState<boolean | null>(null);
  const isShown = chosen ?? isOpen;
  useDays(want, isShown && asksDays ? [...new Set(group.cameras.map(({ site }) => site))] : [], view.nowAt);
  return (
    <details class="group" open={isShown} onToggle={({ currentTarget }) => currentTarget.open !== isShown && choose(currentTarget.open)}>
      <summary>
        <h2>{group.name ?? words.group.none}</h2>
        <span>{fill(words.group.count, { count: group.cameras.length })}</span>
        {trouble > 0 ? <span class="doubt">{fill(words.group.trouble, { count: trouble })}</span> : null}
      </summary>
      {isShown ? (
        <ul class="rows">
          {group.cameras.map((camera) => (
            <CameraRow key={`${camera.site} ${camera.id}`} {...{ camera, retained, view }} site={sites.get(camera.site)} />
          ))}
        </ul>
      ) : null}
    </details>
  );
}

type RowProps = { readonly camera: Camera; readonly site: Site | undefined; readonly retained: Retained; readonly view: View };

/** Drawn anew when its site has said something, and once a minute: hundreds of rows hold still while one changes. */
function CameraRow(props: RowProps) {
  const { camera, site, view } = props;
  return useMemo(() => <Row {...props} />, [camera, site, view.language, view.households, Math.floor(view.nowAt / minuteMs)]);
}

function Row({ camera, site, retained, view }: RowProps) {
  const { words, nowAt } = view;
  const span = { fromAt: nowAt - dayMs, toAt: nowAt };
  const isManual = camera.manual !== null;
  return (
    <li class={`row ${camera.standing}`} data-camera={`${camera.site}/${camera.id}`}>
      <a href={`#/camera/${camera.site}/${camera.id}`}>
        <span class="who">
          <span class="name">{camera.name}</span>
          {camera.isPriority ? <em>{words.row.priority}</em> : null}
          {camera.household === null ? null : <small>{householdText(camera.household, view)}</small>}
        </span>
        <span class="state">
          <span class={`mark ${camera.standing}`} aria-hidden="true" />
          {stateText(camera, site, view)}
        </span>
        {isManual ? null : <Strip pieces={piecesOf(retained, camera, span, vouchedOf(site, camera))} span={span} view={view} />}
        <span class="figures">{isManual ? null : figuresText(camera, view)}</span>
      </a>
    </li>
  );
}

function figuresText({ recorded24h, daysKept }: Camera, view: View): string {
  const { words, language } = view;
  const kept = daysKept === null ? [] : [fill(words.row.kept, { days: numberText(Math.floor(daysKept * 10) / 10, 1, language) })];
  return [...(recorded24h === null ? [] : [fill(words.row.recorded, { share: ratioText(recorded24h, view) })]), ...kept].join(" · ");
}

/** One line: how it stands, since when, and why. */
export function stateText(camera: Camera, site: Site | undefined, view: View): string {
  const { words, language, nowAt, said } = view;
  if (camera.manual !== null) {
    const { checkedAt, keepsMs } = camera.manual;
    const days = keepsMs === null ? "?" : Math.floor(keepsMs / dayMs);
    const text = checkedAt === null ? words.row.checkedNever : fill(words.row.checked, { date: vietnamTime(checkedAt).slice(9), days });
    return `${words.standings.manual} – ${text}`;
  }
  if (site !== undefined && site.contact.kind !== "heard") {
    const since = silentSince(site.contact.sinceAt, isExact(site.contact), view);
    return `${words.standings.unknown} – ${fill(words.row.silentSite, { site: site.name, since })}`;
  }
  if (camera.standing === "good") return words.standings.good;
  const since = camera.sinceAt === null ? "" : ` ${fill(words.row.since, { since: timeText(camera.sinceAt, nowAt) })}`;
  const why =
    camera.why === null || camera.state === "recording"
      ? ""
      : ` – ${wordOf(said.evidence, camera.why) === camera.why ? evidenceText(camera.why, language) : wordOf(said.evidence, camera.why)}`;
  return `${words.standings[camera.standing]}${since}${why}`;
}
