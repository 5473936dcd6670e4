/** The household's notice: what its camera records, how long, who sees it, what it costs the household's line. One page to print. Pure. */
import { escaped } from "./markup.ts";
import { numberText } from "./print.ts";
import { dateText } from "./time.ts";
import type { WallMs } from "./types.ts";
import { fill, type Language, wordsIn } from "./words.ts";

export type NoticeFacts = {
  readonly unit: string | null;
  readonly site: string;
  readonly household: string;
  readonly dutyPhone: string | null;
  readonly rule: string;
  readonly keepMaxDays: number;
  readonly audio: boolean;
  readonly madeAt: WallMs;
  readonly cameras: readonly NoticeCamera[];
};
export type NoticeCamera = {
  readonly name: string;
  /** What it sends, while it records, by the last day; null: it has not recorded in it. */
  readonly bytesPerSecond: number | null;
  /** What it has sent in this month so far. */
  readonly monthBytes: number;
  /** Does its stream leave the household over its own internet line? */
  readonly isOverInternet: boolean;
  /** Requests for which its footage was handed out in this quarter. */
  readonly extractions: number;
  /** Groups of people that may view it, in words; empty: nobody is registered. */
  readonly viewers: readonly string[];
};

export function noticeHtml(facts: NoticeFacts, language: Language): string {
  const words = wordsIn(language).notice;
  const rules = [
    fill(facts.audio ? words.whatWithSound : words.what, { site: facts.site }),
    fill(facts.rule === "" ? words.keep : words.keepUnder, { days: numberText(facts.keepMaxDays, 0, language), rule: facts.rule }),
    words.held,
    words.who,
    words.never,
  ];
  const asking = fill(words.ask, { phone: facts.dutyPhone ?? words.blank });
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`${words.title} – ${facts.household}`)}</title>
<style>${style}</style>
${facts.unit === null ? "" : `<p class="unit">${escaped(facts.unit)}</p>`}
<h1>${escaped(words.title)}</h1>
<p class="to">${escaped(fill(words.to, { household: facts.household }))}</p>
<ul>${rules.map((line) => `<li>${escaped(line)}</li>`).join("\n")}</ul>
${facts.cameras.map((camera) => cameraHtml(camera, language)).join("\n")}
<p>${escaped(words.rights)}</p>
<p class="ask">${escaped(asking)}</p>
<p class="foot">${escaped(fill(words.made, { date: dateText(facts.madeAt) }))}</p>
</html>
`;
}

function cameraHtml(camera: NoticeCamera, language: Language): string {
  const words = wordsIn(language).notice;
  const lines = [
    lineText(camera, language),
    fill(words.viewers, { list: camera.viewers.length === 0 ? words.nobody : camera.viewers.join(", ") }),
    camera.extractions === 0 ? words.notExtracted : fill(words.extracted, { count: camera.extractions }),
  ];
  return `<h2>${escaped(fill(words.camera, { name: camera.name }))}</h2><ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul>`;
}

const dayS = 86_400;

/** What it draws from the household's line. */
function lineText({ bytesPerSecond, monthBytes, isOverInternet }: NoticeCamera, language: Language): string {
  const words = wordsIn(language).notice;
  if (bytesPerSecond === null) return words.lineUnknown;
  const rate = numberText((bytesPerSecond * 8) / 1e6, 1, language);
  const day = numberText((bytesPerSecond * dayS) / 1e9, 1, language);
  const month = numberText(monthBytes / 1e9, 1, language);
  return fill(isOverInternet ? words.lineInternet : words.lineHome, { rate, day, month });
}

const style = `
body{font:17px/1.5 "Times New Roman",Tinos,serif;max-width:180mm;margin:8mm auto;padding:0 4mm;color:#000;background:#fff}
h1{font-size:22px;text-align:center;text-transform:uppercase}h2{font-size:18px;margin:1em 0 .2em;break-after:avoid}
ul{margin:.3em 0;padding-left:1.3em}li{margin:.2em 0}.unit,.ask{font-weight:bold}.to{text-align:center}.foot{font-size:14px;font-style:italic}
body{overflow-wrap:anywhere}@page{size:A4;margin:16mm}@media print{body{margin:0;padding:0}}`;
