/** What a person should do, worst first, each with what is being done about it. */
import { useState } from "preact/hooks";
import { fill } from "../../../../agent/core/words.ts";
import { alarmText } from "../model/commune.ts";
import type { Retained } from "../model/kept.ts";
import { type NoteCode, noteOf, notes } from "../model/station.ts";
import type { Task } from "../model/todo.ts";
import { agoText, householdText, sinceText, timeText, type View } from "./view.ts";

/** Resolves with whether the station took it. */
export type OnNote = (place: string, code: NoteCode | null, date: string | null) => Promise<boolean>;
export type TodoProps = {
  readonly tasks: readonly Task[];
  readonly retained: Retained;
  readonly view: View;
  readonly onNote: OnNote;
  readonly isTv: boolean;
};

const most = { tv: 8, page: 12 } as const;

export function Todo({ tasks, retained, view, onNote, isTv }: TodoProps) {
  const { words } = view;
  const [isLong, setLong] = useState(false);
  const shown = isTv ? tasks.slice(0, most.tv) : isLong ? tasks : tasks.slice(0, most.page);
  const left = tasks.length - shown.length;
  return (
    <section class="todo" aria-labelledby="todo">
      <h2 id="todo">{words.todo.title}</h2>
      {tasks.length === 0 ? <p class="calm">{words.todo.nothing}</p> : null}
      <ol>
        {shown.map((task) => (
          <TaskView key={task.key} {...{ task, retained, view, onNote, isTv }} />
        ))}
      </ol>
      {left > 0 ? (
        <p>
          {fill(words.todo.more, { count: left })}{" "}
          {isTv ? null : (
            <button type="button" onClick={() => setLong(true)}>
              {words.todo.showAll}
            </button>
          )}
        </p>
      ) : null}
    </section>
  );
}

type TaskProps = Omit<TodoProps, "tasks"> & { readonly task: Task };

function TaskView({ task, retained, view, onNote, isTv }: TaskProps) {
  const { words } = view;
  return (
    <li class={`task ${task.level}`} data-task={task.key}>
      <p>
        <span class="what">{taskText(task, view)}</span> <span class="since">{taskSince(task, view)}</span>
      </p>
      {task.kind !== "alarm" && task.cameras.length > 0 ? <small>{underText(task, view)}</small> : null}
      {task.kind === "alarm" && task.cameras.length > 1 ? <small>{underText(task, view)}</small> : null}
      {task.kind === "alarm" && task.cameras[0]?.household != null && task.cameras.length === 1 ? (
        <small>{householdText(task.cameras[0].household, view)}</small>
      ) : null}
      <NoteView place={task.note} sinceAt={task.sinceAt} {...{ retained, view, onNote, isTv }} words={words} />
    </li>
  );
}

const underText = (task: Task, { words }: View) =>
  `${fill(words.todo.under, { count: task.cameras.length })}: ${task.cameras
    .slice(0, 6)
    .map(({ name }) => name)
    .join(", ")}${task.cameras.length > 6 ? "…" : ""}`;

/** What an alarm says of itself is the box's own sentence. */
export function taskText(task: Task, view: View): string {
  const { words } = view;
  if (task.kind === "alarm") {
    const text = alarmText(task.alarm, view.language);
    return task.alarm.camera === null ? `${task.site.name}: ${text}` : text;
  }
  if (task.kind === "area") {
    const names = task.sites.map(({ name }) => name);
    return fill(words.todo.area, { count: names.length, sites: `${names.slice(0, 6).join(", ")}${names.length > 6 ? "…" : ""}` });
  }
  if (task.kind === "household") {
    const name = view.households.get(task.household);
    const household = name === undefined ? task.household : `${task.household} – ${name}`;
    return fill(words.todo.household, { site: task.site.name, count: task.cameras.length, household });
  }
  return fill(words.todo[task.kind], { site: task.site.name });
}

function taskSince(task: Task, view: View): string {
  if ((task.kind === "silent" || task.kind === "spent" || task.kind === "stopped") && !task.isExact && task.sinceAt !== null)
    return fill(view.words.todo.lastTrace, { since: timeText(task.sinceAt, view.nowAt) });
  // Since when, an alarm's own sentence says; how long that is, it cannot.
  if (task.kind === "alarm") return task.sinceAt === null ? "" : `(${agoText(task.sinceAt, view.nowAt, view.language)})`;
  return sinceText(task.sinceAt, view);
}

type NoteProps = { readonly place: string; readonly sinceAt: number | null; readonly words: View["words"] } & Omit<TodoProps, "tasks">;

/** The note for the next shift, from the closed list. */
function NoteView({ place, sinceAt, retained, view, onNote, isTv, words }: NoteProps) {
  const note = noteOf(retained, place, sinceAt);
  const [failed, setFailed] = useState(false);
  const put = async (code: NoteCode | null, date: string | null) => setFailed(!(await onNote(place, code, date)));
  const said =
    note === null
      ? words.todo.noNote
      : note.code === "date-set" && note.date !== null
        ? fill(words.noteOn, { date: dateText(note.date) })
        : words.notes[note.code];
  const when = note?.at == null ? "" : ` (${timeText(note.at, view.nowAt)})`;
  if (isTv) return note === null ? null : <small class="note">{`${said}${when}`}</small>;
  return (
    <div class="note">
      <label>
        {words.todo.note}{" "}
        <select
          value={note?.code ?? ""}
          onChange={({ currentTarget }) => void put(notes.find((code) => code === currentTarget.value) ?? null, null)}
        >
          <option value="">{words.todo.noNote}</option>
          {notes.map((code) => (
            <option key={code} value={code}>
              {words.notes[code]}
            </option>
          ))}
        </select>
      </label>
      {note?.code === "date-set" ? (
        <input
          type="date"
          aria-label={words.todo.noteDate}
          value={note.date ?? ""}
          onChange={({ currentTarget }) => void put("date-set", currentTarget.value === "" ? null : currentTarget.value)}
        />
      ) : null}
      {note === null ? null : <small>{`${said}${when}`}</small>}
      {failed ? <small role="alert">{words.todo.noteFailed}</small> : null}
    </div>
  );
}

const dateText = (day: string) => day.split("-").reverse().join("/");
