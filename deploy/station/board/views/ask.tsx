/** *Có lấy được hình không?*: the question, its answer, who else has it, how to get it, how to keep it. */
import { useEffect, useState } from "preact/hooks";
import { keptDays } from "../../../../agent/core/digest.ts";
import { daysOf } from "../../../../agent/core/period.ts";
import { parseTime, vietnamTime } from "../../../../agent/core/time.ts";
import type { Span } from "../../../../agent/core/types.ts";
import { bytesText, fill, wordOf } from "../../../../agent/core/words.ts";
import { type Camera, type Commune, groupsOf } from "../model/commune.ts";
import type { Retained } from "../model/kept.ts";
import { exportLine, type Finding, findingOf, findingText, localTime, othersOf } from "../model/question.ts";
import {
  answeredBody,
  answeredTopic,
  type Hold,
  holdAgainBody,
  holdBody,
  holdExpirySeconds,
  holdsOf,
  holdTopic,
} from "../model/station.ts";
import { readOfficer, writeOfficer } from "../preferences.ts";
import { fullTimeText, silentSince, timeText, type View } from "./view.ts";

export type Actions = {
  readonly want: (filters: readonly string[]) => () => void;
  /** Resolves with whether the station took it; `body` null takes it back. */
  readonly publish: (topic: string, body: object | null, expirySeconds: number | null) => Promise<boolean>;
  readonly newId: () => string;
};
type Props = {
  readonly commune: Commune;
  readonly retained: Retained;
  readonly view: View;
  /** `<site>/<camera>` from the address, where somebody came from a camera. */
  readonly first: string | null;
  readonly actions: Actions;
};

const hourMs = 3_600_000;
/** A question over more than this is none about a case. */
const mostDays = 7;

type Asked = { readonly camera: string; readonly span: Span };

export function AskScreen({ commune, retained, view, first, actions }: Props) {
  const { words, nowAt } = view;
  const [place, setPlace] = useState(first ?? "");
  const [from, setFrom] = useState(() => localTime(nowAt - hourMs).slice(0, 16));
  const [to, setTo] = useState(() => localTime(nowAt).slice(0, 16));
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const [fromAt, toAt] = [parseTime(from, nowAt), parseTime(to, nowAt)];
    const refusal = refusalOf(fromAt, toAt, view);
    setProblem(refusal);
    if (refusal === null && fromAt !== null && toAt !== null) setAsked({ camera: place, span: { fromAt, toAt } });
  };
  return (
    <article class="ask">
      <h2>{words.ask.title}</h2>
      <form onSubmit={submit}>
        <label>
          {words.ask.camera}
          <select required value={place} onChange={({ currentTarget }) => setPlace(currentTarget.value)}>
            <option value="" />
            {groupsOf(commune.cameras).map(({ name, cameras }) => (
              <optgroup key={name} label={name ?? words.group.none}>
                {cameras.map((camera) => (
                  <option key={`${camera.site}/${camera.id}`} value={`${camera.site}/${camera.id}`}>
                    {camera.name}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        </label>
        <TimeField label={words.ask.from} value={from} onChange={setFrom} />
        <TimeField label={words.ask.to} value={to} onChange={setTo} />
        <button type="submit">{words.ask.submit}</button>
      </form>
      {problem === null ? null : (
        <p role="alert" class="doubt">
          {problem}
        </p>
      )}
      {asked === null ? null : <Answered key={JSON.stringify(asked)} {...{ asked, commune, retained, view, actions }} />}
      <Holds holds={holdsOf(retained)} {...{ view, actions, commune }} />
    </article>
  );
}

const TimeField = ({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) => (
  <label>
    {label}
    <input type="datetime-local" required value={value} onInput={({ currentTarget }) => onChange(currentTarget.value)} />
  </label>
);

function refusalOf(fromAt: number | null, toAt: number | null, { words, nowAt }: View): string | null {
  if (fromAt === null || toAt === null || fromAt >= toAt) return words.ask.badTime;
  if (toAt - fromAt > mostDays * 24 * hourMs) return fill(words.ask.tooLong, { days: mostDays });
  return fromAt < nowAt - keptDays * 24 * hourMs ? fill(words.ask.tooOld, { days: keptDays }) : null;
}

type AnsweredProps = Omit<Props, "first"> & { readonly asked: Asked };

function Answered({ asked, commune, retained, view, actions }: AnsweredProps) {
  const { words, nowAt } = view;
  const days = daysOf(asked.span).map(({ day }) => `from/+/day/${day}/+`);
  useEffect(() => actions.want(days), [days.join(" ")]);
  const camera = commune.cameras.find(({ site, id }) => `${site}/${id}` === asked.camera);
  const site = commune.sites.find(({ id }) => id === camera?.site);
  if (camera === undefined || site === undefined) return <p class="doubt">{words.camera.missing}</p>;
  const finding = findingOf(retained, site, camera, asked.span, nowAt);
  return (
    <section class="answer" aria-live="polite">
      <p class={`verdict ${finding.answer}`} data-answer={finding.answer}>
        <strong>{words.ask.answers[finding.answer]}</strong>
      </p>
      <p class="asked">
        {fill(words.ask.asked, { camera: camera.name, from: fullTimeText(asked.span.fromAt), to: fullTimeText(asked.span.toAt) })}
      </p>
      <p>{findingText(finding, view.language)}</p>
      <p>{doubtText(finding, view)}</p>
      {finding.answer === "no" ? null : <p>{keptText(finding, view)}</p>}
      <Others findings={othersOf(retained, commune, finding, nowAt)} view={view} />
      <Deeds {...{ finding, view, actions }} />
    </section>
  );
}

function doubtText({ doubt, camera }: Finding, view: View): string {
  const { words } = view;
  if (camera.manual !== null) {
    const days = camera.manual.keepsMs === null ? "?" : Math.floor(camera.manual.keepsMs / (24 * hourMs));
    return fill(words.ask.manual, { household: camera.household ?? "?", days });
  }
  if (doubt === null) return "";
  if (doubt.kind === "future") return words.ask.future;
  if (doubt.kind === "no-day") return words.ask.noDay;
  return fill(words.ask.silent, { since: silentSince(doubt.sinceAt, doubt.isExact, view) });
}

function keptText({ stay }: Finding, { words }: View): string {
  if (stay.kind === "held") return words.ask.keptHeld;
  return stay.kind === "age" ? fill(words.ask.keptUntil, { at: vietnamTime(stay.untilAt) }) : words.ask.keptUnknown;
}

function Others({ findings, view }: { readonly findings: readonly Finding[]; readonly view: View }) {
  const { words, language } = view;
  return (
    <section>
      <h3>{words.ask.othersTitle}</h3>
      {findings.length === 0 ? <p>{words.ask.othersNone}</p> : null}
      <ul>
        {findings.map((finding) => (
          <li key={`${finding.camera.site}/${finding.camera.id}`}>
            <strong>{finding.camera.name}</strong>: {words.ask.answers[finding.answer]} – {findingText(finding, language)}
          </li>
        ))}
      </ul>
    </section>
  );
}

type Said = { readonly kind: "none" | "missing" | "hold-failed" | "registered" | "register-failed" };

/** As the box takes it (agent/officer.ts). */
const officerForm = /^[A-Za-z0-9-]{1,32}$/;

function Deeds({ finding, view, actions }: { readonly finding: Finding; readonly view: View; readonly actions: Actions }) {
  const { words, language, nowAt } = view;
  const [request, setRequest] = useState("");
  const [officer, setOfficer] = useState(readOfficer);
  const [said, say] = useState<Said>({ kind: "none" });
  const { camera, site, asked } = finding;
  const hold = async () => {
    if (request.trim() === "" || !officerForm.test(officer)) return say({ kind: "missing" });
    writeOfficer(officer);
    const body = holdBody(camera.id, asked, request.trim(), officer);
    const taken = await actions.publish(holdTopic(site.id, actions.newId()), body, holdExpirySeconds);
    say({ kind: taken ? "none" : "hold-failed" });
  };
  const register = async () => {
    const why = findingText(finding, language);
    const body = answeredBody(site.id, camera.id, asked, finding.answer, why, request.trim(), nowAt);
    say({ kind: (await actions.publish(answeredTopic(actions.newId()), body, null)) ? "registered" : "register-failed" });
  };
  const text = {
    none: "",
    missing: words.ask.holdMissing,
    "hold-failed": words.ask.holdFailed,
    registered: words.ask.registered,
    "register-failed": words.ask.registerFailed,
  }[said.kind];
  return (
    <section class="deeds">
      <label>
        {words.ask.request}
        <input value={request} maxLength={200} onInput={({ currentTarget }) => setRequest(currentTarget.value)} />
      </label>
      {finding.answer === "no" ? (
        <button type="button" onClick={() => void register()}>
          {words.ask.register}
        </button>
      ) : (
        <>
          <label>
            {words.ask.officer}
            <input value={officer} maxLength={32} onInput={({ currentTarget }) => setOfficer(currentTarget.value)} />
            <small>{words.ask.officerHint}</small>
          </label>
          {camera.manual === null ? (
            <button type="button" onClick={() => void hold()}>
              {words.ask.hold}
            </button>
          ) : null}
          <small>{words.ask.holdHint}</small>
        </>
      )}
      <p role="status">{text}</p>
      {finding.answer === "no" || camera.manual !== null ? null : (
        <ExportLine
          line={exportLine(finding, request.trim(), words.ask.blanks)}
          title={fill(words.ask.exportTitle, { site: site.name })}
          view={view}
        />
      )}
    </section>
  );
}

function ExportLine({ line, title, view }: { readonly line: string; readonly title: string; readonly view: View }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () =>
    navigator.clipboard?.writeText(line).then(
      () => setCopied(true),
      () => undefined,
    );
  return (
    <section>
      <h3>{title}</h3>
      <pre>
        <code>{line}</code>
      </pre>
      <button type="button" onClick={() => void copy()}>
        {isCopied ? view.words.ask.copied : view.words.ask.copy}
      </button>
    </section>
  );
}

type HoldsProps = { readonly holds: readonly Hold[]; readonly view: View; readonly actions: Actions; readonly commune: Commune };

/** Requests that stand at the station. What a box has answered is put away by a person; until then it is asked again whenever it connects. */
function Holds({ holds, view, actions, commune }: HoldsProps) {
  const { words } = view;
  if (holds.length === 0) return null;
  const nameOf = (hold: Hold): string => {
    const camera: Camera | undefined = commune.cameras.find(({ site, id }) => site === hold.site && id === hold.camera);
    return camera?.name ?? `${hold.site}/${hold.camera}`;
  };
  return (
    <section>
      <h3>{words.ask.holdsTitle}</h3>
      <ul class="holds">
        {holds.map((hold) => (
          <li key={hold.id} data-hold={hold.state.kind}>
            <strong>{nameOf(hold)}</strong>, {timeText(hold.from, view.nowAt)} – {timeText(hold.to, view.nowAt)}, {hold.request}:{" "}
            {holdText(hold, view)}{" "}
            {hold.state.kind === "waiting" ? (
              <AgainButton body={holdAgainBody(hold)} {...{ hold, view, actions }} />
            ) : (
              <button type="button" onClick={() => void actions.publish(holdTopic(hold.site, hold.id), null, null)}>
                {words.ask.holdDone}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

type AgainProps = { readonly hold: Hold; readonly body: object | null; readonly view: View; readonly actions: Actions };

/** Answers come once, to the pages that are open: another asks anew for one that it has missed. */
function AgainButton({ hold, body, view: { words }, actions }: AgainProps) {
  const [isFailed, setFailed] = useState(false);
  if (body === null) return null;
  const ask = async () => setFailed(!(await actions.publish(holdTopic(hold.site, hold.id), body, holdExpirySeconds)));
  return (
    <>
      <button type="button" onClick={() => void ask()}>
        {words.ask.holdAgain}
      </button>
      {isFailed ? <small role="alert">{words.ask.holdFailed}</small> : null}
    </>
  );
}

function holdText({ state }: Hold, { words, language }: View): string {
  if (state.kind === "waiting") return words.ask.holdWaiting;
  if (state.kind === "refused") return fill(words.ask.holdRefused, { reason: wordOf(words.refusals, state.reason) });
  return fill(words.ask.holdGranted, { hold: state.hold, size: bytesText(state.bytes, language) });
}
