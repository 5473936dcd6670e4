/** The contact sheet: a night in small pictures, with what is missing in between; one page that fetches nothing. Pure. */
import type { ManifestCamera } from "./manifest.ts";
import { escaped } from "./markup.ts";
import { missingText } from "./slip.ts";
import { vietnamTime } from "./time.ts";
import type { Span, WallMs } from "./types.ts";
import { fill, type Language, wordsIn } from "./words.ts";

export type Still = { readonly at: WallMs; readonly jpeg: string };
export type ContactFacts = {
  readonly site: string;
  readonly camera: string;
  readonly asked: Span;
  readonly request: string;
  readonly officer: string;
  readonly madeAt: WallMs;
  /** Oldest first; `jpeg` in base64. */
  readonly stills: readonly Still[];
  readonly missing: ManifestCamera["missing"];
  /** Pictures that could not be made. */
  readonly failed: number;
};

/** The moments to look at: the begin and each step after it. */
export function momentsOf({ fromAt, toAt }: Span, everyMs: number): readonly WallMs[] {
  return Array.from({ length: Math.max(0, Math.ceil((toAt - fromAt) / everyMs)) }, (_, i) => fromAt + i * everyMs);
}

export function contactHtml(facts: ContactFacts, language: Language): string {
  const words = wordsIn(language).contact;
  const span = { from: vietnamTime(facts.asked.fromAt), to: vietnamTime(facts.asked.toAt) };
  const head = [
    fill(words.place, { site: facts.site, camera: facts.camera }),
    fill(words.span, span),
    fill(words.asked, { request: facts.request, officer: facts.officer, at: vietnamTime(facts.madeAt) }),
    fill(words.count, { count: facts.stills.length }),
    ...(facts.failed === 0 ? [] : [fill(words.failed, { count: facts.failed })]),
    words.next,
  ];
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`${words.title} – ${facts.camera}`)}</title>
<style>${style}</style>
<h1>${escaped(words.title)}</h1>
${head.map((line) => `<p>${escaped(line)}</p>`).join("\n")}
<main>${partsOf(facts, language).join("\n")}</main>
</html>
`;
}

/** Pictures and holes in the order of time. */
function partsOf({ stills, missing }: ContactFacts, language: Language): readonly string[] {
  const parts = [
    ...stills.map(({ at, jpeg }) => ({ at, html: stillHtml(vietnamTime(at), jpeg) })),
    ...missing.map((hole) => ({ at: Date.parse(hole.from), html: `<p class="hole">${escaped(missingText(hole, language))}</p>` })),
  ];
  return parts.sort((a, b) => a.at - b.at).map(({ html }) => html);
}

const stillHtml = (time: string, jpeg: string): string =>
  `<figure><img src="data:image/jpeg;base64,${jpeg}" alt="${time}" loading="lazy"><figcaption>${time}</figcaption></figure>`;

const style = `
body{font:15px/1.4 system-ui,sans-serif;margin:1em;color:#111;background:#fff}h1{font-size:20px}p{margin:.2em 0}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(300px,100%),1fr));gap:8px;margin-top:1em}
figure{margin:0;break-inside:avoid}img{width:100%;display:block;background:#ccc}figcaption{font-variant-numeric:tabular-nums;font-weight:600}
.hole{grid-column:1/-1;margin:0;padding:.4em .6em;border-left:6px solid #a00;background:#f3f3f3}
@media screen and (prefers-color-scheme:dark){body{color:#eee;background:#111}.hole{background:#222;border-color:#f66}}
@page{size:A4;margin:10mm}@media print{body{margin:0}main{grid-template-columns:repeat(4,1fr)}}`;
