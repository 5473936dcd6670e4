/** The reports' screen: choose a period, read the sheet, print it, copy it into Word, take the figures along. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { csvText } from "../../../../agent/core/csv.ts";
import type { Period } from "../../../../agent/core/period.ts";
import { sheetOf, sheetText } from "../../../../agent/core/sheet.ts";
import { sheetBody } from "../../../../agent/core/sheetpage.ts";
import { fill, type Language } from "../../../../agent/core/words.ts";
import { type Choice, firstChoice, kinds, partsOf, periodOf, withKind, yearsAt } from "./choice.ts";
import { wantedTopics } from "./commune.ts";
import { type CommuneSheet, communeSheetOf, type Printed } from "./facts.ts";
import { copyRich, download, dress } from "./output.ts";
import { SheetView } from "./sheet.tsx";
import type { Retained } from "./told.ts";
import { type ReportsWords, reportsWords } from "./words.ts";

export type ReportsProps = {
  /** Parsed messages by the topic after `matghi/v1/<commune>/`. */
  readonly retained: Retained;
  /** How many months there are among them: while it grows, they are still coming in. */
  readonly months: number;
  readonly now: number;
  readonly language: Language;
  /** Asks for more topics as long as they are looked at; returns how to stop it. */
  readonly want?: (filters: readonly string[]) => () => void;
  readonly printed: Printed;
  readonly onPrinted: (printed: Printed) => void;
};

/** Figures come in one after the other; what has been quiet for so long is taken to be there. */
const quietMs = 1_200;
const minuteMs = 60_000;

export function Reports({ retained, months, now, language, want, printed, onPrinted }: ReportsProps) {
  const words = reportsWords(language);
  const [choice, setChoice] = useState(() => firstChoice(now));
  const period = periodOf(choice);
  const nowAt = Math.floor(now / minuteMs) * minuteMs;
  useEffect(dress, []);
  useEffect(() => (period === null ? undefined : want?.(wantedTopics(period))), [period?.name, want]);
  const isThere = useQuiet(period?.name ?? "", months);
  const isFuture = period !== null && period.span.fromAt > nowAt;
  const sheet = useMemo(
    () => (period === null || isFuture || !isThere ? null : communeSheetOf(retained, period, nowAt, language, printed)),
    [isThere, retained, period?.name, nowAt, language, printed],
  );
  return (
    <div class="reports">
      <h2>{words.title}</h2>
      <Chooser {...{ choice, setChoice, now, words, printed, onPrinted }} />
      {period === null ? <p role="alert">{words.noPeriod}</p> : null}
      {isFuture ? <p role="status">{words.future}</p> : null}
      {period !== null && !isFuture && !isThere ? <p role="status">{words.loading}</p> : null}
      {sheet !== null && period !== null ? <Ready {...{ sheet, period, words, language }} /> : null}
    </div>
  );
}

/** Have the months of this period been quiet for a moment? */
function useQuiet(name: string, months: number): boolean {
  const [quiet, setQuiet] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(name), quietMs);
    return () => clearTimeout(timer);
  }, [name, months]);
  return quiet === name;
}

type ReadyProps = { readonly sheet: CommuneSheet; readonly period: Period; readonly words: ReportsWords; readonly language: Language };

function Ready({ sheet: { made, facts }, period, words, language }: ReadyProps) {
  const [said, say] = useState("");
  const shown = useMemo(() => sheetOf(made.report, facts), [made, facts]);
  const copy = async () => say((await copyRich(sheetBody(shown), sheetText(made.report, facts))) ? words.copied : words.notCopied);
  return (
    <>
      <div class="deeds">
        <button type="button" onClick={() => window.print()}>
          {words.print}
        </button>
        <button type="button" onClick={() => void copy()}>
          {words.copy}
        </button>
        <button
          type="button"
          onClick={() => download(fill(words.file, { period: period.name }), csvText(made.report, language, facts.missing))}
        >
          {words.csv}
        </button>
        <span role="status">{said}</span>
      </div>
      {useMemo(
        () => (
          <SheetView sheet={shown} />
        ),
        [shown],
      )}
    </>
  );
}

type ChooserProps = Pick<ReportsProps, "now" | "printed" | "onPrinted"> & {
  readonly choice: Choice;
  readonly setChoice: (choice: Choice) => void;
  readonly words: ReportsWords;
};

function Chooser({ choice, setChoice, now, words, printed, onPrinted }: ChooserProps) {
  const { kind } = choice;
  return (
    <form class="chooser" onSubmit={(event) => event.preventDefault()}>
      <label>
        {words.kind}{" "}
        <select value={kind} onChange={({ currentTarget }) => setChoice(withKind(choice, kindOf(currentTarget.value)))}>
          {kinds.map((one) => (
            <option key={one} value={one}>
              {words.kinds[one]}
            </option>
          ))}
        </select>
      </label>
      {kind === "year" || kind === "span" ? null : (
        <label>
          {words.part[kind]}{" "}
          <select value={String(choice.part)} onChange={({ currentTarget }) => setChoice({ ...choice, part: Number(currentTarget.value) })}>
            {Array.from({ length: partsOf[kind] }, (_, i) => i + 1).map((part) => (
              <option key={part} value={String(part)}>
                {kind === "half" ? words.halves[part === 1 ? 1 : 2] : part}
              </option>
            ))}
          </select>
        </label>
      )}
      {kind === "span" ? <Days {...{ choice, setChoice, words }} /> : <Year {...{ choice, setChoice, now, words }} />}
      <label class="long">
        {words.unit}{" "}
        <input
          type="text"
          value={printed.unit}
          placeholder={words.unitHint}
          onInput={({ currentTarget }) => onPrinted({ ...printed, unit: currentTarget.value })}
        />
      </label>
      <label class="long">
        {words.recipients}{" "}
        <input
          type="text"
          value={printed.recipients}
          onInput={({ currentTarget }) => onPrinted({ ...printed, recipients: currentTarget.value })}
        />
        <small>{words.recipientsHint}</small>
      </label>
    </form>
  );
}

const kindOf = (value: string) => kinds.find((kind) => kind === value) ?? "month";

type FieldProps = Pick<ChooserProps, "choice" | "setChoice" | "words">;

const Year = ({ choice, setChoice, words, now }: FieldProps & { readonly now: number }) => (
  <label>
    {words.year}{" "}
    <select value={String(choice.year)} onChange={({ currentTarget }) => setChoice({ ...choice, year: Number(currentTarget.value) })}>
      {yearsAt(now).map((year) => (
        <option key={year} value={String(year)}>
          {year}
        </option>
      ))}
    </select>
  </label>
);

const Days = ({ choice, setChoice, words }: FieldProps) => (
  <>
    <label>
      {words.from}{" "}
      <input type="date" value={choice.from} onChange={({ currentTarget }) => setChoice({ ...choice, from: currentTarget.value })} />
    </label>
    <label>
      {words.to} <input type="date" value={choice.to} onChange={({ currentTarget }) => setChoice({ ...choice, to: currentTarget.value })} />
    </label>
  </>
);
