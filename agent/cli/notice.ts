/** `matghi notice --household ID --out F.html`: the page that a household is given about its camera. */
import type { Settings } from "../config/schema.ts";
import { lineBytes, lineRate } from "../core/drawn.ts";
import { type NoticeCamera, type NoticeFacts, noticeHtml } from "../core/notice.ts";
import { monthOf, parsePeriod, spanOfMonth } from "../core/period.ts";
import { isExtraction, requestsOf, roles } from "../core/register.ts";
import type { Span } from "../core/types.ts";
import { fill, wordsIn } from "../core/words.ts";
import { drawnIn } from "../query.ts";
import { type Context, exit, Refusal, reading, type Session } from "./context.ts";
import { writeWhole } from "./out.ts";

export type NoticeOptions = { readonly household: string; readonly out: string };

const dayMs = 86_400_000;
const hourMs = 3_600_000;

export function notice(context: Context, { household, out }: NoticeOptions): number {
  return reading(context, (session) => {
    const { site, report, recording, cameras } = session.settings;
    const own = cameras.filter((camera) => camera.household === household);
    if (own.length === 0) throw new Refusal(exit.notFound, unknownText(household, session.settings));
    const facts: NoticeFacts = {
      ...{ household, unit: report.unit ?? null, site: site.name, dutyPhone: report.dutyPhone ?? null, rule: recording.keep.rule },
      ...{ keepMaxDays: recording.keep.max / dayMs, audio: recording.audio, madeAt: session.nowAt },
      cameras: own.map((camera) => cameraOf(session, camera)),
    };
    const bytes = writeWhole(out, noticeHtml(facts, site.language));
    const written = { household, cameras: own.map(({ id }) => id), file: out, bytes };
    context.out(context.json ? JSON.stringify(written) : fill(wordsIn(site.language).report.written, { file: out, bytes }));
    return exit.fine;
  });
}

function unknownText(household: string, { cameras }: Settings): string {
  const known = [...new Set(cameras.flatMap((camera) => camera.household ?? []))];
  return `no camera belongs to household ${household.slice(0, 40)}; ${known.length === 0 ? "none names one: cameras.household" : `there are: ${known.join(", ")}`}`;
}

function cameraOf(session: Session, { id, name, household }: Settings["cameras"][number]): NoticeCamera {
  const { settings, reads } = session;
  const { language } = settings.site;
  const groups = new Set(
    reads.viewers().flatMap((row) => (row.toAt === null && (row.cameras.length === 0 || row.cameras.includes(id)) ? [row.role] : [])),
  );
  const entries = reads
    .register(quarterOf(session.nowAt))
    .filter((entry) => isExtraction(entry) && entry.facts.kind === "export" && entry.facts.cameras.includes(id));
  return {
    ...{ name: name ?? id, ...lineOf(session, id), extractions: requestsOf(entries).length },
    isOverInternet: settings.households.some((entry) => entry.id === household && entry.reach === "wan"),
    viewers: roles.filter((role) => groups.has(role)).map((role) => wordsIn(language).register.roles[role]),
  };
}

/** The calendar's quarter so far. */
function quarterOf(nowAt: number): Span {
  const [year = "", month = ""] = monthOf(nowAt).split("-");
  const span = parsePeriod(`${year}-Q${Math.ceil(Number(month) / 3)}`, nowAt)?.span;
  return { fromAt: span?.fromAt ?? nowAt, toAt: nowAt + 1 };
}

/** What it took of the line: while it recorded, over the last day, and in the calendar's month so far. */
function lineOf(session: Session, camera: string): Pick<NoticeCamera, "bytesPerSecond" | "monthBytes"> {
  const { nowAt } = session;
  const lastDay = drawnIn(session, camera, { fromAt: nowAt - dayMs, toAt: nowAt + hourMs });
  const month = drawnIn(session, camera, spanOfMonth(monthOf(nowAt)) ?? { fromAt: nowAt, toAt: nowAt });
  return { bytesPerSecond: lineRate(lastDay), monthBytes: lineBytes(month.bytes) };
}
