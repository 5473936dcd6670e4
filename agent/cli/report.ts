/** `matghi report`: hours due and recorded of a period, losses by cause, faults; for people, for Excel, for machines. */

import { csvText } from "../core/csv.ts";
import { type Period, parsePeriod, periodBefore, periodForms } from "../core/period.ts";
import { countsOf, registerJson } from "../core/register.ts";
import { type Report, reportJson, reportOf } from "../core/report.ts";
import { type SheetFacts, sheetText } from "../core/sheet.ts";
import { comparisonOf, isWhole } from "../core/sheetblock.ts";
import { sheetHtml } from "../core/sheetpage.ts";
import { type PictureFacts, suspicionJson } from "../core/suspicion.ts";
import { fill, wordsIn } from "../core/words.ts";
import { picturesIn, registerFacts, reportFacts } from "../facts.ts";
import { version } from "../version.ts";
import { type Context, exit, Refusal, reading, type Session } from "./context.ts";
import { writeWhole } from "./out.ts";

export type ReportOptions = { readonly period: string; readonly format?: string; readonly out?: string };

const formats = ["text", "html", "csv", "json"] as const;
type Format = (typeof formats)[number];

export function report(context: Context, options: ReportOptions): number {
  const format = formatOf(context, options.format);
  const ask = (session: Session) => {
    const made = reportOn(periodOf(options, session.nowAt), session);
    const text = render[format](made, session);
    if (options.out === undefined) context.out(text.replace(/\n$/, ""));
    else sayWritten(context, session, options.out, writeWhole(options.out, text.endsWith("\n") ? text : `${text}\n`));
    return exit.fine;
  };
  return reading(context, ask, (nowAt) => periodOf(options, nowAt));
}

function periodOf({ period: asked }: ReportOptions, nowAt: number): Period {
  const period = parsePeriod(asked, nowAt);
  if (period === null) throw new Refusal(exit.wrongUse, `--period ${asked}: no such period; write ${periodForms}`);
  return period;
}

/** `--json` is `--format json`. */
function formatOf({ json }: Context, asked: string | undefined): Format {
  const format = formats.find((name) => name === (asked ?? (json ? "json" : "text")));
  if (format === undefined) throw new Refusal(exit.wrongUse, `--format ${asked}: no such format; one of ${formats.join(", ")}`);
  if (json && format !== "json") throw new Refusal(exit.wrongUse, `--json and --format ${format} contradict each other; leave one away`);
  return format;
}

const render: Record<Format, (made: Report, session: Session) => string> = {
  text: (made, session) => sheetText(made, sheetFacts(made, session)),
  html: (made, session) => sheetHtml(made, sheetFacts(made, session)),
  json: (made, session) =>
    JSON.stringify({
      ...reportJson(made),
      pictures: picturesOn(made, session)?.suspected.map(suspicionJson) ?? null,
      extractions: registerJson(registerFacts(session, made.period.span)),
    }),
  csv: (made, { settings }) => csvText(made, settings.site.language),
};

const reportOn = (period: Period, session: Session): Report => reportOf(period, reportFacts(session, period.span), session.nowAt);

const picturesOn = ({ cameras, period, untilAt }: Report, session: Session): PictureFacts | null =>
  picturesIn(
    session,
    cameras.map(({ camera }) => camera.id),
    { fromAt: period.span.fromAt, toAt: untilAt },
  );

function sheetFacts(made: Report, session: Session): SheetFacts {
  const { site, report: printed, recording } = session.settings;
  const period = periodBefore(made.period);
  const before = period === null ? null : reportOn(period, session);
  const register = registerFacts(session, made.period.span);
  const judged = (report: Report) => ({ report, isWhole: isWhole(report) });
  return {
    ...{
      language: site.language,
      version,
      site: site.name,
      takenAt: session.nowAt,
      unit: printed.unit ?? null,
      rule: printed.rule ?? null,
    },
    ...{ recipients: printed.recipients ?? [], dutyPhone: printed.dutyPhone ?? null, keepRule: recording.keep.rule },
    ...{
      missing: [],
      pictures: picturesOn(made, session),
      comparison: comparisonOf(judged(made), before === null ? null : judged(before)),
      extractions: countsOf(register.requests),
      register,
    },
  };
}

function sayWritten(context: Context, { settings }: Session, file: string, bytes: number): void {
  if (context.json) context.out(JSON.stringify({ file, bytes }));
  else context.out(fill(wordsIn(settings.site.language).report.written, { file, bytes }));
}
